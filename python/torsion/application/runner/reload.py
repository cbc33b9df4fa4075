"""Reloading a run: log files are opened anew, changed code is rebuilt in place, services read their configuration again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from torsion.application.reloading import ReloadError, ReloadReport, Trouble, reloadServices
from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.internet.defer import Deferred, fail, maybeDeferred
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.runner.run import Run

__all__ = ["Reload", "Reloads"]

_log = Logger("torsion.application.runner")


class Reloads:
    """The reloads of a run: one after the other."""

    def __init__(self, run: Run) -> None:
        """Prepare them.

        :param run: whose hooks ``onReload`` and ``onReloaded`` are called.
        """
        self._run = run
        self._busy = False
        self._waiting: list[Deferred[ReloadReport]] = []

    @property
    def busy(self) -> bool:
        """Whether a reload is under way."""
        return self._busy

    def reload(self) -> Deferred[ReloadReport]:
        """Reload, once a reload that is under way is over; those who ask meanwhile are served by one and the same.

        :returns: a Deferred that fires with the report, whatever went wrong. It fails with :class:`StartError` if the run is not
            ready, or is ending.
        """
        if not self._run.ready():
            return fail(StartError(f"cannot reload: the process is {self._run.state}"))
        reloaded: Deferred[ReloadReport] = Deferred()
        self._waiting.append(reloaded)
        if not self._busy:
            Deferred.fromCoroutine(self._work())
        return reloaded

    async def _work(self) -> None:
        self._busy = True
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                report = await self._once()
                for each in waiting:
                    if not each.called:  # who asked may have cancelled it
                        each.callback(report)
        finally:
            self._busy = False

    async def _once(self) -> ReloadReport:
        run = self._run
        report = run.report = ReloadReport()
        _log.info("Reloading")
        began = time.monotonic()
        for hook in list(run.onReload):
            try:
                await maybeDeferred(hook)
            except Exception as problem:  # noqa: BLE001 - one that fails must not keep the others from being called
                _note(report, getattr(hook, "__qualname__", repr(hook)), problem)
        report.seconds = time.monotonic() - began
        (_log.info if report.ok else _log.error)("{report}", report=report)
        for told in list(run.onReloaded):
            try:
                told(report)
            except Exception:  # noqa: BLE001 - as above
                _log.failure("{hook} failed", hook=told)
        return report


def _note(report: ReloadReport, what: str, problem: BaseException | Failure) -> None:
    failure = problem if isinstance(problem, Failure) else Failure(problem)
    why = failure.getErrorMessage().splitlines() or [""]
    report.failed.append(Trouble(what, why[0], failure.getTraceback()))


class Reload(Fitting):
    """Gives a run what there is to reload."""

    def begin(self, run: Run) -> None:
        """Look at the time, before modules of the user's are imported: what is changed from now on has changed."""
        from torsion.application.runner.changes import Changes

        self._changes = Changes()

    def fit(self, run: Run) -> None:
        """Append to the hooks."""
        hooks: list[Callable[[Run], Any]] = [_reopen_logs, self._take_on_code, _reload_services]
        run.onReload += [_bound(hook, run) for hook in hooks]
        run.onReady.append(self._changes.note)

    def _take_on_code(self, run: Run) -> None:
        from torsion.application.runner.code import takeOn

        takeOn(self._changes, run.report)


def _bound(hook: Callable[[Run], Any], run: Run) -> Callable[[], Any]:
    return lambda: hook(run)


def _reopen_logs(run: Run) -> None:
    """Open log files anew: a program like logrotate(8) may have put them aside."""
    for file in run.logFiles:
        try:
            file.reopen()
        except OSError as problem:
            _note(run.report, str(file.path), problem)
        else:
            run.report.logs.append(str(file.path))


def _reload_services(run: Run) -> Deferred[None]:
    return Deferred.fromCoroutine(_services(run))


async def _services(run: Run) -> None:
    try:
        run.report.services += await reloadServices([run.service])
    except ReloadError as error:
        run.report.services += error.reloaded
        for name, why in error.failed:
            _note(run.report, name, why)
