"""The log of workers, in the master."""

from __future__ import annotations

import io

import pytest

from torsion.application.workers.logs import LONGEST_LINE, TAIL, Gathered, worker_observer
from torsion.logger import Logger, LogLevel, LogPublisher, formatEvent, formatEventAsClassicLogText


def written(emit):
    """Return what a worker writes for the events that *emit* logs."""
    stream = io.BytesIO()
    emit(Logger("app", observer=LogPublisher(worker_observer(stream))))
    return stream.getvalue()


@pytest.fixture
def gathered():
    events = []
    made = Gathered(3, 77, "stdout", events.append)
    made.events = events
    return made


def test_an_event_comes_through_with_its_worker(gathered):
    gathered.received(written(lambda log: log.error("{n} of {what}", n=7, what=object)))
    (event,) = gathered.events
    assert formatEvent(event) == "7 of <class 'object'>"
    assert (event["worker"], event["pid"], event["log_level"]) == (3, 77, LogLevel.error)
    assert "[worker 3, pid 77, app#error] 7 of" in formatEventAsClassicLogText(event)
    assert gathered.last == []


def test_a_system_that_the_program_gave_stays(gathered):
    gathered.received(written(lambda log: log.info("x", log_system="Site 80")))
    assert gathered.events[0]["log_system"] == "worker 3, pid 77, Site 80"


def test_a_failure_comes_through_with_its_traceback(gathered):
    def emit(log):
        try:
            raise ZeroDivisionError("by zero")
        except ZeroDivisionError:
            log.failure("oh")

    gathered.received(written(emit))
    text = formatEventAsClassicLogText(gathered.events[0])
    assert "ZeroDivisionError: by zero" in text
    assert "in emit" in text


def test_cut_anywhere_it_is_the_same(gathered):
    data = written(lambda log: [log.info("one"), log.info("two")]) + b"printed\n"
    for index in range(len(data)):
        gathered.received(data[index : index + 1])
    assert [formatEvent(event) for event in gathered.events] == ["one", "two", "printed"]


def test_what_is_no_event_is_a_line_of_its_own(gathered):
    gathered.received(b"half" + written(lambda log: log.info("event")) + b'\n\n{"a": 1}\n\xff\n\x1e{cut\nrest')
    gathered.ended()
    gathered.ended()
    assert [formatEvent(event) for event in gathered.events] == ["half", "event", '{"a": 1}', "\\xff", "{cut", "rest"]
    assert {event["log_namespace"] for event in gathered.events if "log_io" in event} == {"stdout"}
    assert gathered.last == ["half", '{"a": 1}', "\\xff", "{cut", "rest"]
    assert all(event["log_time"] for event in gathered.events)


def test_the_last_lines_are_kept_and_no_more(gathered):
    for number in range(20):
        gathered.received(b"line %d\n" % number)
    assert gathered.last == [f"line {number}" for number in range(20 - TAIL, 20)]


def test_standard_error_is_a_warning():
    events = []
    Gathered(0, 1, "stderr", events.append).received(b"x\n")
    assert events[0]["log_level"] is LogLevel.warn
    assert events[0]["log_system"] == "worker 0, pid 1, stderr#warn"


def test_a_line_without_end_is_bounded(gathered):
    for _ in range(LONGEST_LINE // 65536 + 1):
        gathered.received(b"x" * 65536)
    assert len(gathered.events) == 1
