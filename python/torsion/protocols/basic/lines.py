"""Receivers of lines.  The splitting is :class:`torsion.wire.framing.LineFramer`'s; here is what happens to the lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from torsion.internet.protocol import Protocol
from torsion.protocols.basic._pausing import PauseableMixin
from torsion.protocols.basic._settings import settle
from torsion.wire import MAX_LINE, LimitExceeded
from torsion.wire.framing import LineFramer

__all__ = ["LineOnlyReceiver", "LineReceiver"]


class _Unconnected:
    """The transport of a protocol that has none: data may be fed to it all the same."""

    disconnecting: Final = False


_UNCONNECTED: Final = _Unconnected()
_NOTHING: Final[Iterator[bytes]] = iter(())
_SHORT: Final = 256  # data of so few bytes is a single line more often than not


class _Lines(Protocol):
    """What both receivers share."""

    delimiter: bytes = b"\r\n"
    """What ends a line, one byte or more.  May be changed at any time; it holds for all that was not yet delivered."""

    MAX_LENGTH: int = MAX_LINE
    """The longest line, in bytes and without its delimiter.  May be changed as the delimiter may."""

    _framer: LineFramer | None = None
    _batch: Iterator[bytes] = _NOTHING  # lines that are cut off and not yet delivered; _NOTHING once it is exhausted
    _rules: tuple[bytes, int]  # what they were cut by
    _busy = False

    def lineReceived(self, line: bytes) -> Any:
        """Take one line, without its delimiter.  Override this."""
        raise NotImplementedError(f"{type(self).__name__} must define lineReceived")

    def lineLengthExceeded(self, line: bytes) -> Any:
        """Be told of a line longer than :attr:`MAX_LENGTH`.  Closes the connection, unless overridden."""
        self.transport.loseConnection()

    def sendLine(self, line: bytes) -> None:
        """Send *line*, to which the delimiter is added; both leave in one piece."""
        # Joined first: for lines of the usual length that costs less than handing two pieces to the transport.
        self.transport.write(line + self.delimiter)

    def _begin(self, *settings: str) -> LineFramer:
        """Make ready for the first data."""
        settle(self, "MAX_LENGTH", "_batch", "_busy", "delimiter", *settings)
        self._framer = framer = LineFramer()
        return framer

    def _take_rest(self) -> bytes:
        """Return all that is not yet delivered, and forget it."""
        if self._framer is None:
            return b""
        if self._batch is not _NOTHING:
            self._framer.requeue(list(self._batch))
            self._batch = _NOTHING
        return self._framer.take_rest()


class LineReceiver(_Lines, PauseableMixin):
    """Receives lines and, where the protocol has such stretches, raw data between them.

    Override :meth:`lineReceived`, and :meth:`rawDataReceived` if you call :meth:`setRawMode`.  Hooks may switch modes,
    pause, change :attr:`delimiter` and :attr:`MAX_LENGTH`, and feed more data: it holds from the next line on, also when
    that came in together with this one.  After a hook that called ``transport.loseConnection()`` nothing is delivered
    any more of what has come in.
    """

    line_mode: bool | int = 1
    """Whether what comes in is delivered as lines; otherwise it is raw data."""

    def dataReceived(self, data: bytes) -> Any:
        """Deliver the lines, or the raw data, that *data* completes.  Called from within a hook, it buffers *data* only.

        Returns None, or what a hook returned that was true: delivery has stopped there, and goes on with the next call.
        """
        framer = self._framer
        if framer is None:
            framer = self._begin("line_mode", "paused")
        if self._busy or self.paused:
            framer.hold(data)
            return None
        self._busy = True
        transport = _UNCONNECTED if self.transport is None else self.transport
        try:
            while not self.paused:
                if not self.line_mode:
                    if not (data := self._take_rest() + data):
                        return None
                    if why := self.rawDataReceived(data):
                        return why
                    data = b""
                    continue
                if self._batch is not _NOTHING:
                    framer.hold(data)
                    delimiter, longest = self._rules
                else:
                    delimiter = self.delimiter
                    longest = self.MAX_LENGTH
                    if delimiter and not framer.buffered and len(data) <= _SHORT <= longest and type(data) is bytes:
                        # One line and nothing else is what conversations are made of: it needs no batch.
                        line, end, rest = data.partition(delimiter)
                        if end and not rest:
                            if (why := self.lineReceived(line)) or not framer.more or transport.disconnecting:
                                return why or None
                            data = b""
                            continue
                    try:
                        self._batch = iter(framer.feed(data, delimiter, longest))
                        self._rules = delimiter, longest
                    except LimitExceeded:
                        if (why := self.lineLengthExceeded(framer.take_rest())) or transport.disconnecting:
                            return why or None
                data = b""
                for line in self._batch:
                    if self.delimiter is not delimiter or self.MAX_LENGTH is not longest:
                        framer.requeue([line, *self._batch])
                    elif (why := self.lineReceived(line)) or transport.disconnecting:
                        return why or None
                    elif self.paused or not self.line_mode:
                        break
                else:
                    self._batch = _NOTHING
                    if not framer.more:
                        return None
            return None
        finally:
            self._busy = False

    def rawDataReceived(self, data: bytes) -> Any:
        """Take *data* that came in while in raw mode, cut anywhere.  Override this if :meth:`setRawMode` is called.

        Where a line begins in the middle of *data*, give the rest of it to :meth:`setLineMode`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define rawDataReceived, as it calls setRawMode")

    def setRawMode(self) -> None:
        """Deliver what comes in from here on by :meth:`rawDataReceived`, what is buffered included."""
        self.line_mode = 0

    def setLineMode(self, extra: bytes = b"") -> Any:
        """Deliver lines from here on; *extra* is the part of the raw data that belongs to them.

        Returns what :meth:`dataReceived` returns for *extra*, or None.
        """
        self.line_mode = 1
        if extra:
            return self.dataReceived(extra)
        return None

    def clearLineBuffer(self) -> bytes:
        """Forget all that is buffered, and return it.  From within a hook this is what came in after the hook's line."""
        return self._take_rest()


class LineOnlyReceiver(_Lines):
    """Receives lines and nothing else: no raw data, no pausing.

    Override :meth:`lineReceived`; what it returns has no meaning.
    """

    def dataReceived(self, data: bytes) -> Any:
        """Deliver the lines that *data* completes; nothing any more once the transport is closing.

        Called from within a hook, it buffers *data* only.  Returns None, or what :meth:`lineLengthExceeded` returned if
        that was true; delivery has stopped there, and goes on with the next call.
        """
        framer = self._framer
        if framer is None:
            framer = self._begin()
        if self._busy:
            framer.hold(data)
            return None
        self._busy = True
        transport = _UNCONNECTED if self.transport is None else self.transport
        try:
            while not transport.disconnecting:
                if self._batch is not _NOTHING:
                    framer.hold(data)
                    delimiter, longest = self._rules
                else:
                    delimiter = self.delimiter
                    longest = self.MAX_LENGTH
                    try:
                        self._batch = iter(framer.feed(data, delimiter, longest))
                        self._rules = delimiter, longest
                    except LimitExceeded:
                        line, _, rest = framer.take_rest().partition(delimiter)
                        framer.hold(rest)
                        if why := self.lineLengthExceeded(line):
                            return why
                data = b""
                for line in self._batch:
                    if self.delimiter is not delimiter or self.MAX_LENGTH is not longest:
                        framer.requeue([line, *self._batch])
                        break
                    self.lineReceived(line)
                    if transport.disconnecting:
                        break
                else:
                    self._batch = _NOTHING
                    if not framer.more:
                        return None
            return None
        finally:
            self._busy = False
