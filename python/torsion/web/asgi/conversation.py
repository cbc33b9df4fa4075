"""One request and one call of an application, which talk by messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from zope.interface import implementer

from torsion.internet.interfaces import IPushProducer
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.asgi.headers import NOT_PASSED_ON, TOKEN
from torsion.web.asgi.runner import run_application
from torsion.web.asgi.scope import make_scope
from torsion.web.iweb import IBodyReceiver

if TYPE_CHECKING:
    from torsion.web.asgi.runner import AsyncRunner
    from torsion.web.http.body import BodyStream

__all__ = ["MOST_KEPT", "ClientDisconnected", "Conversation"]

_log = Logger(namespace="torsion.web.asgi")

MOST_KEPT: Final = 64 * 1024
"""How many bytes of a body may wait for the application before the client is not read from: as much as is read at once."""

_BLOCK: Final = 64 * 1024
"""How many bytes of a body that was stored are handed out at once."""

_NO_BODY: Final = frozenset([204, 304])

_MOST_CHECKED: Final = 512
_LONG: Final = 64
"""So many names of headers are remembered, and so long ones: applications have dozens, and one that makes them up costs no more."""

_CHECKED: Final[dict[bytes, bytes]] = {}
"""Names of headers that were found to be tokens, and to be passed on: in lower case."""

_ENDED: Final = {"type": "http.disconnect"}
_EMPTY: Final = {"type": "http.request", "body": b"", "more_body": False}


class ClientDisconnected(ConnectionResetError):
    """An application sends to a client that has left."""


@implementer(IBodyReceiver, IPushProducer)
class Conversation:
    """One request, and one call of an application.  Everything happens in the reactor's thread."""

    _left = False
    _answered = False
    _status: int | None = None
    _length: int | None = None
    _headers: Any = ()
    _parts: deque[bytes] | None = None
    _kept = 0
    _body_over = True
    _stream: BodyStream | None = None
    _paused = False
    _registered = False
    _watching = False
    _receivers: tuple[Callable[[], object], ...] = ()
    _senders: tuple[Callable[[], object], ...] = ()  # several tasks of an application may wait for either

    def __init__(self, request: Any, runner: AsyncRunner, over: Callable[[Conversation], object]) -> None:
        """Begin one.

        :param request: the request.
        :param runner: runs the application.
        :param over: called with this when the application has returned; until then whoever begins it keeps it.
        """
        self._request = request
        self._runner = runner
        self._begin: Any = getattr(runner, "begin", runner.start)
        self._over = over
        self._body_sent = False
        if getattr(request, "_length", None) != 0:
            self._parts = deque()
            self._body_over = False
            self._stream = request.streamBody()
            self._stream.deliverTo(self)

    def begin(self, application: Any, state: dict[str, Any] | None) -> None:
        """Call the application."""
        self._task = self._begin(
            run_application(application, make_scope(self._request, state), self.receive, self.send, self._ended)
        )

    def _ended(self, error: BaseException | None) -> None:
        request = self._request
        if self._is_gone() or self._answered:
            if error is not None and not isinstance(error, ClientDisconnected):
                _log.failure("An application has failed after its response", Failure(error))
        else:
            if error is None:
                error = RuntimeError(
                    "the application returned without a response"
                    if self._status is None
                    else "the application returned before its response was complete"
                )
            self._unregister()
            request.processingFailed(Failure(error))
        self._over(self)

    # --- what the application calls ----------------------------------------------------------------------------------

    def _is_gone(self) -> bool:
        """Return whether the client has left.

        A Deferred of the request tells of that only once something waits: most applications answer without.
        """
        if not self._left and self._request.channel is None and not self._answered:
            self._left = True
        return self._left

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            self._request.notifyFinish().addErrback(self._client_left)

    async def receive(self) -> dict[str, Any]:
        """Return the next message of the client: a part of the body, or that there will be nothing more."""
        while True:
            if self._is_gone() or self._answered:
                return _ENDED.copy()
            if self._parts:
                body = self._parts.popleft() if len(self._parts) == 1 else self._joined()
                self._kept = 0
                if self._stream is not None:
                    self._stream.resumeProducing()
                more = not self._body_over or bool(self._parts)
                self._body_sent = not more
                return {"type": "http.request", "body": body, "more_body": more}
            if self._body_over and not self._body_sent:
                self._body_sent = True
                return _EMPTY.copy()
            self._watch()
            waiting, wake = self._runner.wait()
            self._receivers += (wake,)
            await waiting

    def _joined(self) -> bytes:
        parts = self._parts
        assert parts is not None
        body = b"".join(parts)
        parts.clear()
        return body

    async def send(self, message: dict[str, Any]) -> None:
        """Take a message for the client; wait while it takes no more.

        :raises ClientDisconnected: if it has left.
        :raises RuntimeError: if the message is not one that can come now.
        :raises ValueError, TypeError: if it is malformed.
        """
        kind = message["type"]
        if (self._left or self._request.channel is None) and self._is_gone():
            raise ClientDisconnected("the client has left")
        if self._answered:
            raise RuntimeError(f"{kind} was sent after the response was complete")
        if self._status is None:
            if kind != "http.response.start":
                raise RuntimeError(f"http.response.start has to be sent before {kind}")
            self._start(message)
        elif kind == "http.response.body":
            if not message.get("more_body", False):
                self._finish(message.get("body", b""))
                return
            self._write(message.get("body", b""))
            while self._paused and not self._is_gone():
                self._watch()
                waiting, wake = self._runner.wait()
                self._senders += (wake,)
                await waiting
        else:
            raise RuntimeError(f"http.response.body was expected, not {kind}")

    def _start(self, message: dict[str, Any]) -> None:
        """Keep the head until the first part of the body is there."""
        status = message["status"]
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise ValueError(f"a response's status must be a number from 200 to 999, not {status!r}")
        headers = []
        for name, value in message.get("headers", ()):
            low = _CHECKED.get(name)
            if low is not None and b"\n" not in value and b"\r" not in value and b"\0" not in value:
                headers.append((low, value))
                continue
            low = name.lower()
            if low == b"content-length":
                if self._length is not None or not value.isdigit():
                    raise ValueError(f"Content-Length must be one number, not {value!r}")
                self._length = int(value)
                continue
            if b"\n" in value or b"\r" in value or b"\0" in value:
                raise ValueError(f"a header's value must be one line, not {value!r}")
            if TOKEN.fullmatch(low) is None:
                raise ValueError(f"a header's name must be a token, of letters, digits and hyphens, not {name!r}")
            if low not in NOT_PASSED_ON:
                headers.append((low, value))
                if len(_CHECKED) < _MOST_CHECKED and len(name) <= _LONG:
                    _CHECKED[bytes(name)] = low
            elif low == b"connection" and value.lower() == b"close":
                self._request.channel.persistent = False
        self._headers = headers
        self._status = status

    def _set_head(self) -> None:
        request, status = self._request, self._status
        assert status is not None
        request.defaultContentType = None  # it is the application that knows
        if status != 200:
            request.setResponseCode(status)
        if len(self._headers) == 1:
            request.setHeader(*self._headers[0])
            return
        several: set[bytes] = set()
        for name, value in self._headers:
            if name in several:
                request.responseHeaders.addRawHeader(name, value)
            else:  # the first takes the place of what the server would say: Date, Server
                several.add(name)
                request.setHeader(name, value)

    def _write(self, body: bytes) -> None:
        request = self._request
        if not self._registered:
            self._set_head()
            if self._length is not None:
                request.setHeader(b"content-length", b"%d" % self._length)
            self._registered = True
            request.registerProducer(self, True)
        if not self._is_gone():
            request.write(bytes(body))

    def _finish(self, body: bytes) -> None:
        request, length = self._request, self._length
        if self._registered:
            self._unregister()
            if body:
                request.write(bytes(body))
        else:
            self._set_head()
            body = bytes(body)
            whole = request.method != b"HEAD" and self._status not in _NO_BODY
            if whole and (length is None or length == len(body)):
                self._answered = True
                if request._encoder is not None or request._fakesHead or not request._answerAtOnce(body):
                    request._answer(body)
                self._wake()
                return
            if length is not None:
                request.setHeader(b"content-length", b"%d" % length)
            request.write(body)
        self._answered = True
        if not self._left:
            request.finish()
        self._wake()

    def _unregister(self) -> None:
        if self._registered:
            self._registered = False
            self._request.unregisterProducer()
            self.resumeProducing()  # the request will not: what is still to be sent is no longer its application's

    # --- what the request calls --------------------------------------------------------------------------------------

    def bodyDataReceived(self, data: bytes) -> None:
        """Take a part of the body."""
        assert self._parts is not None
        for begin in range(0, len(data), _BLOCK):
            self._parts.append(data[begin : begin + _BLOCK])
        self._kept += len(data)
        if self._kept > MOST_KEPT and self._stream is not None:
            self._stream.pauseProducing()
        self._wake()

    def bodyFinished(self, trailers: Any) -> None:
        """Learn that the body is complete."""
        self._body_over = True
        self._wake()

    def bodyFailed(self, reason: Failure) -> None:
        """Learn that the client has left."""
        self._client_left(reason)

    def _client_left(self, reason: Failure) -> None:
        self._left = True
        self._wake()
        self.resumeProducing()

    def _wake(self) -> None:
        receivers, self._receivers = self._receivers, ()
        for wake in receivers:
            wake()

    def pauseProducing(self) -> None:
        """Have the application wait when it sends."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Have it go on."""
        self._paused = False
        senders, self._senders = self._senders, ()
        for wake in senders:
            wake()

    def stopProducing(self) -> None:
        """Do nothing: the request tells that its connection is lost."""
