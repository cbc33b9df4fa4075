"""Threads: calling into the reactor, and the reactor calling into threads."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import nullcontext

import pytest

from contract.flavours import needs
from contract.harness import gone, in_memory, in_thread, pause, run_scenario, until
from torsion.internet import error, threads
from torsion.internet.defer import Deferred, fail, succeed
from torsion.python.failure import Failure

pytestmark = needs("IReactorThreads", "engine")


@pytest.fixture(autouse=True)
def held(reactor):
    """Have time pass no faster than outside, where the threads are."""
    with reactor.hold() if in_memory(reactor) else nullcontext():
        yield


class TestCallFromThread:
    def test_calls_in_the_reactors_thread(self, reactor, run):
        async def scenario():
            def work():
                reactor.callFromThread(lambda *args, **kw: called.callback((threading.get_ident(), args, kw)), 1, a=2)

            called = Deferred()
            threading.Thread(target=work).start()
            return await called

        assert run(scenario) == (threading.get_ident(), (1,), {"a": 2})

    def test_before_the_run(self, reactor, run):
        async def scenario():
            return list(called)

        called = []
        reactor.callFromThread(called.append, 1)
        reactor.callFromThread(called.append, 2)
        assert called == []
        assert run(scenario) == [1, 2]

    def test_wakes_a_waiting_reactor(self, reactor, run):
        async def scenario():
            start = time.monotonic()
            await in_thread(reactor, time.sleep, 0.05)
            return time.monotonic() - start

        assert run(scenario) < 5

    def test_calls_of_one_thread_stay_in_order(self, reactor, run):
        async def scenario():
            def work(name):
                for number in range(1000):
                    reactor.callFromThread(called.append, (name, number))

            workers = [threading.Thread(target=work, args=(name,)) for name in range(4)]
            for worker in workers:
                worker.start()
            await until(reactor, lambda: len(called) == 4000)
            for worker in workers:
                worker.join()

        called = []
        run(scenario)
        for name in range(4):
            assert [number for who, number in called if who == name] == list(range(1000))

    def test_endless_calls_leave_time_for_others(self, reactor, run):
        async def scenario():
            def again():
                if going:
                    reactor.callFromThread(again)

            going = [True]
            again()
            await pause(reactor, 0.01)
            going.clear()

        run(scenario)

    @pytest.mark.parametrize("exception", [ValueError, SystemExit, KeyboardInterrupt])
    def test_raising_is_logged(self, reactor, run, logged, exception):
        def raises():
            raise exception("from a thread's call")

        async def scenario():
            reactor.callFromThread(raises)
            reactor.callFromThread(called.append, 1)
            await until(reactor, lambda: called)

        called = []
        run(scenario)
        assert len(logged.take(exception)) == 1

    def test_not_callable(self, reactor):
        with pytest.raises(TypeError):
            reactor.callFromThread(None)

    def test_holds_nothing_afterwards(self, reactor, run):
        class Thing:
            pass

        async def scenario():
            thing = Thing()
            reactor.callFromThread(lambda _: None, thing)
            reference = weakref.ref(thing)
            del thing
            await pause(reactor, 0.001)
            return reference

        assert gone(run(scenario))


class TestCallInThread:
    def test_calls_in_another_thread(self, reactor, run):
        async def scenario():
            reactor.callInThread(lambda *args, **kw: called.append((threading.get_ident(), args, kw)), 1, callable=2)
            await until(reactor, lambda: called)

        called = []
        run(scenario)
        [(thread, args, kw)] = called
        assert thread != threading.get_ident()
        assert (args, kw) == ((1,), {"callable": 2})

    def test_waits_for_the_run(self, reactor, run):
        async def scenario():
            await until(reactor, lambda: called)

        called = []
        reactor.callInThread(called.append, 1)
        assert called == []
        run(scenario)

    def test_raising_is_logged(self, reactor, run, logged):
        def raises():
            raise ValueError("in a thread")

        async def scenario():
            reactor.callInThread(raises)
            await until(reactor, lambda: logged)

        run(scenario)
        assert len(logged.take(ValueError)) == 1

    def test_the_pool_ends_with_the_run(self, reactor, run):
        async def scenario():
            reactor.suggestThreadPoolSize(3)
            pools.append(reactor.getThreadPool())
            assert reactor.getThreadPool() is pools[-1]
            assert pools[-1].max == 3
            for _ in range(5):
                reactor.callInThread(time.sleep, 0.005)

        pools = []
        before = threading.active_count()
        run(scenario)
        assert threading.active_count() == before
        assert reactor.threadpool is None
        run(scenario)
        assert threading.active_count() == before
        assert pools[0] is not pools[1]

    def test_a_pool_that_was_never_used_is_freed(self, reactor):
        reference = weakref.ref(reactor.getThreadPool())
        reactor.fireSystemEvent("shutdown")
        assert gone(reference)
        reactor.callWhenRunning(reactor.getThreadPool)
        reactor.callWhenRunning(reactor.stop)
        reactor.run(installSignalHandlers=False)

    def test_no_threads_without_need(self, reactor, run):
        async def scenario():
            return threading.active_count()

        before = threading.active_count()
        assert run(scenario) == before


class TestDeferToThread:
    def test_result(self, reactor, run):
        async def scenario():
            return await threads.deferToThread(lambda a, b: (a, b, threading.get_ident()), 1, b=2)

        a, b, thread = run(scenario)
        assert (a, b) == (1, 2)
        assert thread != threading.get_ident()

    def test_failure(self, reactor, run):
        async def scenario():
            with pytest.raises(ZeroDivisionError):
                await threads.deferToThread(lambda: 1 / 0)

        run(scenario)

    def test_returned_failure(self, reactor, run):
        async def scenario():
            with pytest.raises(ZeroDivisionError):
                await threads.deferToThread(lambda: Failure(ZeroDivisionError()))

        run(scenario)

    def test_pool(self, reactor, run):
        async def scenario():
            return await threads.deferToThreadPool(reactor, reactor.getThreadPool(), pow, 2, 10)

        assert run(scenario) == 1024

    def test_is_of_the_reactor_of_this_thread(self, reactor_factory):
        def work():
            async def scenario():
                await threads.deferToThread(lambda: None)
                return threading.get_ident()

            ran.append(run_scenario(reactor_factory(), scenario) == threading.get_ident())

        ran = []
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert ran == [True]

    def test_call_multiple(self, reactor, run, logged):
        async def scenario():
            calls = [
                (called.append, (1,), {}),
                (called.append, [2], {}),
                (lambda: 1 / 0, (), {}),
                (called.append, (3,), {}),
            ]
            threads.callMultipleInThread(calls)
            await until(reactor, lambda: logged)

        called = []
        run(scenario)
        assert called == [1, 2]
        assert len(logged.take(ZeroDivisionError)) == 1


class TestBlockingCallFromThread:
    @pytest.mark.parametrize("value", [lambda: 7, lambda: succeed(7)])
    def test_result(self, reactor, run, value):
        async def scenario():
            return await in_thread(reactor, threads.blockingCallFromThread, reactor, value)

        assert run(scenario) == 7

    def test_later_result(self, reactor, run):
        async def scenario():
            return await in_thread(reactor, threads.blockingCallFromThread, reactor, lambda: pause(reactor, 0.01))

        assert run(scenario) is None

    @pytest.mark.parametrize("raises", [lambda: 1 / 0, lambda: fail(ZeroDivisionError())])
    def test_failure(self, reactor, run, raises):
        async def scenario():
            with pytest.raises(ZeroDivisionError):
                await in_thread(reactor, threads.blockingCallFromThread, reactor, raises)

        run(scenario)

    def test_is_refused_in_the_reactors_own_thread(self, reactor, run):
        async def scenario():
            with pytest.raises(error.WrongThreadError, match="wait for itself"):
                threads.blockingCallFromThread(reactor, called.append, 1)

        called = []
        run(scenario)
        assert called == []

    def test_waits_for_the_first_run(self, reactor, run):
        async def scenario():
            await until(reactor, lambda: not thread.is_alive())

        results = []
        thread = threading.Thread(target=lambda: results.append(threads.blockingCallFromThread(reactor, lambda: 7)))
        thread.start()
        run(scenario)
        assert results == [7]

    def test_told_when_the_reactor_stops(self, reactor, run):
        async def scenario():
            thread.start()
            await waiting

        def work():
            try:
                threads.blockingCallFromThread(reactor, hang)
            except error.ReactorNotRunning as problem:
                told.append(problem)

        def hang():
            waiting.callback(None)
            return Deferred()

        told, waiting = [], Deferred()
        thread = threading.Thread(target=work)
        run(scenario)
        thread.join(5)
        assert len(told) == 1

    def test_told_when_the_reactor_has_stopped(self, reactor, run):
        async def scenario():
            pass

        run(scenario)
        with pytest.raises(error.ReactorNotRunning):
            threads.blockingCallFromThread(reactor, lambda: 7)


class TestStopping:
    """A thread that calls in while the reactor stops neither hangs nor is hung upon."""

    def test_a_pool_thread_is_answered(self, reactor, run):
        async def scenario():
            reactor.callInThread(work)
            await in_thread(reactor, started.wait)

        def work():
            started.set()
            shutting.wait(10)
            answers.append(threads.blockingCallFromThread(reactor, lambda: 7))

        answers = []
        started, shutting = threading.Event(), threading.Event()
        reactor.addSystemEventTrigger("before", "shutdown", shutting.set)
        run(scenario)
        assert answers == [7]

    def test_a_pool_thread_that_called_just_before_is_answered(self, reactor, run):
        async def scenario():
            for _ in range(5):
                reactor.callInThread(work)

        def work():
            answers.append(threads.blockingCallFromThread(reactor, lambda: 7))

        answers = []
        run(scenario)
        assert answers == [7] * 5

    def test_threads_of_their_own_end(self, reactor_factory):
        def work(reactor):
            while True:
                try:
                    threads.blockingCallFromThread(reactor, lambda: None)
                    reactor.callFromThread(lambda: None)
                except error.ReactorNotRunning:
                    return

        for _ in range(5):
            reactor = reactor_factory()
            workers = [threading.Thread(target=work, args=(reactor,)) for _ in range(4)]
            reactor.callWhenRunning(lambda workers=workers: [worker.start() for worker in workers])
            reactor.callLater(0.02, reactor.stop)
            reactor.run(installSignalHandlers=False)
            for worker in workers:
                worker.join(10)
                assert not worker.is_alive()
