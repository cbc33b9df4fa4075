"""``--manhole PATH``: a Python prompt into the process, at a private socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting
from torsion.python.usage import CompleteFiles

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.python.usage import Completer

__all__ = ["Manhole"]


def _path(name: str) -> str:
    if not name:
        raise ValueError("it is empty")
    return str(Path(name).absolute())  # the process may go to another folder before it listens


class Manhole(Fitting):
    """Has operators connect with ``torsion manhole PATH``."""

    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["manhole", None, None, "Unix socket for a Python prompt into the process (torsion manhole PATH).", _path],
    ]
    completions: ClassVar[Mapping[str, Completer]] = {"manhole": CompleteFiles()}

    def fit(self, run: Run) -> None:
        """Listen while the service runs; a worker does so beside the master's socket, at its path with a dot and the slot's number."""
        path = run.options["manhole"]
        if path is None:
            return
        from torsion.application.manhole.service import ManholeService

        if run.worker is not None:
            path = f"{path}.{run.worker.partition(':')[0]}"
        service = ManholeService(run.reactor, path, run, patient=run.worker is not None)
        service.setServiceParent(run.operating)
        run.onTakeOver.append(service.take)
