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

NARROWEST: Final = 256
"""The same, for one who puts frames back again and again."""

SINGLY: Final = 32
"""How many lines are given one by one after some were put back, as somebody does who looks for the end of a header."""

HEADER: Final = 64
"""Enough bytes to tell how long a counted frame will be."""

LENGTH: Final = re.compile(rb"0|[1-9][0-9]*")
COLON: Final = ord(":")
COMMA: Final = ord(",")


class Framer(ABC):
    """The buffer under all three framers."""

    __slots__ = ("_data", "_known", "_start", "_window", "buffered", "more")

    buffered: int
    """How many bytes are held: an unfinished frame, and what is left for the next ``feed``.  Only to be read."""

    more: bool
    """Whether there may be complete frames among them, or one that breaks the rules.  Only to be read."""

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""  # bytes as they came in; a bytearray once more was added
        self._start = 0  # what stands before was given away, and may be put back
        self._known = 0  # what an earlier feed found out about the first frame; each framer has its own use for it
        self._window = WIDEST
        self.buffered = 0
        self.more = False

    def hold(self, data: Buffer) -> None:
        """Add *data* behind what is buffered without looking at it."""
        if data:
            self._add(data)

    def requeue(self, frames: list[bytes]) -> None:
        """Put *frames*, the last ones of the last batch, back in front of what is buffered."""
        if not frames:
            return
        wire = self._encode(frames)
        start = self._start - len(wire)
        if start >= 0:
            self._start = start  # they still stand there
        else:
            self._data = wire + self._data[self._start :]
            self._start = 0
        self.buffered += len(wire)
        self.more = True
        self._window = max(self._window // 4, NARROWEST)

    def take_rest(self) -> bytes:
        """Return all that is buffered, as it came in, and forget it."""
        rest = self._data[self._start :] if self._start else self._data
        self._data = b""
        self._start = self._known = self.buffered = 0
        self.more = False
        return rest if type(rest) is bytes else bytes(rest)

    @abstractmethod
    def _encode(self, frames: list[bytes]) -> bytes:
        """Return the bytes that *frames* were made of, by the rules of the last feed."""

    def _add(self, data: Buffer) -> None:
        """Add *data*, unlooked at."""
        if not self.buffered:
            self._data = data if type(data) is bytes else bytes(data)
            self._start = 0
        else:
            buffer = self._data
            if type(buffer) is bytearray:
                del buffer[: self._start]  # moves no bytes, or rarely
            else:
                buffer = self._data = bytearray(memoryview(buffer)[self._start :])
            self._start = 0
            buffer += data
        self.buffered += len(data)
        self.more = True

    def _look(self, size: int) -> bytes:
        """Return the first *size* bytes of what is buffered."""
        found = self._data[self._start : self._start + size]
        return found if type(found) is bytes else bytes(found)

    def _give(self, size: int, more: bool) -> None:
        """Count the first *size* bytes of what is buffered as given away."""
        self._start += size
        self.buffered -= size
        self.more = more and self.buffered > 0
        if not self.more:  # the little that is left, if any, shall not keep all the rest in memory
            self._data = self._data[self._start :]
            self._start = 0

    def _widen(self) -> None:
        if self._window < WIDEST:
            self._window *= 2


class LineFramer(Framer):
    """Lines that end with a delimiter; they are given without it.  See the module's head."""

    __slots__ = ("_delimiter", "_singly")

    def __init__(self) -> None:
        super().__init__()
        self._delimiter = b""  # the one of the last feed; _known many buffered bytes do not begin it
        self._singly = 0

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
                self._data = tail
                self.buffered = len(tail)
            return lines
        if data:
            self._add(data)
        if not delimiter:
            raise ValueError("the delimiter is empty: no line would ever end, or all at once")
        return self._cut(delimiter, max_length)

    def requeue(self, frames: list[bytes]) -> None:
        """Put *frames*, the last ones of the last batch, back in front of what is buffered."""
        if frames:
            super().requeue(frames)
            self._singly = SINGLY

    def _encode(self, frames: list[bytes]) -> bytes:
        return self._delimiter.join([*frames, b""])

    def _cut(self, delimiter: bytes, max_length: int) -> list[bytes]:
        """Return the lines that end within the window, or one that goes beyond it."""
        if delimiter != self._delimiter:
            self._delimiter = delimiter
            self._known = 0
        start = self._start
        width = len(delimiter)
        end = self._data.find(delimiter, start + self._known, start + max_length + width) - start
        if end < 0:
            if self.buffered >= max_length + width:
                raise LimitExceeded("line", max_length + 1, max_length)
            self._known = max(0, self.buffered - width + 1)
            self.more = False
            return []
        self._known = 0
        if self._singly:
            self._singly -= 1
            lines = [self._look(end)]
            self._give(end + width, more=True)
            return lines
        reach = max(end + width, self._window)
        source = self._look(reach)
        # From the front, never by a search from the end: a delimiter may overlap itself.
        *lines, tail = source.split(delimiter)
        taken = len(source) - len(tail)
        more = reach < self.buffered or self.buffered - taken >= max_length + width
        if taken > max_length + width:
            for index, line in enumerate(lines):
                if len(line) > max_length:
                    del lines[index:]
                    taken = sum(map(len, lines)) + index * width
                    more = True
                    break
        self._widen()
        self._give(taken, more)
        return lines


class CountedFramer(Framer):
    """Frames that tell their length beforehand."""

    __slots__ = ()

    # _known is how many bytes the first frame is to have, or 0.

    def _take(self, data: Buffer, rule: Struct | None, max_length: int) -> list[bytes]:
        """Return the complete frames at the front; the work of the subclasses' ``feed``."""
        if not self.buffered and type(data) is bytes and len(data) <= self._window:
            frames, taken, error = self._parse(data, rule, max_length)
            if taken < len(data):
                self._add(data[taken:])
                self.more = error is not None
                if error is not None and not frames:
                    raise error
            return frames
        if data:
            self._add(data)
        # While a long frame trickles in, look at nothing but its head.
        look = HEADER if self.buffered < self._known else self._window
        while True:
            frames, taken, error = self._parse(self._look(look), rule, max_length)
            if frames or error is not None or not look < self._known <= self.buffered:
                break
            look = self._known
        if frames:
            self._widen()
            self._give(taken, more=error is not None or look < self.buffered)
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

        Sets ``_known`` for a frame that is not complete.
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
        if not self.buffered and (width := prefix.size) <= len(data) <= width + max_length and type(data) is bytes:
            (length,) = prefix.unpack_from(data)
            if width + length == len(data):
                return [data[width:]]  # one whole string and nothing else is the usual case
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
        self._known = 0
        while (begin := taken + width) <= size:
            (length,) = unpack(source, taken)
            if not 0 <= length <= max_length:
                return frames, taken, LimitExceeded("string", length, max_length)
            end = begin + length
            if end > size:
                self._known = width + length
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
        self._known = 0
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
                self._known = end + 1 - taken
                break
            if source[end] != COMMA:
                return frames, taken, RemoteProtocolError(f"netstring: {length} bytes are not followed by a comma")
            frames.append(source[colon + 1 : end])
            taken = end + 1
        return frames, taken, None
