"""What a request asks: made when it is asked for, since most of it never is."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, AnyStr

from zope.interface import Attribute, Interface

from torsion.logger import Logger
from torsion.web.http.body import newContent
from torsion.web.http.cookies import parseCookieHeaders
from torsion.web.http.forms import parse_qs
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked"]

_log = Logger()


class _IDeprecatedHTTPChannelToRequestInterface(Interface):
    """What a channel needs of the requests that it makes."""

    requestHeaders = Attribute("The headers of the request.")
    responseHeaders = Attribute("The headers of the response.")

    def connectionLost(reason: Any) -> None:
        """The connection is gone."""

    def gotLength(length: Any) -> None:
        """The head is complete, and the body has that length; None if only its end tells."""

    def handleContentChunk(data: bytes) -> None:
        """A part of the body has come."""

    def parseCookies() -> None:
        """Read the cookies out of the headers."""

    def requestReceived(command: bytes, path: bytes, version: bytes) -> None:
        """The request is complete."""

    def __eq__(other: object) -> bool:
        """Whether the other is this."""

    def __ne__(other: object) -> bool:
        """Whether the other is not this."""

    def __hash__() -> int:
        """A hash that goes with this."""


def _args(request: Any) -> dict[bytes, list[bytes]]:
    query = request.uri.partition(b"?")[2]
    return parse_qs(query, 1) if query else {}


def _content(request: Any) -> Any:
    parts, request._parts = request._parts, None
    if parts is None and request._length != 0:
        return newContent(request._length)
    return BytesIO(b"".join(parts) if parts else b"")


def _cookies(request: Any) -> list[bytes]:
    request._unusual = True
    return []


class _MadeLater:
    """What most requests are never asked for, and is made by those that are.

    It is no ``__getattr__``, as that would have every attribute of a request looked up at twice the price.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, request: Any, owner: type | None = None) -> Any:
        if request is None:
            return self
        value = self._make(request)
        setattr(request, self._name, value)
        return value


class Asked:
    """The part of a request that says what is asked, by whom, and of whom."""

    channel: Any
    uri: bytes = b"(no uri yet)"

    _forceSSL: Any = 0
    _head: Any = None
    _requestHeaders: Headers | None = None
    _past: Any = None
    _parts: list[bytes] | None = None  # of a small body, until somebody reads it
    _user: bytes | None = None
    _password = b""

    if TYPE_CHECKING:
        args: dict[bytes, list[bytes]]
        content: IO[bytes]
        received_cookies: dict[bytes, bytes]
        notifications: list[Any]
        transport: Any
        client: Any
        host: Any
        cookies: list[bytes]
    else:
        args = _MadeLater(_args)
        client = _MadeLater(lambda request: (request.channel or request._past).getPeer())
        content = _MadeLater(_content)
        cookies = _MadeLater(_cookies)
        host = _MadeLater(lambda request: (request.channel or request._past).getHost())
        notifications = _MadeLater(lambda _: [])
        received_cookies = _MadeLater(
            lambda request: parseCookieHeaders(request.requestHeaders.getRawHeaders(b"cookie") or ())
        )
        transport = _MadeLater(lambda request: (request.channel or request._past).transport)

    @property
    def requestHeaders(self) -> Headers:
        """The headers of the request."""
        headers = self._requestHeaders
        if headers is None:
            headers = self._requestHeaders = Headers()
            if self._head is not None:
                for name, value in self._head.fields:
                    headers.addRawHeader(name, value)
        return headers

    @requestHeaders.setter
    def requestHeaders(self, headers: Headers) -> None:
        self._requestHeaders = headers

    def getHeader(self, key: AnyStr) -> AnyStr | None:
        """Return the last value of a header, of the type of *key*; None if it is not there."""
        if self._requestHeaders is None and self._head is not None and type(key) is bytes:
            values = self._head.values(key)
        else:
            values = self.requestHeaders.getRawHeaders(key)
        return values[-1] if values else None

    def _is_conditional(self) -> bool:
        """Return whether there is a condition, or a part is asked for: headers called ``If-…``, and ``Range``."""
        if self._requestHeaders is None:
            known: bool | None = getattr(self._head, "conditional", None)  # heads of HTTP/2 do not say
            if known is not None:
                return known
        names = (name.lower() for name, _ in self.requestHeaders.getAllRawHeaders())
        return any(name == b"range" or name.startswith(b"if-") for name in names)

    def getAllHeaders(self) -> dict[bytes, bytes]:
        """Return the last value of each header by its name in lower case; ``requestHeaders`` tells more."""
        return {name.lower(): values[-1] for name, values in self.requestHeaders.getAllRawHeaders() if values}

    def parseCookies(self) -> None:
        """Read the cookies out of the headers, into ``received_cookies``."""
        self.received_cookies = parseCookieHeaders(self.requestHeaders.getRawHeaders(b"cookie") or ())

    def getCookie(self, key: bytes) -> bytes | None:
        """Return the value of a cookie that the client sent; None if it did not."""
        return self.received_cookies.get(key)

    def getRequestHostname(self) -> bytes:
        """Return the host that the client asked, without port and brackets; where the connection arrived, if it did not say."""
        host: bytes | None = self.getHeader(b"host")
        if host is not None:
            if host[:1] == b"[":
                return host[1:].split(b"]", 1)[0]
            return host.split(b":", 1)[0]
        return str(getattr(self.getHost(), "host", "")).encode("ascii")

    def getHost(self) -> Any:
        """Return the address at which the connection arrived, or what :meth:`setHost` has said."""
        return self.host

    def setHost(self, host: bytes, port: int, ssl: bool | int = 0) -> None:
        """Have the request seem to have come to another host, as the proxy in front of this server sees it.

        :param host: the name.
        :param port: the port.
        :param ssl: whether the request is to count as secure.
        """
        from torsion.internet.address import IPv4Address

        self._forceSSL = ssl
        default = 443 if self.isSecure() else 80
        shown = host if port == default else b"%b:%d" % (host, port)
        self.requestHeaders.setRawHeaders(b"host", [shown])
        self.host = IPv4Address("TCP", host.decode("latin-1"), port)

    def getClientAddress(self) -> Any:
        """Return the address of the client."""
        return self.client

    def getClientIP(self) -> str | None:
        """Return the client's IP address as text, or None; :meth:`getClientAddress` tells more."""
        host = getattr(self.client, "host", None)
        return host if isinstance(host, str) else None

    def isSecure(self) -> bool:
        """Return whether the request came over TLS."""
        if self._forceSSL:
            return True
        channel = getattr(self, "channel", None) or self._past
        return channel is not None and bool(channel.isSecure())

    def getUser(self) -> bytes:
        """Return the user name of HTTP basic authentication; empty if there is none."""
        if self._user is None:
            self._authorize()
        return self._user or b""

    def getPassword(self) -> bytes:
        """Return the password of HTTP basic authentication; empty if there is none."""
        if self._user is None:
            self._authorize()
        return self._password

    def _authorize(self) -> None:
        self._user = self._password = b""
        header = self.getHeader(b"authorization")
        if not header:
            return
        scheme, _, secret = header.partition(b" ")
        if scheme.lower() != b"basic":
            return
        try:
            user, colon, password = base64.b64decode(secret).partition(b":")
        except ValueError:
            return
        except Exception:  # noqa: BLE001 - whatever it was, there is no user
            _log.failure("Authorization could not be read")
            return
        if colon:
            self._user, self._password = user, password
