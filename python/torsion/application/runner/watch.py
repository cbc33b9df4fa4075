"""``--reload``, for development: changed code is taken on as soon as a file is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.fitting import Fitting
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.application.runner.run import Run
    from torsion.application.runner.watchers import Watcher

__all__ = ["Watch"]

_log = Logger("torsion.application.runner")


class Watch(Fitting):
    """Reloads the run when one of the user's modules changes, and restarts it if that could not be taken on in place."""

    optFlags: ClassVar[Sequence[Sequence[Any]]] = (
        (
            "reload",
            None,
            "For development: when a file of the program is saved, reload, or restart where code cannot be exchanged.",
        ),
    )

    _watcher: Watcher | None = None

    def fit(self, run: Run) -> None:
        """Begin once the run is ready."""
        if not run.options["reload"] or (run.options.get("workers") is not None and run.worker is None):
            return  # of several workers, each watches for itself
        self._run = run
        self._busy = self._again = False
        if run.linger is None:
            run.linger = run.grace  # nobody wants old processes about
        run.onReady.append(self._begin)
        run.onStop.append(self._stop)

    def _begin(self) -> None:
        from torsion.application.runner.watchers import watcher

        self._watcher = watcher(self._run.reactor, self._changed)
        self._watch()
        _log.info(
            "Watching for changes of {number} files ({how})", number=self._number, how=type(self._watcher).__name__
        )

    def _watch(self) -> None:
        """Watch what is loaded by now."""
        from torsion.application.runner.changes import usersModules

        files = {str(module.__file__) for module in usersModules()}
        self._number = len(files)
        if self._watcher is not None:
            self._watcher.watch(files)

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    def _changed(self) -> None:
        from torsion.internet.defer import Deferred

        if self._busy:
            self._again = True
        elif self._run.ready():
            Deferred.fromCoroutine(self._take_on()).addErrback(
                lambda failure: _log.failure("Changes of files could not be taken on", failure)
            )

    async def _take_on(self) -> None:
        self._busy = True
        try:
            await self._reload()
        finally:
            self._busy = False
            if self._again:
                self._again = False
                self._changed()

    async def _reload(self) -> None:
        report = await self._run.reload()
        self._watch()
        if report.failed:
            return  # it has been told; a restart would fail as well, and what runs is whole
        if report.notUpdated:
            why = "; ".join(str(each) for each in report.notUpdated)
            _log.info("Restarting, as not all could be taken on in place: {why}", why=why)
            try:
                await self._run.restart()
            except Exception as problem:  # noqa: BLE001 - whatever keeps it from restarting, this process goes on
                _log.error("No restart, the old code goes on: {problem}", problem=problem)
