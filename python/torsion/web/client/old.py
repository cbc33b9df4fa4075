"""What is deprecated: settings of TLS that do not know for which host they are."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.web.iweb import IPolicyForHTTPS

__all__ = ["WebClientContextFactory", "policy_from"]


class WebClientContextFactory:
    """Deprecated: use :class:`torsion.web.client.BrowserLikePolicyForHTTPS`, which looks at the host's name as well."""

    def getContext(self, hostname: bytes, port: int) -> Any:
        """Return an ``OpenSSL.SSL.Context`` that trusts what the platform trusts."""
        from torsion.internet.ssl import CertificateOptions, platformTrust

        return CertificateOptions(trustRoot=platformTrust()).getContext()


@implementer(IPolicyForHTTPS)
class _Old:
    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        context = self._factory.getContext(hostname, port)

        class Settings:
            def getContext(self) -> Any:
                return context

        return Settings()


def policy_from(factory: Any) -> Any:
    """Return a policy that asks a factory's ``getContext(hostname, port)``."""
    return _Old(factory)
