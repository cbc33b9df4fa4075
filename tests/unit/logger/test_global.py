"""The beginning of logging."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from typing import Any

import pytest

from torsion.logger import LogBeginner, LogEvent, Logger, LoggingFile, LogLevel, LogPublisher, formatEvent
from torsion.python.failure import Failure


class Stdio:
    def __init__(self) -> None:
        self.stdout: Any = io.TextIOWrapper(io.BytesIO(), "shift-jis")
        self.stderr: Any = io.StringIO()


class Warnings:
    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []
        self.showwarning: Any = lambda *args: self.shown.append(args)


class World:
    def __init__(self, **options: Any) -> None:
        self.publisher = LogPublisher()
        self.errors = io.StringIO()
        self.stdio = Stdio()
        self.warnings = Warnings()
        self.beginner = LogBeginner(self.publisher, self.errors, self.stdio, self.warnings, **options)
        self.log = Logger("here", observer=self.publisher)


@pytest.fixture
def world() -> World:
    return World()


def numbers(events: list[LogEvent]) -> list[int]:
    return [event["n"] for event in events]


def test_events_from_before_are_replayed(world: World) -> None:
    first: list[LogEvent] = []
    second: list[LogEvent] = []
    world.publisher({"n": 1})
    world.beginner.beginLoggingTo([first.append, second.append])
    world.publisher({"n": 2})
    assert numbers(first) == numbers(second) == [1, 2]


def test_or_discarded(world: World) -> None:
    events: list[LogEvent] = []
    world.publisher({"n": 1})
    world.beginner.beginLoggingTo([events.append], discardBuffer=True)
    world.publisher({"n": 2})
    assert numbers(events) == [2]


@pytest.mark.parametrize(
    ("options", "limit"), [({}, 200), ({"initialBufferSize": 3}, 3), ({"initialBufferSize": 0}, 0)]
)
def test_only_so_many_are_kept(options: dict[str, int], limit: int) -> None:
    world = World(**options)
    for number in range(limit + 5):
        world.publisher({"n": number})
    events: list[LogEvent] = []
    world.beginner.beginLoggingTo([events.append])
    assert numbers(events) == list(range(5, limit + 5))


def test_what_is_critical_is_shown_until_then(world: World) -> None:
    world.log.info("hidden")
    world.log.error("hidden")
    world.log.critical("a critical {thing}", thing="thing")
    assert world.errors.getvalue() == "a critical thing\n"
    world.log.failure("while testing", Failure(ValueError("x")))
    assert "while testing\nTraceback" in world.errors.getvalue()
    before = world.errors.getvalue()
    world.beginner.beginLoggingTo([])
    world.log.critical("hidden")
    assert world.errors.getvalue() == before


def test_without_a_stream_of_its_own_it_is_shown_on_standard_error() -> None:
    publisher, stdio = LogPublisher(), Stdio()
    LogBeginner(publisher, None, stdio, Warnings())
    log = Logger(observer=publisher)
    log.critical("one")
    first, stdio.stderr = stdio.stderr, io.StringIO()
    log.critical("two")
    assert (first.getvalue(), stdio.stderr.getvalue()) == ("one\n", "two\n")
    stdio.stderr = None
    log.critical("nowhere to show it")


def test_an_observer_that_fails_during_the_replay_costs_nobody_else_an_event(world: World) -> None:
    events: list[LogEvent] = []

    def broken(event: LogEvent) -> None:
        raise ZeroDivisionError

    world.publisher({"n": 1})
    world.beginner.beginLoggingTo([broken, events.append])
    assert events[0]["n"] == 1
    assert events[1]["log_failure"].check(ZeroDivisionError)


def test_what_an_observer_logs_during_the_replay_is_not_lost(world: World) -> None:
    events: list[LogEvent] = []

    def chatty(event: LogEvent) -> None:
        if event.get("n") == 1:
            world.publisher({"n": 2})

    world.publisher({"n": 1})
    world.beginner.beginLoggingTo([chatty, events.append])
    assert sorted(numbers(events)) == [1, 2]


def test_no_event_of_another_thread_is_lost_or_shown_twice(world: World) -> None:
    events: list[LogEvent] = []
    running, enough = threading.Event(), threading.Event()
    sent: list[int] = []

    def log() -> None:
        for number in range(100_000):
            world.publisher({"n": number})
            sent.append(number)
            running.set()
            if enough.is_set():
                break

    world.beginner = LogBeginner(world.publisher, world.errors, world.stdio, world.warnings, 1_000_000)
    thread = threading.Thread(target=log)
    thread.start()
    assert running.wait(10)
    world.beginner.beginLoggingTo([events.append])
    enough.set()
    thread.join()
    assert sorted(numbers(events)) == sent


def test_standard_output_and_error_are_logged_from_then_on(world: World) -> None:
    events: list[LogEvent] = []
    world.beginner.beginLoggingTo([events.append])
    print("out", file=world.stdio.stdout)
    print("err", file=world.stdio.stderr)
    assert [(event["log_namespace"], event["log_level"], event["log_io"]) for event in events] == [
        ("stdout", LogLevel.info, "out"),
        ("stderr", LogLevel.error, "err"),
    ]
    assert world.stdio.stdout.encoding == "shift-jis"
    assert world.stdio.stderr.encoding == sys.getdefaultencoding()


def test_or_left_alone(world: World) -> None:
    before = world.stdio.stdout, world.stdio.stderr
    world.beginner.beginLoggingTo([], redirectStandardIO=False)
    assert (world.stdio.stdout, world.stdio.stderr) == before


def test_warnings_are_logged_from_then_on(world: World) -> None:
    events: list[LogEvent] = []
    world.warnings.showwarning("early", UserWarning, "f.py", 1)
    world.beginner.beginLoggingTo([events.append])
    world.warnings.showwarning("late", UserWarning, "f.py", 2)
    file = io.StringIO()
    world.warnings.showwarning("for a file", UserWarning, "f.py", 3, file)
    assert [shown[0] for shown in world.warnings.shown] == ["early", "for a file"]
    assert world.warnings.shown[1] == ("for a file", UserWarning, "f.py", 3, file, None)
    [event] = events
    assert formatEvent(event) == "f.py:2: builtins.UserWarning: late"
    assert event["log_level"] is LogLevel.warn
    assert event["lineno"] == 2


def test_beginning_twice_adds_and_warns(world: World) -> None:
    first: list[LogEvent] = []
    second: list[LogEvent] = []
    world.publisher({"n": 1})
    here = sys._getframe().f_lineno
    world.beginner.beginLoggingTo([first.append])
    redirected = world.stdio.stdout
    world.beginner.beginLoggingTo([second.append])
    world.publisher({"n": 2})
    assert [event.get("n") for event in first] == [1, None, 2]
    assert [event.get("n") for event in second] == [None, 2]
    warning = second[0]
    assert warning["log_level"] is LogLevel.warn
    assert (warning["fileThen"], warning["lineThen"]) == (__file__, here + 1)
    assert (warning["fileNow"], warning["lineNow"]) == (__file__, here + 3)
    assert f"<{__file__}:{here + 3}>" in formatEvent(warning)
    assert world.stdio.stdout is redirected
    assert isinstance(redirected, LoggingFile)
    world.warnings.showwarning("once", UserWarning, "f.py", 1)
    assert len(second) == 3


def test_in_a_fresh_process() -> None:
    program = """
import sys
from torsion.logger import Logger, globalLogBeginner, textFileLogObserver
log = Logger()
log.info("kept")
log.critical("shown")
globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout, timeFormat=None)])
print("printed")
heavy = {"asyncio", "inspect", "traceback", "logging", "json", "dataclasses", "datetime"} & set(sys.modules)
log.info("{heavy}", heavy=heavy)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "shown\n"
    assert done.stdout == (
        "- [__main__#info] kept\n- [__main__#critical] shown\n- [stdout#info] printed\n- [__main__#info] set()\n"
    )
