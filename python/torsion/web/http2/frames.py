"""The frames that come, looked at before h2 has them: only their heads, of nine bytes.

h2 gathers the pieces of a block of headers, and tells nothing until it is whole; it tells nothing of many a frame that it ignores;
and it takes a client's GOAWAY for the end of everything, while requests under way are to be answered (RFC 9113, 6.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torsion.web.http2.limits import HEADERS

if TYPE_CHECKING:
    from torsion.web.http2.counting import Toll

__all__ = ["Frames", "TooMuchError", "WrongFrameError"]

PREFACE: Final = 24
"""The bytes with which a client begins: RFC 9113, 3.4."""

HEAD: Final = 9
DATA, HEADERS_FRAME, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 7, 8, 9
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PROTOCOL, FRAME_SIZE = 0x1, 0x6

FAREWELL: Final = 16 * 1024
"""Bytes of a GOAWAY at most: what any frame can have, as we do not allow more.  h2 refuses longer ones."""


class TooMuchError(Exception):
    """A client sends more of something than it may."""


class WrongFrameError(Exception):
    """A client sends a frame against the rules that h2 does not mind; its arguments are a code of RFC 9113, 7, and why."""


class Frames:
    """Looks at what a client sends.

    :ivar in_block: whether a block of headers is coming in.
    :ivar data: how many frames of data have come of which h2 has not told.
    :ivar greeted: whether the client has sent its settings, which must come first.
    :ivar farewell: the code of the client's GOAWAY; None before that.
    """

    def __init__(self, toll: Toll) -> None:
        """Begin at the beginning of a connection.

        :param toll: counts frames that carry nothing.
        """
        self._toll = toll
        self._skip = PREFACE
        self._rest = b""
        self._block = 0
        self._ends_block = False
        self._goaway: bytearray | None = None
        self._kind = -1
        self.data = 0
        self.in_block = self.greeted = False
        self.farewell: int | None = None

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

    def _began(self, data: bytes, place: int) -> bool:
        """Take the head of a frame; return whether h2 is not to have the frame."""
        length = self._skip = int.from_bytes(data[place : place + 3], "big")
        kind, flags = data[place + 3], data[place + 4]
        self._kind = kind
        farewell = False
        if kind == SETTINGS:
            self.greeted = True
            if length and flags & ACK:
                raise WrongFrameError(FRAME_SIZE, "an acknowledgement of settings that is not empty")
        elif not self.greeted:
            raise WrongFrameError(PROTOCOL, "the first frame is not one of settings")
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
        else:
            farewell = (
                kind == GOAWAY
                and not self.in_block
                and 8 <= length <= FAREWELL
                and not any(data[place + 5 : place + HEAD])
            )
            if farewell:
                self._goaway = bytearray()
            self._control(kind == WINDOW_UPDATE)
        if not length:
            self._ended()
        return farewell

    def _ended(self) -> None:
        """Take the end of a frame."""
        if self._goaway is not None:
            self.farewell = int.from_bytes(self._goaway[4:8], "big")
            self._goaway = None
        elif self._ends_block:
            self.in_block = self._ends_block = False
        elif self._kind == DATA:
            self.data += 1

    def _control(self, window: bool) -> None:
        if self._toll.control(window):
            raise TooMuchError("frames that carry nothing")
