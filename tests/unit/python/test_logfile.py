"""Log files: nothing that was written is lost, whatever happens to rotating."""

from __future__ import annotations

import io
import os
import signal
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python.logfile import BaseLogFile, DailyLogFile, LogFile, LogReader
from unit.python.logfiles import contents, opened, posix

__all__ = ["opened"]  # the fixture

DAY = 86_400


# --- writing -------------------------------------------------------------------------------------------------------------


def test_text_and_bytes_are_appended_and_counted_in_bytes(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "log").write_bytes(b"old ")
    log = opened(LogFile, "log", str(tmp_path))
    assert log.size == 4
    log.write("é")
    log.write(b"\xff")
    log.write("\udc80")  # not to be written as UTF-8
    assert (tmp_path / "log").read_bytes() == b"old \xc3\xa9\xff\\udc80"
    assert log.size == len(b"old \xc3\xa9\xff\\udc80")
    log.flush()


def test_a_closed_file_says_so(tmp_path: Path) -> None:
    log = LogFile("log", str(tmp_path))
    log.close()
    log.close()
    assert log.closed
    with pytest.raises(ValueError, match="is closed"):
        log.write("x")
    log.reopen()  # by a late signal: nothing
    log.rotate()
    assert os.listdir(tmp_path) == ["log"]


def test_a_full_path(tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened(LogFile.fromFullPath, str(tmp_path / "log"), 10, maxRotatedFiles=3)
    assert (log.directory, log.name, log.rotateLength, log.maxRotatedFiles) == (str(tmp_path), "log", 10, 3)
    monkeypatch.chdir(tmp_path)
    assert opened(LogFile.fromFullPath, "log").path == str(tmp_path / "log")
    assert opened(LogFile, "log", "").listLogs() == []


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LogFile("log", str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["rotateLength", "maxRotatedFiles"])
def test_numbers_that_are_none(tmp_path: Path, name: str) -> None:
    wrong: list[tuple[Any, type[Exception]]] = [(-1, ValueError), ("1 MB", TypeError), (1.5, TypeError)]
    for value, error in wrong:
        with pytest.raises(error, match=rf"{name} must be .*, not {value!r}"):
            LogFile("log", str(tmp_path), **{name: value})
    assert not list(tmp_path.iterdir())


def test_what_is_neither_text_nor_bytes(tmp_path: Path, opened: Any) -> None:
    file = opened(LogFile, "log", str(tmp_path))
    with pytest.raises(TypeError, match="takes text or bytes, not int"):
        file.write(3)
    file.write(bytearray(b"after"))
    assert (tmp_path / "log").read_bytes() == b"after"


def test_the_base_class_does_not_know_when_and_how(tmp_path: Path, opened: Any) -> None:
    log = opened(BaseLogFile, "log", str(tmp_path))
    with pytest.raises(NotImplementedError, match="when to rotate"):
        log.shouldRotate()
    with pytest.raises(NotImplementedError, match="how to rotate"):
        log.rotate()


@posix
def test_modes(tmp_path: Path, opened: Any) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    opened(LogFile, "asked", str(tmp_path), defaultMode=0o604).rotate()
    assert (mode("asked"), mode("asked.1")) == (0o604, 0o604)
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    opened(LogFile, "old", str(tmp_path)).rotate()
    assert (mode("old"), mode("old.1")) == (0o640, 0o640)


@posix
def test_devices_keep_their_mode(opened: Any) -> None:
    before = Path(os.devnull).stat().st_mode
    opened(LogFile, "null", "/dev", defaultMode=0o400).write("x")
    assert Path(os.devnull).stat().st_mode == before


def test_many_threads(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=200)

    def writes(name: int) -> None:
        for number in range(50):
            log.write(f"{name} {number}\n")

    threads = [threading.Thread(target=writes, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = "".join(contents(tmp_path).values()).splitlines()
    assert sorted(lines) == sorted(f"{name} {number}" for name in range(4) for number in range(50))


# --- rotating ------------------------------------------------------------------------------------------------------------


def test_rotating_by_size(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=3)
    for data in ("ab", "cd", "e", "fgh", ""):
        log.write(data)
    assert contents(tmp_path) == {"log": "", "log.1": "efgh", "log.2": "abcd"}
    assert log.listLogs() == [1, 2]
    assert log.size == 0


@given(st.lists(st.text(alphabet="abc", max_size=6), max_size=12), st.integers(1, 6), st.none() | st.integers(1, 3))
def test_what_is_kept_is_the_end_of_what_was_written(written: list[str], length: int, most: int | None) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        log = LogFile("log", folder, rotateLength=length, maxRotatedFiles=most)
        for data in written:
            log.write(data)
        log.close()
        numbers = log.listLogs()
        kept = (
            "".join(Path(folder, f"log.{n}").read_text() for n in reversed(numbers)) + Path(folder, "log").read_text()
        )
    assert "".join(written).endswith(kept)
    assert most is not None or kept == "".join(written)
    assert most is None or len(numbers) <= most


@pytest.mark.parametrize("length", [None, 0])
def test_without_a_size_it_never_rotates(tmp_path: Path, opened: Any, length: int | None) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=length)
    log.write("x" * 2000)
    log.write("x")
    assert os.listdir(tmp_path) == ["log"]


def test_other_files_are_no_logs(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path))
    for name in ("log.0", "log.01", "log.bad", "log.1", "log.12", "log.²", "log.-1", "other.3", "log."):
        (tmp_path / name).touch()
    assert log.listLogs() == [1, 12]


class Daily(DailyLogFile):
    now = 0.0

    def _openFile(self) -> None:
        super()._openFile()
        self.lastDate = self.toDate()

    def toDate(self, *args: float) -> tuple[int, int, int]:
        return time.gmtime(*(args or (self.now,)))[:3]


def test_rotating_by_day(tmp_path: Path, opened: Any) -> None:
    log = opened(Daily, "log", str(tmp_path))
    for now, data in [(0, "a"), (DAY - 1, "b"), (DAY, "c"), (3 * DAY, "d")]:
        log.now = now
        log.write(data)
    assert contents(tmp_path) == {"log": "d", "log.1970_1_1": "ab", "log.1970_1_2": "c"}
    assert log.suffix((1970, 1, 2)) == log.suffix(DAY) == log.suffix(DAY + 0.5) == "1970_1_2"


def test_a_day_s_file_is_never_written_over(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "log.1970_1_1").write_text("mine")
    log = opened(Daily, "log", str(tmp_path))
    log.write("a")
    log.now = DAY
    log.write("b")
    assert contents(tmp_path) == {"log": "ab", "log.1970_1_1": "mine"}
    log.now = 2 * DAY
    log.write("c")
    assert contents(tmp_path) == {"log": "c", "log.1970_1_1": "mine", "log.1970_1_2": "ab"}


def test_the_day_of_a_file_that_exists_is_that_of_its_last_change(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "log").write_text("old")
    os.utime(tmp_path / "log", (DAY, DAY))
    log = opened(DailyLogFile, "log", str(tmp_path))
    then = log.toDate(DAY)
    assert log.lastDate == then
    assert log.shouldRotate()
    log.write("new")
    assert contents(tmp_path) == {"log": "new", f"log.{log.suffix(then)}": "old"}
    assert log.toDate() == log.lastDate


# --- reading -------------------------------------------------------------------------------------------------------------


def test_reading(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path))
    log.write(b"one\ntwo\nth\xffree")
    log.rotate()
    log.write("now\n")
    reader = opened(log.getLog, 1)
    assert reader.readLines(0) == []
    assert reader.readLines(1) == ["one\n"]
    assert reader.readLines() == ["two\n", "th\\xffree"]
    assert reader.readLines() == []
    assert opened(log.getCurrentLog).readLines() == ["now\n"]
    with pytest.raises(ValueError, match="no log file"):
        log.getLog(2)
    with pytest.raises(TypeError, match="have numbers"):
        log.getLog("1")
    assert isinstance(reader, LogReader)


def test_reading_a_day(tmp_path: Path, opened: Any) -> None:
    log = opened(Daily, "log", str(tmp_path))
    log.write("a")
    assert opened(log.getLog, 0.0).readLines() == ["a"]
    with pytest.raises(ValueError, match="no log file"):
        log.getLog(DAY)
    log.now = DAY
    log.write("b")
    assert opened(log.getLog, 5.0).readLines() == ["a"]
    assert opened(log.getLog, (1970, 1, 2)).readLines() == ["b"]


# --- reopening -----------------------------------------------------------------------------------------------------------


@posix
def test_reopening_after_another_program_has_put_it_aside(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path))
    log.write("one")
    (tmp_path / "log").rename(tmp_path / "aside")
    log.write("two")
    log.reopen()
    log.write("three")
    assert contents(tmp_path) == {"aside": "onetwo", "log": "three"}
    assert log.size == 5


@posix
def test_where_nothing_can_be_opened_the_old_file_stays(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "in").mkdir()
    log = opened(LogFile, "log", str(tmp_path / "in"))
    (tmp_path / "in").rename(tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        log.reopen()
    log.write("kept")
    assert contents(tmp_path / "out") == {"log": "kept"}


@posix
def test_a_signal_in_the_middle_of_a_write_reopens_and_logs_after_it(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(LogFile, "log", str(tmp_path))
    asked: list[int] = []

    class Interrupted(io.FileIO):
        """Takes one byte at a time, and a signal comes after the first."""

        def write(self, data: Any, /) -> int:
            count = super().write(bytes(data)[:1])
            if not asked:
                asked.append(1)
                (tmp_path / "log").rename(tmp_path / "aside")
                signal.raise_signal(signal.SIGUSR1)
            return count or 0

    before = signal.signal(signal.SIGUSR1, lambda *_: (log.reopen(), log.rotate(), log.write("handled")))  # type: ignore[func-returns-value]  # a lambda has one expression
    monkeypatch.setattr(io, "FileIO", Interrupted)
    try:
        log.reopen()
        log.write("whole")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert contents(tmp_path) == {"aside": "whole", "log": "handled", "log.1": ""}
