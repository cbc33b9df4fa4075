"""A lock that other processes see: a symbolic link whose target is the number of the process that holds it."""

# ruff: noqa: PTH107, PTH115, PTH123, PTH211 - the steps are functions of text paths, replaced one by one by tests

from __future__ import annotations

import os
import sys
from collections.abc import Callable

__all__ = ["FilesystemLock", "isLocked"]

# Module attributes, so that the lock's steps can be watched and disturbed one by one in tests.
kill: Callable[[int, int], None] | None
if sys.platform == "win32":
    # Links need a privilege there, and there is no harmless signal to ask a process with.
    kill = None

    def symlink(src: str, dst: str) -> None:
        """Make the file *dst* with the text *src*; raise FileExistsError if there is one."""
        with open(dst, "x", encoding="ascii") as file:
            file.write(src)

    def readlink(path: str) -> str:
        """Return the text of the file *path*."""
        with open(path, encoding="ascii") as file:
            return file.read()

else:
    from os import kill, readlink, symlink

from os import remove as rmlink  # noqa: E402 - below the check for Windows


class FilesystemLock:
    """A lock between processes, known by a file name.

    A lock that a process held when it died is taken over, and :attr:`clean` tells so.  (Not on Windows, where such a
    file must be removed by hand.)

    :ivar name: the file.
    :ivar locked: whether this object holds the lock.
    :ivar clean: whether the previous holder had released it, when this object took it.
    """

    clean: bool | None = None
    locked: bool = False

    def __init__(self, name: str) -> None:
        """Make a lock on the file *name*, not yet held."""
        self.name = name

    def lock(self) -> bool:
        """Take the lock, without waiting.

        :return: whether that was done; false if another process, or another object of this one, holds it.
        :raise OSError: if the file cannot be made or looked at, or the holder not be asked for.
        :raise ValueError: if the link does not name a process.
        """
        clean = True
        while True:
            try:
                symlink(str(os.getpid()), self.name)
            except FileExistsError:
                if kill is None:
                    return False
                try:
                    holder = readlink(self.name)
                    if self._lives(holder):
                        return False
                    # Another process may have come to the same conclusion, and have taken the lock by now.
                    if readlink(self.name) == holder:
                        rmlink(self.name)
                        clean = False
                except FileNotFoundError:
                    pass
            else:
                self.locked = True
                self.clean = clean
                return True

    def _lives(self, holder: str) -> bool:
        if not holder.isdecimal():
            raise ValueError(
                f"{self.name} does not name the process that holds the lock but {holder!r}: remove it by hand"
            )
        try:
            assert kill is not None
            kill(int(holder), 0)
        except ProcessLookupError:
            return False
        return True

    def unlock(self) -> None:
        """Release the lock.

        :raise ValueError: if another process holds it.
        :raise OSError: if the file cannot be looked at or removed.
        """
        holder = readlink(self.name)
        if holder != str(os.getpid()):
            raise ValueError(f"the lock {self.name} is held by process {holder}, not by this one")
        rmlink(self.name)
        self.locked = False


def isLocked(name: str) -> bool:
    """Return whether somebody holds the lock on the file *name*, by trying to take it.

    :raise OSError: as :meth:`FilesystemLock.lock` does.
    """
    lock = FilesystemLock(name)
    free = lock.lock()
    if free:
        lock.unlock()
    return not free
