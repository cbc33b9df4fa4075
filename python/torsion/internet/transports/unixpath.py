"""Paths of Unix sockets: what may be one, the lock beside it, and whose it is to remove."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

from torsion.python.lockfile import FilesystemLock

if TYPE_CHECKING:
    from typing import TypeAlias

    _Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

__all__ = ["LONGEST_PATH", "SocketFile", "check_path", "explain", "is_abstract", "lock_holder", "shown", "socket_path"]

LONGEST_PATH = 107 if sys.platform.startswith("linux") else 103
"""How many bytes the path of a Unix socket may have: what the system's structure for it has room for."""

# ruff: noqa: PTH108 - pathlib takes no bytes


def socket_path(path: _Path) -> bytes:
    """Return *path* as the system takes it.

    :raises TypeError: if it is no path.
    """
    return os.fsencode(path)


def is_abstract(path: bytes) -> bool:
    """Tell whether *path* is a name in Linux's abstract namespace, of which nothing is in the file system."""
    return path[:1] == b"\0"


def check_path(path: bytes) -> None:
    """Refuse what Python's own sockets take for something else than a path.

    :raises OSError: if *path* is empty, has a NUL in it, or is too long.
    """
    if not path or (b"\0" in path and not is_abstract(path)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if len(path) > LONGEST_PATH + is_abstract(path):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def shown(path: bytes) -> str:
    """Return *path* as text."""
    return os.fsdecode(path)


def explain(path: bytes, problem: OSError) -> OSError:
    """Return *problem*, which came of using *path*, with what can be done about it."""
    match problem.errno:
        case errno.ENAMETOOLONG:
            longest = LONGEST_PATH + is_abstract(path)
            advice = f"the path of a Unix socket has {longest} bytes at most, and this has {len(path)}; a relative path may do"
        case errno.EINVAL if not path:
            advice = "the path of a Unix socket cannot be empty"
        case errno.EINVAL if b"\0" in path:
            advice = "a path has no NUL in it; one in front makes it a name in the abstract namespace"
        case errno.EADDRINUSE if not is_abstract(path) and problem.strerror == os.strerror(errno.EADDRINUSE):
            advice = (
                f"{problem.strerror}; if nobody serves there any more, remove the file "
                "(with wantPID=True that is done after a crash)"
            )
        case _:
            return problem
    return OSError(problem.errno, advice)


def _lock_name(path: bytes) -> str:
    return shown(path) + ".lock"


def lock_holder(path: bytes) -> int | None:
    """Return the number of the living process that holds the lock beside *path*; None if there is none."""
    try:
        holder = int(os.readlink(_lock_name(path)))  # noqa: PTH115 - a lock holds no path
        os.kill(holder, 0)
    except PermissionError:  # it lives, and is somebody else's
        return holder
    except (OSError, OverflowError, ValueError):
        return None
    return holder


class SocketFile:
    """The file that a listening Unix socket is known by, and the lock beside it.

    :ivar lock: the lock, if one is wanted.
    """

    def __init__(self, path: bytes, locked: bool) -> None:
        """Know of the file *path*; have a lock beside it if *locked*.  An abstract name has neither file nor lock."""
        self.path = path
        self.lock = FilesystemLock(_lock_name(path)) if locked and not is_abstract(path) else None
        self._identity: tuple[int, int] | None = None
        self._given: tuple[tuple[int, int] | None, bool] | None = None

    def claim(self) -> None:
        """Take the lock, and remove the socket that the lock's previous holder left behind when it died.

        :raises OSError: if a living process holds the lock, or one of these cannot be done.
        :raises ValueError: if the lock does not name a process.
        """
        lock = self.lock
        if lock is None:
            return
        if not lock.lock():
            raise OSError(
                errno.EADDRINUSE,
                f"Address already in use; process {lock_holder(self.path)} holds the lock {lock.name}: end that, or take another path",
            )
        if not lock.clean:
            try:
                if stat.S_ISSOCK(os.lstat(self.path).st_mode):
                    os.unlink(self.path)
            except FileNotFoundError:
                pass
            except BaseException:
                self._unlock()
                raise

    def made(self) -> None:
        """The socket stands: note which file it is."""
        self._identity = self._identify()

    def remove(self) -> None:
        """Remove the socket, unless something else has taken its place, and release the lock.

        :raises OSError, ValueError: if one of these cannot be done; the other is tried in any case.
        """
        identity, self._identity = self._identity, None
        try:
            if identity is not None and identity == self._identify():
                os.unlink(self.path)
        finally:
            self._unlock()

    def give_away(self) -> None:
        """Another process uses the socket: :meth:`remove` is to leave it and its lock from now on."""
        if self._given is None:
            lock = self.lock
            self._given = self._identity, lock is not None and lock.locked
            self._identity = None
            if lock is not None:
                lock.locked = False

    def keep(self) -> None:
        """Undo :meth:`give_away`."""
        if self._given is not None:
            self._identity, locked = self._given
            self._given = None
            if self.lock is not None:
                self.lock.locked = locked

    def inherit(self, mode: int) -> None:
        """Have the file that another process made and left to this one, with its lock, and the permissions *mode*.

        :raises OSError: if that cannot be done.
        """
        lock = self.lock
        if lock is not None:
            # In one step, so that at no time the file is without a living holder.
            taken = f"{lock.name}.{os.getpid()}"
            os.symlink(str(os.getpid()), taken)  # noqa: PTH211 - the link's target is no path
            os.replace(taken, lock.name)  # noqa: PTH105 - as the lock itself does it
            lock.locked, lock.clean = True, True
        self._identity = self._identify()
        if self._identity is not None:
            os.chmod(self.path, mode)  # noqa: PTH101 - pathlib takes no bytes

    def _unlock(self) -> None:
        if self.lock is not None and self.lock.locked:
            self.lock.unlock()

    def _identify(self) -> tuple[int, int] | None:
        if is_abstract(self.path):
            return None
        try:
            status = os.lstat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino
