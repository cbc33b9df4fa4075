"""Observers that write to files."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.logger import FileLogObserver, ILogObserver, textFileLogObserver
from torsion.python.failure import Failure


class Counting:
    def __init__(self) -> None:
        self.written: list[str] = []
        self.flushed = 0

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        self.flushed += 1


def test_is_an_observer() -> None:
    assert verifyObject(ILogObserver, FileLogObserver(io.StringIO(), str))


def test_writes_and_flushes_each_event() -> None:
    file: Any = Counting()
    observer = FileLogObserver(file, lambda event: event["text"])
    observer({"text": "a"})
    observer({"text": "b"})
    assert file.written == ["a", "b"]
    assert file.flushed == 2


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_is_written_for_no_text(text: str | None) -> None:
    file: Any = Counting()
    FileLogObserver(file, lambda event: text)({})
    assert file.written == []
    assert file.flushed == 0


def test_binary_files_get_utf8(tmp_path: Path) -> None:
    memory = io.BytesIO()
    FileLogObserver(memory, lambda event: "ä")({})
    assert memory.getvalue() == "ä".encode()
    with (tmp_path / "log").open("wb") as file:
        FileLogObserver(file, lambda event: "ö")({})
    assert (tmp_path / "log").read_bytes() == "ö".encode()
    with tempfile.TemporaryFile("w+b") as wrapped:
        FileLogObserver(wrapped, lambda event: "ü")({})
        wrapped.seek(0)
        assert wrapped.read() == "ü".encode()


def test_text_files_get_text(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="latin-1") as file:
        FileLogObserver(file, lambda event: "ä")({})
    assert (tmp_path / "log").read_bytes() == b"\xe4"


def test_text_lines() -> None:
    file = io.StringIO()
    observer = textFileLogObserver(file, timeFormat="%f")
    assert isinstance(observer, FileLogObserver)
    observer({"log_format": "{x}", "x": 1, "log_time": 1.6, "log_system": "here"})
    observer({"x": 1})
    observer({"log_format": "bad", "log_failure": Failure(ValueError("x"))})
    assert file.getvalue() == (
        "600000 [here] 1\n- [-#-] bad\n\tTraceback (most recent call last):\n\tFailure: builtins.ValueError: x\n\t\n"
    )


def test_text_lines_without_time() -> None:
    file = io.StringIO()
    textFileLogObserver(file, timeFormat=None)({"log_format": "x", "log_time": 1.0})
    assert file.getvalue() == "- [-#-] x\n"
