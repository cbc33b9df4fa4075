"""One WebSocket and one call of an application, which talk by messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.asgi.conversation import ClientDisconnected, Conversation
from torsion.web.asgi.headers import checked
from torsion.web.asgi.runner import run_application
from torsion.web.asgi.scope import make_socket_scope
from torsion.web.http.status import FORBIDDEN
from torsion.web.websocket.inbox import Inbox

if TYPE_CHECKING:
    from torsion.web.asgi.runner import AsyncRunner
    from torsion.web.websocket.connection import Connection
    from torsion.web.websocket.settings import Settings

__all__ = ["SocketConversation", "asks_for_socket"]

_log = Logger(namespace="torsion.web.asgi")

_GONE: Final = 1006
"""What an application is told of a client that has left without a word: RFC 6455, 7.4.1."""

_DENIAL: Final = "websocket.http.response."


def asks_for_socket(request: Any) -> bool:
    """Return whether a request asks for a WebSocket; how well is another question."""
    head = getattr(request, "_head", None)
    if head is None or not head.upgrade:
        return False
    return any(b"websocket" in value.lower() for value in head.values(b"upgrade"))


@implementer(IPushProducer)
class SocketConversation:
    """One request for a WebSocket, and one call of an application.  Everything happens in the reactor's thread.

    It is what the connection of the WebSocket has for its program: a :class:`torsion.web.websocket.WebSocketProtocol`.
    """

    _left: tuple[int, str] | None = None
    _denial: Conversation | None = None
    _connection: Connection | None = None
    _closing = False
    _leaves = False
    _told_of_connect = False
    _paused = False
    _inbox: Inbox | None = None
    _receivers: tuple[Callable[[], object], ...] = ()

    def __init__(
        self,
        request: Any,
        runner: AsyncRunner,
        over: Callable[[SocketConversation], object],
        settings: Settings | None,
        reactor: Any,
    ) -> None:
        """Begin one.

        :param request: the request, of which ``torsion.web.websocket.resource.refusal`` had nothing to say.
        :param runner: runs the application.
        :param over: called with this when the application has returned; until then whoever begins it keeps it.
        :param settings: limits and time-outs of the WebSocket.
        :param reactor: for time-outs.
        """
        self._request = request
        self._runner = runner
        self._over = over
        self._settings = settings
        self._reactor = reactor
        self._wake_senders: list[Callable[[], object]] = []
        request.notifyFinish().addErrback(self._client_left)

    def begin(self, application: Any, state: dict[str, Any] | None) -> None:
        """Call the application."""
        self._task = self._runner.start(
            run_application(application, make_socket_scope(self._request, state), self.receive, self.send, self._ended)
        )

    def goAway(self) -> None:
        """Close the WebSocket because the server ends (code 1001)."""
        self._leaves = True
        if self._connection is not None:
            self._connection.finish()

    def _ended(self, error: BaseException | None) -> None:
        if self._denial is not None:
            self._denial._ended(error)
        elif self._connection is None and self._left is None and not self._closing:
            why = error or RuntimeError(
                "the application returned and has neither accepted the WebSocket nor refused it"
            )
            self._closing = True
            self._request.processingFailed(Failure(why))
        else:
            if error is not None and not isinstance(error, ClientDisconnected):
                _log.failure("An application has failed, and its WebSocket is closed", Failure(error))
            if self._connection is not None:
                self._connection.loseConnection(1000 if error is None else 1011)
        if self._inbox is not None:
            self._inbox.close()
        self._over(self)

    # --- what the application calls ----------------------------------------------------------------------------------

    async def receive(self) -> dict[str, Any]:
        """Return the next message of the client: that it connects, what it says, or that there will be nothing more."""
        if not self._told_of_connect:
            self._told_of_connect = True
            return {"type": "websocket.connect"}
        while True:
            if self._inbox:
                message: dict[str, Any] = self._inbox.take()
                return message
            if self._left is not None:
                code, reason = self._left
                return {"type": "websocket.disconnect", "code": code, "reason": reason}
            if self._denial is not None:
                await (
                    self._denial.receive()
                )  # the request has no body: it returns when the response or the client is gone
                self._left = self._left or (_GONE, "")
                continue
            waiting, wake = self._runner.wait()
            self._receivers += (wake,)  # several tasks of an application may receive, and send
            await waiting

    async def send(self, message: dict[str, Any]) -> None:
        """Take a message for the client; wait while it takes no more.

        :raises ClientDisconnected: if it has left.
        :raises RuntimeError: if the message is not one that can come now.
        :raises ValueError, TypeError: if it is malformed.
        """
        kind = message["type"]
        if self._denial is not None:
            if not kind.startswith(_DENIAL):
                raise RuntimeError(f"{_DENIAL}body was expected, not {kind}")
            await self._denial.send({**message, "type": "http.response." + kind[len(_DENIAL) :]})
            return
        if self._left is not None:
            raise ClientDisconnected("the client has left")
        if self._closing:
            raise RuntimeError(f"{kind} was sent after the WebSocket was closed")
        if self._connection is None:
            if kind == "websocket.accept":
                self._accept(message)
            elif kind == "websocket.close":
                self._refuse(FORBIDDEN)
            elif kind == _DENIAL + "start":
                self._denial = Conversation(self._request, self._runner, lambda _: None)
                self._close_after()
                await self._denial.send({**message, "type": "http.response.start"})
            else:
                raise RuntimeError(f"websocket.accept, websocket.close or {_DENIAL}start has to be sent before {kind}")
            return
        if kind == "websocket.send":
            self._write(message)
            while self._paused and self._left is None:
                waiting, wake = self._runner.wait()
                self._wake_senders.append(wake)
                await waiting
        elif kind == "websocket.close":
            code = message.get("code")
            self._connection.loseConnection(1000 if code is None else code, message.get("reason") or "")
            self._closing = True
            if self._inbox is not None:
                self._inbox.close()
        else:
            raise RuntimeError(f"websocket.send or websocket.close was expected, not {kind}")

    def _accept(self, message: dict[str, Any]) -> None:
        from torsion.web.websocket.connection import Connection
        from torsion.web.websocket.resource import accept, tokens
        from torsion.web.websocket.settings import Settings

        request, subprotocol = self._request, message.get("subprotocol")
        offered = tokens(request.requestHeaders.getRawHeaders(b"sec-websocket-protocol"))
        if subprotocol is not None and subprotocol.encode("latin-1", "replace") not in offered:
            raise ValueError(f"the client has not offered the sub-protocol {subprotocol!r}")
        headers = checked(message.get("headers") or ())
        for name, _ in headers:
            if name.startswith(b"sec-websocket-"):
                raise ValueError(f"{name.decode('ascii')} is the server's to say; a sub-protocol is given as such")
        for name, value in headers:
            request.responseHeaders.addRawHeader(name, value)
        settings = Settings() if self._settings is None else self._settings
        connection = self._connection = Connection(self, False, self._reactor, settings)
        self._inbox = Inbox(connection)
        accept(request, connection, settings, subprotocol)

    def _refuse(self, status: int) -> None:
        self._closing = True
        request, body = self._request, b"The WebSocket was refused.\n"
        request.setResponseCode(status)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"content-length", b"%d" % len(body))
        self._close_after()
        request.write(body)
        request.finish()
        self._left = (_GONE, "")

    def _close_after(self) -> None:
        from torsion.web.websocket.resource import close_after

        close_after(self._request)

    def _write(self, message: dict[str, Any]) -> None:
        assert self._connection is not None
        data, text = message.get("bytes"), message.get("text")
        if (data is None) == (text is None):
            raise ValueError("websocket.send has either bytes or text")
        if text is not None:
            if not isinstance(text, str):
                raise TypeError(f"text must be str, not {type(text).__name__}")
            self._connection.sendTextMessage(text)
        else:
            self._connection.sendBytesMessage(bytes(memoryview(data)))  # type: ignore[arg-type]  # whatever it is, it says so

    # --- what the connection calls -----------------------------------------------------------------------------------

    def negotiationStarted(self, transport: Any) -> None:
        """Do nothing: the connection is made here."""

    def negotiationFinished(self) -> None:
        """Learn that messages may come and go."""
        assert self._connection is not None
        self._connection.attachProducer(self)
        if self._leaves:
            self._connection.finish()

    def textMessageReceived(self, message: str) -> None:
        """Keep a message until the application asks for it."""
        self._keep({"type": "websocket.receive", "text": message}, len(message))

    def bytesMessageReceived(self, data: bytes | bytearray) -> None:
        """Keep a message until the application asks for it."""
        self._keep({"type": "websocket.receive", "bytes": bytes(data)}, len(data))

    def _keep(self, message: dict[str, Any], size: int) -> None:
        if self._inbox is not None:
            self._inbox.put(message, size)
            self._wake()

    def pongReceived(self, payload: bytes) -> None:
        """Do nothing: applications send no pings."""

    def connectionLost(self, reason: Failure) -> None:
        """Tell the application that there will be nothing more."""
        value = reason.value
        self._gone(getattr(value, "code", _GONE), getattr(value, "reason", ""))

    def _client_left(self, reason: Failure) -> None:
        self._gone(_GONE, "")

    def _gone(self, code: int, reason: str) -> None:
        if self._left is None:
            self._left = (code, reason)
        self._wake()
        self.resumeProducing()

    def _wake(self) -> None:
        receivers, self._receivers = self._receivers, ()
        for wake in receivers:
            wake()

    def pauseProducing(self) -> None:
        """Have the application wait when it sends."""
        self._paused = True
        if self._connection is not None:
            self._connection.waitForRoom(True)

    def resumeProducing(self) -> None:
        """Have it go on."""
        self._paused = False
        if self._connection is not None:
            self._connection.waitForRoom(False)
        senders, self._wake_senders = self._wake_senders, []
        for wake in senders:
            wake()

    def stopProducing(self) -> None:
        """Have the application wait no longer: nothing more is sent."""
        self.resumeProducing()
