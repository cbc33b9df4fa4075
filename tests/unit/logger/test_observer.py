"""The publisher: everybody gets every event, whatever the others do."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import ILogObserver, LogEvent, LogLevel, LogPublisher, formatEvent
from torsion.logger.events import formatTrace
from torsion.logger.observer import bitbucketLogObserver


def test_is_an_observer() -> None:
    assert verifyObject(ILogObserver, LogPublisher())
    assert verifyObject(ILogObserver, bitbucketLogObserver)


def test_shows_events_to_all_in_order() -> None:
    seen: list[Any] = []
    publisher = LogPublisher(lambda event: seen.append((1, event)))
    publisher.addObserver(lambda event: seen.append((2, event)))
    event: LogEvent = {"x": 1}
    publisher(event)
    assert seen == [(1, event), (2, event)]
    assert seen[0][1] is event


def test_adding_twice_counts_once() -> None:
    seen: list[LogEvent] = []
    publisher = LogPublisher(seen.append)
    publisher.addObserver(seen.append)
    publisher({})
    assert len(seen) == 1


def test_removing() -> None:
    seen: list[LogEvent] = []
    publisher = LogPublisher(seen.append)
    publisher.removeObserver(bitbucketLogObserver)
    publisher.removeObserver(seen.append)
    publisher({})
    assert seen == []


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="not callable"):
        LogPublisher().addObserver(object())


def test_an_observer_that_raises_is_reported_to_the_others_after_the_event() -> None:
    before: list[LogEvent] = []
    broken_saw: list[LogEvent] = []
    after: list[LogEvent] = []

    def broken(event: LogEvent) -> None:
        broken_saw.append(event)
        raise ZeroDivisionError("broken")

    event: LogEvent = {"x": 1}
    LogPublisher(before.append, broken, after.append)(event)
    assert broken_saw == [event]
    for seen in (before, after):
        assert seen[0] is event
        report = seen[1]
        assert len(seen) == 2
        assert report["log_level"] is LogLevel.critical
        assert report["log_failure"].check(ZeroDivisionError)
        assert report["observer"] is broken
        assert "broken" in formatEvent(report)


def test_it_gets_the_next_event_all_the_same() -> None:
    calls: list[LogEvent] = []

    def broken(event: LogEvent) -> None:
        calls.append(event)
        raise ZeroDivisionError

    publisher = LogPublisher(broken)
    publisher({"n": 1})
    publisher({"n": 2})
    assert [event["n"] for event in calls] == [1, 2]


def test_observers_that_all_raise_come_to_an_end() -> None:
    calls: list[int] = []

    def first(event: LogEvent) -> None:
        calls.append(1)
        raise ZeroDivisionError

    def second(event: LogEvent) -> None:
        calls.append(2)
        raise KeyError

    LogPublisher(first, second)({})
    # The event to both, then each one's report to the other.
    assert calls == [1, 2, 2, 1]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_goes_through(kind: type[BaseException]) -> None:
    def stop(event: LogEvent) -> None:
        raise kind

    with pytest.raises(kind):
        LogPublisher(stop)({})


def test_observers_may_change_the_list_while_it_is_used() -> None:
    seen: list[LogEvent] = []

    def once(event: LogEvent) -> None:
        publisher.removeObserver(once)
        publisher.addObserver(seen.append)

    publisher = LogPublisher(once)
    publisher({"n": 1})
    assert seen == []
    publisher({"n": 2})
    assert [event["n"] for event in seen] == [2]


def test_the_way_is_traced() -> None:
    inner = LogPublisher(bitbucketLogObserver)
    outer = LogPublisher(inner, bitbucketLogObserver)
    event: LogEvent = {"log_trace": []}
    outer(event)
    assert event["log_trace"] == [(outer, inner), (inner, bitbucketLogObserver), (outer, bitbucketLogObserver)]


def test_a_trace_can_be_read() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def __repr__(self) -> str:
            return f"<{self.name.upper()}>"

    root, branch, leaf = Named("root"), Named("branch"), Named("leaf")
    assert formatTrace([(root, branch), (branch, leaf), (root, "plain")]) == (
        "<ROOT> (root)\n  -> <BRANCH> (branch)\n    -> <LEAF> (leaf)\n  -> plain\n"
    )
