"""Events as text, from the well-formed to the hopeless."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.logger import (
    LogEvent,
    LogLevel,
    eventAsText,
    formatEvent,
    formatEventAsClassicLogText,
    formatTime,
    timeFormatRFC3339,
)
from torsion.logger.format import formatUnformattableEvent, formatWithCall
from torsion.python.failure import Failure

WHEN = 1_380_022_847.6  # 2013-09-24 11:40:47.6 UTC


def text(format: Any, **fields: Any) -> str:
    return formatEvent({"log_format": format, **fields})


class Thing:
    name = "thing"
    parts: ClassVar = {"one": [1, 2], "two": "b"}

    def where(self) -> str:
        return "there"

    def itself(self) -> Thing:
        return self

    def __format__(self, specification: str) -> str:
        return f"<{specification}>"


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone cannot be changed")
    before = os.environ.get("TZ")

    def change(name: str) -> None:
        os.environ["TZ"] = name
        time.tzset()

    yield change
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


# --- fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "result"),
    [
        ("", ""),
        (None, ""),
        (b"", ""),
        ("plain", "plain"),
        ("{{braces}}", "{braces}"),
        ("S\xe1nchez".encode(), "S\xe1nchez"),
        ("{thing.name}", "thing"),
        ("{thing.parts[one][1]} {thing.parts[two]!r}", "2 'b'"),
        ("{number:05.1f} {number!r}", "003.5 3.5"),
        ("{call()}", "called"),
        ("{call()!r}", "'called'"),
        ("{call():>8}", "  called"),
        ("{thing.where()}", "there"),
        ("{thing.itself().itself().name}", "thing"),
        ("{thing.itself():x} {call()}", "<x> called"),
        ("{thing:x}", "<x>"),
        ("{cls.__name__} {cls.__name__!s} {call()}", "str str called"),
        ("{cls.__name__}", "str"),
        ("{cls} {call()}", "<class 'str'> called"),
        ("{thing.parts[one][0]} {call()}", "1 called"),
    ],
)
def test_fields(format: Any, result: str) -> None:
    assert text(format, thing=Thing(), call=lambda: "called", number=3.5, cls=str) == result


def test_with_call_takes_any_mapping() -> None:
    assert formatWithCall("{x()} {y}", {"x": lambda: 1, "y": 2}) == "1 2"
    assert formatWithCall("{y}", {"y": 2}) == "2"


def test_with_call_leaves_the_mapping_readable_for_format_methods() -> None:
    class Nested:
        def __format__(self, specification: str) -> str:
            return specification.format_map({"z": 1})

    assert formatWithCall("{nested:{z}} {f()}", {"nested": Nested(), "z": "x", "f": lambda: 2}) == "x 2"


def test_fields_are_filled_in_only_when_asked_for() -> None:
    calls: list[int] = []
    event: LogEvent = {"log_format": "{f()}", "f": lambda: calls.append(1)}
    assert calls == []
    formatEvent(event)
    assert calls == [1]


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({"log_format": "{missing}"}, "Unable to format event {'log_format': '{missing}'}: 'missing'"),
        ({"log_format": "{x"}, "Unable to format event"),
        ({"log_format": "{}"}, "Unable to format event"),
        ({"log_format": b"\xe1"}, "Unable to format event"),
        ({"log_format": 3}, "Log format must be str, not 3"),
        ({"log_format": "{f()}", "f": lambda: 1 / 0}, "division by zero"),
    ],
)
def test_what_cannot_be_formatted_says_so(event: LogEvent, complaint: str) -> None:
    assert complaint in formatEvent(event)


@pytest.mark.parametrize("event", [{"x": Unshowable()}, {Unshowable(): 1}], ids=["value", "key"])
def test_what_cannot_even_be_shown_is_saved_in_pieces(event: LogEvent) -> None:
    saved = formatEvent({"log_format": "{missing}", "kept": 3, **event})
    assert saved.startswith("MESSAGE LOST: unformattable object logged:")
    assert "'kept' = 3" in saved
    assert "no text" in saved


def test_an_error_that_cannot_be_shown() -> None:
    class Error(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert "'kept' = 3" in formatUnformattableEvent({"kept": 3}, Error())


@given(st.text(alphabet="{}()[]!:.xr0 ", max_size=12))
def test_text_never_raises(format: str) -> None:
    event: LogEvent = {"log_format": format, "x": Thing(), "r": Unshowable(), "0": 1}
    assert isinstance(formatEvent(event), str)
    assert isinstance(eventAsText(event), str)


@given(st.text(alphabet=st.characters(exclude_characters="{}"), max_size=20))
def test_what_has_no_fields_stays_as_it_is(format: str) -> None:
    assert text(format) == format


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("UTC+00", "2013-09-24T11:40:47+0000"),
        ("EST+05EDT,M4.1.0,M10.5.0", "2013-09-24T07:40:47-0400"),
        ("CEST-01CEDT,M4.1.0,M10.5.0", "2013-09-24T13:40:47+0200"),
        ("IST-05:30", "2013-09-24T17:10:47+0530"),
    ],
)
def test_times_have_their_offset(zone: Callable[[str], None], name: str, result: str) -> None:
    zone(name)
    assert formatTime(WHEN) == result
    assert formatTime(WHEN, timeFormatRFC3339) == result


@pytest.mark.parametrize(
    ("format", "result"),
    [("%Y/%W", "2013/38"), ("%f", "600000"), ("%%f %f", "%f 600000"), ("%S.%f", "47.600000")],
)
def test_other_time_formats(format: str, result: str) -> None:
    assert formatTime(WHEN, format) == result


def test_microseconds_round_into_the_next_second() -> None:
    assert formatTime(46.99999999, "%S.%f") == "47.000000"


def test_no_time() -> None:
    assert formatTime(None) == "-"
    assert formatTime(WHEN, None) == "-"
    assert formatTime(None, default="!") == "!"


# --- whole lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "system"),
    [
        ({}, "-#-"),
        ({"log_namespace": "a.b"}, "a.b#-"),
        ({"log_level": LogLevel.warn}, "-#warn"),
        ({"log_namespace": "a.b", "log_level": LogLevel.info}, "a.b#info"),
        ({"log_namespace": "a.b", "log_system": "own"}, "own"),
        ({"log_system": Unshowable()}, "UNFORMATTABLE"),
    ],
)
def test_lines_name_their_system(fields: LogEvent, system: str) -> None:
    assert formatEventAsClassicLogText({"log_format": "text", **fields}) == f"- [{system}] text\n"


def test_lines_start_with_the_time() -> None:
    event: LogEvent = {"log_format": "text", "log_time": 3.0}
    assert formatEventAsClassicLogText(event, formatTime=lambda when: f"<{when}>") == "<3.0> [-#-] text\n"
    assert eventAsText(event, includeSystem=False, formatTime=str) == "3.0 text"
    assert eventAsText(event, includeTimestamp=False) == "[-#-] text"
    assert eventAsText(event, includeTimestamp=False, includeSystem=False) == "text"


def test_further_lines_are_indented() -> None:
    assert formatEventAsClassicLogText({"log_format": "a\nb\nc"}) == "- [-#-] a\n\tb\n\tc\n"


@pytest.mark.parametrize("event", [{}, {"log_format": ""}, {"log_format": None, "x": 1}])
def test_without_text_there_is_no_line(event: LogEvent) -> None:
    assert formatEventAsClassicLogText(event) is None
    assert eventAsText(event) == ""


def test_tracebacks_follow() -> None:
    try:
        raise ValueError("€")
    except ValueError:
        failure = Failure()
    event: LogEvent = {"log_format": "text", "log_failure": failure}
    assert eventAsText(event, includeTimestamp=False, includeSystem=False) == f"text\n{failure.getTraceback()}"
    assert eventAsText(event, False, False, False) == "text"
    assert failure.getTraceback() in eventAsText({"log_failure": failure})


def test_a_failure_that_is_none_is_noted() -> None:
    assert "(UNABLE TO OBTAIN TRACEBACK FROM EVENT)" in eventAsText({"log_failure": object()})
