"""Work for threads: calling blocking code from the reactor, and the reactor from blocking code."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from torsion.internet import _current
from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.error import ReactorNotRunning, WrongThreadError
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import ParamSpec

    from torsion.internet.interfaces import IReactorFromThreads
    from torsion.python.threadpool import ThreadPool

    _P = ParamSpec("_P")
    _Call = tuple[Callable[..., object], Sequence[object], Mapping[str, object]]

__all__ = ["blockingCallFromThread", "callMultipleInThread", "deferToThread", "deferToThreadPool"]

_R = TypeVar("_R")


def deferToThreadPool(
    reactor: IReactorFromThreads, threadpool: ThreadPool, f: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs
) -> Deferred[_R]:
    """Call a function in a thread of a pool.

    :param reactor: in whose thread the Deferred fires.
    :param threadpool: whose thread makes the call.
    :param f: the function, called with *args* and *kwargs*.
    :returns: a Deferred that fires with what *f* returns, or fails with what it raises.
    """
    deferred: Deferred[_R] = Deferred()

    def done(success: bool, result: Any) -> None:
        # A Failure that f returned, without raising, is as good as one that it raised: callback would refuse it.
        fire = deferred.callback if success and not isinstance(result, Failure) else deferred.errback
        reactor.callFromThread(fire, result)

    threadpool.callInThreadWithCallback(done, f, *args, **kwargs)
    return deferred


def deferToThread(f: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_R]:
    """Call a function in a thread of the pool of the reactor: the one that runs in this thread, or else the default one.

    :param f: the function, called with *args* and *kwargs*.
    :returns: a Deferred that fires with what *f* returns, or fails with what it raises.
    """
    reactor = _current.current_reactor()
    return deferToThreadPool(reactor, reactor.getThreadPool(), f, *args, **kwargs)


def callMultipleInThread(tupleList: Iterable[_Call]) -> None:
    """Make several calls in one thread of the reactor's pool, one after the other; an exception ends the row.

    :param tupleList: a function, its arguments and its keyword arguments for each call.
    """
    calls = list(tupleList)

    def run() -> None:
        for f, args, kwargs in calls:
            f(*args, **kwargs)

    _current.current_reactor().callInThread(run)


class Waiter:
    """One thread's wait for one answer."""

    def __init__(self) -> None:
        self._answered = threading.Event()
        self._result: Any = None

    def answer(self, result: Any) -> None:
        """Let the thread go on with *result*; the first answer counts."""
        if not self._answered.is_set():
            self._result = result
            self._answered.set()

    def wait(self) -> Any:
        """Return the answer once it is there, or raise it if it is a Failure."""
        self._answered.wait()
        result, self._result = self._result, None
        if isinstance(result, Failure):
            result.raiseException()
        return result


class Waiters:
    """The threads that wait for one reactor; when it has stopped, they are told instead of waiting for ever.

    A reactor keeps this in its attribute ``threadWaiters``.  Before the reactor's first run threads wait for it to start.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[Waiter] = set()
        self._stopped = False

    def add(self, waiter: Waiter) -> None:
        """Have *waiter* told when the reactor stops.

        :raises torsion.internet.error.ReactorNotRunning: if it has stopped.
        """
        with self._lock:
            if self._stopped:
                raise ReactorNotRunning("the reactor has stopped, so it does not take calls from threads")
            self._waiting.add(waiter)

    def discard(self, waiter: Waiter) -> None:
        """Forget *waiter*."""
        with self._lock:
            self._waiting.discard(waiter)

    def started(self) -> None:
        """The reactor runs: let threads wait again."""
        with self._lock:
            self._stopped = False

    def stopped(self) -> None:
        """The reactor has stopped: no waiting thread will be answered any more."""
        with self._lock:
            self._stopped = True
            waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            waiter.answer(Failure(ReactorNotRunning("the reactor stopped before it answered a call from a thread")))


def blockingCallFromThread(reactor: Any, f: Callable[_P, Deferred[_R] | _R], *a: _P.args, **kw: _P.kwargs) -> _R:
    """Call a function in the reactor's thread and wait for its result.

    :param reactor: whose thread makes the call.
    :param f: the function, called with *a* and *kw*; if it returns a Deferred, that one's result is waited for.
    :returns: the result.
    :raises Exception: what *f* raised, or its Deferred failed with.
    :raises torsion.internet.error.ReactorNotRunning: if the reactor had a run and that is over, or ends meanwhile.  Before
        the reactor's first run the call waits for it to start.
    :raises torsion.internet.error.WrongThreadError: in the reactor's own thread, which would wait for itself for ever.
    """
    if _current.runs_here(reactor):
        raise WrongThreadError(
            f"blockingCallFromThread({f!r}) in the reactor's own thread would wait for itself for ever; call the function, or "
            "await what it returns"
        )
    waiter = Waiter()
    waiters: Waiters | None = getattr(reactor, "threadWaiters", None)
    if waiters is not None:
        waiters.add(waiter)
    try:
        reactor.callFromThread(lambda: maybeDeferred(f, *a, **kw).addBoth(waiter.answer))
        result: _R = waiter.wait()
    finally:
        if waiters is not None:
            waiters.discard(waiter)
    return result
