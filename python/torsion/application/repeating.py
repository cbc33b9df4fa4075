"""Services that do something again and again: at a pace, or whenever there is time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.service import Service
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred, succeed
from torsion.internet.task import Cooperator, LoopingCall
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torsion.internet.interfaces import IReactorTime
    from torsion.python.failure import Failure

__all__ = ["CooperatorService", "TimerService"]

_log = Logger("torsion.application.internet")


class TimerService(Service):
    """A service that calls a function: when it starts, and then at a pace until it stops.

    A function that returns a Deferred is not called again before that has fired; calls missed in the meantime are left
    out.  If it raises, or its Deferred fails, that is logged, and it is not called any more until the service is started
    anew.

    :ivar step: the seconds from one call to the next.
    :ivar call: the function, its arguments, and its named arguments.
    :ivar clock: where to wait; None for the reactor.
    """

    clock: IReactorTime | None = None
    _loop: LoopingCall | None = None
    _finished: Deferred[None] | None = None

    def __init__(self, step: float, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Make a service that does not call yet.

        :param step: the seconds from one call to the next.
        :param callable: the function to call with the arguments that follow.
        """
        self.step = step
        self.call = (callable, args, kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is to be kept of the service: not its timer."""
        state = super().__getstate__()
        state.pop("_loop", None)
        state.pop("_finished", None)
        return state

    def startService(self) -> None:
        """Call the function, and go on calling it; nothing if that is done already.

        :raise ValueError: if the step is negative.
        """
        if self._loop is not None and self._loop.running:
            return
        super().startService()
        function, args, kwargs = self.call
        self._loop = loop = LoopingCall(function, *args, **kwargs)
        loop.clock = current_reactor() if self.clock is None else self.clock
        finished: Deferred[None] = Deferred()
        self._finished = finished
        loop.start(self.step).addErrback(self._failed).addCallback(lambda _: finished.callback(None))

    def _failed(self, why: Failure) -> None:
        _log.failure(
            "The function {function} of {service} failed, and is not called any more until the service is started anew",
            why,
            function=self.call[0],
            service=self.name or repr(self),
        )

    def stopService(self) -> Deferred[None]:
        """Call the function no more.

        :returns: a Deferred that fires when a call that is under way has ended.
        """
        finished = self._finished
        if finished is None:
            super().stopService()
            return succeed(None)
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        stopped: Deferred[None] = Deferred()

        def ended(_: object) -> None:
            if self._finished is finished:  # not started again since
                Service.stopService(self)
            stopped.callback(None)

        finished.addCallback(ended)
        return stopped


class CooperatorService(Service):
    """A service that steps through iterators while it runs, a few steps of each in a turn of the reactor.

    :ivar coop: the ``Cooperator``.
    """

    def __init__(self) -> None:
        self.coop = Cooperator(started=False)

    def coiterate(self, iterator: Iterator[Any]) -> Deferred[Iterator[Any]]:
        """Step through an iterator while the service runs.

        :param iterator: each step is a call of its ``__next__``; a Deferred that it yields is waited for.
        :returns: a Deferred that fires with the iterator when it has ended, or fails with what it raised.
        """
        return self.coop.coiterate(iterator)

    def startService(self) -> None:
        """Begin, or go on."""
        super().startService()
        self.coop.start()

    def stopService(self) -> None:
        """Step no more.  The Deferreds of iterators that have not ended fail, as by ``Cooperator.stop``."""
        super().stopService()
        self.coop.stop()
