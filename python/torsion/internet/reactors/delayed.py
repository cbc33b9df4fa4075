"""A call in the future, in Python: for clocks that are not the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.reactors.engine import Engine

__all__ = ["DelayedCall", "call_by_other_clock"]


@implementer(IDelayedCall)
class DelayedCall:
    """A call to come (``IDelayedCall``).  Whoever schedules it is told when it is cancelled or moved.

    :ivar time: when it is due, by the clock *seconds*.
    :ivar called: set to a true value by whoever makes the call.
    :ivar cancelled: whether it was cancelled.
    """

    def __init__(
        self,
        time: float,
        func: Callable[..., object],
        args: tuple[Any, ...],
        kw: dict[str, Any],
        cancel: Callable[[DelayedCall], object],
        reset: Callable[[DelayedCall], object],
        seconds: Callable[[], float],
    ) -> None:
        """Describe a call.

        :param time: when it is due.
        :param func: what to call, with *args* and *kw*.
        :param cancel: told of this when it is cancelled.
        :param reset: told of this when its time has changed.
        :param seconds: the clock.
        """
        self.time = time
        self.func: Callable[..., object] | None = func
        self.args: tuple[Any, ...] | None = args
        self.kw: dict[str, Any] | None = kw
        self.seconds = seconds
        self.called: object = 0
        self.cancelled: object = 0
        self._canceller = cancel
        self._resetter = reset

    def getTime(self) -> float:
        """Return when the call is due."""
        return self.time

    def cancel(self) -> None:
        """Do not make the call.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        self._canceller(self)
        self.cancelled = 1
        self.func = self.args = self.kw = None

    def reset(self, secondsFromNow: float) -> None:
        """Make the call in *secondsFromNow* seconds instead.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        self.time = self.seconds() + secondsFromNow
        self._resetter(self)

    def delay(self, secondsLater: float) -> None:
        """Put the call off by *secondsLater* seconds.

        :raises torsion.internet.error.AlreadyCalled, torsion.internet.error.AlreadyCancelled: if it is too late.
        """
        self._check()
        self.time += secondsLater
        self._resetter(self)

    def active(self) -> bool:
        """Return whether the call is still to come."""
        return not (self.called or self.cancelled)

    def _check(self) -> None:
        if self.cancelled:
            raise AlreadyCancelled
        if self.called:
            raise AlreadyCalled

    def __lt__(self, other: DelayedCall) -> bool:
        return self.time < other.time

    def __le__(self, other: DelayedCall) -> bool:
        return self.time <= other.time

    def __repr__(self) -> str:
        state = "cancelled" if self.cancelled else "called" if self.called else f"in {self.time - self.seconds():.3f} s"
        return f"<{type(self).__name__} at {id(self):#x}, {state}, {self.func!r}>"


def call_by_other_clock(
    engine: Engine,
    seconds: Callable[[], float],
    delay: float,
    func: Callable[..., object],
    args: tuple[Any, ...],
    kw: dict[str, Any],
    kind: Callable[..., Any] = DelayedCall,
) -> Any:
    """Have *engine* call *func* in *delay* seconds, and reckon with the clock *seconds* in all that can be asked of it.

    :param kind: makes the call to come, with the arguments of :class:`DelayedCall`.
    :returns: that.
    """

    def fire() -> None:
        call.called = 1
        func(*args, **kw)

    def moved(call: Any) -> None:
        timer.reset(max(0.0, call.getTime() - seconds()))

    timer = engine.call_later(delay, fire)
    call = kind(seconds() + delay, func, args, kw, lambda _: timer.cancel(), moved, seconds)
    return call
