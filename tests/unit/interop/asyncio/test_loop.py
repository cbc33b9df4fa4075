"""An asyncio loop that turns inside a reactor: both make progress in one thread."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IReactorFDSet
from torsion.internet.reactors.hosted.asyncio import AsyncioReactor
from torsion.internet.reactors.native import NativeReactor
from torsion.interop.asyncio import ReactorLoop, loopOf, runnerFor
from torsion.logger import capturedLogs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def run(main: Any, kind: Any = NativeReactor) -> Any:
    """Run a coroutine function of asyncio in the loop of a reactor, and return what it returns."""
    reactor = kind()
    results: list[Any] = []

    def begin() -> None:
        loop = loopOf(reactor)
        task = loop.create_task(main(reactor))
        task.add_done_callback(lambda task: (results.append(task), reactor.stop()))
        tasks.append(task)

    tasks: list[Any] = []
    reactor.callWhenRunning(begin)
    late = reactor.callLater(20, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert not late.active() or late.cancel() is None
    assert results, "it did not end"
    return results[0].result()


@pytest.mark.parametrize("kind", [NativeReactor, AsyncioReactor])
def test_an_application_sees_a_running_loop(kind: Any) -> None:
    async def main(reactor: Any) -> list[Any]:
        loop = asyncio.get_running_loop()
        assert loop is loopOf(reactor)
        assert loop.is_running()
        order: list[Any] = []

        async def other() -> str:
            await asyncio.sleep(0)
            order.append("task")
            return "other"

        assert await asyncio.create_task(other()) == "other"
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        order.append(await asyncio.to_thread(threading.get_ident) != threading.get_ident())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        order.append(asyncio.current_task() is not None)
        return order

    assert run(main, kind) == ["task", True, True]


def test_the_two_take_turns() -> None:
    async def main(reactor: Any) -> Any:
        deferred: Deferred[str] = Deferred()
        reactor.callLater(0.001, deferred.callback, "from the reactor")
        assert await deferred.asFuture(asyncio.get_running_loop()) == "from the reactor"
        done: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(asyncio.sleep(0.001, "from the loop")))
        seen: list[Any] = []
        done.addCallback(seen.append)
        reactor.callLater(0.002, seen.append, "from the reactor")
        both = asyncio.Event()

        def again() -> None:
            if len(seen) < 2:
                loop.call_soon(again)  # a loop that is never idle leaves the reactor its turns
            else:
                both.set()

        loop = asyncio.get_running_loop()
        again()
        await both.wait()
        return sorted(seen)  # two milliseconds apart: a busy machine may come late to both

    assert run(main) == ["from the loop", "from the reactor"]


def test_no_loop_runs_in_what_the_reactor_calls() -> None:
    async def main(reactor: Any) -> Any:
        seen: Deferred[Any] = Deferred()

        def look() -> None:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            seen.callback("none")

        reactor.callLater(0, look)
        return await seen.asFuture(asyncio.get_running_loop())

    assert run(main) == "none"


def test_streams_meet_the_reactor() -> None:
    from torsion.internet.protocol import Factory
    from torsion.protocols.wire import Echo

    async def main(reactor: Any) -> bytes:
        port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        data = bytes(range(256)) * 4000
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()
        await port.stopListening().asFuture(asyncio.get_running_loop())

        async def answer(reader: Any, writer: Any) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"line\n")
            line = await reader.read()
            writer.close()
            await writer.wait_closed()
        return bytes(line)

    assert run(main) == b"line\n"


def test_subprocesses_are_run() -> None:
    async def main(reactor: Any) -> Any:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(7)", stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        return out, process.returncode

    assert run(main) == (b"7\n", 0)


def test_descriptors_and_calls_from_threads() -> None:
    async def main(reactor: Any) -> bytes:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            told = asyncio.Event()
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(told.set,))
            thread.start()
            await told.wait()
            thread.join()
            there.sendall(b"x")
            return await loop.sock_recv(here, 1)

    assert run(main) == b"x"


def test_anyio_and_sniffio_are_at_home() -> None:
    anyio, sniffio = pytest.importorskip("anyio"), pytest.importorskip("sniffio")

    async def main(reactor: Any) -> Any:
        assert sniffio.current_async_library() == "asyncio"
        send, receive = anyio.create_memory_object_stream(1)
        async with anyio.create_task_group() as group, send, receive:
            group.start_soon(send.send, await anyio.to_thread.run_sync(lambda: "thread"))
            with anyio.fail_after(5):
                return await receive.receive()

    assert run(main) == "thread"


def test_what_goes_on_at_the_end_is_cancelled_and_the_loop_closed() -> None:
    ended: list[str] = []
    loops: list[Any] = []

    async def main(reactor: Any) -> None:
        async def parts() -> Any:
            try:
                yield 1
                yield 2
            finally:
                ended.append("generator")

        async def for_ever() -> None:
            async for _ in generator:
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0)
                    ended.append("task")

        generator = parts()
        loops.append((asyncio.create_task(for_ever()), asyncio.get_running_loop()))
        await asyncio.sleep(0.001)

    run(main)
    assert sorted(ended) == ["generator", "task"]
    assert loops[0][1].is_closed()
    assert loops[0][0].cancelled()


def test_what_is_cancelled_has_time_to_end() -> None:
    """It may have to say good-bye to somebody, or to wait for a thread."""
    ended: list[str] = []
    tasks: list[Any] = []

    async def main(reactor: Any) -> None:
        async def says_good_bye() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                ended.append("slept")

        async def waits_for_a_thread() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(await asyncio.to_thread(lambda: "thread"))

        tasks.extend(map(asyncio.create_task, (says_good_bye(), waits_for_a_thread())))
        await asyncio.sleep(0)

    run(main)
    assert sorted(ended) == ["slept", "thread"]
    assert all(task.cancelled() for task in tasks)


def test_what_refuses_to_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsion.interop.asyncio.loop.SECONDS_TO_END", 0.01)
    loops: list[Any] = []

    async def main(reactor: Any) -> None:
        async def refuses() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass

        loops.append((asyncio.get_running_loop(), asyncio.create_task(refuses(), name="the one that refuses")))
        await asyncio.sleep(0)

    with capturedLogs() as events:
        run(main)
    loop, task = loops.pop()
    assert loop.is_closed()
    told = [event["tasks"] for event in events if "tasks" in event]
    assert told == [[task]]
    task._log_destroy_pending = False  # asyncio would tell of it once more
    task.get_coro().close()
    del loop, task, told, events
    gc.collect()  # here, and not amid something else


def test_signals_are_the_reactors() -> None:
    async def main(reactor: Any) -> None:
        with pytest.raises(NotImplementedError, match="reactor's"):
            asyncio.get_running_loop().add_signal_handler(1, print)

    run(main)


def test_what_the_loop_calls_may_raise_and_it_goes_on(caplog: Any) -> None:
    async def main(reactor: Any) -> int:
        loop = asyncio.get_running_loop()
        problems: list[Any] = []
        loop.set_exception_handler(lambda loop, context: problems.append(context["exception"]))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0.001)
        return len(problems)

    assert run(main) == 1

    async def exits(reactor: Any) -> int:
        def leave() -> None:
            raise SystemExit

        asyncio.get_running_loop().call_soon(leave)
        await asyncio.sleep(0.001)
        return 7

    with capturedLogs() as events:
        assert run(exits) == 7  # the reactor logs it, as it logs whatever its calls raise
    assert any(event["log_failure"].check(SystemExit) for event in events if "log_failure" in event)


def test_it_is_closed_by_hand_as_well() -> None:
    reactor = NativeReactor()
    assert IReactorFDSet.providedBy(reactor)
    loop = loopOf(reactor)
    assert isinstance(loop, ReactorLoop)
    assert loopOf(reactor) is loop
    loop.call_later(5, print)
    assert len(reactor.getReaders()) == 1
    loop.close()
    loop.close()
    assert reactor.getReaders() == []
    assert reactor.getDelayedCalls() == []
    assert loopOf(reactor) is not loop
    loopOf(reactor).close()
    reactor.fireSystemEvent("shutdown")


def test_a_runner_tells_how_a_coroutine_ends() -> None:
    async def main(reactor: Any) -> list[Any]:
        ends: list[Any] = []
        runner = runnerFor(reactor)

        async def fails() -> None:
            raise ZeroDivisionError

        waiting, wake = runner.wait()

        async def waits() -> None:
            await waiting

        runner.start(fails(), ends.append)
        runner.start(waits(), ends.append)
        runner.start(asyncio.sleep(100), ends.append).cancel()
        await asyncio.sleep(0.001)
        assert [type(end) for end in ends] == [ZeroDivisionError, asyncio.CancelledError]
        wake()
        wake()
        await asyncio.sleep(0.001)
        return ends[2:]

    assert run(main) == [None]


def test_a_first_step_is_taken_at_once_where_nothing_else_runs() -> None:
    """As in a turn: the loop runs, the task is the current one, and what it leaves behind is done in turns."""
    from contextvars import ContextVar

    said = ContextVar("said", default="nothing")

    async def main(reactor: Any) -> list[Any]:
        loop = loopOf(reactor)
        assert isinstance(loop, ReactorLoop)
        seen: list[Any] = []
        over: Deferred[None] = Deferred()

        async def generate() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                seen.append("the generator is closed")

        async def steps(name: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            assert asyncio.get_running_loop() is loop
            assert loop.is_running()
            seen.append((name, said.get()))
            said.set(name)
            if name == "outer":
                other = loop.begin(steps("inner"))
                assert ("inner", "outer") not in seen, "two tasks are never amid a step"
                async for _ in generate():
                    break
                await other
                assert said.get() == "outer"
                loop.call_later(0.001, over.callback, None)
                raise ZeroDivisionError

        def begin() -> None:
            said.set("the reactor")
            task = loop.begin(steps("outer"))
            assert seen == [("outer", "the reactor")]
            assert said.get() == "the reactor"
            assert not loop.is_running()
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            task.add_done_callback(lambda task: seen.append(type(task.exception())))

        reactor.callLater(0, begin)
        await over.asFuture(loop)
        return seen

    assert sorted(map(str, run(main))) == sorted(
        map(str, [("outer", "the reactor"), ("inner", "outer"), "the generator is closed", ZeroDivisionError])
    )


def test_a_first_step_that_ends_the_program_leaves_the_loop_in_order() -> None:
    async def main(reactor: Any) -> str:
        loop = loopOf(reactor)
        seen: Deferred[str] = Deferred()

        async def leave() -> None:
            raise SystemExit

        def begin() -> None:
            with pytest.raises(SystemExit):
                loop.begin(leave())
            assert not loop.is_running()
            loop.call_soon(seen.callback, "it goes on")

        reactor.callLater(0, begin)
        return await seen.asFuture(loop)

    assert run(main) == "it goes on"


@pytest.mark.parametrize("way", ["debug", "factory"])
def test_loops_with_tasks_of_their_own_take_first_steps_in_turns(way: str) -> None:
    async def main(reactor: Any) -> list[str]:
        loop = loopOf(reactor)
        if way == "debug":
            loop.set_debug(True)
        else:
            loop.set_task_factory(lambda loop, coroutine, **said: asyncio.Task(coroutine, loop=loop, **said))
        seen: list[str] = []
        over: Deferred[None] = Deferred()

        async def step() -> None:
            seen.append("the step")
            over.callback(None)

        def begin() -> None:
            loop.begin(step())
            seen.append("begun")

        reactor.callLater(0, begin)
        await over.asFuture(loop)
        return seen

    assert run(main) == ["begun", "the step"]
