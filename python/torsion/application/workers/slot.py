"""A place for one worker: what supervises the processes that stand in it one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from torsion.application.workers.backoff import Backoff
from torsion.application.workers.process import End, Worker, Workshop
from torsion.internet.defer import Deferred, fail
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IDelayedCall

__all__ = ["Owner", "ReplacementFailed", "Slot"]

_log = Logger("torsion.application.workers")


class ReplacementFailed(Exception):
    """A new worker did not become ready; the old one, if there is one, goes on."""


class Owner(Protocol):
    """What is told of a slot: the master."""

    def slot_changed(self, slot: Slot) -> None:
        """Another worker serves in it, or none."""

    def slot_failed(self, slot: Slot, worker: Any, end: End) -> bool:
        """Its worker ended before it was ready; returns whether to start another."""


class Slot:
    """One of N places.

    :ivar number: which, from 0.
    :ivar worker: the process that serves, or is to; None between two.
    :ivar successor: the process that is to take its place.
    :ivar old: processes that are being drained.
    :ivar starts: how many processes have been started here.
    """

    def __init__(
        self, number: int, shop: Workshop, owner: Owner, make: Callable[[Workshop, Slot], Any] = Worker
    ) -> None:
        """Make an empty one.

        :param make: makes a worker, which does not run yet.
        """
        self.number = number
        self.worker: Any = None
        self.successor: Any = None
        self.old: list[Any] = []
        self.starts = 0
        self._shop = shop
        self._owner = owner
        self._make = make
        self._backoff = Backoff()
        self._again: IDelayedCall | None = None
        self._replaced: Deferred[Any] | None = None
        self._ending = False

    @property
    def serving(self) -> bool:
        """Whether its worker is ready."""
        return self.worker is not None and self.worker.state == "ready"

    @property
    def processes(self) -> list[Any]:
        """All its processes that have not ended."""
        return [each for each in (self.worker, self.successor, *self.old) if each is not None]

    def start(self) -> None:
        """Start a worker."""
        self._again = None
        self.worker = self._made()
        self._begin(self.worker)

    def _made(self) -> Any:
        self.starts += 1
        return self._make(self._shop, self)

    def _begin(self, worker: Any) -> None:
        try:
            worker.start()
        except OSError as problem:  # processes or descriptors have run out, or Python is not where it was
            _log.error("Cannot start worker {slot}: {problem}", slot=self.number, problem=problem)
            self.worker_ended(worker, End(f"cannot be started: {problem}", 0.0))

    # --- what workers tell -------------------------------------------------------------------------------------------

    def worker_ready(self, worker: Any) -> None:
        """It serves: see ``Watcher``."""
        _log.info("{who} is ready", who=worker.name)
        if worker is self.successor:
            before, self.worker, self.successor = self.worker, worker, None
            if before is not None:
                self.old.append(before)
                before.retire()
            self._settle(None)
        self._owner.slot_changed(self)

    def worker_leaves(self, worker: Any, end: End) -> None:
        """It stops by itself, and another takes its place meanwhile: see ``Watcher``."""
        if worker is self.worker and not self._ending:
            self.worker = None
            self.old.append(worker)
            if self.successor is None:
                self._start_again(worker, end)
            self._owner.slot_changed(self)

    def worker_ended(self, worker: Any, end: End) -> None:
        """It is over: see ``Watcher``."""
        if worker in self.old:
            self.old.remove(worker)
            _log.info("{who} has ended after another took its place: {how}", who=worker.name, how=end.how)
        elif worker is self.successor:
            self.successor = None
            _log.error("{who} was to replace another: {why}", who=worker.name, why=end.reason())
            self._settle(ReplacementFailed(f"the new worker {self.number} did not become ready: {end.reason()}"))
            if self.worker is None:
                self._start_again(worker, end)
        elif worker is self.worker:
            self.worker = None
            if self._ending:
                _log.info("{who} has ended: {how}", who=worker.name, how=end.how)
            elif self.successor is None:
                self._start_again(worker, end)
            else:
                _log.warn("{who} has ended: {how}; its successor is starting", who=worker.name, how=end.how)
        self._owner.slot_changed(self)

    def _start_again(self, worker: Any, end: End) -> None:
        if self._ending or (not end.served and not self._owner.slot_failed(self, worker, end)):
            return
        self.again(worker, end)

    def again(self, worker: Any, end: End) -> None:
        """Start another worker after one that ended: at once, or after a delay if that happens in a row."""
        delay = self._backoff.ended(end.served)
        failures = self._backoff.failures
        row = "" if failures == 1 else f", number {failures} in a row that did not last"
        when = f"in {delay:.1f} seconds" if delay else "at once"
        _log.error(
            "{who} {why}{row}; another is started {when}",
            who=worker.name,
            why=end.how if worker in self.old else f"has ended: {end.how if end.served else end.reason()}",
            row=row,
            when=when,
        )
        # Not within the call that tells of the end, even if it is at once.
        self._again = self._shop.reactor.callLater(delay, self.start)

    def worker_wants_replacement(self, worker: Any) -> Deferred[Any]:
        """It asks for one that starts anew, since some of what it runs has changed: see ``Watcher``."""
        return self.replace()

    # --- what the master asks for ------------------------------------------------------------------------------------

    def replace(self) -> Deferred[Any]:
        """Start another worker, and have this one retire once that is ready.

        :returns: a Deferred that fires when the new one serves. It fails with :class:`ReplacementFailed` if it does not
            become ready; the old one goes on as if nothing had been.
        """
        if self._ending:
            return fail(ReplacementFailed("all workers are ending"))
        if self._replaced is not None:
            return fail(ReplacementFailed(f"worker {self.number} is being replaced already"))
        if self._again is not None:  # there is none, and there was to be one later
            self._again.cancel()
            self._again = None
        elif self.worker is not None and self.worker.state == "starting":
            return fail(ReplacementFailed(f"worker {self.number} is just starting"))
        replaced: Deferred[Any] = Deferred()
        self._replaced = replaced
        self.successor = self._made()
        self._begin(self.successor)
        return replaced

    def _settle(self, problem: Exception | None) -> None:
        replaced, self._replaced = self._replaced, None
        if replaced is not None:
            if problem is None:
                replaced.callback(None)
            else:
                replaced.errback(problem)

    def end(self, grace: float | None) -> None:
        """Start no more, and have all drain.

        :param grace: how many seconds they have for it; None for no end.
        """
        self._ending = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        for each in self.processes:
            each.drain(grace)

    def kill(self) -> None:
        """Start no more, and kill all."""
        self._ending = True
        for each in self.processes:
            each.kill()
