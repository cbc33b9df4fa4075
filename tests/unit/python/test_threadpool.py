"""The thread pool: who calls what, where, with which surroundings, and how threads come and go."""

from __future__ import annotations

import contextvars
import gc
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from torsion.python import _reports, context
from torsion.python.failure import Failure
from torsion.python.threadpool import ThreadPool, ThreadPoolStopped

TIMEOUT = 20


class Log(list[tuple[str, Failure]]):
    def __call__(self, message: str, failure: Failure) -> None:
        self.append((message, failure))


@pytest.fixture
def log() -> Log:
    return Log()


Make = Callable[..., ThreadPool]


@pytest.fixture
def make(log: Log) -> Iterator[Make]:
    pools: list[ThreadPool] = []

    def made(*sizes: int, start: bool = True, name: str | None = None) -> ThreadPool:
        pool = ThreadPool(*sizes, name=name, log=log)
        pools.append(pool)
        if start:
            pool.start()
        return pool

    yield made
    for pool in pools:
        pool.stop()
        assert pool.threads == []


class Gate:
    """A call that says when it has come in, and stays until it is let out."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.out = threading.Event()

    def __call__(self) -> None:
        self.inside.release()
        assert self.out.wait(TIMEOUT)

    def entered(self, number: int = 1) -> None:
        for _ in range(number):
            assert self.inside.acquire(timeout=TIMEOUT)


def result_of(pool: ThreadPool, function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[bool, Any]:
    results: list[tuple[bool, Any]] = []
    done = threading.Event()

    def onResult(success: bool, result: Any) -> None:
        results.append((success, result))
        done.set()

    pool.callInThreadWithCallback(onResult, function, *args, **kwargs)
    assert done.wait(TIMEOUT)
    return results[0]


# --- calls -----------------------------------------------------------------------------------------------------------


def test_calls_are_made_in_another_thread(make: Make) -> None:
    success, thread = result_of(make(0, 1, name="here"), threading.current_thread)
    assert success
    assert thread is not threading.current_thread()
    assert thread.name.startswith("PoolThread-here-")
    assert not thread.daemon


def test_arguments_pass(make: Make) -> None:
    assert result_of(make(0, 1), lambda *args, **kwargs: (args, kwargs), 1, 2, x=3) == (True, ((1, 2), {"x": 3}))


def test_the_result_is_told_in_the_same_thread(make: Make) -> None:
    idents: list[int] = []
    done = threading.Event()

    def onResult(success: bool, ident: int) -> None:
        idents.extend([ident, threading.get_ident()])
        done.set()

    make(2, 2).callInThreadWithCallback(onResult, threading.get_ident)
    assert done.wait(TIMEOUT)
    assert idents[0] == idents[1]


@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_what_a_call_raises_is_told(make: Make, log: Log, kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind

    pool = make(0, 1)
    success, failure = result_of(pool, fail)
    assert not success
    assert failure.check(kind)
    assert result_of(pool, int) == (True, 0)
    assert log == []


def test_what_nobody_is_told_of_is_logged(make: Make, log: Log) -> None:
    pool = make(0, 1)
    pool.callInThread(lambda: 1 / 0)
    result_of(pool, int)
    [(message, failure)] = log
    assert "call made by a thread pool" in message
    assert failure.check(ZeroDivisionError)


def test_what_the_result_callback_raises_is_logged(make: Make, log: Log) -> None:
    pool = make(0, 1)

    def onResult(success: bool, result: object) -> None:
        raise KeyError("x")

    pool.callInThreadWithCallback(onResult, int)
    pool.callInThreadWithCallback(None, int)
    result_of(pool, int)
    [(message, failure)] = log
    assert "result callback" in message
    assert failure.check(KeyError)


def test_without_a_log_of_its_own_a_pool_reports_to_the_floor_above(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr(_reports, "_report", log)
    pool = ThreadPool(0, 1)
    pool.start()
    pool.callInThread(lambda: 1 / 0)
    pool.stop()
    assert len(log) == 1


def test_calls_see_the_surroundings_of_who_asked(make: Make) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")
    pool = make(0, 1)

    def surroundings() -> tuple[object, str]:
        variable.set("changed")
        return context.get("key"), before.pop()

    before: list[str] = []

    def ask() -> tuple[bool, Any]:
        token = variable.set("mine")
        try:
            return result_of(pool, lambda: (context.get("key"), variable.get()))
        finally:
            variable.reset(token)

    assert context.call({"key": "value"}, ask) == (True, ("value", "mine"))
    assert result_of(pool, lambda: (context.get("key"), variable.get())) == (True, (None, "nothing"))


def test_the_result_callback_sees_them_too(make: Make) -> None:
    seen: list[object] = []
    done = threading.Event()

    def onResult(success: bool, result: object) -> None:
        seen.append(context.get("key"))
        done.set()

    context.call({"key": 1}, make(0, 1).callInThreadWithCallback, onResult, int)
    assert done.wait(TIMEOUT)
    assert seen == [1]


class Heavy:
    pass


def test_nothing_of_a_call_stays_alive_after_it(make: Make) -> None:
    pool = make(0, 1)
    heavy = Heavy()
    gone = weakref.ref(heavy)
    pool.callInThread(id, heavy)
    del heavy
    result_of(pool, int)
    gc.collect()
    assert gone() is None


def test_while_the_result_is_told_the_call_is_gone(make: Make) -> None:
    pool = make(0, 1)
    heavy = Heavy()
    gone = weakref.ref(heavy)
    go, done = threading.Event(), threading.Event()
    seen: list[object] = []

    def onResult(success: bool, result: object) -> None:
        assert go.wait(TIMEOUT)
        gc.collect()
        seen.append(gone())
        done.set()

    pool.callInThreadWithCallback(onResult, lambda *args, **kwargs: None, heavy, test=heavy)
    del heavy
    go.set()
    assert done.wait(TIMEOUT)
    assert seen == [None]


def test_calls_are_made_in_order(make: Make) -> None:
    pool = make(0, 1)
    done: list[int] = []
    for number in range(50):
        pool.callInThread(done.append, number)
    pool.stop()
    assert done == list(range(50))


# --- threads ---------------------------------------------------------------------------------------------------------


def test_starting_makes_the_least_number_of_threads(make: Make) -> None:
    pool = make(3, 10, start=False)
    assert not pool.started
    assert pool.threads == []
    pool.start()
    assert pool.started
    assert len(pool.threads) == pool.workers == 3


def test_threads_come_with_the_work_up_to_the_most(make: Make) -> None:
    pool = make(0, 3)
    gate = Gate()
    for expected in [1, 2, 3, 3]:
        pool.callInThread(gate)
        assert pool.workers == expected
    gate.entered(3)
    now = pool.statistics()
    assert (now.workers, now.busy, now.idle, now.queued) == (3, 3, 0, 1)
    assert len(pool.working) == 3
    assert pool.waiters == []
    assert pool.q.qsize() == 1
    gate.out.set()
    gate.entered(1)


def test_an_idle_thread_is_used_again(make: Make) -> None:
    pool = make(0, 5)
    for _ in range(20):
        gate = Gate()
        gate.out.set()
        pool.callInThread(gate)
        gate.entered()
        while pool.working:
            pass
    assert pool.workers == 1
    assert len(pool.waiters) == 1
    assert pool.statistics().completed == 20


def test_calls_that_wait_for_each_other_all_get_a_thread(make: Make) -> None:
    pool = make(0, 10)
    for _ in range(50):
        event = threading.Event()
        for _ in range(3):
            pool.callInThread(event.wait, TIMEOUT)
        pool.callInThread(event.set)
        assert event.wait(TIMEOUT)
        while pool.working:
            pass


def test_work_from_before_the_start_is_done(make: Make) -> None:
    pool = make(0, 10, start=False)
    gate = Gate()
    for _ in range(4):
        pool.callInThread(gate)
    assert pool.workers == 0
    pool.start()
    gate.entered(4)
    assert pool.workers == 4
    gate.out.set()


def test_stopping_waits_for_all_that_was_asked_for(make: Make) -> None:
    pool = make(0, 2)
    done: list[int] = []
    for number in range(50):
        pool.callInThread(done.append, number)
    pool.stop()
    assert sorted(done) == list(range(50))
    assert pool.joined
    assert not pool.started
    assert pool.threads == []
    pool.callInThread(done.append, 50)
    pool.stop()
    assert len(done) == 50


def test_a_stopped_pool_may_be_started_again(make: Make) -> None:
    pool = make(1, 2)
    pool.stop()
    pool.start()
    assert not pool.joined
    assert result_of(pool, int) == (True, 0)


def test_stopping_what_was_never_started_forgets_its_calls(make: Make) -> None:
    pool = make(0, 2, start=False)
    heavy = Heavy()
    gone = weakref.ref(heavy)
    pool.callInThread(id, heavy)
    del heavy
    pool.stop()
    gc.collect()
    assert gone() is None
    assert pool.statistics().queued == 0


def test_stopped_while_full_everybody_is_told(make: Make) -> None:
    pool = make(0, 2)
    gate = Gate()
    told: list[tuple[bool, int]] = []
    for _ in range(2):
        pool.callInThread(gate)
    gate.entered(2)
    for number in range(100):
        pool.callInThreadWithCallback(lambda *result: told.append(result), int, number)
    assert pool.statistics().queued == 100
    stopping = threading.Thread(target=pool.stop)
    stopping.start()
    gate.out.set()
    stopping.join(TIMEOUT)
    assert not stopping.is_alive()
    assert sorted(told) == [(True, number) for number in range(100)]


def test_whose_call_is_not_made_is_told_so(make: Make, log: Log) -> None:
    never = make(0, 2, start=False)
    told: list[Any] = []
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")

    def on_result(success: bool, result: Any) -> None:
        told.append((success, result.check(ThreadPoolStopped), variable.get()))

    def ask() -> None:
        variable.set("mine")
        never.callInThreadWithCallback(on_result, int)

    contextvars.copy_context().run(ask)
    never.callInThread(int)
    assert told == []
    never.stop()
    assert told == [(False, ThreadPoolStopped, "mine")]
    stopped = make(1, 2)
    stopped.stop()
    stopped.callInThreadWithCallback(on_result, int)
    assert len(told) == 2
    stopped.callInThread(int)
    stopped.callInThreadWithCallback(None, int)
    assert log == []
    stopped.callInThreadWithCallback(lambda *_: 1 // 0, int)
    assert log[0][1].check(ZeroDivisionError)


def test_a_pool_that_was_stopped_and_started_keeps_nothing_of_before(make: Make) -> None:
    pool = make(0, 2, start=False)
    made: list[int] = []
    pool.callInThread(made.append, 1)
    pool.stop()
    pool.start()
    assert result_of(pool, made.append, 2) == (True, None)
    assert made == [2]


def test_a_call_may_stop_the_pool(make: Make) -> None:
    pool = make(0, 2)
    assert result_of(pool, pool.stop) == (True, None)
    for thread in pool.threads:
        thread.join(TIMEOUT)
    assert pool.joined


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(-1, 3), (3, 1), (0, -1)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="thread"):
        ThreadPool(*sizes)
    pool = ThreadPool(2, 4)
    with pytest.raises(ValueError, match="thread"):
        pool.adjustPoolsize(*sizes)
    assert (pool.min, pool.max) == (2, 4)


def settled(pool: ThreadPool, number: int) -> None:
    """Wait until *pool* has *number* threads."""
    for thread in list(pool.threads):
        if len(pool.threads) == number:
            break
        thread.join(0.01)
    while len(pool.threads) != number:
        pass


def test_growing_starts_threads(make: Make) -> None:
    pool = make(0, 1)
    gate = Gate()
    for _ in range(3):
        pool.callInThread(gate)
    assert pool.workers == 1
    pool.adjustPoolsize(maxthreads=2)
    gate.entered(2)
    assert pool.workers == 2
    pool.adjustPoolsize(4, 5)
    gate.entered(1)
    assert pool.workers == 4
    gate.out.set()


def test_shrinking_ends_them(make: Make) -> None:
    pool = make(4, 4)
    pool.adjustPoolsize(0, 1)
    assert pool.workers == 1
    settled(pool, 1)
    assert result_of(pool, int) == (True, 0)


def test_a_stopped_pool_only_notes_the_size(make: Make) -> None:
    pool = make(0, 5)
    pool.stop()
    pool.adjustPoolsize(2)
    assert pool.threads == []
    assert pool.min == 2


def test_single_threads_may_be_started_and_stopped(make: Make) -> None:
    pool = make(0, 2, start=False)
    pool.startAWorker()
    assert pool.workers == 0
    pool.start()
    for expected in [1, 2, 2]:
        pool.startAWorker()
        assert pool.workers == expected
    for expected in [1, 0, 0]:
        pool.stopAWorker()
        assert pool.workers == expected
    settled(pool, 0)
    assert result_of(pool, int) == (True, 0)


def test_refused_threads_are_only_missed_where_there_are_none(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make(0, 2)

    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pool, "threadFactory", Refused)
    with pytest.raises(RuntimeError, match="can't start"):
        pool.callInThread(int)
    assert pool.statistics().queued == 0
    monkeypatch.setattr(pool, "threadFactory", threading.Thread)
    gate = Gate()
    pool.callInThread(gate)
    gate.entered()
    monkeypatch.setattr(pool, "threadFactory", Refused)
    pool.callInThread(gate)
    assert pool.statistics().queued == 1
    gate.out.set()
    gate.entered()


# --- the rest --------------------------------------------------------------------------------------------------------


def test_pickling_keeps_the_sizes() -> None:
    copy = pickle.loads(pickle.dumps(ThreadPool(7, 20, "name")))
    assert (copy.min, copy.max, copy.name, copy.threads) == (7, 20, "name", [])


def test_statistics_can_be_dumped(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr(_reports, "_note", notes.append)
    make(1, 2, name="mine").dumpStats()
    assert "mine" in notes[0]
    assert "workers=1" in notes[0]


def test_current_thread_is_the_stdlibs() -> None:
    assert ThreadPool.currentThread() is threading.current_thread()


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    return done.stdout


def test_a_program_that_forgets_its_pool_ends_when_the_work_is_done() -> None:
    program = """
import threading
from torsion.python.threadpool import ThreadPool, ThreadPoolStopped
pool = ThreadPool(3, 3)
pool.start()
inside, out = threading.Event(), threading.Event()
def work():
    inside.set()
    out.wait()
    print("done")
pool.callInThread(work)
pool.callInThread(print, "queued")
inside.wait()
threading.Timer(0.05, out.set).start()
"""
    assert sorted(run(program).split()) == ["done", "queued"]


def test_reports_go_to_standard_error_without_a_logger() -> None:
    program = """
import io, sys
from torsion.python.threadpool import ThreadPool, ThreadPoolStopped
sys.stderr = io.StringIO()
pool = ThreadPool(0, 1, "mine")
pool.start()
pool.callInThread(lambda: 1/0)
pool.dumpStats()
pool.stop()
assert "torsion.logger" not in sys.modules
print(sys.stderr.getvalue())
sys.stderr = None
pool.dumpStats()
"""
    text = run(program)
    assert "Unhandled error in a call made by a thread pool\nTraceback" in text
    assert "builtins.ZeroDivisionError" in text
    assert "thread pool mine" in text
