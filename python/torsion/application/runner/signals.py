"""Signals of a run: SIGTERM and SIGINT stop it, SIGHUP reloads it, SIGUSR2 restarts it; before it is ready they wait, or end it."""

from __future__ import annotations

import signal
from time import monotonic
from typing import TYPE_CHECKING, Any

from torsion.application.runner.errors import Stopped
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.runner.run import Run

__all__ = ["Signals"]

_log = Logger("torsion.application.runner")

_STOPPING = ("SIGTERM", "SIGINT", "SIGBREAK")

ECHO_SECONDS = 0.1
"""For so long after a signal the same one is taken for the same, in seconds: ``timeout`` and others that pass signals on send them
to a process and to its group as well.  Who wants a second signal to be one is slower than that."""


class Signals:
    """The signal handlers of a run."""

    def __init__(self, run: Run) -> None:
        """Prepare them.

        :param run: what they act on.
        """
        self._run = run
        self._old: dict[int, Any] = {}
        self._looping = False
        self._pending: list[int] = []
        self._stops = 0
        self._asked = 0
        self._last: tuple[int, float] = (0, 0.0)
        self.actions: dict[str, Callable[[], Any]] = {"SIGHUP": run.reload, "SIGUSR2": run.restart}
        """What signals other than those that stop do, by name; a fitting may add to it."""

    def install(self) -> None:
        """Install the handlers, if this is the main thread, the only one that may."""
        from torsion.internet.reactors.signals import in_main_thread

        if not in_main_thread():
            return
        for name in (*_STOPPING, *self.actions):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup's, or a background job's
                before = signal.signal(number, self._handle)
                self._old.setdefault(number, before)

    def uninstall(self) -> None:
        """Put back what there was before."""
        for number, before in self._old.items():
            if signal.getsignal(number) == self._handle and before is not None:
                signal.signal(number, before)
        self._old.clear()

    def reactor_runs(self) -> None:
        """Note that the reactor runs, whose own handlers these replace."""
        self._looping = True
        if self._old:
            self.install()

    def ready(self) -> None:
        """Do what signals asked for before the run was ready."""
        pending, self._pending = self._pending, []
        for number in pending:
            self._act(number)

    def _handle(self, number: int, _frame: object) -> None:
        stops = signal.Signals(number).name in _STOPPING
        before, self._last = self._last, (number, monotonic())
        if stops and before[0] == number and self._last[1] - before[1] < ECHO_SECONDS:
            self._last = before
        elif self._looping:
            self._asked += stops
            if stops:  # the reactor's thread, which is this one, may never come to what it is asked for here
                (self._run.asked if self._asked == 1 else self._run.stuck)()
            self._run.reactor.callFromThread(self._stop if stops else self._later, number)
        elif stops:
            if not self._asked:  # else what had been started is being stopped, which nothing should cut short
                self._asked = 1
                raise Stopped(number)
        else:
            self._pending.append(number)

    def _stop(self, number: int) -> None:
        name = signal.Signals(number).name
        self._stops += 1
        if self._stops == 1 and self._run.state in ("starting", "ready"):
            _log.info("Received {signal}, shutting down.", signal=name)
            if self._run.state == "starting":
                self._run.status = 128 + number
            self._run.stop()
        else:
            _log.warn("Received {signal} again, aborting.", signal=name)
            self._run.status = 128 + number
            self._run.abort()

    def _later(self, number: int) -> None:
        if self._run.state == "starting":
            self._pending.append(number)
        else:
            self._act(number)

    def _act(self, number: int) -> None:
        from torsion.internet.defer import maybeDeferred

        name = signal.Signals(number).name
        _log.info("Received {signal}", signal=name)
        maybeDeferred(self.actions[name]).addErrback(
            lambda failure: _log.error("{signal}: {problem}", signal=name, problem=failure.getErrorMessage())
        )
