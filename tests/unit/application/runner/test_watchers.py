"""Being told when files change, where nobody tells: by looking. The others are tried by ``tests/operating/test_reload.py``."""

import sys

import pytest

from torsion.application.runner.watchers import LOOK_SECONDS, SETTLE_SECONDS, Looking, Noticing, WatchingFiles, watcher
from torsion.internet.task import Clock
from torsion.internet.testing import MemoryReactorClock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def looking(clock, told):
    return Looking(clock, lambda: told.append(clock.seconds()))


def test_looking_tells_once_nothing_changes_any_more(tmp_path, clock, told, looking):
    file = tmp_path / "a.py"
    file.write_text("1")
    looking.watch([str(file)])
    clock.advance(LOOK_SECONDS)
    assert told == []
    file.write_text("12")
    clock.advance(LOOK_SECONDS)
    assert told == []
    file.write_text("123")
    clock.advance(SETTLE_SECONDS)
    assert told == []
    clock.advance(SETTLE_SECONDS)
    assert len(told) == 1
    clock.pump([LOOK_SECONDS] * 3)
    assert len(told) == 1


def test_looking_notices_files_that_go_and_come(tmp_path, clock, told, looking):
    file = tmp_path / "a.py"
    looking.watch([str(file)])
    file.write_text("1")
    clock.pump([LOOK_SECONDS, SETTLE_SECONDS])
    assert len(told) == 1
    file.unlink()
    clock.pump([LOOK_SECONDS, SETTLE_SECONDS])
    assert len(told) == 2


def test_looking_at_more_files_does_not_forget_what_was_seen(tmp_path, clock, told, looking):
    file, other = tmp_path / "a.py", tmp_path / "b.py"
    looking.watch([str(file)])
    file.write_text("1")
    looking.watch([str(file), str(other)])
    clock.pump([LOOK_SECONDS, SETTLE_SECONDS])
    assert len(told) == 1


def test_looking_ends(clock, looking):
    looking.stop()
    assert clock.getDelayedCalls() == []


def test_the_best_that_there_is(clock, monkeypatch):
    pytest.importorskip("watchfiles", reason="watchfiles is in the dependency group 'test'")
    best = watcher(clock, bool)
    assert isinstance(best, WatchingFiles)
    best.stop()
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    best = watcher(clock, bool)  # a clock watches no descriptors
    assert isinstance(best, Looking)
    best.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's own")
def test_inotify_tells_of_the_files_alone(tmp_path, told):
    clock = MemoryReactorClock()
    noticing = Noticing(clock, lambda: told.append(1))
    file, other = tmp_path / "a.py", tmp_path / "b.py"
    file.write_text("1")
    noticing.watch([str(file)])
    other.write_text("1")
    noticing._inotify.doRead()
    assert clock.getDelayedCalls() == []
    file.write_text("2")
    file.write_text("3")
    noticing._inotify.doRead()
    clock.advance(SETTLE_SECONDS)
    assert told == [1]
    for gone in (file.unlink, lambda: file.rename(other)):
        file.write_text("4")
        noticing._inotify.doRead()
        clock.advance(SETTLE_SECONDS)
        told.clear()
        gone()
        noticing._inotify.doRead()
        clock.advance(SETTLE_SECONDS)
        assert told == [1]
    file.write_text("5")
    noticing._inotify.doRead()
    noticing.stop()
    assert clock.getDelayedCalls() == []
