"""Time: what happens when a client takes too long, and how a connection ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torsion.internet.error import ConnectionAborted
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.http2.limits import DRAIN
from torsion.web.http2.outgoing import Outgoing

if TYPE_CHECKING:
    from torsion.web.http2.stream import Stream

__all__ = ["CALM", "COMPRESSION", "INTERNAL", "PROTOCOL", "REFUSED", "Patience"]

_log = Logger()

PROTOCOL, INTERNAL, REFUSED, CANCEL, COMPRESSION, CALM = 0x1, 0x2, 0x7, 0x8, 0x9, 0xB
"""Codes of RFC 9113, 7."""

_LAST: Final = 2**31 - 1
_GOAWAY: Final = 17  # the bytes of such a frame, which says nothing more
_FAREWELL: Final = b"farewell"  # what the ping has that tells when all has come that was under way


class Patience(Outgoing):
    """The part of a connection that ends what lasts too long, and the connection."""

    channel: Any
    factory: Any
    _draining = False
    _said = False  # whether the last farewell was said: nothing that comes now is taken
    _active = 0.0
    _timer: Any = None
    _block_call: Any = None
    _drain_call: Any = None
    _abort_call: Any = None

    def seconds(self) -> float:
        """Return the time."""
        return float(self._clock.seconds())

    def call_later(self, seconds: float, call: Any) -> Any:
        """Have something called in so many seconds."""
        return self._clock.callLater(seconds, call)

    # --- time-outs ---------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Have :meth:`_look` called when something may be late."""
        period = self.factory.timeOut
        if period is None or self._closing:
            return
        now = self._clock.seconds()
        if self.streams:
            since = [since for since in (stream.since() for stream in self.streams.values()) if since is not None]
            first = min(since, default=now)
        else:
            first = self._active
        self._timer = self._clock.callLater(max(first + period - now, 0), self._look, period)

    def _look(self, period: float) -> None:
        """Break off what the client's window has held up for so long, or what it does not send; close an idle connection."""
        self._timer = None
        now = self._clock.seconds()
        for stream in tuple(self.streams.values()):
            since = stream.since()
            if since is not None and now - since >= period:
                self.request_is_late(stream, 408)
        if not self.streams and now - self._active >= period:
            self.close(0, "nothing was asked for long")
        self._watch()

    def request_is_late(self, stream: Stream, code: int) -> None:
        """End a request that takes too long.

        :param code: the status code, if the answer has not begun.
        """
        _log.info("Timing out a request of {peer} over HTTP/2", peer=self.transport.getPeer())
        if stream.answering:
            self.reset(stream)
        else:
            self.refuse(stream, code)

    def _watch_block(self, coming: bool) -> None:
        """See to it that a block of headers comes to its end.

        :param coming: whether one is coming in.
        """
        call = self._block_call
        if not coming:
            if call is not None:
                self._block_call = None
                call.cancel()
        elif call is None and self.channel.headerTimeout is not None:
            self._block_call = self._clock.callLater(self.channel.headerTimeout, self._block_is_late)

    def _block_is_late(self) -> None:
        self._block_call = None
        self.close(CALM, "its headers took too long")

    # --- the end of a request ----------------------------------------------------------------------------------------

    def refuse(self, stream: Stream, code: int) -> None:
        """Answer a request with a status code and nothing else."""
        from h2.exceptions import ProtocolError

        if not stream.gone and not self._closing:
            try:
                fields = [(b":status", b"%d" % code), (b"content-length", b"0")]
                self._h2.send_headers(stream.id, fields, end_stream=True)
            except ProtocolError:
                pass  # it is closed meanwhile
            if stream.receiving:
                self._reset(stream, 0)
            self._drop(stream, f"it was refused with {code}")

    def reset(self, stream: Stream, code: int = CANCEL) -> None:
        """Break a request off."""
        if not stream.gone and not self._closing:
            self._reset(stream, code)
            self._drop(stream, "it was broken off")

    def _reset(self, stream: Stream, code: int) -> None:
        from h2.exceptions import ProtocolError

        try:
            self._h2.reset_stream(stream.id, code)
        except ProtocolError:
            pass  # it is closed meanwhile
        self._count_reset()

    def _count_reset(self) -> None:
        if self._toll.reset():
            self._too_much = "requests that it breaks off, or has broken off"

    _too_much = ""

    def _drop(self, stream: Stream, why: str) -> None:
        self._forget(stream)
        stream.lost(Failure(ConnectionAborted(why)))
        if not self._handling:
            self._send()
            self._end_flood()

    def _end_flood(self) -> None:
        if self._too_much and not self._closing:
            self.close(CALM, f"too many {self._too_much}")

    # --- the end of the connection -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Take no more requests but those that are under way, and close when all are answered: RFC 9113, 6.8."""
        if not self._draining and not self._closing:
            self._draining = True
            self._farewell(_LAST)
            self._h2.ping(_FAREWELL)
            self._send()
            self._drain_call = self._clock.callLater(DRAIN, self._finish)

    def _finish(self) -> None:
        """Take nothing more."""
        call, self._drain_call = self._drain_call, None
        if call is not None and call.active():
            call.cancel()
        if not self._said and not self._closing:
            self._draining = self._said = True
            self._farewell(self._h2.highest_inbound_stream_id)
            self._ended()

    def _client_finishes(self) -> None:
        """Learn that the client asks nothing more: it may close, or we do."""
        if self._drain_call is None and not self._said:
            self._drain_call = self._clock.callLater(DRAIN, self._finish)

    def _farewell(self, last: int, code: int = 0) -> None:
        from hyperframe.frame import GoAwayFrame

        self._send()
        # Not through h2, which would have all streams be over at once.
        self.transport.write(GoAwayFrame(0, last, error_code=code).serialize())

    def correct(self, code: int) -> None:
        """Say another code than the one with which h2 ends the connection."""
        said = self._h2.data_to_send()
        self.transport.write(said[:-_GOAWAY])
        self._farewell(self._h2.highest_inbound_stream_id, code)

    def _ended(self) -> None:
        """Learn that a request has ended."""
        if not self.streams and not self._closing:
            self._active = self._clock.seconds()
            if self._said and not self._handling:
                self._send()
                self._end()

    def close(self, code: int, why: str, told: bool = False) -> None:
        """Say that it is over, and close.

        :param code: of RFC 9113, 7.
        :param why: for the log.
        :param told: whether the client has been told.
        """
        from h2.exceptions import ProtocolError

        if self._closing:
            return
        if code:
            _log.info("An HTTP/2 connection of {peer} is closed: {why}", peer=self.transport.getPeer(), why=why)
        if not told:
            try:
                self._h2.close_connection(code)
            except ProtocolError:
                pass  # it has been said
        self._send()
        self._end(f"the HTTP/2 connection was closed: {why}")

    def _end(self, why: str = "the HTTP/2 connection was closed") -> None:
        self._closing = True
        self._stop()
        self._lose(Failure(ConnectionAborted(why)))
        if self.channel.abortTimeout is not None:
            self._abort_call = self._clock.callLater(self.channel.abortTimeout, self._abort)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _abort(self) -> None:
        """Abort the connection: it was to be closed, and the client did not take what was left."""
        self._abort_call = None
        self.transport.abortConnection()

    def _lose(self, reason: Failure) -> None:
        streams = tuple(self.streams.values())
        self.streams.clear()
        self._dirty.clear()
        self._held.clear()
        for stream in streams:
            stream.lost(reason)

    def _stop(self) -> None:
        """Stop all timers."""
        for name in ("_timer", "_block_call", "_drain_call", "_abort_call", "_held_call"):
            call = getattr(self, name)
            if call is not None:
                setattr(self, name, None)
                if call.active():
                    call.cancel()
