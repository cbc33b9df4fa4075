"""Being told when files change: by watchfiles where it is installed, by inotify on Linux, else by looking."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["LOOK_SECONDS", "SETTLE_SECONDS", "Looking", "Noticing", "Watcher", "WatchingFiles", "watcher"]

_log = Logger("torsion.application.runner")

_Record = tuple[int, int] | None

SETTLE_SECONDS = 0.05
"""For how long nothing may change before a change is told of, in seconds: an editor writes a file in several steps, and a version
control system writes many."""

LOOK_SECONDS = 0.5
"""How often to look where the system does not tell, in seconds: as soon as one would notice, and a hundred looks cost a millisecond."""


BEGIN_MILLISECONDS = 200
"""How long it may take until a change is noticed that happened just when watchfiles began: it says nothing of having begun."""


class Watcher(Protocol):
    """Watches files."""

    def watch(self, files: Iterable[str]) -> None:
        """Watch these files from now on, and no others. To look at them when they have changed is the caller's business."""

    def stop(self) -> None:
        """Watch nothing more."""


class WatchingFiles:
    """Watches by watchfiles, in a thread."""

    def __init__(self, reactor: Any, changed: Callable[[], object]) -> None:
        """Prepare it.

        :param reactor: in whose thread *changed* is called.
        :param changed: called when files have changed.
        :raise ImportError: if watchfiles is not installed.
        """
        from watchfiles import watch

        self._watch = watch
        self._reactor = reactor
        self._changed = changed
        self._stopping = threading.Event()
        self._folders: set[str] = set()

    def watch(self, files: Iterable[str]) -> None:
        """Watch these files."""
        wanted = set(files)
        folders = {folder for folder in map(os.path.dirname, wanted) if os.path.isdir(folder)}  # noqa: PTH112 - texts
        self._files = wanted | {os.path.realpath(file) for file in wanted}  # as some systems tell of them
        if folders == self._folders:
            return
        self.stop()
        self._folders = folders
        self._stopping = threading.Event()
        arguments = folders, {file: _record(file) for file in wanted}, self._stopping
        threading.Thread(target=self._run, args=arguments, name="torsion --reload", daemon=True).start()

    def _run(self, folders: set[str], before: dict[str, _Record], stopping: threading.Event) -> None:
        found = self._watch(
            *folders,
            watch_filter=None,
            step=int(SETTLE_SECONDS * 1000),
            stop_event=stopping,
            rust_timeout=BEGIN_MILLISECONDS,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        began = False
        try:
            for changes in found:
                missed = not began and any(_record(file) != record for file, record in before.items())
                began = True
                if not stopping.is_set() and (missed or any(path in self._files for _, path in changes)):
                    self._reactor.callFromThread(self._changed)
        except OSError:
            _log.failure("Changes of files are noticed no more")

    def stop(self) -> None:
        """Watch nothing more."""
        self._stopping.set()
        self._folders = set()


class Noticing:
    """Watches by ``torsion.internet.inotify``, on Linux."""

    def __init__(self, reactor: Any, changed: Callable[[], object]) -> None:
        """Prepare it.

        :param reactor: watches for it.
        :param changed: called when files have changed.
        :raise torsion.internet.inotify.INotifyError: if the system has no inotify, or has no more of it.
        """
        from torsion.internet.inotify import INotify

        self._reactor = reactor
        self._changed = changed
        self._inotify = INotify(reactor)
        self._inotify.startReading()
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._timer: Any = None

    def watch(self, files: Iterable[str]) -> None:
        """Watch these files."""
        from torsion.internet.inotify import IN_CLOSE_WRITE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO, INotifyError

        mask = IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
        self._files = set(files)
        folders = {os.path.dirname(file) for file in self._files}  # noqa: PTH120 - texts
        for folder in folders - self._folders:
            try:
                self._inotify.watch(Path(folder), mask, callbacks=[self._told])
            except INotifyError as problem:
                _log.warn("Changes there are not noticed: {problem}", problem=problem)
        for folder in self._folders - folders:
            if self._inotify.isWatched(Path(folder)):
                self._inotify.ignore(Path(folder))
        self._folders = folders

    def _told(self, _inotify: object, path: Any, _mask: int) -> None:
        if str(path) not in self._files:
            return
        if self._timer is not None and self._timer.active():
            self._timer.reset(SETTLE_SECONDS)
        else:
            self._timer = self._reactor.callLater(SETTLE_SECONDS, self._changed)

    def stop(self) -> None:
        """Watch nothing more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._inotify.loseConnection()


class Looking:
    """Looks at the files from time to time."""

    def __init__(self, reactor: Any, changed: Callable[[], object]) -> None:
        """Prepare it.

        :param reactor: keeps the time.
        :param changed: called when files have changed.
        """
        self._reactor = reactor
        self._changed = changed
        self._seen: dict[str, _Record] = {}
        self._settling = False
        self._timer = reactor.callLater(LOOK_SECONDS, self._look)

    def watch(self, files: Iterable[str]) -> None:
        """Watch these files."""
        self._seen = {file: self._seen[file] if file in self._seen else _record(file) for file in files}

    def _look(self) -> None:
        seen = {file: _record(file) for file in self._seen}
        changed, self._seen = seen != self._seen, seen
        if changed:
            self._settling = True
        elif self._settling:
            self._settling = False
            self._changed()
        self._timer = self._reactor.callLater(SETTLE_SECONDS if changed else LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Watch nothing more."""
        if self._timer.active():
            self._timer.cancel()


def _record(file: str) -> _Record:
    try:
        status = os.stat(file)  # noqa: PTH116 - a text
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def watcher(reactor: Any, changed: Callable[[], object]) -> Watcher:
    """Return the best watcher that there is here.

    :param reactor: in whose thread *changed* is called.
    :param changed: called when files have changed, and nothing has for a moment.
    """
    try:
        return WatchingFiles(reactor, changed)
    except ImportError:
        pass
    from torsion.internet.inotify import INotifyError

    try:
        return Noticing(reactor, changed)
    except (INotifyError, AttributeError):  # the latter: a reactor that watches no descriptors
        return Looking(reactor, changed)
