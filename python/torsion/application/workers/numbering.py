"""Which of several ports at one address is which: the first of each worker, or thread, share a socket, and so do the second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.workers.sockets import BACKLOG, Wanted

if TYPE_CHECKING:
    from torsion.internet.interfaces.handover import ListeningAddress

__all__ = ["Numbering"]


class Numbering:
    """The open ports of one reactor, counted at each address."""

    def __init__(self) -> None:
        self._open: dict[ListeningAddress, dict[int, object]] = {}

    def wanted(self, address: ListeningAddress, port: Any) -> Wanted:
        """Return what *port*, which does not listen yet, is to be given."""
        return Wanted(
            *address,
            self._free(address),
            getattr(port, "backlog", BACKLOG),
            getattr(port, "mode", 0o666),
            bool(getattr(port, "wantPID", False)),
        )

    def _free(self, address: ListeningAddress) -> int:
        """Return the lowest number that no port at *address* has."""
        taken = self._open.get(address, {})
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def opened(self, address: ListeningAddress, port: object) -> None:
        """Give *port* the number that it was told of as :meth:`wanted`."""
        number = self._free(address)
        self._open.setdefault(address, {})[number] = port

    def closed(self, address: ListeningAddress, port: object) -> Wanted | None:
        """Take the number of *port* from it.

        :returns: what it had been given; None if it is none of those that are open.
        """
        taken = self._open.get(address, {})
        for number, each in taken.items():
            if each is port:
                del taken[number]
                return Wanted(*address, number)
        return None
