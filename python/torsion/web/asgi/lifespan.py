"""The lifespan of an application: it is told when the server begins, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.web.asgi.runner import AsyncRunner

__all__ = ["Lifespan", "LifespanError"]

_log = Logger(namespace="torsion.web.asgi")


class LifespanError(Exception):
    """An application could not start."""


class Lifespan:
    """A call of an application that lasts as long as the server.

    :ivar state: what the application has put there, for the scopes of requests; None if it takes no part in this.
    """

    def __init__(self, application: Any, runner: AsyncRunner) -> None:
        """Make one; nothing happens as yet.

        :param application: the application.
        :param runner: runs it.
        """
        self._application = application
        self._runner = runner
        self.state: dict[str, Any] | None = None
        self._events: list[str] = []
        self._wake: Callable[[], object] | None = None
        self._waited_for: Deferred[None] | None = None
        self._task: Any = None
        self._answering = False
        self._ended = False
        self._ending = False
        self._cancelled = False

    def startUp(self) -> Deferred[None]:
        """Call the application.

        :returns: a Deferred that fires when it is ready, or has raised, which says that it does not care; it fails with a
            :class:`LifespanError` if the application says that it cannot start.
        """
        state = self.state = {}
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        done = self._tell("startup")
        self._task = self._runner.start(self._application(scope, self._receive, self._send), self._over)
        return done

    def shutDown(self) -> Deferred[None]:
        """Tell the application that the server ends.  One that is still starting is cancelled: it has nothing to end as yet.

        :returns: a Deferred that fires when it is done with that; it never fails, unless it is cancelled.
        """
        self._ending = True
        starting, self._waited_for = self._waited_for, None
        if starting is not None:
            over = self._waited_for = Deferred(self._wait_no_longer)
            starting.errback(Failure(LifespanError("the server ends before the application has started")))
            self._cancelled = True
            self._task.cancel()
            return over
        if self._ended or self.state is None:
            done: Deferred[None] = Deferred()
            done.callback(None)
            return done
        return self._tell("shutdown").addErrback(self._could_not)

    def _could_not(self, failure: Failure) -> None:
        failure.trap(LifespanError)
        _log.failure("An application could not shut down", failure)

    def _tell(self, event: str) -> Deferred[None]:
        self._events.append(event)
        told = self._waited_for = Deferred(self._wait_no_longer)
        if self._wake is not None:
            self._wake()  # it may be done with that before this returns
        return told

    def _wait_no_longer(self, _: Deferred[None]) -> None:
        self._waited_for = None

    async def _receive(self) -> dict[str, Any]:
        while not self._events:
            waiting, self._wake = self._runner.wait()
            await waiting
        self._answering = True
        return {"type": "lifespan." + self._events.pop(0)}

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            self._fire(None)
        elif kind in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            self._fire(Failure(LifespanError(message.get("message", "") or "the application does not say why")))
        else:
            raise RuntimeError(f"{kind} is no message of a lifespan")

    def _fire(self, result: Any) -> None:
        done, self._waited_for = self._waited_for, None
        if done is not None:
            done.callback(result)

    def _over(self, error: BaseException | None) -> None:
        self._ended = True
        if self._waited_for is None:
            if error is not None and not self._ending:  # many wait for more after the end, and are cancelled
                _log.failure("The lifespan of an application has failed", Failure(error))
            return
        if self._cancelled:
            self.state = None
        elif self._ending:
            if error is not None:
                _log.failure("An application has failed while it shut down", Failure(error))
        elif self._events or not self._answering:
            self.state = None  # it never asked: it knows nothing of lifespans
        elif error is not None:  # others raise then who know nothing of them, so the specification has the server go on
            _log.warn("An application has raised while it started, and is served all the same: {error!r}", error=error)
            self.state = None
        self._fire(None)
