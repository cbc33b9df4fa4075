"""How long a run may take to end: ``--grace``, when it is stopped, and ``--linger``, when another has taken its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting
from torsion.application.runner.quantities import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run

__all__ = ["GRACE_SECONDS", "Grace"]

GRACE_SECONDS = 5.0
"""How long draining and stopping may take together, in seconds, before connections are aborted.  Long enough for a peer that reads
slowly, short enough for those who wait for the process to end: supervisors commonly allow ten seconds before they kill it."""


class Grace(Fitting):
    """Sets the times of a run."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "grace",
            None,
            GRACE_SECONDS,
            "Seconds for services to drain and stop before connections are aborted; a second signal aborts at once.",
            seconds(),
        ),
        (
            "linger",
            None,
            None,
            "Seconds to go on with old connections after a restart; until they end, if not given.",
            seconds(),
        ),
    )

    def fit(self, run: Run) -> None:
        """Set ``run.grace`` and ``run.linger``."""
        run.grace = run.options["grace"]
        run.linger = run.options["linger"]
