"""A connection of a client: one request at a time, and its response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.defer import CancelledError, Deferred, fail, succeed
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.client._codec import HTTPReader, HTTPWriter
from torsion.web.client.errors import (
    BadResponse,
    RequestGenerationFailed,
    RequestNotSent,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from torsion.web.client.fields import headers_of
from torsion.web.client.response import Response
from torsion.web.client.sending import Sending
from torsion.web.client.timeouts import EXPECT_PATIENCE, MOST_INTERIM
from torsion.web.error import PotentialDataLoss
from torsion.web.iweb import UNKNOWN_LENGTH
from torsion.wire.http1 import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion._native import HTTPHead
    from torsion.internet.interfaces import IDelayedCall
    from torsion.web.client.request import Request
    from torsion.web.http_headers import Headers

__all__ = ["HTTP11ClientProtocol"]

_log = Logger()

_LIMITS = Limits()
_DONE = Failure(ResponseDone())
_VERSIONS = {b"HTTP/1.1": (b"HTTP", 1, 1), b"HTTP/1.0": (b"HTTP", 1, 0)}


class HTTP11ClientProtocol(Protocol):
    """A connection to a server, or a proxy.

    :ivar state: ``"QUIESCENT"`` between requests, ``"WORKING"`` during one, ``"CLOSING"`` when no other one is to follow,
        and ``"LOST"``.
    :ivar idleLimit: for how many seconds the server says that it keeps a connection that does nothing, or None.
    """

    state = "QUIESCENT"
    idleLimit: float | None = None

    _response_kind: type[Response] = Response
    _request: Request | None = None
    _waiting: Deferred[Response] | None = None
    _response: Response | None = None
    _ready: tuple[Deferred[Response], Response] | None = None
    _head: HTTPHead | None = None
    _sending: Sending | None = None
    _sent = False
    _held = False
    _expecting: IDelayedCall | None = None
    _heard = False
    _interim = 0
    _paused = False
    _pumping = False
    _abort_reason: Failure | None = None
    _timer: IDelayedCall | None = None
    _moved = False
    _lost: list[Deferred[None]] | None = None

    def __init__(
        self,
        quiescentCallback: Callable[[Any], object] | None = None,
        gone: Callable[[Any], object] | None = None,
        metadata: str = "",
        clock: Any = None,
    ) -> None:
        """Make one.

        :param quiescentCallback: called with this after each response behind which another request may follow.
        :param gone: called with this when the connection is lost.
        :param metadata: where it goes to, for ``repr``.
        :param clock: for time-outs: an ``IReactorTime``.
        """
        self._quiescentCallback = quiescentCallback
        self._gone = gone
        self._metadata = metadata
        self._clock = clock
        self._reader = HTTPReader(
            False, line=_LIMITS.line, head=_LIMITS.head, fields=_LIMITS.fields, extensions=_LIMITS.extensions
        )
        self._writer = HTTPWriter()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state} {self._metadata}>"

    # --- asking ------------------------------------------------------------------------------------------------------

    def request(self, request: Request) -> Deferred[Response]:
        """Send a request.

        :returns: a Deferred that fires with the response once its head has come.  It fails with :class:`RequestNotSent` if
            there is no connection, or it is busy; :class:`RequestGenerationFailed`; :class:`RequestTransmissionFailed`;
            :class:`ResponseNeverReceived`; :class:`ResponseFailed`.  To cancel it aborts the connection.
        """
        if self.state != "QUIESCENT":
            return fail(RequestNotSent(f"the connection is {self.state.lower()}"))
        self.state = "WORKING"
        try:
            head = request.head(self._writer)
        except Exception:  # noqa: BLE001 - a producer may raise anything for its length
            self.abort(None)
            return fail(RequestGenerationFailed([Failure()]))
        self._request = request
        self._heard = False
        self._reader.expect(request.method == b"HEAD", request.method == b"CONNECT")
        waiting: Deferred[Response] = Deferred(self._cancel)
        self._waiting = waiting
        self.transport.write(head)
        if request.bodyProducer is None:
            self._writer.end()
            self._sent = True
        else:
            self._sent = False
            self._begin_body(request)
        timeouts = request.timeouts
        if timeouts is not None and self._clock is not None and self._waiting is not None:
            self._watch(timeouts.idle if not self._sent else timeouts.head)
        return waiting

    def _begin_body(self, request: Request) -> None:
        self._sending = Sending(self.transport, self._writer, request.bodyProducer)
        expected = request.headers.getRawHeaders(b"expect")
        if expected and expected[0].lower() == b"100-continue" and self._clock is not None:
            self._expecting = self._clock.callLater(EXPECT_PATIENCE, self._send_body)
        else:
            self._send_body()

    def _send_body(self) -> None:
        self._stop_expecting()
        assert self._sending is not None
        self._sending.start().addCallbacks(self._body_sent, self._body_failed)

    def _stop_expecting(self) -> None:
        call, self._expecting = self._expecting, None
        if call is not None and call.active():
            call.cancel()

    def _body_sent(self, _: None) -> None:
        self._sending = None
        self._sent = True
        self._moved = True
        if self._held:  # the response was complete before: the connection waited for this
            self._held = False
            self._next()

    def _body_failed(self, reason: Failure) -> None:
        self._sending = None
        self._fail(RequestGenerationFailed([reason]))

    def _cancel(self, waiting: Deferred[Response]) -> None:
        self._waiting = None
        kind = ResponseNeverReceived if self._sent else RequestTransmissionFailed
        self.abort(None)
        waiting.errback(kind([Failure(CancelledError())]))

    def _fail(self, error: Exception) -> None:
        """Give the request up, and the connection with it."""
        waiting, self._waiting = self._waiting, None
        self._abort_reason = self._abort_reason or Failure(error)
        self.abort(None)
        if waiting is not None:
            waiting.errback(error)

    # --- time-outs ---------------------------------------------------------------------------------------------------

    def _watch(self, seconds: float | None) -> None:
        self._unwatch()
        self._moved = False
        if seconds is not None and self._clock is not None:
            self._timer = self._clock.callLater(seconds, self._elapsed)

    def _unwatch(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _elapsed(self) -> None:
        self._timer = None
        request, response, sending = self._request, self._response, self._sending
        if request is None or request.timeouts is None:
            return
        timeouts = request.timeouts
        moved = self._moved or (sending is not None and sending.moved)
        if sending is not None:
            sending.moved = False
        if response is None:
            if moved:
                self._watch(timeouts.idle if sending is not None else timeouts.head)
                return
            phase, seconds = ("the body of the request", timeouts.idle) if sending else ("the response", timeouts.head)
        else:
            if moved or response.held:
                self._watch(timeouts.idle)
                return
            phase, seconds = "a part of the response's body", timeouts.idle
        late = RequestTimedOut(phase, seconds or 0)
        if response is not None:
            self.abort(late)
            return
        waiting, self._waiting = self._waiting, None
        kind = ResponseNeverReceived if self._sent else RequestTransmissionFailed
        self.abort(None)
        if waiting is not None:
            waiting.errback(kind([Failure(late)]))

    # --- reading -----------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take some bytes of the response."""
        if self._request is None or self._held:
            self.abort(None)  # nobody asked: what comes can belong to no request
            return
        self._heard = self._moved = True
        self._reader.receive(data)
        if not self._pumping:
            self._pump()

    def _pump(self) -> None:
        """Read what there is, until who reads wants no more of it."""
        self._pumping = True
        following = self._reader.next
        try:
            while not self._paused:
                try:
                    found = following()
                except ValueError as wrong:
                    self._broken(str(wrong.args[0]))
                    return
                if found is None:
                    return
                if isinstance(found, bytes):
                    if self._response is not None and not self._receive(self._response, found):
                        return
                elif isinstance(found, list):
                    if self._response is not None:
                        self._complete(found)
                        return
                else:
                    self._begin(found)
                if self._request is None:
                    return
        finally:
            self._pumping = False
            request = self._request
            if (
                self._timer is None
                and self._response is not None
                and request is not None
                and request.timeouts is not None
            ):
                self._watch(request.timeouts.idle)
            ready, self._ready = self._ready, None
            if (
                ready is not None
            ):  # only now: what came with the head is there, and the connection free, if that was all
                ready[0].callback(ready[1])

    def _receive(self, response: Response, data: bytes) -> bool:
        """Give a part of the body to who asked for it; return whether there is to be more."""
        try:
            response.bodyReceived(data)
        except Exception as error:  # noqa: BLE001 - the program's: the connection is given back to the pool all the same
            _log.failure("The protocol of a response's body has failed: {response!r}", response=response)
            self.abort(error)
            return False
        return True

    @staticmethod
    def _finish(response: Response, reason: Failure) -> None:
        try:
            response.bodyFinished(reason)
        except Exception:  # noqa: BLE001 - as well
            _log.failure("The protocol of a response's body has failed: {response!r}", response=response)

    def _broken(self, why: str) -> None:
        reason = Failure(BadResponse(f"the server's response cannot be read: {why}"))
        if self._response is None:
            self._fail(ResponseFailed([reason]))
        else:
            self._abort_reason = reason
            self.abort(None)

    def _begin(self, head: HTTPHead) -> None:
        """Take the head of a response."""
        status = head.status
        assert status is not None
        if status < 200:
            self._interim += 1
            if status == 101:
                self._broken("it changes to another protocol, which was not asked for")
            elif self._interim > MOST_INTERIM:
                self._broken(f"more than {MOST_INTERIM} interim responses came before it")
            elif status == 100 and self._expecting is not None:
                self._send_body()
            return
        request = self._request
        assert request is not None
        self._head = head
        headers = headers_of(head.fields, request.method)
        response = self._response_kind(_VERSIONS[head.version], status, head.reason or b"", headers, self)
        response.request = request
        length = head.length
        if request.method == b"HEAD":
            length = _stated(response.headers)
        elif status in {204, 304}:
            length = 0
        response.length = UNKNOWN_LENGTH if length is None else length
        self._response = response
        if self._expecting is not None:  # answered without the body: it is not sent any more
            self._stop_expecting()
            self._sending = None
        self._unwatch()  # the body's time begins when all that has come with the head was read
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._ready = waiting, response

    def _complete(self, trailers: list[tuple[bytes, bytes]]) -> None:
        """Take the end of a response."""
        response, head, request = self._response, self._head, self._request
        assert response is not None
        assert head is not None
        assert request is not None
        self._response = None
        if trailers:
            response.trailers = trailers
        persistent = request.persistent and head.persistent and not self._reader.kept and self.state == "WORKING"
        if persistent and request.method != b"CONNECT":
            if self._sending is not None:
                self._held = True  # the server has answered, and may still want the rest of the body
                self._unwatch()
                if request.timeouts is not None and request.timeouts.idle is not None:
                    self._timer = self._clock.callLater(request.timeouts.idle, self.abort)
            elif self._sent:
                self._next()
            else:
                self.abort(None)
        else:
            self._request = None
            self._unwatch()
            if self._sending is None:
                self.state = "CLOSING"
                self.transport.loseConnection()
            else:  # the server has answered, and reads no more: what is still to be written would wait for ever
                self._stop_sending()
                self.abort(None)
        until_close = head.length is None and not head.chunked
        self._finish(response, Failure(PotentialDataLoss()) if until_close else _DONE)

    def _next(self) -> None:
        """Be ready for another request."""
        self._unwatch()
        head = self._head
        if head is not None:
            self._note_keep_alive(head)
        self._request = self._head = None
        self._interim = 0
        self._paused = False
        self.state = "QUIESCENT"
        if self._quiescentCallback is not None:
            self._quiescentCallback(self)
        else:
            self.state = "CLOSING"
            self.transport.loseConnection()

    def _note_keep_alive(self, head: HTTPHead) -> None:
        """Read how long the server keeps a connection: RFC 2068, 19.7.1.1, which servers still send."""
        for value in head.values(b"keep-alive"):
            for part in value.lower().split(b","):
                name, _, seconds = part.strip().partition(b"=")
                if name == b"timeout" and seconds.isdigit():
                    self.idleLimit = float(seconds[:9])

    # --- pressure ----------------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Read no more for now."""
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            if not self._pumping:
                self._pump()
            if not self._paused and self.state != "LOST":
                self._moved = True
                self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Close the connection."""
        self.abort(None)

    def getPeer(self) -> Any:
        """Return the server's address."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Return this end's address."""
        return self.transport.getHost()

    # --- the end -----------------------------------------------------------------------------------------------------

    def abort(self, reason: Exception | None = None) -> Deferred[None]:
        """Close the connection at once.

        :param reason: what the response's body is told, if one is coming.
        :returns: a Deferred that fires once it is closed.
        """
        if self.state == "LOST":
            return succeed(None)
        if reason is not None and self._abort_reason is None:
            self._abort_reason = Failure(reason)
        self.state = "CLOSING"
        self._stop_expecting()
        self._unwatch()
        transport = self.transport
        getattr(transport, "abortConnection", transport.loseConnection)()
        return self.whenLost()

    def whenLost(self) -> Deferred[None]:
        """Return a Deferred that fires with None once the connection is lost."""
        if self.state == "LOST":
            return succeed(None)
        lost: Deferred[None] = Deferred()
        if self._lost is None:
            self._lost = []
        self._lost.append(lost)
        return lost

    def _stop_sending(self) -> None:
        self._stop_expecting()
        sending, self._sending = self._sending, None
        if sending is not None:
            try:
                sending.stop()
            except Exception:  # noqa: BLE001 - as well
                _log.failure("The producer of a request's body has failed: {request!r}", request=self._request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Learn that the connection is closed, which may be the end of a response."""
        reasons = [reason] if self._abort_reason is None else [self._abort_reason, reason]
        if self._request is not None and self._abort_reason is None and self.state != "CLOSING":
            self._last_bytes(reasons)
        self.state = "LOST"
        self._unwatch()
        self._stop_sending()
        request, self._request = self._request, None
        response, self._response = self._response, None
        waiting, self._waiting = self._waiting, None
        if response is not None:
            self._finish(response, Failure(ResponseFailed(reasons, response)))
        elif waiting is not None and request is not None:
            if not self._sent:
                waiting.errback(RequestTransmissionFailed(reasons))
            elif self._heard:
                waiting.errback(ResponseFailed(reasons))
            else:
                waiting.errback(ResponseNeverReceived(reasons))
        if self._gone is not None:
            self._gone(self)
        lost, self._lost = self._lost, None
        for each in lost or ():
            each.callback(None)

    def _last_bytes(self, reasons: list[Failure]) -> None:
        """Read what came before the end, whether it is wanted now or not: the response keeps it."""
        self.transport = _Closed(self.transport)
        self._drain()
        if self._request is None:
            return
        try:
            self._reader.end()
        except ValueError as wrong:
            reasons.append(Failure(BadResponse(str(wrong.args[0]))))
            return
        if self._response is not None:
            self.state = "CLOSING"  # no other request follows
            self._drain()

    def _drain(self) -> None:
        self._paused = False
        self._pump()
        while self._paused:
            self._paused = False
            self._pump()


class _Closed:
    """Stands for a connection that is closed: nothing can be done to it any more."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def loseConnection(self) -> None:
        pass

    abortConnection = loseConnection


def _stated(headers: Headers) -> int | None:
    """Return the Content-Length of a response that has no body."""
    for value in headers.getRawHeaders(b"content-length") or ():
        if value.isdigit():
            return int(value)
    return None
