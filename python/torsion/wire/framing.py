"""Lines, length-prefixed strings and netstrings out of a byte stream, in batches.

A framer is fed bytes and gives back, in one list, the frames that are complete.  Nothing is called, so the one who
feeds may stop in the middle of a batch: :meth:`requeue` returns what was not used, :meth:`take_rest` leaves framing
altogether.  All three framers have the same seven names, and differ in the rules that ``feed`` is given::

    LineFramer().feed(data, delimiter, max_length)        delimiter: bytes, not empty
    PrefixFramer().feed(data, prefix, max_length)         prefix: struct.Struct of one integer, the length
    NetstringFramer().feed(data, max_length)

    feed(data, *rules) -> list[bytes]    add *data* (may be empty) behind what is buffered; give the frames that are
                                         complete, oldest first, those of a large buffer a part at a time
    more -> bool                         there may be frames left: use the batch, then feed(b"", *rules) again
    requeue(frames)                      put frames back in front; they must be the last ones of the last batch
    hold(data)                           add *data* behind what is buffered without looking at it; sets ``more``
    take_rest() -> bytes                 give all that is buffered, as it came in, and forget it
    buffered -> int                      how many bytes that would be

The rules are given each time because their owner may change them between any two frames.  They hold for everything
that was not yet given away: after a change, requeue and feed again.

When the frame that comes next breaks the rules, the frames before it are given first (with ``more`` set).  The next
``feed`` raises :class:`LimitExceeded` for a frame that is too long, finished or not, or another
:class:`RemoteProtocolError`, and goes on raising it while the bytes stay and the rules forbid them.  So a framer that
is fed only until it raises never buffers more than one frame of the longest allowed kind and the last *data*.

The cost of a byte does not depend on how the stream is cut: buffered bytes are searched once, and moved a bounded
number of times, unless frames are put back or the rules change.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from struct import Struct
from typing import Final

from torsion.wire._base import Buffer, LimitExceeded, RemoteProtocolError

__all__ = ["LineFramer", "NetstringFramer", "PrefixFramer"]

WIDEST: Final = 16_384
"""How many buffered bytes are cut into frames at once.  As many as there are would do for speed, but short frames take
up to twenty times the memory of the bytes that they are made of."""

NARROWEST: Final = 128
"""The same, for one who puts back nearly all of each batch, to look at one frame at a time."""

HEADER: Final = 64
"""Enough bytes to tell how long a counted frame will be."""

LENGTH: Final = re.compile(rb"0|[1-9][0-9]*")
COLON: Final = ord(":")
COMMA: Final = ord(",")


class Framer(ABC):
    """The buffer under all three framers."""

    __slots__ = ("_buffer", "_start", "_window", "buffered", "more")

    buffered: int
    """How many bytes are held: an unfinished frame, and what is left for the next ``feed``.  Only to be read."""

    more: bool
    """Whether there may be complete frames among them, or one that breaks the rules.  Only to be read."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0  # what stands before was given away; kept until the next feed, so that requeue can step back
        self._window = WIDEST
        self.buffered = 0
        self.more = False

    def hold(self, data: Buffer) -> None:
        """Add *data* behind what is buffered without looking at it."""
        if data:
            self._buffer += data
            self.buffered += len(data)
            self.more = True

    def requeue(self, frames: list[bytes]) -> None:
        """Put *frames*, the last ones of the last batch, back in front of what is buffered."""
        if not frames:
            return
        wire = self._encode(frames)
        start = self._start - len(wire)
        if start >= 0:
            self._start = start  # they were cut out of the buffer, and still stand there
        else:
            self._buffer[self._start : self._start] = wire
        self.buffered += len(wire)
        self.more = True
        self._window = max(self._window // 4, NARROWEST)

    def take_rest(self) -> bytes:
        """Return all that is buffered, as it came in, and forget it."""
        rest = bytes(memoryview(self._buffer)[self._start :]) if self._start else bytes(self._buffer)
        self._forget()
        return rest

    @abstractmethod
    def _encode(self, frames: list[bytes]) -> bytes:
        """Return the bytes that *frames* were made of, by the rules of the last feed."""

    def _append(self, data: Buffer) -> bytearray:
        """Drop what was given away, add *data*, and return the buffer, of which all is unlooked at for now."""
        buffer = self._buffer
        if self._start:
            del buffer[: self._start]  # moves no bytes, or rarely
            self._start = 0
        if data:
            buffer += data
        self.buffered = len(buffer)
        self.more = True
        return buffer

    def _give(self, taken: int, more: bool) -> None:
        """Count the first *taken* bytes of the buffer as given away."""
        if taken == len(self._buffer):
            self._forget()
            return
        self._start = taken
        self.buffered -= taken
        self.more = more

    def _forget(self) -> None:
        self._buffer.clear()
        self._start = 0
        self.buffered = 0
        self.more = False

    def _widen(self) -> None:
        if self._window < WIDEST:
            self._window *= 2


class LineFramer(Framer):
    """Lines that end with a delimiter; they are given without it.  See the module's head."""

    __slots__ = ("_delimiter", "_searched")

    def __init__(self) -> None:
        super().__init__()
        self._delimiter = b""  # the one of the last feed
        self._searched = 0  # in the buffer, none begins before

    def feed(self, data: Buffer, delimiter: bytes, max_length: int) -> list[bytes]:
        """Return the lines that are complete once *data* has come in, none longer than *max_length*.

        An unfinished line may have *max_length* bytes and a part of the delimiter.
        Raises :class:`LimitExceeded`; :class:`ValueError` if the delimiter is empty.
        """
        size = self.buffered + len(data)
        if size <= max_length and size <= self._window and delimiter:
            # The usual case: little enough to be cut at once, and no line of it can be too long.
            if self.buffered or type(data) is not bytes:
                data = self.take_rest() + data
            self._delimiter = delimiter
            lines = data.split(delimiter)
            if tail := lines.pop():
                self._buffer += tail
                self.buffered = len(tail)
            return lines
        return self._cut(self._append(data), delimiter, max_length)

    def requeue(self, frames: list[bytes]) -> None:
        super().requeue(frames)
        self._searched = 0

    def _encode(self, frames: list[bytes]) -> bytes:
        return self._delimiter.join([*frames, b""])

    def _forget(self) -> None:
        super()._forget()
        self._searched = 0

    def _append(self, data: Buffer) -> bytearray:
        self._searched = max(0, self._searched - self._start)
        return super()._append(data)

    def _cut(self, buffer: bytearray, delimiter: bytes, max_length: int) -> list[bytes]:
        """Return the lines that end within the window, or one that goes beyond it."""
        if not delimiter:
            raise ValueError("the delimiter is empty: no line would ever end, or all at once")
        if delimiter != self._delimiter:
            self._delimiter = delimiter
            self._searched = 0
        size = len(buffer)
        width = len(delimiter)
        first = buffer.find(delimiter, self._searched, max_length + width)
        if first < 0:
            if size >= max_length + width:
                raise LimitExceeded("line", max_length + 1, max_length)
            self._searched = max(0, size - width + 1)
            self.more = False
            return []
        reach = min(size, max(first + width, self._window))
        # From the front, never by a search from the end: a delimiter may overlap itself.
        *lines, tail = bytes(memoryview(buffer)[:reach]).split(delimiter)
        taken = reach - len(tail)
        if taken > max_length + width:
            for index, line in enumerate(lines):
                if len(line) > max_length:
                    del lines[index:]
                    taken = sum(map(len, lines)) + index * width
                    reach = 0  # the next feed is to raise
                    break
        self._widen()
        self._searched = taken
        self._give(taken, reach < size or size - taken >= max_length + width)
        return lines


class CountedFramer(Framer):
    """Frames that tell their length beforehand."""

    __slots__ = ("_needed",)

    def __init__(self) -> None:
        super().__init__()
        self._needed = 0  # how many bytes the first frame will have had, as far as is known

    def _take(self, data: Buffer, rule: Struct | None, max_length: int) -> list[bytes]:
        """Return the complete frames at the front; the work of the subclasses' ``feed``."""
        buffer = self._buffer
        if not buffer and type(data) is bytes and len(data) <= self._window:
            frames, taken, error = self._parse(data, rule, max_length)
            if taken < len(data):
                buffer += data[taken:]
                self.buffered = len(buffer)
                self.more = error is not None
            if error is not None and not frames:
                raise error
            return frames
        buffer = self._append(data)
        # While a long frame trickles in, look at nothing but its head.
        look = HEADER if len(buffer) < self._needed else self._window
        while True:
            frames, taken, error = self._parse(bytes(memoryview(buffer)[:look]), rule, max_length)
            if frames or error is not None or not look < self._needed <= len(buffer):
                break
            look = self._needed
        if frames:
            self._widen()
            self._give(taken, error is not None or look < len(buffer))
        elif error is not None:
            raise error
        else:
            self.more = False
        return frames

    @abstractmethod
    def _parse(
        self, source: bytes, rule: Struct | None, max_length: int
    ) -> tuple[list[bytes], int, RemoteProtocolError | None]:
        """Return the frames at the front of *source*, their bytes' count, and what is wrong with the next one.

        Sets ``_needed`` for a frame that is not complete.
        """


class PrefixFramer(CountedFramer):
    """Strings with their length in front, a number of fixed size.  See the module's head."""

    __slots__ = ("_prefix",)

    def __init__(self) -> None:
        super().__init__()
        self._prefix = Struct("!I")

    def feed(self, data: Buffer, prefix: Struct, max_length: int) -> list[bytes]:
        """Return the strings that are complete once *data* has come in.  Raises :class:`LimitExceeded`."""
        self._prefix = prefix
        return self._take(data, prefix, max_length)

    def _encode(self, frames: list[bytes]) -> bytes:
        pack = self._prefix.pack
        return b"".join([part for frame in frames for part in (pack(len(frame)), frame)])

    def _parse(
        self, source: bytes, rule: Struct | None, max_length: int
    ) -> tuple[list[bytes], int, RemoteProtocolError | None]:
        prefix = self._prefix
        unpack = prefix.unpack_from
        width = prefix.size
        size = len(source)
        frames: list[bytes] = []
        taken = 0
        self._needed = 0
        while (begin := taken + width) <= size:
            (length,) = unpack(source, taken)
            if not 0 <= length <= max_length:
                return frames, taken, LimitExceeded("string", length, max_length)
            end = begin + length
            if end > size:
                self._needed = width + length
                break
            frames.append(source[begin:end])
            taken = end
        return frames, taken, None


class NetstringFramer(CountedFramer):
    """Netstrings, ``5:hello,``.  See the module's head, and https://cr.yp.to/proto/netstrings.txt."""

    __slots__ = ()

    def feed(self, data: Buffer, max_length: int) -> list[bytes]:
        """Return the strings that are complete once *data* has come in.

        Raises :class:`LimitExceeded`, and :class:`RemoteProtocolError` for a length that is no plain decimal number, or
        for a string that does not end where its length says.
        """
        return self._take(data, None, max_length)

    def _encode(self, frames: list[bytes]) -> bytes:
        return b"".join([b"%d:%b," % (len(frame), frame) for frame in frames])

    def _parse(
        self, source: bytes, rule: Struct | None, max_length: int
    ) -> tuple[list[bytes], int, RemoteProtocolError | None]:
        size = len(source)
        head = len(str(max_length)) + 1  # a longer number is too great, whatever its digits are
        frames: list[bytes] = []
        taken = 0
        self._needed = 0
        while taken < size:
            number = LENGTH.match(source, taken, taken + head)
            if number is None:
                return frames, taken, RemoteProtocolError("netstring: does not begin with a length")
            length = int(number[0])
            if length > max_length:
                return frames, taken, LimitExceeded("netstring", length, max_length)
            colon = number.end()
            if colon == size:
                break
            if source[colon] != COLON:
                return frames, taken, RemoteProtocolError(f"netstring: length {number[0]!r} is not followed by a colon")
            end = colon + 1 + length
            if end >= size:
                self._needed = end + 1 - taken
                break
            if source[end] != COMMA:
                return frames, taken, RemoteProtocolError(f"netstring: {length} bytes are not followed by a comma")
            frames.append(source[colon + 1 : end])
            taken = end + 1
        return frames, taken, None
