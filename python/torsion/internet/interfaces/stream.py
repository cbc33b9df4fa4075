"""Byte streams: transports, ports, connectors, and the reactor methods that make them for TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces.binding import Binding
    from torsion.internet.interfaces.core import IAddress
    from torsion.internet.interfaces.protocol import IProtocolFactory


class ITransport(Interface):
    """A protocol's end of a connection: the way to answer the peer and to part from it."""

    def write(data: bytes) -> None:
        """Send *data*, after everything written before. Never blocks: what the system does not take yet is kept.

        Ignored once the connection is closing or closed.

        :raises TypeError: if *data* is not bytes; text has to be encoded first.
        """

    def writeSequence(data: Iterable[bytes]) -> None:
        """Send several pieces of bytes in their order, without joining them first.

        :raises TypeError: if any of them is not bytes.
        """

    def loseConnection() -> None:
        """Close the connection once everything written is sent and no producer is registered.

        ``connectionLost`` follows later, never from within this call. Does nothing on a connection that is closing.
        """

    def getPeer() -> IAddress:
        """Return where the other end is."""

    def getHost() -> IAddress:
        """Return where this end is."""


class ITCPTransport(ITransport):
    """A connection over TCP."""

    def loseWriteConnection() -> None:
        """Close our sending side once everything written is sent; the peer sees an end of file and can go on sending.

        If the protocol is an :class:`~torsion.internet.interfaces.IHalfCloseableProtocol`, its ``writeConnectionLost``
        is called then.
        """

    def abortConnection() -> None:
        """Close the connection now. What was not sent is dropped and the peer may see a reset.

        ``connectionLost`` follows soon, with :class:`torsion.internet.error.ConnectionAborted`.
        """

    def getTcpNoDelay() -> bool:
        """Return whether small writes are sent at once (``TCP_NODELAY``)."""

    def setTcpNoDelay(enabled: bool) -> None:
        """Send small writes at once, or let the system wait for more to send along (Nagle's algorithm).

        :param enabled: true to send at once.
        """

    def getTcpKeepAlive() -> bool:
        """Return whether the system probes an idle connection (``SO_KEEPALIVE``)."""

    def setTcpKeepAlive(enabled: bool) -> None:
        """Have the system probe the connection while it is idle, and close it if the peer no longer answers, or not.

        :param enabled: true to probe.
        """

    def getHost() -> IAddress:
        """Return this end's address, an ``IPv4Address`` or ``IPv6Address``."""

    def getPeer() -> IAddress:
        """Return the other end's address, an ``IPv4Address`` or ``IPv6Address``."""


class IFileSendingTransport(ITransport):
    """A connection that sends files without their bytes becoming memory of the process.  Torsion's own: Twisted has none.

    The reactor's own connections over TCP and Unix sockets provide it, on systems with descriptors; wrappers, such as those
    that limit the rate, do not pass it on.
    """

    def sendFile(file: Any, offset: int, count: int) -> None:
        """Send a part of a file, behind what was written before, and before what is written later.

        It is sent as ``write`` sends: this returns at once; a producer that is registered is paused when more than 64 KiB wait,
        these bytes among them, and resumed when all has been handed to the system; ``loseConnection`` and
        ``loseWriteConnection`` wait for it.  On Linux the system sends by itself (``sendfile(2)``); elsewhere, and from file
        systems that cannot, it is read piece by piece.

        What is changed in the file before the peer has it may be sent as it was or as it is then, even in the midst.  If the file ends before the part does, the connection
        is lost, with an :class:`~torsion.internet.error.ConnectionLost` of ``errno.ENODATA``: what was promised cannot be kept.

        :param file: a regular file that is open for reading, or its descriptor; its position does not matter and does not
            move.  A duplicate of the descriptor is held until all is sent, so the file may be closed at once.
        :param offset: where the part begins, in bytes.
        :param count: how many bytes it has.
        :raises ValueError: if *offset* or *count* is negative, or this is no regular file.
        :raises OSError: if the descriptor is not open, or the process may have no more.
        :raises RuntimeError: if the connection is secure (``startTLS``, or TLS from its beginning), or on Windows: write what
            you read.
        """


class ISystemHandle(Interface):
    """Something that stands on a resource of the operating system."""

    def getHandle() -> Any:
        """Return that resource: for connections and ports their socket. The object keeps owning it."""


class IListeningPort(Interface):
    """Something that awaits connections or datagrams."""

    def startListening() -> None:
        """Begin to listen; a port that a reactor's ``listen…`` method returned does so already.

        :raises torsion.internet.error.CannotListenError: if the address is taken or may not be used.
        """

    def stopListening() -> Deferred[None] | None:
        """Cease to listen. Connections that were accepted live on.

        :returns: a Deferred that fires with None once the address is free again, or None if it is so already.
        """

    def getHost() -> IAddress:
        """Return where it listens; for port number 0 this tells which number the system chose."""


class IConnector(Interface):
    """One connection to be, being, or having been made; it can be made again."""

    def stopConnecting() -> None:
        """Give up the attempt that is under way; the factory's ``clientConnectionFailed`` follows.

        :raises torsion.internet.error.NotConnectingError: if no attempt is under way.
        """

    def disconnect() -> None:
        """Close the connection if it stands, give up the attempt if one is under way, else do nothing."""

    def connect() -> None:
        """Try again to connect.

        :raises RuntimeError: if an attempt is under way or the connection stands.
        """

    def getDestination() -> IAddress:
        """Return where the connection goes to, as it was asked for: a host's name is not yet looked up."""


class IReactorTCP(Interface):
    """A reactor that speaks TCP."""

    def listenTCP(
        port: int | Binding, factory: IProtocolFactory, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept connections, and give each to a protocol that *factory* makes.

        :param port: the port's number; 0 lets the system choose.
        :param factory: asked for one protocol for each connection.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric IPv4 or IPv6 address to listen at; empty means all IPv4 addresses.
        :returns: the port, listening.
        :raises torsion.internet.error.CannotListenError: if the address is taken or may not be used.
        """

    def connectTCP(
        host: str,
        port: int | str,
        factory: IProtocolFactory,
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | Binding | None = None,
    ) -> IConnector:
        """Connect to a TCP port.

        :param host: the host's name, or its numeric address.
        :param port: the port's number, or the name of a service the system knows.
        :param factory: a client factory; told how the attempt ends.
        :param timeout: after how many seconds to give up.
        :param bindAddress: the numeric address and port of this end, if it matters.
        :returns: the connector. A failure is never raised here, but handed to ``factory.clientConnectionFailed`` later.
        """


class IReactorTCP2(IReactorTCP):
    """A reactor that speaks TCP and takes the local address as one object, with its socket options."""

    def listenTCP(
        port: int | Binding, factory: IProtocolFactory, backlog: int = 50, interface: str | None = None
    ) -> IListeningPort:
        """Do what :meth:`IReactorTCP.listenTCP` does.

        :param port: the port's number, or a binding that tells the address, the port and the options of the socket.
        :param interface: may be given along with a binding only if it is the same as the binding's.
        :raises ValueError: if *interface* and the binding disagree.
        """

    def connectTCP(
        host: str,
        port: int | str,
        factory: IProtocolFactory,
        timeout: float = 30.0,
        bindAddress: tuple[str, int] | Binding | None = None,
    ) -> IConnector:
        """Do what :meth:`IReactorTCP.connectTCP` does.

        :param bindAddress: this end's address and port, or a binding that tells the options of the socket as well.
        """


class IReactorSocket(Interface):
    """A reactor that can take over sockets made elsewhere, such as by the process that started this one.

    Each method duplicates the descriptor, so the caller still has to close its own. The socket must be set to
    non-blocking.
    """

    def adoptStreamPort(fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> IListeningPort:
        """Accept connections from a socket that listens already.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
        :param factory: asked for one protocol for each connection.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family.
        """

    def adoptStreamConnection(fileDescriptor: int, addressFamily: int, factory: IProtocolFactory) -> Any:
        """Serve a socket that is connected already.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
        :param factory: asked for the protocol.
        :returns: the transport.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family.
        """

    def adoptDatagramPort(fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int) -> IListeningPort:
        """Receive datagrams from a socket that is bound already.

        :param fileDescriptor: its descriptor.
        :param addressFamily: ``socket.AF_INET`` or ``AF_INET6``.
        :param protocol: the datagram protocol to serve.
        :param maxPacketSize: the longest datagram to receive, in bytes; what is longer is cut.
        :raises torsion.internet.error.UnsupportedAddressFamily: for any other family.
        """
