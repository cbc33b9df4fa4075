"""The prefix ``haproxy:`` of endpoint descriptions, as in ``haproxy:tcp:8080``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IStreamServerEndpointStringParser
from torsion.plugin import IPlugin

if TYPE_CHECKING:
    from torsion.internet.interfaces import IStreamServerEndpoint

__all__ = ["HAProxyServerParser"]


@implementer(IPlugin, IStreamServerEndpointStringParser)
class HAProxyServerParser:
    """Reads descriptions that begin with ``haproxy:``, and go on as any other."""

    prefix = "haproxy"

    def parseStreamServer(self, reactor: Any, *args: str, **kwargs: str) -> IStreamServerEndpoint:
        """Make the endpoint that *args* and *kwargs* describe, and listen there through a proxy."""
        from torsion.internet.endpoints.parse import wrapped_server
        from torsion.protocols.haproxy.endpoint import proxyEndpoint

        return proxyEndpoint(wrapped_server(reactor, args, kwargs))
