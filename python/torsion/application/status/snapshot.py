"""What a run looks like from outside, at one moment."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol

from torsion.application.status.describe import bounded
from torsion.application.status.errors import ErrorLog
from torsion.application.status.lag import LagMeter
from torsion.application.status.process import ProcessFigures
from torsion.application.status.shape import SCHEMA
from torsion.application.status.sharing import SHARE
from torsion.application.status.watched import connections, listeners, threads, timers, turn_times

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.application.status.shape import Loop, Slow, Snapshot
    from torsion.logger import LogPublisher

__all__ = ["Observation", "SlowFigures", "observe", "snapshot"]

_STATES = {"stopping": "draining", "stopped": "draining"}


class SlowFigures(Protocol):
    """Whoever knows what was slow."""

    def figures(self) -> Slow:
        """Return what was found so far."""


class Observation:
    """Keeps what a snapshot needs and a reactor does not remember: errors, the loop's lag, what was slow.

    :ivar errors: an observer of the log.
    :ivar lag: what measures the loop's lag.
    :ivar slow: whoever knows what was slow; None if nobody looks.
    """

    slow: SlowFigures | None = None

    def __init__(self, run: Run) -> None:
        """Watch *run*, whose reactor is there."""
        self._run = run
        self._reactor: Any = run.reactor
        self._process = ProcessFigures(self._reactor)
        self._publisher: LogPublisher | None = None
        self._last: Snapshot | None = None
        self._fresh_until = 0.0
        self.errors = ErrorLog(without="worker" if run.supervises else None)
        self.lag = LagMeter(self._reactor)

    def watch_log(self) -> None:
        """Count what is logged from now on."""
        from torsion.logger import globalLogPublisher

        if self._publisher is None:
            self._publisher = globalLogPublisher
            self._publisher.addObserver(self.errors)

    def unwatch_log(self) -> None:
        """Count it no more."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.removeObserver(self.errors)

    def snapshot(self) -> Snapshot:
        """Return all figures of this moment; to be called in the reactor's thread.

        Where it took long to gather them, they are returned once more until :data:`SHARE` times as long is over, so that nobody
        who asks often keeps the loop from its work.
        """
        began = self._reactor.seconds()
        if self._last is None or began >= self._fresh_until:
            self._last = self._gather()
            ended = self._reactor.seconds()
            self._fresh_until = ended + SHARE * (ended - began)
        return self._last

    def _gather(self) -> Snapshot:
        run, reactor = self._run, self._reactor
        worker = _slot(run.worker)
        errors = self.errors.figures()
        for error in errors["list"]:
            error["worker"] = worker
        slow = _nothing_slow() if self.slow is None else self.slow.figures()
        for call in slow["list"]:
            call["worker"] = worker
        return {
            "schema": SCHEMA,
            "time": time.time(),
            "name": _name(run),
            "worker": worker,
            "state": self.state(),
            "process": self._process.read(),
            "connections": connections(reactor, worker),
            "listeners": listeners(reactor, worker),
            "timers": timers(reactor, worker),
            "threads": threads(reactor, worker),
            "slow": slow,
            "errors": errors,
            "log": self.errors.levels(),
            "loop": self._loop(),
            "workers": [],
            "processes": {},
        }

    def state(self) -> str:
        """Return ``starting``, ``ready``, ``reloading`` or ``draining``."""
        state = self._run.state
        if state == "ready" and self._run.reloading:
            return "reloading"
        return _STATES.get(state, state)

    def _loop(self) -> Loop:
        figures = self.lag.look()
        return {
            "turns": figures and figures.turns,
            "waits": figures and figures.waits,
            "busy": figures and figures.busy,
            "opened": figures and figures.opened,
            "closed": figures and figures.closed,
            "turn_times": figures and turn_times(figures),
            "lag": self.lag.figures(),
        }


def _nothing_slow() -> Slow:
    return {"threshold": None, "count": 0, "list": []}


def _slot(worker: str | None) -> str | None:
    """Return which worker the environment says that this is."""
    return None if worker is None else bounded(worker.partition(":")[0], 20)


def _name(run: Run) -> str:
    """Return what is run, without its arguments, which may hold what is nobody's business."""
    name = getattr(run.options, "subCommand", None)
    file = run.options.get("python")
    if name:
        return bounded(f"torsion {name}")
    return bounded(f"torsion -y {os.path.basename(file)}" if file else "torsion")  # noqa: PTH119 - a text


def observe(run: Run) -> Observation:
    """Return the observation of a run, which is made when it is asked for first.

    :param run: one whose reactor is there.
    """
    if run.observation is None:
        run.observation = Observation(run)
    return run.observation


def snapshot(run: Run) -> Snapshot:
    """Return how *run* stands, as ``docs/status.md`` describes it; to be called in the reactor's thread.

    What was not watched, since nobody asked for it, is empty: errors, lag, what was slow.
    """
    return observe(run).snapshot()
