"""The log of a run: where it goes, in which form, and from which level on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torsion.application.runner.fitting import Fitting
from torsion.logger import FilteringLogObserver, LogLevelFilterPredicate, globalLogBeginner, textFileLogObserver

if TYPE_CHECKING:
    from torsion.application.runner.run import Run

__all__ = ["Logs"]


class Logs(Fitting):
    """Begins the log."""

    def fit(self, run: Run) -> None:
        """Begin the log once the service is made: until then, what fails is shown on standard error."""
        self._run = run
        run.onMade.append(self._begin)

    def _begin(self) -> None:
        observer = textFileLogObserver(sys.stdout)
        level = LogLevelFilterPredicate(self._run.options["logLevel"])
        globalLogBeginner.beginLoggingTo([FilteringLogObserver(observer, [level])])
