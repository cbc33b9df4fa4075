"""A UDP port: one socket, whose datagrams go to one protocol."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Any, ClassVar, cast

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.internet.error import CannotListenError, InvalidAddressError, UnsupportedAddressFamily
from torsion.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle, IUDPTransport
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address, port_number, resolve_interface
from torsion.internet.transports.stream import address_of, log_prefix
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.python.reflect import qual

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from torsion._native import Datagram
    from torsion._native._core import SocketAddress
    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.transports.owner import Home

__all__ = ["MAX_PACKET_SIZE", "AdoptedUDPPort", "DatagramPort", "UDPPort"]

_log = Logger("torsion.internet.transports")

MAX_PACKET_SIZE = 8192
"""How much of a datagram is delivered unless a port says otherwise, in bytes; the documented number."""


class DatagramPort:
    """What the ports of UDP and of Unix datagrams share: a socket, a protocol, and how the two begin and end.

    :ivar maxPacketSize: how much of a datagram is delivered at most.
    :ivar maxThroughput: how many bytes the port reads in one turn before others have theirs.
    :ivar connected: whether it listens.
    :ivar disconnected: whether it did and has stopped.
    """

    maxThroughput = 256 * 1024

    write: ClassVar[Any]
    """Sends one datagram; each kind has its own arguments."""
    _own_write: ClassVar[Any]
    """What :attr:`write` is unless a subclass has its own idea of it."""

    def __init__(self, proto: Any, maxPacketSize: int, reactor: Home | None) -> None:
        if not isinstance(maxPacketSize, int) or maxPacketSize < 1:
            raise ValueError(f"maxPacketSize is a number of bytes, 1 or more, not {maxPacketSize!r}")
        self.maxPacketSize = maxPacketSize
        self.connected = self.disconnected = False
        self._reactor = reactor
        self._protocol = proto
        self._socket: Datagram | None = None
        self._stopped: list[Deferred[None]] = []

    @property
    def reactor(self) -> Home:
        """Where the port belongs."""
        if self._reactor is None:
            self._reactor = cast("Home", _current.current_reactor())
        return self._reactor

    @property
    def protocol(self) -> Any:
        """Whom datagrams are delivered to."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        self._protocol = protocol
        if self._socket is not None:
            self._socket.protocol = protocol

    @property
    def socketType(self) -> int:
        """``SOCK_DGRAM``."""
        from socket import SOCK_DGRAM

        return SOCK_DGRAM

    # --- how it begins -----------------------------------------------------------------------------------------------

    def _begin(self, datagram: Datagram) -> None:
        """Serve the protocol with *datagram*, which was just opened."""
        self._socket = datagram
        self.connected, self.disconnected = True, False
        self.reactor.handles[self] = None
        kind = type(self)
        if kind.write is kind._own_write:  # else: a subclass has its own idea of it
            self.__dict__["write"] = datagram.write  # straight to the socket, without a frame of Python in between
        datagram.pause()
        try:
            self._protocol.makeConnection(self)
        except BaseException:
            self._forget(datagram)
            raise
        if not self._stopped and self._socket is datagram:
            datagram.protocol = self._protocol
            datagram.resume()

    # --- what the program calls --------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Deliver no datagrams for now. The system keeps those that come, as far as it has room."""
        if self._socket is not None:
            self._socket.pause()

    def resumeProducing(self) -> None:
        """Deliver datagrams again, beginning with those that came meanwhile."""
        if self._socket is not None and not self._stopped:
            self._socket.resume()

    stopReading = pauseProducing
    startReading = resumeProducing

    def stopListening(self) -> Deferred[None] | None:
        """Deliver no more datagrams; soon the socket is closed and ``protocol.doStop`` is called. Until then, datagrams
        may be sent.

        :returns: a Deferred that fires with None after that, or fails with what ``doStop`` raised; None if the port does
            not listen.
        """
        datagram = self._socket
        if datagram is None:
            return None
        if not self._stopped:
            datagram.pause()
            self.reactor.callFromThread(self._finish, datagram)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        return stopped

    def loseConnection(self) -> None:
        """Stop listening, as :meth:`stopListening` does."""
        self.stopListening()

    def getHandle(self) -> socket.socket:
        """Return a socket for this port, to set options that have no method here.

        It is a duplicate: close it when done, or the address stays taken.

        :raises OSError: if the port does not listen.
        """
        import os
        import socket

        return socket.socket(fileno=os.dup(self.fileno()))

    def fileno(self) -> int:
        """Return the descriptor, or -1 if the port does not listen."""
        return -1 if self._socket is None else self._socket.fileno()

    def statistics(self) -> dict[str, int]:
        """Return how many datagrams and bytes were read and written, and how many datagrams were dropped because the
        system had no room for them: ``datagrams_read``, ``bytes_read``, ``datagrams_written``, ``bytes_written``,
        ``datagrams_dropped``. Empty if the port does not listen.
        """
        return {} if self._socket is None else self._socket.statistics()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this port: its protocol's, and that it is UDP."""
        return f"{log_prefix(self._protocol)} (UDP)"

    # --- how it ends -------------------------------------------------------------------------------------------------

    def _finish(self, datagram: Datagram) -> None:
        if self._socket is datagram:  # else: it has ended meanwhile
            self.connectionLost()

    def abandon(self, reason: Failure) -> None:
        """Stop at once, because the reactor stops."""
        try:
            self.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - whatever a protocol raises, the others are to be stopped as well
            _log.failure("doStop of {protocol!r} raised", protocol=self._protocol)

    def _forget(self, datagram: Datagram) -> None:
        self._socket = None
        self.__dict__.pop("write", None)
        self.connected, self.disconnected = False, True
        self.reactor.handles.pop(self, None)
        datagram.close()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Close the socket: tell the protocol, and whoever waits. For :meth:`stopListening` to call, and for the reactor
        when it stops.

        :raises Exception: what ``protocol.doStop`` raises, if nobody waits for that.
        """
        datagram = self._socket
        if datagram is None:
            return
        self._forget(datagram)
        self._closed()
        waiting, self._stopped = self._stopped, []
        try:
            self._protocol.doStop()
        except BaseException:
            if not waiting:
                raise
            for deferred in waiting:
                deferred.errback(Failure())
        else:
            for deferred in waiting:
                deferred.callback(None)

    def _closed(self) -> None:
        """Say so in the log."""
        raise NotImplementedError

    # --- what the engine calls ---------------------------------------------------------------------------------------

    def failed(self, errno: int, /) -> None:
        """The system has something to say of the socket."""
        from errno import EBADF, ECONNREFUSED, ECONNRESET, ENOTCONN, ENOTSOCK

        if errno in (
            ECONNREFUSED,
            ECONNRESET,
            ENOTCONN,
        ):  # which it is depends on the system, and on how it comes to light
            if self._has_peer():
                self._protocol.connectionRefused()
        elif errno in (EBADF, ENOTSOCK):
            _log.error(
                "{port!r} stops, since somebody else has closed its socket: {error}",
                port=self,
                error=OSError(errno, strerror(errno)),
            )
            self.connectionLost()
        else:
            _log.warn("{port!r} goes on after {error}", port=self, error=OSError(errno, strerror(errno)))

    def unsent(self, address: tuple[str, int], errno: int, /) -> None:
        """An answer was refused by the system after it was written."""
        _log.warn(
            "{port!r} could not answer {address}: {error}",
            port=self,
            address=address,
            error=OSError(errno, strerror(errno)),
        )

    def raised(self, source: object, exception: BaseException, /) -> Failure:
        """A hook raised *exception*: log it."""
        failure = Failure(exception, type(exception), exception.__traceback__)
        _log.failure("Unhandled error in {protocol!r}; its port goes on", failure, protocol=self._protocol)
        return failure

    def _has_peer(self) -> bool:
        raise NotImplementedError


@implementer(IListeningPort, IUDPTransport, ILoggingContext, ISystemHandle)
class UDPPort(DatagramPort):
    """A UDP port (``IUDPTransport``, ``IListeningPort``); it can be made to listen again after it stopped.

    ``reactor.listenUDP`` makes it, and it is the ``transport`` of its protocol::

        class Echo(DatagramProtocol):
            def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
                self.transport.write(datagram, addr)

        reactor.listenUDP(9999, Echo())

    :ivar port: the number that was asked for, or the real one while it listens.
    :ivar interface: the numeric address that was asked for; empty for all IPv4 addresses.
    """

    def __init__(
        self,
        port: int,
        proto: Any,
        interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE,
        reactor: Home | None = None,
    ) -> None:
        """Make a port that does not listen yet.

        :raises torsion.internet.error.InvalidAddressError: if *interface* is not a numeric address.
        :raises ValueError: if *maxPacketSize* is no positive number.
        """
        super().__init__(proto, maxPacketSize, reactor)
        if interface and not isIPAddress(interface) and not isIPv6Address(interface):
            raise InvalidAddressError(interface, "not a numeric IPv4 or IPv6 address; look names up first")
        self.port = port
        self.interface = interface
        self._asked = port
        self._host: IPv4Address | IPv6Address | None = None
        self._peer: tuple[str, int] | None = None

    @property
    def addressFamily(self) -> int:
        """``AF_INET`` or ``AF_INET6``, as the interface is."""
        from socket import AF_INET, AF_INET6

        return AF_INET6 if ":" in self.interface else AF_INET

    @property
    def _realPortNumber(self) -> int | None:  # by which Twisted's users know it, although it was never theirs
        return None if self._socket is None or self._host is None else self._host.port

    def startListening(self) -> None:
        """Begin to listen: see ``IListeningPort``. The protocol is given this port, and told to start.

        :raises torsion.internet.error.CannotListenError: if the address is taken, not ours or not to be used.
        :raises TypeError: if the port is no int.
        """
        if self._socket is not None:
            return
        try:
            address = resolve_interface(self.interface, port_number(self.port))
            datagram = self._open(address)
        except (OSError, OverflowError) as error:
            raise CannotListenError(self.interface, self.port, error) from error
        self._start(datagram)

    def _open(self, address: SocketAddress) -> Datagram:
        return self.reactor.engine.bind_datagram(address, False, self.maxPacketSize, self)

    def _start(self, datagram: Datagram) -> None:
        self._host = address_of(cast("SocketAddress", datagram.address()), "UDP")
        self._peer = None
        self._asked, self.port = self.port, self._host.port
        _log.info("{protocol} starting on {port}", protocol=log_prefix(self._protocol), port=self.port)
        self._begin(datagram)

    # --- what the program calls --------------------------------------------------------------------------------------

    def write(self, datagram: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send one datagram.

        It may get lost. It is dropped if the system has no room for it, or the port does not listen. An answer that is
        written in ``datagramReceived`` to the *addr* given there leaves together with the answers to other datagrams that
        have come in; everything else leaves at once.

        :param datagram: the whole of it.
        :param addr: numeric host and port of the receiver; None on a connected port. The host ``<broadcast>`` stands for
            ``255.255.255.255``.
        :raises torsion.internet.error.MessageLengthError: if *datagram* is longer than can be sent.
        :raises torsion.internet.error.InvalidAddressError: if *addr* is not numeric or of another family.
        :raises ValueError: if there is no *addr* on a port that is not connected, or another than the peer's.
        :raises TypeError: if *datagram* is not bytes, or *addr* no tuple of two.
        :raises OSError: what the system says besides: that it has no route, say, or that broadcasting is not allowed.
        """
        if self._socket is not None:
            self._socket.write(datagram, addr)

    _own_write = write

    def writeSequence(self, seq: Iterable[bytes], addr: tuple[str, int] | None = None) -> None:
        """Send one datagram that is made of several pieces: :meth:`write` for all of them together."""
        self.write(b"".join(seq), addr)

    def connect(self, host: str, port: int) -> None:
        """Exchange datagrams with one peer only, from now on. Nothing is sent by this.

        The protocol's ``connectionRefused`` is called when the peer's computer says that nobody listens there.

        :param host: its numeric address.
        :param port: its port's number.
        :raises RuntimeError: if the port is connected already, or does not listen.
        :raises torsion.internet.error.InvalidAddressError: if *host* is not numeric, or of another family.
        """
        if self._peer is not None:
            raise RuntimeError(f"{self!r} is connected to {self._peer} already; another peer needs another port")
        if self._socket is None:
            raise RuntimeError(f"{self!r} has no socket to connect; call startListening first")
        self._socket.connect((host, port))
        self._peer = host, port

    def getHost(self) -> IPv4Address | IPv6Address:
        """Return where the port receives, or last did.

        :raises RuntimeError: if it never has.
        """
        if self._host is None:
            raise RuntimeError(f"{self!r} has no address yet; call startListening first")
        return self._host

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Allow sending to broadcast addresses, or forbid it, which is the start.

        :raises OSError: if the port does not listen.
        """
        self._listening().set_broadcast(bool(enabled))

    def getBroadcastAllowed(self) -> bool:
        """Return whether sending to broadcast addresses is allowed.

        :raises OSError: if the port does not listen.
        """
        return self._listening().broadcast()

    def _listening(self) -> Datagram:
        if self._socket is None:
            from errno import EBADF

            raise OSError(EBADF, f"{self!r} has no socket")
        return self._socket

    def __repr__(self) -> str:
        where = f"on {self.port}" if self.connected else "(not listening)"
        return f"<{qual(type(self._protocol))} {where}>"

    # --- how it ends -------------------------------------------------------------------------------------------------

    def _has_peer(self) -> bool:
        return self._peer is not None

    def _closed(self) -> None:
        _log.info("(UDP Port {port} Closed)", port=self.port)
        self.port = self._asked


class AdoptedUDPPort(UDPPort):
    """A UDP port over a socket that somebody else has made and bound."""

    def __init__(
        self,
        fileDescriptor: int,
        addressFamily: int,
        proto: Any,
        maxPacketSize: int = MAX_PACKET_SIZE,
        reactor: Home | None = None,
    ) -> None:
        """Make a port that does not listen yet.

        :param fileDescriptor: the socket's descriptor, which is duplicated when the port begins to listen; close yours
            then.
        :param addressFamily: ``socket.AF_INET`` or ``socket.AF_INET6``.
        :raises torsion.internet.error.UnsupportedAddressFamily: for another family.
        """
        from socket import AF_INET, AF_INET6

        if addressFamily not in (AF_INET, AF_INET6):
            raise UnsupportedAddressFamily(addressFamily)
        super().__init__(0, proto, "::" if addressFamily == AF_INET6 else "", maxPacketSize, reactor)
        self._descriptor = fileDescriptor

    def _open(self, address: SocketAddress) -> Datagram:
        import os
        from errno import EAFNOSUPPORT

        datagram = self.reactor.engine.adopt_datagram(os.dup(self._descriptor), self.maxPacketSize, self)
        bound = datagram.address()
        if len(bound) != len(address):  # two parts for IPv4, four for IPv6
            datagram.close()
            raise OSError(EAFNOSUPPORT, "the socket is of another family than was said")
        self.interface = str(bound[0])
        return datagram
