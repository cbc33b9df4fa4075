"""Counting durations in buckets."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torsion.application.status.shape import Histogram

__all__ = ["BOUNDS", "Buckets"]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper ends of the buckets, in seconds: from what nobody notices to what everybody does."""


class Buckets:
    """A histogram of durations."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; one that equals a bound is in that bound's bucket."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._sum += seconds

    def figures(self) -> Histogram:
        """Return what was counted so far."""
        return {"bounds": list(BOUNDS), "counts": list(self._counts), "sum": self._sum}
