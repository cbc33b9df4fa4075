"""Proxies: forward, for clients that ask for any URL, and reverse, a resource that another server answers for.

Nothing that is for one connection only passes through (RFC 9110 section 7.6.1), and what cannot be read in one way only does
not either: both sides are read by the codec of this server and written anew.

``forward`` and ``reverse`` · ``client`` the connection to the other server · ``passing`` what passes.
"""

from torsion.web.proxy.client import ProxyClient, ProxyClientFactory
from torsion.web.proxy.forward import Proxy, ProxyRequest
from torsion.web.proxy.reverse import ReverseProxy, ReverseProxyRequest, ReverseProxyResource

__all__ = [
    "Proxy",
    "ProxyClient",
    "ProxyClientFactory",
    "ProxyRequest",
    "ReverseProxy",
    "ReverseProxyRequest",
    "ReverseProxyResource",
]
