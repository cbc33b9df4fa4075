"""A WebSocket for coroutines: ``await socket.send(message)``, ``async for message in socket``."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Any, Self

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.web.websocket.errors import WebSocketBroken, WebSocketClosed
from torsion.web.websocket.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from torsion.python.failure import Failure
    from torsion.web.websocket.connection import Connection

__all__ = ["Handlers", "WebSocket"]

_log = Logger()


def _fire(waiting: list[Deferred[None]]) -> None:
    """Fire those that were not cancelled; *waiting* is empty then."""
    fired, waiting[:] = waiting[:], []
    for each in fired:
        if not each.called:
            each.callback(None)


@implementer(IPushProducer)
class WebSocket:
    """One end of a WebSocket, as coroutines use it.  :func:`torsion.web.websocket.connect` and handlers get one.

    As a context manager it is closed at the end: with the code 1000, or 1011 if something is raised.

    :ivar request: at a server, the request that asked for it; None at a client.
    :ivar subprotocol: the sub-protocol that was agreed upon, or None.
    :ivar end: how it has ended: a :class:`WebSocketClosed` or a :class:`WebSocketBroken`; None as long as it lasts.
    """

    subprotocol: str | None = None
    end: Exception | None = None

    _connection: Connection
    _inbox: Inbox
    _paused = False

    def __init__(self, request: Any = None, opened: Callable[[WebSocket], object] | None = None) -> None:
        """Make one that is to be: what a factory of either end returns.

        :param request: the request, at a server.
        :param opened: called with this when messages may come and go.
        """
        self.request = request
        self._opened = opened
        self._receiver: list[Deferred[None]] = []
        self._senders: list[Deferred[None]] = []
        self._closers: list[Deferred[None]] = []
        self._pings: list[tuple[bytes, Deferred[None]]] = []

    # --- for programs ------------------------------------------------------------------------------------------------

    async def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a message, text or bytes; wait while the peer takes no more.

        :raises WebSocketClosed, WebSocketBroken: if the WebSocket has ended.
        :raises TypeError: if it is neither text nor bytes.
        """
        if self.end is not None:
            raise self.end
        if isinstance(message, str):
            self._connection.sendTextMessage(message)
        elif isinstance(message, bytes | bytearray | memoryview):
            self._connection.sendBytesMessage(bytes(message))
        else:
            raise TypeError(f"a message is str or bytes, not {type(message).__name__}")
        while self._paused and self.end is None:
            waiting: Deferred[None] = Deferred()
            self._senders.append(waiting)
            await waiting

    @property
    def congested(self) -> bool:
        """Whether the peer takes no more for now, so that :meth:`send` would wait: who sends one message to many may leave it out."""
        return self._paused

    async def receive(self) -> str | bytes:
        """Return the next message: ``str`` if it is text, else ``bytes``.

        :raises WebSocketClosed, WebSocketBroken: if the WebSocket has ended, and all messages before were received.
        :raises RuntimeError: if another coroutine is receiving.
        """
        if any(not each.called for each in self._receiver):
            raise RuntimeError("another coroutine is receiving from this WebSocket already")
        while not self._inbox:
            if self.end is not None:
                raise self.end
            waiting: Deferred[None] = Deferred()
            self._receiver[:] = [waiting]
            await waiting
        message: str | bytes = self._inbox.take()
        return message

    def __aiter__(self) -> Self:
        """Iterate over the messages, until both ends have closed the WebSocket; if it breaks, that is raised."""
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive()
        except WebSocketClosed:
            raise StopAsyncIteration from None

    async def ping(self, payload: bytes | None = None) -> None:
        """Send a ping, and wait until the peer has answered.

        :param payload: at most 125 bytes; by default some by chance.
        :raises WebSocketClosed, WebSocketBroken: if the WebSocket ends before.
        :raises ValueError: if there are more bytes.
        """
        if self.end is not None:
            raise self.end
        payload = urandom(4) if payload is None else payload
        self._connection.ping(payload)
        waiting: Deferred[None] = Deferred()
        self._pings.append((payload, waiting))
        await waiting
        if self.end is not None:
            raise self.end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket, and wait until that is done; what has come and was not received is dropped.

        :param code: the status code that the peer is told: RFC 6455, 7.4.
        :param reason: words for the peer, up to 123 bytes in UTF-8.
        :raises ValueError: if that code may not be sent.
        """
        if self.end is None:
            self._connection.loseConnection(code, reason)
            self._inbox.close()
            await self.whenClosed()

    def whenClosed(self) -> Deferred[None]:
        """Return a Deferred that fires when the WebSocket has ended; :attr:`end` says how."""
        waiting: Deferred[None] = Deferred()
        if self.end is None:
            self._closers.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, GeneratorExit):  # nobody runs this any more
            self._connection.loseConnection(1011)
        else:
            await self.close(1000 if error is None or error is self.end else 1011)

    # --- for the connection: WebSocketProtocol -----------------------------------------------------------------------

    def negotiationStarted(self, transport: Any) -> None:
        """Be given the connection."""
        self._connection = transport
        self._inbox = Inbox(transport)

    def negotiationFinished(self) -> None:
        """Learn that messages may come and go."""
        self.subprotocol = self._connection.subprotocol
        self._connection.attachProducer(self)
        if self._opened is not None:
            self._opened(self)

    def textMessageReceived(self, message: str) -> None:
        """Keep a message until it is asked for."""
        self._inbox.put(message, len(message))
        _fire(self._receiver)

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        """Keep a message until it is asked for."""
        self._inbox.put(bytes(data), len(data))
        _fire(self._receiver)

    def pongReceived(self, payload: bytes) -> None:
        """Tell who waits for this pong, and for those of pings before: a peer may leave them out."""
        for at, (sent, _) in enumerate(self._pings):
            if sent == payload:
                answered = [waiting for _, waiting in self._pings[: at + 1]]
                del self._pings[: at + 1]
                _fire(answered)
                return

    def connectionLost(self, reason: Failure) -> None:
        """Tell all who wait."""
        error = reason.value
        if not isinstance(error, WebSocketClosed | WebSocketBroken):
            error = WebSocketBroken(1006, str(error))
        self.end = error
        self.resumeProducing()
        pings, self._pings = [waiting for _, waiting in self._pings], []
        for waiting in (self._receiver, pings, self._closers):
            _fire(waiting)

    def pauseProducing(self) -> None:
        """Have who sends wait: the peer takes no more for now."""
        self._paused = True
        self._connection.waitForRoom(True)

    def resumeProducing(self) -> None:
        """Have them go on."""
        self._paused = False
        self._connection.waitForRoom(False)
        _fire(self._senders)

    def stopProducing(self) -> None:
        """Have them wait no longer: nothing more is sent."""
        self.resumeProducing()


class Handlers:
    """A server's factory, whose clients are each dealt with by a coroutine."""

    def __init__(self, handler: Callable[[WebSocket], Awaitable[object]]) -> None:
        """Have *handler* called with each :class:`WebSocket`; when it returns, that is closed."""
        self._handler = handler

    def buildProtocol(self, request: Any) -> WebSocket:
        """Return the end of a WebSocket."""
        return WebSocket(request, lambda socket: Deferred.fromCoroutine(self._handle(socket)))

    async def _handle(self, socket: WebSocket) -> None:
        try:
            await self._handler(socket)
        except (WebSocketClosed, WebSocketBroken) as error:
            if error is socket.end:
                return  # it did not expect that: it is the end all the same
            _log.failure("a WebSocket's handler has failed, and it is closed")
            socket._connection.loseConnection(1011)
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("a WebSocket's handler has failed, and it is closed")
            socket._connection.loseConnection(1011)
        else:
            socket._connection.loseConnection()
        socket._inbox.close()
