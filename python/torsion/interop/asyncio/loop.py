"""An asyncio event loop that turns inside a reactor."""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
from asyncio import _get_running_loop, _set_running_loop  # what asyncio documents for loops, and for nobody else
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVarTuple
from weakref import WeakKeyDictionary

from zope.interface import implementer

from torsion.internet.interfaces import IReadDescriptor
from torsion.internet.reactors.hosted.asyncio import AsyncioDriver
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

    from torsion.python.failure import Failure

__all__ = ["ReactorLoop", "loopOf"]

_log = Logger(namespace="torsion.interop.asyncio")

_Ts = TypeVarTuple("_Ts")

SECONDS_TO_END: Final = 3.0
"""So many seconds what was cancelled may take to end when the reactor has stopped: to close a connection to a database, say.  What
still goes on then has refused.  It is less than the command waits before it takes the process to be stuck."""


class ReactorLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose turns a reactor takes: both make progress in one thread.

    The loop has a poller, whose descriptor the reactor watches, and one timer of the reactor.  A turn is what asyncio
    documents: :meth:`run_forever` after :meth:`stop` looks once, without waiting, and calls what is ready.  So within
    whatever the loop calls it is the running loop, with all that stands on that: tasks, streams, ``to_thread``,
    subprocesses, anyio and sniffio.  Within what the reactor calls there is none: :meth:`create_task` begins something there.

    It cannot handle signals: those are the reactor's.
    """

    _ready: Any
    _scheduled: Any
    _closed: bool
    _debug: bool
    _task_factory: Any
    _thread_id: int | None
    _asyncgen_firstiter_hook: Any
    _asyncgen_finalizer_hook: Any

    _captures = False
    _captured: Any = None

    def __init__(self, reactor: Any) -> None:
        """Make a loop.  It turns as soon as the reactor runs, and is closed when that has stopped.

        :param reactor: an ``IReactorFDSet`` and ``IReactorTime``.
        """
        self._reactor = reactor
        self._turning = True  # what is asked for while it is made is arranged for at the end
        self._end_due = False
        self._call: Any = None
        poller = selectors.DefaultSelector()
        super().__init__(poller)
        self._watch = _Watch(self, poller.fileno())
        reactor.addReader(self._watch)
        self._trigger = reactor.addSystemEventTrigger("after", "shutdown", self._reactor_stopped)
        self._turning = False

    # --- turns -------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Look once for what is ready, and call it.  Does nothing within a turn, or once the loop is closed."""
        if self._turning or self.is_closed():
            return
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
        self._turning = True
        try:
            self.stop()
            self.run_forever()
        finally:
            self._turned()

    def _turned(self) -> None:
        self._turning = False
        if self._end_due:
            self._end()
        elif not self.is_closed():
            self._arrange()

    def _arrange(self) -> None:
        """Have the reactor take the next turn when there is something to call.

        ``_ready`` and ``_scheduled`` are what every ``asyncio.BaseEventLoop`` keeps its calls in.
        """
        if self._ready:
            delay = 0.0
        elif self._scheduled:
            delay = max(0.0, self._scheduled[0].when() - self.time())
        else:
            return
        call = self._call
        if call is None or not call.active():
            self._call = self._reactor.callLater(delay, self._alarmed)
        elif call.getTime() > self._reactor.seconds() + delay:
            call.reset(delay)

    def _alarmed(self) -> None:
        self._call = None
        self.turn()

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call *callback* in the next turn, as every loop does."""
        if self._captures:
            self._captures, self._captured = False, (callback, context)
            return None  # type: ignore[return-value]  # a task does not look at what it is given for its first step
        handle = super().call_soon(callback, *args, context=context)
        if not self._turning:
            self._arrange()
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call *callback* at a time of the loop's clock, as every loop does."""
        handle = super().call_at(when, callback, *args, context=context)
        if not self._turning:
            self._arrange()
        return handle

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> NoReturn:
        """Refuse: signals are the reactor's.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("signals are the reactor's: use reactor.addSystemEventTrigger, or signal.signal")

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Make a task of *coroutine*, and take its first step at once: many a coroutine needs no other.

        Within a turn, where another task may be amid a step, and in a loop that debugs or makes tasks in a way of its own, the
        first step is that of any task: it is taken in the next turn.

        :returns: the task, whose context is a copy of the caller's.
        """
        if self._turning or self._closed or self._task_factory is not None or self._debug or _get_running_loop():
            return self.create_task(coroutine)
        self._turning = self._captures = True
        before = sys.get_asyncgen_hooks()
        try:
            task = asyncio.Task(coroutine, loop=self)
            step, context = self._captured
            self._thread_id = threading.get_ident()
            sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
            _set_running_loop(self)
            try:
                context.run(step)
            finally:
                _set_running_loop(None)
                sys.set_asyncgen_hooks(*before)
                self._thread_id = None
        finally:
            self._captures, self._captured = False, None
            self._turned()
        return task

    # --- the end -----------------------------------------------------------------------------------------------------

    def _reactor_stopped(self) -> None:
        """End what still goes on, and close."""
        self._trigger = None
        if self.is_running():
            self._end_due = True  # it is something of this loop's that the reactor has waited for: after this turn
        elif not self.is_closed():
            self._end()

    def _end(self) -> None:
        self._turning = True  # the reactor takes no more turns
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = self.run_until_complete(asyncio.wait(tasks, timeout=SECONDS_TO_END))
            if left:
                _log.warn("Tasks go on although they were cancelled: {tasks}", tasks=list(left))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def close(self) -> None:
        """Close the loop: the reactor takes no more turns of it."""
        if self.is_closed():
            return
        if not self.is_running():
            self._reactor.removeReader(self._watch)
            call, self._call = self._call, None
            if call is not None and call.active():
                call.cancel()
            trigger, self._trigger = self._trigger, None
            if trigger is not None:
                self._reactor.removeSystemEventTrigger(trigger)
            _loops.pop(self._reactor, None)
        super().close()


@implementer(IReadDescriptor)
class _Watch:
    """What the reactor watches for a loop: its poller, which is readable when there is something for the loop."""

    def __init__(self, loop: ReactorLoop, descriptor: int) -> None:
        self._loop = loop
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def doRead(self) -> None:
        self._loop.turn()

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: the reactor stops, and the loop is told of that by itself."""

    def logPrefix(self) -> str:
        return "asyncio"


_loops: WeakKeyDictionary[Any, ReactorLoop] = WeakKeyDictionary()


def loopOf(reactor: Any) -> asyncio.AbstractEventLoop:
    """Return the asyncio loop that goes with a reactor: the one that it is hosted by, else one that turns inside it.

    :param reactor: the reactor; the second kind of loop is made when it is first asked for.
    """
    driver = getattr(reactor, "driver", None)
    if isinstance(driver, AsyncioDriver):
        return driver.loop
    loop = _loops.get(reactor)
    if loop is None:
        loop = _loops[reactor] = ReactorLoop(reactor)
    return loop
