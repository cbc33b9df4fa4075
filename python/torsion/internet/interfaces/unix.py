"""Sockets in the file system: Unix streams and Unix datagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

from torsion.internet.interfaces.stream import ITransport

if TYPE_CHECKING:
    from typing import Any

    from torsion.internet.interfaces.core import IAddress
    from torsion.internet.interfaces.protocol import IProtocolFactory
    from torsion.internet.interfaces.stream import IConnector, IListeningPort


class IUNIXTransport(ITransport):
    """A connection over a Unix socket."""

    def sendFileDescriptor(descriptor: int) -> None:
        """Send an open file to the peer, who gets a descriptor of its own for it.

        At least one byte must be written after this call, since files travel along with data. The file may be closed
        here once that data is sent.

        :param descriptor: the file's number in this process.
        """


class IUNIXDatagramTransport(Interface):
    """A Unix datagram socket that any peer may send to."""

    def write(packet: bytes, addr: str) -> None:
        """Send one datagram.

        :param packet: the whole of it.
        :param addr: the path of the receiver's socket.
        """

    def getHost() -> IAddress:
        """Return where this socket receives, a ``UNIXAddress``."""


class IUNIXDatagramConnectedTransport(Interface):
    """A Unix datagram socket that has one peer."""

    def write(packet: bytes) -> None:
        """Send one datagram to the peer.

        :param packet: the whole of it.
        """

    def getHost() -> IAddress:
        """Return where this socket receives, a ``UNIXAddress``."""

    def getPeer() -> IAddress:
        """Return where the peer receives, a ``UNIXAddress``."""


class IReactorUNIX(Interface):
    """A reactor that speaks over Unix sockets."""

    def connectUNIX(address: str, factory: IProtocolFactory, timeout: float = 30, checkPID: bool = False) -> IConnector:
        """Connect to a Unix socket.

        :param address: the socket's path.
        :param factory: a client factory; told how the attempt ends.
        :param timeout: after how many seconds to give up.
        :param checkPID: look for the server's lock file first, and fail at once if no living process holds it.
        :returns: the connector. A failure is never raised here, but handed to ``factory.clientConnectionFailed`` later.
        """

    def listenUNIX(
        address: str, factory: IProtocolFactory, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> IListeningPort:
        """Accept connections on a Unix socket.

        :param address: the path at which to make it.
        :param factory: asked for one protocol for each connection.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param mode: the permissions to give to the file.
        :param wantPID: keep a lock file beside the socket, and remove a socket that a dead process left behind.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the path is taken or may not be used.
        """


class IReactorUNIXDatagram(Interface):
    """A reactor that exchanges datagrams over Unix sockets."""

    def connectUNIXDatagram(
        address: str, protocol: Any, maxPacketSize: int, mode: int, bindAddress: str | None
    ) -> IListeningPort:
        """Exchange datagrams with one peer.

        :param address: the path of the peer's socket.
        :param protocol: a ``ConnectedDatagramProtocol``; its transport is an :class:`IUNIXDatagramConnectedTransport`.
        :param maxPacketSize: the longest datagram to receive, in bytes; reactors default to 8192.
        :param mode: the permissions of the file at *bindAddress*; reactors default to 0o666.
        :param bindAddress: the path of this end, needed for being answered; reactors default to none.
        :returns: the socket, which is the protocol's transport.
        :raises torsion.internet.error.CannotListenError: if *bindAddress* is taken or may not be used.
        """

    def listenUNIXDatagram(address: str, protocol: Any, maxPacketSize: int, mode: int) -> IListeningPort:
        """Receive datagrams on a Unix socket.

        :param address: the path at which to make it.
        :param protocol: a ``DatagramProtocol``; its transport is an :class:`IUNIXDatagramTransport`.
        :param maxPacketSize: the longest datagram to receive, in bytes; reactors default to 8192.
        :param mode: the permissions to give to the file; reactors default to 0o666.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the path is taken or may not be used.
        """
