"""Whom HTTPS trusts."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from zope.interface import implementer

from torsion.web.iweb import IPolicyForHTTPS

__all__ = ["BrowserLikePolicyForHTTPS", "HostnameCachingHTTPSPolicy"]


@implementer(IPolicyForHTTPS)
class BrowserLikePolicyForHTTPS:
    """Trusts as browsers do: a certificate for the host's name, from an authority that is trusted."""

    def __init__(self, trustRoot: Any = None) -> None:
        """Trust *trustRoot*, or what the platform trusts."""
        self._trustRoot = trustRoot

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        """Return the settings for connections to a host.

        :param hostname: its name, in ASCII (IDNA), or its numeric address.
        :param port: its port, which does not matter here.
        """
        from torsion.internet.ssl import optionsForClientTLS  # TLS is loaded when it is used

        return optionsForClientTLS(hostname.decode("ascii"), trustRoot=self._trustRoot)


@implementer(IPolicyForHTTPS)
class HostnameCachingHTTPSPolicy:
    """Keeps what another policy said, for the hosts asked for last: the port does not matter to it."""

    def __init__(self, policyforHTTPS: Any, cacheSize: int = 20) -> None:
        """Keep what *policyforHTTPS* says for *cacheSize* hosts."""
        self._policyForHTTPS = policyforHTTPS
        self._cache: OrderedDict[str, Any] = OrderedDict()
        self._cacheSize = cacheSize

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        """Return the settings for connections to a host: those of the last time, if they are kept."""
        host = hostname.decode("ascii")
        found = self._cache.get(host)
        if found is None:
            found = self._cache[host] = self._policyForHTTPS.creatorForNetloc(hostname, port)
            if len(self._cache) > self._cacheSize:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(host)
        return found
