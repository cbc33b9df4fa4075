"""A function called again and again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.internet import _current
from torsion.internet.defer import Deferred, maybeDeferred
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["LoopingCall"]


class LoopingCall:
    """Calls a function at regular times.

    The times are multiples of the interval since the start.  If a call takes longer than the interval, or the Deferred
    that it returns fires later than that, the times missed are left out, not made up for.

    :param f: the function.  While a Deferred that it returned has not fired, it is not called again.
    :param a: its arguments.
    :param kw: its keyword arguments.

    :ivar call: the :class:`IDelayedCall` of the next call, or None.
    :ivar running: whether it was started and not stopped since.
    :ivar interval: seconds from call to call, or None before the start.  May be changed; the next call is not moved.
    :ivar starttime: when it was started or reset, in seconds of the clock, or None before the start.
    """

    call: IDelayedCall | None = None
    running = False
    interval: float | None = None
    starttime: float | None = None
    _clock: IReactorTime | None = None
    _deferred: Deferred[LoopingCall] | None = None
    _called_at_start = False
    _last_counted: float | None = None

    def __init__(self, f: Callable[..., Any], *a: Any, **kw: Any) -> None:
        self.f = f
        self.a = a
        self.kw = kw

    @classmethod
    def withCount(cls, countCallable: Callable[[int], Any]) -> LoopingCall:
        """Make one whose function is told how many times it should have been called since it was called last.

        :param countCallable: called with that number: 1 if no time was missed, more if some were.
        """

        def counter() -> Any:
            count = loop._count()
            return countCallable(count) if count else None

        loop = cls(counter)
        return loop

    @property
    def clock(self) -> IReactorTime:
        """What calls it later: unless another was set, the current reactor when it is first asked for."""
        if self._clock is None:
            self._clock = _current.current_reactor()
        return self._clock

    @clock.setter
    def clock(self, clock: IReactorTime) -> None:
        self._clock = clock

    @property
    def deferred(self) -> Deferred[LoopingCall] | None:
        """The Deferred that :meth:`start` returned, while it runs.  Deprecated: keep it yourself."""
        warnings.warn(
            "LoopingCall.deferred is deprecated: use the Deferred that start() returns",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._deferred

    def start(self, interval: float, now: bool = True) -> Deferred[LoopingCall]:
        """Begin to call the function.

        :param interval: seconds from call to call; 0 for as often as the reactor can, once in each of its turns.
        :param now: call it at once, too; else it is called first when one interval has passed.
        :returns: a Deferred that fires with this LoopingCall when it was stopped, and fails if the function fails,
            which stops it.
        :raises ValueError: if *interval* is negative or not finite.
        :raises RuntimeError: if it is running.
        """
        if self.running:
            raise RuntimeError(f"{self!r} is running already: call stop() before you start it again")
        if interval < 0:
            raise ValueError(f"interval must be >= 0, not {interval!r}")
        if not math.isfinite(interval):
            raise ValueError(f"interval must be a finite number of seconds, not {interval!r}")
        self.running = True
        # Kept apart from self._deferred, which a stop() during the first call takes away.
        deferred: Deferred[LoopingCall] = Deferred()
        self._deferred = deferred
        self.starttime = self.clock.seconds()
        self.interval = interval
        self._called_at_start = now
        self._last_counted = None
        if now:
            self()
        else:
            self._schedule()
        return deferred

    def stop(self) -> None:
        """Call the function no more.

        The Deferred of :meth:`start` fires at once, or when the Deferred of a call that was begun has fired: if that never does,
        nor does it.  In either case it may be started again at once.

        :raises RuntimeError: if it is not running.
        """
        self._check_running("stop")
        self.running = False
        if self.call is not None:
            self.call.cancel()
            self.call = None
            self._finish(self._deferred, self)

    def reset(self) -> None:
        """Count the interval anew from this moment.

        :raises RuntimeError: if it is not running.
        """
        self._check_running("reset")
        if self.call is not None:
            self.call.cancel()
            self.call = None
            self.starttime = self.clock.seconds()
            self._schedule()

    def __call__(self) -> None:
        """Call the function now, and again later."""
        self.call = None
        # Of which run it is: a call that is waited for may be done when that run was stopped, and another one begun.
        run = (self._deferred,)
        maybeDeferred(self.f, *self.a, **self.kw).addCallbacks(self._succeeded, self._failed, run, errbackArgs=run)

    def _succeeded(self, _: object, run: Deferred[LoopingCall] | None) -> None:
        if run is self._deferred and self.running:
            self._schedule()
        else:
            self._finish(run, self)

    def _failed(self, failure: Failure, run: Deferred[LoopingCall] | None) -> None:
        if run is self._deferred:
            self.running = False
        self._finish(run, failure)

    def _finish(self, run: Deferred[LoopingCall] | None, result: LoopingCall | Failure) -> None:
        if run is self._deferred:
            self._deferred = None
        assert run is not None
        run.callback(result)

    def _schedule(self) -> None:
        self.call = self.clock.callLater(self._seconds_to_next(self.clock.seconds()), self)

    def _seconds_to_next(self, now: float) -> float:
        interval, start = self.interval, self.starttime
        assert interval is not None
        assert start is not None
        if interval == 0:
            return 0
        wait = interval - (now - start) % interval
        # A wait that vanishes beside the time itself would call again at this same moment.
        return interval if now + wait == now else wait

    def _count(self) -> int:
        """Return how many times have come since it was asked last."""
        now = self.clock.seconds()
        interval, start, last = self.interval, self.starttime, self._last_counted
        assert interval is not None
        assert start is not None
        if interval == 0:
            self._last_counted = now
            return 1
        if last is None:
            last = start - interval if self._called_at_start else start
        count = int((now - start) / interval) - int((last - start) / interval)
        if count > 0:
            self._last_counted = now
        return max(count, 0)

    def _check_running(self, what: str) -> None:
        if not self.running:
            raise RuntimeError(f"Tried to {what} {self!r}, which is not running: call start() first")

    def __repr__(self) -> str:
        """Name the interval, the function and its arguments."""
        name = getattr(self.f, "__qualname__", None) or repr(self.f)
        return f"LoopingCall<{self.interval!r}>({name}, *{self.a!r}, **{self.kw!r})"
