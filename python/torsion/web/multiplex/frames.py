"""The frames that come, looked at before h2 has them: only their heads, of nine bytes.

h2 gathers the pieces of a block of headers, and of a frame, and tells nothing until it is whole; it tells nothing of many a frame
that it ignores; and it takes a GOAWAY for the end of everything, while requests under way go on (RFC 9113, 6.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torsion.web.multiplex.counting import Toll

__all__ = ["Frames", "TooMuchError", "WrongFrameError"]

HEADERS: Final = 64 * 1024
"""Bytes of a block of headers, packed, over all its frames: as for HTTP/1.1.  It is the end of blocks that are continued without
end (CVE-2024-27316)."""

LONGEST: Final = 16 * 1024
"""Bytes of a frame: neither end of ours allows longer ones.  h2 would wait until one is there."""

SMALL: Final = 1024
"""Bytes of a frame of data, from which on it pays for itself by what it takes to send it: one that is not wanted any more is no
attack.  Many are on their way when a large download is broken off."""

HEAD: Final = 9
DATA, HEADERS_FRAME, SETTINGS, PUSH_PROMISE, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 5, 7, 8, 9
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PROTOCOL, FRAME_SIZE = 0x1, 0x6


class TooMuchError(Exception):
    """The other end sends more of something than it may."""


class WrongFrameError(Exception):
    """The other end sends a frame against the rules that h2 does not mind, or minds late.

    Its arguments are a code of RFC 9113, 7, and why.
    """


class Frames:
    """Looks at what comes.

    :ivar in_block: whether a block of headers is coming in.
    :ivar unheard: how many small frames of data have come of which h2 has not told: see :meth:`heard`.
    :ivar greeted: whether the other end has sent its settings, which must come first.
    :ivar farewells: what GOAWAY frames have said: the number of the last request that was looked at, a code (RFC 9113, 7), and
        what was said besides.
    """

    def __init__(self, toll: Toll, preface: int = 0) -> None:
        """Begin at the beginning of a connection.

        :param toll: counts frames that carry nothing.
        :param preface: how many bytes come before the first frame.
        """
        self._toll = toll
        self._skip = preface
        self._rest = b""
        self._block = 0
        self._ends_block = False
        self._goaway: bytearray | None = None
        self._kind = -1
        self._length = 0
        self._stream = 0
        self.unheard = 0
        self.in_block = self.greeted = False
        self.farewells: list[tuple[int, int, bytes]] = []

    @property
    def partly(self) -> tuple[int, int]:
        """The stream of which a frame of data is coming in, and how many bytes of it have come; 0 and 0 if there is none."""
        if self._kind == DATA and self._skip:
            return self._stream, self._length - self._skip
        return 0, 0

    def look(self, data: bytes) -> bytes:
        """Count what comes; return what h2 is to have of it.

        :raises TooMuchError: if there is too much of something.
        :raises WrongFrameError: if a frame is wrong.
        """
        if self._rest:
            data, self._rest = self._rest + data, b""
        place, start, size = 0, 0, len(data)
        kept: list[bytes] = []
        while True:
            if self._skip:
                step = min(self._skip, size - place)
                if self._goaway is not None:
                    self._goaway += data[place : place + step]
                    start = place + step
                self._skip -= step
                place += step
                if self._skip:
                    break
                self._ended()
            if size - place < HEAD:
                self._rest = data[place:]
                size = place
                break
            if self._began(data, place):
                kept.append(data[start:place])
                start = place + HEAD
            place += HEAD
        if not kept and not start and size == len(data):
            return data
        kept.append(data[start:size])
        return b"".join(kept)

    def heard(self, size: int) -> None:
        """Learn that h2 has told of a frame of data, of so many bytes."""
        if 0 < size < SMALL:
            self.unheard -= 1

    def count_unheard(self) -> None:
        """Count frames of data of which h2 has not told, after it has told of all it tells of: their streams are closed.

        :raises TooMuchError: if there are too many.
        """
        unheard, self.unheard = self.unheard, 0
        for _ in range(unheard):
            if self._toll.control():
                raise TooMuchError("data for streams that are closed")

    def _began(self, data: bytes, place: int) -> bool:
        """Take the head of a frame; return whether h2 is not to have the frame."""
        length = int.from_bytes(data[place : place + 3], "big")
        kind, flags = data[place + 3], data[place + 4]
        stream = int.from_bytes(data[place + 5 : place + HEAD], "big") & 0x7FFFFFFF
        self._kind, self._length, self._stream = kind, length, stream
        if kind == SETTINGS:
            self.greeted = True
            if length and flags & ACK:
                raise WrongFrameError(FRAME_SIZE, "an acknowledgement of settings that is not empty")
        elif not self.greeted:
            begins = bytes(data[place : place + HEAD])
            raise WrongFrameError(PROTOCOL, f"the first frame is not one of settings, but begins with {begins!r}")
        if length > LONGEST:
            raise WrongFrameError(FRAME_SIZE, f"a frame of {length} bytes")
        self._skip = length
        farewell = False
        if kind == HEADERS_FRAME or (kind == CONTINUATION and self.in_block):
            if kind == HEADERS_FRAME:
                self.in_block, self._block = True, 0
            self._block += length
            self._ends_block = bool(flags & END_HEADERS)
            if self._block > HEADERS:
                raise TooMuchError("headers")
            if not length:
                self._control(False)
        elif kind == DATA:
            if not length and not flags & END_STREAM:
                self._control(False)
        elif kind == PUSH_PROMISE:  # clients never send any, and ours has told servers not to
            raise WrongFrameError(PROTOCOL, "a push")
        else:
            farewell = kind == GOAWAY and not self.in_block and length >= 8 and not stream
            if farewell:
                self._goaway = bytearray()
            self._control(kind == WINDOW_UPDATE)
        if not length:
            self._ended()
        return farewell

    def _ended(self) -> None:
        """Take the end of a frame."""
        said = self._goaway
        if said is not None:
            self._goaway = None
            last = int.from_bytes(said[:4], "big") & 0x7FFFFFFF
            self.farewells.append((last, int.from_bytes(said[4:8], "big"), bytes(said[8:])))
        elif self._ends_block:
            self.in_block = self._ends_block = False
        elif self._kind == DATA and 0 < self._length < SMALL:
            self.unheard += 1

    def _control(self, window: bool) -> None:
        if self._toll.control(window):
            raise TooMuchError("frames that carry nothing")
