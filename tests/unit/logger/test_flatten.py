"""What an event's text needs, taken down."""

from __future__ import annotations

from itertools import count

import pytest

from torsion.logger import LogEvent, extractField, formatEvent
from torsion.logger.fields import fieldsOf
from torsion.logger.flatten import flattened, flattenEvent


class Thing:
    number = 7

    def __repr__(self) -> str:
        return "a thing"


@pytest.mark.parametrize(
    ("format", "keys"),
    [
        ("{a}", ["a!s:", "a!:"]),
        ("{a!r}", ["a!r:", "a!:"]),
        ("{a.b!s:>{w}}", ["a.b!s:>{w}", "a.b!:>{w}"]),
        ("{a} {a}", ["a!s:", "a!:", "a!s:/2", "a!:/2"]),
        ("{a} {a!r}", ["a!s:", "a!:", "a!r:", "a!:/2"]),
        ("{f()}", ["f()!s:", "f()!:"]),
    ],
)
def test_keys_are_those_of_twisted_s_logs(format: str, keys: list[str]) -> None:
    assert [key for field in fieldsOf(format) for key in (field.text_key, field.value_key)] == keys


def test_each_field_is_asked_once_and_in_order() -> None:
    counter = count()
    event: LogEvent = {"log_format": "{n()}, {n()} {n()!r:>3} end", "n": lambda: next(counter)}
    flattenEvent(event)
    assert formatEvent(event) == "0, 1   2 end"
    assert formatEvent(event) == "0, 1   2 end"
    assert extractField("n()", event) == 0
    flattenEvent(event)
    assert formatEvent(event) == "0, 1   2 end"


def test_the_text_stays_when_the_objects_change() -> None:
    words = ["one"]
    event: LogEvent = {"log_format": "{words} {words[0]:>5}", "words": words}
    flattenEvent(event)
    words[0] = "two"
    assert formatEvent(event) == "['one']   one"


@pytest.mark.parametrize("event", [{}, {"log_format": None}, {"log_format": "no fields {{}}"}, {"a": 1}])
def test_nothing_is_added_where_there_are_no_fields(event: LogEvent) -> None:
    before = dict(event)
    flattenEvent(event)
    assert event == before


@pytest.mark.parametrize("format", ["{a!X}", "{missing}", "{", "{}", "{0}", 3, "{a.missing}", "{a:bad}"])
def test_a_text_that_cannot_be_made_cannot_be_taken_down(format: object) -> None:
    event: LogEvent = {"log_format": format, "a": 1}
    assert formatEvent(event).startswith("Unable to format event")
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        flattened(event)


def test_fields_can_be_extracted() -> None:
    event: LogEvent = {"log_format": b"{it.number} {it} {it.number!r} {it:}", "it": Thing()}
    assert extractField("it.number", event) == 7
    assert extractField("it.number!r", event) == "7"
    assert extractField("it!s", event) == "a thing"
    assert extractField("it", event) is event["it"]
    with pytest.raises(KeyError):
        extractField("other", event)


def test_an_event_whose_fields_were_lost_says_so() -> None:
    assert formatEvent({"log_format": "{a}", "a": 1, "log_flattened": {}}).startswith("Unable to format event")
    assert formatEvent({"log_format": "{a}", "a": 1, "log_flattened": 3}).startswith("Unable to format event")
