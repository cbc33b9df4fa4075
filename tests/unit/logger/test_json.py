"""Events as JSON: whatever is in one, its text comes back."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    capturedLogs,
    eventAsJSON,
    eventFromJSON,
    eventsFromJSONLogFile,
    extractField,
    formatEvent,
    jsonFileLogObserver,
)
from torsion.python.failure import Failure


class Refuses:
    """Can be neither shown nor formatted."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Person:
    name = "Ana"

    def greeting(self) -> str:
        return "hello"

    def __format__(self, specification: str) -> str:
        return f"<{specification}>"


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def huge() -> int:
    return 10**5000  # has more digits than Python is willing to write


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


def failure_of(error: BaseException, **how: Any) -> Failure:
    try:
        raise error
    except BaseException:
        return Failure(**how)


def there_and_back(event: LogEvent) -> LogEvent:
    text = eventAsJSON(event)
    assert "\n" not in text
    return eventFromJSON(text)


# --- any event -----------------------------------------------------------------------------------------------------------

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
odd = st.one_of(
    st.binary(),
    st.builds(Refuses),
    st.builds(Person),
    st.builds(object),
    st.builds(circle),
    st.just(datetime(2026, 11, 21, tzinfo=UTC)),
    st.just({(1, 2): 3, b"x": Refuses()}),
    st.builds(huge),
    st.sampled_from(LogLevel),
    st.just(float("nan")),
    st.builds(failure_of, st.builds(ValueError, st.text())),
)
keys = st.text(max_size=3) | st.integers() | st.binary(max_size=2) | st.none() | st.builds(huge)
names = st.sampled_from(["a", "b", "log_failure", "log_level"])
formats = st.lists(
    st.sampled_from(["{a}", "{b!r}", "{a:>8}", "{a!s:.3}", "{a.name}", "{b.greeting()}", "{a[0]}", "{b:{a}}", "{{", "}}", "é\n", "{missing}", "{", "{}"]),
    max_size=4,
).map("".join)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5).filter(lambda key: not key.startswith("log_")), plain))
def test_an_event_of_plain_values_comes_back_as_it_was(event: LogEvent) -> None:
    assert there_and_back(event) == event


@given(st.dictionaries(keys, plain | odd, max_size=4), st.dictionaries(names, plain | odd), st.none() | formats | odd)
@example({}, {}, "ကé".encode())
def test_any_event_can_be_written_and_read_and_has_its_text(others: Any, named: LogEvent, format: Any) -> None:
    event: LogEvent = {**others, **named, "log_format": format}
    back = there_and_back(event)
    text = formatEvent(event)
    if not text.startswith(("Unable to format event", "MESSAGE LOST")):
        assert formatEvent(back) == text


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_text_that_is_no_event_is_a_value_error(text: str) -> None:
    try:
        found = eventFromJSON(text)
    except ValueError:
        return
    assert isinstance(found, dict)


marked = st.fixed_dictionaries(
    {
        "__class_uuid__": st.sampled_from(
            ["02e59486-f24d-46ad-8224-3acdf2a5732a", "E76887E2-20ED-49BF-A8F8-BA25CC586F2D", "x", 3, None]
        )
    },
    optional={
        "name": plain,
        "type": plain | st.fixed_dictionaries({"__module__": plain, "__name__": plain}),
        "value": plain,
        "frames": plain | st.lists(st.tuples(plain, plain, plain, plain, plain), max_size=2),
        "parents": plain,
        "count": plain,
        "getTraceback": plain,
    },
)


@given(marked)
def test_what_only_looks_like_a_level_or_a_failure_does_no_harm(value: dict[str, Any]) -> None:
    back = eventFromJSON(json.dumps({"x": value, "log_failure": value, "log_format": "{x}"}))
    assert isinstance(formatEvent(back), str)
    if isinstance(back["x"], Failure):
        assert isinstance(back["x"].getTraceback(), str)


# --- certain events ------------------------------------------------------------------------------------------------------


def test_fields_are_kept_as_text_and_as_value() -> None:
    event: LogEvent = {"log_format": "{who.name} {who.greeting()} {who:x} {n:>4} {n!r:4}|", "who": Person(), "n": 7}
    back = there_and_back(event)
    assert formatEvent(back) == formatEvent(event) == "Ana hello <x>    7 7   |"
    assert back["who"] == {"unpersistable": True}
    assert extractField("who.name", back) == "Ana"
    assert extractField("n!r:4", back) == "7   "
    assert event.keys() == {"log_format", "who", "n"}  # which belongs to the other observers, too


def test_keys_that_json_cannot_have_are_left_out() -> None:
    assert there_and_back({1: 2, b"x": 3, None: 4, (1,): 5}) == {"1": 2, "null": 4}  # type: ignore[dict-item]  # on purpose


def test_bytes_become_a_character_each() -> None:
    assert there_and_back({"x": bytes(range(256))})["x"] == "".join(map(chr, range(256)))


def test_levels_come_back_and_unknown_ones_are_none() -> None:
    assert there_and_back({"log_level": LogLevel.warn})["log_level"] is LogLevel.warn
    unknown = eventAsJSON({"log_level": LogLevel.warn}).replace("warn", "ghastly")
    assert eventFromJSON(unknown)["log_level"] is None


@pytest.mark.parametrize(
    "value", [circle(), deep(), 10**5000, [Refuses(), circle()]], ids=["circle", "deep", "huge", "inside"]
)
def test_one_value_that_cannot_be_had_costs_no_other(value: Any) -> None:
    back = there_and_back({"log_format": "{a} {b.name}", "a": 1, "b": Person(), "c": value, "d": [1]})
    assert formatEvent(back) == "1 Ana"
    assert back["d"] == [1]
    assert back["c"] == {"unpersistable": True}


def test_a_field_that_cannot_be_had_costs_no_other() -> None:
    event: LogEvent = {"log_format": "{a} {b}", "a": 1, "b": circle()}
    assert formatEvent(there_and_back(event)) == formatEvent(event)


def test_a_failure_comes_back() -> None:
    failure = failure_of(KeyError("which"))
    back = there_and_back({"log_failure": failure})["log_failure"]
    assert isinstance(back, Failure)
    assert back.check(LookupError) is LookupError
    assert back.check(ValueError) is None
    assert back.getTraceback() == failure.getTraceback()
    assert "which" in back.getErrorMessage()
    tb = back.getTracebackObject()
    assert tb is not None
    assert tb.tb_frame.f_code.co_filename == __file__


def test_captured_variables_come_back_as_text() -> None:
    failure = failure_of(KeyError("which"), captureVars=True)
    back = there_and_back({"log_failure": failure})["log_failure"]
    assert "KeyError('which')" in back.getTraceback(detail="verbose")


def test_a_failure_known_by_name_only_comes_back() -> None:
    failure = failure_of(KeyError("which"))
    failure.type = "far.Error"  # type: ignore[assignment]  # as one that came over a network
    failure.parents = ["far.Error"]
    back = there_and_back({"log_failure": failure})["log_failure"]
    assert back.check("far.Error") == "far.Error"


# --- files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("separator", "before"), [("\x1e", "\x1e"), ("", ""), ("§§", "§§")])
@pytest.mark.parametrize("kind", [io.StringIO, io.BytesIO])
def test_the_observer_writes_records_that_can_be_read(separator: str, before: str, kind: Any) -> None:
    file = kind()
    observer = jsonFileLogObserver(file, separator)
    assert verifyObject(ILogObserver, observer)
    Logger("a", observer=observer).info("{x}", x="€")
    observer({"y": 2})
    assert file.getvalue().endswith(f'{before}{{"y": 2}}\n'.encode() if kind is io.BytesIO else f'{before}{{"y": 2}}\n')
    file.seek(0)
    first, second = eventsFromJSONLogFile(file, separator)
    assert formatEvent(first) == "€"
    assert second == {"y": 2}


def test_the_separator_without_which_nothing_is_said_is_that_of_the_standard() -> None:
    file = io.StringIO()
    jsonFileLogObserver(file)({"x": 1})
    assert file.getvalue() == '\x1e{"x": 1}\n'


def read(data: str | bytes, *how: Any) -> tuple[list[LogEvent], list[tuple[str, bytes]]]:
    """Return the events in a file, and what was logged about others."""
    file: Any = io.BytesIO(data) if isinstance(data, bytes) else io.StringIO(data)
    with capturedLogs() as logged:
        found = list(eventsFromJSONLogFile(file, *how))
    return found, [(event["log_format"].split(": ")[0], event["record"]) for event in logged]


DAMAGED, TRUNCATED = "Unable to read JSON record", "Unable to read truncated JSON record"
NO_TEXT = "Unable to decode UTF-8 for JSON record"


@pytest.mark.parametrize(
    ("data", "found", "lost"),
    [
        ("", [], []),
        ("\n\n", [], []),
        ('\x1e{"x": 1}\n\x1e{"y": 2}\n', [{"x": 1}, {"y": 2}], []),
        ('{"x": 1}\n\n{"y": 2}', [{"x": 1}, {"y": 2}], []),
        ('\x1e{"x": 1}\x1e{"y": 2}', [{"x": 1}, {"y": 2}], []),  # whole all the same
        ('\x1e\x1e{"x": 1}\n', [{"x": 1}], []),
        ('\x1e{"x": 1\x1e{"y": 2}\n', [{"y": 2}], [(TRUNCATED, b'{"x": 1')]),
        ('\x1e{"x": }\n\x1e{"y": 2}\n', [{"y": 2}], [(DAMAGED, b'{"x": }\n')]),
        ('\x1e{"x": 1}\n{"y": 2}\n', [], [(DAMAGED, b'{"x": 1}\n{"y": 2}\n')]),
        (b'\x1e{"x": "\xe2\xac"}\n\x1e{"y": 2}\n', [{"y": 2}], [(NO_TEXT, b'{"x": "\xe2\xac"}\n')]),
        ('{"x": "\ud800"}\n{"y": 2}\n', [{"y": 2}], [(NO_TEXT, b'{"x": "\xed\xa0\x80"}')]),
        ('[1]\n{"y": 2}\n', [{"y": 2}], [(DAMAGED, b"[1]")]),
        ("[" * 200_000, [], [(DAMAGED, b"[" * 200_000)]),
        (b'\x1e{"x": "\xe2\x82\xac"}\n', [{"x": "€"}], []),
    ],
)
@pytest.mark.parametrize("size", [4096, 1, 0])
def test_reading_files(data: str | bytes, found: list[LogEvent], lost: list[tuple[str, bytes]], size: int) -> None:
    assert read(data, None, size) == (found, lost)


@given(st.lists(st.dictionaries(st.text(max_size=3), plain, max_size=2), max_size=3), st.integers(1, 30))
def test_events_survive_any_size_of_reads(events: list[LogEvent], size: int) -> None:
    file = io.StringIO()
    for event in events:
        jsonFileLogObserver(file)(event)
    back = list(eventsFromJSONLogFile(io.StringIO(file.getvalue()), bufferSize=size))
    assert [{**event, "log_flattened": 0} for event in back] == [{**event, "log_flattened": 0} for event in events]


def test_events_are_read_as_they_are_asked_for() -> None:
    file = io.StringIO('{"x": 1}\n{"y": 2}\n')
    events = eventsFromJSONLogFile(file, "", 9)
    assert next(events) == {"x": 1}
    assert file.tell() == 9
