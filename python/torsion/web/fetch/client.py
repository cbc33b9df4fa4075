"""Fetches, and keeps connections and cookies in between."""

from __future__ import annotations

import base64
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit, urlunsplit

from torsion.internet._current import current_reactor
from torsion.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    BrowserLikeRedirectAgent,
    ContentDecoderAgent,
    CookieAgent,
    HTTPConnectionPool,
    ResponseFailed,
    TimeLimitAgent,
    Timeouts,
    standardDecoders,
)
from torsion.web.client.content import accepted
from torsion.web.client.http2 import is_available
from torsion.web.client.limit import cause_of
from torsion.web.fetch.answer import Answer
from torsion.web.fetch.bodies import body_of
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from torsion.internet.defer import Deferred

__all__ = ["Client"]

PER_HOST = 100
"""How many connections to one host there are at most; further requests wait.  Browsers allow six; servers, thousands."""

KEPT = 30.0
"""Seconds that idle connections are kept: servers mostly close them after 60 or 75, and some after 5."""

_DEFAULT = Timeouts()


@lru_cache(maxsize=512)  # programs ask for the same again and again
def _ascii(url: str) -> tuple[bytes, bytes | None]:
    """Return a URL as it is sent, and what Authorization says if a user's name and password are in it."""
    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    if not host.isascii():
        import idna  # comes with the extra "tls"

        host = idna.encode(host, uts46=True).decode("ascii")
    if ":" in host:
        host = f"[{host}]"
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    login = None
    if parts.username is not None:
        pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
        login = b"Basic " + base64.b64encode(pair)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return urlunsplit((parts.scheme, netloc, path, query, "")).encode("ascii"), login


class Client:
    """Fetches from the Web.

    :ivar cookies: the jar.
    :ivar headers: fields that each request has, unless it says otherwise.
    """

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: CookieJar | None = None,
        timeout: float | Timeouts | None = _DEFAULT,
        policy: Any = None,
        agent: Any = None,
        perHost: int = PER_HOST,
        http2: bool | str | None = None,
        reactor: Any = None,
    ) -> None:
        """Begin without connections.

        :param headers: fields that each request has.
        :param cookies: the jar to use; by default a new one.
        :param timeout: how many seconds a request may take in all, or a :class:`torsion.web.client.Timeouts`; None for any.
        :param policy: whom to trust: an :class:`torsion.web.iweb.IPolicyForHTTPS`.
        :param agent: what makes the requests, such as a :class:`torsion.web.client.ProxyAgent`, instead of an ``Agent``.
        :param perHost: how many connections to one host there are at most.
        :param http2: whether to speak HTTP/2 with those servers of ``https`` that choose it; ``"prior-knowledge"`` speaks nothing
            else, with TLS or without.  By default it is spoken if h2 is installed (``pip install torsion[http2]``).
        :param reactor: the reactor; the current one by default.
        """
        if http2 is None:
            http2 = is_available()
        self._reactor = current_reactor() if reactor is None else reactor
        self.cookies = CookieJar() if cookies is None else cookies
        self.headers = dict(headers or {})
        self._timeout = timeout
        self._policy = BrowserLikePolicyForHTTPS() if policy is None else policy
        self._own = agent
        self._http2 = http2
        self._pool = HTTPConnectionPool(self._reactor)
        self._pool.maxConnectionsPerHost = self._pool.maxPersistentPerHost = perHost
        self._pool.cachedConnectionTimeout = KEPT
        self._agents: dict[tuple[Timeouts, int], Any] = {}
        self._decoders = standardDecoders()
        self._usual = Headers()
        self._usual_of: dict[str, str] | None = None

    def _agent(self, limits: Timeouts, redirects: int) -> Any:
        """Return what makes requests with these limits."""
        key = (limits, redirects)
        found = self._agents.get(key)
        if found is None:
            found = self._own
            if found is None:
                phases = Timeouts(limits.connect, limits.head, limits.idle)
                found = Agent(self._reactor, self._policy, pool=self._pool, timeouts=phases, http2=self._http2)
            decoding = ContentDecoderAgent(found, self._decoders)
            decoding._adds = False  # who says what is accepted, means that and no more
            found = CookieAgent(decoding, self.cookies)
            if redirects:
                found = BrowserLikeRedirectAgent(found, redirects, allowDowngrade=False)
            if limits.total is not None:
                found = TimeLimitAgent(found, self._reactor, limits.total)
            if len(self._agents) > 16:  # a program has few of them; one that makes them up is to leave none behind
                self._agents.clear()
            self._agents[key] = found
        return found

    async def fetch(
        self,
        url: str,
        method: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Any = None,
        body: Any = None,
        timeout: float | Timeouts | None = _DEFAULT,  # noqa: ASYNC109 - asyncio is not there
        redirects: int = 20,
    ) -> Answer:
        """Make a request.

        :param url: the address, ``http`` or ``https``.  A user's name and password in it are sent by the scheme Basic.
        :param method: the method; by default ``GET``, or ``POST`` with a body.
        :param headers: fields, on top of the client's.
        :param params: added to the address behind the question mark; a value may be a list.
        :param json: is sent as JSON.
        :param form: fields that are sent as a form of a page is.
        :param body: is sent as it is: bytes, text, an open file, what gives bytes piece by piece, asynchronously or not, or an
            :class:`torsion.web.iweb.IBodyProducer`.
        :param timeout: how many seconds all of it may take, redirects and body included, or a
            :class:`torsion.web.client.Timeouts`; by default what the client was made with; None for any time.
        :param redirects: how many to follow; 0 returns a redirect as any other response.  From ``https`` to ``http`` none is
            followed.
        :returns: the response, once its head has come, whatever its status.
        :raises RequestTimedOut: if it takes too long.
        :raises ValueError: for a URL, a method or a field that cannot be sent.
        :raises torsion.internet.error.ConnectError: if there is no connection; and see :class:`torsion.web.client.Agent`.
        """
        producer = kind = None
        if body is not None or json is not None or form is not None:
            producer, kind = body_of(body, None if json is None else (json,), form)
        uri, login = _ascii(url)
        if params:
            uri += (b"&" if b"?" in uri else b"?") + urlencode(params, doseq=True).encode("ascii")
        if method is None:
            method = "GET" if producer is None else "POST"
        fields = self._fields(headers, kind, login)
        agent = self._agent(self._limits(timeout), redirects)
        asked: Deferred[Any] = agent.request(method.encode("ascii"), uri, fields, producer)
        try:
            response = await asked
        except ResponseFailed as error:
            raise cause_of(error) from error
        return Answer(response, method, url)

    def _fields(self, headers: Mapping[str, str] | None, kind: bytes | None, login: bytes | None) -> Headers:
        if self._usual_of != self.headers:
            self._usual = self._with(Headers(), self.headers)
            for name, value in (
                (b"user-agent", b"torsion"),
                (b"accept", b"*/*"),
                (b"accept-encoding", accepted(self._decoders)),
            ):
                if not self._usual.hasHeader(name):
                    self._usual.setRawHeaders(name, [value])
            self._usual_of = dict(self.headers)
        if not headers and kind is None and login is None:
            return self._usual  # which the agents leave as it is
        fields = self._with(self._usual.copy(), headers or {})
        if kind is not None and not fields.hasHeader(b"content-type"):
            fields.setRawHeaders(b"content-type", [kind])
        if login is not None and not fields.hasHeader(b"authorization"):
            fields.setRawHeaders(b"authorization", [login])
        return fields

    @staticmethod
    def _with(fields: Headers, headers: Mapping[str, str]) -> Headers:
        for name, value in headers.items():
            if "\r" in value or "\n" in value or "\0" in value:
                raise ValueError(f"the value of the header {name} has a line end in it: {value!r}")
            fields.setRawHeaders(name, [value])
        return fields

    def _limits(self, timeout: float | Timeouts | None) -> Timeouts:
        if timeout is _DEFAULT:
            timeout = self._timeout
        if timeout is None:
            return Timeouts(head=None, idle=None)
        return timeout if isinstance(timeout, Timeouts) else Timeouts(total=timeout)

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._pool.closeCachedConnections()

    async def __aenter__(self) -> Self:
        """Return this."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()
