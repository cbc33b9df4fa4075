"""Log files: nothing that was written is lost, whatever happens to rotating."""

from __future__ import annotations

import errno
import io
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.logger import Logger, LogPublisher, capturedLogs, formatEvent, textFileLogObserver
from torsion.python.logfile import BaseLogFile, DailyLogFile, LogFile, LogReader

DAY = 86_400
posix = pytest.mark.skipif(sys.platform == "win32", reason="renames files that are open, or changes modes")


@pytest.fixture
def opened() -> Iterator[Callable[..., Any]]:
    """Yield a function that makes a log file, to be closed after the test."""
    found: list[Any] = []

    def make(kind: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(kind(*args, **kwargs))
        return found[-1]

    yield make
    for each in found:
        each.close()


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


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


# --- trouble -------------------------------------------------------------------------------------------------------------


class Full:
    """A disk with so many bytes left, for the files that ``io.FileIO`` opens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: float = float("inf")
        disk = self

        class File(io.FileIO):
            def write(self, data: Any, /) -> int:
                if data and disk.left <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                fits = bytes(data)[: int(min(disk.left, len(data)))]
                disk.left -= len(fits)
                return super().write(fits) or 0

        monkeypatch.setattr(io, "FileIO", File)


def test_on_a_full_disk_a_record_is_there_whole_or_not_at_all(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(monkeypatch)
    log = opened(LogFile, "log", str(tmp_path))
    log.write("one\n")
    disk.left = 2
    with pytest.raises(OSError, match=r"No space left on device: .*log") as caught:
        log.write("two\n")
    assert caught.value.errno == errno.ENOSPC
    assert log.size == 4
    disk.left = 100
    log.write("three\n")
    assert contents(tmp_path) == {"log": "one\nthree\n"}


def test_what_another_process_wrote_meanwhile_is_not_taken_back(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class File(io.FileIO):
        def write(self, data: Any, /) -> int:
            if len(data) < 4:
                with (tmp_path / "log").open("a") as other:
                    other.write("other\n")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(bytes(data)[:2]) or 0

    monkeypatch.setattr(io, "FileIO", File)
    log = opened(LogFile, "log", str(tmp_path))
    with pytest.raises(OSError, match="No space left"):
        log.write("mine")
    assert contents(tmp_path) == {"log": "miother\n"}
    assert log.size == 2


def test_observers_of_a_log_on_a_full_disk_go_on(tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Full(monkeypatch)
    file = opened(LogFile, "log", str(tmp_path), rotateLength=10)
    seen: list[str] = []
    publisher = LogPublisher(textFileLogObserver(file, timeFormat=None))
    publisher.addObserver(lambda event: seen.append(formatEvent(event)))
    log = Logger("a", observer=publisher)
    for left in (100, 5, 0, 100):
        disk.left = left
        log.info("{left} left", left=left)
    assert contents(tmp_path) == {"log": "- [a#info] 100 left\n", "log.1": "- [a#info] 100 left\n"}
    assert [text for text in seen if text.endswith("left")] == ["100 left", "5 left", "0 left", "100 left"]
    assert len(seen) == 6  # two that tell that the file's observer has failed


def failing(
    monkeypatch: pytest.MonkeyPatch, name: str, which: Callable[..., bool], code: int = errno.ENOSPC
) -> list[Any]:
    """Let ``os.name`` fail for the arguments that *which* picks; return the list of those for which it failed."""
    real = getattr(os, name)
    failed: list[Any] = []

    def function(*args: Any) -> Any:
        if which(*args):
            failed.append(args)
            raise OSError(code, os.strerror(code), args[0])
        return real(*args)

    monkeypatch.setattr(os, name, function)
    return failed


@posix
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_rename_that_fails_while_rotating_loses_no_file(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=1)
    for data in "abc":
        log.write(data)
    failing(monkeypatch, "replace", lambda _, name: name.endswith(f".{number}"))
    with capturedLogs() as logged:
        for data in "de":
            log.write(data)
    assert "".join(text for _, text in sorted(contents(tmp_path).items(), reverse=True)) in ("abcde", "cdeba")
    assert set("".join(contents(tmp_path).values())) == set("abcde")
    [event] = [event for event in logged if "log_failure" in event]
    assert "could not be rotated" in event["log_text"]
    with pytest.raises(OSError, match="No space left"):
        log.rotate()


@posix
def test_where_no_new_file_can_be_made_the_old_one_is_back(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=1)
    with monkeypatch.context() as patch:
        failed = failing(patch, "open", lambda *_: True)
        with capturedLogs():
            for data in "abc":
                log.write(data)
        assert len(failed) == 2
        assert contents(tmp_path) == {"log": "abc"}
    log.write("d")
    assert contents(tmp_path) == {"log": "d", "log.1": "abc"}


@posix
def test_trying_again_and_again_costs_no_file(tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=1, maxRotatedFiles=3)
    for data in "abcde":
        log.write(data)
    with monkeypatch.context() as patch, capturedLogs():
        failing(patch, "open", lambda *_: True)
        for data in "fghi":
            log.write(data)
    assert contents(tmp_path) == {"log": "efghi", "log.2": "d", "log.3": "c"}
    log.write("j")
    assert contents(tmp_path) == {"log": "j", "log.1": "efghi", "log.2": "d", "log.3": "c"}


def test_fewer_files_than_before_are_kept(tmp_path: Path, opened: Any) -> None:
    for number in (1, 2, 3, 5):
        (tmp_path / f"log.{number}").write_text(str(number))
    opened(LogFile, "log", str(tmp_path), maxRotatedFiles=2).rotate()
    assert contents(tmp_path) == {"log": "", "log.1": "", "log.2": "1"}
    opened(LogFile, "log", str(tmp_path), maxRotatedFiles=0).rotate()
    assert contents(tmp_path) == {"log": ""}


@posix
def test_each_time_that_rotating_begins_to_fail_is_told_once(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(LogFile, "log", str(tmp_path), rotateLength=1)
    log.write("a")
    with capturedLogs() as logged:
        for _ in range(2):
            with monkeypatch.context() as patch:
                failing(patch, "replace", lambda *_: True)
                log.write("b")
                log.write("c")
            log.write("d")
    assert len([event for event in logged if "log_failure" in event]) == 2


def test_the_report_of_the_trouble_may_be_written_to_the_file_itself(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torsion.logger import globalLogPublisher

    log = opened(LogFile, "log", str(tmp_path), rotateLength=1)
    log.write("a\n")
    observer = textFileLogObserver(log, timeFormat=None)
    failing(monkeypatch, "replace", lambda *_: True)
    globalLogPublisher.addObserver(observer)
    try:
        log.write("b\n")
    finally:
        globalLogPublisher.removeObserver(observer)
    first, second, third, *_ = contents(tmp_path)["log"].splitlines()
    assert (first, second) == ("a", "b")
    assert "could not be rotated" in third


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("kind", [LogFile, DailyLogFile])
def test_where_nothing_may_be_written_nothing_is_rotated(tmp_path: Path, opened: Any, kind: Any) -> None:
    log = opened(kind, "log", str(tmp_path))
    log.write("a")
    tmp_path.chmod(0o555)
    try:
        log.rotate()
        log.write("b")
    finally:
        tmp_path.chmod(0o755)
    assert contents(tmp_path) == {"log": "ab"}


@pytest.mark.parametrize("kind", [LogFile, DailyLogFile])
def test_rotating_where_access_is_denied_does_nothing(
    tmp_path: Path, opened: Any, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(kind, "log", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))
    log.rotate()
    assert os.listdir(tmp_path) == ["log"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_device_that_is_full(opened: Any) -> None:
    log = opened(LogFile, "full", "/dev", rotateLength=None)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            log.write("x")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of its own, of 64 KiB and four files."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = "size=64k,nr_inodes=4"  # the folder itself is one of the four
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_is_really_full(small_disk: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(small_disk), rotateLength=10_000)
    refused = 0
    with capturedLogs() as logged:
        for number in range(100):
            try:
                log.write(f"{number:999}\n")
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                refused += 1
    assert any("could not be rotated" in event.get("log_text", "") for event in logged)  # there is room for three files
    lines = "".join(text for _, text in sorted(contents(small_disk).items(), reverse=True)).splitlines()
    assert lines == [f"{number:999}" for number in range(len(lines))]
    assert len(lines) == 100 - refused
    assert 50 <= len(lines) < 100
    max(small_disk.iterdir()).unlink()
    log.write("and on\n")
    assert (small_disk / "log").read_text().endswith("and on\n")


# --- rarer things --------------------------------------------------------------------------------------------------------


def test_where_a_part_cannot_be_taken_back_it_is_counted(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(monkeypatch)
    monkeypatch.setattr(io.FileIO, "truncate", lambda *_: os.truncate("/nowhere/at/all", 0), raising=False)
    log = opened(LogFile, "log", str(tmp_path))
    disk.left = 2
    with pytest.raises(OSError, match="No space left"):
        log.write("mine")
    assert log.size == 2
    disk.left = 100
    log.write("!")
    assert contents(tmp_path) == {"log": "mi!"}


@posix
def test_a_pipe_that_takes_no_more(tmp_path: Path, opened: Any) -> None:
    os.mkfifo(tmp_path / "log")
    log = opened(LogFile, "log", str(tmp_path), rotateLength=None)
    log.write("one\n")
    os.set_blocking(log._file.fileno(), False)
    with pytest.raises(BlockingIOError, match="takes no more"):
        log.write("x" * 10_000_000)
    assert os.read(log._file.fileno(), 4) == b"one\n"


def test_a_file_whose_mode_cannot_be_changed_is_written_to(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "chmod", lambda *_: True, errno.EPERM)
    opened(LogFile, "log", str(tmp_path), defaultMode=0o600).write("x")
    assert contents(tmp_path) == {"log": "x"}


def test_what_a_signal_asks_for_at_the_last_moment_is_done(tmp_path: Path, opened: Any) -> None:
    log = opened(LogFile, "log", str(tmp_path))

    class Waiting(list[Any]):
        """Is found empty, and is not any more when the next one looks."""

        looked = False

        def __bool__(self) -> bool:
            if not self.looked:
                self.looked = True
                self.append(lambda: log._write(b"late"))
                return False
            return len(self) > 0

    log._waiting = Waiting()
    log.write("first ")
    assert contents(tmp_path) == {"log": "first late"}


def test_where_open_files_cannot_be_renamed_they_are_closed_before(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(LogFile, "log", str(tmp_path))
    log.write("one")
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        log.rotate()
        log.write("two")
        failing(patch, "replace", lambda _, name: name.endswith(".1"))
        with pytest.raises(OSError, match="No space left"):
            log.rotate()
        log.write("three")
    assert contents(tmp_path) == {"log": "twothree", "log.2": "one"}
