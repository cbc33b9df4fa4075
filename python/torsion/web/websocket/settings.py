"""How much a peer may ask of us, and how long things may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Settings"]

MESSAGE: Final = 1024 * 1024
"""Bytes of a message, as they are after decompression: a message is kept until it is whole.  Peers have the same limit."""

FRAMES: Final = 4096
"""Frames of a message.  Programs use one, or some for what they make as they go; empty frames cost a peer nothing."""

PINGS: Final = 1000
"""Pings in :data:`PING_PERIOD`, each of which makes us send a pong: no peer has a reason for one every ten milliseconds."""

PING_PERIOD: Final = 10.0
"""Seconds."""

PING: Final = 20.0
"""Seconds between our pings: some gateways forget connections that did nothing for 30 seconds."""

PONG: Final = 20.0
"""Seconds in which something must come from the peer after a ping: a phone that changes its network has as long."""

CLOSE: Final = 10.0
"""Seconds that the peer has to say that it heard of the end, behind what is on the way to it."""

HANDSHAKE: Final = 30.0
"""Seconds that a server has to answer a client's wish for a WebSocket."""

STALL: Final = 60.0
"""Seconds in which a peer must take what was written to it."""


BACKLOG: Final = 16 * 1024 * 1024
"""Bytes that a program may write although it was told to pause: room for tasks that were about to send, and for a large message or
two, but not for a program that never waits."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and time-outs of a WebSocket.  Times are seconds; None for no limit, or none of these.

    :ivar maxMessageSize: the bytes of a message, decompressed.  A larger one ends the WebSocket with the code 1009.
    :ivar maxFrames: the frames of a message.  More of them end it with the code 1008; so do too many pings.
    :ivar pingInterval: between the pings that see whether the peer is there; None for no pings.
    :ivar pongTimeout: in which something must come from the peer after such a ping.
    :ivar closeTimeout: from our word that the WebSocket is to be closed to the peer's.
    :ivar handshakeTimeout: of a client, for the server's answer.
    :ivar stallTimeout: in which the peer must take what was written to it.
    :ivar maxBacklog: the bytes that may be written after the program was told that the peer takes no more: coroutines and
        applications of ASGI that do not wait for their ``send``, and producers that go on.  Beyond that the peer is left.
    :ivar compression: whether permessage-deflate (RFC 7692) is offered or accepted.
    :ivar subprotocols: the names of the sub-protocols that we speak, the best first: the client offers them, and the server
        takes the first of its own that was offered.
    """

    maxMessageSize: int | None = MESSAGE
    maxFrames: int | None = FRAMES
    pingInterval: float | None = PING
    pongTimeout: float | None = PONG
    closeTimeout: float = CLOSE
    handshakeTimeout: float | None = HANDSHAKE
    stallTimeout: float | None = STALL
    maxBacklog: int | None = BACKLOG
    compression: bool = True
    subprotocols: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises ValueError: for a limit or a time that is not above 0.
        """
        for name in (
            "maxMessageSize", "maxFrames", "pingInterval", "pongTimeout", "closeTimeout", "handshakeTimeout", "stallTimeout",
            "maxBacklog",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, or None for no limit, not {value!r}")
