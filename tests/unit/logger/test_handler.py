"""From Python's ``logging`` to events, and no way around in circles."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from torsion.logger import (
    LogEvent,
    Logger,
    LogLevel,
    LogPublisher,
    STDLibLogObserver,
    capturedLogs,
    eventAsJSON,
    eventFromJSON,
    formatEvent,
)
from torsion.logger.handler import STDLibLogHandler


@pytest.fixture
def source() -> logging.Logger:
    """Return a logger of ``logging`` that nobody else has a handler on."""
    return logging.Logger("torsion.test.handler")  # noqa: LOG001 - those of getLogger have pytest's handlers, too


@pytest.fixture
def named() -> Iterator[logging.Logger]:
    """Yield a logger of ``logging`` that can be had by its name."""
    found = logging.getLogger("torsion.test.handler.named")
    found.setLevel(logging.DEBUG)
    yield found
    for handler in list(found.handlers):
        found.removeHandler(handler)
    found.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("number", "level"),
    [(5, "debug"), (10, "debug"), (15, "debug"), (20, "info"), (30, "warn"), (45, "error"), (50, "critical"), (90, "critical")],
)  # fmt: skip
def test_levels(source: logging.Logger, number: int, level: str) -> None:
    seen: list[LogEvent] = []
    source.addHandler(STDLibLogHandler(seen.append))
    source.setLevel(1)
    source.log(number, "text")
    assert [event["log_level"] for event in seen] == [LogLevel[level]]


def test_a_record_becomes_an_event(source: logging.Logger) -> None:
    source.addHandler(STDLibLogHandler())
    with capturedLogs() as seen:
        source.warning("%s has %d", "Ana", 3)
    [event] = seen
    assert formatEvent(event) == "Ana has 3"
    assert event["log_namespace"] == "torsion.test.handler"
    assert event["log_time"] == event["log_record"].created
    assert "log_failure" not in event
    assert formatEvent(eventFromJSON(eventAsJSON(event))) == "Ana has 3"


def test_an_exception_becomes_a_failure(source: logging.Logger) -> None:
    seen: list[LogEvent] = []
    source.addHandler(STDLibLogHandler(seen.append))
    try:
        raise KeyError("which")
    except KeyError:
        source.exception("while looking")
    assert seen[0]["log_failure"].check(KeyError)
    assert "in test_an_exception_becomes_a_failure" in seen[0]["log_failure"].getTraceback()


def test_a_message_is_put_together_when_it_is_asked_for(source: logging.Logger) -> None:
    asked: list[int] = []

    class Slow:
        def __str__(self) -> str:
            asked.append(1)
            return "slow"

    seen: list[LogEvent] = []
    source.addHandler(STDLibLogHandler(seen.append))
    source.info("%s", Slow())
    assert asked == []
    assert formatEvent(seen[0]) == "slow"


def test_a_message_with_the_wrong_arguments_says_so(source: logging.Logger) -> None:
    seen: list[LogEvent] = []
    source.addHandler(STDLibLogHandler(seen.append))
    source.info("%d", "text")
    assert "not" in formatEvent(seen[0])


def test_what_is_below_the_level_is_left_out(source: logging.Logger) -> None:
    seen: list[LogEvent] = []
    source.addHandler(STDLibLogHandler(seen.append, logging.ERROR))
    source.info("a")
    source.error("b")
    assert len(seen) == 1


def test_both_bridges_at_once_make_no_circle(named: logging.Logger) -> None:
    publisher = LogPublisher()
    events: list[LogEvent] = []
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    publisher.addObserver(events.append)
    publisher.addObserver(STDLibLogObserver(named.name))
    named.addHandler(STDLibLogHandler(publisher))
    named.addHandler(Keep())
    Logger("a", observer=publisher).info("from torsion")
    named.info("from logging")
    assert [formatEvent(event) for event in events] == ["from torsion", "from logging"]
    assert [record.getMessage() for record in records] == ["from torsion", "from logging"]


def test_an_observer_that_raises_hurts_no_one_who_logs(
    source: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(event: LogEvent) -> None:
        raise ZeroDivisionError("broken")

    source.addHandler(STDLibLogHandler(broken))
    source.info("text")
    assert "ZeroDivisionError: broken" in capsys.readouterr().err
