"""HTTP, the clients: agents make requests, pools keep connections.

``agent`` makes requests, ``proxy`` through another server · ``redirect``, ``cookies``, ``content``, ``limit`` agents around
agents, ``cookiepolicy`` whose cookies are whose · ``pool`` connections, ``protocol`` one of them, ``retry`` when it is stale ·
``request`` and ``sending``, ``response`` and ``body`` · ``uri`` · ``tlspolicy`` whom HTTPS trusts · ``timeouts`` · ``errors``.
"""

from __future__ import annotations

from torsion.python.deprecate import deprecatedModuleAttribute
from torsion.python.versions import Version
from torsion.web.client.agent import Agent
from torsion.web.client.body import FileBodyProducer, readBody
from torsion.web.client.content import (
    BrotliDecoder,
    ContentDecoderAgent,
    DeflateDecoder,
    GzipDecoder,
    ZstandardDecoder,
    standardDecoders,
)
from torsion.web.client.cookies import CookieAgent
from torsion.web.client.errors import (
    BadResponse,
    DecompressionBomb,
    PartialDownloadError,
    PoolIsFull,
    ProxyRefused,
    RequestGenerationFailed,
    RequestNotSent,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
    WrongBodyLength,
)
from torsion.web.client.limit import TimeLimitAgent
from torsion.web.client.old import WebClientContextFactory as WebClientContextFactory
from torsion.web.client.pool import HTTPClientFactory, HTTPConnectionPool
from torsion.web.client.proxy import ProxyAgent, TunnelEndpoint
from torsion.web.client.redirect import BrowserLikeRedirectAgent, RedirectAgent
from torsion.web.client.request import Request
from torsion.web.client.response import Response
from torsion.web.client.timeouts import Timeouts
from torsion.web.client.tlspolicy import BrowserLikePolicyForHTTPS, HostnameCachingHTTPSPolicy
from torsion.web.client.uri import URI, urlunparse
from torsion.web.error import PotentialDataLoss

__all__ = [
    "URI",
    "Agent",
    "BadResponse",
    "BrotliDecoder",
    "BrowserLikePolicyForHTTPS",
    "BrowserLikeRedirectAgent",
    "ContentDecoderAgent",
    "CookieAgent",
    "DecompressionBomb",
    "DeflateDecoder",
    "FileBodyProducer",
    "GzipDecoder",
    "HTTPConnectionPool",
    "HostnameCachingHTTPSPolicy",
    "PartialDownloadError",
    "PoolIsFull",
    "PotentialDataLoss",
    "ProxyAgent",
    "ProxyRefused",
    "RedirectAgent",
    "Request",
    "RequestGenerationFailed",
    "RequestNotSent",
    "RequestTimedOut",
    "RequestTransmissionFailed",
    "Response",
    "ResponseDone",
    "ResponseFailed",
    "ResponseNeverReceived",
    "TimeLimitAgent",
    "Timeouts",
    "TunnelEndpoint",
    "WrongBodyLength",
    "ZstandardDecoder",
    "readBody",
    "standardDecoders",
    "urlunparse",
]

_HTTP11ClientFactory = HTTPClientFactory  # the name that programs which stand in for connections import

for _name in (*__all__, "WebClientContextFactory"):  # tracebacks and warnings name what programs import
    if getattr(globals()[_name], "__module__", "").startswith(__name__ + "."):
        globals()[_name].__module__ = __name__

deprecatedModuleAttribute(
    Version("Twisted", 14, 0, 0),
    "please use torsion.web.client.BrowserLikePolicyForHTTPS instead",
    __name__,
    "WebClientContextFactory",
)
