"""``--control PATH``: the socket over which ``torsion reload``, ``torsion restart`` and ``torsion stop`` ask, and hear what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting
from torsion.application.runner.pidfile import pidfile_of
from torsion.python.usage import CompleteFiles, Completer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.application.runner.run import Run

__all__ = ["SUFFIX", "Control"]

SUFFIX = ".control"
"""What is appended to a pid file's path for the control socket, if none is named."""


def _path(name: str) -> str:
    return str(Path(name).absolute()) if name else ""


class Control(Fitting):
    """Listens for those who want the process to reload, to restart or to stop."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "control",
            None,
            None,
            f"Unix socket for torsion reload, restart and stop; {SUFFIX} behind the pid file's path if not given. An empty name is none.",
            _path,
        ),
    )
    completions: ClassVar[Mapping[str, Completer]] = {"control": CompleteFiles("*.control")}

    def fit(self, run: Run) -> None:
        """Listen while the run goes on; if it takes the place of another process, once that has left it."""
        path, named = run.options["control"], True
        if path is None:
            pidfile, named = pidfile_of(run.options), False
            path = pidfile and pidfile + SUFFIX
        if not path or run.worker is not None or (not named and not _fits(path)):
            return
        from torsion.application.control.service import BELONGING, ControlService

        service = ControlService(run, path)
        if run.predecessor is None:
            service.setServiceParent(run.operating)

        def take_over() -> None:
            if service.parent is None:
                service.setServiceParent(run.operating)
            else:
                service.take_back()

        run.onTakeOver.append(take_over)
        run.onSuccession.append(service.leave)
        run.belongings[BELONGING] = service.descriptor


def _fits(path: str) -> bool:
    """Tell whether *path*, which nobody has asked for, can be that of a socket; if not, the log tells so."""
    import os
    import sys

    from torsion.internet.transports.unixpath import check_path
    from torsion.logger import Logger

    if sys.platform == "win32":
        return False
    try:
        check_path(os.fsencode(path))
    except OSError:
        Logger("torsion.application.runner").warn(
            "No control socket: the path {path} is too long; name one with --control", path=path
        )
        return False
    return True
