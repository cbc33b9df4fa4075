"""The master: a service that runs workers in place of the service that the command line asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import IDrains, IListens
from torsion.application.service import Service
from torsion.application.workers.slot import Slot
from torsion.internet.defer import Deferred, DeferredList, fail, inlineCallbacks, succeed
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torsion.application.reloading import ReloadReport
    from torsion.application.workers.process import End, Workshop

__all__ = ["RELOAD_PATIENCE", "STATUS_PATIENCE", "Master", "WorkersError"]

_log = Logger("torsion.application.workers")

RELOAD_PATIENCE = 60.0
"""Seconds that a worker may take to reload: it may read a configuration over the network, one service after the other."""

STATUS_PATIENCE = 2.0
"""Seconds that a worker may take to tell how it is: whoever looks at a page wants to see the others meanwhile."""


class WorkersError(Exception):
    """Something that was asked of the workers failed in some of them; the text names them."""


@implementer(IDrains, IListens)
class Master(Service):
    """Runs N workers, and replaces those that end.

    :ivar slots: the places of the workers.
    """

    def __init__(
        self,
        workers: int,
        shop: Workshop,
        grace: Callable[[], float | None],
        make: Callable[[int, Workshop, Any], Any] = Slot,
        failure: Callable[[str], Exception] = WorkersError,
    ) -> None:
        """Prepare them.

        :param workers: how many.
        :param shop: what they are made with.
        :param grace: returns how many seconds a worker has to drain when the master stops; None for no end.
        :param make: makes a slot.
        :param failure: makes what :meth:`whenListening` fails with.
        """
        self.slots: list[Slot] = [make(number, shop, self) for number in range(workers)]
        self._shop = shop
        self._grace = grace
        self._failure = failure
        self._failed: dict[int, tuple[Any, End]] = {}
        self._first = True  # until each slot's first worker was ready, or failed
        self._listening: Deferred[None] = Deferred()
        self._restarting = False
        self._ended: list[Deferred[None]] = []

    # --- start -------------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """Start all workers."""
        super().startService()
        _log.info("Starting {number} workers", number=len(self.slots))
        for slot in self.slots:
            slot.start()

    def whenListening(self) -> Deferred[None]:
        """Wait for the first workers.

        :returns: a Deferred that fires once each slot's first worker is ready or has failed. If all have failed, it fails
            with what says why.
        """
        return self._listening

    def slot_failed(self, slot: Slot, worker: Any, end: End) -> bool:
        """Its worker ended before it was ready: see ``Owner``."""
        if not self._first:
            return True
        self._failed[slot.number] = worker, end
        return False

    def slot_changed(self, slot: Slot) -> None:
        """Another worker serves there, or none: see ``Owner``."""
        serving = [each.number for each in self.slots if each.serving]
        self._shop.broker.serving(serving)
        if self._first and len(serving) + len(self._failed) == len(self.slots):
            self._first = False
            self._decide(bool(serving))
        if self._ended and not any(each.processes for each in self.slots):
            ended, self._ended = self._ended, []
            for each in ended:
                each.callback(None)

    def _decide(self, some: bool) -> None:
        """All slots have shown what comes of a start there: go on with those that failed, or give up."""
        failed, self._failed = self._failed, {}
        if some:
            for number, (worker, end) in failed.items():
                self.slots[number].again(worker, end)
            self._listening.callback(None)
            return
        number, (_, end) = next(iter(failed.items()))
        count = len(self.slots)
        which = "the worker" if count == 1 else f"none of the {count} workers"
        verb = "did not start" if count == 1 else "started"
        self._listening.errback(self._failure(f"{which} {verb}: worker {number}: {end.reason()}"))

    # --- requests ----------------------------------------------------------------------------------------------------

    def ask(self, what: str, patience: float | None = None, **arguments: Any) -> Deferred[list[tuple[int, bool, Any]]]:
        """Ask all workers that are ready.

        :param what: ``ping``, ``status`` or ``reload``.
        :param patience: how many seconds each has to answer.
        :returns: a Deferred that fires with the slot, whether it went well, and the answer or a Failure, for each.
        """
        slots = [each for each in self.slots if each.serving]
        asked = DeferredList([each.worker.ask(what, patience, **arguments) for each in slots], consumeErrors=True)
        return asked.addCallback(
            lambda results: [(slot.number, good, result) for slot, (good, result) in zip(slots, results, strict=True)]
        )

    def snapshots(self) -> Deferred[list[Any]]:
        """Ask all workers for their status.

        :returns: a Deferred that fires with the answers of those that answered in time.
        """
        return self.ask("status", STATUS_PATIENCE).addCallback(
            lambda results: [answer for _, good, answer in results if good]
        )

    def figures(self) -> list[dict[str, Any]]:
        """Return what the master knows of each slot: its number, the worker's pid (0 for none), its state, and starts so far."""
        return [
            {
                "slot": each.number,
                "pid": each.worker.pid if each.worker is not None else 0,
                "state": each.worker.state if each.worker is not None else "waiting",
                "starts": each.starts,
            }
            for each in self.slots
        ]

    @inlineCallbacks
    def reload(self, report: ReloadReport | None = None) -> Generator[Deferred[Any], Any, None]:
        """Have all workers reload, all at once.

        :param report: is told what they did, if it is given.
        :returns: a Deferred that fires when they have; it fails with :class:`WorkersError` if some do not answer.
        """
        results = yield self.ask("reload", RELOAD_PATIENCE)
        if report is not None:
            for number, good, answer in results:
                if good:
                    report.include(answer, f"worker {number}")
        failed = [f"worker {number}: {why.getErrorMessage()}" for number, good, why in results if not good]
        if failed:
            raise WorkersError(f"{len(failed)} of {len(results)} workers could not reload: {'; '.join(failed)}")

    def restart(self) -> Deferred[None]:
        """Replace all workers, one after the other: each new one is ready before the old one drains.

        :returns: a Deferred that fires when new workers serve in all slots; old ones may still drain. It fails with
            :class:`WorkersError` if a new one does not become ready, and those that have not been replaced go on.
        """
        if self._restarting:
            return fail(WorkersError("the workers are being restarted already"))
        self._restarting = True

        def done(result: Any) -> Any:
            self._restarting = False
            return result

        return self._restart().addBoth(done)

    @inlineCallbacks
    def _restart(self) -> Generator[Deferred[Any], Any, None]:
        for slot in self.slots:
            try:
                yield slot.replace()
            except Exception as problem:
                done = slot.number
                rest = (
                    "all workers go on as they were"
                    if not done
                    else f"only the first {done} of {len(self.slots)} are new"
                )
                raise WorkersError(f"{problem}; {rest}") from problem
        _log.info("All {number} workers have been replaced", number=len(self.slots))

    # --- stop --------------------------------------------------------------------------------------------------------

    def stopListening(self) -> None:
        """Close the sockets here; workers close theirs as they drain."""
        self._shop.broker.close()

    def drain(self) -> Deferred[None]:
        """Have all workers drain and end; see ``IDrains``."""
        grace = self._grace()
        for slot in self.slots:
            slot.end(grace)
        return self._when_ended()

    def stopService(self) -> Deferred[None]:
        """Kill the workers that are left.

        :returns: a Deferred that fires when none is.
        """
        super().stopService()
        self._shop.broker.close()
        self.kill()
        return self._when_ended()

    def kill(self) -> None:
        """Kill all workers at once."""
        for slot in self.slots:
            slot.kill()

    def _when_ended(self) -> Deferred[None]:
        if not any(each.processes for each in self.slots):
            return succeed(None)
        ended: Deferred[None] = Deferred(self._ended.remove)
        self._ended.append(ended)
        return ended
