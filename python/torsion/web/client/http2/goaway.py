"""GOAWAY, taken out of what comes: to h2 it is the end of the connection, but requests that are under way go on."""

from __future__ import annotations

__all__ = ["Farewells"]

_HEAD = 9
_GOAWAY = 7
_LONGEST = 16 * 1024
"""Bytes of the longest frame: we allow no longer ones, RFC 9113, 6.5.2.  h2 would wait until one is there."""


class Farewells:
    """Looks at the frames of a connection: RFC 9113, 4.1."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._farewell: bytearray | None = None

    def take(self, data: bytes) -> tuple[bytes, list[tuple[int, int, bytes]]]:
        """Look at what has come.

        :returns: what is for h2, and the farewells: the number of the last request that the server has looked at, a code (RFC
            9113, 7), and what it says besides.
        :raises ValueError: for a frame that is longer than we allow, as any other protocol seems to have.
        """
        if self._left >= len(data) and self._farewell is None:  # in the midst of a large frame
            self._left -= len(data)
            return data, []
        found: list[tuple[int, int, bytes]] = []
        passed: list[bytes] = []
        data, self._head = self._head + data if not self._left else data, b""
        at = begin = 0  # from begin to at: whole frames, or parts of one, that h2 is to have
        end = len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                if self._farewell is not None:
                    self._farewell += data[at : at + step]
                    begin = at + step
                self._left -= step
                at += step
                if not self._left and self._farewell is not None:
                    self._finish(found)
            elif end - at < _HEAD:
                self._head = data[at:]
                break
            else:
                length = int.from_bytes(data[at : at + 3], "big")
                if length > _LONGEST:
                    raise ValueError(f"a frame of {length} bytes, which begins with {bytes(data[at : at + _HEAD])!r}")
                if data[at + 3] == _GOAWAY and length >= 8:
                    passed.append(data[begin:at])
                    begin = at + _HEAD
                    self._farewell = bytearray()
                self._left = length
                at += _HEAD
        passed.append(data[begin:at])
        return b"".join(passed), found

    def _finish(self, found: list[tuple[int, int, bytes]]) -> None:
        said, self._farewell = self._farewell, None
        assert said is not None
        last = int.from_bytes(said[:4], "big") & 0x7FFFFFFF
        found.append((last, int.from_bytes(said[4:8], "big"), bytes(said[8:])))
