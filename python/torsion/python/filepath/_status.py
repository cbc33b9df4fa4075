"""What the system knows of a file."""

from __future__ import annotations

import os
import stat
from typing import Any, AnyStr, Generic

from ._names import WINDOWS
from ._permissions import Permissions


class FileStatus(Generic[AnyStr]):
    """A file's status, asked for once and remembered; that there is nothing is not remembered."""

    path: AnyStr
    _statinfo: os.stat_result | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What was remembered of the file is not pickled."""
        return {name: value for name, value in self.__dict__.items() if name != "_statinfo"}

    def changed(self) -> None:
        """Forget what is remembered."""
        self._statinfo = None

    def restat(self, reraise: bool = True) -> None:
        """Ask anew.

        :param reraise: whether to raise what the system says if it cannot tell; otherwise there is nothing, then.
        """
        self._statinfo = None
        try:
            self._statinfo = os.stat(self.path)
        except (OSError, ValueError):
            # A ValueError is a name that no file can have.
            if reraise:
                raise

    def _known(self) -> os.stat_result:
        if self._statinfo is None:
            self.restat()
        assert self._statinfo is not None
        return self._statinfo

    def _mode(self) -> int:
        """Return the file's kind and permissions, or 0 if there is nothing."""
        if self._statinfo is None:
            self.restat(reraise=False)
        return 0 if self._statinfo is None else self._statinfo.st_mode

    def exists(self) -> bool:
        """Return whether there is something; of a symbolic link, where it leads."""
        return self._mode() != 0

    def isdir(self) -> bool:
        """Return whether there is a directory."""
        return stat.S_ISDIR(self._mode())

    def isfile(self) -> bool:
        """Return whether there is a regular file."""
        return stat.S_ISREG(self._mode())

    def isBlockDevice(self) -> bool:
        """Return whether there is a block device."""
        return stat.S_ISBLK(self._mode())

    def isSocket(self) -> bool:
        """Return whether there is a socket."""
        return stat.S_ISSOCK(self._mode())

    def islink(self) -> bool:
        """Return whether there is a symbolic link; this is asked anew each time."""
        return os.path.islink(self.path)

    def isabs(self) -> bool:
        """Return ``True``: paths are made absolute."""
        return os.path.isabs(self.path)

    def getsize(self) -> int:
        """Return the size in bytes."""
        return self._known().st_size

    def getModificationTime(self) -> float:
        """Return when the content was changed, in seconds since the epoch."""
        return float(self._known().st_mtime)

    def getStatusChangeTime(self) -> float:
        """Return when the status was changed, in seconds since the epoch."""
        return float(self._known().st_ctime)

    def getAccessTime(self) -> float:
        """Return when the file was read, in seconds since the epoch."""
        return float(self._known().st_atime)

    def _posix(self) -> os.stat_result:
        if WINDOWS:
            raise NotImplementedError("Windows does not tell it")
        return self._known()

    def getInodeNumber(self) -> int:
        """Return the number that the file has in its file system.

        :raise NotImplementedError: on Windows.
        """
        return self._posix().st_ino

    def getDevice(self) -> int:
        """Return the number of the device that the file is on.

        :raise NotImplementedError: on Windows.
        """
        return self._posix().st_dev

    def getNumberOfHardLinks(self) -> int:
        """Return how many names the file has.

        :raise NotImplementedError: on Windows.
        """
        return self._posix().st_nlink

    def getUserID(self) -> int:
        """Return the number of the file's owner.

        :raise NotImplementedError: on Windows.
        """
        return self._posix().st_uid

    def getGroupID(self) -> int:
        """Return the number of the file's group.

        :raise NotImplementedError: on Windows.
        """
        return self._posix().st_gid

    def getPermissions(self) -> Permissions:
        """Return who may do what."""
        return Permissions(stat.S_IMODE(self._known().st_mode))
