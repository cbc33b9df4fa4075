"""What a connection sends: frames of many responses, in turn, as fast as the client takes them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.error import ConnectionAborted
from torsion.python.failure import Failure
from torsion.web.http2.limits import FRAME, GRANT, KEPT_IN_ALL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.web.http2.stream import Stream
    from torsion.web.multiplex.counting import Toll

__all__ = ["Outgoing"]

CORK = 64 * 1024
"""Bytes that are gathered, while what has come is handled, before they are sent: so much does one write of the system take."""


class Outgoing:
    """The part of a connection that sends.

    While bytes of the client are handled, responses are gathered: a head, a body and its end are often one write.

    :ivar streams: the requests under way, by their numbers; who has sent last is last.
    :ivar kept: the bytes of all responses that wait.
    :ivar held: the bytes of all bodies that resources have paused and that the client may send as many more of all for.
    """

    transport: Any
    _h2: Any
    _toll: Toll
    _clock: Any
    _blocked = False
    _closing = False
    _handling = False
    _pending = 0
    _owed = 0
    _held_call: Any = None
    kept = 0
    held = 0

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self._dirty: dict[int, Stream] = {}
        self._held: deque[Stream] = deque()

    def _ended(self) -> None:
        raise NotImplementedError  # the connection, of which this is a part, has it

    def _count_reset(self) -> None:
        raise NotImplementedError  # the connection, of which this is a part, has it

    def _send(self) -> None:
        self._pending = 0
        data = self._h2.data_to_send()
        if data and self.transport is not None:
            self.transport.write(data)

    def flush(self, stream: Stream, now: bool = False) -> None:
        """Send what the windows allow of a response.

        :param now: whether it cannot wait until all has been handled that has come.
        """
        if self._handling and not now:
            self._dirty[stream.id] = stream
        else:
            self.flush_all((stream,))

    def flush_all(self, streams: Iterable[Stream] | None = None) -> None:
        """Send what the windows allow: a frame of each response, then another."""
        from h2.exceptions import ProtocolError

        streams = tuple(self.streams.values()) if streams is None else tuple(streams)
        ready = deque(streams)
        while ready and not self._closing:
            stream = ready.popleft()
            if stream.gone:
                continue
            try:
                more = self._step(stream)
            except ProtocolError:  # what has come closed the stream, of which we are about to be told
                self._forget(stream)
                stream.lost(Failure(ConnectionAborted("the stream is closed")))
                continue
            if more:
                ready.append(stream)
        if not self._handling or self._pending >= CORK:
            self._send()
        for stream in streams:
            if not stream.gone:
                stream.adjust(self._blocked)
        self.look_at_held()

    def _step(self, stream: Stream) -> bool:
        """Send one frame of a response; return whether another can follow."""
        over = stream.ends
        head = stream.head
        if head is not None:
            stream.head = None
            self._h2.send_headers(stream.id, head, end_stream=over)
            self._pending += 64
            if over:
                self._answered(stream)
                return False
        if not stream.waiting:
            if stream.over:
                if stream.behind:
                    self._h2.send_headers(stream.id, stream.behind, end_stream=True)
                else:
                    self._h2.end_stream(stream.id)
                self._answered(stream)
            return False
        if self._blocked:
            return False
        most = min(self._h2.local_flow_control_window(stream.id), self._h2.max_outbound_frame_size, FRAME)
        if most <= 0:
            return False
        data = stream.take(most)
        over = stream.ends
        size = len(data)
        self._h2.send_data(stream.id, data, end_stream=over)
        self._toll.sent(size)
        stream.sent(size)
        self._pending += size
        if self._pending >= CORK:
            self._send()  # which may block us
        if over:
            self._answered(stream)
            return False
        if stream.waiting:  # the others come first the next time
            self.streams[stream.id] = self.streams.pop(stream.id)
            return True
        return stream.over  # there are fields behind the body

    def _answered(self, stream: Stream) -> None:
        """Take a response's end."""
        self._forget(stream)
        if stream.receiving:  # the rest of the request is not wanted: RFC 9113, 8.1
            self._h2.reset_stream(stream.id, 0)
            self._count_reset()
        else:
            self._toll.answered()
        stream.done()

    def _forget(self, stream: Stream) -> None:
        self.streams.pop(stream.id, None)
        self._dirty.pop(stream.id, None)
        self._ended()

    # --- requests that wait for the responses of others -------------------------------------------------------------

    def look_at_held(self) -> None:
        """See whether requests that have had to wait can begin."""
        if self._held and self._held_call is None and self.kept < KEPT_IN_ALL and not self._closing:
            self._held_call = self._clock.callLater(0, self._begin_held)

    def _begin_held(self) -> None:
        """Begin requests that had to wait, as long as not too much is kept."""
        self._held_call = None
        while self._held and self.kept < KEPT_IN_ALL and not self._closing:
            self._held.popleft().begin_late()

    # --- the client's windows for bodies -----------------------------------------------------------------------------

    def grant(self, stream: Stream | None, size: int, of_all: int | None = None) -> None:
        """Let the client send so many bytes more.

        :param stream: of this request, and of all; None for of all.
        :param of_all: how many of all, if there are others.
        """
        from h2.exceptions import ProtocolError

        if self._closing or not size:
            return
        self._owed += size if of_all is None else of_all
        if stream is not None and stream.receiving and not stream.gone:
            stream.owed += size
            if stream.owed >= GRANT:
                owed, stream.owed = stream.owed, 0
                try:
                    self._h2.increment_flow_control_window(owed, stream.id)
                except (ProtocolError, KeyError):
                    pass  # it is closed meanwhile; h2 has forgotten it, perhaps
        if self._owed >= GRANT:
            owed, self._owed = self._owed, 0
            self._h2.increment_flow_control_window(owed)
        if not self._handling:
            self._send()
