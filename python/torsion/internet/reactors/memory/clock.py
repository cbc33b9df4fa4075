"""Time that passes when it is told to, and what the network does by itself as it passes.

Times are whole nanoseconds, so that ten times a tenth of a second is one second.
"""

from __future__ import annotations

import heapq
import math
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SECOND",
    "SimulatedClock",
    "checked_count",
    "checked_duration",
    "checked_number",
    "nanoseconds",
    "number_of_seconds",
]

SECOND = 1_000_000_000


def number_of_seconds(value: float, what: str = "a delay") -> float:
    """Return *value*, whatever kind of number it is, as a float.

    :param what: what it is to be, for the error.
    :raises TypeError: if it is no number.
    """
    try:
        return math.fsum((value,))  # which takes what has a __float__, and no str
    except TypeError:
        raise TypeError(f"{what} is a number of seconds, not {value!r}") from None


def nanoseconds(seconds: float) -> int:
    """Return the nearest number of nanoseconds."""
    return round(seconds * SECOND)


def checked_number(name: str, value: Any, what: str) -> float:
    """Return *value*, an argument called *name*, as a float.

    :param what: what it is to be, for the error.
    :raises TypeError: if it is no number.
    :raises ValueError: if it is not finite.
    """
    try:
        number = number_of_seconds(value)
    except TypeError:
        raise TypeError(f"{name} is {what}, not {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} is {what}, not {value!r}")
    return number


def checked_duration(name: str, value: Any) -> float:
    """Return *value*, an argument called *name*, as a number of seconds.

    :raises TypeError: if it is no number.
    :raises ValueError: if it is negative or not finite.
    """
    what = "a number of seconds, 0 or more and finite"
    number = checked_number(name, value, what)
    if number < 0:
        raise ValueError(f"{name} is {what}, not {value!r}")
    return number


def checked_count(name: str, value: Any, least: int, what: str) -> None:
    """Refuse a *value*, an argument called *name*, that is no whole number, or less than *least*.

    :param what: what it is to be, for the error.
    :raises TypeError: if it is no whole number.
    :raises ValueError: if it is less.
    """
    if not isinstance(value, int):
        raise TypeError(f"{name} is {what}, not {value!r}")
    if value < least:
        raise ValueError(f"{name} is {what}, not {value!r}")


class SimulatedClock:
    """A clock that stands until it is moved.

    :ivar now: the time, in nanoseconds since the clock was made.
    :ivar events: a heap of what is to happen: when, its place among those of the same time, what to call, with what.
    :ivar order: gives such places.
    """

    __slots__ = ("events", "now", "order")

    def __init__(self) -> None:
        self.now = 0
        self.events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self.order = count()

    def seconds(self) -> float:
        """Return the time in seconds since the clock was made."""
        return self.now / SECOND

    def at(self, when: int, action: Callable[..., None], *args: Any) -> None:
        """Have *action* called at a time; those of the same time in the order of asking."""
        heapq.heappush(self.events, (when, next(self.order), action, args))

    def next_event(self) -> int | None:
        """Return when the first action is to be called, or None if there is none."""
        return self.events[0][0] if self.events else None

    def move_to(self, when: int) -> None:
        """Let time pass until *when*, calling each action at its time.  Time never goes back."""
        events = self.events
        pop = heapq.heappop
        while events and events[0][0] <= when:
            due, _, action, args = pop(events)
            if due > self.now:
                self.now = due
            action(*args)
        if when > self.now:
            self.now = when
