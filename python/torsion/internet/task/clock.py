"""Time that passes when it is told to: for tests of anything that is given a reactor to ask for the time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from zope.interface import implementer

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["Clock"]


@implementer(IDelayedCall)
class _ClockCall:
    """A call that a :class:`Clock` will make."""

    __slots__ = ("__weakref__", "_clock", "args", "called", "cancelled", "func", "kw", "number", "time")

    def __init__(
        self, clock: Clock, number: int, time: float, func: Callable[..., Any], args: Any, kw: Mapping[str, Any]
    ) -> None:
        self._clock = clock
        self.number = number
        self.time = time
        self.func = func
        self.args = args
        self.kw = kw
        self.called = False
        self.cancelled = False

    def getTime(self) -> float:
        """Return when the call is due, in seconds of its clock."""
        return self.time

    def active(self) -> bool:
        """Tell whether the call is still to come."""
        return not (self.called or self.cancelled)

    def cancel(self) -> None:
        """See to it that the call is not made."""
        self._check()
        self.cancelled = True

    def delay(self, secondsLater: float) -> None:
        """Put the call off by so many seconds."""
        self._move(self.time + secondsLater)

    def reset(self, secondsFromNow: float) -> None:
        """Make the call in so many seconds from now."""
        self._move(self._clock.seconds() + secondsFromNow)

    def _move(self, time: float) -> None:
        self._check()
        self.time = time
        self._clock._schedule(self)

    def _check(self) -> None:
        if self.called:
            raise AlreadyCalled(f"{self!r} has been made")
        if self.cancelled:
            raise AlreadyCancelled(f"{self!r} was cancelled before")

    def __repr__(self) -> str:
        name = getattr(self.func, "__qualname__", None) or repr(self.func)
        state = "called" if self.called else "cancelled" if self.cancelled else f"due at {self.time}"
        return f"<delayed call of {name}, {state}>"


@implementer(IReactorTime)
class Clock:
    """A clock that stands still until it is advanced, and then makes the calls that fall due.

    :ivar rightNow: the time, in seconds; a new clock starts at zero.
    """

    rightNow = 0.0

    def __init__(self) -> None:
        # Ordered by time, then by who asked first.  Cancelled calls and times that no longer hold stay in here until
        # their turn comes, and are skipped.
        self._heap: list[tuple[float, int, _ClockCall]] = []
        self._numbers = count()

    @property
    def calls(self) -> list[_ClockCall]:
        """The calls to come, in the order in which they will be made; a copy."""
        found = {entry[2]: entry for entry in sorted(self._heap, reverse=True) if _holds(entry)}
        return list(reversed(found))

    def seconds(self) -> float:
        """Return the time, in seconds."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> _ClockCall:
        """Call something when the clock has been advanced by *delay* seconds.

        :param delay: seconds from now.
        :param callable: what to call, with the arguments that follow.
        :returns: an :class:`IDelayedCall`.
        :raises TypeError: if *delay* is no number.
        :raises ValueError: if *delay* is not a number (NaN).
        """
        try:
            unknown = math.isnan(delay)
        except TypeError:
            raise TypeError(f"a delay is a number of seconds, not {delay!r}") from None
        if unknown:
            raise ValueError("a delay is a number of seconds, not NaN")
        call = _ClockCall(self, next(self._numbers), self.seconds() + delay, callable, args, kw)
        self._schedule(call)
        return call

    def getDelayedCalls(self) -> Sequence[_ClockCall]:
        """Return the calls to come, in the order in which they will be made."""
        return self.calls

    def advance(self, amount: float) -> None:
        """Let *amount* seconds pass at once, and make the calls that are due then.

        Calls that these ask for are made too if they are due, so calls must not ask for their like without end.  An
        exception of a call is the caller's; the calls after it are made by the next :meth:`advance`.

        :raises ValueError: if *amount* is not finite; the time stays what it is.
        """
        if not math.isfinite(amount):
            raise ValueError(f"a clock is advanced by a finite number of seconds, not {amount!r}")
        self.rightNow += amount
        heap = self._heap
        while heap and heap[0][0] <= self.seconds():
            entry = heapq.heappop(heap)
            if _holds(entry):
                call = entry[2]
                call.called = True
                call.func(*call.args, **call.kw)

    def pump(self, timings: Iterable[float]) -> None:
        """Call :meth:`advance` with each of *timings*."""
        for amount in timings:
            self.advance(amount)

    def _schedule(self, call: _ClockCall) -> None:
        heapq.heappush(self._heap, (call.time, call.number, call))


def _holds(entry: tuple[float, int, _ClockCall]) -> bool:
    """Tell whether the call is still to be made, and at that time."""
    time, _, call = entry
    return call.time == time and call.active()
