"""``--slow``: tells which callbacks keep the event loop for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting
from torsion.application.runner.quantities import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run

__all__ = ["SHORTEST", "Slow"]

SHORTEST = 0.01
"""The shortest time that can be too long, in seconds: what watches looks eight times as often, which must not slow down what it watches."""


class Slow(Fitting):
    """Watches the reactor, if that is asked for."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "slow",
            None,
            None,
            "Log callbacks that take longer than so many seconds, such as 0.1, with their stacks; --status shows them.",
            seconds(SHORTEST),
        ),
    )

    def fit(self, run: Run) -> None:
        """Have what is slow logged, and shown where there is a page of status."""
        threshold = run.options["slow"]
        if threshold is None or run.supervises:
            return
        from torsion.application.status.slow import SlowLog
        from torsion.application.status.snapshot import observe
        from torsion.internet.reactors.slow import SlowCallbacks

        kept = SlowLog(threshold)
        observe(run).slow = kept
        try:
            watching = SlowCallbacks(run.reactor, threshold, kept.ended, kept.noticed)
        except TypeError as problem:
            from torsion.application.runner.errors import StartError

            raise StartError(f"--slow: {problem}", 2) from problem
        run.onReady.append(watching.start)
        run.onEnd.append(watching.stop)
