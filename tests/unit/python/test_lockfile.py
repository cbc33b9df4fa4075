"""The lock between processes, and what other processes may do at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from torsion.python import lockfile
from torsion.python.lockfile import FilesystemLock, isLocked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks are other files there")


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.fixture
def dead() -> int:
    """Return the number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_taken_and_released(name: str) -> None:
    lock = FilesystemLock(name)
    assert not lock.locked
    assert lock.lock()
    assert lock.locked
    assert lock.clean
    assert os.readlink(name) == str(os.getpid())
    lock.unlock()
    assert not lock.locked
    assert not Path(name).is_symlink()


def test_only_one_holds_it(name: str) -> None:
    first, second = FilesystemLock(name), FilesystemLock(name)
    assert first.lock()
    assert not second.lock()
    assert not second.locked
    first.unlock()
    assert second.lock()


def test_is_locked(name: str) -> None:
    assert not isLocked(name)
    lock = FilesystemLock(name)
    lock.lock()
    assert isLocked(name)
    lock.unlock()
    assert not isLocked(name)


def test_a_dead_process_loses_it(name: str, dead: int) -> None:
    os.symlink(str(dead), name)
    lock = FilesystemLock(name)
    assert lock.lock()
    assert lock.clean is False
    assert os.readlink(name) == str(os.getpid())


def test_what_a_living_process_holds_is_not_taken(name: str) -> None:
    os.symlink(str(os.getppid()), name)
    assert not FilesystemLock(name).lock()


def test_released_between_two_looks(name: str, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(str(dead), name)

    def released(path: str) -> str:
        monkeypatch.undo()
        Path(path).unlink()
        return os.readlink(path)

    monkeypatch.setattr(lockfile, "readlink", released)
    lock = FilesystemLock(name)
    assert lock.lock()
    assert lock.clean


def test_cleaned_up_by_another_that_did_not_take_it(name: str, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(str(dead), name)

    def already_gone(path: str) -> None:
        monkeypatch.undo()
        Path(path).unlink()
        Path(path).unlink()

    monkeypatch.setattr(lockfile, "rmlink", already_gone)
    lock = FilesystemLock(name)
    assert lock.lock()
    assert lock.clean


def test_cleaned_up_and_taken_by_another(name: str, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(str(dead), name)

    def overtaken(pid: int, signal: int) -> NoReturn:
        monkeypatch.undo()
        Path(name).unlink()
        os.symlink(str(os.getppid()), name)
        raise ProcessLookupError

    monkeypatch.setattr(lockfile, "kill", overtaken)
    assert not FilesystemLock(name).lock()
    assert os.readlink(name) == str(os.getppid())


@pytest.mark.parametrize("step", ["symlink", "readlink", "kill", "rmlink"])
def test_other_errors_go_through(name: str, dead: int, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(str(dead), name)

    def refused(*args: object) -> NoReturn:
        raise PermissionError("no")

    monkeypatch.setattr(lockfile, step, refused)
    lock = FilesystemLock(name)
    with pytest.raises(PermissionError):
        lock.lock()
    assert not lock.locked


def test_without_a_way_to_ask_nothing_is_taken_over(name: str, dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(str(dead), name)
    monkeypatch.setattr(lockfile, "kill", None)
    assert not FilesystemLock(name).lock()


def test_a_link_that_names_no_process(name: str) -> None:
    os.symlink("../somewhere", name)
    with pytest.raises(ValueError, match="remove it by hand"):
        FilesystemLock(name).lock()


def test_what_another_holds_cannot_be_released(name: str) -> None:
    os.symlink(str(os.getppid()), name)
    with pytest.raises(ValueError, match="not by this one"):
        FilesystemLock(name).unlock()
    Path(name).unlink()
    with pytest.raises(FileNotFoundError):
        FilesystemLock(name).unlock()
