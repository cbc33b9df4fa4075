"""Old events and new ones become each other."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import ILogObserver, LegacyLogObserverWrapper, LogEvent, LogLevel, formatEvent
from torsion.logger.legacy_events import EventDict, publishToNewObserver, safe_format, textFromEventDict
from torsion.python.failure import Failure


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


FAILURE = Failure(ValueError("x"))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"message": ("a", "b", 3)}, "a b 3"),
        ({"message": ("a",), "format": "other"}, "a"),
        ({"message": (), "isError": 0, "format": "hello %(who)s", "who": "you"}, "hello you"),
        ({"message": (), "isError": 0}, None),
        ({"message": "", "isError": False}, None),
        ({"message": (), "isError": 1}, None),
        ({"message": (), "isError": 1, "failure": FAILURE}, f"Unhandled Error\n{FAILURE.getTraceback()}"),
        ({"message": (), "isError": 1, "failure": FAILURE, "why": "why"}, f"why\n{FAILURE.getTraceback()}"),
    ],
)
def test_text(event: EventDict, text: str | None) -> None:
    assert textFromEventDict(event) == text


def test_text_never_raises() -> None:
    assert "(unable to obtain traceback)" in str(textFromEventDict({"message": (), "isError": 1, "failure": object()}))
    assert "Unshowable instance" in str(textFromEventDict({"message": (Unshowable(),)}))


@pytest.mark.parametrize(
    ("format", "fields", "text"),
    [
        ("%(a)s", {"a": 1}, "1"),
        ("%(b)s", {"a": 1}, "Invalid format string or unformattable object in log message: '%(b)s', {'a': 1}"),
        (42, {"a": 1}, "Invalid format string"),
        ("%(a)s", {"a": Unshowable()}, "UNFORMATTABLE OBJECT"),
        (Unshowable(), {"a": 1}, "PATHOLOGICAL ERROR"),
    ],
)
def test_formats_that_go_wrong(format: Any, fields: EventDict, text: str) -> None:
    assert safe_format(format, fields).startswith(text)


# --- new to old ------------------------------------------------------------------------------------------------------


def as_old(**event: Any) -> EventDict:
    seen: list[EventDict] = []
    before = dict(event)
    LegacyLogObserverWrapper(seen.append)(event)
    assert event == before
    assert before.items() <= {**seen[0], "message": before.get("message", seen[0]["message"])}.items()
    return seen[0]


def test_is_an_observer() -> None:
    wrapper = LegacyLogObserverWrapper(print)
    assert verifyObject(ILogObserver, wrapper)
    assert repr(wrapper) == "LegacyLogObserverWrapper(<built-in function print>)"


def test_old_keys_are_added() -> None:
    old = as_old(log_time=3.0, log_system="here", log_format="hello {who}", who="you")
    assert (old["time"], old["system"], old["isError"], old["message"]) == (3.0, "here", 0, ())
    assert textFromEventDict(old) == "hello you"
    assert "logLevel" not in old


def test_old_keys_that_are_there_stay() -> None:
    old = as_old(
        log_time=3.0, time=4.0, log_system="a", system="b", isError=1, message=("m",), format="f", log_format="x"
    )
    assert (old["time"], old["system"], old["isError"], old["message"], old["format"]) == (4.0, "b", 1, ("m",), "f")


def test_without_a_system() -> None:
    assert as_old()["system"] == "-"
    assert as_old()["message"] == ()


def test_a_field_called_message_is_no_message() -> None:
    old = as_old(log_format="hello {message}", message="you")
    assert old["message"] == ()
    assert textFromEventDict(old) == "hello you"


def test_failures() -> None:
    old = as_old(log_failure=FAILURE, log_format="oops {n}", n=1)
    assert (old["failure"], old["isError"], old["why"]) == (FAILURE, 1, "oops 1")
    other = as_old(log_failure=FAILURE, failure="f", isError=0, why="w")
    assert (other["failure"], other["isError"], other["why"]) == ("f", 0, "w")


# --- old to new ------------------------------------------------------------------------------------------------------


def as_new(*message: str, **event: Any) -> LogEvent:
    seen: list[LogEvent] = []
    publishToNewObserver(seen.append, {"message": message, "time": 3.0, "isError": 0, **event}, textFromEventDict)
    return seen[0]


def test_new_keys_are_added() -> None:
    event = as_new("a {b}", system="here")
    assert (event["log_time"], event["log_namespace"], event["log_system"]) == (3.0, "log_legacy", "here")
    assert event["log_level"] is LogLevel.info
    assert formatEvent(event) == "a {b}"


def test_without_text_there_is_no_format() -> None:
    assert "log_format" not in as_new()
    assert "log_system" not in as_new()


def test_new_keys_that_are_there_stay() -> None:
    event = as_new(
        "m", log_time=4.0, log_format="f", log_level=LogLevel.warn, log_namespace="n", log_system="s", system="t"
    )
    assert (event["log_time"], event["log_format"], event["log_namespace"], event["log_system"]) == (4.0, "f", "n", "s")
    assert event["log_level"] is LogLevel.warn


@pytest.mark.parametrize(
    ("keys", "level"),
    [
        ({"isError": 1}, LogLevel.critical),
        ({"logLevel": logging.WARNING}, LogLevel.warn),
        ({"logLevel": "ERROR", "isError": 1}, LogLevel.error),
        ({"logLevel": "LOUD"}, None),
    ],
)
def test_levels(keys: EventDict, level: LogLevel | None) -> None:
    assert as_new("m", **keys).get("log_level") is level


@pytest.mark.parametrize(
    ("keys", "is_error"),
    [
        ({}, 0),
        ({"log_level": LogLevel.warn}, 0),
        ({"log_level": LogLevel.error}, 1),
        ({"log_level": LogLevel.critical}, 1),
        ({"log_level": LogLevel.info, "log_failure": FAILURE}, 1),
        ({"log_level": LogLevel.critical, "isError": 0}, 0),
        ({"log_level": "no level"}, 0),
    ],
)
def test_errors_are_failures_and_what_is_as_grave(keys: LogEvent, is_error: int) -> None:
    seen: list[EventDict] = []
    LegacyLogObserverWrapper(seen.append)({"log_format": "text", **keys})
    assert seen[0]["isError"] == is_error
