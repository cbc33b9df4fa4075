"""The option ``--threads``: one reactor in each of several threads, where Python has no GIL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.quantities import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run
    from torsion.application.workers.threads import Member

__all__ = ["ANYWAY", "MOST_THREADS", "Threads"]

MOST_THREADS = 512
"""How many threads there may be: as of workers."""

ANYWAY = "TORSION_THREADS_WITH_GIL"
"""For torsion's own tests: an environment variable that lets threads be used where they do not run at the same time."""


class Threads(Fitting):
    """Runs the service in several threads."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "threads",
            None,
            None,
            "Serve with this many threads, each with a reactor; for Pythons without a GIL.",
            whole(1, MOST_THREADS),
        ),
    )

    def begin(self, run: Run) -> None:
        """Refuse where threads would not run at the same time, before anything is started."""
        if run.options["threads"] is None or ANYWAY in os.environ:
            return
        from torsion.application.workers.threads import why_not
        from torsion.internet.reactors.native import NativeReactor  # which may turn the GIL on

        del NativeReactor
        if (why := why_not()) is not None:
            raise StartError(f"--threads does not help here: {why}; use --workers", 2)

    def fit(self, run: Run) -> None:
        """Have the service made once for each thread."""
        number = run.options["threads"]
        if number is None or run.supervises:
            return
        from torsion.application.runner.given import shared_with
        from torsion.application.runner.listening import whenListening
        from torsion.application.workers import threads
        from torsion.application.workers.broker import Broker

        broker = Broker(number, shared_with(run))
        make = run.make
        assert make is not None, "the command has set it"
        run.reactor.sockets = threads.ThreadSockets(broker, 0)
        sockets = [run.reactor.sockets]

        def member(index: int) -> Member:
            reactor = type(run.reactor)()
            reactor.sockets = threads.ThreadSockets(broker, index)
            sockets.append(reactor.sockets)
            return threads.Member(index, run.reactor, reactor, make, whenListening)

        def ending() -> None:
            for each in sockets:
                each.ending = True
            broker.close()

        run.make = lambda: threads.Threads(number, make, member, lambda: run.fail(StartError("a thread has ended")))
        run.onStop.append(ending)
        if run.worker is None:
            run.restarter = _refuse


def _refuse() -> None:
    raise StartError("a run with --threads cannot be restarted in place: stop it and start it anew, or use --workers")
