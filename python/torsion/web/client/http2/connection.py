"""A connection of HTTP/2: many requests at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.error import ConnectionLost
from torsion.internet.interfaces import IPushProducer, ISSLTransport
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.client.errors import BadResponse, PoolIsFull, RequestGenerationFailed, RequestNotSent
from torsion.web.client.http2.fields import request_fields
from torsion.web.client.http2.limits import CONNECTION_WINDOW, HEADERS, PROBE, QUIET, STREAMS, TABLE, WINDOW
from torsion.web.client.http2.stream import CANCEL, ClientStream
from torsion.web.client.timeouts import MOST_QUEUED, QUEUE
from torsion.web.multiplex.counting import Toll
from torsion.web.multiplex.frames import Frames, TooMuchError, WrongFrameError
from torsion.web.multiplex.library import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.web.client.request import Request
    from torsion.web.client.response import Response

__all__ = ["HTTP2ClientProtocol"]

_log = Logger()

INTERNAL, CALM = 0x2, 0xB
_PROBE = b"is there"


@implementer(IPushProducer)
class HTTP2ClientProtocol(Protocol):
    """The client's end of a connection.

    :ivar state: ``"QUIESCENT"`` without requests, ``"WORKING"`` with some, ``"CLOSING"`` when it takes no more, ``"LOST"``.
    :ivar streams: the requests under way, by their numbers.
    :ivar mostQueued: how many requests may wait for their turn.
    :ivar queueTimeout: for how many seconds; None for any time.
    """

    multiplexes = True
    idleLimit: float | None = None
    state = "QUIESCENT"
    mostQueued = MOST_QUEUED
    queueTimeout: float | None = QUEUE

    _blocked = False
    _reading = False
    _abort_reason: Failure | None = None
    _owed = 0
    _heard_at = 0.0
    _probing: Any = None
    _lost: list[Deferred[None]] | None = None
    served = 0
    """How many requests have got a response."""

    heard = 0
    """How often something has come from the server."""

    def __init__(
        self,
        quiescentCallback: Callable[[Any], object] | None = None,
        gone: Callable[[Any], object] | None = None,
        metadata: str = "",
        clock: Any = None,
    ) -> None:
        """Make one.

        :param quiescentCallback: called with this when no request is under way any more.
        :param gone: called with this when the connection is lost.
        :param metadata: where it goes to, for ``repr``.
        :param clock: an ``IReactorTime``; the current reactor by default.
        :raises ImportError: if h2 is missing.
        """
        if clock is None:
            from torsion.internet._current import current_reactor

            clock = current_reactor()
        self.clock = clock
        self._quiescentCallback = quiescentCallback
        self._gone = gone
        self._metadata = metadata
        self._h2 = make(True, {"ENABLE_PUSH": 0, "INITIAL_WINDOW_SIZE": WINDOW, "MAX_HEADER_LIST_SIZE": HEADERS})
        self._toll = Toll(clock.seconds)
        self._frames = Frames(self._toll)
        self.streams: dict[int, ClientStream] = {}
        self._queue: deque[ClientStream] = deque()
        self._ready: list[ClientStream] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state} {len(self.streams)} requests {self._metadata}>"

    def connectionMade(self) -> None:
        """Begin: tell the server our limits."""
        self.scheme = b"https" if ISSLTransport.providedBy(self.transport) else b"http"
        self._heard_at = self.clock.seconds()
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW - 65535)
        self.transport.registerProducer(self, True)
        self.send()

    # --- asking ------------------------------------------------------------------------------------------------------

    @property
    def accepting(self) -> bool:
        """Whether further requests can be made."""
        return self.state in {"QUIESCENT", "WORKING"} and self._h2.highest_outbound_stream_id < 2**31 - 2 * STREAMS

    def request(self, request: Request) -> Deferred[Response]:
        """Send a request, at once or when its turn comes.

        :returns: a Deferred as that of :meth:`HTTP11ClientProtocol.request`; but to cancel it, and whatever goes wrong with one
            request alone, leaves the connection to the others.  It fails with :class:`RequestNotSent` as well if the server
            has refused to look at the request, and with :class:`PoolIsFull` if too many wait.
        """
        if not self.accepting:
            return fail(RequestNotSent(f"the connection is {self.state.lower()}"))
        try:
            fields = request_fields(request, self.scheme)
        except Exception:  # noqa: BLE001 - a producer may raise anything for its length
            self._rest()
            return fail(RequestGenerationFailed([Failure()]))
        stream = ClientStream(self, request, fields)
        self.state = "WORKING"
        if len(self.streams) < self._most:
            self._open(stream)
        elif len(self._queue) >= self.mostQueued:
            return fail(PoolIsFull(f"{self.mostQueued} requests wait for their turn on {self._metadata} already"))
        else:
            self._queue.append(stream)
            stream.wait(self.queueTimeout)
        return stream.asked

    @property
    def _most(self) -> int:
        return min(STREAMS, int(self._h2.remote_settings.max_concurrent_streams))

    def _open(self, stream: ClientStream) -> None:
        from h2.exceptions import H2Error

        number = self._h2.get_next_available_stream_id()
        try:
            self._h2.send_headers(number, stream.fields, end_stream=stream.request.bodyProducer is None)
        except (H2Error, ValueError):
            stream.not_written(RequestGenerationFailed([Failure()]))
            self._rest()
            return
        self.streams[number] = stream
        stream.opened(number)
        if self._probing is None and self.clock.seconds() - self._heard_at >= QUIET:
            self._h2.ping(_PROBE)
            self._probing = self.clock.callLater(PROBE, self._is_silent)
        self.send()

    def _open_more(self) -> None:
        while self._queue and self.accepting and len(self.streams) < self._most:
            stream = self._queue.popleft()
            stream.stop_waiting()
            self._open(stream)

    def leave_queue(self, stream: ClientStream) -> None:
        """Have one that waits wait no more."""
        if stream in self._queue:
            self._queue.remove(stream)
            self._rest()

    # --- what comes --------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the server."""
        if self.state == "LOST":
            return
        from h2.exceptions import ProtocolError

        self.heard += 1
        self._heard_at = self.clock.seconds()
        self._stop_probing()
        self._reading = True
        try:
            data = self._frames.look(data)
            self._handle(self._h2.receive_data(data) if data else ())
        except TooMuchError as much:
            self._break(f"it has sent too many {much}", CALM)
        except WrongFrameError as wrong:
            self._break(f"it has broken the rules of HTTP/2: {wrong.args[1]}", wrong.args[0])
        except (ProtocolError, ValueError) as wrong:
            self._break(f"it has broken the rules of HTTP/2: {wrong or type(wrong).__name__}")
        except Exception:  # noqa: BLE001 - of h2, or ours: the requests are to learn of it
            _log.failure("An HTTP/2 connection has failed: {connection!r}", connection=self)
            self._break("reading them has failed", INTERNAL)
        finally:
            self._reading = False
        self._answer()
        coming = self.streams.get(self._frames.partly[0])
        if coming is not None:
            coming.moved()
        if self.state != "LOST":
            self.send()
            self._open_more()
            self._rest()

    def _handle(self, events: Any) -> None:
        for event in events:
            handler = getattr(self, f"_on_{type(event).__name__}", None)
            if handler is not None and self._abort_reason is None:
                handler(event)
        self._frames.count_unheard()
        farewells, self._frames.farewells = self._frames.farewells, []
        for last, code, said in farewells:
            self._farewell(last, code, said)

    def _answer(self) -> None:
        """Tell those whose responses have begun, now that all that came with their heads is there."""
        ready, self._ready = self._ready, []
        for stream in ready:
            stream.answer()

    def is_ready(self, stream: ClientStream) -> None:
        """Note that a response has begun."""
        self._ready.append(stream)

    def _on_ResponseReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            self.served += 1
            stream.head(event.headers)

    def _on_InformationalResponseReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.interim(event.headers)

    def _on_DataReceived(self, event: Any) -> None:
        size = event.flow_controlled_length
        self._frames.heard(size)
        if not event.data and size and event.stream_ended is None and self._toll.control():
            raise TooMuchError("frames that carry nothing")
        self._give_back(size)
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.data(event.data, size)

    def _on_TrailersReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.trailers(event.headers)

    def _on_StreamEnded(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.ended()

    def _on_StreamReset(self, event: Any) -> None:
        stream = self.streams.pop(event.stream_id, None)
        if stream is not None:
            stream.reset(int(event.error_code), event.remote_reset)

    def _on_WindowUpdated(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            self.flush(stream)
        elif not event.stream_id:
            self._flush_all()

    def _on_RemoteSettingsChanged(self, event: Any) -> None:
        if self._h2.encoder.header_table_size > TABLE:
            self._h2.encoder.header_table_size = TABLE
        self._flush_all()

    def _farewell(self, last: int, code: int, said: bytes) -> None:
        """The server takes no more requests (GOAWAY): those that it has not looked at can be made elsewhere."""
        if self.state not in {"CLOSING", "LOST"}:
            self.state = "CLOSING"
        why = f"the server takes no more requests on this connection (code {code})"
        if said:
            why += f": {said[:200].decode('ascii', 'backslashreplace')}"
        for number, stream in tuple(self.streams.items()):
            if number > last:
                del self.streams[number]
                stream.refused(why)
        self._refuse_queue(why)

    def _refuse_queue(self, why: str) -> None:
        queue, self._queue = self._queue, deque()
        for stream in queue:
            stream.stop_waiting()
            stream.refused(why)

    # --- what goes ---------------------------------------------------------------------------------------------------

    def send(self) -> None:
        """Send what h2 has for the server."""
        data = self._h2.data_to_send()
        if data and self.state != "LOST":
            self.transport.write(data)

    def flush(self, stream: ClientStream) -> None:
        """Send what the windows allow of a request's body."""
        from h2.exceptions import ProtocolError

        try:
            self._flush(stream)
        except ProtocolError:
            return  # the server has broken it off, of which we are told next

    def _flush(self, stream: ClientStream) -> None:
        while stream.parts and not self._blocked and not stream.over:
            most = min(self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
            if most <= 0:
                break
            data = stream.take(int(most))
            self._toll.sent(len(data))
            self._h2.send_data(stream.number, data)
            self.send()
        if stream.complete and not stream.parts and not stream.sent and not stream.over:
            self._h2.end_stream(stream.number)
            stream.all_sent()
            self.send()
        else:
            stream.adjust(self._blocked)

    def _flush_all(self) -> None:
        for stream in tuple(self.streams.values()):
            if stream.parts:
                self.flush(stream)

    def _give_back(self, size: int) -> None:
        """Let the server send so many bytes more, on the whole."""
        self._owed += size
        if self._owed >= CONNECTION_WINDOW // 4:
            owed, self._owed = self._owed, 0
            self._h2.increment_flow_control_window(owed)

    def open_window(self, stream: ClientStream, size: int) -> None:
        """Let the server send so many bytes more of a response."""
        from h2.exceptions import ProtocolError

        if stream.number in self.streams:
            try:
                self._h2.increment_flow_control_window(size, stream.number)
            except (ProtocolError, KeyError):
                return  # all of it has come; h2 has forgotten it, perhaps
            if not self._reading:
                self.send()

    def answered(self) -> None:
        """Learn that a response has come to its end."""
        self._toll.answered()

    def drop(self, stream: ClientStream, code: int | None = CANCEL) -> None:
        """Be done with a request.

        :param code: tells the server to be done with it as well; None if it is.
        """
        from h2.exceptions import ProtocolError

        if self.streams.pop(stream.number, None) is None:
            return
        if code is not None and self.state != "LOST":
            try:
                self._h2.reset_stream(stream.number, code)
            except ProtocolError:
                pass  # it is closed already
        if not self._reading:
            self.send()
            self._open_more()
            self._rest()

    def _is_silent(self) -> None:
        # It may be the program that had no time: what has come meanwhile is read first.
        self._probing = self.clock.callLater(0, self._is_dead)

    def _is_dead(self) -> None:
        self._probing = None
        self.abort(ConnectionLost(f"the server has not answered a ping for {PROBE:g} seconds"))

    def _stop_probing(self) -> None:
        call, self._probing = self._probing, None
        if call is not None and call.active():
            call.cancel()

    def suspect(self) -> None:
        """Make no more requests here: the server has been silent for so long that it may be gone."""
        if self.state == "WORKING":
            self.state = "CLOSING"
            self._refuse_queue("the server has not answered for long")

    # --- pressure ----------------------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """Hold all bodies back: the server takes nothing."""
        self._blocked = True
        for stream in tuple(self.streams.values()):
            stream.adjust(True)

    def resumeProducing(self) -> None:
        """Go on."""
        self._blocked = False
        for stream in tuple(self.streams.values()):
            self.flush(stream)

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone, of which all are told."""

    # --- the end -----------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Tell the pool when nothing is under way any more, or close."""
        if self.streams or self._queue or self._ready:
            return
        if self.state == "CLOSING":
            self.close()
        elif self.state == "WORKING":
            self.state = "QUIESCENT"
            if self._quiescentCallback is not None:
                self._quiescentCallback(self)
            else:
                self.finish()

    def finish(self) -> None:
        """Take no more requests, and close when those under way are answered."""
        if self.state != "LOST":
            self.state = "CLOSING"
            self._rest()

    def close(self, code: int = 0) -> None:
        """Say that it is over, and close."""
        if self._abort_reason is None and not self.transport.disconnecting:
            from h2.exceptions import ProtocolError

            try:
                self._h2.close_connection(code)
            except ProtocolError:
                pass  # it has been said
            self.send()
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def _break(self, why: str, code: int = 1) -> None:
        """Give the connection up: the server is to blame."""
        if self._abort_reason is None:
            self._abort_reason = Failure(BadResponse(f"the server's responses cannot be read: {why}"))
            self.state = "CLOSING"
            from h2.exceptions import ProtocolError

            try:
                self._h2.close_connection(code)
            except ProtocolError:
                pass  # h2 has said it itself
            self.send()
            self._abort()

    def abort(self, reason: Exception | None = None) -> Deferred[None]:
        """Close the connection at once, with all requests.

        :returns: a Deferred that fires once it is closed.
        """
        if self.state != "LOST":
            if reason is not None and self._abort_reason is None:
                self._abort_reason = Failure(reason)
            self.state = "CLOSING"
            self._abort()
        return self.whenLost()

    def _abort(self) -> None:
        transport = self.transport
        getattr(transport, "abortConnection", transport.loseConnection)()

    def whenLost(self) -> Deferred[None]:
        """Return a Deferred that fires with None once the connection is lost."""
        if self.state == "LOST":
            return succeed(None)
        lost: Deferred[None] = Deferred()
        if self._lost is None:
            self._lost = []
        self._lost.append(lost)
        return lost

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell all requests that are under way."""
        self.state = "LOST"
        self._stop_probing()
        reasons = [reason] if self._abort_reason is None else [self._abort_reason, reason]
        self._answer()
        streams, self.streams = self.streams, {}
        if self._gone is not None:
            self._gone(self)  # first: who makes a request again, gets another connection
        for stream in streams.values():
            stream.lost(reasons)
        self._refuse_queue("the connection was lost before it was sent")
        lost, self._lost = self._lost, None
        for each in lost or ():
            each.callback(None)
