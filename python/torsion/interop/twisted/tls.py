"""TLS for Twisted's applications: Twisted's own layer, over native streams."""

from __future__ import annotations

from typing import Any

__all__ = ["TwistedTLS"]


class TwistedTLS:
    """What connections ask of their reactor that has to do with TLS.

    Applications bring pyOpenSSL's contexts, which only Twisted's layer can honour.
    """

    def road(self, contextFactory: Any, isClient: bool) -> None:
        """Return None: nothing is secured natively."""

    def layer(self, contextFactory: Any, isClient: bool, factory: Any, reactor: Any) -> Any:
        """Return a factory that puts TLS between a transport and the protocols of *factory*."""
        from twisted.protocols.tls import TLSMemoryBIOFactory

        return TLSMemoryBIOFactory(contextFactory, isClient, factory, reactor)
