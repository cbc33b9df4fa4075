"""Limits to the number of connections: in all, and for each peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.protocol import ServerFactory
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torsion.internet.interfaces import IAddress

__all__ = ["LimitConnectionsByPeer", "LimitTotalConnectionsFactory"]


class LimitTotalConnectionsFactory(ServerFactory[Any]):
    """A server's factory that makes protocols for so many connections at a time, and no more."""

    connectionCount: int = 0
    """How many connections there are now, those of :attr:`overflowProtocol` among them."""

    connectionLimit: int | None = None
    """How many there may be; None for no limit."""

    overflowProtocol: Callable[[], Any] | None = None
    """What is called to make a protocol for a connection beyond the limit, for instance one that says so and hangs up.

    With None such a connection is closed at once.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make a protocol within the limit, one of the other kind beyond it, or return None."""
        limit = self.connectionLimit
        make = self.protocol if limit is None or self.connectionCount < limit else self.overflowProtocol
        if make is None:
            if make is self.protocol:
                raise RuntimeError(f"{self!r} cannot build a protocol: set its 'protocol'")
            return None
        wrapped = make()
        wrapped.factory = self
        self.connectionCount += 1
        owner: Any = self  # not a WrappingFactory, but it has what a wrapper asks of one
        return ProtocolWrapper(owner, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """Be told that a connection is made. Does nothing: it was counted when its protocol was."""

    def unregisterProtocol(self, p: Any) -> None:
        """Be told that a connection is lost: it counts no more."""
        self.connectionCount -= 1


class LimitConnectionsByPeer(WrappingFactory):
    """Wraps a server's factory so that each host has no more than so many connections at a time.

    One more is closed at once. Hosts are told apart by their numeric address, and a peer without one, such as that of a
    Unix socket, by its whole address.

    :ivar peerConnections: how many connections each host has that has any.
    """

    maxConnectionsPerPeer: int = 5
    """How many connections a host may have."""

    def __init__(self, wrappedFactory: Any) -> None:
        """Wrap a factory.

        :param wrappedFactory: makes the protocols.
        """
        super().__init__(wrappedFactory)
        self.peerConnections: dict[Hashable, int] = {}
        self._peers: dict[Any, Hashable] = {}

    def startFactory(self) -> None:
        """Begin to count."""
        # Connections may outlive a port: whoever listens again meets their count, too.

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Have the wrapped factory make a protocol, and wrap it; None if the peer has all that it may have."""
        peer = _host_of(addr)
        if self.peerConnections.get(peer, 0) >= self.maxConnectionsPerPeer:
            return None
        protocol = super().buildProtocol(addr)
        if protocol is not None:
            self.peerConnections[peer] = self.peerConnections.get(peer, 0) + 1
            self._peers[protocol] = peer
        return protocol

    def unregisterProtocol(self, p: Any) -> None:
        """Be told that a connection is lost: it counts no more."""
        super().unregisterProtocol(p)
        peer = self._peers.pop(p)
        self.peerConnections[peer] -= 1
        if not self.peerConnections[peer]:
            del self.peerConnections[peer]


def _host_of(address: Any) -> Hashable:
    """Return by what the peer at *address* is told from others."""
    host: Hashable = address[0] if isinstance(address, tuple) else getattr(address, "host", address)
    return host
