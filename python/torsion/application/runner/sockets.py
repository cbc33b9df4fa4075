"""The listening sockets of a run: those that it was started with, and the ports that it has opened."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from zope.interface import implementer

from torsion.internet.interfaces.handover import IListeningSockets, ListeningAddress
from torsion.internet.transports.handedover import address_of_socket
from torsion.logger import Logger

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

__all__ = ["Inherited", "Opened", "Sockets"]

_log = Logger("torsion.application.runner")


class Inherited(NamedTuple):
    """A socket that the process before has handed over.

    :ivar number: by which both know it.
    :ivar address: what that process asked for.
    :ivar socket: ours.
    """

    number: int
    address: ListeningAddress
    socket: socket.socket


class Opened(NamedTuple):
    """A port that listens.

    :ivar address: what was asked for.
    :ivar port: the port, an ``IHandedPort``.
    """

    address: ListeningAddress
    port: Any


@implementer(IListeningSockets)
class Sockets:
    """Hands out the sockets that this process was started with, and knows the ports that are open.

    :ivar activated: descriptors that systemd has started this process with (``sd_listen_fds(3)``): duplicates, which stay open.
    """

    def __init__(self, inherited: Iterable[Inherited] = (), activated: Iterable[int] = ()) -> None:
        """Have sockets to hand out.

        :param inherited: those of the process before, in the order in which it opened them.
        :param activated: those of systemd, which are handed out by their addresses; they are this object's from now on.
        """
        self._left = list(inherited)
        self.activated = list(activated)
        self._systemd = {each: _address(each) for each in self.activated}
        self._taken: dict[Any, int] = {}
        self._open: dict[Any, tuple[ListeningAddress, bool]] = {}
        self._starting = True

    # --- what reactors ask -------------------------------------------------------------------------------------------

    def take(self, address: ListeningAddress, port: Any) -> socket.socket | None:
        """Return the socket for *address*, if there is one: see ``IListeningSockets``."""
        found = next((each for each in self._left if each.address == address), None)
        if found is None and (address.port or address.kind.startswith("UNIX")):
            # What the system has chosen there may have been asked for by its number since.
            found = next((each for each in self._left if address_of_socket(each.socket) == address), None)
        if found is not None:
            self._left.remove(found)
            self._taken[port] = found.number
            return found.socket
        for descriptor, known in self._systemd.items():
            if known == address:
                return _socket(os.dup(descriptor))
        return None

    def opened(self, address: ListeningAddress, port: Any) -> None:
        """Know of a port that listens."""
        self._open[port] = address, self._starting

    def closed(self, address: ListeningAddress, port: Any) -> None:
        """Forget it."""
        self._open.pop(port, None)
        self._taken.pop(port, None)

    # --- handing over ------------------------------------------------------------------------------------------------

    def ready(self) -> None:
        """Note that the service has started: ports that are opened from now on are no part of how it starts."""
        self._starting = False

    def open_ports(self) -> list[Opened]:
        """Return the ports whose sockets the next process can use, in the order in which they were opened.

        Where the system chose the number of a port that was opened later, nobody will ask for it: it belongs to a connection of
        this process.
        """
        return [
            Opened(address, port)
            for port, (address, early) in self._open.items()
            if port.fileno() >= 0 and (early or address.port or address.kind.startswith("UNIX"))
        ]

    def taken(self) -> list[int]:
        """Return the numbers of the inherited sockets that are in use."""
        return sorted(number for port, number in self._taken.items() if port in self._open)

    def take_over(self) -> None:
        """Have for this process what belongs to the sockets, and close those that nobody asked for.  What fails is logged."""
        taken, self._taken = self._taken, {}
        for port in taken:
            try:
                port.taken_over()
            except Exception:  # noqa: BLE001 - it listens all the same
                _log.failure("{port!r} has not got all that belongs to its socket", port=port)
        self.close()

    def close(self) -> None:
        """Close the inherited sockets that nobody has asked for."""
        left, self._left = self._left, []
        for each in left:
            _log.info("Nobody listens at {address} any more", address=shown(each.address))
            each.socket.close()


def _socket(descriptor: int) -> socket.socket:
    import socket

    return socket.socket(fileno=descriptor)


def _address(descriptor: int) -> ListeningAddress | None:
    """Return what is to be asked for to get a socket; None for what is no socket."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return None
    probe = _socket(descriptor)
    try:
        return address_of_socket(probe)
    finally:
        probe.detach()


def shown(address: ListeningAddress) -> str:
    """Return *address* for people to read."""
    if address.kind.startswith("UNIX"):
        return f"{address.kind} {address.interface!r}"
    host = f"[{address.interface}]" if ":" in address.interface else address.interface
    return f"{address.kind} {host}:{address.port}"
