"""One run of the command: from its options to its exit status.

What happens, in this order; the names in brackets are the hooks, lists of callables that are called in order:

1. :meth:`Run.begin`, once the command's own options are known: fittings *begin* (the process detaches), the reactor is installed.
2. :meth:`Run.execute`: fittings are *fitted*; the service is made (``make``); [``onMade``]; what needs rights is started; [``onBound``];
   the rest is started; the reactor runs (``loop``); once all listen, the run is ready: [``onReady``], then, as nothing can fail any
   more, [``onStarted``].
3. :meth:`Run.reload`: [``onReload``], each waited for; then [``onReloaded``], called with the report.
   :meth:`Run.restart`: in the new process, once it is ready and the old one knows: [``onTakeOver``]; then in the old one, which goes
   on with 4: [``onSuccession``].
4. The reactor is stopped, by a signal, :meth:`Run.stop` or anybody: [``onStop``]; listeners close; [``onDrain``], each waited for;
   the services drain; they are stopped; then the operating services are; then the reactor ends; [``onEnd``], also where the start
   failed; and at the very end [``onExit``], called with the exit status, also where nothing was executed. If the time for it is over before, or somebody wants to wait no longer: [``onAbort``]. See ``ending.py``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torsion.application.reloading import ReloadReport
from torsion.application.runner.ending import Ending
from torsion.application.runner.errors import StartError
from torsion.application.runner.signals import Signals
from torsion.internet.defer import Deferred, inlineCallbacks, maybeDeferred
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from torsion.application.runner.fitting import Fitting
    from torsion.application.runner.reload import Reloads
    from torsion.application.status.snapshot import Observation

__all__ = ["Run"]

_log = Logger("torsion.application.runner")

WORKER = "TORSION_WORKER"
"""The environment variable that makes a process one of several workers; see ``torsion.application.workers``."""


class Run:
    """One run of the command.

    :ivar options: the command's own options, a mapping by long name.
    :ivar argv: the arguments that started this, without the program's name: with ``python -m torsion`` before them they start it again.
    :ivar reactor: there from ``fit`` on.
    :ivar service: what is run: the root of the user's services. There from ``onMade`` on.
    :ivar application: where a file of Python is run, its application; else None.
    :ivar operating: services of the fittings; started before ``service``, and stopped after it.
    :ivar make: makes ``service``; a fitting may put another in its place.
    :ivar install: installs the reactor that was asked for, if one was.
    :ivar loop: runs the reactor; a fitting may put another in its place.
    :ivar worker: what the environment says of this process as a worker, or None if it is none.
    :ivar supervises: whether this is the master of such workers: the service, and what is to be done for it, is theirs.
    :ivar predecessor: the number of the process that this one takes the place of, or None. Until it has left its place
        [``onTakeOver``], its pid file and private sockets are its own: fittings leave them alone if there is one.
    :ivar belongings: what returns the descriptors that go on to a successor besides sockets of services, or -1, by names of the
        fittings' own: it may not have the rights to open the same again.
    :ivar inherited: those of the predecessor. In ``onTakeOver``, fittings take theirs out; what is left is closed.
    :ivar lastStatus: the exit status in place of this process's own, if that is to be another's; None if not.
    :ivar successor: the number of the process that has taken the place of this one, or None. Fittings leave to it what they would
        remove at the end.
    :ivar state: ``"starting"``, ``"ready"``, ``"stopping"``, ``"stopped"``.
    :ivar doing: what is being done before it is ready, for an error's text: "make the service", say.
    :ivar program: what the command calls itself in errors, with its sub-command.
    :ivar status: the exit status so far.
    :ivar grace: how many seconds there are for draining and stopping the service, before :meth:`abort`; None for no end.
    :ivar linger: how many seconds connections have to end by themselves in :meth:`retire`; None for no end.
    :ivar logFiles: the log files, each with ``path`` and ``reopen()``, which a reload calls.
    :ivar observation: what ``torsion.application.status`` knows of this run; None as long as nobody looks.
    :ivar report: what the latest reload did; while one is under way, what it has done so far.
    :ivar restarter: what :meth:`restart` calls; None where the run cannot be restarted.
    """

    def __init__(self, options: Mapping[str, Any], argv: Sequence[str], fittings: Iterable[Fitting] = ()) -> None:
        """Prepare a run; nothing is done yet.

        :param options: the command's own; they may be filled in until :meth:`begin`.
        :param argv: the command's arguments.
        :param fittings: what to do for whatever is run.
        """
        from torsion.application.service import MultiService

        self.options = options
        self.argv = list(argv)
        self.fittings = list(fittings)
        self.reactor: Any = None
        self.service: Any = None
        self.operating = MultiService()
        self.application: Any = None
        self.install: Callable[[], object] = lambda: None
        self.make: Callable[[], Any] | None = None
        self.loop: Callable[[], object] = lambda: self.reactor.run()  # noqa: PLW0108 - there is no reactor yet
        self.worker = os.environ.get(WORKER)
        self.supervises = False
        self.predecessor: int | None = None
        self.successor: int | None = None
        self.belongings: dict[str, Callable[[], int]] = {}
        self.inherited: dict[str, int] = {}
        self.state = "starting"
        self.doing = "prepare the start"
        self.program = "torsion"
        self.status = 0
        self.grace: float | None = None
        self.linger: float | None = None
        self.logFiles: list[Any] = []
        self.report = ReloadReport()
        self.restarter: Callable[[], Any] | None = None
        self.onMade: list[Callable[[], object]] = []
        self.onBound: list[Callable[[], object]] = []
        self.onReady: list[Callable[[], object]] = []
        self.onStarted: list[Callable[[], object]] = []
        self.onTakeOver: list[Callable[[], object]] = []
        self.onSuccession: list[Callable[[], object]] = []
        self.onReload: list[Callable[[], Any]] = []
        self.onReloaded: list[Callable[[ReloadReport], object]] = []
        self.onStop: list[Callable[[], Any]] = []
        self.onDrain: list[Callable[[], Any]] = []
        self.onAbort: list[Callable[[], object]] = []
        self.onEnd: list[Callable[[], object]] = []
        self.lastStatus: int | None = None
        self.onExit: list[Callable[[int], object]] = []
        self.signals = Signals(self)
        self._ending = Ending(self)
        self._stopping = False
        self._reloads: Reloads | None = None
        self.observation: Observation | None = None
        self._ended: list[Deferred[None]] = []

    # --- starting -----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Let the fittings begin, then install the reactor that was asked for; nothing if that was done before.

        :raise StartError: if one of them cannot.
        """
        if self.reactor is not None:
            return
        for fitting in self.fittings:
            fitting.check(self)
        for fitting in self.fittings:
            fitting.begin(self)
        self.install()
        from torsion.internet._current import current_reactor

        self.reactor = current_reactor()

    def execute(self) -> int:
        """Make the service, run it until something stops the reactor, and return the exit status.

        :raise StartError: if it cannot start; what had been started is stopped then.
        :raise Stopped: if a signal asked for the end before the reactor ran; likewise.
        """
        self._ending = Ending(self)  # of this thread, and of this process, should there have been another before
        try:
            self.signals.install()
            try:
                self._start()
            except BaseException as problem:
                self._undo(problem)
                raise
            self.reactor.addSystemEventTrigger("before", "shutdown", self._stop)
            self.reactor.callWhenRunning(self._running)
            self.loop()
        finally:
            self.state = "stopped"
            self._ending.done()
            for hook in reversed(self.onEnd):
                self._call(hook)
            self.signals.uninstall()
        return self.status

    def _start(self) -> None:
        assert self.make is not None, "there is nothing to run"
        self.doing = "prepare the start"
        self.begin()
        self.reactor.callWhenRunning(self.signals.reactor_runs)  # before anybody else is told that it does
        for fitting in self.fittings:
            fitting.fit(self)
        self.doing = "make the service"
        self.service = self.make()
        self.doing = "prepare the start"
        for hook in self.onMade:
            hook()
        self.doing = "start the service"
        self.operating.privilegedStartService()
        self.service.privilegedStartService()
        for hook in self.onBound:
            hook()
        self.operating.startService()
        self.service.startService()

    def _undo(self, problem: BaseException) -> None:
        """Stop what was started before something failed; nobody can wait for it, as the reactor has not run."""
        if self.logFiles:  # whoever called it is told in any case
            _log.error(
                "Cannot {doing}: {kind}: {problem}", doing=self.doing, kind=type(problem).__name__, problem=problem
            )
        for service in (self.service, self.operating):
            if service is not None and service.running:
                maybeDeferred(service.stopService).addErrback(
                    lambda failure: _log.failure("Cannot stop what had been started", failure)
                )
        if self.reactor is not None:
            self.reactor.removeAll()  # ports of services that have not come so far as to run

    @inlineCallbacks
    def _running(self) -> Generator[Deferred[Any], Any, None]:
        from torsion.application.runner.listening import whenListening

        try:
            yield whenListening(self.service)
            for hook in self.onReady:
                hook()
        except Exception as problem:  # noqa: BLE001 - of a service of somebody else's
            self.fail(problem)
            return
        if self.state == "starting":
            self.state = "ready"
            _log.info("Ready, process {pid}", pid=os.getpid())
            for hook in self.onStarted:
                self._call(hook)
            self.signals.ready()

    def fail(self, problem: BaseException) -> None:
        """End the run, since it did not become ready or cannot go on: tell why, and exit with status 1."""
        from torsion.application.runner.trouble import explain

        self.status = explain(problem, self.doing, self.program)
        self.stop()

    def exit(self, status: int) -> int:
        """Call the hooks ``onExit`` with the exit status, and return it, or ``lastStatus`` if one of them has set that."""
        for hook in self.onExit:
            self._call(lambda hook=hook: hook(status))  # type: ignore[misc]  # mypy knows no types of a lambda's defaults
        return status if self.lastStatus is None else self.lastStatus

    def take_over(self) -> None:
        """Have what only one of several processes can have: the predecessor has left it; or the successor, which took it, is gone.

        Calls the hooks ``onTakeOver``; what they raise is logged.
        """
        for hook in list(self.onTakeOver):
            self._call(hook)

    def ready(self) -> bool:
        """Tell whether all of the service is started and listens, and nothing has begun to stop it."""
        return self.state == "ready"

    # --- reloading, restarting ----------------------------------------------------------------------------------------

    @property
    def reloading(self) -> bool:
        """Whether a reload is under way."""
        return self._reloads is not None and self._reloads.busy

    def reload(self) -> Deferred[ReloadReport]:
        """Call the hooks ``onReload`` one after the other, and wait for each; they tell ``report`` what they did.

        A reload that is asked for while another is under way follows it.

        :returns: a Deferred that fires with the report, also if something went wrong, which is told there (``report.ok``). It fails
            with :class:`StartError` if the run is not ready, or is ending.
        """
        if self._reloads is None:
            from torsion.application.runner.reload import Reloads

            self._reloads = Reloads(self)
        return self._reloads.reload()

    def restart(self) -> Deferred[Any]:
        """Have another process take the place of this one.

        :returns: a Deferred that fires once that one is ready and this one has begun to stop, or fails while this one goes on.
        """
        if self.restarter is None:
            from torsion.internet.defer import fail

            return fail(StartError("this run cannot be restarted in place; stop it and start it again"))
        return maybeDeferred(self.restarter)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def stop(self) -> Deferred[None]:
        """Stop the reactor, in order: services drain and stop first.

        :returns: a Deferred that fires when all services have stopped, just before the reactor ends.
        """
        stopped: Deferred[None] = Deferred()
        self._ended.append(stopped)
        if self.state in ("starting", "ready") and not self._stopping:
            self._stopping = True
            self.reactor.stop()
        return stopped

    def retire(self) -> Deferred[None]:
        """Leave the place to another process: close what listens, go on with connections until they end, then :meth:`stop`.

        :returns: a Deferred that fires as that of :meth:`stop` does.
        """
        from torsion.application.runner.retiring import retire

        return retire(self)

    def abort(self) -> None:
        """Wait no longer for what drains or stops: cut the connections, call the hooks ``onAbort``, then go on to the end."""
        if self.state != "stopping":
            self.stop()
        self._ending.abort()

    def asked(self) -> None:
        """End the process if its reactor's thread does not come to :meth:`stop` in the time there is; may be called in a signal handler."""
        self._ending.asked()

    def stuck(self) -> None:
        """End the process if its reactor's thread does not come to :meth:`abort`; may be called in a signal handler."""
        self._ending.stuck()

    @inlineCallbacks
    def _stop(self) -> Generator[Deferred[Any], Any, None]:
        """Stop everything: what is done before the reactor's shutdown."""
        self.state = "stopping"
        yield self._ending.end()
        ended, self._ended = self._ended, []
        for waiting in ended:
            waiting.callback(None)

    def _call(self, hook: Callable[[], object]) -> None:
        try:
            hook()
        except Exception:  # noqa: BLE001 - one that fails must not keep the others from being called
            _log.failure("{hook} failed", hook=hook)
