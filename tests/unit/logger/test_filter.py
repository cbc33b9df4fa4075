"""Observers that pick events."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    InvalidLogLevelError,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    PredicateResult,
)

YES, NO, MAYBE = PredicateResult.yes, PredicateResult.no, PredicateResult.maybe


def saying(result: PredicateResult, asked: list[PredicateResult]) -> Callable[[LogEvent], PredicateResult]:
    def predicate(event: LogEvent) -> PredicateResult:
        asked.append(result)
        return result

    return predicate


@pytest.mark.parametrize(
    ("answers", "asked", "passes"),
    [
        ([], [], True),
        ([YES, NO], [YES], True),
        ([NO, YES], [NO], False),
        ([MAYBE, NO], [MAYBE, NO], False),
        ([MAYBE, YES, NO], [MAYBE, YES], True),
        ([MAYBE, MAYBE], [MAYBE, MAYBE], True),
    ],
)
def test_predicates_decide(answers: list[PredicateResult], asked: list[PredicateResult], passes: bool) -> None:
    were: list[PredicateResult] = []
    through: list[LogEvent] = []
    held: list[LogEvent] = []
    event: LogEvent = {"x": 1}
    FilteringLogObserver(through.append, [saying(each, were) for each in answers], held.append)(event)
    assert were == asked
    assert (through, held) == (([event], []) if passes else ([], [event]))


def test_other_answers_are_refused() -> None:
    observer = FilteringLogObserver(lambda event: None, [lambda event: True])
    with pytest.raises(TypeError, match="must return a PredicateResult, not True"):
        observer({})


def test_the_way_is_traced() -> None:
    seen: list[LogEvent] = []
    yes = FilteringLogObserver(seen.append, [lambda event: YES])
    no = FilteringLogObserver(seen.append, [lambda event: NO])
    publisher = LogPublisher(yes, no)
    event: LogEvent = {"log_trace": []}
    publisher(event)
    assert event["log_trace"] == [(publisher, yes), (yes, seen.append), (publisher, no)]


def test_interfaces() -> None:
    assert verifyObject(ILogObserver, FilteringLogObserver(lambda event: None, []))
    assert verifyObject(ILogFilterPredicate, LogLevelFilterPredicate())


def test_namespaces_inherit_levels() -> None:
    predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    assert predicate.defaultLogLevel is LogLevel.warn
    assert predicate.logLevelForNamespace("a.b") is LogLevel.warn
    predicate.setLogLevelForNamespace("a", LogLevel.debug)
    predicate.setLogLevelForNamespace("a.b.c", LogLevel.error)
    levels = {
        name: predicate.logLevelForNamespace(name).name for name in ["", "b", "a", "a.b", "a.b.c", "a.b.c.d.e", "ab"]
    }
    assert levels == {
        "": "warn",
        "b": "warn",
        "a": "debug",
        "a.b": "debug",
        "a.b.c": "error",
        "a.b.c.d.e": "error",
        "ab": "warn",
    }
    predicate.setLogLevelForNamespace(None, LogLevel.critical)
    assert predicate.logLevelForNamespace(None) is predicate.logLevelForNamespace("b") is LogLevel.critical
    predicate.clearLogLevels()
    assert predicate.logLevelForNamespace("a.b.c") is LogLevel.warn


@pytest.mark.parametrize("level", ["debug", object(), 3, None])
def test_only_levels_are_levels(level: object) -> None:
    with pytest.raises(InvalidLogLevelError):
        LogLevelFilterPredicate().setLogLevelForNamespace("a", level)
    with pytest.raises(InvalidLogLevelError):
        LogLevelFilterPredicate(level)


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"log_namespace": "a", "log_level": LogLevel.info}, MAYBE),
        ({"log_namespace": "a", "log_level": LogLevel.critical}, MAYBE),
        ({"log_namespace": "a", "log_level": LogLevel.debug}, NO),
        ({"log_namespace": "a.b", "log_level": LogLevel.debug}, MAYBE),
        ({"log_namespace": "a", "log_level": None}, NO),
        ({"log_namespace": None, "log_level": LogLevel.critical}, NO),
        ({"log_namespace": "", "log_level": LogLevel.critical}, NO),
        ({}, NO),
    ],
)
def test_events_below_the_level_are_held_back(event: LogEvent, result: PredicateResult) -> None:
    predicate = LogLevelFilterPredicate()
    predicate.setLogLevelForNamespace("a.b", LogLevel.debug)
    assert predicate(event) is result
