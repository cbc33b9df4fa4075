"""Sockets to set options on, which are the connections' own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

__all__ = ["Lending", "LentSocket", "lent", "take_back"]


class LentSocket(socket.socket):
    """A socket object for a descriptor that belongs to the engine: it may be used, and its end does not close that.

    To :meth:`close` it does.  Programs do that to hand a connection on, when they have removed its transport from the reactor
    and duplicated the descriptor: nobody is told of an end then.
    """

    holder: Any = None

    def close(self) -> None:
        """Close the descriptor; the transport is gone without a word."""
        self.detach()
        holder, self.holder = self.holder, None
        if holder is not None:
            holder.discard()

    def __del__(self) -> None:
        self.detach()


def lent(holder: Any, descriptor: int) -> socket.socket:
    """Return the socket for *descriptor*, which is *holder*'s, the same each time.

    :raises OSError: if it is closed.
    """
    known: LentSocket | None = holder.__dict__.get("_lent")
    if known is None or known.fileno() != descriptor:
        known = holder.__dict__["_lent"] = LentSocket(fileno=descriptor)
        known.holder = holder
    return known


def take_back(holder: Any) -> None:
    """The descriptor of *holder* is closed: whoever has kept the socket must not use its number, which is another's now."""
    known = holder.__dict__.pop("_lent", None)
    if known is not None:
        known.detach()
        known.holder = None


class Lending:
    """A part of ports: what they have of ``ISystemHandle``."""

    if TYPE_CHECKING:

        def fileno(self) -> int:
            """Return the descriptor; -1 if there is none."""

        def discard(self) -> None:
            """The descriptor was closed by somebody who goes on with a duplicate."""

    def getHandle(self) -> socket.socket:
        """Return the port's socket, to set options that have no method here.

        :raises OSError: if there is none yet, or no more.
        """
        return lent(self, self.fileno())

    @property
    def socket(self) -> socket.socket:
        """The same."""
        return self.getHandle()
