"""A connection to a server: requests come in one after the other, and are answered in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.error import ConnectionAborted
from torsion.internet.interfaces import IConsumer, IPushProducer, ITransport
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http._twins import PURE, HTTPReader, HTTPReceiver
from torsion.web.http.limits import MOST_STORED
from torsion.web.http.parts import FormError
from torsion.web.http.request import Request
from torsion.web.http.shortcuts import is_quiet, is_served, is_usual, most_gathered
from torsion.web.http.status import RESPONSES
from torsion.web.http.turns import Turns
from torsion.web.http.writing import Writing
from torsion.web.iweb import INonQueuedRequestFactory
from torsion.wire.http1 import Limits

if TYPE_CHECKING:
    from torsion._native import HTTPHead

__all__ = ["HTTPChannel"]

_log = Logger()

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What an HTTP/2 client begins with that knows what the server speaks: RFC 9113, 3.4."""

_NOTHING: Any = object()

MOST_FIELDS = 256
"""How many fields of a head can be read at most: see ``torsion.wire.http1``."""

MOST_DISCARDED = 64 * 1024
"""How many bytes of a body are read and thrown away after its request was answered.  A client that has more to send is
disconnected: it costs less to connect again."""


@implementer(ITransport, IPushProducer, IConsumer)
class HTTPChannel(Writing, Turns, HTTPReceiver, Protocol):
    """One connection of an HTTP/1.1 server.  It makes requests of what comes in, and has one after the other answered.

    :ivar requestFactory: makes requests: called with this channel.
    :ivar requests: the request that is received or answered, if any.
    :ivar persistent: whether the connection goes on after the response.
    :ivar timeOut: the seconds without anything from the client after which the connection is closed, between requests and
        while a body comes in; None for never.
    :ivar headerTimeout: the seconds that a head may take from its first byte on, however it drips in.
    :ivar requestTimeout: the seconds that a request and its response may take in all; None for any number.
    :ivar abortTimeout: the seconds after a time-out after which the connection is aborted, if it has not closed by then.
    :ivar maxHeaders: how many fields a head may have, at most 256.
    :ivar totalHeadersSize: how many bytes a head may have.
    :ivar maxLine: how many bytes the first line may have.
    :ivar maxBodySize: how many bytes a body may have; None for any number.  The default, 1 GiB, is for bodies that are stored
        before the program sees them: those that it streams are as long as they like.
    :ivar minBodyRate: how many bytes a second of a body must come that is stored, or it is refused; None for any number.  Those
        that the program streams may come as slowly as they like, if never longer than :attr:`timeOut` not at all.
    """

    requestFactory: Any = Request
    factory: Any = None
    site: Any = None
    persistent: Any = 1
    length: int | None = 0
    headerTimeout: float | None = 30
    requestTimeout: float | None = None
    maxHeaders = 128
    totalHeadersSize = Limits().head
    maxLine = Limits().line
    maxBodySize: int | None = MOST_STORED

    _optimisticEagerReadSize = 0x4000
    """How many bytes may have been read ahead, while a request is answered, before the client is not read from."""

    receiving = False
    """Whether a body is coming in."""

    _reader: Any = None
    _begun = False
    _first = b""
    _successor: Any = None
    _usual = False  # whether nobody has replaced how answers are written
    _serves = False  # whether requests like most are made, and often answered, natively
    _served: Any = None  # the factory of requests for which that was found
    _attributes = 0  # and how many attributes this had then
    _keeps = 0  # how many bytes the body of one may have that is gathered before its request is made
    _quiet = False  # whether nothing of a program's runs between an answer and the end of `process`
    _waits = False  # whether the next request is waited for, and nothing else
    _reading = False
    _closing = False
    _discarding: int | None = None
    _asked = 0
    _received = 0
    _head: Any = None
    _draining = False
    _timeoutSeen: Any = None  # the requestTimeout for which hooks were looked for

    def __init__(self) -> None:
        self.requests: list[Any] = []

    @property
    def _channel(self) -> HTTPChannel:
        return self  # what Twisted's factory makes has the channel inside

    # --- the connection ----------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Begin to wait for a request."""
        self._reader = HTTPReader(
            True,
            line=self.maxLine,
            head=self.totalHeadersSize,
            fields=min(self.maxHeaders, MOST_FIELDS),
            extensions=Limits().extensions,
        )
        self._look_for_hooks()
        if self.timeOut is not None:
            self.setTimeout(self.timeOut)
        self._heed_transport()
        opened = getattr(self.factory, "opened", None)
        if opened is not None:
            opened(self)

    def _look_for_hooks(self) -> None:
        """See whether this channel, its class or its requests have methods of the program's, which are to be called.

        One that is given to the channel later is an attribute more: until then, their number tells that there is none.
        """
        self._served = self.requestFactory
        self._timeoutSeen = self.requestTimeout
        self._usual = is_usual(self, HTTPChannel)
        self._serves = not PURE and self._usual and not self._draining and is_served(self, HTTPChannel, self._served)
        self._keeps = most_gathered(self._served) if self._serves else 0
        self._quiet = self._serves and is_quiet(self._served)
        self._attributes = 0
        self._attributes = len(self.__dict__)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop everything, and tell the request that is not finished."""
        self.setTimeout(None)
        for name in ("_abortingCall", "_requestCall", "_rateCall", "_turn"):
            call = getattr(self, name)
            if call is not None:
                setattr(self, name, None)
                if call.active():
                    call.cancel()
        self._closing = True
        successor, self._successor = self._successor, None
        self._let_producer_go()
        requests, self.requests = self.requests, []
        for request in requests:
            request.connectionLost(reason)
        if successor is not None:
            successor.connectionLost(reason)
        closed = getattr(self.factory, "closed", None)
        if closed is not None:
            closed(self)

    def _take(self, data: bytes) -> None:
        """Take bytes from the client, whatever the state of things."""
        if self._successor is not None:
            self._successor.dataReceived(data)
            return
        if self._closing:
            return
        if not self._begun:
            data = self._choose(self._first + data)
            if not data:
                return
        self._reader.receive(data)
        self._read()

    def _choose(self, data: bytes) -> bytes:
        """Choose the protocol by the first bytes, and by what TLS has negotiated; return what there is for HTTP/1.1."""
        negotiated = getattr(self.transport, "negotiatedProtocol", None)
        if negotiated not in (None, b"h2", b"http/1.1"):
            raise AssertionError(f"an unknown protocol was negotiated: {negotiated!r}")
        if negotiated is None and PREFACE.startswith(data):
            if len(data) < len(PREFACE):
                self._first = data
                return b""
            negotiated = b"h2"
        elif negotiated is None and data.startswith(PREFACE):
            negotiated = b"h2"
        self._begun, self._first = True, b""
        if negotiated == b"h2":
            make = getattr(self.factory, "makeHTTP2", None)
            protocol = make(self) if make is not None else None
            if protocol is not None:
                self.switchProtocol(protocol, data)
                return b""
        return data

    def switchProtocol(self, protocol: Any, data: bytes | None = None) -> None:
        """Give the connection to another protocol, for good: its ``makeConnection`` is called with this one's transport.

        A request that asked for that is done with: what had to be answered has been written.

        :param protocol: the protocol.
        :param data: what has come for it already; by default all bytes that came after the request.
        """
        if data is None:
            data = self._reader.take_rest()
        self._waits = False
        self.setTimeout(None)
        if self._requestCall is not None:
            self._requestCall.cancel()
            self._requestCall = None
        self.requests.clear()
        self.receiving = False
        self._successor = protocol
        self.transport.unregisterProducer()
        self._waitingForTransport = self._bodyPaused = False
        self._let_read()
        protocol.makeConnection(self.transport)
        if data and self._successor is not None:
            protocol.dataReceived(data)

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, found: Any = _NOTHING) -> None:
        """Make of what has come what can be made now.

        :param found: what the reader has found already.
        """
        if self._reading or self._turn is not None:
            return
        self._reading = True
        reader = self._reader
        if len(self.__dict__) != self._attributes or self._served is not self.requestFactory:
            self._look_for_hooks()
        if found is _NOTHING:
            reader.renew()
        try:
            while (  # who takes nothing is answered no more
                not self._closing
                and (self.receiving or self._gathers or not (self.requests or self._waitingForTransport))
                and not self._bodyPaused
            ):
                if found is _NOTHING:
                    if self._timeoutSeen is not self.requestTimeout:
                        self._look_for_hooks()
                    try:
                        if self._serves and not self.receiving:
                            found = reader.serve(self, self.requestFactory)
                        else:
                            found = reader.next()
                    except ValueError as wrong:
                        self._refuse(wrong.args[1], wrong.args[0])
                        break
                event, found = found, _NOTHING
                if event is None:
                    if self._successor is not None or reader.state != "switch":
                        break
                    reader.go_on()
                elif event is True:
                    if reader.spent:
                        self._give_way()
                        break
                elif event is False:
                    self._gathers = True
                    break
                elif isinstance(event, bytes):
                    self._body(event)
                elif isinstance(event, list):
                    self._end(event)
                    if reader.spent:
                        self._give_way()
                        break
                else:
                    self._begin(event)
        finally:
            self._reading = self._waits = False
        if self._successor is None and not self._closing and self._turn is None:
            if reader.ended:
                self._in_head = False  # what has come of a head is of another one
            self._wait()

    def raised(self, request: Any, error: BaseException) -> None:
        """Learn that a request's ``process`` has raised: its connection is closed, and no more."""
        if not isinstance(error, Exception):  # the program is to end, say: that is not ours to decide
            raise error
        if isinstance(error, FormError) and request in self.requests and not request.startedWriting:
            self._refuse(400, str(error))
            return
        _log.failure("A request could not be answered: {request!r}", Failure(error), request=request)
        self._fail(request)

    def _process_form(self, request: Any) -> None:
        """Have a request processed whose body may be a form."""
        self._run(request, request.requestReceived, request.method, request.uri, request.clientproto)

    def _wait(self) -> None:
        """Set the time-outs and the reading as befits what is waited for."""
        kept = self._reader.kept
        if self.requests and not self.receiving:
            if self.timeOut is not None and not (self._idle_call_stopped or self._waitingForTransport):
                self._idle_call_stopped = True
                period = self.setTimeout(None)
                self.timeOut = period
            if kept > self._optimisticEagerReadSize:
                self._stop_reading()
            elif self._networkPaused:
                self._let_read()
            return
        if self._networkPaused and not self._bodyPaused:
            self._let_read()
        if self._gathers:
            self._received = kept
        if (self.receiving or self._gathers) and self._rateCall is None:
            self._watch_body()
        in_head = kept > 0 and not self.receiving and not self._gathers and not self._waitingForTransport
        self._waits = self._serves and kept == 0 and not (self.receiving or self._gathers or self._networkPaused)
        if self.timeOut is None:
            return
        if in_head:
            if not self._in_head and self.headerTimeout is not None:
                self._start_timeout(min(self.timeOut, self.headerTimeout))
        elif self._in_head or self._idle_call_stopped:
            self._start_timeout(self.timeOut)
        else:
            self.resetTimeout()
        self._in_head = in_head

    def _begin(self, head: HTTPHead) -> None:
        """Take a head."""
        self._head = head
        self._received = 0
        self.length = head.length
        factory = self.requestFactory
        if getattr(factory, "__init__", None) is Request.__init__ or INonQueuedRequestFactory.providedBy(factory):
            request = factory(self)
        else:
            request = factory(self, len(self.requests))
        self.requests.append(request)
        self.receiving = True
        version = head.version
        gotHead = getattr(request, "gotHead", None)
        if gotHead is not None:
            gotHead(head)
        else:
            for name, value in head.fields:
                request.requestHeaders.addRawHeader(name, value)
        self.persistent = self.checkPersistence(request, version)
        if self.requestTimeout is not None:
            self._requestCall = self.callLater(self.requestTimeout, self._request_is_late)
        if "headerReceived" in self.__dict__ or type(self).headerReceived is not HTTPChannel.headerReceived:
            for name, value in head.fields:
                if not self.headerReceived(name + b": " + value):
                    self._refuse(400, "a header was refused")
                    return
        self.allHeadersReceived()
        if self._closing:
            return
        try:
            request.gotLength(head.length)  # it may open a file
        except OSError:
            _log.failure("there is no place for the body of a request")
            self._refuse(507, "the body cannot be stored")
            return
        except Exception as error:  # noqa: BLE001 - the program's
            self.raised(request, error)
            return
        if head.length == 0:
            return
        too_large = self.maxBodySize is not None and head.length is not None and head.length > self.maxBodySize
        if too_large and self.maxBodySize is not MOST_STORED:
            self._refuse(413, "the body is too large")
            return
        early = getattr(request, "headReceived", None)
        if early is not None and type(request).headReceived is not Request.headReceived:
            request._take(head.method, head.target, version)
            self._run(request, early)
            if self._closing or request not in self.requests:
                return
            if request._stream is not None:
                too_large = False
                self._run(request, request.process)
        if too_large and request in self.requests:
            self._refuse(413, "the body is too large")
            return
        if head.expects_continue and self.requests and not self._closing:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _run(self, request: Any, step: Any, *args: Any) -> None:
        """Call the program's code; what it raises costs this connection and no more."""
        try:
            step(*args)
        except Exception as error:  # noqa: BLE001 - the program's
            self.raised(request, error)

    def _fail(self, request: Any) -> None:
        if request not in self.requests:  # it is answered: what failed came afterwards
            return
        if getattr(request, "startedWriting", False):
            self.transport.abortConnection()  # what was written must not look complete
        else:
            self._refuse(500, "the program failed")

    def _body(self, data: bytes) -> None:
        """Take a part of a body."""
        if self._discarding is not None:
            self._discarding -= len(data)
            if self._discarding < 0:
                self.loseConnection()
            return
        self._received += len(data)
        request = self.requests[0]
        most = self.maxBodySize
        if most is MOST_STORED and getattr(request, "_stream", None) is not None:
            most = None
        if most is not None and self._received > most:
            self._refuse(413, "the body is too large")
            return
        try:
            request.handleContentChunk(data)
        except OSError:
            self._not_stored()
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("A part of a body could not be handled: {request!r}", request=request)
            self._fail(request)

    def _not_stored(self) -> None:
        _log.failure("the body of a request could not be stored")
        self._refuse(507, "the body cannot be stored")

    def _end(self, trailers: Any) -> None:
        """Take the end of a message."""
        self.receiving = False
        self._have_body()
        if self._discarding is not None:
            self._discarding = None
            self._next()
            return
        request = self.requests[0]
        if trailers:
            request.trailers = trailers
        store = getattr(request, "_store", None)
        try:
            if store is not None:
                store()
        except OSError:
            self._not_stored()
            return
        self.allContentReceived()

    def allContentReceived(self) -> None:
        """Learn that a request is complete: it is processed now, unless its body was streamed."""
        head, request = self._head, self.requests[0]
        stream = getattr(request, "_stream", None)
        if stream is not None:
            self._run(request, stream.finished, getattr(request, "trailers", ()))
        else:
            self._run(request, request.requestReceived, head.method, head.target, head.version)

    def lineReceived(self, line: bytes) -> None:
        """Take a line without its end, as if it had come from the client."""
        self.dataReceived(line + b"\r\n")

    def rawDataReceived(self, data: bytes) -> None:
        """Take bytes, as if they had come from the client."""
        self.dataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        """Be told of a header: override this.

        :param line: the header, as ``name: value``.
        :returns: whether it is good; the request is refused if not.
        """
        return True

    def allHeadersReceived(self) -> None:
        """Be told that a head is complete: the request is the last of :attr:`requests`, without its method as yet."""

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Return whether the connection can go on after a request, and tell the client if it cannot.

        :param request: the request; its responseHeaders may be changed.
        :param version: its version.
        """
        if version != b"HTTP/1.1":
            return False
        head = getattr(request, "_head", None)
        if head is not None:
            persistent = head.persistent
        else:
            values = request.requestHeaders.getRawHeaders(b"connection") or ()
            persistent = b"close" not in b",".join(values).lower().replace(b" ", b"").split(b",")
        if persistent and not self._draining:
            return True
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        return False

    def _refuse(self, code: int, why: str) -> None:
        """Answer what cannot be read, or not be answered, and close."""
        requests, self.requests = self.requests, []
        if not any(getattr(request, "startedWriting", False) for request in requests):
            self.transport.write(b"HTTP/1.1 %d %b\r\n\r\n" % (code, RESPONSES.get(code, b"Bad Request")))
        self.loseConnection()
        for request in requests:
            request.connectionLost(Failure(ConnectionAborted(why)))

    # --- called by the request ---------------------------------------------------------------------------------------

    def requestDone(self, request: Any) -> None:
        """Learn that a request is answered: the next one is read, or the connection closed.

        :raises TypeError: if it is not the one that is answered.
        """
        if not self.requests or (self.requests[0] is not request and self.requests[0] != request):
            raise TypeError(f"{request!r} is not the request that is answered")
        del self.requests[0]
        if self._requestCall is not None:
            self._requestCall.cancel()
            self._requestCall = None
        if self._requestProducer is not None:
            self.unregisterProducer()
        if self.receiving:
            self._discard()
        else:
            self._next()

    def _discard(self) -> None:
        """Go on after an answer that did not wait for the body."""
        head = self._head
        self._bodyPaused = False
        left = None if head.length is None else head.length - self._received
        if not self.persistent or head.expects_continue or (left is not None and left > MOST_DISCARDED):
            self.loseConnection()
            return
        self._discarding = MOST_DISCARDED
        self._read()

    def _next(self) -> None:
        if self.persistent and not self._draining:
            self._read()
        else:
            self.loseConnection()

    def loseConnection(self) -> None:
        """Close the connection once all is sent that was written."""
        closing, self._closing = self._closing, True
        if self.transport is not None:
            if not closing:
                self.transport.unregisterProducer()  # twice is an error of some transports
            self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Close the connection at once."""
        self._closing = True
        self.transport.abortConnection()

    def finish(self) -> None:
        """Bring the connection to an end: at once if it is idle, else after the response that is made."""
        self._draining = True
        if self._gathers:
            self._gathers = False
            self._begin(self._reader.scatter())
        if self._successor is not None:
            finish = getattr(self._successor, "finish", None)
            if finish is not None:
                finish()
            else:
                self.transport.loseConnection()
        elif self._turn is not None:
            self._look_for_hooks()  # what has come is answered, and in the long way, which says that it is the last
        elif self._discarding is None and all(getattr(request, "finished", False) for request in self.requests):
            self.loseConnection()  # one that was answered natively stays there until its `process` has returned
        else:
            self.persistent = False
            for request in self.requests:
                if not getattr(request, "startedWriting", True):
                    request.responseHeaders.setRawHeaders(b"connection", [b"close"])
