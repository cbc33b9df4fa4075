"""Lists and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heapreplace
from typing import Any, TypeVar

T = TypeVar("T")


def uniquify(lst: Iterable[T]) -> list[T]:
    """Return *lst*, whose items have hashes, with each item once, where it came first."""
    return list(dict.fromkeys(lst))


def padTo(n: int, seq: Sequence[Any], default: Any = None) -> list[Any]:
    """Return *seq* with as many *default* at its end as make *n* items of it.

    :raise ValueError: if it has more.
    """
    if len(seq) > n:
        raise ValueError(f"{len(seq)} items are more than {n}")
    return [*seq, *[default] * (n - len(seq))]


class IntervalDifferential:
    """Several intervals, side by side: an endless iterator that tells how long it is until the next one ends.

    Each item is a number of seconds since the item before, and the index of the interval that ends then; of several that end
    at once, each is told, in order. Without intervals, the default comes again and again, with ``None``.
    """

    def __init__(self, intervals: Iterable[float], default: float = 60) -> None:
        """Remember *intervals*, in seconds, and what to do without any."""
        self.intervals = list(intervals)
        self.default = default

    def __iter__(self) -> Iterator[tuple[float, int | None]]:
        """Begin now."""
        if not self.intervals:
            while True:
                yield self.default, None
        ends = [(interval, index) for index, interval in enumerate(self.intervals)]
        heapify(ends)
        now: float = 0
        while True:
            end, index = ends[0]
            yield end - now, index
            now = end
            heapreplace(ends, (end + self.intervals[index], index))


class LineLog:
    """The last few lines of something.

    :ivar log: the lines, as bytes, the oldest first; ``None`` where there was none yet.
    :ivar size: how many are kept.
    """

    def __init__(self, size: int = 10) -> None:
        """Keep *size* lines.

        :raise ValueError: if that is less than 1.
        """
        if size < 1:
            raise ValueError(f"at least one line must be kept, not {size}")
        self.log: list[bytes | None] = [None] * size
        self.size = size

    def append(self, line: bytes) -> None:
        """Add *line*; the oldest goes."""
        self.log[:] = [*self.log[1:], line]

    def str(self) -> bytes:
        """Return the lines, with newlines between."""
        return bytes(self)

    def __bytes__(self) -> bytes:
        return b"\n".join(line for line in self.log if line)

    def __getitem__(self, item: int | slice) -> Any:
        return [line for line in self.log if line][item]

    def clear(self) -> None:
        """Forget the lines."""
        self.log = [None] * self.size
