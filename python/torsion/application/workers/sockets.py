"""Listening sockets that several processes serve: made once, by the master.

Where the kernel balances (TCP and UDP on Linux, ``SO_REUSEPORT`` in socket(7)) there is one for each worker; elsewhere one
that all share.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torsion.internet.transports.unixpath import SocketFile

__all__ = ["Shared", "Wanted", "balances", "listen"]


BACKLOG = 50
"""How many connections the system keeps waiting where the program does not say; as for ``listenTCP``."""


class Wanted(NamedTuple):
    """What a worker wants to listen at.

    :ivar kind: ``TCP``, ``UDP``, ``UNIX`` or ``UNIXDatagram``, as of a ``ListeningAddress``, like the next two.
    :ivar interface: the numeric address to listen at; of a Unix socket the absolute path, or the abstract name with its NUL.
    :ivar port: the port's number, 0 to let the system choose; of a Unix socket 0.
    :ivar nth: how many ports of the worker at the same address there are already: the first ones of all workers share, and so on.
    :ivar backlog: how many connections the system may keep waiting, for each socket.
    :ivar mode: the permissions of a Unix socket's file.
    :ivar locked: whether a Unix socket has a lock beside it.
    """

    kind: str
    interface: str
    port: int
    nth: int = 0
    backlog: int = BACKLOG
    mode: int = 0o666
    locked: bool = False

    @property
    def wantPID(self) -> bool:
        """The same as *locked*, as a port calls it."""
        return self.locked

    def key(self) -> tuple[str, str, int, int]:
        """Return what is the same for all workers that want the same."""
        return self[:4]

    def __str__(self) -> str:
        if self.kind.startswith("UNIX"):
            return f"{self.kind} {self.interface}"
        host = f"[{self.interface}]" if ":" in self.interface else self.interface
        return f"{self.kind} {host}:{self.port}"


class Shared:
    """The sockets of one address.

    :ivar sockets: one for each slot, in the order of these, or only one for all.
    """

    def __init__(self, sockets: list[socket.socket], file: SocketFile | None = None) -> None:
        self.sockets = sockets
        self._file = file

    def socket_of(self, slot: int) -> socket.socket:
        """Return the socket for the worker in *slot*."""
        return self.sockets[slot if len(self.sockets) > 1 else 0]

    @property
    def steerable(self) -> bool:
        """Whether there are several that the kernel chooses among for each connection."""
        return len(self.sockets) > 1 and self.sockets[0].type == socket.SOCK_STREAM

    def close(self) -> None:
        """Close them here, and remove the file of a Unix socket if it is still ours; workers keep theirs."""
        sockets, self.sockets = self.sockets, []
        for each in sockets:
            each.close()
        if self._file is not None:
            self._file.remove()
            self._file = None


def balances(kind: str) -> bool:
    """Tell whether the kernel spreads what comes in over several sockets at one address.

    Other systems have ``SO_REUSEPORT`` as well, but give all to the socket that came first, or last.
    """
    return kind in ("TCP", "UDP") and sys.platform.startswith("linux")


def listen(wanted: Wanted, slots: int) -> Shared:
    """Make the sockets for an address; they listen, and none is inherited by accident.

    :param wanted: the address.
    :param slots: how many workers there are.
    :raises OSError: if the address is taken, is not ours or may not be used.
    :raises ValueError, TypeError, OverflowError: if it is none.
    """
    if wanted.kind in ("UNIX", "UNIXDatagram"):
        return _listen_unix(wanted)
    if wanted.kind not in ("TCP", "UDP"):
        raise ValueError(f"{wanted.kind!r} is no kind of socket that workers share: TCP, UDP, UNIX or UNIXDatagram")
    from torsion.internet.transports.numeric import port_number, resolve_interface

    address = resolve_interface(wanted.interface, port_number(wanted.port))
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    type_ = socket.SOCK_STREAM if wanted.kind == "TCP" else socket.SOCK_DGRAM
    several = slots > 1 and balances(wanted.kind)
    if several and wanted.port:
        # Sockets that share join whoever shares at that address already: another master, say, that was started before.
        _bound(family, type_, address, shared=False).close()
    sockets: list[socket.socket] = []
    try:
        for _ in range(slots if several else 1):
            sockets.append(_bound(family, type_, address, shared=several))
            address = sockets[0].getsockname()
        if type_ == socket.SOCK_STREAM:
            for each in sockets:  # in the order of the slots, by which the kernel numbers them
                each.listen(wanted.backlog)
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return Shared(sockets)


def _bound(
    family: int, type_: int, address: tuple[str, int] | tuple[str, int, int, int], *, shared: bool
) -> socket.socket:
    made = socket.socket(family, type_)
    try:
        made.setblocking(False)
        if type_ == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _listen_unix(wanted: Wanted) -> Shared:
    from torsion.internet.transports.unixpath import SocketFile, check_path, explain

    path = os.fsencode(wanted.interface)
    check_path(path)
    file = SocketFile(path, wanted.locked)
    streams = wanted.kind == "UNIX"
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if streams else socket.SOCK_DGRAM)
    try:
        file.claim()
        made.setblocking(False)
        before = os.umask(0o777 & ~wanted.mode)  # so that at no time anybody else may connect
        try:
            made.bind(path)
        finally:
            os.umask(before)
        file.made()
        if streams:
            made.listen(wanted.backlog)
    except BaseException as problem:
        made.close()
        file.remove()
        if isinstance(problem, OSError):
            raise explain(path, problem) from problem
        raise
    return Shared([made], file)
