"""What a service and systemd say to each other: sockets that are open already (``sd_listen_fds(3)``), and how it is
(``sd_notify(3)``).  Others than systemd speak the same protocols."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import ClassVar

__all__ = ["NOTIFY_SECONDS", "ListenFDs", "notify"]

NOTIFY_SECONDS = 1.0
"""How long :func:`notify` waits, in seconds, for a queue that is full, and so the most that a busy reactor can lose by it."""


class ListenFDs:
    """The descriptors that this process inherited to listen at, with their names.

    Usually made by :meth:`fromEnvironment`.
    """

    _START: ClassVar[int] = 3  # the first one after standard input, output and error; systemd's own number

    __slots__ = ("_descriptors", "_names")

    def __init__(self, descriptors: Iterable[int], names: Sequence[str] = ()) -> None:
        """Remember descriptors.

        :param descriptors: the descriptors.
        :param names: a name for each of them, in the same order; there may be fewer.
        """
        self._descriptors = list(descriptors)
        self._names = tuple(names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ListenFDs):
            return NotImplemented
        return (self._descriptors, self._names) == (other._descriptors, other._names)

    __hash__ = None  # type: ignore[assignment]  # what it lists is compared, and a list has no hash

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._descriptors!r}, {self._names!r})"

    @classmethod
    def fromEnvironment(cls, environ: MutableMapping[str, str] | None = None, start: int | None = None) -> ListenFDs:
        """Find out what was inherited, from ``LISTEN_PID``, ``LISTEN_FDS`` and ``LISTEN_FDNAMES``.

        The variables are removed, so that nobody, a child process included, takes the same descriptors again.

        :param environ: where to look; this process' environment by default.
        :param start: the number of the first descriptor, if it is not systemd's.
        :returns: the descriptors; none if there are no such variables, they mean nothing, or they are for another
            process.
        """
        environment = os.environ if environ is None else environ
        first = cls._START if start is None else start
        process, count, named = (environment.pop(f"LISTEN_{what}", None) for what in ("PID", "FDS", "FDNAMES"))
        try:
            descriptors = range(first, first + int(count or 0)) if int(process or -1) == os.getpid() else range(0)
        except ValueError:
            descriptors = range(0)
        names = tuple(named.split(":")) if named is not None and descriptors else ()
        return cls(descriptors, names)

    def inheritedDescriptors(self) -> list[int]:
        """Return the descriptors."""
        return list(self._descriptors)

    def inheritedNamedDescriptors(self) -> dict[str, int]:
        """Return the descriptors by their names; of several with one name, the last."""
        return dict(zip(self._names, self._descriptors, strict=False))


def notify(*assignments: str, environ: Mapping[str, str] | None = None, timeout: float = NOTIFY_SECONDS) -> bool:
    """Tell the service manager how this process is: ``sd_notify(3)``.

    ::

        notify("READY=1", "STATUS=Serving on port 8000")

    :param assignments: what to tell, each ``NAME=VALUE`` without a line's end: ``READY=1``, ``RELOADING=1``, ``STOPPING=1``,
        ``STATUS=...``, ``MAINPID=...``, ``WATCHDOG=1``, ...
    :param environ: where to look for ``NOTIFY_SOCKET``; this process' environment by default.
    :param timeout: how long to wait at most, in seconds, while the manager's queue is full.
    :returns: whether somebody wants to know, and was told.
    :raises ValueError: if an assignment is none, or ``NOTIFY_SOCKET`` is of a kind that is not known here.
    :raises OSError: if the manager cannot be reached.
    """
    for each in assignments:
        name, equals, _ = each.partition("=")
        if not equals or not name or "\n" in each:
            raise ValueError(f"an assignment is NAME=VALUE in one line, not {each!r}")
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET")
    if not address:
        return False
    if address[0] not in "/@" or sys.platform == "win32":
        raise ValueError(f"NOTIFY_SOCKET is a path or a name that begins with @, not {address!r}")
    import socket

    # An abstract name is written with @ in place of its NUL.
    where = "\0" + address[1:] if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(timeout)
        sender.sendto("\n".join(assignments).encode("utf-8", "surrogateescape"), where)
    return True
