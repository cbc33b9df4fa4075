"""TLS over any transport: Twisted's names for what stands in :mod:`torsion.internet.tls`."""

from __future__ import annotations

from torsion.internet.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol

__all__ = ["BufferingTLSTransport", "TLSMemoryBIOFactory", "TLSMemoryBIOProtocol"]
