"""The file whose lines are logged."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.logger import LogEvent, Logger, LoggingFile, LogLevel


def logging_file(**options: Any) -> tuple[Any, list[LogEvent]]:
    events: list[LogEvent] = []
    return LoggingFile(Logger("here", observer=events.append), **options), events


def lines(events: list[LogEvent]) -> list[str]:
    return [event["log_io"] for event in events]


def test_each_line_is_an_event_once_it_is_whole() -> None:
    file, events = logging_file(level=LogLevel.error)
    assert file.write("Hello") == 5
    assert events == []
    file.write(", you\n\nand")
    assert lines(events) == ["Hello, you", ""]
    assert {event["log_format"] for event in events} == {"{log_io}"}
    assert {event["log_level"] for event in events} == {LogLevel.error}


@given(st.lists(st.text(alphabet="ab\n", max_size=6)))
def test_how_text_is_cut_makes_no_difference(pieces: list[str]) -> None:
    one, events_of_one = logging_file()
    many, events_of_many = logging_file()
    one.write("".join(pieces))
    many.writelines(pieces)
    assert lines(events_of_one) == lines(events_of_many) == "".join(pieces).split("\n")[:-1]


def test_bytes_are_decoded() -> None:
    file, events = logging_file(encoding="latin-1")
    file.write(b"\xe4\n")
    assert lines(events) == ["ä"]
    assert file.encoding == "latin-1"


def test_it_can_be_printed_to() -> None:
    file, events = logging_file()
    print("one", "two", file=file)
    assert lines(events) == ["one two"]


def test_what_files_have() -> None:
    file, _ = logging_file()
    assert file.level is LogLevel.info
    assert file.encoding == sys.getdefaultencoding()
    assert (file.mode, file.newlines, file.name) == ("w", None, "<LoggingFile here#info>")
    assert (file.isatty(), file.readable(), file.seekable(), file.writable()) == (False, False, False, True)
    file.flush()
    for name in ["closed", "encoding", "mode", "newlines", "name"]:
        with pytest.raises(AttributeError):
            setattr(file, name, None)


@pytest.mark.parametrize(
    "method", ["read", "next", "readline", "readlines", "xreadlines", "seek", "tell", "truncate", "fileno"]
)
def test_it_can_only_be_written_to(method: str) -> None:
    file, _ = logging_file()
    with pytest.raises(io.UnsupportedOperation, match="only be written"):
        getattr(file, method)()


def test_closed_files_refuse() -> None:
    file, _ = logging_file()
    assert not file.closed
    file.close()
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        file.write("x")


def test_softspace_is_deprecated() -> None:
    file, _ = logging_file()
    with pytest.warns(DeprecationWarning, match="softspace"):
        file.softspace = 1
    with pytest.warns(DeprecationWarning, match="softspace"):
        assert file.softspace == 1
