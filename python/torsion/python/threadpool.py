"""``ThreadPool``: threads that call what they are given, and come and go with the work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import RLock, Thread, current_thread
from typing import Any, NamedTuple, ParamSpec, TypeVar

from torsion.python import _reports, context
from torsion.python.failure import Failure

__all__ = ["ThreadPool", "ThreadPoolStatistics", "ThreadPoolStopped", "WorkerStop"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

WorkerStop = object()
"""Put among the work to make one thread end."""


class ThreadPoolStopped(RuntimeError):
    """A call was not made, since the pool had been stopped, or was stopped before it was ever started."""


class ThreadPoolStatistics(NamedTuple):
    """How a pool stood at one moment."""

    minimum: int
    """How many threads it keeps at least."""
    maximum: int
    """How many threads it has at most."""
    workers: int
    """How many threads it has."""
    busy: int
    """How many of them are at work."""
    idle: int
    """How many of them wait for work."""
    queued: int
    """How many calls wait for a thread."""
    completed: int
    """How many calls were made since the pool was made."""


class _Call:
    """One piece of work, and the surroundings of whoever asked for it."""

    __slots__ = ("args", "func", "kwargs", "onResult", "values", "variables")

    def __init__(
        self,
        onResult: Callable[[bool, Any], object] | None,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.onResult = onResult
        self.func = func
        self.args = args
        self.kwargs = kwargs
        self.values = context.theContextTracker.currentContext().contexts[-1]
        self.variables: Context = copy_context()

    def make(self, log: Callable[[str, Failure], object]) -> None:
        """Make the call in the present thread; never raises."""
        if self.values is context.defaultContextDict:
            self.variables.run(self._make, log)
        else:
            self.variables.run(context.call, self.values, self._make, log)

    def _make(self, log: Callable[[str, Failure], object]) -> None:
        result: Any
        try:
            result = self.func(*self.args, **self.kwargs)
            success = True
        except BaseException:  # noqa: BLE001 - a thread has nobody above it
            result = Failure()
            success = False
        self._tell(success, result, log)

    def refuse(self, log: Callable[[str, Failure], object]) -> None:
        """Say that the call is not made to whoever waits for its result; never raises."""
        if self.onResult is not None:
            error = ThreadPoolStopped(
                "the thread pool was stopped, and makes no call any more; ask before, or start it again"
            )
            self.variables.run(self._tell, False, Failure(error), log)

    def _tell(self, success: bool, result: Any, log: Callable[[str, Failure], object]) -> None:
        # onResult may run long, and what the call was made with may be large.
        del self.func, self.args, self.kwargs
        if self.onResult is None:
            if not success:
                log("Unhandled error in a call made by a thread pool", result)
            return
        try:
            self.onResult(success, result)
        except BaseException:  # noqa: BLE001 - a thread has nobody above it
            log("Unhandled error in the result callback of a call made by a thread pool", Failure())


class ThreadPool:
    """Threads that make calls, oldest first.

    A thread is started when a call comes in that no idle thread can take, up to a maximum.  Calls see the
    ``torsion.python.context`` and the ``contextvars`` of the code that asked for them.

    The threads are no daemons: a call is never cut off.  A program that ends without having stopped its pools waits for
    calls that are being made or queued, and then ends.

    :ivar min: how many threads to keep at least.
    :ivar max: how many threads to have at most.
    :ivar name: part of the threads' names.
    :ivar joined: whether the pool was stopped.
    :ivar started: whether it runs.
    :ivar threads: the threads there are.
    """

    min: int
    max: int
    joined: bool = False
    started: bool = False
    name: str | None = None

    threadFactory: Callable[..., Thread] = Thread
    currentThread = staticmethod(current_thread)

    def __init__(
        self,
        minthreads: int = 5,
        maxthreads: int = 20,
        name: str | None = None,
        *,
        log: Callable[[str, Failure], object] = _reports.report,
    ) -> None:
        """Make a pool; ``start`` starts its threads.

        :param minthreads: how many threads to keep at least.
        :param maxthreads: how many threads to have at most.
        :param name: part of the threads' names.
        :param log: is told of calls that raise where nobody else is: what was being done, and the failure.
        :raise ValueError: if *minthreads* is negative or greater than *maxthreads*.
        """
        self._set_sizes(minthreads, maxthreads)
        self.name = name
        self.threads: list[Thread] = []
        self._log = log
        # Re-entrant: a finalizer that runs while it is held may ask for a call.
        self._lock = RLock()
        self._calls: SimpleQueue[_Call | object] = SimpleQueue()
        # Of what is in the queue each idle thread will take one: there is need of another thread when backlog > idle.
        self._backlog = 0
        self._leaving = 0
        self._idle = 0
        self._working: list[Thread] = []
        self._numbered = 0
        self._completed = 0

    def _set_sizes(self, least: int, most: int) -> None:
        if least < 0:
            raise ValueError(f"a thread pool cannot have less than no threads: minthreads is {least}")
        if least > most:
            raise ValueError(f"minthreads ({least}) must not be greater than maxthreads ({most})")
        self.min = least
        self.max = most

    def __getstate__(self) -> dict[str, Any]:
        return {"min": self.min, "max": self.max, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ThreadPool.__init__(self, state["min"], state["max"], state["name"])

    # --- asking for calls --------------------------------------------------------------------------------------------

    def callInThread(self, func: Callable[_P, object], *args: _P.args, **kw: _P.kwargs) -> None:
        """Call *func* in one of the threads; what it raises is logged, what it returns is lost.

        Before the pool was started, the call waits; after it was stopped, it is not made, and nobody is told.
        """
        self._submit(None, func, args, kw)

    def callInThreadWithCallback(
        self,
        onResult: Callable[[bool, Any], object] | None,
        func: Callable[_P, _T],
        *args: _P.args,
        **kw: _P.kwargs,
    ) -> None:
        """Call *func* in one of the threads, and tell *onResult*, in that thread.

        :param onResult: is called with ``True`` and what *func* returned, or ``False`` and a Failure with what it
            raised.  What it raises itself is logged.  None makes this the same as :meth:`callInThread`.  After the pool was
            stopped, it is told at once, in this thread, of a :class:`ThreadPoolStopped`.
        """
        self._submit(onResult, func, args, kw)

    def _submit(
        self,
        onResult: Callable[[bool, Any], object] | None,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        call = _Call(onResult, func, args, kwargs)
        with self._lock:
            refused = self.joined
            if not refused:
                if self.started and self._backlog >= self._idle:
                    self._grow(need=not self.threads)
                self._backlog += 1
                self._calls.put(call)
        if refused:
            call.refuse(self._log)

    # --- size --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads: the least number, or more if calls wait.  A pool that was stopped may be started again."""
        with self._lock:
            self.joined = False
            self.started = True
            self._fill()

    def stop(self) -> None:
        """Make no further calls than those that were asked for, and wait until they are made and the threads ended.

        So no call is lost, however many wait.  Where there are no threads, since it was never started, none is made: whoever waits
        for one's result is told of a :class:`ThreadPoolStopped`.  When called from one of the threads, waits for the others.
        """
        with self._lock:
            self.joined = True
            if self.started:
                self.started = False
                self._dismiss(len(self.threads) - self._leaving)
            threads = list(self.threads)
            refused = [] if threads else self._forget()
        for call in refused:
            call.refuse(self._log)
        for thread in threads:
            if thread is not current_thread():
                thread.join()

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """Change how many threads there may be; threads are started or, once idle, ended at once.

        :param minthreads: how many threads to keep at least; None changes nothing.
        :param maxthreads: how many threads to have at most; None changes nothing.
        :raise ValueError: if the least is negative or greater than the most; then nothing is changed.
        """
        with self._lock:
            self._set_sizes(
                self.min if minthreads is None else minthreads, self.max if maxthreads is None else maxthreads
            )
            if self.started:
                self._dismiss(self.workers - self.max)
                self._fill()

    def startAWorker(self) -> None:
        """Start one more thread, unless the pool does not run or has as many as it may have."""
        with self._lock:
            if self.started:
                self._grow()

    def stopAWorker(self) -> None:
        """End one thread once the calls asked for so far have been taken up."""
        with self._lock:
            self._dismiss(min(1, self.workers))

    def _fill(self) -> None:
        while self.workers < self.max and (self.workers < self.min or self._backlog > self._idle):
            if not self._grow(need=not self.threads):
                break

    def _grow(self, need: bool = False) -> bool:
        """Start a thread if there is room; say whether.  If there is *need* of it, the system's refusal is raised."""
        if self.workers >= self.max:
            return False
        name = f"PoolThread-{self.name or id(self)}-{self._numbered}"
        thread = self.threadFactory(target=self._work, name=name, daemon=_let_go is None)
        self._numbered += 1
        self._idle += 1
        self.threads.append(thread)
        _running.add(self)
        try:
            thread.start()
        except BaseException:
            self._idle -= 1
            self.threads.remove(thread)
            if need:
                raise
            return False
        return True

    def _dismiss(self, number: int) -> None:
        for _ in range(number):
            self._leaving += 1
            self._backlog += 1
            self._calls.put(WorkerStop)

    def _forget(self) -> list[_Call]:
        """Take all calls out of the queue, and return them."""
        found = [self._calls.get_nowait() for _ in range(self._calls.qsize())]
        self._backlog = 0
        return [call for call in found if isinstance(call, _Call)]

    def _begin_anew(self) -> None:
        """Go on in a process that was forked off: of the threads only the one that forked is there, and no call is this one's."""
        self._lock = RLock()  # whoever held the other one is not there to release it
        self._calls = SimpleQueue()
        self._backlog = self._leaving = self._idle = 0
        here = current_thread()
        self.threads = [thread for thread in self.threads if thread is here]
        self._working = [thread for thread in self._working if thread is here]

    # --- in the threads ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        thread = current_thread()
        while True:
            call = self._calls.get()
            with self._lock:
                self._backlog -= 1
                self._idle -= 1
                if not isinstance(call, _Call):
                    self._leaving -= 1
                    self.threads.remove(thread)
                    if not self.threads:
                        _running.discard(self)
                    return
                self._working.append(thread)
            call.make(self._log)
            # Nothing of the call may stay alive until the next one comes.
            del call
            with self._lock:
                self._working.remove(thread)
                self._idle += 1
                self._completed += 1

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def workers(self) -> int:
        """How many threads there are, without those told to end."""
        return len(self.threads) - self._leaving

    @property
    def waiters(self) -> list[None]:
        """As many items as there are threads that wait for work."""
        return [None] * max(0, self._idle - self._backlog)

    @property
    def working(self) -> list[Thread]:
        """The threads that are making calls."""
        return list(self._working)

    @property
    def q(self) -> SimpleQueue[Any]:
        """The calls that wait for a thread; has ``qsize()``."""
        return self._calls

    _queue = q

    def statistics(self) -> ThreadPoolStatistics:
        """Return how the pool stands."""
        with self._lock:
            return ThreadPoolStatistics(
                self.min,
                self.max,
                self.workers,
                len(self._working),
                max(0, self._idle - self._backlog),
                max(0, self._backlog - self._leaving),
                self._completed,
            )

    def dumpStats(self) -> None:
        """Log how many threads wait, how many are at work, and how many there are."""
        now = self.statistics()
        _reports.note(f"thread pool {self.name or id(self)}: {now}")


_running: set[ThreadPool] = set()
"""Pools with threads, so that they can be told when the program ends."""


def _let_all_go() -> None:
    for pool in list(_running):
        with pool._lock:
            pool.joined = True
            pool.started = False
            pool._dismiss(pool.workers)


# At the end of a program Python waits for all threads, and only these callbacks come before that (concurrent.futures
# lives by the same).  Without them the threads must be daemons.
_let_go = getattr(threading, "_register_atexit", None)
if _let_go is not None:
    _let_go(_let_all_go)


def _after_fork() -> None:
    for pool in list(_running):
        pool._begin_anew()
        if not pool.threads:
            _running.discard(pool)


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
