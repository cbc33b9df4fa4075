"""Several engines on one clock: whose turn it is, and when time passes."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torsion.internet.reactors.memory.clock import checked_duration
from torsion.internet.reactors.memory.timers import delay_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torsion.internet.reactors.memory.clock import SimulatedClock
    from torsion.internet.reactors.memory.engine import MemoryEngine

__all__ = ["MOST_TURNS_AT_ONCE", "Simulation"]

MOST_TURNS_AT_ONCE = 100_000
"""After so many turns without time passing, whoever advances it is told that it never will.  A protocol that works through
ten thousand lines by ``callLater(0)`` stays well below."""


class Simulation:
    """A clock and the engines that go by it.

    An engine that has something to do says so (:attr:`busy`); what it is to do later stands among the clock's events.  So
    those that rest cost nothing, however many they are.

    :ivar clock: the time of all.
    :ivar busy: the engines that may have something to do now, by their numbers.  Any thread may add to it.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.busy: dict[int, weakref.ref[MemoryEngine]] = {}
        self._engines: dict[int, weakref.ref[MemoryEngine]] = {}
        self._made = 0
        self._holders = 0
        self._lock = threading.Lock()

    def attach(self, engine: MemoryEngine) -> tuple[int, weakref.ref[MemoryEngine]]:
        """Have *engine* go by this clock; return its number and how it is referred to."""
        number = self._made = self._made + 1
        reference = weakref.ref(engine, lambda _: self.detach(number))
        self._engines[number] = reference
        return number, reference

    def detach(self, number: int) -> None:
        """Let an engine go by this clock no more."""
        self._engines.pop(number, None)
        self.busy.pop(number, None)

    def engines(self) -> list[MemoryEngine]:
        """Return the engines, in the order in which they were attached."""
        return [engine for engine in (reference() for reference in list(self._engines.values())) if engine is not None]

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, step by step: every reactor does at each time what is to be done then.

        :raises TypeError: if it is no number.
        :raises ValueError: if it is negative or not finite.
        :raises RuntimeError: if there is always something more to be done at one time.
        :raises torsion.internet.error.WrongThreadError: if one of them runs in another thread.
        """
        clock = self.clock
        target = clock.now + delay_of(checked_duration("seconds", seconds))
        self.settle()
        events, busy = clock.events, self.busy
        while events and events[0][0] <= target:
            clock.move_to(events[0][0])
            if busy:
                self._settle()
        clock.move_to(target)
        self._settle()

    def pump(self, timings: Iterable[float]) -> None:
        """Call :meth:`advance` with each of *timings*."""
        for amount in timings:
            self.advance(amount)

    def settle(self) -> None:
        """Have every reactor do all that is to be done now; no time passes.

        :raises RuntimeError: if there is always something more.
        :raises torsion.internet.error.WrongThreadError: if one of them runs in another thread.
        """
        for engine in self.engines():
            engine.enter()
        self._settle()

    def _settle(self) -> None:
        busy = self.busy
        for _ in range(MOST_TURNS_AT_ONCE):
            if not busy:
                return
            self.others_turn(None)
        raise RuntimeError(
            f"after {MOST_TURNS_AT_ONCE} turns at {self.clock.seconds()} s there is still something to do: "
            "something asks for its like without letting time pass"
        )

    def others_turn(self, but: MemoryEngine | None) -> bool:
        """Let every engine that has something to do now take a turn, but for one; return whether any had."""
        busy = self.busy
        worked = False
        for number in sorted(busy) if len(busy) > 1 else tuple(busy):
            reference = busy.get(number)
            engine = None if reference is None else reference()
            if engine is None:
                busy.pop(number, None)
            elif engine is not but:
                worked = engine.step() or worked
        return worked

    def next_time(self) -> int | None:
        """Return when something is to happen next, or None if nothing is."""
        return self.clock.next_event()

    # --- other threads -----------------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether time passes no faster than outside."""
        return self._holders > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let time pass no faster than outside meanwhile.  May be used in any thread.

        For work in a thread that the reactors know nothing of: a reactor that has nothing to do would otherwise go on to
        its next timer at once, while the thread is still at it.  Where time is advanced by hand, this changes nothing.
        """
        self.take_hold()
        try:
            yield
        finally:
            self.let_go()

    def take_hold(self) -> None:
        """Let time pass no faster than outside until :meth:`let_go` is called as often as this."""
        with self._lock:
            self._holders += 1

    def let_go(self) -> None:
        """Undo one :meth:`take_hold`."""
        with self._lock:
            self._holders -= 1
        for engine in self.engines():
            engine.wake()
