"""The log of workers, in the master."""

from __future__ import annotations

import io
import json

import pytest

from torsion.application.workers.logs import LONGEST_FORMAT, LONGEST_LINE, TAIL, Gathered, worker_observer
from torsion.logger import Logger, LogLevel, LogPublisher, eventAsJSON, formatEvent, formatEventAsClassicLogText
from torsion.logger.legacy_events import publishToNewObserver, textFromEventDict


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


def sent(**event):
    return b"\x1e" + json.dumps(event).encode() + b"\n"


HUGE = "{x:>999999999}"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"log_format": HUGE}, "Unable to format event"),
        ({"log_format": HUGE, "log_flattened": 7}, "Unable to format event"),
        ({"log_format": HUGE, "log_flattened": {"x!s:>999999999": "short"}}, "short"),
        ({"log_format": "{x!r:>999999999}", "log_flattened": {}}, "Unable to format event"),
        ({"log_format": "{a:{b}}", "a": 1, "b": 999999999}, "Unable to format event"),
        ({"format": "%(x)999999999s", "message": [], "log_format": "plain"}, "plain"),
        ({"log_format": HUGE * LONGEST_FORMAT}, HUGE),
        ({"log_format": 7}, '{"x": "1"'),
        ({}, ""),
    ],
)
def test_the_master_formats_nothing_for_workers(gathered, event, text):
    gathered.received(sent(x="1", **event))
    (shown,) = gathered.events
    assert formatEvent(shown).strip("\x1e").startswith(text)
    assert len(formatEvent(shown)) < 100 + 2 * len(HUGE) * LONGEST_FORMAT
    assert not {"format", "message"} & shown.keys()
    if text == HUGE:
        assert len(shown["log_format"]) < 20  # of formats, the latest thousand are kept
    again = json.loads(eventAsJSON(shown))  # as a log in JSON shows it
    assert len(str(again)) < 1000 + 4 * len(HUGE) * LONGEST_FORMAT


@pytest.mark.parametrize("format", [None, 7, b"bytes of {x}", b"x" * 5000])
def test_odd_formats_come_through(gathered, format):
    gathered.received(written(lambda log: log.emit(LogLevel.info, format, x=7)))
    (event,) = gathered.events
    assert formatEvent(event).startswith(
        {None: "", 7: '{"x": 7'}.get(format, "bytes of 7" if len(str(format)) < 50 else "xxx")
    )


def test_a_long_text_comes_through(gathered):
    text = "{x} and " + "so on, " * LONGEST_FORMAT
    gathered.received(written(lambda log: log.info(text, x=7)))
    assert formatEvent(gathered.events[0]) == text.format(x=7)
    assert gathered.events[0]["x"] == 7


@pytest.mark.parametrize(
    "odd",
    [
        {"log_time": "noon"}, {"log_time": 1e300}, {"log_time": -1}, {"log_time": float("nan")}, {"log_level": "loud"},
        {"log_level": None}, {"log_system": [7]}, {"log_namespace": {}}, {"log_failure": 7}, {"log_trace": 7},
        {"log_source": 7}, {"isError": 1, "failure": 7, "message": 7}, {"worker": 99, "pid": 1},
    ],
)  # fmt: skip
def test_what_a_worker_may_send(gathered, odd):
    gathered.received(sent(log_format="text", **odd))
    (event,) = gathered.events
    assert " [worker 3, pid 77, " in formatEventAsClassicLogText(event)
    assert formatEvent(event) == "text"
    assert (event["worker"], event["pid"]) == (3, 77)
    assert "log_trace" not in event


def test_events_of_the_old_log_come_through(gathered):
    stream = io.BytesIO()
    old = {"time": 1.0, "system": "-", "isError": 0}
    for event in ({**old, "message": ("one", "two")}, {**old, "message": (), "format": "%(n)03d", "n": 7}):
        publishToNewObserver(worker_observer(stream), event, textFromEventDict)
    gathered.received(stream.getvalue())
    assert [formatEvent(event) for event in gathered.events] == ["one two", "007"]
