"""Reverse proxies: one other server answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from torsion.internet import _current
from torsion.internet.interfaces import IReactorTime
from torsion.web import http
from torsion.web.proxy.client import RESPONSE, ProxyClientFactory
from torsion.web.proxy.passing import bodyOf, fieldsOf, forwardedFor
from torsion.web.resource import NOT_DONE_YET, Resource

__all__ = ["ReverseProxy", "ReverseProxyRequest", "ReverseProxyResource"]


class ReverseProxyRequest(http.Request):
    """A request that is passed on to one other server: the host and the port of the channel's factory.

    :cvar proxyClientFactoryClass: makes the connection.
    """

    proxyClientFactoryClass: Any = ProxyClientFactory

    def __init__(self, channel: Any, queued: Any = False, reactor: Any = None) -> None:
        """Make a request.

        :param channel: over which it comes.
        :param queued: means nothing any more.
        :param reactor: connects; the current one by default.
        """
        super().__init__(channel, queued)
        self.reactor = _current.current_reactor() if reactor is None else reactor

    @property
    def factory(self) -> Any:
        """The channel's factory, unless another one was set: it has ``host`` and ``port``."""
        own = self.__dict__.get("_factory")
        return self.channel.factory if own is None else own

    @factory.setter
    def factory(self, factory: Any) -> None:
        self.__dict__["_factory"] = factory

    def process(self) -> None:
        """Ask the other server."""
        where = self.factory
        headers = fieldsOf(self)
        headers[b"host"] = where.host.encode("ascii")
        made = self.proxyClientFactoryClass(self.method, self.uri, self.clientproto, headers, bodyOf(self), self)
        self.reactor.connectTCP(where.host, where.port, made)


class ReverseProxy(http.HTTPChannel):
    """A connection whose requests are all passed on to one other server."""

    requestFactory: Any = ReverseProxyRequest


class ReverseProxyResource(Resource):
    """A resource that another server answers for, and for all that is below it.

    :ivar host: the other server's name or address.
    :ivar port: its port.
    :ivar path: what is put before the rest of the path: bytes, with escapes.
    :cvar proxyClientFactoryClass: makes connections.
    :ivar timeout: how many seconds the other server may take to begin its response, before the client is answered with 504; None
        for no limit.
    """

    proxyClientFactoryClass: Any = ProxyClientFactory
    timeout: float | None = RESPONSE

    def __init__(self, host: str, port: int, path: bytes, reactor: Any = None) -> None:
        """Make one.

        :param host: the other server's name or address.
        :param port: its port.
        :param path: what this resource is there: ``b""`` for the root, ``b"/app"``.
        :param reactor: connects; the current one by default.
        """
        super().__init__()
        self.host = host
        self.port = port
        self.path = path
        self.reactor = _current.current_reactor() if reactor is None else reactor

    def getChild(self, path: bytes, request: Any) -> ReverseProxyResource:
        """Return a resource of the same class for what is below."""
        rest = self.path + b"/" + quote(path, safe="").encode("ascii")
        child = type(self)(self.host, self.port, rest, self.reactor)
        child.timeout = self.timeout
        return child

    def render(self, request: Any) -> int:
        """Ask the other server, and answer as it does."""
        headers = fieldsOf(request)
        host = self.host.encode("ascii")
        if b":" in host:
            host = b"[" + host + b"]"
        headers[b"host"] = host if self.port == 80 else b"%b:%d" % (host, self.port)
        _, mark, query = request.uri.partition(b"?")
        rest = (self.path or b"/") + mark + query
        made = self.proxyClientFactoryClass(
            request.method, rest, request.clientproto, headers, bodyOf(request), request
        )  # fmt: skip
        made.forwarded = forwardedFor(request)
        made.timeout = self.timeout
        made.clock = self.reactor if IReactorTime.providedBy(self.reactor) else None
        self.reactor.connectTCP(self.host, self.port, made)
        return NOT_DONE_YET
