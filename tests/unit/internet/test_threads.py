"""Threads, as far as no reactor is needed; see tests/contract/test_threads.py for the rest."""

from __future__ import annotations

import threading

import pytest

from torsion.internet.defer import Deferred, succeed
from torsion.internet.error import ReactorNotRunning
from torsion.internet.threads import Waiter, Waiters, blockingCallFromThread, deferToThreadPool
from torsion.python.failure import Failure
from torsion.python.threadpool import ThreadPool, ThreadPoolStopped


class Reactor:
    """Makes calls from threads at once."""

    def callFromThread(self, function, *args):
        function(*args)


class Pool:
    """Does work at once."""

    def callInThreadWithCallback(self, onResult, function, *args, **kwargs):
        try:
            result = function(*args, **kwargs)
        except BaseException:
            onResult(False, Failure())
        else:
            onResult(True, result)


class TestDeferToThreadPool:
    def test_result(self):
        assert deferToThreadPool(Reactor(), Pool(), lambda a, b: (a, b), 1, b=2).result == (1, 2)

    def test_failure(self):
        found = []
        deferToThreadPool(Reactor(), Pool(), lambda: 1 / 0).addErrback(found.append)
        assert found[0].check(ZeroDivisionError)

    def test_returned_failure(self):
        found = []
        deferToThreadPool(Reactor(), Pool(), lambda: Failure(ZeroDivisionError())).addErrback(found.append)
        assert found[0].check(ZeroDivisionError)

    def test_a_pool_that_was_stopped(self):
        pool = ThreadPool(0, 1)
        pool.stop()
        found = []
        deferToThreadPool(Reactor(), pool, int).addErrback(found.append)
        assert found[0].check(ThreadPoolStopped)


class TestWaiter:
    def test_answer(self):
        waiter = Waiter()
        waiter.answer(1)
        waiter.answer(2)
        assert waiter.wait() == 1

    def test_failure(self):
        waiter = Waiter()
        waiter.answer(Failure(ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            waiter.wait()

    def test_answered_by_another_thread(self):
        waiter = Waiter()
        threading.Timer(0.01, waiter.answer, (7,)).start()
        assert waiter.wait() == 7


class TestWaiters:
    def test_told_when_stopped(self):
        waiters, waiter, other = Waiters(), Waiter(), Waiter()
        waiters.add(waiter)
        waiters.add(other)
        waiters.discard(other)
        waiters.stopped()
        with pytest.raises(ReactorNotRunning):
            waiter.wait()
        other.answer(7)
        assert other.wait() == 7

    def test_refused_when_stopped(self):
        waiters = Waiters()
        waiters.stopped()
        with pytest.raises(ReactorNotRunning):
            waiters.add(Waiter())
        waiters.started()
        waiters.add(Waiter())


class TestBlockingCallFromThread:
    """On a reactor that is none of ours: without waiters."""

    @pytest.mark.parametrize("function", [lambda value: value, succeed])
    def test_result(self, function):
        assert blockingCallFromThread(Reactor(), function, 7) == 7

    def test_failure(self):
        with pytest.raises(ZeroDivisionError):
            blockingCallFromThread(Reactor(), lambda: 1 / 0)

    def test_a_reactor_with_waiters_forgets_them(self):
        reactor = Reactor()
        reactor.threadWaiters = Waiters()
        assert blockingCallFromThread(reactor, lambda: 7) == 7
        deferred = Deferred()
        threading.Timer(0.01, deferred.callback, (8,)).start()
        assert blockingCallFromThread(reactor, lambda: deferred) == 8
        assert not reactor.threadWaiters._waiting
