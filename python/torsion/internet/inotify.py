"""Being told of changes to files and folders, by Linux's inotify(7).

::

    def notify(watcher, path, mask):
        print(path, humanReadableMask(mask))

    watcher = INotify()
    watcher.startReading()
    watcher.watch(Path("/some/folder"), callbacks=[notify])
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torsion.internet import main
from torsion.internet.abstract import FileDescriptor
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torsion.python.failure import Failure

_log = Logger("torsion.internet.inotify")

# Of <sys/inotify.h>: what happened,
IN_ACCESS = 0x00000001
IN_MODIFY = 0x00000002
IN_ATTRIB = 0x00000004
IN_CLOSE_WRITE = 0x00000008
IN_CLOSE_NOWRITE = 0x00000010
IN_OPEN = 0x00000020
IN_MOVED_FROM = 0x00000040
IN_MOVED_TO = 0x00000080
IN_CREATE = 0x00000100
IN_DELETE = 0x00000200
IN_DELETE_SELF = 0x00000400
IN_MOVE_SELF = 0x00000800
# what comes unasked,
IN_UNMOUNT = 0x00002000
IN_Q_OVERFLOW = 0x00004000
IN_IGNORED = 0x00008000
# how to watch,
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_MASK_ADD = 0x20000000
IN_ISDIR = 0x40000000
IN_ONESHOT = 0x80000000
# and several at once.
IN_CLOSE = IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
IN_MOVED = IN_MOVED_FROM | IN_MOVED_TO
IN_CHANGED = IN_MODIFY | IN_ATTRIB
IN_WATCH_MASK = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_MOVED

_NAMES = {
    IN_ACCESS: "access",
    IN_MODIFY: "modify",
    IN_ATTRIB: "attrib",
    IN_CLOSE_WRITE: "close_write",
    IN_CLOSE_NOWRITE: "close_nowrite",
    IN_OPEN: "open",
    IN_MOVED_FROM: "moved_from",
    IN_MOVED_TO: "moved_to",
    IN_CREATE: "create",
    IN_DELETE: "delete",
    IN_DELETE_SELF: "delete_self",
    IN_MOVE_SELF: "move_self",
    IN_UNMOUNT: "unmount",
    IN_Q_OVERFLOW: "queue_overflow",
    IN_IGNORED: "ignored",
    IN_ONLYDIR: "only_dir",
    IN_DONT_FOLLOW: "dont_follow",
    IN_MASK_ADD: "mask_add",
    IN_ISDIR: "is_dir",
    IN_ONESHOT: "one_shot",
}

_EVENT = struct.Struct("iIII")
"""``struct inotify_event``: the watch, what happened, a cookie, and how long the name is that follows."""

_READ_SIZE = 64 * 1024
"""How much is read at once: some thousand events, of which the largest takes about 270 bytes."""

__all__ = [
    "IN_ACCESS",
    "IN_ATTRIB",
    "IN_CHANGED",
    "IN_CLOSE",
    "IN_CLOSE_NOWRITE",
    "IN_CLOSE_WRITE",
    "IN_CREATE",
    "IN_DELETE",
    "IN_DELETE_SELF",
    "IN_DONT_FOLLOW",
    "IN_IGNORED",
    "IN_ISDIR",
    "IN_MASK_ADD",
    "IN_MODIFY",
    "IN_MOVED",
    "IN_MOVED_FROM",
    "IN_MOVED_TO",
    "IN_MOVE_SELF",
    "IN_ONESHOT",
    "IN_ONLYDIR",
    "IN_OPEN",
    "IN_Q_OVERFLOW",
    "IN_UNMOUNT",
    "IN_WATCH_MASK",
    "INotify",
    "INotifyError",
    "humanReadableMask",
]


class INotifyError(Exception):
    """The system has no inotify, or refused a watch: the message says which path, and why."""


def humanReadableMask(mask: int) -> list[str]:
    """Return the names of what is in *mask*, such as ``["create", "is_dir"]``."""
    return [name for flag, name in _NAMES.items() if mask & flag]


class _System:
    """The three calls of inotify(7)."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._init = library.inotify_init1
            self._add = library.inotify_add_watch
            self._remove = library.inotify_rm_watch
        except AttributeError:
            raise INotifyError("this system has no inotify; it is Linux's own") from None
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)

    def open(self) -> int:
        """Return a descriptor to read events from."""
        return self._checked(self._init(os.O_NONBLOCK | os.O_CLOEXEC), "a queue of events")

    def add(self, descriptor: int, path: bytes, mask: int) -> int:
        """Watch *path*, and return the number that its events have."""
        return self._checked(self._add(descriptor, path, mask), os.fsdecode(path))

    def remove(self, descriptor: int, number: int) -> None:
        """End a watch; one that has ended already is none the less ended."""
        self._remove(descriptor, number)

    @staticmethod
    def _checked(answer: int, what: str) -> int:
        if answer < 0:
            errno = ctypes.get_errno()
            raise INotifyError(f"cannot watch {what}: {os.strerror(errno)}") from OSError(errno, os.strerror(errno))
        return answer


class _Watch:
    """One watched path."""

    def __init__(self, path: Any, mask: int, callbacks: Sequence[Callable[..., Any]], *, auto_add: bool) -> None:
        self.path = path
        self.mask = mask
        self.callbacks = list(callbacks)
        self.auto_add = auto_add


class INotify(FileDescriptor):
    """Tells of changes to the paths that it is given.

    A path is a ``FilePath`` or an ``os.PathLike``; callbacks get paths of the same kind.  Call :meth:`startReading` to begin.
    When nothing is left to watch, since all of it was deleted, it ends.
    """

    def __init__(self, reactor: Any = None) -> None:
        """Open a queue of events.

        :param reactor: what watches it (``IReactorFDSet``); None for the one that runs, or is installed.
        :raises INotifyError: if the system has no inotify, or too many queues are open.
        """
        super().__init__(reactor)
        self._system = _System()
        self._descriptor = self._system.open()
        self._watches: dict[int, _Watch] = {}
        self._numbers: dict[bytes, int] = {}
        self.connected = 1

    # --- what to watch -----------------------------------------------------------------------------------------------

    def watch(
        self,
        path: Any,
        mask: int = IN_WATCH_MASK,
        autoAdd: bool = False,
        callbacks: Sequence[Callable[[INotify, Any, int], Any]] | None = None,
        recursive: bool = False,
    ) -> int:
        """Watch a path; to watch one again only adds *callbacks*.

        :param path: a file or a folder; of a folder, what happens to all that is directly in it.
        :param mask: what to tell of; that the path itself was deleted is told in any case.
        :param autoAdd: watch folders that are made in it, too, and tell of what they have in them by then as created, which
            may be told twice.
        :param callbacks: called with this object, the path and what happened to it.
        :param recursive: watch all folders that are in it now.
        :returns: the number of the watch.
        :raises INotifyError: if there is no such path, or the system refuses.
        """
        if recursive:
            number = self._add(path, mask, autoAdd, callbacks or ())
            for folder in _folders(path):
                self._add(folder, mask, autoAdd, callbacks or ())
            return number
        return self._add(path, mask, autoAdd, callbacks or ())

    def ignore(self, path: Any) -> None:
        """Watch *path* no more.

        :raises KeyError: if it was not watched.
        """
        number = self._numbers[_encoded(path)]
        self._forget(number)
        self._system.remove(self._descriptor, number)

    def isWatched(self, path: Any) -> bool:
        """Tell whether *path* is watched."""
        return _encoded(path) in self._numbers

    def _add(self, path: Any, mask: int, auto_add: bool, callbacks: Sequence[Callable[..., Any]]) -> int:
        number = self._numbers.get(_encoded(path))
        if number is not None:
            self._watches[number].callbacks.extend(callbacks)
            return number
        number = self._system.add(self._descriptor, _encoded(path), mask | IN_DELETE_SELF)
        self._watches[number] = _Watch(path, mask, callbacks, auto_add=auto_add)
        self._numbers[_encoded(path)] = number
        return number

    def _forget(self, number: int) -> None:
        watch = self._watches.pop(number, None)
        if watch is not None:
            self._numbers.pop(_encoded(watch.path), None)

    # --- what happens ------------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the queue's descriptor, or -1 once it is closed."""
        return self._descriptor

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this."""
        return type(self).__name__

    def doRead(self) -> Any:
        """Read the events that have come in, for the reactor."""
        try:
            events = os.read(self._descriptor, _READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return main.CONNECTION_LOST
        position = 0
        while position < len(events) and self._descriptor >= 0:
            number, mask, _cookie, size = _EVENT.unpack_from(events, position)
            position += _EVENT.size + size
            self._happened(number, mask, events[position - size : position].rstrip(b"\0"))
        return None

    def _happened(self, number: int, mask: int, name: bytes) -> None:
        if mask & IN_Q_OVERFLOW:
            _log.warn("Too much happened at once: the system has dropped events of {watcher!r}", watcher=self)
        watch = self._watches.get(number)
        if watch is None:
            return  # ignored since
        path = _child(watch.path, name) if name else watch.path
        if not mask & IN_IGNORED:
            self._tell(watch, path, mask)
        if mask & IN_DELETE_SELF or mask & IN_IGNORED:
            self._forget(number)
            if not self._watches:
                self.loseConnection()
        elif watch.auto_add and mask & IN_ISDIR and mask & IN_CREATE:
            # Later, so that a callback may have its say first.
            self.reactor.callLater(0, self._add_made, path, watch)

    def _tell(self, watch: _Watch, path: Any, mask: int) -> None:
        for callback in list(watch.callbacks):
            try:
                callback(self, path, mask)
            except BaseException:  # noqa: BLE001 - the others are to be told, and the watch to go on
                _log.failure("Unhandled error in {callback!r}", callback=callback)

    def _add_made(self, path: Any, parent: _Watch) -> None:
        """Watch a folder that was made in a watched one, and tell of what was put there before it was watched."""
        if self._descriptor < 0:
            return
        with suppress(INotifyError):  # it is gone again
            self._add(path, parent.mask, True, parent.callbacks)
            for name, is_folder in _entries(path):
                child = _child(path, name)
                self._tell(parent, child, IN_CREATE | (IN_ISDIR if is_folder else 0))
                if is_folder:
                    self._add_made(child, parent)

    # --- the end -----------------------------------------------------------------------------------------------------

    def loseConnection(self, _connDone: Any = main.CONNECTION_DONE) -> None:
        """Watch nothing more, and close."""
        if self.connected:
            from torsion.python.failure import Failure

            self.connectionLost(Failure(_connDone))

    def connectionLost(self, reason: Failure) -> None:
        """Close the queue."""
        if self._descriptor >= 0:
            super().connectionLost(reason)
            descriptor, self._descriptor = self._descriptor, -1
            self._watches.clear()
            self._numbers.clear()
            try:
                os.close(descriptor)
            except OSError:
                _log.failure("Could not close the queue of events {descriptor}", descriptor=descriptor)


# --- paths of two kinds ----------------------------------------------------------------------------------------------


def _encoded(path: Any) -> bytes:
    return os.fsencode(getattr(path, "path", path))


def _child(path: Any, name: bytes) -> Any:
    """Return what *path* has under *name*, as the same kind of path."""
    if hasattr(path, "child"):
        return path.child(name if isinstance(path.path, bytes) else os.fsdecode(name))
    return path / os.fsdecode(name)


def _entries(path: Any) -> list[tuple[bytes, bool]]:
    """Return what is in a folder, and whether each is a folder itself."""
    try:
        with os.scandir(_encoded(path)) as found:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []


def _folders(path: Any) -> Iterator[Any]:
    """Return all folders below *path*."""
    for name, is_folder in _entries(path):
        if is_folder:
            folder = _child(path, name)
            yield folder
            yield from _folders(folder)
