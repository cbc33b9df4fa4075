"""A UDP port: one socket, whose datagrams go to one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from torsion.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle, IUDPTransport
from torsion.internet.interfaces.handover import IHandedPort
from torsion.internet.transports.datagramowner import MAX_PACKET_SIZE, DatagramPort
from torsion.internet.transports.handedover import inet_address
from torsion.internet.transports.numeric import isIPAddress, isIPv6Address, port_number, resolve_interface
from torsion.python.reflect import qual

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion._native import Datagram
    from torsion._native._core import SocketAddress
    from torsion.internet.address import IPv4Address, IPv6Address
    from torsion.internet.transports.owner import Home

__all__ = ["AdoptedUDPPort", "UDPPort"]


@implementer(IListeningPort, IHandedPort, IUDPTransport, ILoggingContext, ISystemHandle)
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
        :raises TypeError: if it is no str.
        :raises ValueError: if *maxPacketSize* is no positive number.
        """
        super().__init__(proto, maxPacketSize, reactor)
        if not isinstance(interface, str):
            raise TypeError(f"interface is a str, a numeric address of this computer or empty, not {interface!r}")
        if interface and not isIPAddress(interface) and not isIPv6Address(interface):
            problem = "not a numeric IPv4 or IPv6 address; look names up first"
            raise self.dialect.error.InvalidAddressError(interface, problem)
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
        :raises TypeError: if the port's number is no int.
        """
        if self._socket is not None:
            return
        try:
            address = resolve_interface(self.interface, port_number(self.port))
            datagram = self._open(address)
        except (OSError, OverflowError) as error:
            raise self.dialect.error.CannotListenError(self.interface, self.port, error) from error
        self._start(datagram)

    def _open(self, address: SocketAddress) -> Datagram:
        handed = None if self.reactor.sockets is None else self._taken(inet_address("UDP", address))
        return handed or self.reactor.engine.bind_datagram(address, False, self.maxPacketSize, self)

    def _start(self, datagram: Datagram) -> None:
        self._host = self.dialect.address_of(cast("SocketAddress", datagram.address()), "UDP")
        self._peer = None
        self._asked, self.port = self.port, self._host.port
        self.dialect.note(
            "{protocol} starting on {port}", protocol=self.dialect.log_prefix(self._protocol), port=self.port
        )
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
        self.dialect.note("(UDP Port {port} Closed)", port=self.port)
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
            raise self.dialect.error.UnsupportedAddressFamily(addressFamily)
        super().__init__(0, proto, "::" if addressFamily == AF_INET6 else "", maxPacketSize, reactor)
        self._descriptor = fileDescriptor

    def adopt(self) -> None:
        """Begin to listen, as :meth:`startListening`, but with the system's own error for a descriptor that does not do.

        :raises OSError: if the descriptor is not open, or no socket for datagrams.
        """
        try:
            self.startListening()
        except self.dialect.error.CannotListenError as problem:
            if isinstance(problem.socketError, OSError):
                raise problem.socketError from problem
            raise

    def _open(self, address: SocketAddress) -> Datagram:
        import os
        from errno import EAFNOSUPPORT

        engine = self.reactor.engine
        engine.wakeup_fileno()  # which refuses other threads, before there is a duplicate to close
        datagram = engine.adopt_datagram(os.dup(self._descriptor), self.maxPacketSize, self)
        bound = datagram.address()
        if len(bound) != len(address):  # two parts for IPv4, four for IPv6
            datagram.close()
            raise OSError(EAFNOSUPPORT, "the socket is of another family than was said")
        self.interface = str(bound[0])
        return datagram
