"""Events for Python's own logging module."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import ILogObserver, LogEvent, Logger, LogLevel, LogPublisher, STDLibLogObserver
from torsion.logger.stdlib import fromStdlibLogLevelMapping, toStdlibLogLevelMapping
from torsion.python.failure import Failure


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    handler = Records()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.records
    root.removeHandler(handler)
    root.setLevel(level)


def test_is_an_observer() -> None:
    assert verifyObject(ILogObserver, STDLibLogObserver())


def test_levels_are_pythons() -> None:
    assert toStdlibLogLevelMapping == {
        LogLevel.debug: logging.DEBUG,
        LogLevel.info: logging.INFO,
        LogLevel.warn: logging.WARNING,
        LogLevel.error: logging.ERROR,
        LogLevel.critical: logging.CRITICAL,
    }
    for name, level in logging.getLevelNamesMapping().items():
        if name != "NOTSET":
            assert fromStdlibLogLevelMapping[name] is fromStdlibLogLevelMapping[level]


@pytest.mark.parametrize(("level", "number"), [*toStdlibLogLevelMapping.items(), (None, logging.INFO)])
def test_records_have_the_level(records: list[logging.LogRecord], level: LogLevel | None, number: int) -> None:
    STDLibLogObserver()({} if level is None else {"log_level": level})
    assert records[0].levelno == number


def test_records_have_the_text_and_the_event(records: list[logging.LogRecord]) -> None:
    event: LogEvent = {"log_format": "{what} %s", "what": "text"}
    STDLibLogObserver("mine")(event)
    [record] = records
    assert record.getMessage() == "text %s"
    assert record.name == "mine"
    assert record.exc_info is None
    assert record.__dict__["log_event"] is event


def test_records_name_the_line_that_logs(records: list[logging.LogRecord]) -> None:
    Logger(observer=LogPublisher(STDLibLogObserver())).info("x")
    assert records[0].pathname == __file__
    assert records[0].funcName == "test_records_name_the_line_that_logs"


@pytest.mark.parametrize("cleaned", [False, True])
def test_records_have_the_traceback(records: list[logging.LogRecord], cleaned: bool) -> None:
    def fail() -> None:
        raise ValueError("x")

    try:
        fail()
    except ValueError:
        failure = Failure()
    if cleaned:
        failure.cleanFailure()
    STDLibLogObserver()({"log_failure": failure})
    text = logging.Formatter().format(records[0])
    assert "in fail" in text
    assert "ValueError: x" in text
