"""Paths within zip archives, read as if they were directories."""

from __future__ import annotations

import errno
import os.path
import time
from typing import IO, Any, AnyStr, Generic, TypeVar, cast
from zipfile import ZipFile, ZipInfo

from zope.interface import implementer

from torsion.python.filepath import AbstractFilePath, FileMode, FilePath, IFilePath

__all__ = ["ZIP_PATH_SEP", "ZipArchive", "ZipPath"]

ZIP_PATH_SEP = "/"
"""What separates the segments of a path within an archive, on every system."""

OtherAnyStr = TypeVar("OtherAnyStr", str, bytes)
ArchiveStr = TypeVar("ArchiveStr", str, bytes)


@implementer(IFilePath)
class ZipPath(AbstractFilePath[AnyStr], Generic[AnyStr, ArchiveStr]):
    """A path within a zip archive.

    ``".."`` and the like are names as any other there, and nothing is refused: an archive has no outside. Do not use
    :attr:`path` with other functions, to which they mean something.

    :ivar archive: the archive.
    :ivar pathInArchive: the path from its root, with slashes.
    :ivar path: the path with that of the archive before it.
    """

    def __init__(self, archive: ZipArchive[ArchiveStr], pathInArchive: AnyStr) -> None:
        """Make a path; *pathInArchive* has slashes, on every system."""
        self.archive: ZipArchive[ArchiveStr] = archive
        self.pathInArchive: AnyStr = pathInArchive
        segments = self._text().split(ZIP_PATH_SEP)
        self.path: AnyStr = _like(os.path.join(archive._filename, *segments), pathInArchive)

    def _text(self) -> str:
        return os.fsdecode(self.pathInArchive)

    def _info(self) -> ZipInfo:
        try:
            return self.archive.zipfile.getinfo(self._text())
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "not in the archive", self.path) from None

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, ZipPath) else NotImplemented

    def __lt__(self, other: ZipPath[Any, Any]) -> bool:
        return self._key() < other._key() if isinstance(other, ZipPath) else NotImplemented

    def __le__(self, other: ZipPath[Any, Any]) -> bool:
        return self._key() <= other._key() if isinstance(other, ZipPath) else NotImplemented

    def __gt__(self, other: ZipPath[Any, Any]) -> bool:
        return self._key() > other._key() if isinstance(other, ZipPath) else NotImplemented

    def __ge__(self, other: ZipPath[Any, Any]) -> bool:
        return self._key() >= other._key() if isinstance(other, ZipPath) else NotImplemented

    def __hash__(self) -> int:
        return hash((ZipPath, self._key()))

    def _key(self) -> tuple[str, str]:
        return self.archive._filename, self._text()

    def __repr__(self) -> str:
        return f"ZipPath({os.path.abspath(self.path)!r})" if ".." not in self._text() else f"ZipPath({self.path!r})"

    @property
    def sep(self) -> AnyStr:
        """What separates the segments of :attr:`pathInArchive`."""
        return _like(ZIP_PATH_SEP, self.pathInArchive)

    def child(self, path: OtherAnyStr) -> ZipPath[OtherAnyStr, ArchiveStr]:
        """Return the path of the entry *path* of this directory."""
        here = self._text()
        name = os.fsdecode(path)
        return ZipPath(self.archive, _like(f"{here}{ZIP_PATH_SEP}{name}" if here else name, path))

    def sibling(self, path: OtherAnyStr) -> ZipPath[OtherAnyStr, ArchiveStr]:
        """Return the path of the entry *path* of the directory that this is in."""
        return cast("ZipPath[OtherAnyStr, ArchiveStr]", self.parent().child(path))

    def parent(self) -> ZipPath[Any, ArchiveStr]:
        """Return the path of the directory that this is in; that of the archive's root is the archive."""
        above, _, _ = self._text().rpartition(ZIP_PATH_SEP)
        return ZipPath(self.archive, _like(above, self.pathInArchive)) if above else self.archive

    def basename(self) -> AnyStr:
        """Return the last segment."""
        return _like(self._text().rpartition(ZIP_PATH_SEP)[2], self.pathInArchive)

    def dirname(self) -> AnyStr:
        """Return :attr:`path` without its last segment."""
        return os.path.dirname(self.path)

    def splitext(self) -> tuple[AnyStr, AnyStr]:
        """Return :attr:`path` without its extension, and the extension with its dot."""
        return os.path.splitext(self.path)

    def exists(self) -> bool:
        """Return whether there is a file or directory."""
        return self.isdir() or self.isfile()

    def isdir(self) -> bool:
        """Return whether there is a directory: something that others are in."""
        return self._text() in self.archive._folders

    def isfile(self) -> bool:
        """Return whether there is a file."""
        return self._text() in self.archive.zipfile.NameToInfo and not self.isdir()

    def islink(self) -> bool:
        """Return ``False``: links are files here."""
        return False

    def listdir(self) -> list[AnyStr]:
        """Return the names of the directory's entries.

        :raise OSError: if it is no directory.
        """
        if not self.isdir():
            if self.isfile():
                raise NotADirectoryError(errno.ENOTDIR, "not a directory", self.path)
            raise FileNotFoundError(errno.ENOENT, "not in the archive", self.path)
        return [_like(name, self.pathInArchive) for name in self.archive._folders[self._text()]]

    def open(self, mode: FileMode = "r", password: bytes | None = None) -> IO[bytes]:
        """Open the file, to read it.

        :param password: what it is encrypted with, if it is.
        :raise OSError: if it is not there, or is to be written.
        """
        if mode != "r":
            raise OSError(errno.EROFS, f"what is in an archive can be read only, not opened with {mode!r}", self.path)
        return self.archive.zipfile.open(self._info(), pwd=password)

    def changed(self) -> None:
        """Do nothing: an archive is read once."""

    def getsize(self) -> int:
        """Return the file's size in bytes, unpacked."""
        return self._info().file_size

    def getAccessTime(self) -> float:
        """Return when the archive was read, in seconds since the epoch."""
        return self.archive.getAccessTime()

    def getModificationTime(self) -> float:
        """Return when the file was changed, in seconds since the epoch; to two seconds, and in this computer's time zone."""
        return float(time.mktime((*self._info().date_time, 0, 0, -1)))

    def getStatusChangeTime(self) -> float:
        """Return when the file was changed, in seconds since the epoch."""
        return self.getModificationTime()


class ZipArchive(ZipPath[ArchiveStr, ArchiveStr]):
    """A zip archive; as a path, its root. Its directory is read once, when it is made.

    :ivar zipfile: the archive, open.
    """

    def __init__(self, archivePathname: ArchiveStr) -> None:
        """Open the archive at *archivePathname*.

        :raise OSError: if it cannot be read.
        :raise zipfile.BadZipFile: if it is no archive.
        """
        self.path = archivePathname
        self.pathInArchive = _like("", archivePathname)
        self._filename = os.fsdecode(archivePathname)
        self.zipfile = ZipFile(self._filename)
        # From each directory to the names in it; archives need not list directories.
        self._folders: dict[str, dict[str, None]] = {"": {}}
        for name in self.zipfile.namelist():
            segments = name.rstrip(ZIP_PATH_SEP).split(ZIP_PATH_SEP)
            if name.endswith(ZIP_PATH_SEP):
                self._folders.setdefault(ZIP_PATH_SEP.join(segments), {})
            for length in range(len(segments), 0, -1):
                above = ZIP_PATH_SEP.join(segments[: length - 1])
                self._folders.setdefault(above, {})[segments[length - 1]] = None

    @property
    def archive(self) -> ZipArchive[ArchiveStr]:  # type: ignore[override]  # an attribute of other paths; this is its own
        """The archive itself."""
        return self

    def __repr__(self) -> str:
        return f"ZipArchive({os.path.abspath(self.path)!r})"

    def child(self, path: OtherAnyStr) -> ZipPath[OtherAnyStr, ArchiveStr]:
        """Return the path of the entry *path* of the archive's root."""
        return ZipPath(self, path)

    def exists(self) -> bool:
        """Return whether the archive is still there."""
        return FilePath(self._filename).exists()

    def getAccessTime(self) -> float:
        """Return when the archive was read, in seconds since the epoch."""
        return FilePath(self._filename).getAccessTime()

    def getModificationTime(self) -> float:
        """Return when the archive was changed, in seconds since the epoch."""
        return FilePath(self._filename).getModificationTime()

    def getStatusChangeTime(self) -> float:
        """Return when the archive's status was changed, in seconds since the epoch."""
        return FilePath(self._filename).getStatusChangeTime()


def _like(path: str, like: OtherAnyStr) -> OtherAnyStr:
    if isinstance(like, bytes):
        return os.fsencode(path)
    return path
