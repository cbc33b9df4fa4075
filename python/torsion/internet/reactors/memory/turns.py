"""An engine in memory: turns, timers, calls from threads, and streams that never meet a kernel.

It does what ``torsion._native.Engine`` does, in the same order (``rust/reactor/src/engine/turn.rs`` explains that order),
but that it never waits for input: where the native engine would, time passes up to the next thing that is to happen.
"""

from __future__ import annotations

import weakref
from collections import deque
from contextlib import contextmanager
from math import inf
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import TYPE_CHECKING, Any

from torsion.internet.error import WrongThreadError
from torsion.internet.reactors.memory.clock import SECOND, nanoseconds, number_of_seconds
from torsion.internet.reactors.memory.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from torsion.internet.reactors.memory.network import Network
    from torsion.internet.reactors.memory.timers import MemoryTimer

    _Call: TypeAlias = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]

__all__ = ["Entry", "Turns", "report_unraisable"]

TURN = 1000
"""How many nanoseconds a turn of :meth:`Turns.run` takes at least: two ends that never cease to answer each other at once
would otherwise keep time from passing, and every timer from its turn."""


class Entry:
    """Something that an engine serves when there is something to do for it: a stream, a listener, a connector, a port.

    :ivar queued: whether it is in the list of those to serve.
    :ivar busy: whether one of its hooks is on the stack; it is left alone meanwhile.
    """

    queued = False
    busy = False

    def serve(self) -> None:
        """Do this turn's share."""
        raise NotImplementedError

    def noticed(self) -> None:
        """Be told that the engine has heard of a change, before it serves this."""

    def dismiss(self) -> None:
        """Close, because the engine does."""

    def vanish(self) -> None:
        """Be gone without a word to anybody, because the computer is."""


class Turns:
    """Turns, timers and calls from threads; what is served in a turn are :class:`Entry` objects.

    :ivar network: whose clock it goes by, and what its transports are joined by.
    """

    def __init__(self, owner: Any, network: Network) -> None:
        """Make an engine.

        :param owner: the reactor; its ``raised`` is told what escapes from calls.
        :param network: where it is to be.
        """
        self.owner = owner
        self.network = network
        self.entries: dict[Entry, None] = {}
        self.timers = Timers(network.clock, self.enter, self._wake_at)
        self._ingress: SimpleQueue[_Call | None] = SimpleQueue()
        self._calls: deque[_Call] = deque()
        self._woken = False
        self._touched: dict[Entry, None] = {}  # what the network has told of, as a poller would
        self._ready: deque[Entry] = deque()
        self._thread: int | None = None  # that is in run or turn
        self._running = self._stopping = False
        self._blocked = False  # whether another thread is waited for
        self._turns = self._waits = self.opened = self.gone = 0
        self.number, self._reference = network.attach(self)  # type: ignore[arg-type]  # there are none but whole engines
        self.frozen = False
        self.listed = False  # whether the network knows that there is something to do; true within a turn as well

    # --- whose it is -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Let in the thread that runs the engine, or any while none does.

        :raises torsion.internet.error.WrongThreadError: in another one.
        """
        if self._thread is not None and self._thread != get_ident():
            raise WrongThreadError(
                "this reactor runs in another thread, and its objects belong to that thread; "
                "hand the call over with reactor.callFromThread(function, *args)"
            )

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        self.enter()
        before, self._thread = self._thread, get_ident()
        try:
            yield
        finally:
            self._thread = before

    @property
    def running(self) -> bool:
        """Whether :meth:`run` or :meth:`turn` is on some thread's stack."""
        return self._thread is not None

    # --- time and threads --------------------------------------------------------------------------------------------

    def seconds(self) -> float:
        """Return the time, in seconds since the network's clock began."""
        return (self.network.clock.now + self.timers.shift) / SECOND

    def call_later(self, delay: float, callable: Callable[..., object], /, *args: Any, **kw: Any) -> MemoryTimer:
        """Call *callable* in *delay* seconds; calls due at the same time go in the order of asking.

        :raises ValueError: for a negative or not finite delay.
        :raises TypeError: for what cannot be called.
        """
        _must_be_callable(callable)
        self.enter()
        return self.timers.add(delay, callable, args, kw)

    def delayed_calls(self) -> list[MemoryTimer]:
        """Return the timers that are still to come."""
        self.enter()
        return self.timers.live()

    def next_deadline(self) -> float | None:
        """Return when the first timer is due, or None without timers."""
        due = self.timers.next_due()
        return None if due is None else (due + self.timers.shift) / SECOND

    def call_from_thread(self, callable: Callable[..., object], /, *args: Any, **kw: Any) -> None:
        """Call *callable* in the engine's thread, soon; calls of one thread stay in order.  Safe from any thread."""
        _must_be_callable(callable)
        self._ingress.put((callable, args, kw))
        self._ask_for_turn()

    def wake(self) -> None:
        """End a wait that is going on, or else the next one.  Safe from any thread."""
        self._ingress.put(None)
        self._ask_for_turn()

    def wakeup_fileno(self) -> int:
        """Return -1: there is no descriptor; a signal's handler wakes by :meth:`wake`."""
        self.enter()
        return -1

    # --- whose turn it is --------------------------------------------------------------------------------------------

    def call_for_turn(self) -> None:
        """Have the network give this a turn, since there is something to do."""
        if not self.listed:
            self.listed = True
            self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        """Do so in any thread: whatever this engine believes to be known, it is said."""
        if not self.frozen:
            self.network.busy[self.number] = self._reference

    def _wake_at(self, when: int) -> None:
        """Have the network call for a turn at a time."""
        clock = self.network.clock
        if when <= clock.now:
            self.call_for_turn()
        else:
            clock.at(when, _ring, self._reference)

    def rung(self) -> None:
        """The first timer is due, unless it was cancelled or put off."""
        now = self.network.clock.now
        if self.timers.alarm > now:
            return
        if self._is_due(now):
            self.call_for_turn()
        else:
            self.timers.set_alarm()

    def relist(self) -> None:
        """At the end of a turn: have another one if there is more to do."""
        if self.timers.alarm <= self.network.clock.now:
            self.timers.set_alarm()
        if self._touched or self.has_work():
            self.listed = True
            self._ask_for_turn()
        else:
            self.listed = False

    def freeze(self, frozen: bool) -> None:
        """Take no turns from now on, or take turns again."""
        self.frozen = frozen
        if frozen:
            self.network.busy.pop(self.number, None)
        else:
            self.relist()

    # --- turns -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take turns until :meth:`stop`.  Raises what a Python signal handler raises."""
        with self._claimed():
            before, self._running = self._running, True
            self._stopping = False
            try:
                while not self._stopping:
                    began = self.network.clock.now
                    self._take_turn(None)
                    self.network.clock.move_to(max(self.network.clock.now, began + TURN))
            finally:
                # A run within a run that was stopped stops that one as well.
                self._running, self._stopping = before, before and self._stopping
        self.relist()

    def stop(self) -> None:
        """End :meth:`run` after the turn that is going on."""
        self.enter()
        self._stopping = self._running

    def turn(self, timeout: float | None = 0.0, /) -> None:
        """Take one turn, letting at most *timeout* seconds pass until something happens; None lets pass what it takes.

        :raises ValueError: for a negative or not finite number.
        """
        patience = None
        if timeout is not None:
            seconds = number_of_seconds(timeout, "a time-out")
            if not 0 <= seconds < float("inf"):
                raise ValueError(f"a time-out is a number of seconds, 0 or more, or None, not {timeout!r}")
            patience = nanoseconds(seconds)
        with self._claimed():
            self._take_turn(patience)
        self.relist()

    def _take_turn(self, patience: int | None) -> None:
        self._turns += 1
        self._make_calls()
        self._fire_timers()
        self.settle()
        self._wait(patience)
        self._serve_ready()
        self.settle()

    def settle(self) -> None:
        """Flush what was written and tell of what was closed."""

    def owes(self) -> bool:
        """Tell whether the next turn has something to do without any event."""
        if self._calls:
            return True
        for entry in self._ready:  # noqa: SIM110 - a generator would cost more than all else here
            if not entry.busy:
                return True
        return False

    def has_work(self) -> bool:
        """Tell whether a turn now would do something."""
        now = self.network.clock.now
        return bool(
            self._touched
            or self.owes()
            or not self._ingress.empty()
            or (self.timers.alarm <= now and self._is_due(now))  # the alarm is never later than the first timer
        )

    def next_due(self) -> int | None:
        """Return when the first timer is due, in nanoseconds, or None without timers."""
        return self.timers.next_due()

    def _make_calls(self) -> None:
        for _ in range(self._ingress.qsize()):
            self._arrived(self._ingress.get_nowait())
        for _ in range(len(self._calls)):
            if not self._calls:
                return  # a nested turn has made them
            func, args, kw = self._calls.popleft()
            self._call(func, args, kw)

    def _arrived(self, call: _Call | None) -> None:
        self._woken = True
        if call is not None:
            self._calls.append(call)

    def _fire_timers(self) -> None:
        begun = self.timers.begin_round()
        while (timer := self.timers.pop(begun)) is not None:
            self._call(*timer.take())
        if self.timers.alarm <= self.network.clock.now:
            self.timers.set_alarm()

    def _call(self, func: Callable[..., object], args: tuple[Any, ...], kw: dict[str, Any]) -> None:
        try:
            func(*args, **kw)
        except BaseException as exception:  # noqa: BLE001 - whatever it is, the loop goes on
            self.complain(self.owner, func, exception)

    def complain(self, owner: Any, source: object, exception: BaseException) -> Any:
        """Tell *owner* that *exception* came out of *source*; return what it makes of that, or None."""
        try:
            return owner.raised(source, exception)
        except BaseException as worse:  # noqa: BLE001 - there is nobody left to tell but the interpreter
            report_unraisable(worse)
            return None

    def _wait(self, patience: int | None) -> None:
        """Let time pass until there is something to do."""
        network = self.network
        limit = None if patience is None else network.clock.now + patience
        waited = False
        while not (self._collect() or self._stopping or self.owes()):
            now = network.clock.now
            if (limit is not None and limit <= now) or self._is_due(now):
                return
            if network.others_turn(self):  # type: ignore[arg-type]  # as above
                continue
            if not waited:
                waited = True
                self._waits += 1
            following = min((each for each in (network.next_time(), limit) if each is not None), default=None)
            if following is not None and not (network.held and self._block((following - now) / SECOND)):
                network.clock.move_to(following)
            elif following is None:
                self._block(None)

    def _is_due(self, now: int) -> bool:
        due = self.timers.next_due()
        return due is not None and due <= now

    def _block(self, seconds: float | None) -> bool:
        """Wait for another thread, in real time; return whether one has called or woken us."""
        self._blocked = True
        try:
            self._arrived(self._ingress.get(timeout=seconds))
        except Empty:
            return False
        finally:
            self._blocked = False
        return True

    def _collect(self) -> bool:
        """Note what the network tells of, as from a poller; return whether there is something, or somebody has woken us."""
        touched, self._touched = self._touched, {}
        for entry in touched:
            entry.noticed()
            self.enqueue(entry)
        found = bool(touched) or self._woken or not self._ingress.empty()
        self._woken = False
        return found

    def _serve_ready(self) -> None:
        """Serve those that are ready now; who becomes ready, or is not through with its share, waits for the next turn."""
        for _ in range(len(self._ready)):
            entry = self._next_ready()
            if entry is None:
                return
            entry.serve()
            self.tell_closed()

    def _next_ready(self) -> Entry | None:
        for _ in range(len(self._ready)):
            entry = self._ready.popleft()
            if entry.busy:
                self._ready.append(entry)
                continue
            entry.queued = False
            if entry in self.entries:
                return entry
        return None

    def tell_closed(self) -> None:
        """Tell the owners of closed streams."""

    # --- entries -----------------------------------------------------------------------------------------------------

    def touch(self, entry: Entry) -> None:
        """Note that the network has something for *entry*."""
        self._touched[entry] = None
        if not self.listed:
            self.call_for_turn()

    def enqueue(self, entry: Entry) -> None:
        """Have *entry* served in this turn's or the next turn's input and output."""
        if not entry.queued and entry in self.entries:
            entry.queued = True
            self._ready.append(entry)
            if not self.listed:
                self.call_for_turn()

    def add(self, entry: Entry) -> None:
        """Begin to serve *entry*."""
        self.entries[entry] = None

    def discard(self, entry: Entry) -> None:
        """Serve *entry* no more."""
        self.entries.pop(entry, None)
        self._touched.pop(entry, None)

    def statistics(self) -> dict[str, int]:
        """Return turns, waits, timers, descriptors, streams_opened and streams_closed."""
        self.enter()
        return {
            "turns": self._turns,
            "waits": self._waits,
            "timers": len(self.timers),
            "descriptors": len(self.entries),
            "streams_opened": self.opened,
            "streams_closed": self.gone,
        }

    def beat(self) -> int | None:
        """Return a number that is another one for each turn; None while no turn is taken, or another thread is waited for."""
        return None if self._thread is None or self._blocked else self._turns

    def pulse(self) -> dict[str, Any]:
        """Return what ``LoopFigures`` has.  By the network's clock, no turn takes any time."""
        self.enter()
        return {
            "now": self.seconds(),
            "turns": self._turns,
            "waits": self._waits,
            "busy": 0.0,
            "longest": 0.0,
            "histogram": ((0.0, self._turns), (inf, 0)),
            "timers": len(self.timers),
            "opened": self.opened,
            "closed": self.gone,
        }

    def forget_entries(self) -> list[Entry]:
        """Serve nothing any more; return what there was."""
        entries, self.entries = list(self.entries), {}
        self._ready.clear()
        self._touched.clear()
        for entry in entries:
            entry.queued = False
        return entries


def _ring(reference: weakref.ref[Turns]) -> None:
    """A timer of an engine is due, if it has not been put off and the engine is still there."""
    engine = reference()
    if engine is not None:
        engine.rung()


class _Last:
    """Raises where nobody can catch it, when it goes: there the interpreter reports it by ``sys.unraisablehook``."""

    def __init__(self, exception: BaseException) -> None:
        self._exception = exception

    def __del__(self) -> None:
        raise self._exception


def report_unraisable(exception: BaseException) -> None:
    """Report what cannot be raised to anybody."""
    _Last(exception)


def _must_be_callable(function: object) -> None:
    if not callable(function):
        raise TypeError(f"the call to be made later must be callable, not {function!r}")
