"""Compressed data, made as long as it was, in steps of bounded size."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from typing import Any, Protocol

from torsion.web.client.errors import DecompressionBomb

__all__ = ["Brotli", "Decompressor", "Deflate", "Gzip", "Zstandard", "has_brotli", "has_zstandard"]

STEP = 64 * 1024
"""How many bytes a step makes at most: a pause of whom they are for is heard in between."""

SLICE = 16 * 1024
"""How many bytes of input a library is given at once: what it does not use yet, it copies."""

MOST_EMPTY = 1000
"""How many members of gzip, or frames of zstd, that have nothing in them may stand in a row.  Files that were put together have a
few; each costs a new beginning, and thousands fit into what a server sends at once."""

ZSTD_STEP = 128
"""How many bytes of input a step takes where the library cannot bound its output: four bytes can stand for 128 KiB, so that
this makes 4 MiB at most."""

ZSTD_WINDOW = 8 * 1024 * 1024
"""The largest window: RFC 9659 lets no sender use more."""


class Decompressor(Protocol):
    """Undoes a compression."""

    def feed(self, data: bytes, /) -> None:
        """Take compressed data."""

    def step(self) -> bytes:
        """Return what comes next, of a bounded size; nothing if more is needed.  Raises what the library does."""

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""


class _Fed:
    """Keeps what was fed until it is used; from the front, without moving the rest."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._begun = False
        self._empty = 0

    def feed(self, data: bytes, /) -> None:
        """Take compressed data."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def _nothing_in_it(self) -> None:
        """Count a member or frame that made nothing.

        :raises DecompressionBomb: if there have been too many, one behind the other.
        """
        self._empty += 1
        if self._empty > MOST_EMPTY:
            words = f"more than {MOST_EMPTY} compressed pieces in a row have nothing in them: they only take time"
            raise DecompressionBomb(words)


class _Zlib(_Fed):
    """What zlib knows: gzip, zlib and deflate."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self._bits = bits
        self._inside = zlib.decompressobj(bits)
        self._made = False

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return self._inside.eof if self._begun else not self._data

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        while True:
            if self._inside.eof and not self._goes_on():
                return b""
            piece = self._data[self._at : self._at + SLICE]
            if not piece and not self._begun:
                return b""
            made = self._inflate(piece)
            self._begun = True
            left = self._inside.unused_data if self._inside.eof else self._inside.unconsumed_tail
            self._at += len(piece) - len(left)
            if made:
                self._made, self._empty = True, 0
                return made
            if not self._inside.eof and self._at == len(self._data):
                return b""

    def _goes_on(self) -> bool:
        """Return whether another member follows (RFC 1952, section 2.2), and begin with it."""
        if self._bits < 16 or self._data[self._at : self._at + 1] != b"\x1f":
            self._at = len(self._data)  # padding, mostly: all readers skip it
            return False
        if not self._made:
            self._nothing_in_it()
        self._inside = zlib.decompressobj(self._bits)
        self._made = False
        return True

    def _inflate(self, data: bytes) -> bytes:
        return self._inside.decompress(data, STEP)


class Gzip(_Zlib):
    """``gzip``: RFC 1952."""

    def __init__(self) -> None:
        super().__init__(16 + zlib.MAX_WBITS)


class Deflate(_Zlib):
    """``deflate``: RFC 1950, or the bare RFC 1951 that some servers send by this name."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed: the first two bytes tell which of the two it is."""
        return super().step() if self._begun or len(self._data) > 1 else b""

    def _inflate(self, data: bytes) -> bytes:
        try:
            return self._inside.decompress(data, STEP)
        except zlib.error:
            if self._begun:
                raise
            self._inside = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inside.decompress(data, STEP)


def has_brotli() -> bool:
    """Return whether ``brotli`` is installed, in a version that can bound what it makes (1.2)."""
    if find_spec("brotli") is None:
        return False
    import brotli  # type: ignore[import-not-found,import-untyped,unused-ignore]  # need not be installed, and has no types

    return hasattr(brotli.Decompressor, "can_accept_more_data")


class Brotli(_Fed):
    """``br``: RFC 7932."""

    def __init__(self) -> None:
        import brotli  # only where it is installed

        super().__init__()
        self._inside: Any = brotli.Decompressor()
        self._made = False

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return not self._begun or bool(self._inside.is_finished())

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        while not self._inside.is_finished():
            piece = b""
            if self._inside.can_accept_more_data():
                piece = self._data[self._at : self._at + SLICE]
                self._at += len(piece)
                if not piece and not self._made:
                    return b""
            self._begun = True
            made = bytes(self._inside.process(piece, output_buffer_limit=STEP))
            self._made = bool(made)  # it can take more, and still have something to give
            if made:
                return made
        self._at = len(self._data)
        return b""


def has_zstandard() -> bool:
    """Return whether ``zstandard`` is installed."""
    return find_spec("zstandard") is not None


class Zstandard(_Fed):
    """``zstd``: RFC 8878, any number of frames."""

    def __init__(self) -> None:
        import zstandard  # type: ignore[import-not-found,unused-ignore]  # need not be installed

        super().__init__()
        self._library: Any = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._inside: Any = self._library.decompressobj()
        self._made = False

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return not self._begun or bool(self._inside.eof)

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        while piece := self._data[self._at : self._at + ZSTD_STEP]:
            if self._inside.eof:
                if not self._made:
                    self._nothing_in_it()
                self._inside = self._library.decompressobj()
                self._made = False
            self._begun = True
            made = bytes(self._inside.decompress(piece))
            self._at += len(piece) - (len(self._inside.unused_data) if self._inside.eof else 0)
            if made:
                self._made, self._empty = True, 0
                return made
        return b""
