"""The transports that are native under Twisted's applications."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from torsion.internet.transports.listener import BasePort
from torsion.interop.twisted.connectors import TCPConnector, UNIXConnector
from torsion.interop.twisted.ports import TCPPort, UNIXPort
from torsion.interop.twisted.tls import TwistedTLS

_P = TypeVar("_P", bound=BasePort)

__all__ = ["ProvidesTCP", "ProvidesUNIX"]


class ProvidesTCP:
    """``IReactorTCP`` over native streams, and ``IReactorSSL`` over that."""

    tls: ClassVar[TwistedTLS] = TwistedTLS()
    """How connections are secured."""

    # What newer versions of Twisted call a binding (``makeBinding``) is opaque, and for Twisted's own transports to look into:
    # they get it, and run over the reactor's descriptors.

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> TCPPort:
        """Accept TCP connections: see ``IReactorTCP``."""
        if hasattr(port, "_reusePort"):
            return super().listenTCP(port, factory, backlog, interface)  # type: ignore[misc, no-any-return]
        return _listen(TCPPort(port, factory, backlog, interface, self))  # type: ignore[arg-type]

    def connectTCP(
        self, host: str, port: Any, factory: Any, timeout: float | None = 30, bindAddress: Any = None
    ) -> TCPConnector:
        """Connect to a TCP port: see ``IReactorTCP``."""
        if hasattr(bindAddress, "_reusePort"):
            return super().connectTCP(host, port, factory, timeout, bindAddress)  # type: ignore[misc, no-any-return]
        connector = TCPConnector(host, port, factory, timeout, bindAddress, self)
        connector.connect()
        return connector

    # TLS is Twisted's own, which is a protocol between the native stream and the application's.

    def listenSSL(
        self, port: Any, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> TCPPort:
        """Accept TLS connections: see ``IReactorSSL``."""
        layer = self.tls.layer(contextFactory, False, factory, self)
        listening = TCPPort(port, layer, backlog, interface, self)  # type: ignore[arg-type]
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


def _listen(port: _P) -> _P:
    port.startListening()
    return port


class ProvidesUNIX:
    """``IReactorUNIX`` over native streams."""

    def listenUNIX(
        self, address: Any, factory: Any, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> UNIXPort:
        """Accept connections on a Unix socket: see ``IReactorUNIX``."""
        return _listen(UNIXPort(address, factory, backlog, mode, self, wantPID))  # type: ignore[arg-type]

    def connectUNIX(
        self, address: Any, factory: Any, timeout: float | None = 30, checkPID: bool = False
    ) -> UNIXConnector:
        """Connect to a Unix socket: see ``IReactorUNIX``."""
        connector = UNIXConnector(address, factory, timeout, self, checkPID)  # type: ignore[arg-type]
        connector.connect()
        return connector
