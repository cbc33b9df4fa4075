"""Files and folders as resources."""

from __future__ import annotations

import errno
import os
import stat
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from torsion.logger import Logger
from torsion.python.filepath import FilePath, InsecurePath
from torsion.web.pages import notFound
from torsion.web.resource import Resource, _Forbidden
from torsion.web.static.data import Registry
from torsion.web.static.listing import FolderListing, is_hidden
from torsion.web.static.sending import NO_SUCH, Sending
from torsion.web.static.types import loadMimeTypes

if TYPE_CHECKING:
    from torsion.web.static.listing import DirectoryLister

__all__ = ["File"]

_log = Logger()

_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
"""Names that begin with one of these, and have no separator and no NUL, lead nowhere else (but on Windows, where some are devices)."""


class File(Resource, Sending):  # type: ignore[misc]  # `children` is a method of paths, but an attribute of resources
    """A file, or a folder and all that is in it.

    A client may ask for parts (Range), and for what has changed only (by date or entity tag). A file ``a.css.br``, ``.zst`` or
    ``.gz`` beside ``a.css`` is sent in its place to clients that accept it, if it is not older. A folder is shown by one of
    :attr:`indexNames`, or as a list. What is no name of a file, such as ``..`` or a segment with a slash in it, is
    not found.

    :cvar contentTypes: types by extension.
    :cvar contentEncodings: encodings by extension, for what is asked for by that name.
    :cvar processors: what makes resources of files, by extension: called with path and :attr:`registry`.
    :cvar indexNames: the names of files that show a folder, the best first.
    :cvar childNotFound: the resource in the place of what is not there.
    :cvar forbidden: the resource in the place of what may not be read.
    :cvar precompressed: extensions and codings of files that are sent in the place of others, the best first; empty for none.
    :cvar followLinks: whether symbolic links may lead out of the folder that this began with.
    :cvar hidden: whether what has a name that begins with a dot is served and listed, as Twisted does; ``.well-known`` is in any
        case (RFC 8615).
    :ivar type: the type of the file; by its extension if None.
    :ivar encoding: how it is encoded, or None.
    :ivar defaultType: the type of files whose extension tells none.
    :ivar ignoredExts: extensions that clients may leave out; ``"*"`` for any.
    :ivar registry: for the processors.
    """

    contentTypes: dict[str, str] = loadMimeTypes()
    contentEncodings: ClassVar[dict[str, str]] = {".gz": "gzip", ".bz2": "bzip2"}
    processors: dict[str, Callable[[str, Registry], Any]] = {}  # noqa: RUF012 - a program replaces it, for the class or for one
    indexNames: list[str] = ["index", "index.html", "index.htm", "index.rpy"]  # noqa: RUF012 - as above
    childNotFound: Any = notFound("No Such Resource", "File not found.")
    forbidden: Any = _Forbidden()
    precompressed: tuple[tuple[str, str], ...] = ((".br", "br"), (".zst", "zstd"), (".gz", "gzip"))
    followLinks = False
    hidden = True
    type: str | None = None
    encoding: str | None = None

    def __init__(
        self,
        path: str | bytes | os.PathLike[str],
        defaultType: str = "text/html",
        ignoredExts: Iterable[str] | int = (),
        registry: Registry | None = None,
        allowExt: Any = 0,
    ) -> None:
        """Serve a file or a folder.

        :param path: it; the path is kept as text.
        :param defaultType: the type of files whose extension tells none.
        :param ignoredExts: extensions that clients may leave out.
        :param registry: for the processors; by default one of its own.
        :param allowExt: whether any extension may be left out (deprecated: use *ignoredExts*).
        """
        Resource.__init__(self)
        FilePath.__init__(self, os.fsdecode(path))
        self._top = self.path
        self.defaultType = defaultType
        if allowExt or isinstance(ignoredExts, int):
            warnings.warn("ignoredExts should receive a list, not a boolean", stacklevel=2)
            self.ignoredExts = ["*"] if ignoredExts or allowExt else []
        else:
            self.ignoredExts = list(ignoredExts)
        self.registry = Registry() if registry is None else registry

    def __repr__(self) -> str:
        return f"<File {self.path!r}>"

    def ignoreExt(self, ext: str) -> None:
        """Have clients be free to leave out an extension, too; it comes after those before."""
        self.ignoredExts.append(ext)

    # --- what is in a folder -----------------------------------------------------------------------------------------

    def directoryListing(self) -> DirectoryLister:
        """Return the resource that shows this folder."""
        listing = FolderListing(self.path, None, self.contentTypes, self.contentEncodings, self.defaultType)
        listing.top = None if self.followLinks else self._top
        listing.hidden = self.hidden
        return listing

    def getChild(self, path: Any, request: Any) -> Any:
        """Return the resource for a name in this folder; the empty one is that of the folder itself.

        :param path: the name, in UTF-8; text is taken, too.
        :param request: the request.
        """
        name = path
        if isinstance(path, bytes):
            try:
                name = path.decode("utf-8")
            except UnicodeDecodeError:
                _log.failure("{path} is no name of a file: it is not UTF-8", path=path)
                return self.childNotFound
        if not name:
            return self._folder(request)
        if "/" in name or "\0" in name or (name[0] == "." and not self.hidden and is_hidden(name)):
            return self.childNotFound
        if name[0] in _SAFE and os.sep == "/":
            full = f"{self.path}/{name}"
        else:
            try:
                full = self.child(name).path
            except InsecurePath as error:
                _log.warn("a request was refused, and answered with 404: {error}", error=error)
                return self.childNotFound
        try:
            status: os.stat_result | None = os.lstat(full)
        except OSError as error:
            status = None
            if error.errno not in NO_SUCH:
                if error.errno in (errno.EACCES, errno.EPERM):
                    return self.forbidden
                raise
        except ValueError:  # a name that no file can have
            return self.childNotFound
        if status is None:
            found = self._with_extension(full)
            if found is None:
                return self.childNotFound
            full, status = found
        if stat.S_ISLNK(status.st_mode):
            status = self._behind(full)
            if status is None:
                return self.childNotFound
        if self.processors and (make := self.processors.get(os.path.splitext(full)[1].lower())) is not None:  # noqa: PTH122 - of a text
            return make(full, self.registry)
        child = self.createSimilarFile(full)
        child._statinfo = status
        return child

    def _folder(self, request: Any) -> Any:
        """Return what shows this folder."""
        self.restat(reraise=False)
        if not self.isdir():
            return self.childNotFound
        for name in self.indexNames:
            if os.path.lexists(f"{self.path}/{name}"):
                index = File.getChild(self, name, request)
                if not isinstance(index, File) or index.isfile():
                    return index
        return self.directoryListing()

    def _with_extension(self, full: str) -> tuple[str, os.stat_result] | None:
        """Return the first file that *full* is, but for an extension that may be left out."""
        for extension in self.ignoredExts:
            if extension == "*":
                folder, stem = os.path.split(full)
                try:
                    names = sorted(name for name in os.listdir(folder) if name.startswith(stem + "."))  # noqa: PTH208 - names
                except OSError:
                    return None
            else:
                folder, names = "", [full + extension]
            for name in names:
                path = os.path.join(folder, name)  # noqa: PTH118 - of texts
                try:
                    return path, os.lstat(path)
                except (OSError, ValueError):
                    continue
        return None

    def _behind(self, link: str) -> os.stat_result | None:
        """Return the status of what a symbolic link leads to; None if that is nothing, or outside."""
        try:
            status = os.stat(link)  # noqa: PTH116 - a text
        except OSError as error:
            _log.info("{link} leads nowhere: {error}", link=link, error=error)
            return None
        if self.followLinks:
            return status
        top = os.path.realpath(self._top)
        where = os.path.realpath(link)
        if where == top or where.startswith(top.rstrip(os.sep) + os.sep):
            return status
        _log.warn(
            "a request was refused, and answered with 404: {link} leads out of {top}; File.followLinks allows it",
            link=link, top=self._top,
        )  # fmt: skip
        return None

    def createSimilarFile(self, path: str) -> File:
        """Return a resource like this one for another path."""
        made: File
        if self.__class__ is File:  # as its __init__ does, which costs more than all the rest
            made = File.__new__(File)
            made.children = {}
            made.path, made.alwaysCreate = path, False
            made.defaultType, made.ignoredExts, made.registry = self.defaultType, self.ignoredExts, self.registry
        else:
            made = self.__class__(path, self.defaultType, self.ignoredExts, self.registry)
        made._top = self._top
        mine = self.__dict__
        for name in (
            "contentTypes",
            "processors",
            "indexNames",
            "childNotFound",
            "forbidden",
            "followLinks",
            "hidden",
            "precompressed",
        ):
            if name in mine:
                made.__dict__[name] = mine[name]
        return made

    def listNames(self) -> list[Any]:
        """Return the names that are in the folder, and those that were put."""
        if not self.isdir():
            return []
        found = (name for name in self.listdir() if self.hidden or not is_hidden(name))
        return sorted({*found, *(os.fsdecode(name) for name in self.children)})

    def listEntities(self) -> list[Any]:
        """Return the resources that are in the folder."""
        return [self.createSimilarFile(self.child(name).path) for name in self.listNames()]
