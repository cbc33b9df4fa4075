"""The client's side of the handshake."""

from __future__ import annotations

from base64 import b64encode
from os import urandom
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.internet.protocol import Factory, connectionDone
from torsion.python.failure import Failure
from torsion.web.client.agent import check_host, host_header
from torsion.web.client.errors import ResponseDone
from torsion.web.client.protocol import HTTP11ClientProtocol
from torsion.web.client.request import Request
from torsion.web.client.response import Response
from torsion.web.client.timeouts import Timeouts
from torsion.web.client.uri import URI
from torsion.web.http_headers import Headers
from torsion.web.websocket import codec as _codec  # noqa: F401 - so that it is missing before anything is connected
from torsion.web.websocket.connection import Connection
from torsion.web.websocket.deflate import offer, settle
from torsion.web.websocket.errors import ConnectionRejected
from torsion.web.websocket.resource import accept_key, tokens

if TYPE_CHECKING:
    from torsion._native import HTTPHead
    from torsion.web.websocket.settings import Settings

__all__ = ["ask"]

_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


def parse(url: str) -> URI:
    """Take the URL of a WebSocket apart; the result's scheme is ``http`` or ``https``.

    :raises ValueError: if it is none, or names no server.
    """
    scheme, mark, rest = url.partition("://")
    known = _SCHEMES.get(scheme.lower())
    if not mark or known is None:
        raise ValueError(f"a WebSocket's URL begins with ws:// or wss://, not {url!r}")
    if not url.isascii() or "#" in url:
        raise ValueError(f"a WebSocket's URL is ASCII, and has no fragment: {url!r}")
    uri = URI.fromBytes(f"{known}://{rest}".encode("ascii"))
    check_host(uri)
    return uri


class _Refused(Response):
    """The response of a server that did not want a WebSocket."""

    def bodyFinished(self, reason: Failure) -> None:
        """Take the end of the body: nobody goes on with this connection, so its end is the body's."""
        super().bodyFinished(Failure(ConnectionDone()) if reason.check(ResponseDone) else reason)


class Handshake(HTTP11ClientProtocol):
    """A connection of a client that is to become a WebSocket."""

    _response_kind = _Refused
    _successor: Connection | None = None

    def __init__(self, connection: Connection, request: Request, key: bytes, extension: Any, clock: Any) -> None:
        super().__init__(clock=clock)
        self._connection = connection
        self._asks = request
        self._key = key
        self._extension = extension
        self.done: Deferred[None] = Deferred(self._give_up)

    def _give_up(self, _: Deferred[None]) -> None:
        self.abort()

    def connectionMade(self) -> None:
        """Ask."""
        self.request(self._asks).addCallbacks(self._rejected, self._failed)

    def _rejected(self, response: Response) -> None:
        self._over(ConnectionRejected(response))

    def _failed(self, reason: Failure) -> None:
        self._over(reason)

    def _over(self, reason: Exception | Failure) -> None:
        failure = reason if isinstance(reason, Failure) else Failure(reason)
        self._connection.connectionLost(failure)
        if not self.done.called:
            self.done.errback(failure)

    def _begin(self, head: HTTPHead) -> None:
        """Take the head of the response."""
        status = head.status
        assert status is not None
        if status == 101:
            self._upgrade(head)
        elif status < 200 and status not in (100, 103):  # these two say that a response comes; others, that none may
            self._unwatch()
            waiting, self._waiting = self._waiting, None
            response = _Refused((b"HTTP", 1, 1), status, head.reason or b"", self._fields(head), None)
            response.length = 0
            response.bodyFinished(Failure(ResponseDone()))
            self.abort()
            if waiting is not None:
                waiting.callback(response)
        else:
            super()._begin(head)

    @staticmethod
    def _fields(head: HTTPHead) -> Headers:
        headers = Headers()
        for name, value in head.fields:
            headers.addRawHeader(name, value)
        return headers

    def _upgrade(self, head: HTTPHead) -> None:
        """Take the server's consent: RFC 6455, 4.1."""
        connection = self._connection
        headers = self._fields(head)
        chosen = headers.getRawHeaders(b"sec-websocket-protocol") or []
        offered = tokens(self._asks.headers.getRawHeaders(b"sec-websocket-protocol"))
        if [value.lower() for value in headers.getRawHeaders(b"upgrade") or ()] != [b"websocket"]:
            self._broken("it changes to something else than a WebSocket")
        elif b"upgrade" not in [word.lower() for word in tokens(headers.getRawHeaders(b"connection"))]:
            self._broken("it changes to a WebSocket without Connection: Upgrade")
        elif headers.getRawHeaders(b"sec-websocket-accept") != [accept_key(self._key)]:
            self._broken("its Sec-WebSocket-Accept does not answer our key")
        elif len(chosen) > 1 or any(name not in offered for name in chosen):
            self._broken(f"it has chosen a sub-protocol that was not offered: {b', '.join(chosen).decode('latin-1')}")
        else:
            try:
                compressed = settle(self._extension, headers.getRawHeaders(b"sec-websocket-extensions") or ())
            except ValueError as wrong:
                self._broken(str(wrong))
                return
            self._unwatch()
            self._waiting = self._request = None
            self.state = "CLOSING"
            connection.agree(self._extension if compressed else None, chosen[0].decode("ascii") if chosen else None)
            rest = self._reader.take_rest()
            self._successor = connection
            connection.makeConnection(self.transport)
            if not self.done.called:
                self.done.callback(None)
            if rest:
                connection.dataReceived(rest)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the server."""
        if self._successor is not None:
            self._successor.dataReceived(data)
        else:
            super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Learn that the connection is closed."""
        if self._successor is not None:
            self.state = "LOST"
            self._successor.connectionLost(reason)
        else:
            super().connectionLost(reason)


async def ask(
    endpoints: Any, url: str, protocolFactory: Any, settings: Settings, more: Headers | None, reactor: Any
) -> Any:
    """Connect, and ask for a WebSocket; see :meth:`WebSocketClientEndpoint.connect`."""
    uri = parse(url)
    key = b64encode(urandom(16))
    extension, offered = offer() if settings.compression else (None, b"")
    headers = Headers() if more is None else more.copy()
    if not headers.hasHeader(b"host"):
        headers.addRawHeader(b"host", host_header(uri.scheme, uri.host, uri.port))
    headers.setRawHeaders(b"upgrade", [b"websocket"])
    headers.setRawHeaders(b"connection", [b"Upgrade"])
    headers.setRawHeaders(b"sec-websocket-version", [b"13"])
    headers.setRawHeaders(b"sec-websocket-key", [key])
    if offered:
        headers.setRawHeaders(b"sec-websocket-extensions", [offered])
    if settings.subprotocols:
        headers.setRawHeaders(b"sec-websocket-protocol", [", ".join(settings.subprotocols).encode("ascii")])
    request = Request(b"GET", uri.originForm, headers, None, persistent=True)
    request._parsedURI = uri
    request.timeouts = Timeouts(head=settings.handshakeTimeout)
    protocol = protocolFactory.buildProtocol(url)
    connection = Connection(protocol, True, reactor, settings)

    def begin() -> Handshake:
        protocol.negotiationStarted(connection)
        return Handshake(connection, request, key, extension, reactor)

    handshake = await endpoints.endpointForURI(uri).connect(Factory.forProtocol(begin))
    await handshake.done
    return protocol
