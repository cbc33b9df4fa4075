"""The server's side of the handshake: a resource that makes WebSockets of requests."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from torsion.internet.defer import Deferred
from torsion.logger import Logger
from torsion.web.http.status import (
    BAD_REQUEST,
    FORBIDDEN,
    INTERNAL_SERVER_ERROR,
    SWITCHING,
)
from torsion.web.http.switching import leave
from torsion.web.resource import NOT_DONE_YET, Resource
from torsion.web.websocket.connection import Connection
from torsion.web.websocket.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from typing import Self

    from torsion.python.failure import Failure
    from torsion.web.websocket.coroutines import WebSocket

__all__ = ["WebSocketResource", "accept", "accept_key", "close_after", "refusal"]

_log = Logger()

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455, 1.3 has servers add, so that nobody who does not know WebSockets answers right."""

UPGRADE_REQUIRED: Final = 426
"""The status code for another version of the protocol: RFC 6455, 4.4."""

_KEY_BYTES: Final = 16
_REFUSED: Final = b"websocket protocol negotiation error"


def accept_key(key: bytes) -> bytes:
    """Return the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key: RFC 6455, 4.2.2."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def tokens(values: Any) -> list[bytes]:
    """Return the words of a header that is a list, as they were written."""
    return [word.strip() for value in values or () for word in value.split(b",") if word.strip()]


def refusal(request: Any) -> int | None:
    """Return the status code for a request that asks for no WebSocket, or not well; None if it does: RFC 6455, 4.2.1."""
    headers = request.requestHeaders
    asked = [word.lower() for word in tokens(headers.getRawHeaders(b"upgrade"))]
    options = [word.lower() for word in tokens(headers.getRawHeaders(b"connection"))]
    if (
        request.method != b"GET"
        or getattr(request, "_length", 0) != 0  # a body would be read as frames
        or request.clientproto != b"HTTP/1.1"
        or b"websocket" not in asked
        or b"upgrade" not in options
    ):
        return BAD_REQUEST
    if headers.getRawHeaders(b"sec-websocket-version") != [b"13"]:
        return UPGRADE_REQUIRED
    keys: list[bytes] = headers.getRawHeaders(b"sec-websocket-key") or []
    try:
        right = len(keys) == 1 and len(b64decode(keys[0], validate=True)) == _KEY_BYTES
    except ValueError:
        right = False
    if not right or not hasattr(request.channel, "switchProtocol"):
        return BAD_REQUEST
    return None


def close_after(request: Any) -> None:
    """Close the connection after the response: who got no WebSocket often waits for that, and asks for nothing else."""
    request.responseHeaders.setRawHeaders(b"connection", [b"close"])
    if hasattr(request.channel, "persistent"):
        request.channel.persistent = False


def accept(request: Any, connection: Connection, settings: Settings, subprotocol: str | None = None) -> None:
    """Make a WebSocket of a request; headers that it has for its response are sent.

    :param request: one for which :func:`refusal` had nothing to say.
    :param connection: this end.
    :param settings: whether there is to be compression.
    :param subprotocol: the one to use, which the client has offered; None for none.
    """
    from torsion.web.websocket.deflate import accept as choose

    headers = request.requestHeaders
    channel = request.channel
    agreed = choose(headers.getRawHeaders(b"sec-websocket-extensions") or ()) if settings.compression else None
    request.setResponseCode(SWITCHING, b"Switching Protocols")
    request.defaultContentType = None
    answer = request.responseHeaders
    for name in (b"content-length", b"transfer-encoding", b"content-type"):
        answer.removeHeader(name)
    answer.setRawHeaders(b"upgrade", [b"websocket"])
    answer.setRawHeaders(b"connection", [b"Upgrade"])
    answer.setRawHeaders(b"sec-websocket-accept", [accept_key(headers.getRawHeaders(b"sec-websocket-key")[0])])
    if agreed is not None:
        answer.setRawHeaders(b"sec-websocket-extensions", [agreed[1]])
    if subprotocol is not None:
        answer.setRawHeaders(b"sec-websocket-protocol", [subprotocol.encode("ascii")])
    request.write(b"")
    connection.agree(None if agreed is None else agreed[0], subprotocol)
    leave(request, channel)
    channel.switchProtocol(connection)


class WebSocketResource(Resource):
    """Answers requests for a WebSocket with one; others, with a refusal.

    :cvar settings: limits and time-outs, of those that were given none.
    """

    isLeaf = True
    settings = Settings()

    def __init__(
        self, factory: Any, settings: Settings | None = None, *, origins: Collection[str] | None = None
    ) -> None:
        """Make the resource.

        :param factory: a :class:`WebSocketServerFactory`: makes a protocol for each client.
        :param settings: limits, time-outs and the sub-protocols that it speaks.
        :param origins: the values of Origin that are served, such as ``https://example.org``: browsers let any page connect,
            with the user's cookies.  By default all; clients that are no browsers send none, and are always served.
        :raises ImportError: if wsproto is missing.
        """
        import torsion.web.websocket.codec  # noqa: F401 - so that a server without it says so when it starts

        super().__init__()
        self._factory = factory
        if settings is not None:
            self.settings = settings
        self._origins = None if origins is None else {origin.lower() for origin in origins}

    @classmethod
    def of(
        cls,
        handler: Callable[[WebSocket], Awaitable[object]],
        settings: Settings | None = None,
        *,
        origins: Collection[str] | None = None,
    ) -> Self:
        """Return a resource whose clients are each dealt with by a coroutine.

        :param handler: called with a :class:`torsion.web.websocket.WebSocket`, which is closed when it returns (with the code
            1000) or raises (1011; that is logged, unless it is how the WebSocket has ended).
        :param settings: limits, time-outs and the sub-protocols that it speaks.
        :param origins: the values of Origin that are served; see above.
        """
        from torsion.web.websocket.coroutines import Handlers

        return cls(Handlers(handler), settings, origins=origins)

    def render_GET(self, request: Any) -> Any:
        """Answer a request.

        :returns: the body of a refusal, or ``NOT_DONE_YET``.
        """
        code = refusal(request)
        if code is not None:
            return self._refuse(request, code)
        origin = request.getHeader(b"origin")
        if self._origins is not None and origin is not None and origin.decode("latin-1").lower() not in self._origins:
            return self._refuse(request, FORBIDDEN)
        protocol = self._factory.buildProtocol(request)
        if isinstance(protocol, Deferred):
            protocol.addCallback(self._go_on, request).addErrback(self._failed, request)
        else:
            return self._begin(protocol, request)
        return NOT_DONE_YET

    def _refuse(self, request: Any, code: int) -> bytes:
        request.setResponseCode(code)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        if code == UPGRADE_REQUIRED:
            request.setHeader(b"sec-websocket-version", b"13")
        close_after(request)
        return _REFUSED

    def _go_on(self, protocol: Any, request: Any) -> None:
        if request.channel is None:
            return  # the client has left
        body = self._begin(protocol, request)
        if isinstance(body, bytes):
            request.write(body)
            request.finish()

    def _failed(self, failure: Failure, request: Any) -> None:
        _log.failure("no protocol could be made for a WebSocket", failure)
        if request.channel is not None and not request.startedWriting:
            request.write(self._refuse(request, INTERNAL_SERVER_ERROR))
            request.finish()

    def _begin(self, protocol: Any, request: Any) -> Any:
        if protocol is None:
            return self._refuse(request, FORBIDDEN)
        settings = self.settings
        offered = {
            name.decode("latin-1") for name in tokens(request.requestHeaders.getRawHeaders(b"sec-websocket-protocol"))
        }
        subprotocol = next((name for name in settings.subprotocols if name in offered), None)
        connection = Connection(protocol, False, request.channel.factory.reactor, settings)
        connection.subprotocol = subprotocol
        protocol.negotiationStarted(connection)
        accept(request, connection, settings, subprotocol)
        return NOT_DONE_YET
