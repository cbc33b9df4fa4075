"""Running a service as a process: ``run`` one run from options to exit status · ``fitting`` what can be done for it, and ``fittings`` the table of all of them."""

from torsion.application.runner.errors import StartError, Stopped
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.fittings import FITTINGS
from torsion.application.runner.run import Run

__all__ = ["FITTINGS", "Fitting", "Run", "StartError", "Stopped"]
