"""One request and its response, among others on their connection."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import CancelledError, Deferred
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.client.errors import (
    BadResponse,
    NeedsHTTP11,
    RequestGenerationFailed,
    RequestNotSent,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from torsion.web.client.fields import headers_of
from torsion.web.client.http2.fields import length_of
from torsion.web.client.http2.limits import KEPT, WINDOW
from torsion.web.client.response import Response
from torsion.web.client.sending import Sending
from torsion.web.client.timeouts import EXPECT_PATIENCE, MOST_INTERIM
from torsion.web.codes import RESPONSES
from torsion.web.iweb import UNKNOWN_LENGTH
from torsion.web.multiplex.waiting import Waiting

if TYPE_CHECKING:
    from torsion.web.client.http2.connection import HTTP2ClientProtocol
    from torsion.web.client.request import Request

__all__ = ["CANCEL", "ClientStream"]

_log = Logger()

CANCEL = 0x8
REFUSED = 0x7
HTTP_1_1_REQUIRED = 0xD
_DONE = Failure(ResponseDone())
_VERSION = (b"HTTP", 2, 0)


class _Counting:
    """Stands for the writer of HTTP/1.1's bodies: sees that a body is as long as was said."""

    def __init__(self, length: Any) -> None:
        self._left: int | None = None if length is UNKNOWN_LENGTH or length == UNKNOWN_LENGTH else length

    def data(self, data: bytes) -> bytes:
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise ValueError("the body is longer than its length says")
        return data

    def end(self) -> bytes:
        if self._left:
            raise ValueError(f"the body ends {self._left} bytes short of the length that was said")
        return b""


class ClientStream(Waiting):
    """What a request is to its connection; to its response, and to the producer of its body, it is the transport.

    :ivar request: the request.
    :ivar asked: the Deferred that fires with the response.
    :ivar number: its number, once it was sent.
    :ivar parts: what waits of the body for the server's window.
    :ivar complete: whether all of the body has been produced.
    :ivar sent: whether all of the request was sent.
    :ivar over: whether nothing more comes or goes.
    """

    number = 0
    complete = False
    sent = False
    over = False

    _response: Response | None = None
    _answered = False
    _sending: Sending | None = None
    _expecting: Any = None
    most_kept = KEPT
    _held = False
    _owed = 0
    _interim = 0
    _timer: Any = None
    _moved = False
    _heard = 0

    def __init__(self, connection: HTTP2ClientProtocol, request: Request, fields: list[Any]) -> None:
        self.connection = connection
        self.request = request
        self.fields = fields
        self.asked: Deferred[Response] = Deferred(self._cancel)
        self.parts: deque[memoryview | bytes] = deque()

    # --- waiting for its turn ----------------------------------------------------------------------------------------

    def wait(self, seconds: float | None) -> None:
        """Begin to wait for its turn."""
        if seconds is not None:
            self._timer = self.connection.clock.callLater(seconds, self._waited, seconds)

    def _waited(self, seconds: float) -> None:
        self._timer = None
        self.over = True
        self.connection.leave_queue(self)
        self.asked.errback(RequestTimedOut("waiting for other requests on the connection", seconds))

    def stop_waiting(self) -> None:
        """Stop to count the time."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def not_written(self, error: Exception) -> None:
        """Learn that it cannot be sent."""
        self.over = True
        self.asked.errback(error)

    # --- the request -------------------------------------------------------------------------------------------------

    def opened(self, number: int) -> None:
        """Learn that its head was sent."""
        self.number = number
        self._heard = self.connection.heard
        body = self.request.bodyProducer
        if body is None:
            self.complete = self.sent = True
        else:
            counting: Any = _Counting(body.length)
            self._sending = Sending(self, counting, body)
            expected = self.request.headers.getRawHeaders(b"expect")
            if expected and expected[0].lower() == b"100-continue":
                self._expecting = self.connection.clock.callLater(EXPECT_PATIENCE, self._send_body)
            else:
                self._send_body()
        timeouts = self.request.timeouts
        if timeouts is not None and not self.over and not self._answered:
            self._watch(timeouts.head if self.sent else timeouts.idle)

    @property
    def untouched(self) -> bool:
        """Whether the body, if there is one, has not been begun."""
        return self.request.bodyProducer is None or not self.number or self._expecting is not None

    def _send_body(self) -> None:
        self._stop_expecting()
        assert self._sending is not None
        self._sending.start().addCallbacks(self._produced, self._failed)

    def _stop_expecting(self) -> None:
        call, self._expecting = self._expecting, None
        if call is not None and call.active():
            call.cancel()

    def _produced(self, _: None) -> None:
        self._sending = None
        self.complete = True
        if not self.over:
            self.connection.flush(self)

    def _failed(self, reason: Failure) -> None:
        self._sending = None
        self._fail(RequestGenerationFailed([reason]), reason)

    def all_sent(self) -> None:
        """Learn that the end of the body was sent."""
        self.sent = self._moved = True
        timeouts = self.request.timeouts
        if timeouts is not None and self._response is None:
            self._watch(timeouts.head)

    # --- as a transport of the body's producer -----------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pause *producer* while the server takes nothing."""
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Have no producer any more."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Send a part of the body, when the windows allow it."""
        if data and not self.over:
            self.parts.append(data)
            self._kept += len(data)
            self.connection.flush(self)

    def take(self, most: int) -> bytes:
        """Return the next bytes to be sent, at most so many."""
        self._moved = True
        return self._cut(self.parts, most)

    def _producer_failed(self, reason: Failure) -> None:
        self._failed(reason)

    # --- the response ------------------------------------------------------------------------------------------------

    def interim(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Take a response that is none yet: 1xx."""
        self._moved = True
        self._interim += 1
        if self._interim > MOST_INTERIM:
            self._break(f"more than {MOST_INTERIM} interim responses came before it")
        elif self._expecting is not None and dict(fields).get(b":status") == b"100":
            self._send_body()

    def head(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Take the head of the response."""
        [status, *_] = [value for name, value in fields if name == b":status"] or [b""]
        if len(status) != 3 or not status.isdigit():
            self._break(f"its status is {status[:20]!r}")
            return
        self._moved = True
        code, request = int(status), self.request
        try:
            headers = headers_of((field for field in fields if not field[0].startswith(b":")), request.method)
            length = length_of(request.method, code, fields)
        except ValueError as wrong:
            self._break(str(wrong))
            return
        response = Response(_VERSION, code, RESPONSES.get(code, b""), headers, self)
        response.request = request
        response.length = length
        self._response = response
        if self._expecting is not None:  # answered without the body: it is not sent any more
            self._stop_expecting()
            self._sending = None
        if request.timeouts is not None:
            self._watch(request.timeouts.idle)
        self.connection.is_ready(self)

    def answer(self) -> None:
        """Tell who asked that the response has begun."""
        if not self._answered and self._response is not None:
            self._answered = True
            self.asked.callback(self._response)

    def data(self, data: bytes, size: int) -> None:
        """Take a part of the body.

        :param size: how many bytes of the window it used.
        """
        self._moved = True
        self._owed += size
        response = self._response
        if data and response is not None:
            try:
                response.bodyReceived(data)
            except Exception:  # noqa: BLE001 - the program's: it costs this response, and not the others
                _log.failure("The protocol of a response's body has failed: {response!r}", response=response)
                self.connection.drop(self)
                self.lost([Failure()], heard=True)
                return
        self._give_back()

    def _give_back(self) -> None:
        if not self._held and not self.over and self._owed >= WINDOW // 4:
            owed, self._owed = self._owed, 0
            self.connection.open_window(self, owed)

    def moved(self) -> None:
        """Learn that a frame of the body is coming in: h2 tells of whole ones only."""
        self._moved = True

    def trailers(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Take the fields behind the body."""
        if self._response is not None:
            self._response.trailers = [field for field in fields if not field[0].startswith(b":")]

    def ended(self) -> None:
        """Take the end of the response; what has not been sent of the request is not wanted any more."""
        response = self._response
        if response is None:
            return
        sent = self.sent
        self._end()
        self.connection.drop(self, None if sent else CANCEL)
        self.connection.answered()
        self._finish(response, _DONE)

    @staticmethod
    def _finish(response: Response, reason: Failure) -> None:
        try:
            response.bodyFinished(reason)
        except Exception:  # noqa: BLE001 - the program's: the others' responses go on
            _log.failure("The protocol of a response's body has failed: {response!r}", response=response)

    def reset(self, code: int, remote: bool) -> None:
        """Learn that the server has broken the request off."""
        if self._response is None and code == REFUSED and self.untouched:
            self.refused("the server has refused to look at the request (REFUSED_STREAM)")
            return
        words = f"the server has broken the request off (code {code})"
        if not remote:
            words = f"the server has broken the rules of HTTP/2 (code {code})"
        elif code == HTTP_1_1_REQUIRED:
            words += ": it wants HTTP/1.1 for it; ask with http2=False"
            if self._response is None and self.untouched:
                self._end()
                self.asked.errback(NeedsHTTP11([Failure(BadResponse(words))]))
                return
        self.lost([Failure(BadResponse(words))], heard=True)

    def refused(self, why: str) -> None:
        """Learn that the server has not looked at the request, and will not."""
        if self._response is None and self.untouched:
            self._end()
            self.asked.errback(RequestNotSent(why))
        else:
            self.lost([Failure(RequestNotSent(why))])

    # --- the end -----------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self.over = True
        self.stop_waiting()
        self._stop_expecting()
        self.parts.clear()
        self._producer = None
        sending, self._sending = self._sending, None
        if sending is not None:
            try:
                sending.stop()
            except Exception:  # noqa: BLE001 - the program's
                _log.failure("The producer of a request's body has failed: {request!r}", request=self.request)

    def lost(self, reasons: list[Failure], heard: bool = False) -> None:
        """Learn that nothing more will come, or go."""
        if self.over:
            return
        sent, response = self.sent, self._response
        self._end()
        if response is not None:
            self._finish(response, Failure(ResponseFailed(reasons, response)))
        elif not sent and not heard:
            self.asked.errback(RequestTransmissionFailed(reasons))
        elif heard or self._interim:
            self.asked.errback(ResponseFailed(reasons))
        else:
            self.asked.errback(ResponseNeverReceived(reasons))

    def _break(self, why: str) -> None:
        """Give the response up: the server is to blame."""
        reason = Failure(BadResponse(f"the server's response cannot be read: {why}"))
        self.connection.drop(self, 1)
        self.lost([reason], heard=True)

    def _fail(self, error: Exception, reason: Failure) -> None:
        """Give the request up."""
        response, answered = self._response, self._answered
        self._end()
        self.connection.drop(self)
        if response is not None and answered:
            self._finish(response, Failure(ResponseFailed([reason], response)))
        else:
            self._response = None
            self.asked.errback(error)

    def _cancel(self, _: Deferred[Response]) -> None:
        if not self.number:
            self.stop_waiting()
            self.over = True
            self.connection.leave_queue(self)
            return
        kind = ResponseNeverReceived if self.sent else RequestTransmissionFailed
        self._fail(kind([Failure(CancelledError())]), Failure(CancelledError()))

    # --- as a transport of the response ------------------------------------------------------------------------------

    def abort(self, reason: Exception | None = None) -> None:
        """Break the request off; the others go on."""
        if not self.over:
            self.connection.drop(self)
            self.lost([Failure(CancelledError()) if reason is None else Failure(reason)], heard=True)

    def pauseProducing(self) -> None:
        """Give the server no more window for the body."""
        self._held = True

    def resumeProducing(self) -> None:
        """Give it again."""
        if self._held:
            self._held = False
            self._moved = True
            self._give_back()

    def stopProducing(self) -> None:
        """As :meth:`abort`."""
        self.abort()

    def getPeer(self) -> Any:
        """Return the server's address."""
        return self.connection.transport.getPeer()

    def getHost(self) -> Any:
        """Return this end's address."""
        return self.connection.transport.getHost()

    # --- time-outs ---------------------------------------------------------------------------------------------------

    def _watch(self, seconds: float | None) -> None:
        self.stop_waiting()
        self._moved = False
        if seconds is not None:
            self._timer = self.connection.clock.callLater(seconds, self._elapsed)

    def _elapsed(self) -> None:
        self._timer = None
        timeouts, response = self.request.timeouts, self._response
        assert timeouts is not None
        going = response is not None or not self.sent
        if self._moved or (response is not None and response.held):
            self._heard = self.connection.heard
            self._watch(timeouts.idle if going else timeouts.head)
            return
        phase = "the response"
        if going:
            phase = "the body of the request" if response is None else "a part of the response's body"
        late = RequestTimedOut(phase, (timeouts.idle if going else timeouts.head) or 0)
        if self._heard == self.connection.heard:
            self.connection.suspect()
        if response is not None:
            self.abort(late)
        else:
            kind = ResponseNeverReceived if self.sent else RequestTransmissionFailed
            self._fail(kind([Failure(late)]), Failure(late))
