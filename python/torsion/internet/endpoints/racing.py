"""Attempts that race each other, and the order in which a host's addresses are tried (RFC 8305, sections 4 to 6)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IDelayedCall
    from torsion.python.failure import Failure

__all__ = ["ATTEMPT_DELAY", "Race", "Waiting"]

ATTEMPT_DELAY = 0.25
"""After how many seconds without an answer the next address is tried as well: RFC 8305, section 5 proposes this."""


class Waiting:
    """Addresses that wait to be tried: their classes take turns, within a class it goes by the order of arrival."""

    def __init__(self) -> None:
        self._families: dict[type, deque[Any]] = {}
        self._last: type | None = None

    def __bool__(self) -> bool:
        return any(self._families.values())

    def add(self, address: object) -> None:
        """Add an address."""
        self._families.setdefault(type(address), deque()).append(address)

    def prefer(self, family: type) -> None:
        """Let an address of *family* be the next, if there is one."""
        if family in self._families:
            self._families = {family: self._families.pop(family), **self._families}
            self._last = None

    def take(self) -> Any:
        """Remove and return the address to be tried next.  There has to be one."""
        families = [family for family, waiting in self._families.items() if waiting]
        after = families.index(self._last) + 1 if self._last in families else 0
        self._last = families[after % len(families)]
        return self._families[self._last].popleft()

    def clear(self) -> None:
        """Forget them all."""
        self._families.clear()


class Race:
    """Attempts to get the same thing, started one after the other until one succeeds; the others are cancelled then.

    :ivar won: fires with the result of the first that succeeds; fails with what *lost* makes of all failures.
    """

    def __init__(
        self,
        clock: Any,
        delay: float,
        attempt: Callable[[Any], Deferred[Any]],
        lost: Callable[[list[tuple[Any, Failure]]], Failure],
    ) -> None:
        """Prepare a race.

        :param clock: provides ``IReactorTime``.
        :param delay: how many seconds to wait for an attempt before another one is started besides; when one fails, the
            next is started at once.
        :param attempt: starts one, given an address.
        :param lost: given each address with its failure, in the order of failing, returns the failure of it all.
        """
        self.won: Deferred[Any] = Deferred(lambda _: self.stop())
        self.waiting = Waiting()
        self.started = False
        self._clock = clock
        self._delay = delay
        self._attempt = attempt
        self._lost = lost
        self._running: list[Deferred[Any]] = []
        self._failures: list[tuple[Any, Failure]] = []
        self._timer: IDelayedCall | None = None
        self._complete = False
        self._over = False

    def start(self) -> None:
        """Begin with the first attempt."""
        self.started = True
        self._go_on()

    def add(self, address: object) -> None:
        """Let *address* take part."""
        if self._over:
            return
        self.waiting.add(address)
        if self.started and self._timer is None:
            if self._running:  # an attempt is under way that had the field for itself
                self._timer = self._clock.callLater(self._delay, self._next)
            else:
                self._next()

    def complete(self) -> None:
        """There are no more addresses to come."""
        self._complete = True
        self._go_on()

    def stop(self) -> None:
        """Give up what is under way."""
        self._over = True
        self.waiting.clear()
        self._stop_timer()
        running, self._running = self._running, []
        for attempt in running:
            attempt.cancel()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _go_on(self) -> None:
        """Start an attempt if none is under way; if there is none to start, the race may be lost."""
        if self._over or self._running or not self.started:
            return
        if self.waiting:
            self._next()
        elif self._complete:
            self.stop()
            self.won.errback(self._lost(self._failures))

    def _next(self) -> None:
        self._stop_timer()
        address = self.waiting.take()
        attempt = self._attempt(address)
        self._running.append(attempt)
        attempt.addCallbacks(self._success, self._failure, callbackArgs=(attempt,), errbackArgs=(address, attempt))
        if self.waiting and self._timer is None and not self._over:
            self._timer = self._clock.callLater(self._delay, self._next)

    def _success(self, result: Any, attempt: Deferred[Any]) -> None:
        if not self._over:
            self._running.remove(attempt)
            self.stop()
            self.won.callback(result)

    def _failure(self, reason: Failure, address: object, attempt: Deferred[Any]) -> None:
        if self._over:
            return
        self._running.remove(attempt)
        self._failures.append((address, reason))
        if self.waiting:
            self._next()
        else:
            self._go_on()
