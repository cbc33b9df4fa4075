"""What the command can do for whatever it runs: the table of all fittings, in the order in which they are fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.runner.control import Control
from torsion.application.runner.daemonize import Daemon
from torsion.application.runner.grace import Grace
from torsion.application.runner.handover import Handover
from torsion.application.runner.logs import Logs
from torsion.application.runner.manhole import Manhole
from torsion.application.runner.notify import Notify
from torsion.application.runner.pidfile import Pidfile
from torsion.application.runner.privileges import Privileges
from torsion.application.runner.profiling import Profiling
from torsion.application.runner.reload import Reload
from torsion.application.runner.slow import Slow
from torsion.application.runner.status import Status
from torsion.application.runner.threads import Threads
from torsion.application.runner.vigil import Vigil
from torsion.application.runner.watch import Watch
from torsion.application.runner.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torsion.application.runner.fitting import Fitting

__all__ = ["FITTINGS", "rows"]

# A line each; its module imports little (``torsion --help`` imports them all).
FITTINGS: tuple[type[Fitting], ...] = (
    Handover,  # first: it tells the others whose place is to be taken
    Daemon,
    Privileges,
    Logs,
    Pidfile,
    Profiling,
    Grace,
    Manhole,
    Reload,
    Watch,
    Workers,
    Threads,  # after workers, each of which may have some
    Slow,
    Status,
    Control,
    Vigil,
    Notify,
)  # fmt: skip  # a line each, so that several hands can add one


def rows(kind: str) -> Iterator[list[Any]]:
    """Yield what all fittings declare under the name *kind*: ``optFlags`` or ``optParameters``."""
    for fitting in FITTINGS:
        for row in getattr(fitting, kind):
            yield list(row)
