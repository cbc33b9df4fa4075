"""Compressed data, made as long as it was, in steps of bounded size."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from typing import Any, Protocol

__all__ = ["Brotli", "Decompressor", "Deflate", "Gzip", "Zstandard", "has_brotli", "has_zstandard"]

STEP = 64 * 1024
"""How many bytes a step makes at most: a pause of whom they are for is heard in between."""

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


class _Zlib:
    """What zlib knows: gzip, zlib and deflate."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._left = b""
        self._inside = zlib.decompressobj(bits)
        self._begun = False

    def feed(self, data: bytes, /) -> None:
        """Take compressed data."""
        self._left += data

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return not self._begun or self._inside.eof

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        while self._left or (self._begun and not self._inside.eof):
            if self._inside.eof:
                if self._bits < 16 or not self._left.startswith(b"\x1f"):
                    self._left = b""  # padding, mostly: all readers skip it
                    return b""
                self._inside = zlib.decompressobj(self._bits)  # another member: RFC 1952, 2.2
            left, self._left = self._left, b""
            made = self._inflate(left)
            self._begun = True
            self._left = self._inside.unused_data if self._inside.eof else self._inside.unconsumed_tail
            if made or not self._inside.eof:
                return made
        return b""

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


class Brotli:
    """``br``: RFC 7932."""

    def __init__(self) -> None:
        import brotli  # only where it is installed

        self._inside: Any = brotli.Decompressor()
        self._left = b""
        self._made = False
        self._begun = False

    def feed(self, data: bytes, /) -> None:
        """Take compressed data."""
        self._left += data

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return not self._begun or bool(self._inside.is_finished())

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        if self._inside.is_finished():
            self._left = b""
            return b""
        data = b""
        if self._inside.can_accept_more_data():
            data, self._left = self._left, b""
            if not data and not self._made:
                return b""
        self._begun = True
        made = bytes(self._inside.process(data, output_buffer_limit=STEP))
        self._made = bool(made)  # it can take more, and still have something to give
        return made


def has_zstandard() -> bool:
    """Return whether ``zstandard`` is installed."""
    return find_spec("zstandard") is not None


class Zstandard:
    """``zstd``: RFC 8878."""

    def __init__(self) -> None:
        import zstandard  # type: ignore[import-not-found,unused-ignore]  # need not be installed

        self._inside: Any = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        self._left = memoryview(b"")
        self._begun = False

    def feed(self, data: bytes, /) -> None:
        """Take compressed data."""
        self._left = memoryview(bytes(self._left) + data)

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where such data may end."""
        return not self._begun or bool(self._inside.eof)

    def step(self) -> bytes:
        """Return what comes next; nothing if more is needed."""
        while self._left and not self._inside.eof:
            data, self._left = self._left[:ZSTD_STEP], self._left[ZSTD_STEP:]
            self._begun = True
            made = self._inside.decompress(data)
            if made:
                return bytes(made)
        return b""
