"""Time that passes when it is told to, and what the network does by itself as it passes.

Times are whole nanoseconds, so that ten times a tenth of a second is one second.
"""

from __future__ import annotations

import heapq
import math
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECOND", "SimulatedClock", "nanoseconds", "number_of_seconds"]

SECOND = 1_000_000_000


def number_of_seconds(value: float) -> float:
    """Return *value*, whatever kind of number it is, as a float.

    :raises TypeError: if it is no number.
    """
    return math.fsum((value,))  # which takes what has a __float__, and no str


def nanoseconds(seconds: float) -> int:
    """Return the nearest number of nanoseconds."""
    return round(seconds * SECOND)


class SimulatedClock:
    """A clock that stands until it is moved.

    :ivar now: the time, in nanoseconds since the clock was made.
    """

    def __init__(self) -> None:
        self.now = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def seconds(self) -> float:
        """Return the time in seconds since the clock was made."""
        return self.now / SECOND

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Have *action* called at a time; those of the same time in the order of asking."""
        heapq.heappush(self._events, (when, next(self._order), action))

    def next_event(self) -> int | None:
        """Return when the first action is to be called, or None if there is none."""
        return self._events[0][0] if self._events else None

    def move_to(self, when: int) -> None:
        """Let time pass until *when*, calling each action at its time.  Time never goes back."""
        events = self._events
        while events and events[0][0] <= when:
            due, _, action = heapq.heappop(events)
            self.now = max(self.now, due)
            action()
        self.now = max(self.now, when)
