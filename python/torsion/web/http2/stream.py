"""One request and its response: what the request has for its channel."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, IPushProducer, ITransport
from torsion.logger import Logger
from torsion.web.http2.limits import BODY_PERIOD, HELD_IN_ALL, KEPT, STEP
from torsion.web.http2.pressure import Pressure
from torsion.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.python.failure import Failure
    from torsion.web.http2.connection import HTTP2Connection
    from torsion.web.http2.heads import Head

__all__ = ["Stream"]

_log = Logger()

_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
"""Headers of a connection of HTTP/1.1, which mean nothing here and must not be sent: RFC 9113, 8.2.2."""

INTERNAL = 0x2


@implementer(ITransport, IConsumer, IPushProducer)
class Stream(Pressure):
    """The channel of one request.

    :ivar id: its number.
    :ivar request: the request; None before it has begun.
    :ivar receiving: whether a body is coming in.
    :ivar head: what the head of the response has, until it is sent.
    :ivar answering: whether the response has begun.
    :ivar answered: whether the response is complete, though it may wait for the client.
    :ivar gone: whether nothing can be sent any more.
    :ivar progress: when the client has done something for it, in seconds.
    :ivar trailers: the fields after the body.
    :ivar behind: those after the body of the response.
    :ivar owed: bytes of the body that were taken and of which the client was not told.
    :ivar later: what there is to do once it may begin; None if it has.
    """

    persistent = True
    receiving = True
    answering = False
    answered = False
    gone = False
    progress = 0.0
    owed = 0
    trailers: Any = ()
    behind: Any = ()
    later: list[tuple[Any, Any]] | None = None
    head: list[tuple[bytes, bytes]] | None = None
    request: Any = None
    _usual = False  # the native way to answer is not for it
    _body_paused = False
    _untold = 0
    _held = 0
    _taken = 0
    _received = 0
    _counted: int | None = 0
    _late_call: Any = None
    _rate_call: Any = None
    _what: Head

    def __init__(self, connection: HTTP2Connection, number: int) -> None:
        self.connection = connection
        self.id = number
        self.factory = connection.factory
        self.site = connection.site
        self.transport = connection.transport
        self._parts: deque[bytes | memoryview] = deque()

    # --- what comes --------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Wait with all that comes until :meth:`begin_late`."""
        self.later = []

    def begin_late(self) -> None:
        """Do what has waited."""
        later, self.later = self.later, None
        for step, args in later or ():
            if self.gone or self.answered:
                for each in args[1:]:
                    self.connection.grant(None, each if isinstance(each, int) else 0)
            else:
                self.connection.run(self, step, *args)
        self.progress = self.connection.seconds()

    def begin(self, make: Any, head: Head) -> None:
        """Make the request of its head, and have it made ready for its body.

        :param make: makes the request.
        """
        self._what = head
        self.request = request = make(self)
        gotHead = getattr(request, "gotHead", None)
        if gotHead is not None:
            gotHead(head)
        else:
            for name, value in head.fields:
                request.requestHeaders.addRawHeader(name, value)
        timeout = self.connection.channel.requestTimeout
        if timeout is not None:
            self._late_call = self.connection.call_later(timeout, self._is_late)
        most = self.connection.channel.maxBodySize
        too_large = most is not None and head.length is not None and head.length > most
        if too_large and most is not self.connection.stored:
            self.connection.refuse(self, 413)
            return
        try:
            request.gotLength(head.length)  # it may open a file
        except OSError:
            _log.failure("there is no place for the body of a request")
            self.connection.refuse(self, 507)
            return
        if head.length == 0:
            return
        early = getattr(request, "headReceived", None)
        if early is not None:
            request._take(head.method, head.target, head.version)
            early()
            if self.gone or self.answered:
                return
            if request._stream is not None:
                too_large = False
                request.process()
        if self.gone or self.answered or not self.receiving:
            return
        if too_large:
            self.connection.refuse(self, 413)
            return
        if head.expects_continue and not self.answering:
            self.connection.go_on(self)
        if self.connection.channel.minBodyRate is not None:
            self._watch_rate()

    def dataReceived(self, data: bytes, size: int) -> None:
        """Take a part of the body.

        :param size: the bytes of the window that it used.
        """
        self._received += len(data)
        most = self.connection.channel.maxBodySize
        if most is self.connection.stored and self.request._stream is not None:
            most = None
        if most is not None and self._received > most:
            self.connection.grant(None, size)
            self._refuse(413)
            return
        try:
            self.request.handleContentChunk(data)
        except OSError:
            self.connection.grant(None, size)
            self._not_stored()
            return
        if self._body_paused and not self.gone:
            self._untold += size
            if self.connection.held + size <= HELD_IN_ALL:  # other bodies go on
                self._held += size
                self.connection.held += size
                self.connection.grant(None, size)
        else:
            self.connection.grant(self, size)

    def ended(self) -> None:
        """Take the end of the request."""
        request, head = self.request, self._what
        if self.trailers:
            request.trailers = self.trailers
        stream = getattr(request, "_stream", None)
        if stream is not None:
            stream.finished(self.trailers)
            return
        store = getattr(request, "_store", None)
        try:
            if store is not None:
                store()
        except OSError:
            self._not_stored()
            return
        request.requestReceived(head.method, head.target, head.version)

    def _not_stored(self) -> None:
        _log.failure("the body of a request could not be stored")
        self._refuse(507)

    def _refuse(self, code: int) -> None:
        if self.answering:
            self.connection.reset(self, INTERNAL)
        else:
            self.connection.refuse(self, code)

    def _is_late(self) -> None:
        self._late_call = None
        self.connection.request_is_late(self, 503)

    def _watch_rate(self) -> None:
        """See, from now on, that the body comes fast enough; not while it is the program that is slow."""
        self._counted = None if self._body_paused else self._came
        self._rate_call = self.connection.call_later(BODY_PERIOD, self._look_at_rate)

    def _look_at_rate(self) -> None:
        self._rate_call = None
        if not self.receiving or self.answered:
            return
        counted, rate = self._counted, self.connection.channel.minBodyRate
        if getattr(self.request, "_stream", None) is not None:
            counted = None  # the program sees how slowly it comes, and may want just that
        if counted is not None and self._came - counted < rate * BODY_PERIOD:
            self.connection.request_is_late(self, 408)
        else:
            self._watch_rate()

    @property
    def _came(self) -> int:
        return self._received + self.connection.partly(self)

    def since(self) -> float | None:
        """Return since when the client has been waited for; None if it is not."""
        if self.later is not None:
            return None
        if self.waiting or (self.receiving and not self._body_paused and not self.answered):
            return self.progress
        return None

    def done(self) -> None:
        """Learn that all is sent."""
        self.gone = True
        for call in (self._late_call, self._rate_call):
            if call is not None:
                call.cancel()
        self._late_call = self._rate_call = None
        _, of_all = self._release()
        self.connection.grant(None, of_all)  # the window of all is not to shrink for what was not read
        self._parts.clear()
        self.connection.kept -= self._kept
        self._kept = 0
        self.connection.look_at_held()

    def lost(self, reason: Failure) -> None:
        """Learn that nothing more will come, or go."""
        if self.gone:
            return
        self.done()
        for _, args in self.later or ():
            self.connection.grant(None, sum(each for each in args[1:] if isinstance(each, int)))
        self.later = None
        self._stop_pulling()
        producer, self._producer = self._producer, None
        try:
            if producer is not None:
                producer.stopProducing()
            if self.request is not None and not self.answered:
                self.request.connectionLost(reason)
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("{request!r} could not be told of its end", request=self.request)

    def pauseBody(self) -> None:
        """Give the client no more window for the body."""
        self._body_paused = True

    def resumeBody(self) -> None:
        """Give it again."""
        if self._body_paused:
            self._body_paused = False
            self.progress = self.connection.seconds()
            untold, of_all = self._release()
            if not self.gone:
                self.connection.grant(self, untold, of_all)

    def _release(self) -> tuple[int, int]:
        """Return the bytes of the body of which the client was not told that it may send as many more, of this and of all."""
        untold, self._untold = self._untold, 0
        held, self._held = self._held, 0
        self.connection.held -= held
        return untold, untold - held

    # --- the response ------------------------------------------------------------------------------------------------

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Write the head of the response; *version* and *reason* do not exist here.  A line end in a header becomes a space.

        :param code: the status code, in digits.
        :param headers: a :class:`torsion.web.http_headers.Headers`, or pairs.
        """
        if self.gone:
            return
        if not isinstance(headers, Headers):
            clean = Headers()
            for name, value in headers:
                clean.addRawHeader(name, value)
            headers = clean
        fields = [(b":status", code)]
        for name, values in headers.getAllRawHeaders():
            low = name.lower()
            if low not in _HOP:
                fields += [(low, value) for value in values]
        self.answering = True
        self.head = fields
        self.connection.flush(self)

    def write(self, data: bytes) -> None:
        """Write a part of the body."""
        if data and not self.gone:
            if not self._parts:
                self.progress, self._taken = self.connection.seconds(), 0
            self._parts.append(data)
            size = len(data)
            self._kept += size
            self.connection.kept += size
            self.connection.flush(self, self._kept >= KEPT)

    def _flush(self) -> None:
        self.connection.flush(self)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write parts of the body."""
        self.write(b"".join(iovec))

    def requestDone(self, request: Any) -> None:
        """Learn that the response is complete."""
        self._stop_pulling()
        self._producer = None
        self.answered = True
        if self.gone:
            return
        trailing = getattr(request, "_trailing", None)
        if trailing is not None and not getattr(request, "_bodiless", True):
            self.behind = [(name.lower(), value) for name, values in trailing.getAllRawHeaders() for value in values]
        if getattr(request, "_left", None):  # less than its Content-Length: it must not look complete
            self.connection.reset(self, INTERNAL)
        else:
            self.connection.flush(self)

    def take(self, most: int) -> bytes:
        """Return the next bytes to be sent, at most so many."""
        part = self._cut(self._parts, most)
        self.connection.kept -= len(part)
        return part

    def sent(self, size: int) -> None:
        """Learn that bytes were sent."""
        self._taken += size
        if self._taken >= STEP or not self._parts:
            self.progress, self._taken = self.connection.seconds(), 0

    @property
    def waiting(self) -> bool:
        """Whether there are bytes to be sent."""
        return bool(self._parts)

    @property
    def over(self) -> bool:
        """Whether all of the response is sent but for its end, and what comes with that."""
        return self.answered and not self._parts

    @property
    def ends(self) -> bool:
        """Whether what is sent now is the last of the response."""
        return self.over and not self.behind

    # --- as a producer of the body ---------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """As :meth:`pauseBody`."""
        self.pauseBody()

    def resumeProducing(self) -> None:
        """As :meth:`resumeBody`."""
        self.resumeBody()

    def stopProducing(self) -> None:
        """As :meth:`loseConnection`."""
        self.loseConnection()

    # --- the connection ----------------------------------------------------------------------------------------------

    def loseConnection(self) -> None:
        """Break this request off; the others go on."""
        self.connection.reset(self)

    def abortConnection(self) -> None:
        """Break this request off; the others go on."""
        self.connection.reset(self)

    def getPeer(self) -> Any:
        """Return the address of the client."""
        return self.transport.getPeer()

    def getHost(self) -> Any:
        """Return the address at which the connection arrived."""
        return self.transport.getHost()

    def isSecure(self) -> bool:
        """Return whether the connection has TLS."""
        return self.connection.secure
