"""The options ``--workers`` and ``--worker-timeout``: the command as a master, or as one of its workers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.quantities import seconds, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run
    from torsion.application.workers.master import Master
    from torsion.application.workers.side import Side

__all__ = ["HUNG_SECONDS", "MOST_WORKERS", "Workers"]

MOST_WORKERS = 512
"""How many workers there may be: more than any machine has use for, and few enough that a slip of the finger is no fork bomb."""


HUNG_SECONDS = 30.0
"""After how many seconds without an answer a worker counts as hung.  Whatever keeps it so long in one turn of the reactor keeps all
its connections waiting as long."""


def _number(text: str) -> int:
    """Return how many workers *text* means; ``auto`` is one for each processor that this process may use."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return whole(1, MOST_WORKERS, ", or auto")(text)


_number.coerceDoc = "A number from 1, or auto: one for each processor."  # type: ignore[attr-defined]  # what usage shows for an option


class Workers(Fitting):
    """Runs the service in several processes."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "workers",
            None,
            None,
            "Serve with this many processes on the same sockets; those that end are replaced.",
            _number,
        ),
        (
            "worker-timeout",
            None,
            HUNG_SECONDS,
            "Kill a worker that has not answered its master for so many seconds; 0 for never.",
            seconds(),
        ),
    )

    def __init__(self) -> None:
        self._folder = ""
        self._side: Side | None = None
        self.master: Master | None = None

    def begin(self, run: Run) -> None:
        """Note where this was started, or that this is a worker."""
        if run.worker is not None:
            self._join(run, run.worker)
            return
        self._folder = os.getcwd()  # noqa: PTH109 - relative paths of the command line are meant from here
        if run.options["workers"] is None:
            return
        run.supervises = True
        import socket

        if not hasattr(socket, "recv_fds"):
            raise StartError("--workers needs Unix sockets, which pass on listening sockets; there are none here", 2)

    def _join(self, run: Run, value: str) -> None:
        from torsion.application.workers.membership import VARIABLE, membership
        from torsion.application.workers.side import Side

        os.environ.pop(VARIABLE, None)  # what we start is no worker of that master
        try:
            found = membership(value)
            for descriptor in found[1:]:
                os.set_inheritable(descriptor, False)
        except (ValueError, OSError) as problem:
            raise StartError(f"this cannot be a worker: {problem}") from problem
        # In a group of its own: Ctrl-C in a terminal is the master's business, who has its workers drain.
        os.setpgid(0, 0)
        self._side = Side(run, found)

    def fit(self, run: Run) -> None:
        """Be a master, or a worker, if that was asked for."""
        if self._side is not None:
            try:
                self._side.fit()
            except OSError as problem:
                raise StartError(f"this cannot be a worker: {problem}") from problem
            _dump_when_aborted()
        elif run.options["workers"] is not None:
            self._be_master(run, run.options["workers"])

    def _be_master(self, run: Run, number: int) -> None:
        from torsion.application.runner.given import shared_with
        from torsion.application.runner.restart import RestartError, command_line
        from torsion.application.workers.broker import Broker
        from torsion.application.workers.master import Master
        from torsion.application.workers.process import Limits, Workshop

        try:
            command = command_line(run)
        except RestartError as problem:
            raise StartError(str(problem)) from problem

        shop = Workshop(
            run.reactor,
            Broker(number, shared_with(run)),
            command,
            self._folder,
            dict(os.environ),
            Limits(run.options["restart-timeout"], unanswered=run.options["worker-timeout"]),
            seal=_gives_up_privileges(run),
        )
        self.master = master = Master(number, shop, lambda: run.grace, failure=StartError)
        run.make = lambda: master
        run.restarter = master.restart
        run.onReload.append(lambda: master.reload(run.report))
        run.onAbort.append(master.kill)


def _gives_up_privileges(run: Run) -> bool:
    return os.geteuid() == 0 and any(run.options.get(name) is not None for name in ("uid", "gid"))


def _dump_when_aborted() -> None:
    """Have a worker that hangs write down where, when its master ends it by SIGABRT."""
    import faulthandler

    if not faulthandler.is_enabled():
        try:
            faulthandler.enable(file=sys.__stderr__ or 2)
        except (OSError, ValueError, AttributeError, RuntimeError):
            pass  # standard error is closed: nobody would see it
