"""The publisher: everybody gets every event, whatever the others do."""

from __future__ import annotations

import threading
from typing import IO, Any, cast

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LoggingFile,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    PredicateResult,
    formatEvent,
)
from torsion.logger.events import formatTrace
from torsion.logger.observer import (
    MOST_NESTED,
    MOST_REMEMBERED,
    OBSERVER_RAISED,
    bitbucketLogObserver,
    heard,
    hears,
)


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
    with pytest.raises(TypeError, match="'screen' is not callable"):
        LogPublisher([].append, cast("Any", "screen"))


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


# --- observers that log --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 10])
def test_an_observer_that_answers_every_event_with_others_comes_to_an_end(times: int) -> None:
    publisher = LogPublisher()
    log = Logger("a", observer=publisher)
    seen: list[LogEvent] = []
    talking: list[LogEvent] = []

    def talks(event: LogEvent) -> None:
        talking.append(event)
        for _ in range(times):
            log.info("and another thing")

    publisher.addObserver(talks)
    publisher.addObserver(seen.append)
    log.info("one")
    assert len(talking) == sum(times**depth for depth in range(MOST_NESTED))
    assert len(seen) == len(talking) + times**MOST_NESTED  # all of them, those too that the talker was not shown
    log.info("two")
    assert len(talking) == 2 * sum(times**depth for depth in range(MOST_NESTED))


def test_observers_that_raise_and_observers_that_log_do_not_keep_others_from_any_event() -> None:
    publisher = LogPublisher()
    log = Logger("a", observer=publisher)
    seen: list[str] = []

    def talks(event: LogEvent) -> None:
        log.info("talk")

    def breaks(event: LogEvent) -> None:
        raise ZeroDivisionError

    def runs_away(event: LogEvent) -> None:
        raise RecursionError

    for observer in (talks, breaks, runs_away, lambda event: seen.append(event["log_format"]), talks, breaks):
        publisher.addObserver(observer)
    log.info("one")
    log.info("two")
    assert "one" in seen
    assert "two" in seen
    assert seen.count("talk") >= 2
    assert OBSERVER_RAISED in seen


def test_what_an_observer_prints_while_it_is_logged_comes_to_an_end() -> None:
    publisher = LogPublisher()
    file = LoggingFile(Logger("stdout", observer=publisher))
    seen: list[LogEvent] = []
    publisher.addObserver(lambda event: print("seen", event["log_io"], file=cast("IO[str]", file)))
    publisher.addObserver(seen.append)
    print("one", file=cast("IO[str]", file))
    assert {event["log_io"] for event in seen} == {"one", "seen one", "seen seen one", "seen seen seen one"}


def test_each_thread_is_on_its_own() -> None:
    publisher = LogPublisher()
    seen: list[LogEvent] = []

    def through_a_thread(event: LogEvent) -> None:
        seen.append(event)
        if event["depth"] < 3 * MOST_NESTED:
            thread = threading.Thread(target=publisher, args=({"depth": event["depth"] + 1},))
            thread.start()
            thread.join()

    publisher.addObserver(through_a_thread)
    publisher({"depth": 0})
    assert len(seen) == 3 * MOST_NESTED + 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_observer_may_end_the_program_and_is_shown_the_next_event(error: type[BaseException]) -> None:
    seen: list[LogEvent] = []

    def ends(event: LogEvent) -> None:
        seen.append(event)
        raise error

    publisher = LogPublisher(ends)
    for _ in range(2 * MOST_NESTED):
        with pytest.raises(error):
            publisher({})
    assert len(seen) == 2 * MOST_NESTED


# --- who hears -----------------------------------------------------------------------------------------------------------


def test_it_is_known_who_hears_what() -> None:
    levels = LogLevelFilterPredicate(LogLevel.warn)
    filtered = FilteringLogObserver(print, [levels])
    everything = FilteringLogObserver(print, [levels], print)
    asks = FilteringLogObserver(print, [lambda event: PredicateResult.no, levels])
    nothing = FilteringLogObserver(bitbucketLogObserver, [])

    class Curious(FilteringLogObserver):
        pass

    info, warn = (LogLevel.info, "a"), (LogLevel.warn, "a")
    for observer in (LogPublisher(), bitbucketLogObserver, nothing, LogPublisher(nothing, LogPublisher())):
        assert not hears(observer, *warn)
    for observer in (print, everything, asks, Curious(bitbucketLogObserver, []), LogPublisher(nothing, print)):
        assert hears(observer, *info)
    for observer in (filtered, LogPublisher(filtered), LogPublisher(nothing, filtered)):
        assert hears(observer, *warn)
        assert not hears(observer, *info)


def test_what_nobody_hears_is_heard_again_as_soon_as_something_changes() -> None:
    levels = LogLevelFilterPredicate(LogLevel.error)
    seen: list[str] = []

    def remember(event: LogEvent) -> None:
        seen.append(event["log_format"])

    inner = LogPublisher()
    publisher = LogPublisher(FilteringLogObserver(inner, [levels]))
    log = Logger("a.b", observer=publisher)

    def say(text: str) -> list[str]:
        for _ in range(2):
            log.info(text)
            log.emit(LogLevel.info, text)
        return [seen.pop() for _ in range(len(seen))]

    assert say("nobody") == []
    inner.addObserver(remember)
    assert say("too low") == []
    levels.setLogLevelForNamespace("a", LogLevel.debug)
    assert say("now") == ["now"] * 4
    levels.clearLogLevels()
    assert say("too low again") == []
    levels.setLogLevelForNamespace("a.b", LogLevel.info)
    assert say("now") == ["now"] * 4
    inner.removeObserver(remember)
    assert say("nobody") == []
    publisher.replaceObserver(None, remember)
    assert say("now") == ["now"] * 4
    log.observer = LogPublisher()
    assert say("elsewhere") == []


def test_an_answer_of_yesterday_is_not_remembered() -> None:
    """Between the question and the answer, another thread may add an observer."""
    seen: list[LogEvent] = []
    publisher = LogPublisher()

    class Meddles(LogPublisher):
        def _hears(self, level: LogLevel, namespace: str) -> bool:
            publisher.replaceObserver(self, seen.append)
            return False

    publisher.addObserver(Meddles())
    log = Logger("a", observer=publisher)
    log.info("one")
    log.info("two")
    assert [event["log_format"] for event in seen] == ["two"]


def test_no_more_is_remembered_than_a_program_needs() -> None:
    publisher = LogPublisher()
    for number in range(3 * MOST_REMEMBERED // 2):
        Logger(f"made.up.{number}", observer=publisher).info("text")
    assert 0 < len(heard) <= MOST_REMEMBERED
