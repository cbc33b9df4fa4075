"""Loggers: what is in the events that they emit, and what becomes of what blocks raise."""

# ruff: noqa: PT017 - failures are made where exceptions are handled

from __future__ import annotations

import time
from typing import Any, ClassVar

import pytest

from torsion.logger import (
    InvalidLogLevelError,
    LogEvent,
    Logger,
    LogLevel,
    LogPublisher,
    _loggerFor,
    capturedLogs,
    formatEvent,
    globalLogPublisher,
)
from torsion.python import _reports
from torsion.python.failure import Failure, NoCurrentExceptionError


@pytest.fixture
def events() -> list[LogEvent]:
    return []


@pytest.fixture
def log(events: list[LogEvent]) -> Logger:
    return Logger("here", observer=events.append)


def test_the_namespace_is_that_of_the_module() -> None:
    assert Logger().namespace == __name__
    assert Logger("x").namespace == "x"
    assert Logger().source is None
    assert Logger().observer is globalLogPublisher
    assert repr(Logger("x")) == "<Logger 'x'>"


def test_without_a_module_it_is_unknown() -> None:
    names: dict[str, Any] = {"Logger": Logger}
    exec("log = Logger()", names)
    assert names["log"].namespace == "<unknown>"


class Holder:
    seen: ClassVar[list[LogEvent]] = []
    log = Logger(observer=seen.append)

    def __str__(self) -> str:
        return "the holder"


def test_as_an_attribute_it_knows_class_and_instance() -> None:
    holder = Holder()
    assert Holder.log.namespace == holder.log.namespace == f"{__name__}.Holder"
    assert Holder.log.source is Holder
    assert holder.log.source is holder
    holder.log.info("{log_source} speaks")
    assert formatEvent(Holder.seen[-1]) == "the holder speaks"
    assert Holder.seen[-1]["log_source"] is holder


def test_a_logger_for_an_object() -> None:
    holder = Holder()
    made = _loggerFor(holder)
    assert made.source is holder
    assert made.namespace == f"{__name__}.Holder"
    assert made.observer is globalLogPublisher


@pytest.mark.parametrize("level", list(LogLevel), ids=str)
def test_each_level_has_a_method(log: Logger, events: list[LogEvent], level: LogLevel) -> None:
    getattr(log, level.name)("hello {who}", who="you")
    [event] = events
    assert abs(event.pop("log_time") - time.time()) < 60
    assert event == {
        "log_format": "hello {who}",
        "log_level": level,
        "log_logger": log,
        "log_namespace": "here",
        "log_source": None,
        "who": "you",
    }


def test_without_a_format(log: Logger, events: list[LogEvent]) -> None:
    log.info(x=1)
    assert events[0]["log_format"] is None


def test_the_loggers_own_keys_win(log: Logger, events: list[LogEvent]) -> None:
    log.warn("text", log_format="other", log_level=LogLevel.debug, log_namespace="other", log_source="other")  # noqa: G010 - no method of the stdlib
    assert events[0]["log_format"] == "text"
    assert events[0]["log_level"] is LogLevel.warn
    assert events[0]["log_namespace"] == "here"
    assert events[0]["log_source"] is None


def test_what_is_no_level_is_reported(log: Logger, events: list[LogEvent]) -> None:
    log.emit("loud", "text")
    [event] = events
    assert event["log_level"] is LogLevel.critical
    assert event["log_failure"].check(InvalidLogLevelError)
    assert "'loud'" in formatEvent(event)


def test_the_way_is_traced(log: Logger) -> None:
    trace: list[Any] = []
    log.info("x", log_trace=trace)
    assert trace == [(log, log.observer)]


def test_failures(log: Logger, events: list[LogEvent]) -> None:
    failure = Failure(ValueError("x"))
    log.failure("while {doing}", failure, doing="nothing")
    assert events[0]["log_failure"] is failure
    assert events[0]["log_level"] is LogLevel.critical
    assert formatEvent(events[0]) == "while nothing"
    log.failure("less grave", failure, LogLevel.info)
    assert events[1]["log_level"] is LogLevel.info


def test_a_failure_of_the_present_exception(log: Logger, events: list[LogEvent]) -> None:
    try:
        raise ValueError("x")
    except ValueError as error:
        log.failure("oops")
        assert events[0]["log_failure"].value is error
    with pytest.raises(NoCurrentExceptionError):
        log.failure("nothing")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_guarded_block_tells_how_it_went(log: Logger, events: list[LogEvent], kind: type[BaseException]) -> None:
    with log.failuresHandled("while {doing}", level=LogLevel.error, doing="it") as operation:
        assert not operation.succeeded
        assert not operation.failed
        raise kind("x")
    assert operation.failed
    assert not operation.succeeded
    [event] = events
    assert event["log_failure"] is operation.failure
    assert operation.failure.check(kind)
    assert event["log_level"] is LogLevel.error
    assert formatEvent(event) == "while it"


def test_a_guarded_block_that_goes_well(log: Logger, events: list[LogEvent]) -> None:
    with log.failuresHandled("x") as operation:
        pass
    assert operation.succeeded
    assert not operation.failed
    assert operation.failure is None
    assert events == []


def test_a_guard_may_be_shared_and_nested(log: Logger, events: list[LogEvent]) -> None:
    guard = log.failureHandler("hot path", LogLevel.warn)
    with guard as nothing, guard:
        assert nothing is None
        raise KeyboardInterrupt
    with guard:
        pass
    [event] = events
    assert event["log_failure"].check(KeyboardInterrupt)
    assert (event["log_format"], event["log_level"]) == ("hot path", LogLevel.warn)


def test_a_guard_keeps_the_traceback(log: Logger, events: list[LogEvent]) -> None:
    with log.failuresHandled("x"):
        raise ValueError
    assert events[0]["log_failure"].frames[0][0] == "test_a_guard_keeps_the_traceback"


def test_the_floor_below_reports_through_a_logger() -> None:
    failure = Failure(ValueError("x"))
    with capturedLogs() as events:
        _reports.report("broken {not a field}", failure)
        _reports.note("a note")
    assert [formatEvent(event) for event in events] == ["broken {not a field}", "a note"]
    assert events[0]["log_failure"] is failure
    assert events[1]["log_level"] is LogLevel.info
    assert events[1]["log_namespace"] == "torsion.python"


def test_captured_logs_are_those_of_the_block() -> None:
    log = Logger()
    log.info("before")
    with capturedLogs() as events, pytest.raises(ValueError, match="x"):
        log.info("inside")
        raise ValueError("x")
    log.info("after")
    assert [event["log_format"] for event in events] == ["inside"]


# --- events that nobody hears --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["debug", "info", "warn", "error", "critical"])
def test_a_subclass_s_emit_is_called_though_nobody_hears(name: str) -> None:
    class Counting(Logger):
        count = 0

        def emit(self, level: LogLevel, format: str | None = None, **kwargs: Any) -> None:
            self.count += 1
            super().emit(level, format, **kwargs)

    log = Counting("a", observer=LogPublisher())
    for _ in range(3):
        getattr(log, name)("text", x=1)
    assert log.count == 3


@pytest.mark.parametrize("name", ["debug", "info", "warn", "error", "critical"])
def test_a_trace_is_kept_though_nobody_hears(name: str) -> None:
    publisher = LogPublisher()
    log = Logger("a", observer=publisher)
    for _ in range(2):
        trace: list[Any] = []
        getattr(log, name)("text", log_trace=trace)
        assert trace == [(log, publisher)]


def test_nothing_is_formatted_for_nobody() -> None:
    class Untouchable:
        def __str__(self) -> str:
            raise AssertionError("asked for its text")

    log = Logger("a", observer=LogPublisher())
    log.info("{it} {it()}", it=Untouchable())


def test_what_is_no_level_is_told_though_nobody_hears_the_rest() -> None:
    seen: list[LogEvent] = []
    Logger("a", observer=LogPublisher(seen.append)).emit("high")  # type: ignore[arg-type]  # on purpose
    assert seen[0]["log_failure"].check(InvalidLogLevelError)


def test_loggers_of_classes_know_each_class_by_its_name() -> None:
    class One:
        log = Logger()

    class Two(One):
        pass

    assert One.log.namespace.endswith("One")
    assert Two().log.namespace.endswith("Two")
    assert One().log.namespace.endswith("One")
    assert Two.log.source is Two


def test_debug_is_heard_and_not_heard_as_info_is() -> None:
    seen: list[LogEvent] = []
    publisher = LogPublisher()
    log = Logger("a", observer=publisher)
    for _ in range(2):
        log.debug("nobody", x=1)
    publisher.addObserver(seen.append)
    for _ in range(2):
        log.debug("{x}", x=1)
    assert [(event["log_level"], formatEvent(event)) for event in seen] == [(LogLevel.debug, "1")] * 2
