"""The figures of several workers as one page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.status.merge import merge
from torsion.application.status.past import Past
from torsion.application.workers.master import STATUS_PATIENCE

if TYPE_CHECKING:
    from torsion.application.status.shape import Snapshot
    from torsion.application.status.snapshot import Observation
    from torsion.application.workers.master import Master
    from torsion.internet.defer import Deferred

__all__ = ["Crew"]


class Crew:
    """A master and its workers."""

    def __init__(self, master: Master, observation: Observation) -> None:
        """Ask the workers of *master*, and take its own figures from *observation*."""
        self._master = master
        self._observation = observation
        self._past = Past()

    def state(self) -> str:
        """Return ``ready`` as long as the master goes on and a worker serves."""
        state = self._observation.state()
        if state == "ready" and not any(each.serving for each in self._master.slots):
            return "starting"
        return state

    def snapshot(self) -> Deferred[Snapshot]:
        """Ask all workers, and return a Deferred of what they tell; those that do not are named, with what is known of them."""
        return self._master.ask("status", STATUS_PATIENCE).addCallback(self._merge)

    def _merge(self, answers: list[tuple[int, bool, Any]]) -> Snapshot:
        told = {slot: answer for slot, good, answer in answers if good}
        problems = {slot: f"it does not answer: {answer.value}" for slot, good, answer in answers if not good}
        missing = {}
        restarts = {}
        for each in self._master.figures():
            slot = each["slot"]
            restarts[str(slot)] = max(0, each["starts"] - 1)
            if slot not in told:
                missing[str(slot)] = problems.get(slot, f"it is {each['state']}")
        snapshots = list(told.values())
        past = self._past.note(snapshots)
        return merge(snapshots, master=self._observation.snapshot(), missing=missing, restarts=restarts, past=past)
