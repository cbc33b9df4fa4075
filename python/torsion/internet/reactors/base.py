"""Everything about a reactor that is the same in all flavours: its life, time, threads and signals."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from zope.interface import classImplements

from torsion.internet import _current, error
from torsion.internet.interfaces import (
    IReactorCore,
    IReactorThreads,
    IReactorTime,
)
from torsion.internet.reactors.names import PluggableResolverMixin
from torsion.internet.reactors.triggers import SystemEvents
from torsion.internet.threads import Waiters
from torsion.logger import Logger
from torsion.python import threadable
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from torsion.internet.interfaces import IDelayedCall
    from torsion.internet.interfaces.handover import IListeningSockets
    from torsion.internet.reactors.engine import Engine
    from torsion.internet.reactors.signals import SignalHandlers
    from torsion.internet.reactors.triggers import Handle
    from torsion.python.threadpool import ThreadPool

__all__ = ["ReactorBase"]

_log = Logger("torsion.internet.reactors")

_is_callable = callable  # which is an argument's name in Twisted's API

POOL_SIZE = 10
"""How many threads ``callInThread`` uses at most, until ``suggestThreadPoolSize`` says otherwise; the documented number."""


class ReactorBase(PluggableResolverMixin):
    """A reactor (``IReactorCore``, ``IReactorTime``, ``IReactorThreads``) over an engine that a flavour brings along.

    It can be run again after it stopped.  What escapes from a call that it makes is logged, even ``SystemExit`` and
    ``KeyboardInterrupt``, and the reactor goes on; to end the program, call :meth:`stop`.

    :ivar engine: what it runs on.
    :ivar running: whether the ``startup`` event was fired and neither ``shutdown`` nor a crash came since.
    :ivar open_handles: ports that listen and connectors that try, to be ended in this order when the reactor stops.
    :ivar disconnecting: whether the reactor is ending these, and all connections.
    :ivar threadpool: the threads for :meth:`callInThread`, once there are any.
    :ivar threadWaiters: the threads that wait in ``blockingCallFromThread``.
    :ivar sockets: where ports get sockets from that listen already, rather than to bind their own; None for nowhere.
    """

    installed = False
    usingThreads = True
    sockets: IListeningSockets | None = None

    def __init__(self, engine: Callable[[ReactorBase], Engine]) -> None:
        """Make a reactor.

        :param engine: called with the reactor to make its engine.
        """
        super().__init__()
        self.engine = engine(self)
        self.running = False
        self.open_handles: dict[Any, None] = {}
        self.disconnecting = False
        self.threadpool: ThreadPool | None = None
        self.threadWaiters = Waiters()
        self._started = False  # whether there is a run; running is true for most of it
        self._stopping = False  # whether that run was told to stop
        self._fire_shutdown = False  # whether it was told so and the event was not fired yet
        self._entered = False  # whether this is the reactor of some thread
        self._looping = False  # whether that thread is in mainLoop
        self._signals: SignalHandlers | None = None
        self._exitSignal: int | None = None
        self._clock: Callable[[], float] = self.engine.seconds
        self._events = SystemEvents()
        self._events.define("startup", self._begin)
        self._events.define("shutdown", self._end)
        self._bind("callLater", self.engine.call_later)
        self._bind("callFromThread", self.engine.call_from_thread)

    def _bind(self, name: str, function: Callable[..., Any]) -> None:
        """Let calls of the method *name* go straight to the engine, unless a subclass has its own idea of it."""
        if getattr(type(self), name) is getattr(ReactorBase, name):
            self.__dict__[name] = function

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, installSignalHandlers: bool = True) -> None:
        """Fire the ``startup`` event, then serve until :meth:`stop` or :meth:`crash`.

        :param installSignalHandlers: let SIGINT, SIGTERM and SIGBREAK stop the reactor while it runs.  In another than
            the main thread none are installed, whatever this says.
        :raises torsion.internet.error.ReactorAlreadyRunning: if it is running.
        :raises torsion.internet.error.WrongThreadError: if another thread is making it turn.
        :raises OSError: if the system refuses to wait.  The run has ended as by :meth:`crash` then.
        """
        self.startRunning(installSignalHandlers)
        self.mainLoop()

    def startRunning(self, installSignalHandlers: bool = True) -> None:
        """Do what :meth:`run` does before it serves; for those that call :meth:`iterate` themselves.

        :raises torsion.internet.error.ReactorAlreadyRunning: if it is running.
        :raises torsion.internet.error.WrongThreadError: if another thread is making it turn.
        """
        self._enter(installSignalHandlers)
        self.fireSystemEvent("startup")

    def _enter(self, installSignalHandlers: bool) -> None:
        """Begin a run, but for its event."""
        if self._started or self._looping:  # a hook of the end of a run is still part of it
            raise error.ReactorAlreadyRunning("this reactor is running; another loop needs a reactor of its own")
        self.engine.wakeup_fileno()  # which refuses other threads, before anything has begun
        if installSignalHandlers:
            self._install_signal_handlers()
        self._started = True
        self._stopping = self._fire_shutdown = False
        self._exitSignal = None
        _current.enter(self)
        self._entered = True
        if _current.installed_reactor() in (None, self):
            threadable.registerAsIOThread()
        self.threadWaiters.started()

    def mainLoop(self) -> None:
        """Serve until the reactor is stopped or crashes.

        :raises torsion.internet.error.WrongThreadError, OSError: as :meth:`run`.
        """
        self._looping = True
        try:
            while self._started:
                if self._fire_shutdown:
                    self._shut_down()
                    continue
                try:
                    self.engine.run()
                except BaseException as problem:
                    if self._ends_run(problem):
                        raise
                    # A signal handler raised; that ends the program no more than a timer that raises does.
                    _log.failure("Unexpected error in the main loop")
        finally:
            self._looping = False
            # They are, but for an engine that failed.
            self._started = self._stopping = self._fire_shutdown = self.running = False
            self._leave()

    def _ends_run(self, problem: BaseException) -> bool:
        """Tell whether ``Engine.run`` would raise *problem* again, were it called once more."""
        return _of_the_engine(problem)

    def iterate(self, delay: float = 0.0) -> None:
        """Serve once: make the calls that are due, and serve input and output.

        :param delay: how many seconds to wait at most for something to do.
        """
        self.engine.turn(delay)
        if self._fire_shutdown and not self._looping:  # else the main loop does it, with no call of ours on the stack
            self._shut_down()

    def stop(self) -> None:
        """Fire the ``shutdown`` event soon, then let :meth:`run` return.

        :raises torsion.internet.error.ReactorNotRunning: if it is not running, or was told to stop before.
        """
        if not self._started:
            raise error.ReactorNotRunning("this reactor is not running, so it cannot be stopped")
        if self._stopping:
            raise error.ReactorNotRunning("this reactor is stopping already")
        self.engine.stop()  # first, since it refuses other threads
        self._stopping = self._fire_shutdown = True

    def crash(self) -> None:
        """Let :meth:`run` return soon, without the ``shutdown`` event: ports and connections stay open."""
        self.engine.stop()
        self._started = self._stopping = self._fire_shutdown = self.running = False
        if not self._looping:
            self._leave()

    def _shut_down(self) -> None:
        self._fire_shutdown = False
        self.fireSystemEvent("shutdown")

    def _begin(self) -> None:
        """Be running: what the ``startup`` event starts with."""
        self.running = True

    def _install_signal_handlers(self) -> None:
        """Install signal handlers if this is the main thread.

        Nothing else has begun yet, so a SIGINT that comes too early can interrupt this and be raised by ``run``.
        """
        from torsion.internet.reactors.signals import SignalHandlers, in_main_thread

        if in_main_thread():
            signals = SignalHandlers(self._wakeup_descriptor(), self.sigInt, self.sigTerm, self.sigBreak)
            try:
                signals.install()
            except BaseException:
                signals.uninstall()
                raise
            self._signals = signals

    def _wakeup_descriptor(self) -> int:
        """Return what signals are to write to, or -1 if nothing."""
        return self.engine.wakeup_fileno()

    def _end(self) -> None:
        """Be running no more: what the ``shutdown`` event starts with."""
        self.crash()
        self.disconnectAll()
        self._stopThreadPool()

    def _leave(self) -> None:
        """Undo what a run did to its thread and to the process."""
        self._uninstallHandler()
        if self._entered:
            self._entered = False
            _current.leave(self)
            self.threadWaiters.stopped()

    def _uninstallHandler(self) -> None:
        """Give the process its own signal handlers back.  Twisted's test runner calls this by its name."""
        signals, self._signals = self._signals, None
        if signals is not None:
            signals.uninstall()

    def disconnectAll(self) -> None:
        """Close all ports and connections; protocols are told that theirs is lost."""
        self.engine.wakeup_fileno()  # which refuses other threads, before anything has ended
        reason = Failure(error.ConnectionLost())
        self.disconnecting = True
        try:
            for handle in list(self.open_handles):
                handle.abandon(reason)
            self.engine.close()
        finally:
            self.disconnecting = False

    def removeAll(self) -> list[Any]:
        """Close all ports, give up all attempts to connect, and return what was closed."""
        self.engine.wakeup_fileno()  # as above
        handles = list(self.open_handles)
        for handle in handles:
            handle.abandon(Failure(error.ConnectionLost()))
        return handles

    def wakeUp(self) -> None:
        """Let the reactor look for something to do.  May be called from any thread."""
        self.engine.wake()

    def raised(self, source: object, exception: BaseException, /) -> None:
        """Log what escaped from a call that the engine made."""
        failure = Failure(exception, type(exception), exception.__traceback__)
        _log.failure("Unhandled error in {call!r}", failure, call=source)

    # --- events ------------------------------------------------------------------------------------------------------

    def fireSystemEvent(self, eventType: str) -> None:
        """Call the triggers of an event: those before it, then those during it, then those after it.

        :param eventType: ``startup``, ``shutdown``, or an event of the program's own.
        """
        self._events.fire(eventType)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> Handle:
        """Have a function called once when an event is fired.

        :param phase: ``before``, ``during`` or ``after``; a Deferred that is returned in the first holds up the others.
        :param eventType: the event.
        :param callable: the function, called with *args* and *kwargs*.
        :returns: what :meth:`removeSystemEventTrigger` wants.
        :raises KeyError: if there is no such phase.
        """
        if not _is_callable(callable):
            raise TypeError(f"a trigger must be callable, unlike {callable!r}")
        return self._events.add(phase, eventType, (callable, args, kwargs))

    def removeSystemEventTrigger(self, triggerID: Handle) -> None:
        """Take a trigger away again.

        :param triggerID: what :meth:`addSystemEventTrigger` returned.
        :raises TypeError, KeyError, ValueError: if it is nothing of that kind, or the trigger is not there any more.
        """
        self._events.remove(triggerID)

    def callWhenRunning(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> Handle | None:
        """Call a function now if the reactor is running, else once it has started.

        :param callable: the function, called with *args* and *kwargs*.
        :returns: None if it was called, else what :meth:`removeSystemEventTrigger` wants.
        """
        if self._started:
            callable(*args, **kwargs)
            return None
        return self.addSystemEventTrigger("after", "startup", callable, *args, **kwargs)

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> Callable[[], float]:
        """Returns the time, in seconds since the epoch when the reactor was made; from there on it never goes back.

        A test may put a clock of its own here; it is then what :meth:`callLater` reckons with.
        """
        return self._clock

    @seconds.setter
    def seconds(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.__dict__.pop("callLater", None)
        if clock == self.engine.seconds:
            self._bind("callLater", self.engine.call_later)

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> IDelayedCall:
        """Call a function later.

        :param delay: in how many seconds; 0 stands for the next turn of the loop.
        :param callable: the function, called with *args* and *kw*.
        :returns: the call to come, which can be cancelled or moved.
        :raises ValueError: for a delay that is negative or not finite.
        :raises TypeError: if *callable* is not callable.
        """
        if self._clock == self.engine.seconds:
            # An engine of any flavour.
            return self.engine.call_later(delay, callable, *args, **kw)  # type: ignore[no-any-return]
        from torsion.internet.reactors.delayed import call_by_other_clock

        call: IDelayedCall = call_by_other_clock(self.engine, self._clock, delay, callable, args, kw)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Return the calls that are still to come."""
        return self.engine.delayed_calls()

    # --- threads -----------------------------------------------------------------------------------------------------

    def callFromThread(self, callable: Callable[..., object], *args: object, **kwargs: object) -> None:
        """Call a function in the reactor's thread.  May be called from any thread, and before the reactor runs.

        :param callable: the function, called with *args* and *kwargs*; calls from one thread are made in their order.
        """
        self.engine.call_from_thread(callable, *args, **kwargs)

    def callInThread(  # type: ignore[override]  # so that a keyword argument called "callable" can be passed on
        self, _callable: Callable[..., object], *args: object, **kwargs: object
    ) -> None:
        """Call a function in a thread of the pool, once the reactor runs; what it raises is logged.

        :param _callable: the function, called with *args* and *kwargs*.
        """
        self.getThreadPool().callInThread(_callable, *args, **kwargs)

    def suggestThreadPoolSize(self, size: int) -> None:
        """Use at most *size* threads for :meth:`callInThread`."""
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    def getThreadPool(self) -> ThreadPool:
        """Return the pool of threads; it is made when it is first asked for, and stopped when the reactor stops."""
        pool = self.threadpool
        if pool is None:
            from torsion.python.threadpool import ThreadPool

            self.threadpool = pool = ThreadPool(0, POOL_SIZE, "torsion.internet.reactor")
            self.callWhenRunning(self._start_threads)
        return pool

    def _start_threads(self) -> None:
        pool = self.threadpool  # not the argument of a trigger, which would keep it alive
        if pool is not None and not pool.started:
            pool.start()

    def _stopThreadPool(self) -> None:
        """Wait until all threads of the pool are done, making the calls that they ask for meanwhile.

        A thread may be waiting for such a call, so not to make it would be to wait for ever.  Twisted's test runner calls
        this by its name.
        """
        pool, self.threadpool = self.threadpool, None
        if pool is None or not pool.started:
            return
        stopped = threading.Event()

        def stop() -> None:
            try:
                pool.stop()
            finally:
                stopped.set()
                self.engine.wake()

        threading.Thread(target=stop, name="torsion-pool-stop", daemon=True).start()
        while not stopped.is_set():
            self.engine.turn(None)

    # --- signals -----------------------------------------------------------------------------------------------------

    def sigInt(self, number: int, frame: FrameType | None = None) -> None:
        """Stop on SIGINT."""
        self._stop_on_signal("SIGINT", number)

    def sigTerm(self, number: int, frame: FrameType | None = None) -> None:
        """Stop on SIGTERM."""
        self._stop_on_signal("SIGTERM", number)

    def sigBreak(self, number: int, frame: FrameType | None = None) -> None:
        """Stop on SIGBREAK."""
        self._stop_on_signal("SIGBREAK", number)

    def _stop_on_signal(self, name: str, number: int) -> None:
        _log.info("Received {signal}, shutting down.", signal=name)
        self._exitSignal = number
        self.callFromThread(self._stop_if_running)

    def _stop_if_running(self) -> None:
        if self._started and not self._stopping:  # a second signal has nothing to add to the first
            self.stop()


def _of_the_engine(problem: BaseException) -> bool:
    """Tell whether ``Engine.run`` itself failed, which it would do again; else a signal handler raised *problem* in it.

    Handlers raise the same kinds of error at times, but within a frame of theirs.
    """
    traceback = problem.__traceback__
    return isinstance(problem, OSError | error.WrongThreadError | error.WrongProcessError) and (
        traceback is None or traceback.tb_next is None
    )


classImplements(ReactorBase, IReactorCore, IReactorTime, IReactorThreads)
