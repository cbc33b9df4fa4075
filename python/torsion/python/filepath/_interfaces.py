"""What every kind of path can do."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface


class IFilePath(Interface):
    """A path in a file system, or in something that has directories and files like one."""

    sep = Attribute("What separates the segments of a path.")

    def child(name: Any) -> Any:
        """Return the path of the entry *name* of this directory.

        :raise InsecurePath: if *name* would lead anywhere else.
        """

    def open(mode: Any = "r") -> Any:
        """Open this file in binary mode; *mode* is ``"r"``, ``"w"`` or ``"a"``, and perhaps a ``"+"``."""

    def changed() -> None:
        """Forget what was remembered of the file's status."""

    def getsize() -> int:
        """Return the file's size in bytes."""

    def getModificationTime() -> float:
        """Return when the content was changed, in seconds since the epoch."""

    def getStatusChangeTime() -> float:
        """Return when the status was changed, in seconds since the epoch."""

    def getAccessTime() -> float:
        """Return when the file was read, in seconds since the epoch."""

    def exists() -> bool:
        """Return whether there is something."""

    def isdir() -> bool:
        """Return whether there is a directory."""

    def isfile() -> bool:
        """Return whether there is a file."""

    def children() -> Any:
        """Return the paths of the directory's entries.

        :raise UnlistableError: if it cannot be listed.
        """

    def basename() -> Any:
        """Return the last segment."""

    def parent() -> Any:
        """Return the path of the directory that this is in; the root's is itself."""

    def sibling(name: Any) -> Any:
        """Return the path of the entry *name* of the directory that this is in."""
