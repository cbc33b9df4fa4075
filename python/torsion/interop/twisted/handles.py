"""Sockets to set options on, which are the connections' own."""

from __future__ import annotations

import socket
from typing import Any

__all__ = ["LentSocket", "lent", "take_back"]


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
