"""Fetches, and keeps connections and cookies in between."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Self

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
from torsion.web.fetch.asking import basic, checked_method, checked_redirects, limits_of, put, to_uri, with_params
from torsion.web.fetch.bodies import body_of
from torsion.web.fetch.explaining import explained
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

__all__ = ["Client"]

PER_HOST = 100
"""How many connections to one host there are at most; further requests wait.  Browsers allow six; servers, thousands."""

KEPT = 30.0
"""Seconds that idle connections are kept: servers mostly close them after 60 or 75, and some after 5."""

_DEFAULT = Timeouts()


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
        limits_of(timeout)
        if isinstance(perHost, bool) or not isinstance(perHost, int) or perHost < 1:
            raise ValueError(f"perHost is how many connections there are to a host, at least 1, not {perHost!r}")
        if agent is not None and not hasattr(agent, "request"):
            raise TypeError(f"the agent has no method request: {agent!r}")
        if policy is not None and not (hasattr(policy, "creatorForNetloc") or hasattr(policy, "getContext")):
            raise TypeError(
                f"the policy is no IPolicyForHTTPS, such as BrowserLikePolicyForHTTPS(trustRoot): {policy!r}"
            )
        if http2 is None:
            http2 = is_available()
        self._reactor = current_reactor() if reactor is None else reactor
        self.cookies = CookieJar() if cookies is None else cookies
        put(Headers(), headers or {})
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
        headers: Mapping[str, str] | Headers | None = None,
        params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        json: Any = None,
        form: Any = None,
        files: Any = None,
        body: Any = None,
        auth: tuple[str, str] | None = None,
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
        :param files: files that are sent with the form's fields (multipart/form-data), by field: bytes, text, a binary file, which
            is read as it is sent and closed then, or a tuple of a file's name, one of these, and its type perhaps.
        :param body: is sent as it is: bytes, text, an open file, what gives bytes piece by piece, asynchronously or not, or an
            :class:`torsion.web.iweb.IBodyProducer`.
        :param auth: a user's name and password, which are sent by the scheme Basic, to this server alone.
        :param timeout: how many seconds all of it may take, redirects and body included, or a
            :class:`torsion.web.client.Timeouts`; by default what the client was made with; None for any time.
        :param redirects: how many to follow; 0 returns a redirect as any other response.  From ``https`` to ``http`` none is
            followed.
        :returns: the response, once its head has come, whatever its status.
        :raises RequestTimedOut: if it takes too long.
        :raises TypeError: for an argument of another type.
        :raises ValueError: for a URL, a method or a field that cannot be sent.
        :raises torsion.web.error.SchemeNotSupported: for a URL that is neither ``http`` nor ``https``.
        :raises torsion.internet.error.ConnectError: if there is no connection; and see :class:`torsion.web.client.Agent`.  A note
            (PEP 678) names the request.
        """
        uri, login = to_uri(url)
        producer = kind = None
        if body is not None or json is not None or form is not None or files is not None:
            producer, kind = body_of(body, None if json is None else (json,), form, files)
        if params:
            uri = with_params(uri, params)
        if auth is not None:
            login = basic(*auth) if isinstance(auth, tuple) and len(auth) == 2 else basic(auth, None)
        if method is None:
            method = "GET" if producer is None else "POST"
        verb = checked_method(method)
        fields = self._fields(headers, kind, login)
        limits = limits_of(self._timeout if timeout is _DEFAULT else timeout)
        agent = self._agent(limits, checked_redirects(redirects))
        try:
            response = await agent.request(verb, uri, fields, producer)
        except ResponseFailed as error:
            raise explained(cause_of(error), error, method, url) from error
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            raise explained(error, error, method, url)  # noqa: B904 - it is the same
        return Answer(response, method, url)

    def _fields(self, headers: Mapping[str, str] | Headers | None, kind: bytes | None, login: bytes | None) -> Headers:
        if self._usual_of != self.headers:
            self._usual = put(Headers(), self.headers)
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
        fields = put(self._usual.copy(), {} if headers is None else headers)
        if kind is not None and not fields.hasHeader(b"content-type"):
            fields.setRawHeaders(b"content-type", [kind])
        if login is not None and not fields.hasHeader(b"authorization"):
            fields.setRawHeaders(b"authorization", [login])
        return fields

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
