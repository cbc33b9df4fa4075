"""A connection of HTTP/2: many requests at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.error import ConnectionAborted
from torsion.internet.interfaces import IPushProducer, ISSLTransport
from torsion.internet.protocol import Protocol, connectionDone
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http2.limits import CONTROL, HEADERS, PERIOD, RESETS, STREAMS, WINDOW
from torsion.web.http2.stream import Stream

if TYPE_CHECKING:
    from torsion.web.http.channel import HTTPChannel

__all__ = ["HTTP2Connection"]

_log = Logger()

CANCEL, CALM, INTERNAL = 0x8, 0xB, 0x2


@implementer(IPushProducer)
class HTTP2Connection(Protocol):
    """The server's end of a connection; its requests are made by the factory of the channel that it stands for."""

    _blocked = False
    _closing = False
    _draining = False
    _timer: Any = None
    _resets = 0
    _control = 0
    _sent = 0
    _since = 0.0
    _active = 0.0

    def __init__(self, channel: HTTPChannel) -> None:
        """Take the place of a channel.

        :param channel: that of HTTP/1.1.
        :raises ImportError: if h2 is missing.
        """
        try:
            from h2.config import H2Configuration
            from h2.connection import H2Connection
        except ImportError as error:
            raise ImportError("HTTP/2 needs h2: pip install torsion[http2]", name="h2") from error
        self.channel = channel
        self.factory = channel.factory
        self.site = channel.site
        self._make_request = channel.requestFactory
        self._clock = self.factory.reactor
        self.streams: dict[int, Stream] = {}
        self._h2 = H2Connection(config=H2Configuration(client_side=False, header_encoding=None))

    def connectionMade(self) -> None:
        """Begin: tell the client our limits."""
        from h2.settings import SettingCodes

        self.secure = bool(ISSLTransport.providedBy(self.transport))
        self._h2.local_settings.update(
            {SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS, SettingCodes.MAX_HEADER_LIST_SIZE: HEADERS}
        )
        self._h2.initiate_connection()
        self.transport.registerProducer(self, True)
        self._send()
        self._active = self._clock.seconds()
        self._watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell all requests that are under way."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for stream in tuple(self.streams.values()):
            stream.lost(reason)
        self.streams.clear()

    def finish(self) -> None:
        """Take no more requests, and close when those under way are answered."""
        if not self._draining and not self._closing:
            from hyperframe.frame import GoAwayFrame

            self._draining = True
            # Not through h2, which would have all streams be over at once.
            self.transport.write(GoAwayFrame(0, self._h2.highest_inbound_stream_id).serialize())
            self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._draining and not self.streams and not self._closing:
            self._close(0)

    def _close(self, code: int) -> None:
        """Say that it is over, and close."""
        from h2.exceptions import ProtocolError

        self._closing = True
        try:
            self._h2.close_connection(code)
        except ProtocolError:
            pass  # it has been said
        self._send()
        for stream in tuple(self.streams.values()):
            stream.lost(Failure(ConnectionAborted(f"the HTTP/2 connection was closed with the code {code}")))
        self.streams.clear()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # --- what comes --------------------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the client."""
        from h2.exceptions import ProtocolError

        if self._closing:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as wrong:
            _log.info("An HTTP/2 client has broken the protocol: {wrong}", wrong=str(wrong) or type(wrong).__name__)
            self._close(int(getattr(wrong, "error_code", 1)))
            return
        self._active = self._clock.seconds()
        for event in events:
            if self._closing:
                return
            handler = getattr(self, f"_on_{type(event).__name__}", None)
            if handler is not None:
                handler(event)
        self._send()
        self._close_if_idle()

    def _on_RequestReceived(self, event: Any) -> None:
        if self._draining:
            self._h2.reset_stream(event.stream_id, 0x7)  # REFUSED_STREAM: it can be asked elsewhere
            return
        stream = Stream(self, event.stream_id)
        stream.progress = self._clock.seconds()
        self.streams[event.stream_id] = stream
        request = self._make_request(stream)
        stream.begin(request, event.headers)
        if not stream.isProper():
            stream.receiving = event.stream_ended is None
            self.refuse(stream, 400)
            return
        self._run(stream, stream.headReceived, event.stream_ended is not None)

    def _on_DataReceived(self, event: Any) -> None:
        if not event.data and event.stream_ended is None:
            self._count_control()
        stream = self.streams.get(event.stream_id)
        if stream is None or stream.gone:
            self.grant(0, event.flow_controlled_length)
        else:
            stream.progress = self._clock.seconds()
            self._run(stream, stream.dataReceived, event.data, event.flow_controlled_length)

    def _on_StreamEnded(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            self._run(stream, stream.ended)

    def _on_StreamReset(self, event: Any) -> None:
        self._count()
        self._resets += 1
        stream = self.streams.pop(event.stream_id, None)
        if stream is not None:
            stream.lost(Failure(ConnectionAborted("the client has taken its request back")))
        if self._resets > RESETS:
            self._close(CALM)

    def _on_WindowUpdated(self, event: Any) -> None:
        if self._sent >= WINDOW:
            self._sent -= WINDOW  # it was asked for
        else:
            self._count_control()
        self.flush_all()

    def _on_RemoteSettingsChanged(self, event: Any) -> None:
        self._count_control()
        self.flush_all()

    def _on_PingReceived(self, event: Any) -> None:
        self._count_control()

    def _on_ConnectionTerminated(self, event: Any) -> None:
        self._close(0)  # h2 sends nothing any more

    def _count(self) -> None:
        now = self._clock.seconds()
        if now - self._since > PERIOD:
            self._since, self._resets, self._control = now, 0, 0

    def _count_control(self) -> None:
        self._count()
        self._control += 1
        if self._control > CONTROL and not self._closing:
            self._close(CALM)

    def _run(self, stream: Stream, step: Any, *args: Any) -> None:
        """Call the program's code; what it raises costs this request and no more."""
        try:
            step(*args)
        except Exception:  # noqa: BLE001 - the program's
            _log.failure("A request could not be answered: {request!r}", request=stream.request)
            if stream._head_sent:
                self.reset(stream, INTERNAL)
            else:
                self.refuse(stream, 500)

    # --- what goes ---------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        data = self._h2.data_to_send()
        if data and self.transport is not None:
            self.transport.write(data)

    def send_head(self, stream: Stream, fields: list[tuple[bytes, bytes]]) -> None:
        """Send the head of a response."""
        self._h2.send_headers(stream.id, fields)
        self._send()

    def flush(self, stream: Stream) -> None:
        """Send what the windows allow of a response."""
        if self._closing or stream.gone:
            return
        while stream.waiting and not self._blocked:
            most = min(self._h2.local_flow_control_window(stream.id), self._h2.max_outbound_frame_size)
            if most <= 0:
                break
            data = stream.take(most)
            self._sent += len(data)
            self._h2.send_data(stream.id, data)
            stream.progress = self._clock.seconds()
            self._send()
        if stream.over:
            self._h2.end_stream(stream.id)
            stream.gone = True
            if stream.receiving:  # the rest of the request is not wanted: RFC 9113, 8.1
                self._h2.reset_stream(stream.id, 0)
            self.streams.pop(stream.id, None)
            self._send()
            self._close_if_idle()
        else:
            stream.adjust(self._blocked)

    def flush_all(self) -> None:
        """Send what the windows allow."""
        for stream in tuple(self.streams.values()):
            self.flush(stream)

    def grant(self, number: int, size: int) -> None:
        """Let the client send so many bytes more."""
        from h2.exceptions import ProtocolError

        if size and not self._closing:
            try:
                if number:
                    self._h2.acknowledge_received_data(size, number)
                else:
                    self._h2.increment_flow_control_window(size)
            except ProtocolError:
                return  # the stream is closed meanwhile
            self._send()

    def refuse(self, stream: Stream, code: int) -> None:
        """Answer a request with a status code and nothing else."""
        if not stream.gone and not self._closing:
            self._h2.send_headers(stream.id, [(b":status", b"%d" % code)], end_stream=True)
            if stream.receiving:
                self._h2.reset_stream(stream.id, 0)
            self._drop(stream, f"it was refused with {code}")

    def reset(self, stream: Stream, code: int = CANCEL) -> None:
        """Break a request off."""
        if not stream.gone and not self._closing:
            self._h2.reset_stream(stream.id, code)
            self._drop(stream, "it was broken off")

    def _drop(self, stream: Stream, why: str) -> None:
        self.streams.pop(stream.id, None)
        self._send()
        stream.lost(Failure(ConnectionAborted(why)))
        self._close_if_idle()

    # --- pressure and time -------------------------------------------------------------------------------------------

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

    def _watch(self, idle: float = 0.0) -> None:
        period = self.factory.timeOut
        if period is not None:
            self._timer = self._clock.callLater(max(period - idle, 0), self._look, period)

    def _look(self, period: float) -> None:
        """Close an idle connection; break off what the client's window has held up for so long, or what it does not send."""
        self._timer = None
        now = self._clock.seconds()
        for stream in tuple(self.streams.values()):
            if (stream.waiting or (stream.receiving and not stream._body_paused)) and now - stream.progress >= period:
                self.reset(stream)
        if self.streams:
            self._active = now
            self._watch()
        elif now - self._active >= period:
            self._close(0)
        else:
            self._watch(now - self._active)
