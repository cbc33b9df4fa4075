"""Redirects are followed, as far as that does no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.client.errors import ResponseFailed
from torsion.web.client.uri import URI, urljoin
from torsion.web.error import InfiniteRedirection, PageRedirect, RedirectWithNoLocation
from torsion.web.http_headers import Headers
from torsion.web.iweb import IAgent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.internet.defer import Deferred

__all__ = ["BrowserLikeRedirectAgent", "RedirectAgent"]

_log = Logger(namespace="torsion.web.client")

REDIRECTS = 20
"""How many redirects are followed: what browsers allow.  Loops end here as well: the same URI again may be meant, since a
cookie was set."""

SENSITIVE = frozenset({b"authorization", b"cookie", b"cookie2", b"proxy-authorization", b"www-authenticate"})
"""Fields that say who somebody is: they are for the server that they were given for, and for no other."""

OF_BODY = frozenset(
    {b"content-type", b"content-length", b"content-encoding", b"content-language", b"content-location", b"expect"}
)
"""Fields that say something about a body: without it they would be wrong."""


def _as_uri(location: bytes) -> bytes:
    """Percent-encode what cannot be in a URI: many servers do not."""
    return b"".join(b"%c" % byte if 0x20 < byte < 0x7F else b"%%%02X" % byte for byte in location.strip())


@implementer(IAgent)
class RedirectAgent:
    """Follows redirects of GET and HEAD, and 303, which asks for a GET; others fail, as RFC 9110, 15.4 has it.

    Fields that are sensitive go to the server that they were meant for alone: the same scheme, host and port.
    """

    _to_get = frozenset({303})
    _followed = frozenset({301, 302, 307, 308})

    def __init__(
        self,
        agent: Any,
        redirectLimit: int = REDIRECTS,
        sensitiveHeaderNames: Iterable[bytes] = (),
        *,
        allowDowngrade: bool = True,
    ) -> None:
        """Follow the redirects that another agent is given.

        :param agent: the agent.
        :param redirectLimit: how many to follow for one request.
        :param sensitiveHeaderNames: names of more fields that are for one server only.
        :param allowDowngrade: whether to follow from ``https`` to ``http``, as Twisted does: without what is sensitive, but anybody
            on the way can read it, and change the response; so it is logged.  ``fetch`` does not follow.
        """
        self._agent = agent
        self._limit = redirectLimit
        self._sensitive = SENSITIVE | {name.lower() for name in sensitiveHeaderNames}
        self._allow_downgrade = allowDowngrade

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`.

        The Deferred fails with :class:`ResponseFailed`, whose first reason is a
        :class:`torsion.web.error.InfiniteRedirection`, :class:`torsion.web.error.RedirectWithNoLocation` or
        :class:`torsion.web.error.PageRedirect`, for redirects that are not followed.
        """
        asked: Deferred[Any] = self._agent.request(method, uri, headers, bodyProducer)
        return asked.addCallback(self._answered, method, uri, headers, 0)

    def _answered(self, response: Any, method: bytes, uri: bytes, headers: Headers | None, count: int) -> Any:
        code = response.code
        if code in self._followed:
            if method not in {b"GET", b"HEAD"}:
                raise ResponseFailed([Failure(PageRedirect(code, location=uri))], response)
        elif code in self._to_get:
            if method != b"HEAD":
                method = b"GET"
                headers = _without(headers, OF_BODY)
        else:
            return response
        return self._follow(response, method, uri, headers, count)

    def _follow(self, response: Any, method: bytes, uri: bytes, headers: Headers | None, count: int) -> Any:
        code = response.code
        discard = getattr(response, "discard", None)
        if discard is not None:
            discard()
        if count >= self._limit:
            error: Exception = InfiniteRedirection(code, b"Infinite redirection detected", location=uri)
            raise ResponseFailed([Failure(error)], response)
        locations = response.headers.getRawHeaders(b"location") or ()
        if not locations:
            error = RedirectWithNoLocation(code, b"No location header field", uri)
            raise ResponseFailed([Failure(error)], response)
        target = urljoin(uri, _as_uri(locations[0]))
        before, after = URI.fromBytes(uri), URI.fromBytes(target)
        if before.scheme == b"https" and after.scheme != b"https":
            if not self._allow_downgrade:
                error = PageRedirect(code, b"No redirect from https to http is followed", location=target)
                raise ResponseFailed([Failure(error)], response)
            _log.warn(
                "{host} redirects from https to {scheme}, which anybody can read and change (allowDowngrade=False refuses it)",
                host=before.host.decode("latin-1"), scheme=after.scheme.decode("latin-1"),
            )  # fmt: skip
        if (before.scheme, before.host.lower(), before.port) != (after.scheme, after.host.lower(), after.port):
            headers = _without(headers, self._sensitive | {b"host"})
        asked: Deferred[Any] = self._agent.request(method, target, headers)

        def follows(further: Any) -> Any:
            further.setPreviousResponse(response)
            return further

        asked.addCallback(follows)
        return asked.addCallback(self._answered, method, target, headers, count + 1)


class BrowserLikeRedirectAgent(RedirectAgent):
    """Follows redirects as browsers do: 301 and 302 of any method become a GET."""

    _to_get = frozenset({301, 302, 303})
    _followed = frozenset({307, 308})


def _without(headers: Headers | None, names: frozenset[bytes]) -> Headers | None:
    """Return *headers* but for those fields."""
    if headers is None:
        return None
    left = Headers()
    for name, values in headers.getAllRawHeaders():
        if name.lower() not in names:
            left.setRawHeaders(name, values)
    return left
