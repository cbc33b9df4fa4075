"""Listening sockets that go from one process to the next: a restart at which nobody is refused; systemd's socket activation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.quantities import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.inheritance import Inheritance
    from torsion.application.runner.restart import Restarter
    from torsion.application.runner.run import Run
    from torsion.application.runner.sockets import Sockets
    from torsion.internet.defer import Deferred

__all__ = ["SHORTEST", "START_SECONDS", "Handover"]

START_SECONDS = 60.0
"""How long a new process may take to be ready, in seconds; what is not ready then is taken to hang.  systemd waits for 90."""

SHORTEST = 0.001
"""The least that can be asked for, in seconds: with less, no restart could succeed."""

VARIABLE = "TORSION_HANDOVER"  # as in inheritance.py, which is imported only if the variable is there


class Handover(Fitting):
    """Lets ports adopt the sockets that this process was started with, and has the run restarted with those that it has."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        [
            "restart-timeout",
            None,
            START_SECONDS,
            "Seconds that the new process of a restart may take to be ready.",
            seconds(SHORTEST),
        ],
    ]

    _inherited: Inheritance | None = None
    _activated: Sequence[int] = ()
    _restarter: Restarter | None = None

    def begin(self, run: Run) -> None:
        """Take what was handed over, before anybody else is started or asks for it."""
        try:
            self._folder = str(Path.cwd())
        except OSError:  # it was removed
            self._folder = os.sep
        if VARIABLE in os.environ:
            from torsion.application.runner import inheritance

            self._inherited = inheritance.read(os.environ)
            if self._inherited is not None:
                run.predecessor = self._inherited.process
                run.inherited = dict(self._inherited.belongings)
        self._environment = dict(os.environ)
        if run.worker is None:
            self._activated = _activated()

    def fit(self, run: Run) -> None:
        """Give the sockets to the reactor."""
        if run.worker is not None:
            return  # its sockets are its master's
        from torsion.application.runner.sockets import Sockets

        inherited = self._inherited
        sockets = Sockets(inherited.sockets if inherited else (), self._activated)
        run.reactor.sockets = sockets
        if run.restarter is None:
            run.restarter = lambda: self._restart(run, sockets)
        run.onReady.append(sockets.ready)
        run.onStarted.append(lambda: run.reactor.callLater(0, load))
        if inherited is not None:
            from torsion.application.runner.heir import Heir

            heir = Heir(run, sockets, inherited)
            heir.connect()
            run.onStarted.append(heir.ready)

    def _restart(self, run: Run, sockets: Sockets) -> Deferred[int]:
        from torsion.application.runner.restart import Restarter

        if self._restarter is None:
            seconds = run.options["restart-timeout"]
            self._restarter = restarter = Restarter(run, sockets, self._environment, self._folder, seconds)
            run.onStop.append(lambda: restarter.give_up("the old process was told to stop"))
        return self._restarter()


def load() -> None:
    """Import what a restart needs.

    Not before the run is ready, as every start would wait for it; and not when it is asked for, as it may be another version by then
    that is installed.
    """
    from torsion.application.runner import restart, retiring  # noqa: F401 - that they are there is all
    from torsion.internet.transports import adopted  # noqa: F401 - likewise
    from torsion.internet.transports.process import process, reaper  # noqa: F401 - likewise


def _activated() -> list[int]:
    """Return duplicates of what systemd has started this process with."""
    if "LISTEN_FDS" not in os.environ:
        return []
    from torsion.python.systemd import ListenFDs

    found: list[int] = []
    try:
        for descriptor in ListenFDs.fromEnvironment(dict(os.environ)).inheritedDescriptors():
            found.append(os.dup(descriptor))  # noqa: PERF401 - what was duplicated before one fails is to be closed
    except OSError as problem:
        for each in found:
            os.close(each)
        raise StartError(f"LISTEN_FDS names descriptors that this process has not: {problem}") from problem
    return found
