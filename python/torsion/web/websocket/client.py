"""The client's side: an endpoint that stands for a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.web.websocket.settings import Settings

if TYPE_CHECKING:
    from torsion.web.http_headers import Headers

__all__ = ["WebSocketClientEndpoint"]


class _Tunnels:
    """Endpoints behind a proxy."""

    def __init__(self, reactor: Any, endpoints: Any, proxy: str, policy: Any) -> None:
        from torsion.web.client.agent import check_host
        from torsion.web.client.uri import URI

        if not proxy.isascii() or not proxy.startswith("http://"):
            raise ValueError(f"a proxy's URL begins with http://, not {proxy!r}")
        uri = URI.fromBytes(proxy.encode("ascii"))
        check_host(uri)
        self._reactor = reactor
        self._policy = policy
        self._proxy = endpoints.endpointForURI(uri)

    def endpointForURI(self, uri: Any) -> Any:
        from torsion.web.client.proxy import TunnelEndpoint

        tunnel = TunnelEndpoint(self._reactor, self._proxy, uri.host, uri.port)
        if uri.scheme == b"http":
            return tunnel
        from torsion.internet.endpoints import wrapClientTLS

        return wrapClientTLS(self._policy.creatorForNetloc(uri.host, uri.port), tunnel)


class WebSocketClientEndpoint:
    """A URL where a server has a WebSocket, and a way to connect to it.  :meth:`new` makes one as a rule.

    :ivar url: the URL, such as ``wss://example.org/chat``.
    """

    def __init__(
        self,
        endpointFactory: Any,
        url: str,
        *,
        settings: Settings | None = None,
        headers: Headers | None = None,
        reactor: Any = None,
    ) -> None:
        """Make one.

        :param endpointFactory: finds the server: an :class:`torsion.web.iweb.IAgentEndpointFactory`, asked with a URI whose
            scheme is ``http`` or ``https``.
        :param url: the URL; its scheme is ``ws``, ``wss``, ``http`` or ``https``.
        :param settings: limits, time-outs and the sub-protocols that are offered.
        :param headers: more headers for the request: ``Origin``, ``Cookie``, ``Authorization``.
        :param reactor: for time-outs; the current one by default.
        """
        self._endpointFactory = endpointFactory
        self.url = url
        self._settings = Settings() if settings is None else settings
        self._headers = headers
        self._reactor = reactor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @classmethod
    def new(
        cls,
        reactor: Any,
        url: str,
        tlsPolicy: Any = None,
        connectTimeout: float | None = None,
        bindAddress: Any = None,
        *,
        settings: Settings | None = None,
        headers: Headers | None = None,
        proxy: str | None = None,
    ) -> WebSocketClientEndpoint:
        """Make one that connects by the name of the URL's host.

        :param reactor: connects.
        :param url: the URL; its scheme is ``ws``, ``wss``, ``http`` or ``https``.
        :param tlsPolicy: decides whom to trust: an :class:`torsion.web.iweb.IPolicyForHTTPS`; by default as browsers do.
        :param connectTimeout: how many seconds connecting may take; 30 by default.
        :param bindAddress: this end's address, if it matters.
        :param settings: limits, time-outs and the sub-protocols that are offered.
        :param headers: more headers for the request.
        :param proxy: the URL of an HTTP proxy to go through, by CONNECT: ``http://proxy.example:3128``.
        :raises ValueError: if that is none.
        """
        from torsion.web.client.agent import StandardEndpoints

        if tlsPolicy is None:
            from torsion.web.client.tlspolicy import BrowserLikePolicyForHTTPS

            tlsPolicy = BrowserLikePolicyForHTTPS()
        endpoints: Any = StandardEndpoints(reactor, tlsPolicy, connectTimeout, bindAddress)
        if proxy is not None:
            endpoints = _Tunnels(reactor, endpoints, proxy, tlsPolicy)
        return cls(endpoints, url, settings=settings, headers=headers, reactor=reactor)

    async def connect(self, protocolFactory: Any) -> Any:
        """Connect.

        :param protocolFactory: a :class:`WebSocketClientFactory`.
        :returns: its protocol, once messages may come and go.
        :raises ConnectionRejected: if the server answers with something else than a WebSocket.
        :raises ResponseFailed: if its answer cannot be read, or is none to what was asked; and other errors of
            ``torsion.web.client``, and of the endpoint, if there is none.
        :raises ValueError: if the URL names no server.
        :raises ImportError: if wsproto is missing.
        """
        from torsion.internet import _current
        from torsion.web.websocket.asking import ask

        reactor = _current.current_reactor() if self._reactor is None else self._reactor
        return await ask(self._endpointFactory, self.url, protocolFactory, self._settings, self._headers, reactor)
