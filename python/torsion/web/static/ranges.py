"""Parts of a file: what a client asks for by Range (RFC 9110, 14), and what is sent for it."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["MOST_RANGES", "TooManyRanges", "between", "multipart", "parse_range"]

MOST_RANGES: Final = 32
"""How many parts a client may ask for at once. Viewers of documents ask for a handful; hundreds of small or overlapping parts are
how servers are kept busy (RFC 9110, 17.15). Beyond it, the whole file is sent, which that RFC allows always."""

Range = tuple[int | None, int | None]
"""First and last byte; without a last one: to the end; without a first one: so many bytes at the end."""


class TooManyRanges(ValueError):
    """More parts than the file is worth; the whole of it is sent."""


def _number(text: bytes) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number")
    return int(text)


def parse_range(value: bytes) -> list[Range]:
    """Return the parts that a header Range asks for, as far as they can be told without the file.

    :raises TooManyRanges: if there are more than :data:`MOST_RANGES`.
    :raises ValueError: if it is not in order, or does not count bytes.
    """
    unit, equals, rest = value.partition(b"=")
    if not equals or unit.strip() != b"bytes":
        raise ValueError(f"a range of another unit than bytes: {value!r}")
    if rest.count(b",") >= 4 * MOST_RANGES:
        raise TooManyRanges("too many ranges")
    ranges: list[Range] = []
    for part in rest.split(b","):
        if not part.strip():
            continue
        first, dash, last = part.partition(b"-")
        if not dash:
            raise ValueError(f"{part!r} is no range")
        found = _number(first), _number(last)
        if found == (None, None) or (found[0] is not None and found[1] is not None and found[0] > found[1]):
            raise ValueError(f"{part!r} is no range")
        ranges.append(found)
    if not ranges:
        raise ValueError(f"no range in {value!r}")
    if len(ranges) > MOST_RANGES:
        raise TooManyRanges("too many ranges")
    return ranges


def between(asked: Range, size: int) -> tuple[int, int]:
    """Return where a part begins, and how many bytes it has, in a file of *size* bytes; (0, 0) if nothing of it is there."""
    first, last = asked
    if first is None:
        assert last is not None
        first, last = max(0, size - last), size - 1
    elif last is None or last >= size:
        last = size - 1
    return (first, last - first + 1) if first < size and first <= last else (0, 0)


def multipart(parts: list[tuple[int, int]], kind: bytes, size: int) -> tuple[bytes, list[tuple[bytes, int, int]], int]:
    """Return a boundary, what is sent (some bytes, and the part of the file that follows them), and the length of it all.

    :param parts: begin and length of each.
    :param kind: the type of the file.
    :param size: its size.
    """
    boundary = os.urandom(16).hex().encode("ascii")
    pieces = [
        (
            b"\r\n--%b\r\nContent-Type: %b\r\nContent-Range: bytes %d-%d/%d\r\n\r\n"
            % (boundary, kind, begin, begin + length - 1, size),
            begin,
            length,
        )
        for begin, length in parts
    ]
    pieces.append((b"\r\n--%b--\r\n" % boundary, 0, 0))
    return boundary, pieces, sum(len(before) + length for before, _, length in pieces)
