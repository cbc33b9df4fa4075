"""The transports that are native under Twisted's applications."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar

from twisted.internet import interfaces
from zope.interface import classImplements

from torsion.internet.transports.adopted import adopt_connection, adopt_port
from torsion.interop.twisted.adopted import ADOPTED
from torsion.interop.twisted.bindings import BoundPort, binding_of
from torsion.interop.twisted.connectors import TCPConnector, UNIXConnector
from torsion.interop.twisted.datagrams import (
    AdoptedUDPPort,
    ConnectedUNIXDatagramPort,
    MulticastPort,
    UDPPort,
    UNIXDatagramPort,
)
from torsion.interop.twisted.dialect import as_text
from torsion.interop.twisted.ports import TCPPort, UNIXPort
from torsion.interop.twisted.tls import TwistedTLS

__all__ = ["ProvidesSockets", "ProvidesTCP", "ProvidesUDP", "ProvidesUNIX", "ProvidesUNIXDatagram"]

MAX_PACKET_SIZE = 8192
"""How much of a datagram is delivered unless a port says otherwise, in bytes; Twisted's documented number."""


class _CanListen(Protocol):
    def startListening(self) -> None: ...


_P = TypeVar("_P", bound=_CanListen)


def _listen(port: _P) -> _P:
    port.startListening()
    return port


class ProvidesTCP:
    """``IReactorTCP2`` over native streams, and ``IReactorSSL`` over that."""

    tls: ClassVar[TwistedTLS] = TwistedTLS()
    """How connections are secured."""

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: Any = None) -> TCPPort:
        """Accept TCP connections: see ``IReactorTCP2``; *port* may be a binding."""
        if (binding := binding_of(port)) is not None:
            if interface not in (None, "", binding.interface):
                raise ValueError(f"interface {interface!r} disagrees with {port!r}; leave it out")
            return _listen(BoundPort(binding, factory, backlog, self))  # type: ignore[arg-type]  # self is the reactor
        return _listen(TCPPort(port, factory, backlog, "" if interface is None else as_text(interface), self))  # type: ignore[arg-type]  # self is the reactor

    def connectTCP(
        self, host: str, port: Any, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> TCPConnector:
        """Connect to a TCP port: see ``IReactorTCP2``; *bindAddress* may be a binding."""
        shared = False
        if (binding := binding_of(bindAddress)) is not None:
            if binding.reuseAddress:  # which the engine has no means to say for a connection; nobody needs it for one
                return super().connectTCP(host, port, factory, timeout, bindAddress)  # type: ignore[misc, no-any-return]  # Twisted's part of the reactor has it
            bindAddress, shared = (binding.interface, binding.port), binding.reusePort
        connector = TCPConnector(host, port, factory, timeout, bindAddress, self, shared)
        connector.connect()
        return connector

    # TLS is Twisted's own, which is a protocol between the native stream and the application's.

    def listenSSL(
        self, port: Any, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> TCPPort:
        """Accept TLS connections: see ``IReactorSSL``."""
        layer = self.tls.layer(contextFactory, False, factory, self)
        listening = TCPPort(port, layer, backlog, as_text(interface), self)  # type: ignore[arg-type]  # self is the reactor
        listening.kind = "TLS"
        return _listen(listening)

    def connectSSL(
        self,
        host: str,
        port: Any,
        factory: Any,
        contextFactory: Any,
        timeout: float | None = 30,
        bindAddress: Any = None,
    ) -> TCPConnector:
        """Connect to a TLS port: see ``IReactorSSL``."""
        layer = self.tls.layer(contextFactory, True, factory, self)
        return self.connectTCP(host, port, layer, timeout, bindAddress)


if hasattr(interfaces, "IReactorTCP2"):  # older versions of Twisted know of no bindings
    classImplements(ProvidesTCP, interfaces.IReactorTCP2)  # type: ignore[misc] # what may be missing is no class to mypy-zope


class ProvidesUNIX:
    """``IReactorUNIX`` over native streams."""

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> UNIXPort:
        """Accept connections on a Unix socket: see ``IReactorUNIX``."""
        return _listen(UNIXPort(address, factory, backlog, mode, self, wantPID))  # type: ignore[arg-type]  # self is the reactor

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float | None = 30, checkPID: bool = False
    ) -> UNIXConnector:
        """Connect to a Unix socket: see ``IReactorUNIX``."""
        connector = UNIXConnector(address, factory, timeout, self, checkPID)  # type: ignore[arg-type]  # self is the reactor
        connector.connect()
        return connector


class ProvidesUDP:
    """``IReactorUDP`` and ``IReactorMulticast`` over native sockets."""

    def listenUDP(self, port: Any, protocol: Any, interface: Any = "", maxPacketSize: int = MAX_PACKET_SIZE) -> UDPPort:
        """Receive datagrams, and send them: see ``IReactorUDP``."""
        return _listen(UDPPort(port, protocol, interface, maxPacketSize, self))

    def listenMulticast(
        self,
        port: Any,
        protocol: Any,
        interface: Any = "",
        maxPacketSize: int = MAX_PACKET_SIZE,
        listenMultiple: bool = False,
    ) -> MulticastPort:
        """Receive datagrams on a port that can join multicast groups: see ``IReactorMulticast``."""
        return _listen(MulticastPort(port, protocol, interface, maxPacketSize, self, listenMultiple))


class ProvidesUNIXDatagram:
    """``IReactorUNIXDatagram`` over native sockets."""

    def listenUNIXDatagram(
        self, address: Any, protocol: Any, maxPacketSize: int = MAX_PACKET_SIZE, mode: int = 0o666
    ) -> UNIXDatagramPort:
        """Receive datagrams on a Unix socket, and send them: see ``IReactorUNIXDatagram``."""
        return _listen(UNIXDatagramPort(address, protocol, maxPacketSize, mode, self))  # type: ignore[arg-type]  # self is the reactor

    def connectUNIXDatagram(
        self,
        address: Any,
        protocol: Any,
        maxPacketSize: int = MAX_PACKET_SIZE,
        mode: int = 0o666,
        bindAddress: Any = None,
    ) -> ConnectedUNIXDatagramPort:
        """Exchange datagrams with one peer: see ``IReactorUNIXDatagram``."""
        connected = ConnectedUNIXDatagramPort(address, protocol, maxPacketSize, mode, bindAddress, self)  # type: ignore[arg-type]  # self is the reactor
        return _listen(connected)


class ProvidesSockets:
    """``IReactorSocket`` over native sockets."""

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Accept connections from a socket that listens already: see ``IReactorSocket``."""
        return adopt_port(fileDescriptor, addressFamily, factory, self, ADOPTED)  # type: ignore[arg-type]  # self is the reactor

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> Any:
        """Serve a socket that is connected already: see ``IReactorSocket``."""
        return adopt_connection(fileDescriptor, addressFamily, factory, self, ADOPTED)  # type: ignore[arg-type]  # self is the reactor

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int, protocol: Any, maxPacketSize: int = MAX_PACKET_SIZE
    ) -> AdoptedUDPPort:
        """Receive datagrams from a socket that is bound already: see ``IReactorSocket``."""
        port = AdoptedUDPPort(fileDescriptor, addressFamily, protocol, maxPacketSize, self)
        port.adopt()
        return port
