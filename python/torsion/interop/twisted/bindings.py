"""What newer versions of Twisted call a binding (``twisted.internet.tcp.makeBinding``): where this end is to be, and with whom it
shares that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from torsion.interop.twisted.ports import TCPPort

if TYPE_CHECKING:
    from torsion.internet.transports.owner import Home

__all__ = ["Binding", "BoundPort", "binding_of"]


class Binding(NamedTuple):
    """What a binding says.

    :ivar interface: the address; empty for all.
    :ivar port: the number; 0 for any.
    :ivar reuseAddress: whether ``SO_REUSEADDR`` is wanted.
    :ivar reusePort: whether ``SO_REUSEPORT`` is.
    """

    interface: str
    port: int
    reuseAddress: bool
    reusePort: bool


def binding_of(given: Any) -> Binding | None:
    """Return what *given* says if it is a binding, else None.

    For Twisted it is opaque; it shows these four when it is printed, and has no other way to tell them.
    """
    try:
        return Binding(given._address, given._port, given._reuseAddress, given._reusePort)
    except AttributeError:
        return None


class BoundPort(TCPPort):
    """A TCP port that listens as a binding says, down to the options of its socket."""

    def __init__(self, binding: Binding, factory: Any, backlog: int, reactor: Home) -> None:
        super().__init__(binding.port, factory, backlog, binding.interface, reactor, binding.reusePort)
        self.reuseAddress = binding.reuseAddress
