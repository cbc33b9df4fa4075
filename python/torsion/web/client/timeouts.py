"""How long each phase of a request may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CONNECT", "EXPECT_PATIENCE", "HEAD", "IDLE", "MOST_INTERIM", "MOST_QUEUED", "QUEUE", "Timeouts"]

CONNECT: Final = 30.0
"""Seconds to connect: three lost SYNs and their repetitions (1, 2, 4 seconds), and a slow resolver before them."""

HEAD: Final = 60.0
"""Seconds from the end of a request to the head of its response: what proxies allow the servers behind them as a rule."""

IDLE: Final = 60.0
"""Seconds in which nothing of a body comes or goes, though nothing on this side holds it up."""

QUEUE: Final = 60.0
"""Seconds of waiting for one of the connections that a host is allowed: as long as a request that keeps one may take."""

MOST_QUEUED: Final = 10_000
"""How many requests may wait for a connection to one host: each costs a few KiB, and more cannot be served in time."""

EXPECT_PATIENCE: Final = 1.0
"""Seconds that a body waits for ``100 Continue`` before it is sent anyway: RFC 9110, 10.1.1 says not to wait for ever, and
many servers do not know it."""

MOST_INTERIM: Final = 32
"""How many 1xx responses may come before the response: one or two are sent as a rule, and endless ones are no answer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The seconds that phases may take; None for any number.

    :ivar connect: to find the host's address and connect; and again for TLS.
    :ivar head: from when the request is sent to the head of the response.
    :ivar idle: without any progress of a body, in either direction.  A consumer that has paused is not counted against the
        server; a response whose body nobody has asked for is.
    :ivar total: for all of it, redirects and body included.
    """

    connect: float | None = CONNECT
    head: float | None = HEAD
    idle: float | None = IDLE
    total: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises ValueError: for a time that is not above 0.
        """
        for name in ("connect", "head", "idle", "total"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0 seconds, or None for any time, not {value!r}")
