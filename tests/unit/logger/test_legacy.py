"""The old logging module."""

# ruff: noqa: PT017 - failures are made where exceptions are handled

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from zope.interface import implementer

from torsion.logger import ILogObserver as INewLogObserver
from torsion.logger import LogBeginner, LogEvent, Logger, LoggingFile, LogLevel, capturedLogs, formatEvent
from torsion.logger import LogPublisher as NewLogPublisher
from torsion.logger import legacy as log
from torsion.python import context, failure
from torsion.python.failure import Failure


@pytest.fixture
def events() -> Iterator[list[log.EventDict]]:
    seen: list[log.EventDict] = []
    log.addObserver(seen.append)
    yield seen
    log.removeObserver(seen.append)


def test_the_old_name_is_this_module() -> None:
    from torsion.python import log as old

    assert old is log


# --- logging ---------------------------------------------------------------------------------------------------------


def test_messages(events: list[log.EventDict]) -> None:
    log.msg("a", "b", extra=1)
    [event] = events
    assert (event["message"], event["extra"], event["isError"], event["system"]) == (("a", "b"), 1, 0, "-")
    assert abs(event["time"] - time.time()) < 60


def test_new_observers_see_old_messages() -> None:
    with capturedLogs() as seen:
        log.msg("a", "b")
        log.msg(format="%(x)s", x=1)
    assert [formatEvent(event) for event in seen] == ["a b", "1"]


def test_old_observers_see_new_messages(events: list[log.EventDict]) -> None:
    Logger("here").info("hello {who}", who="you")
    assert log.textFromEventDict(events[0]) == "hello you"


def test_new_style_observers_may_be_added_too() -> None:
    seen: list[LogEvent] = []

    @implementer(INewLogObserver)
    class New:
        def __call__(self, event: LogEvent) -> None:
            seen.append(event)

    observer = New()
    log.addObserver(observer)
    Logger("here").info("x")
    log.removeObserver(observer)
    assert "message" not in seen[0]


@pytest.mark.parametrize("stuff", [ValueError("x"), Failure(ValueError("x"))])
def test_errors(events: list[log.EventDict], stuff: Any) -> None:
    log.err(stuff, "why", extra=1)
    [event] = events
    assert event["failure"].check(ValueError)
    assert (event["isError"], event["why"], event["extra"], event["message"]) == (1, "why", 1, ())
    assert str(log.textFromEventDict(event)).startswith("why\nTraceback")


def test_the_present_exception_is_the_default_error(events: list[log.EventDict]) -> None:
    try:
        raise KeyError
    except KeyError as error:
        log.deferr()
        assert events[0]["failure"].value is error


def test_anything_may_be_an_error(events: list[log.EventDict]) -> None:
    log.err([1])
    assert events[0]["message"] == ("[1]",)
    assert events[0]["isError"] == 1


def test_context_goes_into_messages(events: list[log.EventDict]) -> None:
    log.callWithContext({"system": "outer", "a": 1}, log.callWithContext, {"a": 2}, log.msg, "m", b=3)
    [event] = events
    assert (event["system"], event["a"], event["b"]) == ("outer", 2, 3)
    assert context.get(log.ILogContext) == {"system": "-", "isError": 0}


class Prefixed(log.Logger):
    def logPrefix(self) -> str:
        return "prefixed"


def test_a_logger_names_the_system(events: list[log.EventDict]) -> None:
    def speak() -> str:
        log.msg("m")
        return "result"

    assert log.callWithLogger(Prefixed(), speak) == "result"
    assert log.callWithLogger(log.Logger(), speak) == "result"
    assert [event["system"] for event in events] == ["prefixed", "-"]


def test_what_is_raised_under_a_logger_is_logged(events: list[log.EventDict]) -> None:
    assert log.callWithLogger(Prefixed(), lambda: 1 / 0) is None
    [event] = events
    assert event["failure"].check(ZeroDivisionError)
    assert event["system"] == "prefixed"


def test_a_broken_logger_does_not_prevent_the_call(events: list[log.EventDict]) -> None:
    class Broken:
        def logPrefix(self) -> str:
            raise ZeroDivisionError

    assert log.callWithLogger(Broken(), lambda: 3) == 3
    assert events[0]["failure"].check(ZeroDivisionError)
    assert "logPrefix" in events[0]["system"]


def test_keyboard_interrupts_go_through() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    class Interrupting:
        logPrefix = staticmethod(interrupt)

    for logger, call in [(log.Logger(), interrupt), (Interrupting(), int)]:
        with pytest.raises(KeyboardInterrupt):
            log.callWithLogger(logger, call)


# --- publishers ------------------------------------------------------------------------------------------------------


def test_a_publisher_of_ones_own() -> None:
    publisher = log.LogPublisher()
    seen: list[log.EventDict] = []
    publisher.addObserver(seen.append)
    assert publisher.observers == [seen.append]
    publisher.msg("m", message="hidden")
    publisher.removeObserver(seen.append)
    publisher.msg("lost")
    assert [event["message"] for event in seen] == [("m",)]
    with pytest.raises(ValueError, match="not registered"):
        publisher.removeObserver(print)


def test_a_broken_observer_is_reported_and_stays() -> None:
    publisher = log.LogPublisher()
    seen: list[log.EventDict] = []

    def broken(event: log.EventDict) -> None:
        raise ZeroDivisionError

    publisher.addObserver(broken)
    publisher.addObserver(seen.append)
    publisher.msg("m")
    assert [event["isError"] for event in seen] == [0, 1]
    assert seen[1]["failure"].check(ZeroDivisionError)
    assert publisher.observers == [broken, seen.append]


def test_publishing_and_observing_may_be_two() -> None:
    published: list[LogEvent] = []
    publisher = log.LogPublisher(publishPublisher=NewLogPublisher(published.append))
    seen: list[log.EventDict] = []
    publisher.addObserver(seen.append)
    publisher.msg("m")
    assert len(published) == 1
    assert seen == []


def test_warnings(events: list[log.EventDict]) -> None:
    log.showwarning("careful", UserWarning, "f.py", 3)
    assert log.textFromEventDict(events[0]) == "f.py:3: builtins.UserWarning: careful"
    file = io.StringIO()
    plain = World()
    plain.publisher.showwarning("careful", UserWarning, "f.py", 3, file, "the line")
    assert file.getvalue() == warnings.formatwarning("careful", UserWarning, "f.py", 3, "the line")


# --- files -----------------------------------------------------------------------------------------------------------


def emitted(**event: Any) -> str:
    file = io.StringIO()
    observer = log.FileLogObserver(file)
    observer.timeFormat = "%Y"
    observer.emit({"message": (), "time": 86400.0 * 10, "system": "here", "isError": 0, **event})
    return file.getvalue()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"message": ("a", "b")}, "1970 [here] a b\n"),
        ({"message": ("a\nb",)}, "1970 [here] a\n\tb\n"),
        ({"format": "%(x)d", "x": 3}, "1970 [here] 3\n"),
        ({}, ""),
    ],
)
def test_lines(event: log.EventDict, line: str) -> None:
    assert emitted(**event) == line


def test_binary_files_get_utf8() -> None:
    file = io.BytesIO()
    log.FileLogObserver(file).emit({"message": ("ä",), "time": 0.0, "system": "-", "isError": 0})
    assert file.getvalue().endswith("[-] ä\n".encode())


def test_a_broken_system() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert "Invalid format string" in emitted(message=("m",), system=Broken())


@pytest.mark.parametrize(
    ("behind", "text"),
    [
        (18000, "2001-02-02 23:05:06-0500"),
        (0, "2001-02-03 04:05:06+0000"),
        (-3600, "2001-02-03 05:05:06+0100"),
        (5400, "2001-02-03 02:35:06-0130"),
        (-1800, "2001-02-03 04:35:06+0030"),
    ],
)
def test_times(behind: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    observer = log.FileLogObserver(io.StringIO())
    monkeypatch.setattr(observer, "getTimezoneOffset", lambda when: behind)
    assert observer.formatTime(981173106) == text


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be changed")
def test_the_offset_is_that_of_the_moment() -> None:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "EST+05EDT,M4.1.0,M10.5.0"
    time.tzset()
    try:
        observer = log.FileLogObserver(io.StringIO())
        assert observer.getTimezoneOffset(1170201600) == 18000
        assert observer.getTimezoneOffset(1151625600) == 14400
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@pytest.mark.parametrize("kind", [log.FileLogObserver, log.PythonLoggingObserver, log.DefaultObserver])
def test_observers_start_and_stop(kind: Any) -> None:
    observer = kind(io.StringIO()) if kind is log.FileLogObserver else kind()
    observer.start()
    assert observer.emit in log.theLogPublisher.observers
    observer.stop()
    assert observer.emit not in log.theLogPublisher.observers


def test_the_default_observer_shows_errors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = log.DefaultObserver()
    observer.stderr = io.StringIO()
    observer.emit({"message": ("hidden",), "isError": 0})
    observer.emit({"message": ("shown",), "isError": 1})
    observer.emit({"message": (), "isError": 1})
    assert observer.stderr.getvalue() == "shown\n"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log.defaultObserver.emit({"message": ("shown",), "isError": 1})
    assert sys.stderr.getvalue() == "shown\n"


# --- Python's logging ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        ({"message": ("hello",)}, "INFO", "hello"),
        ({"format": "%(x)s", "x": 3}, "INFO", "3"),
        ({"message": ("hello",), "logLevel": logging.WARNING}, "WARNING", "hello"),
        ({"message": ("hello",), "logLevel": 17}, "INFO", "hello"),
        ({"isError": 1, "failure": Failure(ValueError("x"))}, "CRITICAL", "Unhandled Error"),
    ],
)
def test_pythons_logging(event: log.EventDict, level: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log.PythonLoggingObserver("mine").emit({"message": (), "isError": 0, "time": 0.0, "system": "-", **event})
    [record] = caplog.records
    assert (record.levelname, record.name) == (level, "mine")
    assert record.getMessage().startswith(text)


def test_nothing_for_no_text(caplog: pytest.LogCaptureFixture) -> None:
    log.PythonLoggingObserver().emit({"message": (), "isError": 0})
    assert caplog.records == []


# --- things like files -----------------------------------------------------------------------------------------------


def test_a_stick_logs_lines(events: list[log.EventDict]) -> None:
    stick: Any = log.StdioOnnaStick(isError=1, encoding="utf-8")
    stick.write("Hello\nyou")
    stick.write(b"!\n")
    stick.writelines(["one", b"two"])
    print("printed", file=stick)
    stick.flush()
    stick.close()
    assert ["".join(event["message"]) for event in events] == ["Hello", "you!", "one", "two", "printed"]
    assert {event["isError"] for event in events} == {1}
    assert {event["printed"] for event in events} == {1}
    with pytest.raises(io.UnsupportedOperation):
        stick.fileno()


def test_a_file_that_takes_everything() -> None:
    file = log.NullFile()
    file.write("x")
    file.flush()
    file.close()
    assert file.read() == ""


def test_files_that_log() -> None:
    with capturedLogs() as seen:
        log.logfile.write("out\n")
        Failure(ValueError("x")).printBriefTraceback()
    assert [event["log_level"] for event in seen] == [LogLevel.info, LogLevel.error]
    assert failure.default_file() is log.logerr


def test_logs_may_be_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "logfile", log.logfile)
    log.discardLogs()
    with capturedLogs() as seen:
        log.logfile.write("out\n")
    assert seen == []


def show_in_file(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    file.write(warnings.formatwarning(message, category, filename, lineno, line))


# --- beginning -------------------------------------------------------------------------------------------------------


class World:
    def __init__(self) -> None:
        self.stdout: Any = io.StringIO()
        self.stderr: Any = io.StringIO()
        self.showwarning: Any = show_in_file
        new = NewLogPublisher()
        beginner = LogBeginner(new, io.StringIO(), self, self)
        self.publisher = log.LogPublisher(new, new, beginner, self)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(log, "theLogPublisher", made.publisher)
    return made


def test_starting(world: World) -> None:
    file = io.StringIO()
    log.msg("lost")
    observer = log.startLogging(file)
    log.msg("kept")
    print("printed", file=world.stdout)
    world.showwarning("careful", UserWarning, "f.py", 3)
    assert isinstance(observer, log.FileLogObserver)
    texts = [line.partition("] ")[2] for line in file.getvalue().splitlines()]
    assert texts == ["Log opened.", "kept", "printed", "f.py:3: builtins.UserWarning: careful"]
    world.publisher._stopLogging()
    assert world.showwarning is show_in_file


def test_starting_with_an_observer_and_without_redirection(world: World) -> None:
    seen: list[log.EventDict] = []
    before = world.stdout
    log.startLoggingWithObserver(seen.append, setStdout=False)
    assert [event["message"] for event in seen] == [("Log opened.",)]
    assert world.stdout is before
    assert world.publisher.observers == [seen.append]


def test_starting_to_a_file_that_logs_does_nothing(world: World) -> None:
    assert log.startLogging(LoggingFile(Logger())) is None
    assert world.publisher.observers == []


def test_in_a_fresh_process() -> None:
    program = """
import sys
from torsion.python import log
log.err(ValueError("early"), "shown")
log.startLogging(sys.stdout)
log.msg("a message")
print("printed")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("shown\nTraceback")
    assert [line.partition("] ")[2] for line in done.stdout.splitlines()] == ["Log opened.", "a message", "printed"]
