"""Requests through an HTTP proxy: by name for ``http``, through a tunnel for ``https``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, fail
from torsion.internet.interfaces import IStreamClientEndpoint
from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.python.failure import Failure
from torsion.web.client._codec import HTTPReader, HTTPWriter
from torsion.web.client.agent import BaseAgent, check_host, host_header
from torsion.web.client.errors import ProxyRefused, RequestTimedOut
from torsion.web.client.timeouts import CONNECT, Timeouts
from torsion.web.client.tlspolicy import BrowserLikePolicyForHTTPS
from torsion.web.client.uri import URI, check_method, check_uri
from torsion.web.error import SchemeNotSupported
from torsion.web.iweb import IAgent
from torsion.wire.http1 import Limits

if TYPE_CHECKING:
    from torsion.internet.interfaces import IDelayedCall
    from torsion.web.client.pool import HTTPConnectionPool
    from torsion.web.http_headers import Headers

__all__ = ["ProxyAgent", "TunnelEndpoint"]


class _Tunnelling(Protocol):
    """Asks a proxy for a tunnel, and leaves it to another protocol."""

    _timer: IDelayedCall | None = None

    def __init__(self, endpoint: TunnelEndpoint, factory: Any, made: Deferred[Any]) -> None:
        self._endpoint = endpoint
        self._wrapped = factory
        self._made: Deferred[Any] | None = made
        self._inside: Any = None
        limits = Limits(head=16 * 1024)
        self._reader = HTTPReader(
            False, line=limits.line, head=limits.head, fields=limits.fields, extensions=limits.extensions
        )

    def connectionMade(self) -> None:
        asked = self._endpoint
        target = b"[%b]:%d" % (asked.host, asked.port) if b":" in asked.host else b"%b:%d" % (asked.host, asked.port)
        fields = [(b"Host", target), *asked.fields]
        self._reader.expect(False, True)
        self._timer = asked.reactor.callLater(asked.timeout, self._late)
        self.transport.write(HTTPWriter().request(b"CONNECT", target, fields))

    def _late(self) -> None:
        self._fail(RequestTimedOut("the proxy's answer", self._endpoint.timeout))

    def _settle(self) -> Deferred[Any] | None:
        made, self._made = self._made, None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return made

    def _fail(self, error: Exception) -> None:
        made = self._settle()
        transport = self.transport
        getattr(transport, "abortConnection", transport.loseConnection)()
        if made is not None:
            made.errback(error)

    def give_up(self) -> None:
        """Close the connection: nobody waits for it any more."""
        self._settle()
        transport = self.transport
        getattr(transport, "abortConnection", transport.loseConnection)()

    def dataReceived(self, data: bytes) -> None:
        if self._inside is not None:
            self._inside.dataReceived(data)  # a transport that has not noticed whom it belongs to
            return
        self._reader.receive(data)
        while self._made is not None:
            try:
                head = self._reader.next()
            except ValueError as wrong:
                self._fail(ProxyRefused(502, str(wrong.args[0]).encode(), self._endpoint.host, self._endpoint.port))
                return
            if head is None or isinstance(head, bytes | list):
                return
            assert head.status is not None
            if head.status < 200 and head.status != 101:
                continue
            if not 200 <= head.status < 300:
                self._fail(ProxyRefused(head.status, head.reason or b"", self._endpoint.host, self._endpoint.port))
                return
            self._hand_over()
            return

    def _hand_over(self) -> None:
        made = self._settle()
        assert made is not None
        self._reader.next()  # the end of the answer: what follows is the tunnel's
        rest = self._reader.take_rest()
        protocol = self._wrapped.buildProtocol(self.transport.getPeer())
        if protocol is None:
            self.give_up()
            made.cancel()
            return
        self._inside = protocol
        transport = self.transport
        if getattr(transport, "protocol", None) is self:
            transport.protocol = protocol
        protocol.makeConnection(transport)
        made.callback(protocol)
        if rest:
            (getattr(transport, "protocol", None) or protocol).dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inside is not None:
            self._inside.connectionLost(reason)
            return
        made = self._settle()
        if made is not None:
            made.errback(reason)


@implementer(IStreamClientEndpoint)
class TunnelEndpoint:
    """A port of a host, through an HTTP proxy (``CONNECT``: RFC 9110, 9.3.6)."""

    def __init__(
        self,
        reactor: Any,
        proxyEndpoint: Any,
        host: bytes,
        port: int,
        headers: Headers | None = None,
        timeout: float = CONNECT,
    ) -> None:
        """Describe a port behind a proxy.

        :param reactor: provides ``IReactorTime``.
        :param proxyEndpoint: where the proxy is.
        :param host: the host, which the proxy looks up.
        :param port: its port.
        :param headers: fields for the proxy, such as Proxy-Authorization.
        :param timeout: how many seconds the proxy may take to answer.
        """
        self.reactor = reactor
        self.proxyEndpoint = proxyEndpoint
        self.host = host
        self.port = port
        self.timeout = timeout
        self.fields = [
            (name, value)
            for name, values in (() if headers is None else headers.getAllRawHeaders())
            if name != b"Host"
            for value in values
        ]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.host.decode('ascii', 'replace')}:{self.port} by {self.proxyEndpoint!r}>"

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with it.  It fails as the proxy's endpoint does, with :class:`ProxyRefused`, or with
            :class:`RequestTimedOut`.
        """
        tunnelling: _Tunnelling | None = None

        def cancel(_: Deferred[Any]) -> None:
            connecting.cancel()
            if tunnelling is not None:
                tunnelling.give_up()

        made: Deferred[Any] = Deferred(cancel)

        def build() -> _Tunnelling:
            nonlocal tunnelling
            tunnelling = _Tunnelling(self, protocolFactory, made)
            return tunnelling

        factory = Factory.forProtocol(build)
        factory.noisy = False
        connecting: Deferred[Any] = self.proxyEndpoint.connect(factory)

        def failed(reason: Failure) -> None:
            if not made.called:
                made.errback(reason)

        connecting.addErrback(failed)
        return made


@implementer(IAgent)
class ProxyAgent(BaseAgent):
    """Makes requests through an HTTP proxy.

    Of ``http`` the proxy is given the whole request; for ``https`` it is asked for a tunnel, and sees the host's name alone.
    """

    def __init__(
        self,
        endpoint: Any,
        reactor: Any = None,
        pool: HTTPConnectionPool | None = None,
        *,
        contextFactory: Any = None,
        proxyHeaders: Headers | None = None,
        timeouts: Timeouts | None = None,
        http2: bool | str = False,
    ) -> None:
        """Make one.

        :param endpoint: where the proxy is.
        :param reactor: the reactor; the current one by default.
        :param pool: keeps connections; by default each request has one to itself.
        :param contextFactory: decides whom to trust: see :class:`Agent`.
        :param proxyHeaders: fields for the proxy alone, such as Proxy-Authorization.
        :param timeouts: how many seconds the phases may take: see :class:`Agent`.
        :param http2: whether to speak HTTP/2 with servers of ``https``, through the tunnel: see :class:`Agent`.
        """
        if reactor is None:
            from torsion.internet._current import current_reactor

            reactor = current_reactor()
        super().__init__(reactor, pool, timeouts, http2)
        self._proxyEndpoint = endpoint
        self._policy = BrowserLikePolicyForHTTPS() if contextFactory is None else contextFactory
        self._proxy_headers = proxyHeaders

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`.

        :raises TypeError: if *method* or *uri* is not bytes.
        :raises ValueError: if one of them has characters that it cannot have.
        """
        check_method(method)
        uri = check_uri(uri)
        parsed = URI.fromBytes(uri)
        try:
            if parsed.scheme not in {b"http", b"https"}:
                raise SchemeNotSupported(f"Unsupported scheme: {parsed.scheme!r}")
            check_host(parsed)
        except (SchemeNotSupported, ValueError):
            return fail()
        if parsed.scheme == b"https":
            return self._through_tunnel(method, parsed, headers, bodyProducer)
        if self._proxy_headers is not None:
            headers = self._with_proxy_headers(headers, parsed)
        key = ("http-proxy", self._proxyEndpoint)
        bare = uri.partition(b"#")[0]
        return self._ask(key, self._proxyEndpoint, method, parsed, headers, bodyProducer, bare)

    def _with_proxy_headers(self, headers: Headers | None, parsed: URI) -> Headers:
        from torsion.web.http_headers import Headers as Made

        both = Made() if headers is None else headers.copy()
        assert self._proxy_headers is not None
        for name, values in self._proxy_headers.getAllRawHeaders():
            both.setRawHeaders(name, values)
        if not both.hasHeader(b"host"):
            both.addRawHeader(b"host", host_header(parsed.scheme, parsed.host, parsed.port))
        return both

    def _through_tunnel(self, method: bytes, parsed: URI, headers: Headers | None, bodyProducer: Any) -> Deferred[Any]:
        from torsion.internet.endpoints import wrapClientTLS  # TLS is loaded when it is used

        seconds = CONNECT if self._timeouts is None or self._timeouts.connect is None else self._timeouts.connect
        tunnel = TunnelEndpoint(
            self._reactor, self._proxyEndpoint, parsed.host, parsed.port, self._proxy_headers, seconds
        )
        try:
            endpoint = wrapClientTLS(self._policy.creatorForNetloc(parsed.host, parsed.port), tunnel)
        except ValueError:
            return fail()
        endpoint = self._choosing(endpoint, parsed.scheme)
        key = ("https-proxy", self._proxyEndpoint, parsed.host, parsed.port)
        return self._ask(key, endpoint, method, parsed, headers, bodyProducer, parsed.originForm)
