"""``INotify``: changes to files and folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.harness import pause, until

if not sys.platform.startswith("linux"):
    pytest.skip("inotify is Linux's own", allow_module_level=True)

from torsion.internet import inotify


class Watcher:
    """Notes what it is told."""

    def __init__(self, reactor: Any, path: Path, **options: Any) -> None:
        self.seen: list[tuple[Path, set[str]]] = []
        self.inotify = inotify.INotify(reactor)
        self.inotify.startReading()
        self.inotify.watch(path, callbacks=[self.note], **options)

    def note(self, watcher: Any, path: Path, mask: int) -> None:
        assert watcher is self.inotify
        self.seen.append((path, set(inotify.humanReadableMask(mask))))

    def names(self) -> set[str]:
        return {path.name for path, _ in self.seen}


def test_a_file_that_is_made_changed_and_deleted(reactor, run, tmp_path):
    async def scenario():
        watcher = Watcher(reactor, tmp_path)
        path = tmp_path / "ä"
        path.write_bytes(b"content")
        path.unlink()
        await until(reactor, lambda: watcher.seen and "delete" in watcher.seen[-1][1])
        watcher.inotify.loseConnection()
        return [(seen.name, sorted(kinds)) for seen, kinds in watcher.seen]

    assert run(scenario) == [("ä", ["create"]), ("ä", ["modify"]), ("ä", ["delete"])]


def test_an_ignored_path_is_quiet(reactor, run, tmp_path):
    async def scenario():
        watcher = Watcher(reactor, tmp_path)
        assert watcher.inotify.isWatched(tmp_path)
        watcher.inotify.ignore(tmp_path)
        (tmp_path / "file").touch()
        await pause(reactor, 0.02)
        assert watcher.seen == []
        with pytest.raises(KeyError):
            watcher.inotify.ignore(tmp_path)
        watcher.inotify.loseConnection()

    run(scenario)


def test_folders_made_later(reactor, run, tmp_path):
    """What was put into a new folder before it was watched is told, too."""

    async def scenario():
        watcher = Watcher(reactor, tmp_path, autoAdd=True)
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "b" / "early").touch()
        await until(reactor, lambda: "early" in watcher.names())
        assert watcher.inotify.isWatched(tmp_path / "a" / "b")
        (tmp_path / "a" / "b" / "late").touch()
        await until(reactor, lambda: "late" in watcher.names())
        watcher.inotify.loseConnection()

    run(scenario)


def test_folders_that_are_there(reactor, run, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)

    async def scenario():
        watcher = Watcher(reactor, tmp_path, recursive=True)
        (tmp_path / "a" / "b" / "deep").touch()
        await until(reactor, lambda: "deep" in watcher.names())
        watcher.inotify.loseConnection()

    run(scenario)


def test_the_end_of_all_that_is_watched_is_the_watchers(reactor, run, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    async def scenario():
        watcher = Watcher(reactor, folder, mask=0)
        folder.rmdir()
        await until(reactor, lambda: not watcher.inotify.connected)
        assert watcher.inotify.fileno() == -1
        return [sorted(kinds) for _, kinds in watcher.seen]

    assert run(scenario) == [["delete_self"]]


def test_what_a_callback_raises_is_logged(reactor, run, logged, tmp_path):
    def fail(*_: Any) -> None:
        raise ValueError("on purpose")

    async def scenario():
        watcher = Watcher(reactor, tmp_path)
        watcher.inotify.watch(tmp_path, callbacks=[fail])
        watcher.inotify.watch(tmp_path, callbacks=[lambda *args: heard.append(args)])
        (tmp_path / "file").mkdir()
        await until(reactor, lambda: heard)
        watcher.inotify.loseConnection()

    heard: list[Any] = []
    run(scenario)
    assert logged.take(ValueError)


def test_a_path_that_is_not_there_is_named(reactor, tmp_path):
    watcher = inotify.INotify(reactor)
    with pytest.raises(inotify.INotifyError, match="nothing-here: No such file"):
        watcher.watch(tmp_path / "nothing-here")
    watcher.loseConnection()


def test_a_queue_closed_behind_our_back_ends(reactor, run, tmp_path, logged):
    async def scenario():
        watcher = Watcher(reactor, tmp_path)
        os.close(watcher.inotify.fileno())
        watcher.inotify.loseConnection()
        assert watcher.inotify.fileno() == -1

    run(scenario)
    assert logged.take(OSError)
