"""What the reactor in an asyncio loop has beyond what every hosted one has."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from contextvars import ContextVar

import pytest

from torsion.internet import _current, error
from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.reactors.hosted.asyncio import AsyncioDriver, AsyncioReactor
from torsion.logger import globalLogPublisher

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no descriptor that another loop could watch"
)

TINY = 0.01


async def ended(reactor):
    """Stop *reactor* and wait until it has."""
    done = asyncio.get_running_loop().create_future()
    reactor.addSystemEventTrigger("after", "shutdown", done.set_result, None)
    reactor.stop()
    await asyncio.wait_for(done, 20)


async def some_turns():
    """Let asyncio's loop take some turns."""
    loop = asyncio.get_running_loop()
    for _ in range(5):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


async def slept():
    """Wait for a timer of asyncio's."""
    loop = asyncio.get_running_loop()
    rung = loop.create_future()
    loop.call_later(TINY, rung.set_result, "slept")
    return await rung


def pause(reactor, seconds=0.0):
    deferred = Deferred()
    reactor.callLater(seconds, deferred.callback, "rested")
    return deferred


def test_starts_by_itself_in_a_loop_that_runs():
    async def main():
        reactor = AsyncioReactor()
        assert reactor.driver.loop is asyncio.get_running_loop()
        started = asyncio.get_running_loop().create_future()
        reactor.callWhenRunning(started.set_result, "started")
        assert not reactor.running
        assert await asyncio.wait_for(started, 20) == "started"
        assert reactor.running
        assert _current.current_reactor() is reactor
        await ended(reactor)
        assert not reactor.running
        assert _current.installed_reactor() is not reactor

    asyncio.run(main())


def test_several_in_one_loop_end_in_any_order():
    async def main():
        first, second, third = (AsyncioReactor() for _ in range(3))
        for reactor in first, second, third:
            reactor.startRunning(installSignalHandlers=False)
        for reactor in second, third, first:
            await pause(reactor, TINY).asFuture(asyncio.get_running_loop())
            await ended(reactor)
            assert not _current.runs_here(reactor)

    asyncio.run(main())


def test_can_be_started_earlier():
    async def main():
        reactor = AsyncioReactor()
        reactor.run()  # and returns, since the loop is somebody else's
        assert reactor.running
        with pytest.raises(error.ReactorAlreadyRunning):
            reactor.run()
        assert reactor.running
        await some_turns()  # by when it would have started by itself
        await ended(reactor)

    asyncio.run(main())


def test_futures_and_deferreds_meet():
    async def main():
        loop = asyncio.get_running_loop()
        reactor = AsyncioReactor()
        assert await pause(reactor).asFuture(loop) == "rested"
        with pytest.raises(ZeroDivisionError):
            await pause(reactor).addCallback(lambda _: 1 / 0).asFuture(loop)

        async def torsions():
            task = asyncio.ensure_future(slept())
            return [await Deferred.fromFuture(task), await pause(reactor)]

        assert await ensureDeferred(torsions()).asFuture(loop) == ["slept", "rested"]
        task = asyncio.ensure_future(asyncio.Event().wait())  # which is never set
        deferred = Deferred.fromFuture(task)
        deferred.addErrback(lambda reason: cancelled.append(reason.type))
        cancelled = []
        task.cancel()
        await pause(reactor, TINY).asFuture(loop)
        assert cancelled == [asyncio.CancelledError]
        await ended(reactor)

    asyncio.run(main())


def test_serves_a_client_of_asyncio():
    class Upper(Protocol):
        def dataReceived(self, data):
            self.transport.write(data.upper())

    async def main():
        reactor = AsyncioReactor()
        port = reactor.listenTCP(0, Factory.forProtocol(Upper), interface="127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        for _ in range(3):
            writer.write(b"tea")
            assert await asyncio.wait_for(reader.readexactly(3), 20) == b"TEA"
        await ended(reactor)
        assert await asyncio.wait_for(reader.read(), 20) == b""  # the reactor has ended the connection
        writer.close()
        await writer.wait_closed()

    asyncio.run(main())


def test_what_an_asyncio_task_writes_goes_out():
    """A write outside a turn has the loop take one."""

    async def main():
        class Keeps(Protocol):
            def connectionMade(self):
                made.set_result(self.transport)

        reactor = AsyncioReactor()
        made = asyncio.get_running_loop().create_future()
        port = reactor.listenTCP(0, Factory.forProtocol(Keeps), interface="127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        connection = await asyncio.wait_for(made, 20)
        await some_turns()
        before = reactor.engine.statistics()["turns"]
        for word in b"a", b"b", b"c":
            connection.write(word)
        assert await asyncio.wait_for(reader.readexactly(3), 20) == b"abc"
        assert reactor.engine.statistics()["turns"] - before <= 2
        connection.loseConnection()
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        await writer.wait_closed()
        await ended(reactor)

    asyncio.run(main())


def test_its_thread_is_the_loops_between_turns_too():
    async def main():
        loop = asyncio.get_running_loop()
        reactor = AsyncioReactor()
        reactor.startRunning(installSignalHandlers=False)
        with pytest.raises(error.WrongThreadError):
            await loop.run_in_executor(None, reactor.callLater, 0, print)
        called = loop.create_future()
        threading.Thread(target=reactor.callFromThread, args=(called.set_result, threading.main_thread())).start()
        assert await asyncio.wait_for(called, 20) is threading.main_thread()
        await ended(reactor)
        await loop.run_in_executor(None, reactor.callLater, 0, print)  # it is nobody's again
        reactor.getDelayedCalls()[0].cancel()

    asyncio.run(main())


def test_all_turns_share_one_context():
    variable = ContextVar("variable", default="nothing")
    seen = []

    def later():
        seen.append(variable.get())
        variable.set("set in a turn")
        reactor.callLater(TINY, last)

    def last():
        seen.append(variable.get())
        reactor.stop()

    token = variable.set("set before")
    reactor = AsyncioReactor()
    reactor.callLater(0, later)
    reactor.run(installSignalHandlers=False)
    variable.reset(token)
    assert seen == ["set before", "set in a turn"]


def test_a_loop_of_its_own_is_closed_with_it():
    reactor = AsyncioReactor()
    loop = reactor.driver.loop
    reactor.callLater(0, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert not loop.is_closed()  # it may run again
    gone = weakref.ref(reactor)
    del reactor
    gc.collect()
    assert gone() is None
    assert loop.is_closed()


def test_somebody_elses_loop_is_not_closed():
    loop = asyncio.new_event_loop()
    reactor = AsyncioReactor(loop)
    reactor.callLater(0, reactor.stop)
    reactor.run(installSignalHandlers=False)
    del reactor
    gc.collect()
    assert not loop.is_closed()
    loop.close()


def test_a_loop_that_is_closed_does_not_run():
    loop = asyncio.new_event_loop()
    reactor = AsyncioReactor(loop)
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        reactor.run(installSignalHandlers=False)
    assert not reactor.running


def test_a_loop_within_another_does_not_run():
    async def main():
        loop = asyncio.new_event_loop()
        reactor = AsyncioReactor(loop)
        events = []
        reactor.addSystemEventTrigger("during", "startup", events.append, "startup")
        with pytest.raises(RuntimeError, match="another loop"):
            reactor.run(installSignalHandlers=False)
        assert not reactor.running
        del reactor
        loop.close()

    asyncio.run(main())


class NoReaders(asyncio.SelectorEventLoop):
    """A loop such as Windows has."""

    def add_reader(self, *_):
        raise NotImplementedError


def test_a_loop_that_cannot_watch_descriptors():
    loop = NoReaders()
    reactor = AsyncioReactor(loop)
    with pytest.raises(TypeError, match="SelectorEventLoop"):
        reactor.run(installSignalHandlers=False)
    assert not reactor.running
    reactor.callLater(0, print).cancel()
    del reactor
    gc.collect()
    loop.close()


def test_one_that_cannot_start_by_itself_says_so():
    logged = []

    async def main():
        AsyncioReactor()
        await some_turns()

    globalLogPublisher.addObserver(logged.append)
    try:
        loop = NoReaders()
        loop.run_until_complete(main())
        loop.close()
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert [event["log_failure"].type for event in logged if "log_failure" in event] == [TypeError]


def test_a_run_after_the_foreign_loop_was_stopped():
    """A foreign loop that somebody stops ends the reactor, which can be run again in it."""
    loop = asyncio.new_event_loop()
    reactor = AsyncioReactor(loop)
    ends = []
    for _ in range(2):
        reactor.addSystemEventTrigger("during", "shutdown", ends.append, "shutdown")
        loop.call_later(TINY, loop.stop)
        reactor.run(installSignalHandlers=False)
    assert ends == ["shutdown", "shutdown"]
    del reactor
    gc.collect()
    loop.close()


def test_iterate_takes_a_turn():
    reactor = AsyncioReactor()
    called = []
    reactor.callLater(0, called.append, 1)
    reactor.iterate()
    assert called == [1]
    reactor.startRunning(installSignalHandlers=False)
    reactor.stop()
    reactor.iterate()
    assert not reactor.running


def test_the_driver_needs_no_loop_to_run():
    driver = AsyncioDriver()
    assert not driver.running()
    driver.clear_timer()
    driver.set_timer(0, driver.stop)
    driver.run()
