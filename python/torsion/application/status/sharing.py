"""One snapshot for all who ask at about the same time, so that watching stays cheap however many watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from torsion.internet.defer import Deferred, maybeDeferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FRESH_SECONDS", "SHARE", "Shared"]

FRESH_SECONDS = 0.5
"""How old a result may be that is given once more: half of the interval in which the page and ``torsion top`` ask."""

SHARE = 20
"""A result is kept for at least as many times as long as it took to make.  So watching takes no more than one twentieth of the
loop's time even with a million connections."""

Result = TypeVar("Result")


class Shared(Generic[Result]):
    """Makes a result when it is asked for, and gives it to all who ask until it is old."""

    def __init__(self, reactor: Any, make: Callable[[], Result | Deferred[Result]]) -> None:
        """Share what *make* returns, or what the Deferred that it returns fires with; *reactor* keeps the time."""
        self._seconds: Callable[[], float] = reactor.seconds
        self._make = make
        self._result: Result | None = None
        self._fresh_until = float("-inf")
        self._waiting: list[Deferred[Result]] = []
        self._making = False

    def get(self) -> Deferred[Result]:
        """Return a Deferred of the result; to cancel it leaves the others alone that wait."""
        if self._result is not None and self._seconds() < self._fresh_until:
            return succeed(self._result)
        wanted: Deferred[Result] = Deferred(self._forget)
        self._waiting.append(wanted)
        if not self._making:
            self._making = True
            began = self._seconds()
            made = maybeDeferred(self._make)
            # Only what happens before this line keeps the loop from its work.
            age = max(FRESH_SECONDS, SHARE * (self._seconds() - began))
            made.addBoth(self._made, age)
        return wanted

    def _made(self, result: Any, age: float) -> None:
        self._making = False
        waiting, self._waiting = self._waiting, []
        failed = hasattr(result, "raiseException")
        if not failed:
            self._result = result
            self._fresh_until = self._seconds() + age
        for each in waiting:
            if failed:
                each.errback(result)
            else:
                each.callback(result)

    def _forget(self, wanted: Deferred[Result]) -> None:
        if wanted in self._waiting:
            self._waiting.remove(wanted)
