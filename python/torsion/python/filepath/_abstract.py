"""What paths can do that know how to open, to list and to find their neighbours."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, AnyStr, Generic, Literal, Self, TypeVar

from ._errors import LinkError, UnlistableError

FileMode = Literal["r", "w", "a", "r+", "w+", "a+"]
"""How files are opened; always in binary mode."""

Selfish = TypeVar("Selfish", bound="AbstractFilePath[Any]")


class AbstractFilePath(Generic[AnyStr], metaclass=ABCMeta):
    """The part of :class:`IFilePath` that follows from the rest, and more that follows from it.

    :cvar Selfish: a type variable, for methods that return the caller's own type.
    :ivar path: the path itself.
    """

    Selfish = Selfish
    path: AnyStr

    @abstractmethod
    def child(self, path: Any) -> AbstractFilePath[Any]:
        """Return the path of the entry *path* of this directory."""

    @abstractmethod
    def parent(self) -> AbstractFilePath[Any]:
        """Return the path of the directory that this is in."""

    @abstractmethod
    def listdir(self) -> list[AnyStr]:
        """Return the names of the directory's entries, in no order."""

    @abstractmethod
    def open(self, mode: FileMode = "r") -> IO[bytes]:
        """Open the file in binary mode."""

    @abstractmethod
    def isdir(self) -> bool:
        """Return whether there is a directory."""

    @abstractmethod
    def basename(self) -> Any:
        """Return the last segment of the path."""

    @abstractmethod
    def getAccessTime(self) -> float:
        """Return when the file was read, in seconds since the epoch."""

    @abstractmethod
    def getModificationTime(self) -> float:
        """Return when the content was changed, in seconds since the epoch."""

    @abstractmethod
    def getStatusChangeTime(self) -> float:
        """Return when the status was changed, in seconds since the epoch."""

    def getatime(self) -> int:
        """Return :meth:`getAccessTime` in whole seconds."""
        return int(self.getAccessTime())

    def getmtime(self) -> int:
        """Return :meth:`getModificationTime` in whole seconds."""
        return int(self.getModificationTime())

    def getctime(self) -> int:
        """Return :meth:`getStatusChangeTime` in whole seconds."""
        return int(self.getStatusChangeTime())

    def getContent(self) -> bytes:
        """Return the file's whole content."""
        with self.open() as file:
            return file.read()

    def parents(self) -> Iterator[Self]:
        """Give the directory that this is in, the one that that is in, and so on up to the root."""
        path, parent = self, self.parent()
        while path.path != parent.path:
            yield parent  # type: ignore[misc]  # what a path's parent() returns is of its own kind
            path, parent = parent, parent.parent()  # type: ignore[assignment]  # likewise

    def children(self) -> Iterable[Self]:
        """Return the paths of the directory's entries, in no order.

        :raise UnlistableError: if it cannot be listed.
        """
        try:
            names = self.listdir()
        except OSError as error:
            raise UnlistableError(error) from error
        return [self.child(name) for name in names]  # type: ignore[misc]  # a child is of its parent's kind

    def walk(self, descend: Callable[[Self], bool] | None = None) -> Iterator[Self]:
        """Give this path and all beneath it, each directory before what is in it.

        :param descend: called with each directory beneath this one; where it returns false, that is given and not entered.
        :raise LinkError: at a symbolic link to a directory that it is in. A *descend* that refuses links avoids it.
        :raise UnlistableError: at a directory that cannot be listed.
        """
        yield self
        if not self.isdir():
            return
        # One frame, however deep the tree is: the directories that are open, and what is still to come of each.
        inside: list[tuple[Any, Iterator[Self]]] = [(self._identity(), iter(self.children()))]
        while inside:
            path = next(inside[-1][1], None)
            if path is None:
                inside.pop()
                continue
            if not path.isdir() or (descend is not None and not descend(path)):
                yield path
                continue
            identity = path._identity()
            if any(identity == each for each, _ in inside):
                raise LinkError(f"{path.path!r} leads back to a directory that it is in")
            yield path
            inside.append((identity, iter(path.children())))

    def _identity(self) -> Any:
        """Return what is equal for two paths of one directory."""
        return self.path

    def sibling(self, path: Any) -> AbstractFilePath[Any]:
        """Return the path of the entry *path* of the directory that this is in."""
        return self.parent().child(path)

    def descendant(self, segments: Sequence[Any]) -> AbstractFilePath[Any]:
        """Return the child of the child of ... of this directory; each segment is as safe as with :meth:`child`."""
        path: AbstractFilePath[Any] = self
        for segment in segments:
            path = path.child(segment)
        return path

    def segmentsFrom(self, ancestor: Self) -> list[AnyStr]:
        """Return the names that lead from *ancestor* to this path: those that :meth:`descendant` is called with.

        :raise ValueError: if this path is not beneath *ancestor*.
        """
        path: Any = self
        segments: list[AnyStr] = []
        while path != ancestor:
            parent = path.parent()
            if parent == path:
                raise ValueError(f"{ancestor!r} is not a directory that {self!r} is in")
            segments.insert(0, path.basename())
            path = parent
        return segments

    def __hash__(self) -> int:
        return hash((self.__class__, self.path))
