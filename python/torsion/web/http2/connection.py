"""A connection of HTTP/2: many requests at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.error import ConnectionAborted
from torsion.internet.interfaces import IPushProducer, ISSLTransport
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http2.heads import ImproperError, read_head
from torsion.web.http2.limits import HEADERS, KEPT_IN_ALL, STREAMS, TABLE, WINDOW, WINDOW_OF_ALL
from torsion.web.http2.patience import CALM, COMPRESSION, INTERNAL, PROTOCOL, REFUSED, Patience
from torsion.web.http2.stream import Stream
from torsion.web.multiplex.counting import Toll
from torsion.web.multiplex.frames import Frames, TooMuchError, WrongFrameError
from torsion.web.multiplex.library import make

if TYPE_CHECKING:
    from torsion.web.http.channel import HTTPChannel

__all__ = ["HTTP2Connection"]

_log = Logger()

_PREFACE = 24  # the bytes with which a client begins: RFC 9113, 3.4
_USUAL_WINDOW = 65535


@implementer(IPushProducer)
class HTTP2Connection(Patience, Protocol):
    """The server's end of a connection; its requests are made by the factory of the channel that it stands for.

    The time-outs and limits are those of the factory, ``timeOut``, and of the channel: ``headerTimeout``,
    ``requestTimeout``, ``abortTimeout``, ``maxBodySize``, ``minBodyRate``, ``maxHeaders``, ``maxLine``.
    """

    secure = False

    def __init__(self, channel: HTTPChannel, stored: int | None = None) -> None:
        """Take the place of a channel.

        :param channel: that of HTTP/1.1.
        :param stored: the ``maxBodySize``, this very object, that is for bodies only which are stored.
        :raises ImportError: if h2 is missing.
        """
        super().__init__()
        self.channel = channel
        self.stored = stored
        self.factory = channel.factory
        self.site = channel.site
        self._make_request = channel.requestFactory
        self._clock = self.factory.reactor
        self._toll = Toll(self._clock.seconds)
        self._frames = Frames(self._toll, _PREFACE)
        self._h2 = make(
            False,
            {"MAX_CONCURRENT_STREAMS": STREAMS, "MAX_HEADER_LIST_SIZE": HEADERS, "INITIAL_WINDOW_SIZE": WINDOW},
            # What we send is clean: names are in lower case, none is of HTTP/1.1 only, and no value has a line end.
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )

    def connectionMade(self) -> None:
        """Begin: tell the client our limits."""
        self.secure = bool(ISSLTransport.providedBy(self.transport))
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_OF_ALL - _USUAL_WINDOW)
        self.transport.registerProducer(self, True)
        self._send()
        self._active = self._clock.seconds()
        self._watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell all requests that are under way."""
        self._closing = True
        self._stop()
        self._lose(reason)

    # --- what comes --------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client."""
        from h2.exceptions import ProtocolError
        from hpack.exceptions import HPACKError

        if self._closing:
            return
        self._handling = True
        try:
            data = self._frames.look(data)
            events = self._h2.receive_data(data) if data else ()
            self._handle(events)
        except TooMuchError as much:
            self._handling = False
            self.close(CALM, f"too many {much}")
        except WrongFrameError as wrong:
            self._handling = False
            self.close(*wrong.args)
        except ProtocolError as wrong:
            self._handling = False
            code = int(getattr(wrong, "error_code", 1))
            if isinstance(wrong.__cause__, HPACKError) and code == PROTOCOL:
                code = COMPRESSION
                self.correct(code)
            self.close(code, f"{wrong}" or type(wrong).__name__, told=True)
        except Exception:  # noqa: BLE001 - of h2, or ours: the process goes on
            _log.failure("An HTTP/2 connection has failed")
            self._handling = False
            self.close(INTERNAL, "the server failed")
        finally:
            self._handling = False
        if not self._closing:
            self._after()

    def _handle(self, events: Any) -> None:
        # Requests that were taken back in the same breath are not begun.
        taken_back = {event.stream_id for event in events if type(event).__name__ == "StreamReset"} if events else ()
        for event in events:
            if self._closing:
                return
            name = type(event).__name__
            if name == "RequestReceived":
                if event.stream_id not in taken_back:
                    self._on_RequestReceived(event)
            else:
                handler = getattr(self, f"_on_{name}", None)
                if handler is not None:
                    handler(event)
        self._frames.count_unheard()  # each is answered with a reset by h2
        while self._dirty and not self._closing:  # producers go on meanwhile
            dirty, self._dirty = self._dirty, {}
            self.flush_all(dirty.values())

    def _after(self) -> None:
        """Send what there is, and see what follows of what has come."""
        self._send()
        coming = self.streams.get(self._frames.partly[0])
        if coming is not None:  # h2 tells of whole frames only, and a slow client has done something all the same
            coming.progress = self._clock.seconds()
        self._watch_block(self._frames.in_block)
        farewells, self._frames.farewells = self._frames.farewells, []
        if any(code for _, code, _ in farewells):
            self.close(0, "the client has found fault with it")
        elif farewells:
            self._client_finishes()
        if self._said:
            self._ended()
        self._end_flood()

    def _on_RequestReceived(self, event: Any) -> None:
        if self._said:
            self._h2.reset_stream(event.stream_id, REFUSED)  # it can be asked elsewhere
            self._count_reset()
            return
        whole = event.stream_ended is not None
        stream = Stream(self, event.stream_id)
        stream.receiving = not whole
        stream.progress = self._clock.seconds()
        self.streams[event.stream_id] = stream
        try:
            head = read_head(event.headers, whole, self.channel.maxLine, self.channel.maxHeaders)
        except ImproperError as improper:
            self.refuse(stream, improper.args[0])
            return
        if self.kept >= KEPT_IN_ALL:
            stream.hold()
            self._held.append(stream)
        self.run(stream, stream.begin, self._make_request, head)

    def _on_DataReceived(self, event: Any) -> None:
        size = event.flow_controlled_length
        self._frames.heard(size)
        if not event.data and size and event.stream_ended is None and self._toll.control():
            raise TooMuchError("frames that carry nothing")
        stream = self.streams.get(event.stream_id)
        if stream is None or stream.gone or stream.answered:
            self.grant(None, size)
            return
        if event.data:
            stream.progress = self._clock.seconds()
        self.run(stream, stream.dataReceived, event.data, size)

    def partly(self, stream: Stream) -> int:
        """Return how many bytes have come of a frame of a body that is not complete yet."""
        number, size = self._frames.partly
        return size if number == stream.id else 0

    def _on_TrailersReceived(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.trailers = list(event.headers)

    def _on_StreamEnded(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.receiving = False
            if not stream.answered:
                self.run(stream, stream.ended)

    def _on_StreamReset(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None or event.remote_reset:
            self._count_reset()
        if stream is not None:
            self._forget(stream)
            stream.lost(Failure(ConnectionAborted("the client has taken its request back")))

    def _on_WindowUpdated(self, event: Any) -> None:
        if event.stream_id:
            stream = self.streams.get(event.stream_id)
            if stream is not None:
                self.flush(stream)
        else:
            self._dirty.update(self.streams)

    def _on_RemoteSettingsChanged(self, event: Any) -> None:
        if self._h2.encoder.header_table_size > TABLE:
            self._h2.encoder.header_table_size = TABLE
        self._dirty.update(self.streams)

    def _on_PingAckReceived(self, event: Any) -> None:
        if self._draining:
            self._finish()

    def run(self, stream: Stream, step: Any, *args: Any) -> None:
        """Call the program's code; what it raises costs this request and no more."""
        if stream.later is not None:
            stream.later.append((step, args))
            return
        try:
            step(*args)
        except Exception as error:  # noqa: BLE001 - the program's
            if isinstance(error, ValueError) and type(error).__name__ == "FormError":
                self.refuse(stream, 400)
                return
            _log.failure("A request could not be answered: {request!r}", request=stream.request)
            if stream.answering:
                self.reset(stream, INTERNAL)
            else:
                self.refuse(stream, 500)

    # --- pressure ----------------------------------------------------------------------------------------------------

    def go_on(self, stream: Stream) -> None:
        """Have a client send its body that has waited for a word."""
        self._h2.send_headers(stream.id, [(b":status", b"100")])
        if not self._handling:
            self._send()

    def pauseProducing(self) -> None:
        """Hold all responses back: the client takes nothing.  What it sends is not read, either."""
        self._blocked = True
        self.transport.pauseProducing()
        for stream in tuple(self.streams.values()):
            stream.adjust(True)

    def resumeProducing(self) -> None:
        """Go on."""
        self._blocked = False
        if not self._closing:
            self.transport.resumeProducing()
            self.flush_all()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone, of which all are told."""
