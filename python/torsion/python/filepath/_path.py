"""Paths in the file system."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode as armor  # by the names that Twisted has for them
from collections.abc import Sequence
from os import urandom as randomBytes  # noqa: N812 - Twisted's name for it
from typing import IO, Any, AnyStr, cast

from zope.interface import implementer

from ._abstract import AbstractFilePath, FileMode
from ._errors import InsecurePath, LinkError
from ._interfaces import IFilePath
from ._moving import copy, move
from ._names import OtherAnyStr, checked, coerced, is_beneath
from ._status import FileStatus


@implementer(IFilePath)
class FilePath(FileStatus[AnyStr], AbstractFilePath[AnyStr]):
    """A path in the file system, absolute and normalised when it is made.

    It is text or bytes, as it was made; what is derived from it has the type of the argument that it was derived with.
    Paths are compared, and ordered, by their class and text. The file's status is asked for once and remembered, that
    nothing is there aside: :meth:`changed` and :meth:`restat` forget it.

    :meth:`child` and :meth:`descendant` are safe for names that strangers send: they refuse all that is no single name. They look
    at names alone, not at the disk: where somebody else can make symbolic links, ask :meth:`isInside` besides.

    :ivar path: the absolute path.
    :ivar alwaysCreate: whether :meth:`open` makes a new file, and fails if there is one.
    """

    def __init__(self, path: AnyStr | os.PathLike[AnyStr], alwaysCreate: bool = False) -> None:
        """Make a path.

        :param path: relative to the working directory of now, or absolute.
        :param alwaysCreate: whether :meth:`open` makes a new file, and fails if there is one.
        """
        self.path = os.path.abspath(os.fspath(path))
        self.alwaysCreate = alwaysCreate

    def __fspath__(self) -> AnyStr:
        return self.path

    def __repr__(self) -> str:
        return f"FilePath({self.path!r})"

    def __hash__(self) -> int:
        return hash((self.__class__, self.path))

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, FilePath) else NotImplemented

    def __lt__(self, other: FilePath[AnyStr]) -> bool:
        return self.path < other.path if isinstance(other, FilePath) else NotImplemented

    def __le__(self, other: FilePath[AnyStr]) -> bool:
        return self.path <= other.path if isinstance(other, FilePath) else NotImplemented

    def __gt__(self, other: FilePath[AnyStr]) -> bool:
        return self.path > other.path if isinstance(other, FilePath) else NotImplemented

    def __ge__(self, other: FilePath[AnyStr]) -> bool:
        return self.path >= other.path if isinstance(other, FilePath) else NotImplemented

    @property
    def sep(self) -> AnyStr:
        """What separates the segments of this path."""
        return coerced(os.sep, self.path)

    def clonePath(self, path: OtherAnyStr, alwaysCreate: bool = False) -> FilePath[OtherAnyStr]:
        """Return a path like this one, elsewhere; subclasses override it to have derived paths be of their kind."""
        return FilePath(path, alwaysCreate)

    def asBytesMode(self, encoding: str | None = None) -> FilePath[bytes]:
        """Return this path as bytes.

        :param encoding: by default the file system's, which takes what is no text unchanged.
        :raise UnicodeError: if *encoding* lacks a character.
        """
        if isinstance(self.path, bytes):
            return self
        return self.clonePath(self.path.encode(encoding) if encoding else os.fsencode(self.path))

    def asTextMode(self, encoding: str | None = None) -> FilePath[str]:
        """Return this path as text.

        :param encoding: by default the file system's, which takes what is no text unchanged.
        :raise UnicodeError: if it is no text in *encoding*.
        """
        if isinstance(self.path, str):
            return self
        return self.clonePath(self.path.decode(encoding) if encoding else os.fsdecode(self.path))

    # --- names beneath ------------------------------------------------------------------------------------------------

    def child(self, path: OtherAnyStr) -> FilePath[OtherAnyStr]:
        """Return the path of the entry *path* of this directory, which need not exist; ``"."`` is the directory itself.

        :raise InsecurePath: if *path* is absolute, leads out of the directory or further than one level into it, has a NUL, or
            cannot be a file's name; on Windows also if it names a drive, a stream or a device.
        """
        name = checked(path)
        here = coerced(self.path, name)
        if coerced(os.sep, name) in name or name == coerced(os.pardir, name):
            raise InsecurePath(f"{path!r} is not the name of an entry of {self.path!r}")
        return self.clonePath(os.path.normpath(os.path.join(here, name)))

    def descendant(self, segments: Sequence[Any]) -> FilePath[Any]:
        """Return the child of the child of ... of this directory; each segment is as safe as with :meth:`child`."""
        path: FilePath[Any] = self
        for segment in segments:
            path = path.child(segment)
        return path

    def preauthChild(self, path: OtherAnyStr) -> FilePath[OtherAnyStr]:
        """Return the path at *path*, which may have several segments, seen from this directory.

        :raise InsecurePath: if it is absolute, leads out of the directory, has a NUL, or cannot be a file's name; on Windows
            also if it names a drive, a stream or a device.
        """
        here = coerced(self.path, path)
        there = os.path.abspath(os.path.join(here, checked(path)))
        if not is_beneath(there, here):
            raise InsecurePath(f"{path!r} leads out of {self.path!r}")
        return self.clonePath(there)

    def childSearchPreauth(self, *paths: OtherAnyStr) -> FilePath[OtherAnyStr] | None:
        """Return the first of *paths*, by :meth:`preauthChild`, at which there is something; else ``None``."""
        return next((found for found in map(self.preauthChild, paths) if found.exists()), None)

    def isInside(self, ancestor: FilePath[Any]) -> bool:
        """Return whether this path is *ancestor* or beneath it when all symbolic links have been followed.

        It tells how things are now: who can change the links can change them once more before the file is opened.
        """
        return is_beneath(os.fsdecode(os.path.realpath(self.path)), os.fsdecode(os.path.realpath(ancestor.path)))

    def globChildren(self, pattern: OtherAnyStr) -> list[FilePath[OtherAnyStr]]:
        """Return the paths beneath this directory that *pattern* fits, as in ``"*.txt"``; see :mod:`glob`."""
        import glob

        here = glob.escape(coerced(self.path, pattern))
        return [self.clonePath(found) for found in glob.glob(os.path.join(here, pattern))]

    # --- names beside, and above --------------------------------------------------------------------------------------

    def sibling(self, path: OtherAnyStr) -> FilePath[OtherAnyStr]:
        """Return the path of the entry *path* of the directory that this is in."""
        return self.parent().child(path)

    def siblingExtension(self, ext: OtherAnyStr) -> FilePath[OtherAnyStr]:
        """Return the path that this one is with *ext* put to its end."""
        return self.clonePath(coerced(self.path, ext) + ext)

    def siblingExtensionSearch(self, *exts: OtherAnyStr) -> FilePath[OtherAnyStr] | None:
        """Return the first path at which there is something, of this one with each of *exts* put to its end; else ``None``.

        An extension ``"*"`` stands for any that begins with a dot, and ``""`` for this path itself.
        """
        for ext in exts:
            if ext == coerced("*", ext):
                start = coerced(self.basename(), ext) + coerced(".", ext)
                for name in sorted(coerced(each, ext) for each in self.parent().listdir()):
                    if name.startswith(start):
                        return self.sibling(name)
                continue
            found = self.siblingExtension(ext)
            if found.exists():
                return found
        return None

    def temporarySibling(self, extension: OtherAnyStr | None = None) -> FilePath[OtherAnyStr]:
        """Return a path beside this one with a name that nobody can guess, and *extension* at its end."""
        ending: Any = coerced("", self.path) if extension is None else extension
        unique = coerced(armor(randomBytes(12)).decode("ascii"), ending)
        return cast("FilePath[OtherAnyStr]", self.sibling(unique + coerced(self.basename(), ending) + ending))

    def basename(self) -> AnyStr:
        """Return the last segment."""
        return os.path.basename(self.path)

    def dirname(self) -> AnyStr:
        """Return the path without its last segment."""
        return os.path.dirname(self.path)

    def parent(self) -> FilePath[AnyStr]:
        """Return the path of the directory that this is in; the root's is itself."""
        return self.clonePath(self.dirname())

    def splitext(self) -> tuple[AnyStr, AnyStr]:
        """Return the path without its extension, and the extension with its dot."""
        return os.path.splitext(self.path)

    def realpath(self) -> FilePath[AnyStr]:
        """Return the path without symbolic links.

        :raise LinkError: if they lead back to where they started.
        """
        found = os.path.realpath(self.path)
        if os.path.islink(found):
            raise LinkError(f"{self.path!r}: its links lead back to where they started")
        return self.clonePath(found)

    def _identity(self) -> Any:
        return os.path.realpath(self.path)

    # --- reading and changing -----------------------------------------------------------------------------------------

    def listdir(self) -> list[AnyStr]:
        """Return the names of the directory's entries, in no order."""
        return os.listdir(self.path)

    def open(self, mode: FileMode = "r") -> IO[bytes]:
        """Open the file in binary mode, and return it.

        :param mode: ``"r"``, ``"w"`` or ``"a"``, and perhaps a ``"+"``. Where :attr:`alwaysCreate` is set a new file is made.
        :raise ValueError: if it is to be appended to, and always made anew.
        """
        if self.alwaysCreate:
            if "a" in mode:
                raise ValueError(f"{self.path!r} is always to be made anew, so it cannot be appended to")
            return self.create()
        return cast("IO[bytes]", open(self.path, mode.replace("b", "") + "b"))

    def create(self) -> IO[bytes]:
        """Make the file, and return it opened to write and to read.

        :raise FileExistsError: if there is something already, be it a symbolic link that leads nowhere.
        """
        file = open(self.path, "x+b")  # noqa: SIM115 - the caller closes it
        self.changed()
        return cast("IO[bytes]", file)

    def requireCreate(self, val: bool = True) -> None:
        """Set :attr:`alwaysCreate`."""
        self.alwaysCreate = val

    def touch(self) -> None:
        """Make an empty file, or have the one that there is be changed now."""
        with open(self.path, "ab"):
            pass
        os.utime(self.path, None)
        self.changed()

    def setContent(self, content: bytes, ext: Any = b".new", durable: bool = False) -> None:
        """Have the file hold *content*: whoever opens it meanwhile sees the old content or the new, whole.

        The content is written beside the file, under a name of its own, which is then renamed. If it cannot be written, the old
        file stays as it is. The new one has the permissions that a new file has.

        :param ext: what that name ends with.
        :param durable: whether to wait until content and name are on the disk. Without it, a computer that loses power
            soon after may come back with the old content; with most file systems not with half of the new one.
        """
        written: FilePath[Any] = self.temporarySibling(ext)
        try:
            with written.open("w") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(written.path, coerced(self.path, written.path))
        except BaseException:
            try:
                os.unlink(written.path)
            except OSError:
                pass
            raise
        self.changed()
        if durable and os.name == "posix":
            folder = os.open(self.dirname() or coerced(os.curdir, self.path), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def createDirectory(self) -> None:
        """Make a directory."""
        os.mkdir(self.path)
        self.changed()

    def makedirs(self, ignoreExistingDirectory: bool = False) -> None:
        """Make a directory, and those that it is in where they lack.

        :param ignoreExistingDirectory: whether it is well if it exists; otherwise that is :class:`FileExistsError`.
        """
        self.changed()
        try:
            os.makedirs(self.path)
        except FileExistsError:
            if not (ignoreExistingDirectory and self.isdir()):
                raise
        self.changed()

    def linkTo(self, linkFilePath: FilePath[Any]) -> None:
        """Make a symbolic link at *linkFilePath* that leads here."""
        os.symlink(self.path, coerced(linkFilePath.path, self.path))
        linkFilePath.changed()

    def chmod(self, mode: int) -> None:
        """Set the permissions."""
        os.chmod(self.path, mode)
        self.changed()

    def remove(self) -> None:
        """Remove the file, or the directory with all that is in it; of a symbolic link, the link."""
        if self.isdir() and not self.islink():
            import shutil

            shutil.rmtree(self.path)
        else:
            os.remove(self.path)
        self.changed()

    def copyTo(self, destination: FilePath[Any], followLinks: bool = True) -> None:
        """Copy the file, or the directory with all that is in it, to *destination*; into it, if that is a directory.

        Permissions and times are not copied.

        :param followLinks: whether what symbolic links lead to is copied, instead of the links.
        :raise OSError: if there is nothing, or it cannot be read or written, or a directory would be copied into itself.
        :raise LinkError: if links lead back to a directory that they are in.
        :raise NotImplementedError: if it is neither a file nor a directory.
        """
        copy(self, destination, followLinks)

    def moveTo(self, destination: FilePath[Any], followLinks: bool = True) -> None:
        """Rename the file or directory; between file systems, copy it under another name, rename that, and remove the old one.

        :param followLinks: between file systems, whether what symbolic links lead to is copied, instead of the links.
        """
        move(self, destination, followLinks)
