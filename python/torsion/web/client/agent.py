"""Makes requests: finds the server, gets a connection, asks."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, fail
from torsion.internet.endpoints import HostnameEndpoint
from torsion.web.client.pool import HTTPConnectionPool
from torsion.web.client.request import Request
from torsion.web.client.tlspolicy import BrowserLikePolicyForHTTPS
from torsion.web.client.uri import DEFAULT_PORTS, URI, check_method, check_uri
from torsion.web.error import SchemeNotSupported
from torsion.web.http_headers import Headers
from torsion.web.iweb import IAgent, IAgentEndpointFactory, IPolicyForHTTPS

if TYPE_CHECKING:
    from torsion.web.client.timeouts import Timeouts

__all__ = ["Agent", "BaseAgent", "check_host", "host_header"]

MOST_ENDPOINTS = 256
"""How many servers' endpoints are kept: they cost little, and TLS settings among them are dear to make."""


PRIOR_KNOWLEDGE = "prior-knowledge"
"""Says that the servers are known to speak HTTP/2, as curl's option does: RFC 9113, 3.3."""


def check_host(uri: URI) -> None:
    """See that a URI names a server.

    :raises ValueError: if it names none, or none that can be, or has a user's name in it: that is not sent.
    """
    if b"@" in uri.netloc:
        raise ValueError("a user's name and password are not sent from a URI: use the header Authorization")
    if not uri.host or (b":" in uri.host and uri.netloc[:1] != b"[") or not 0 < uri.port < 65536:
        raise ValueError(f"the URI names no host and port: {uri.toBytes()!r}")


def host_header(scheme: bytes, host: bytes, port: int) -> bytes:
    """Return the value of the header Host: the port stands there unless it is that of the scheme."""
    if b":" in host:
        host = b"[" + host + b"]"
    return host if port == DEFAULT_PORTS.get(scheme) else b"%b:%d" % (host, port)


@implementer(IAgentEndpointFactory)
class StandardEndpoints:
    """Connects to hosts by their names; with TLS for ``https``."""

    def __init__(self, reactor: Any, policy: Any, connectTimeout: float | None, bindAddress: Any) -> None:
        self._reactor = reactor
        self._policy = policy
        self._connectTimeout = connectTimeout
        self._bindAddress = bindAddress
        self._known: OrderedDict[tuple[bytes, bytes, int], Any] = OrderedDict()

    def endpointForURI(self, uri: URI) -> Any:
        """Return the endpoint of a URI's server.

        :raises SchemeNotSupported: if it is neither ``http`` nor ``https``.
        :raises ValueError: if the host has bytes beyond ASCII.
        """
        key = (uri.scheme, uri.host, uri.port)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._make(uri)
            if len(self._known) > MOST_ENDPOINTS:
                self._known.popitem(last=False)
        return found

    def _make(self, uri: URI) -> Any:
        if uri.scheme not in DEFAULT_PORTS:
            raise SchemeNotSupported(f"Unsupported scheme: {uri.scheme!r}")
        check_host(uri)
        try:
            host = uri.host.decode("ascii")
        except UnicodeDecodeError:
            raise ValueError(
                f"The host of the provided URI ({uri.host!r}) contains non-ASCII octets, it should be ASCII decodable."
            ) from None
        more: dict[str, Any] = {} if self._connectTimeout is None else {"timeout": self._connectTimeout}
        endpoint = HostnameEndpoint(self._reactor, host, uri.port, bindAddress=self._bindAddress, **more)
        if uri.scheme == b"http":
            return endpoint
        from torsion.internet.endpoints import wrapClientTLS  # TLS is loaded when it is used

        return wrapClientTLS(self._policy.creatorForNetloc(uri.host, uri.port), endpoint)


class BaseAgent:
    """Makes requests at an endpoint."""

    def __init__(
        self,
        reactor: Any,
        pool: HTTPConnectionPool | None,
        timeouts: Timeouts | None = None,
        http2: bool | str = False,
    ) -> None:
        if http2 not in {True, False, PRIOR_KNOWLEDGE}:
            raise ValueError(f"http2 is True, False or {PRIOR_KNOWLEDGE!r}, not {http2!r}")
        if http2:
            from torsion.web.client.http2 import is_available

            if not is_available():
                raise ImportError("HTTP/2 needs h2: pip install torsion[http2]", name="h2")
        self._reactor = reactor
        self._pool: Any = HTTPConnectionPool(reactor, False) if pool is None else pool
        self._timeouts = timeouts
        self._http2 = http2

    def _choosing(self, endpoint: Any, scheme: bytes) -> Any:
        """Return an endpoint that agrees upon the version of HTTP, or waits for TLS, if need be; else the same."""
        secure = scheme == b"https"
        if (secure and (self._http2 or self._timeouts is not None)) or self._http2 == PRIOR_KNOWLEDGE:
            from torsion.web.client.http2.choosing import ChoosingEndpoint

            seconds = None if self._timeouts is None else self._timeouts.connect
            always = self._http2 == PRIOR_KNOWLEDGE
            return ChoosingEndpoint(endpoint, self._reactor, seconds, bool(self._http2), always)
        return endpoint

    def _ask(
        self,
        key: Any,
        endpoint: Any,
        method: bytes,
        parsedURI: URI,
        headers: Headers | None,
        bodyProducer: Any,
        target: bytes,
    ) -> Deferred[Any]:
        """Get a connection, and make a request."""
        if headers is not None and not isinstance(headers, Headers):
            raise TypeError(f"headers are Headers({{name: [value]}}), not {type(headers).__name__}")
        if isinstance(bodyProducer, (bytes, str)):
            raise TypeError(
                "bodyProducer is an IBodyProducer, such as FileBodyProducer(BytesIO(body)), not the body itself"
            )
        headers = Headers() if headers is None else headers.copy()
        if not headers.hasHeader(b"host"):
            headers.addRawHeader(b"host", host_header(parsedURI.scheme, parsedURI.host, parsedURI.port))
        pool = self._pool
        request = Request._checked(method, target, headers, bodyProducer, pool.persistent, parsedURI)
        request.timeouts = self._timeouts
        connected: Deferred[Any] = pool.getConnection(key, endpoint)
        return connected.addCallback(lambda connection: connection.request(request))


@implementer(IAgent)
class Agent(BaseAgent):
    """Makes requests, over HTTP/1.1, or over HTTP/2 if it is told to."""

    def __init__(
        self,
        reactor: Any,
        contextFactory: Any = None,
        connectTimeout: float | None = None,
        bindAddress: Any = None,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
        http2: bool | str = False,
    ) -> None:
        """Make one.

        :param reactor: connects.
        :param contextFactory: decides whom to trust: an :class:`torsion.web.iweb.IPolicyForHTTPS`; by default a
            :class:`BrowserLikePolicyForHTTPS`.
        :param connectTimeout: how many seconds connecting may take; 30 by default.
        :param bindAddress: this end's address, if it matters.
        :param pool: keeps connections; by default each request has one to itself.
        :param timeouts: how many seconds the other phases may take; by default any number, so that a server which says
            nothing is waited for.
        :param http2: whether to speak HTTP/2 with those servers of ``https`` that choose it (ALPN); ``"prior-knowledge"`` speaks
            nothing else, with TLS or without.  A pool has one connection to a host then, for all requests.
        :raises ImportError: if HTTP/2 is asked for, and h2 is missing.
        """
        if contextFactory is None:
            contextFactory = BrowserLikePolicyForHTTPS()
        elif not IPolicyForHTTPS.providedBy(contextFactory):
            from torsion.web.client.old import policy_from

            warnings.warn(
                f"{contextFactory!r} was passed as the HTTPS policy for an Agent, but it does not provide "
                "IPolicyForHTTPS.  Since Twisted 14.0, you must pass a provider of IPolicyForHTTPS.",
                DeprecationWarning,
                stacklevel=2,
            )
            contextFactory = policy_from(contextFactory)
        if connectTimeout is None and timeouts is not None:
            connectTimeout = timeouts.connect
        super().__init__(reactor, pool, timeouts, http2)
        self._endpoints: Any = StandardEndpoints(reactor, contextFactory, connectTimeout, bindAddress)

    @classmethod
    def usingEndpointFactory(
        cls,
        reactor: Any,
        endpointFactory: Any,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
        http2: bool | str = False,
    ) -> Agent:
        """Make one that connects in a way of its own.

        :param endpointFactory: an :class:`torsion.web.iweb.IAgentEndpointFactory`.
        """
        made = cls.__new__(cls)
        BaseAgent.__init__(made, reactor, pool, timeouts, http2)
        made._endpoints = endpointFactory
        return made

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`.

        :raises TypeError: if *method* or *uri* is not bytes.
        :raises ValueError: if one of them has characters that it cannot have.
        """
        check_method(method)
        parsed = URI.fromBytes(check_uri(uri))
        try:
            endpoint = self._endpoints.endpointForURI(parsed)
        except (SchemeNotSupported, ValueError):
            return fail()
        key = (parsed.scheme, parsed.host, parsed.port)
        endpoint = self._choosing(endpoint, parsed.scheme)
        return self._ask(key, endpoint, method, parsed, headers, bodyProducer, parsed.originForm)
