"""Log files on full disks, and other trouble: whatever happens, what was written is there once, and whole."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from torsion.logger import Logger, LogPublisher, capturedLogs, formatEvent, textFileLogObserver
from torsion.python.logfile import DailyLogFile, LogFile
from unit.python.logfiles import contents, opened, posix

__all__ = ["opened"]  # the fixture


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
