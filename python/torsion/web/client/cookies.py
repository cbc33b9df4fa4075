"""Cookies, kept and sent by the standard library's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.web.client.uri import URI
from torsion.web.http_headers import Headers
from torsion.web.iweb import IAgent

if TYPE_CHECKING:
    from email.message import Message
    from http.cookiejar import CookieJar

    from torsion.internet.defer import Deferred

__all__ = ["CookieAgent"]

MOST_COOKIES = 50
"""How many cookies of one response are looked at: RFC 6265, 6.1 asks for as many for a whole domain."""


class _Asked:
    """A request, as ``http.cookiejar`` looks at one: :class:`urllib.request.Request`."""

    unverifiable = False

    def __init__(self, uri: bytes, headers: Headers) -> None:
        parsed = URI.fromBytes(uri)
        self.uri = uri
        self.type = parsed.scheme.decode("ascii", "replace")
        self.host = parsed.host.decode("ascii", "replace")
        self.origin_req_host = self.host
        self.headers = headers

    def get_full_url(self) -> str:
        return self.uri.decode("ascii", "replace")

    def has_header(self, name: str) -> bool:
        return self.headers.hasHeader(name)

    def get_header(self, name: str, default: str | None = None) -> str | None:
        values = self.headers.getRawHeaders(name)
        return default if not values else values[0]

    def add_unredirected_header(self, name: str, value: str) -> None:
        self.headers.addRawHeader(name, value)


class _Answered:
    """A response, as ``http.cookiejar`` looks at one."""

    def __init__(self, headers: Headers) -> None:
        from email.message import Message  # few responses have cookies

        self._message = Message()
        for value in (headers.getRawHeaders(b"set-cookie") or ())[:MOST_COOKIES]:
            self._message.add_header("Set-Cookie", value.decode("iso-8859-1"))

    def info(self) -> Message:
        return self._message


@implementer(IAgent)
class CookieAgent:
    """Sends a jar's cookies to those that set them, and keeps what responses set.

    A response that came by redirects sets them for the host that it is from in the end.
    """

    def __init__(self, agent: Any, cookieJar: CookieJar) -> None:
        """Use a jar for another agent's requests.

        :param agent: the agent.
        :param cookieJar: the jar, whose policy decides: the standard library's is made stricter, see
            :class:`torsion.web.client.cookiepolicy.CookiePolicy`, one of the program's own is left as it is.
        """
        from torsion.web.client.cookiepolicy import tighten  # where there is a jar, what that imports is there

        tighten(cookieJar)
        self._agent = agent
        self.cookieJar = cookieJar

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        """Make a request: see :meth:`torsion.web.iweb.IAgent.request`.  A header Cookie of the program's is left as it is."""
        if headers is None:
            headers = Headers()
        if not headers.hasHeader(b"cookie") and next(iter(self.cookieJar), None) is not None:
            headers = headers.copy()
            self.cookieJar.add_cookie_header(_Asked(uri, headers))  # type: ignore[arg-type]  # has what is used of urllib's Request
        done: Deferred[Any] = self._agent.request(method, uri, headers, bodyProducer)
        return done.addCallback(self._keep, uri, headers)

    def _keep(self, response: Any, uri_asked: bytes, headers: Headers) -> Any:
        if response.headers.hasHeader(b"set-cookie"):
            asked = _Asked(uri_asked, headers)
            answered: Any = _Answered(response.headers)
            uri = getattr(getattr(response, "request", None), "absoluteURI", None)
            if isinstance(uri, bytes) and uri != asked.uri:
                asked = _Asked(
                    uri, asked.headers
                )  # another host may have answered, which sets nothing for the first one
            self.cookieJar.extract_cookies(answered, asked)  # type: ignore[arg-type]  # as above
        return response
