"""The end of a run, in order and in time: listeners close, services drain, services stop; what is left then is aborted.

:class:`Ending` is what a ``Run`` does before its reactor ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.draining import DrainError, closeListeners, describe, drainServices
from torsion.application.runner.overdue import Overdue
from torsion.internet.defer import CancelledError, Deferred, maybeDeferred
from torsion.internet.task import deferLater
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.runner.run import Run

__all__ = ["FAILED", "LAST_SECONDS", "STUCK_SECONDS", "Ending", "abortConnections", "operates"]

_log = Logger("torsion.application.runner")

FAILED = 1
"""The exit status of a run of which a service could not be drained or stopped, or did not stop in time."""

LAST_SECONDS = 1.0
"""How long services have to stop when the time for it was over before, in seconds: enough to write to a disk, and little beside
what supervisors allow before they kill.  The command's own services have as long."""

STUCK_SECONDS = 2.0
"""How long the reactor's thread may take for what is to be done at once, in seconds, before the process is ended, since it must be
stuck: a busy machine closes ten thousand connections in that time."""


class Ending:
    """What is done before a run's reactor ends."""

    def __init__(self, run: Run) -> None:
        """Prepare it, in the reactor's thread.

        :param run: what is to end; its ``grace`` is how many seconds it has for it, or None for no end.
        """
        self._run = run
        self._overdue = Overdue()
        self._begun = False
        self._over = False
        self._hurry = False
        self._aborted = False
        self._waited: tuple[Deferred[Any], Deferred[None]] | None = None

    def end(self) -> Deferred[None]:
        """Go through it all.

        :returns: a Deferred that fires when there is nothing more to wait for; it never fails.
        """
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        run = self._run
        self._expect()
        self._begun = True
        deadline = None
        if run.grace is not None:
            deadline = run.reactor.callLater(run.grace, self._late)
        for hook in run.onStop:
            await self._call(hook)
        if run.service is not None:
            await self._drain()
            await self._stop(run.service, LAST_SECONDS if self._over else None)
        if deadline is not None and deadline.active():
            deadline.cancel()
        self._over = self._hurry
        await self._stop(run.operating, LAST_SECONDS)
        if self._aborted:
            # The reactor closes them in its next turn, with a reset, and tells their protocols; as it ends, it would close
            # them as if all had been sent.
            await deferLater(run.reactor, 0)

    def done(self) -> None:
        """The reactor has ended: nothing is stuck."""
        self._overdue.done()

    async def _drain(self) -> None:
        await self._within(lambda: closeListeners(self._run.service))
        for hook in self._run.onDrain:
            await self._call(hook)
        if not self._over:
            problem = await self._within(lambda: drainServices([self._run.service]))
            if isinstance(problem, Failure) and problem.check(DrainError):
                self._failed()  # which service it was has been told

    async def _stop(self, service: Any, seconds: float | None) -> None:
        last = None if seconds is None else self._run.reactor.callLater(seconds, self._expire)
        result = await self._within(service.stopService)
        if last is not None and last.active():
            last.cancel()
        if isinstance(result, Failure) and not result.check(CancelledError):
            _log.failure("The service {service} failed to stop", result, service=describe(service))
        elif isinstance(result, Failure) and not hasattr(service, "addService"):  # a collection has told of its own
            _log.error("The service {service} has not stopped in time", service=describe(service))
        if isinstance(result, Failure) or _some_failed(result):
            self._failed()

    async def _call(self, hook: Callable[[], Any]) -> None:
        if not self._over:
            result = await self._within(hook)
            if isinstance(result, Failure):
                _log.failure("Stopping: {hook} failed", result, hook=hook)

    async def _within(self, what: Callable[[], Any]) -> Any:
        """Do something and wait for it, unless there is no time left; return its result, or a Failure."""
        outcome: list[Any] = []
        waiter: Deferred[None] = Deferred()

        def done(result: Any) -> None:
            outcome.append(result)
            if not waiter.called:
                waiter.callback(None)

        waited = maybeDeferred(what)
        waited.addBoth(done)
        self._waited = waited, waiter
        if self._hurry:
            self._expire()
        await waiter
        self._waited = None
        return outcome[0] if outcome else Failure(CancelledError())

    def abort(self) -> None:
        """Wait for nothing any more: abort the connections, and go through the rest."""
        self._hurry = True
        self._overdue.allow(STUCK_SECONDS)
        self._late()

    def asked(self) -> None:
        """End the process if its end, which is asked for now, does not come in time; may be called anywhere, as :meth:`stuck`.

        The reactor's thread may be stuck already; once it comes to :meth:`end`, it has all the time again.
        """
        if not self._begun:
            self._expect()

    def _expect(self) -> None:
        if self._run.grace is not None:
            self._overdue.expect(self._run.grace + 2 * LAST_SECONDS + STUCK_SECONDS)

    def stuck(self) -> None:
        """End the process if the reactor's thread does not come to :meth:`abort`; may be called anywhere, also in a signal handler."""
        self._overdue.allow(STUCK_SECONDS)

    def _late(self) -> None:
        """Have an end, now that the time is over, or nobody wants to wait."""
        run = self._run
        if not self._over:
            self._over = True
            if not self._hurry:
                _log.warn("The time to stop is over, after {grace:g} seconds", grace=run.grace)
            if number := abortConnections(run.reactor):
                self._aborted = True
                _log.warn("Aborted connections that were still open: {number}", number=number)
            for hook in list(run.onAbort):
                try:
                    hook()
                except Exception:  # noqa: BLE001 - one that fails must not keep the others from being called
                    _log.failure("{hook} failed", hook=hook)
        self._expire()

    def _expire(self) -> None:
        """Wait no longer for what is being waited for."""
        if self._waited is not None:
            waited, waiter = self._waited
            waited.cancel()  # those who wait for services tell of them by name
            if not waiter.called:
                waiter.callback(None)

    def _failed(self) -> None:
        self._run.status = self._run.status or FAILED


def _some_failed(result: Any) -> bool:
    """Tell whether there is a failure among what a collection's ``stopService`` fired with."""
    if not isinstance(result, list):
        return False
    pairs = [each for each in result if isinstance(each, tuple) and len(each) == 2]  # as those of a DeferredList
    return any(isinstance(outcome, Failure) or _some_failed(outcome) for _, outcome in pairs)


def abortConnections(reactor: Any) -> int:
    """Abort all stream connections that a reactor has accepted, but for those of the command itself (control, status, manhole).

    :param reactor: if it is no ``IReactorInspection``, nothing is done: it closes them when it ends.
    :returns: how many they were.
    """
    if not hasattr(reactor, "connections"):
        return 0
    connections = [each for each in reactor.connections() if each.listener is not None and not operates(each.listener)]
    for each in connections:
        each.transport.abortConnection()
    return len(connections)


def operates(port: Any) -> bool:
    """Tell whether a port is the command's own, and no service's: its factory says so by an attribute ``operating``."""
    return bool(getattr(getattr(port, "factory", None), "operating", False))
