"""How long the turns of a reactor take, for those who measure it: ``reactor.addTickObserver``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion._native import Engine

__all__ = ["ProvidesTicks", "Tick"]

_new = tuple.__new__


class Tick(NamedTuple):
    """What one turn of a reactor took.  A turn that is taken within another one (``iterate`` in a callback) is part of that.

    :ivar waited: for how many seconds it waited for something to do, until the interpreter was its own again.
    :ivar worked: how many seconds all else took: timers, calls from threads, protocols.  Nothing else was served
        meanwhile, so this is what delays what comes in.
    :ivar events: how many descriptors it found to be ready.
    """

    waited: float
    worked: float
    events: int


class ProvidesTicks:
    """Lets functions be called after each turn.  While there are none, nothing is measured."""

    engine: Engine
    _tick_observers: tuple[Callable[[Tick], object], ...] = ()

    def addTickObserver(self, observer: Callable[[Tick], object]) -> None:
        """Call a function after each turn, in the reactor's thread.

        :param observer: called with a :class:`Tick`.  If it raises, that is logged, and it is called no more: a message for each
            turn would hide all others.
        :raises TypeError: if it is not callable.
        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        if not callable(observer):
            raise TypeError(f"an observer must be callable with a Tick, unlike {observer!r}")
        if not self._tick_observers:
            self.engine.on_tick(self._ticked)
        self._tick_observers += (observer,)

    def removeTickObserver(self, observer: Callable[[Tick], object]) -> None:
        """Call a function no more that :meth:`addTickObserver` was given; once, if it was given several times.

        :raises ValueError: if it is not called anyway.
        :raises torsion.internet.error.WrongThreadError: if the reactor runs in another thread.
        """
        observers = list(self._tick_observers)
        try:
            observers.remove(observer)
        except ValueError:
            raise ValueError(f"{observer!r} does not observe this reactor's ticks (any more)") from None
        if not observers:
            self.engine.on_tick(None)
        self._tick_observers = tuple(observers)

    def _ticked(self, waited: float, worked: float, events: int) -> None:
        tick = _new(Tick, (waited, worked, events))  # as Tick(...), in half the time
        for observer in self._tick_observers:
            try:
                observer(tick)
            except BaseException as problem:  # noqa: BLE001 - as with all that a reactor calls, it is logged, and the loop goes on
                if observer in self._tick_observers:  # unless it has removed itself
                    self.removeTickObserver(observer)
                self.raised(observer, problem)

    def raised(self, source: object, exception: BaseException, /) -> None:
        """Log what escaped from *source*; the reactor's own."""
        raise NotImplementedError
