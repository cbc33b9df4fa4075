"""A port forwarder: whoever connects to it is connected to another port, and what each says is passed on to the other.

Neither side is read from faster than the other reads, so that little is kept here. A side that says no more (a half-closed
connection) is passed on as well: the other can still answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientFactory, Factory, Protocol, connectionDone
from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress, IConnector
    from torsion.python.failure import Failure

__all__ = ["Proxy", "ProxyClient", "ProxyClientFactory", "ProxyFactory", "ProxyServer"]


@implementer(IHalfCloseableProtocol)
class Proxy(Protocol):
    """One side of a forwarded connection: what it is told, its peer tells the other end."""

    noisy: bool = True
    """Whether to log that a connection could not be made, and the like."""

    peer: Proxy | None = None
    """The other side, once it stands."""

    _log = Logger()
    _read_all = False  # whether the end that this speaks with says no more
    _reads_peer = False  # whether the peer's transport is the producer of this one's

    def setPeer(self, peer: Proxy) -> None:
        """Be told which the other side is."""
        self.peer = peer

    def dataReceived(self, data: bytes) -> None:
        """Pass *data* on to the peer's transport."""
        if self.peer is not None:
            self.peer.transport.write(data)

    def readConnectionLost(self) -> None:
        """Pass on that no more is coming; the connection is closed once that is so in both directions."""
        self._read_all = True
        peer = self.peer
        if peer is None:
            self.transport.loseConnection()
            return
        peer._letGo()
        close = getattr(peer.transport, "loseWriteConnection", None)
        if peer._read_all or close is None:  # what was half closed by the other is now closed, or cannot be half closed
            peer.transport.loseConnection()
            self._letGo()
            self.transport.loseConnection()
        else:
            close()

    def writeConnectionLost(self) -> None:
        """Do nothing: the peer's end has been passed on."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other side, once what it was sent has gone out."""
        peer, self.peer = self.peer, None
        if peer is not None:
            peer._letGo()
            peer.transport.loseConnection()

    def _letGo(self) -> None:
        """Wait no longer for the peer's transport to write: it has nothing more to say."""
        if self._reads_peer:
            self._reads_peer = False
            self.transport.unregisterProducer()

    def _readPeer(self, peer: Proxy) -> None:
        """Have the peer's transport wait while this one has enough to send."""
        self._reads_peer = True
        self.transport.registerProducer(peer.transport, True)


class ProxyClient(Proxy):
    """The side that was connected to the other port."""

    def connectionMade(self) -> None:
        """Join the two sides, and begin to read from the one that waits."""
        server = self.peer
        assert server is not None, "ProxyClientFactory sets it"
        if not _stands(server):
            self.transport.loseConnection()  # who asked for the connection has gone
            return
        server.setPeer(self)
        self._readPeer(server)
        server._readPeer(self)
        server.transport.resumeProducing()


class ProxyClientFactory(ClientFactory[Any]):
    """Makes the side that connects to the other port."""

    protocol: Callable[[], Any] | None = ProxyClient
    noisy = False

    server: Proxy

    def setServer(self, server: Proxy) -> None:
        """Be told for which connection this is."""
        self.server = server

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the protocol, and tell it its peer."""
        client = super().buildProtocol(addr)
        if client is not None:
            client.setPeer(self.server)
        return client

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Close the connection that cannot be forwarded."""
        server = self.server
        if not _stands(server):
            return
        if server.noisy:
            server._log.warn(
                "Cannot forward to {destination}: {error}",
                destination=connector.getDestination(),
                error=reason.getErrorMessage(),
            )
        server.transport.loseConnection()


class ProxyServer(Proxy):
    """The side that was connected to by a client: it connects to the other port, and reads when that is done."""

    clientProtocolFactory: Callable[[], Any] = ProxyClientFactory
    """What is called to make the factory of the other side."""

    reactor: Any = None
    """By which to connect; None for the current one."""

    _connector: IConnector | None = None

    def connectionMade(self) -> None:
        """Connect to the other port."""
        self.transport.pauseProducing()
        client = self.clientProtocolFactory()
        client.setServer(self)
        reactor = self.reactor
        if reactor is None:
            reactor = _current.current_reactor()
        self._connector = reactor.connectTCP(self.factory.host, self.factory.port, client)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the other side, or give up connecting to it."""
        connector, self._connector = self._connector, None
        if self.peer is None and connector is not None:
            connector.disconnect()
        super().connectionLost(reason)


class ProxyFactory(Factory[Any]):
    """Forwards the connections that come in.

    :ivar host: the host to connect to.
    :ivar port: its port.
    """

    protocol: Callable[[], Any] | None = ProxyServer

    def __init__(self, host: str, port: int) -> None:
        """Forward to a port.

        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        """
        self.host = host
        self.port = port


def _stands(side: Proxy) -> bool:
    """Return whether the connection of *side* is not lost yet."""
    return bool(getattr(side.transport, "connected", side.connected))
