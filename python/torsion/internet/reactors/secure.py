"""What a reactor knows of TLS on behalf of its connections, which are on a lower floor than settings and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion._native import Stream
    from torsion.internet.transports.tls import Road

__all__ = ["WaysOfTLS"]


class WaysOfTLS:
    """What connections ask of their reactor that has to do with TLS.

    What it needs is loaded when it is asked for: most programs never do.
    """

    def __init__(self, natively: bool) -> None:
        """Know whether the engine's streams can be secured natively."""
        self._natively = natively

    def road(self, contextFactory: Any, isClient: bool) -> Road | None:
        """Return the native way for some settings, or None for OpenSSL's.  Raises what is wrong with them."""
        from torsion.internet.tls.roads import choose_road

        road = choose_road(contextFactory, isClient)
        return road if self._natively else None

    def layer(self, contextFactory: Any, isClient: bool, factory: Any, reactor: Any) -> Any:
        """Return a factory that puts OpenSSL between a transport and the protocols of *factory*."""
        from torsion.internet.tls.factory import TLSMemoryBIOFactory

        return TLSMemoryBIOFactory(contextFactory, isClient, factory, reactor)

    def failure(self, kind: str, message: str, details: Mapping[str, Any] | None) -> Exception:
        """Return the exception for what the engine tells of a failure."""
        from torsion.internet.tls.errors import from_native

        return from_native(kind, message, details)

    def certificate(self, der: bytes) -> Any:
        """Return a certificate as programs want it."""
        from torsion.internet.tls.certificates import peer_certificate

        return peer_certificate(der)

    def handle(self, stream: Stream) -> Any:
        """Return what tells programs of a connection that is secured natively."""
        from torsion.internet.tls.handle import ConnectionHandle

        return ConnectionHandle(stream)
