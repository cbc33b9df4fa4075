"""Chunks and ranges, as functions: RFC 9112, 7.1; RFC 9110, 14.4."""

from __future__ import annotations

import string
from typing import Final

__all__ = ["fromChunk", "maxChunkSizeLineLength", "parseContentRange", "toChunk"]

maxChunkSizeLineLength: Final = 1024
"""How long the line before a chunk may be; what is read by a channel has the limits of :mod:`torsion.wire.http1`."""


def toChunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return *data* as a chunk, in parts."""
    return b"%x\r\n" % len(data), data, b"\r\n"


def fromChunk(data: bytes) -> tuple[bytes, bytes]:
    """Return what the chunk has with which *data* begins, and the rest.

    :raises ValueError: if it begins with no complete chunk.
    """
    size, _, rest = data.partition(b"\r\n")
    if not size or any(chr(digit) not in string.hexdigits for digit in size):
        raise ValueError(f"Chunk sizes are hexadecimal numbers, not {size!r}")
    length = int(size, 16)
    if rest[length : length + 2] != b"\r\n":
        raise ValueError("the chunk does not end where its size says")
    return rest[:length], rest[length + 2 :]


def parseContentRange(header: str) -> tuple[int, int, int | None]:
    """Return start, end and full size of a Content-Range; the size is None if it is not told.

    :raises ValueError: if the unit is not bytes, or it is malformed.
    """
    kind, _, other = header.strip().partition(" ")
    if kind.lower() != "bytes":
        raise ValueError(f"a range of type {kind!r} is not supported")
    span, _, size = other.partition("/")
    start, _, end = span.partition("-")
    return int(start), int(end), None if size == "*" else int(size)
