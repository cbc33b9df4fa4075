"""Calls in the future, by a clock that is turned by hand."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall
from torsion.internet.reactors.memory.clock import SECOND, nanoseconds, number_of_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.reactors.memory.clock import SimulatedClock

__all__ = ["NEVER", "MemoryTimer", "Timers", "delay_of"]


NEVER = 1 << 63
"""Later than everything."""

FEW_STALE = 64
"""So many entries that no longer hold are not worth clearing away; a timeout that is put off again and again leaves one
each time."""


def delay_of(seconds: float) -> int:
    """Return a delay in nanoseconds; one if it is less than that but not nothing, so that time passes where it is asked for.

    :raises ValueError: if it is negative or not finite.
    """
    value = number_of_seconds(seconds)
    if not 0 <= value < float("inf"):
        raise ValueError(f"a delay is a number of seconds, 0 or more and finite, not {seconds!r}")
    return nanoseconds(value) or int(value > 0)


@implementer(IDelayedCall)
class MemoryTimer:
    """A call to come (``IDelayedCall``).

    :ivar when: when it is due, in nanoseconds.
    :ivar order: its place among those that are due at the same time.
    :ivar func: what to call with *args* and *kw*; all three are None once that was done or cancelled.
    """

    def __init__(
        self, timers: Timers, when: int, func: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> None:
        self._timers = timers
        self.when = when
        self.order = 0
        self.func: Callable[..., object] | None = func
        self.args: tuple[Any, ...] | None = args
        self.kw: dict[str, Any] | None = kw
        self._cancelled = False

    def getTime(self) -> float:
        """Return when the call is due, in seconds of the reactor's clock; once it was made, the time now."""
        self._timers.check_thread()
        timers = self._timers
        return ((self.when if self.active() else timers.clock.now) + timers.shift) / SECOND

    @property
    def time(self) -> float:
        """The same as :meth:`getTime`."""
        return self.getTime()

    def active(self) -> bool:
        """Return whether the call is still to come."""
        return self.func is not None

    def cancel(self) -> None:
        """Do not make the call.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        self._cancelled = True
        self._timers.forget(self)
        self.func = self.args = self.kw = None

    def delay(self, secondsLater: float) -> None:
        """Put the call off by *secondsLater* seconds, or move it forward if that is negative.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        later = number_of_seconds(secondsLater)
        moved = -delay_of(-later) if later < 0 else delay_of(later)
        self._timers.put(self, max(0, self.when + moved))

    def reset(self, secondsFromNow: float) -> None:
        """Make the call in *secondsFromNow* seconds instead; at once if that is negative.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        seconds = number_of_seconds(secondsFromNow)
        self._timers.put(self, self._timers.clock.now + (0 if seconds < 0 else delay_of(seconds)))

    def take(self) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
        """Return what is to be called: the time has come."""
        func, args, kw = self.func, self.args, self.kw
        assert func is not None
        assert args is not None
        assert kw is not None
        self.func = self.args = self.kw = None
        return func, args, kw

    def _check(self) -> None:
        self._timers.check_thread()
        if self._cancelled:
            raise AlreadyCancelled
        if self.func is None:
            raise AlreadyCalled

    def __repr__(self) -> str:
        if self.func is not None:
            given = [repr(each) for each in self.args or ()]
            given += [f"{name}={each!r}" for name, each in (self.kw or {}).items()]
            call = f"{self.func!r}({', '.join(given)})" if given else repr(self.func)
            return f"<{type(self).__name__} to come: {call}>"
        return f"<{type(self).__name__} {'cancelled' if self._cancelled else 'called'}>"


class Timers:
    """Calls to come, in the order of their time, then of asking.

    They are made in rounds.  A round makes what is due at its time and was asked for before it began, so that a call that
    asks for its like leaves the loop its other work.

    :ivar clock: what they go by.
    :ivar shift: how many nanoseconds the computer's own clock is ahead of that; what is set keeps its distance.
    :ivar alarm: for when the engine has asked to be woken; :data:`NEVER` if it has not.
    """

    def __init__(self, clock: SimulatedClock, check_thread: Callable[[], None], wake: Callable[[int], None]) -> None:
        """Begin without any.

        :param check_thread: raises if the thread that calls is not the one that may use these.
        :param wake: asks to be woken at a time, since a call is due then and none was before.
        """
        self.clock = clock
        self.check_thread = check_thread
        self._wake = wake
        self.shift = 0
        self.alarm = NEVER
        # Cancelled calls and times that no longer hold stay in here until they come up, and are skipped.
        self._heap: list[tuple[int, int, MemoryTimer]] = []
        self._held: list[tuple[int, int, MemoryTimer]] = []  # came too late for the round that is going on
        self._live: dict[MemoryTimer, None] = {}
        self._order = count()

    def __len__(self) -> int:
        return len(self._live)

    def live(self) -> list[MemoryTimer]:
        """Return the calls to come, in the order of asking."""
        return list(self._live)

    def add(self, delay: float, func: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]) -> MemoryTimer:
        """Have *func* called in *delay* seconds."""
        when = self.clock.now + delay_of(delay)
        timer = MemoryTimer(self, when, func, args, kw)
        self._live[timer] = None
        self.put(timer, when)
        return timer

    def put(self, timer: MemoryTimer, when: int) -> None:
        """Have *timer* be due at *when*, as if it had been asked for now."""
        timer.when, timer.order = when, next(self._order)
        heapq.heappush(self._heap, (when, timer.order, timer))
        if when < self.alarm:
            self.alarm = when
            self._wake(when)
        if len(self._heap) > 2 * len(self._live) + FEW_STALE:
            self._heap = [entry for entry in self._heap if self._holds(entry)]
            heapq.heapify(self._heap)

    def forget(self, timer: MemoryTimer) -> None:
        """Have *timer* not be due any more."""
        self._live.pop(timer, None)

    def next_due(self) -> int | None:
        """Return when the first call is due, or None without any."""
        self._release()
        heap = self._heap
        while heap and not self._holds(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def set_alarm(self) -> None:
        """Ask to be woken for the first call."""
        due = self.next_due()
        self.alarm = NEVER if due is None else due
        if due is not None:
            self._wake(due)

    def clear(self) -> None:
        """Forget every call."""
        for timer in self.live():
            timer.func = timer.args = timer.kw = None
        self._live.clear()
        self._heap.clear()
        self._held.clear()

    def begin_round(self) -> tuple[int, int]:
        """Return what :meth:`pop` wants for the calls that are due now."""
        self._release()
        return self.clock.now, next(self._order)

    def pop(self, begun: tuple[int, int]) -> MemoryTimer | None:
        """Take the next call out that belongs to a round, or return None when the round is over."""
        now, before = begun
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if not self._holds(entry):
                continue
            if entry[1] > before:
                self._held.append(entry)
                continue
            del self._live[entry[2]]
            return entry[2]
        self._release()
        return None

    def _holds(self, entry: tuple[int, int, MemoryTimer]) -> bool:
        return entry[2] in self._live and entry[2].order == entry[1]

    def _release(self) -> None:
        held, self._held = self._held, []
        for entry in held:
            heapq.heappush(self._heap, entry)
