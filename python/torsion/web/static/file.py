"""Files and folders as resources."""

from __future__ import annotations

import errno
import os
import stat
import warnings
from collections.abc import Callable, Iterable
from io import FileIO
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from torsion.logger import Logger
from torsion.python.filepath import FilePath, InsecurePath
from torsion.web.http.request import CACHED
from torsion.web.http.status import FOUND, OK, PARTIAL_CONTENT, REQUESTED_RANGE_NOT_SATISFIABLE
from torsion.web.pages import notFound
from torsion.web.resource import NOT_DONE_YET, Resource, _Forbidden
from torsion.web.static.conditions import accepted_codings, etag_of, failed_condition, range_holds
from torsion.web.static.data import Registry, with_slash
from torsion.web.static.listing import FolderListing
from torsion.web.static.producers import (
    MultipleRangeStaticProducer,
    NoRangeStaticProducer,
    SingleRangeStaticProducer,
    StaticProducer,
)
from torsion.web.static.ranges import Range, TooManyRanges, between, multipart, parse_range
from torsion.web.static.types import getTypeAndEncoding, loadMimeTypes

if TYPE_CHECKING:
    from torsion.web.static.listing import DirectoryLister

__all__ = ["File"]

_log = Logger()

WHOLE: Final = 256 * 1024
"""Files of up to so many bytes are read at once, and sent in one piece: opening and reading costs more than the memory does, and a
client that is slow at it holds no file open."""

PIECE: Final = 256 * 1024
"""How many bytes of a larger file are read at once."""

_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
"""Names that begin with one of these, and have no separator and no NUL, lead nowhere else (but on Windows, where some are devices)."""

_EXTRA: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe in the place of a file must not be waited for."""

_NO_SUCH: Final = frozenset([errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ])

_HOOKS: Final = ("open", "openForReading", "getFileSize", "makeProducer", "render_GET", "getModificationTime")
"""What a subclass, or a program, may have put others in the place of: then files are sent as these have it."""


class File(Resource, FilePath[str]):  # type: ignore[misc]  # `children` is a method of paths, but an attribute of resources
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
    :ivar type: the type of the file; by its extension if None.
    :ivar encoding: how it is encoded, or None.
    :ivar defaultType: the type of files whose extension tells none.
    :ivar ignoredExts: extensions that clients may leave out; ``"*"`` for any.
    :ivar registry: for the processors.
    """

    contentTypes: ClassVar[dict[str, str]] = loadMimeTypes()
    contentEncodings: ClassVar[dict[str, str]] = {".gz": "gzip", ".bz2": "bzip2"}
    processors: dict[str, Callable[[str, Registry], Any]] = {}  # noqa: RUF012 - a program replaces it, for the class or for one
    indexNames: list[str] = ["index", "index.html", "index.htm", "index.rpy"]  # noqa: RUF012 - as above
    childNotFound: Any = notFound("No Such Resource", "File not found.")
    forbidden: Any = _Forbidden()
    precompressed: tuple[tuple[str, str], ...] = ((".br", "br"), (".zst", "zstd"), (".gz", "gzip"))
    followLinks = False
    type: str | None = None
    encoding: str | None = None

    _top: str
    _plain: ClassVar[bool] = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._plain = all(getattr(cls, name) is getattr(File, name) for name in _HOOKS)

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
        return FolderListing(self.path, None, self.contentTypes, self.contentEncodings, self.defaultType)

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
        if name[0] in _SAFE and "/" not in name and "\0" not in name and os.sep == "/":
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
            if error.errno not in _NO_SUCH:
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
        for name in ("processors", "indexNames", "childNotFound", "forbidden", "followLinks", "precompressed"):
            if name in mine:
                made.__dict__[name] = mine[name]
        return made

    def listNames(self) -> list[Any]:
        """Return the names that are in the folder, and those that were put."""
        if not self.isdir():
            return []
        return sorted({*self.listdir(), *(os.fsdecode(name) for name in self.children)})

    def listEntities(self) -> list[Any]:
        """Return the resources that are in the folder."""
        return [self.createSimilarFile(self.child(name).path) for name in self.listNames()]

    # --- the file ----------------------------------------------------------------------------------------------------

    def openForReading(self) -> IO[bytes]:
        """Open the file, and return it; for subclasses, which may return any file that can be read and sought in.

        :raises OSError: if it cannot be opened: EACCES is answered with 403.
        """
        return self.open()

    def getFileSize(self) -> int:
        """Return the size in bytes; while it is sent, that is the size it had when it was opened."""
        return self.getsize()

    def redirect(self, request: Any) -> Any:
        """Send the client to this folder's URL with a slash at its end."""
        request.setResponseCode(FOUND)
        request.setHeader(b"location", with_slash(request.uri))
        request.setHeader(b"content-length", b"0")
        return b""

    def render_GET(self, request: Any) -> Any:
        """Answer with the file, or what was asked for of it; to ``HEAD`` with its headers."""
        if self._statinfo is None:
            self.restat(reraise=False)
        status = self._statinfo
        if status is None:
            return self.childNotFound.render(request)
        if stat.S_ISDIR(status.st_mode):
            return self.redirect(request)
        if not stat.S_ISREG(status.st_mode):
            _log.warn("{path} is neither a file nor a folder", path=self.path)
            return self.forbidden.render(request)
        if self.type is None:
            self.type, self.encoding = getTypeAndEncoding(
                self.path, self.contentTypes, self.contentEncodings, self.defaultType
            )
        hooked = not self._plain or not self.__dict__.keys().isdisjoint(_HOOKS)
        if not hooked and self.encoding is None and self.precompressed and _compresses(self.type):
            return (self._compressed(request) or self)._send(request, False)
        return self._send(request, hooked)

    render_HEAD = render_GET

    def _send(self, request: Any, hooked: bool) -> Any:
        try:
            file = self.openForReading() if hooked else _opened(self.path)
        except OSError as error:
            self.changed()
            if error.errno in (errno.EACCES, errno.EPERM):
                return self.forbidden.render(request)
            if error.errno in _NO_SUCH:
                return self.childNotFound.render(request)
            raise
        kept = False
        try:
            self._look(file)
            if self._is_cached(request):
                self._no_body(request)
                return NOT_DONE_YET
            if not hooked and request.method == b"GET" and self.getsize() <= WHOLE and not self._wants_part(request):
                size = self.getsize()
                data = file.read(size) if size else b""
                if len(data) == size:
                    self._setContentHeaders(request)
                    request.setResponseCode(OK)
                    return data
                self._look(file)  # it has become shorter just now
                file.seek(0)
            producer = self.makeProducer(request, file)
            if request.method == b"HEAD":
                return b""
            kept = True
        finally:
            if not kept:
                file.close()
        producer.start()
        return NOT_DONE_YET

    def _look(self, file: Any) -> None:
        """Have what is known of the file be of the one that was opened: another may be at its path by now."""
        try:
            self._statinfo = os.fstat(file.fileno())
        except (OSError, AttributeError):  # it is none of the system's
            pass

    def _etag(self) -> bytes:
        assert self._statinfo is not None
        return etag_of(self._statinfo, self.encoding or "")

    def _modified(self) -> int:
        return -int(-self.getModificationTime() // 1)  # as Request.setLastModified rounds it

    def _is_cached(self, request: Any) -> bool:
        """Say which version this is, and return whether the request is answered by its conditions."""
        request.setHeader(b"accept-ranges", b"bytes")
        etag = self._etag()
        known = request.setLastModified(self.getModificationTime())
        if request.setETag(etag) is CACHED:
            known = CACHED
        headers = request.requestHeaders
        if not (
            headers.hasHeader(b"if-none-match")
            or headers.hasHeader(b"if-match")
            or headers.hasHeader(b"if-modified-since")
            or headers.hasHeader(b"if-unmodified-since")
        ):
            return known is CACHED
        code = failed_condition(request, etag, self._modified())
        if code is not None:
            request.setResponseCode(code)
        return code is not None

    @staticmethod
    def _no_body(request: Any) -> None:
        request.finish()

    @staticmethod
    def _wants_part(request: Any) -> bool:
        return bool(request.requestHeaders.hasHeader(b"range"))

    # --- compressed beforehand ---------------------------------------------------------------------------------------

    def _compressed(self, request: Any) -> File | None:
        """Return the file that is sent in the place of this one, if the client accepts it."""
        assert self._statinfo is not None
        there = []
        for extension, coding in self.precompressed:
            try:
                status = os.lstat(self.path + extension)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_mtime_ns >= self._statinfo.st_mtime_ns:
                there.append((extension, coding, status))
        if not there:
            return None
        request.responseHeaders.addRawHeader(b"Vary", b"Accept-Encoding")
        accepted = accepted_codings(request.requestHeaders.getRawHeaders(b"accept-encoding", []))
        for extension, coding, status in there:
            if coding in accepted and os.access(self.path + extension, os.R_OK):
                other = self.createSimilarFile(self.path + extension)
                other.type, other.encoding, other._statinfo = self.type, coding, status
                return other
        return None

    # --- parts -------------------------------------------------------------------------------------------------------

    def makeProducer(self, request: Any, fileForReading: Any) -> StaticProducer:
        """Set what the response's head says of its body, and return what sends that.

        :param request: the request.
        :param fileForReading: the file, which is open.
        """
        asked = request.getHeader(b"range")
        if asked is not None and self._part_holds(request):
            try:
                ranges = self._parseRangeHeader(asked)
                if len(ranges) == 1:
                    return self._single(request, fileForReading, ranges[0])
                return self._multiple(request, fileForReading, ranges)
            except TooManyRanges:
                _log.debug("more ranges were asked for than are sent: the whole file is")
            except ValueError:
                _log.info("Ignoring malformed Range header {range!r}", range=asked.decode("latin-1"))
        self._setContentHeaders(request)
        request.setResponseCode(OK)
        producer = NoRangeStaticProducer(request, fileForReading)
        producer.size = self.getFileSize()
        producer.bufferSize = PIECE
        return producer

    def _part_holds(self, request: Any) -> bool:
        condition = request.getHeader(b"if-range")
        if condition is None:
            return True
        if self._statinfo is None:
            self.restat()
        return range_holds(condition, self._etag(), self._modified())

    def _parseRangeHeader(self, range: bytes) -> list[Range]:
        return parse_range(range)

    def _setContentHeaders(self, request: Any, size: int | None = None) -> None:
        request.setHeader(b"content-length", b"%d" % (self.getFileSize() if size is None else size))
        if self.type:
            request.setHeader(b"content-type", self.type.encode("latin-1"))
        if self.encoding:
            request.setHeader(b"content-encoding", self.encoding.encode("latin-1"))

    def _not_there(self, request: Any, size: int) -> None:
        request.setResponseCode(REQUESTED_RANGE_NOT_SATISFIABLE)
        request.setHeader(b"content-range", b"bytes */%d" % size)
        request.setHeader(b"content-length", b"0")
        if self.type:
            request.setHeader(b"content-type", self.type.encode("latin-1"))

    def _single(self, request: Any, file: Any, asked: Range) -> StaticProducer:
        size = self.getFileSize()
        begin, length = between(asked, size)
        if length:
            request.setResponseCode(PARTIAL_CONTENT)
            request.setHeader(b"content-range", b"bytes %d-%d/%d" % (begin, begin + length - 1, size))
            self._setContentHeaders(request, length)
        else:
            self._not_there(request, size)
        producer = SingleRangeStaticProducer(request, file, begin, length)
        producer.bufferSize = PIECE
        return producer

    def _multiple(self, request: Any, file: Any, ranges: list[Range]) -> StaticProducer:
        size = self.getFileSize()
        parts = [part for part in (between(asked, size) for asked in ranges) if part[1]]
        if not parts:
            self._not_there(request, size)
            return MultipleRangeStaticProducer(request, file, [])
        if sum(length for _, length in parts) > size:
            raise TooManyRanges("the parts overlap: they are more than the whole")
        kind = (self.type or "application/octet-stream").encode("latin-1")
        boundary, pieces, length = multipart(parts, kind, size)
        request.setResponseCode(PARTIAL_CONTENT)
        request.setHeader(b"content-type", b'multipart/byteranges; boundary="%b"' % boundary)
        request.setHeader(b"content-length", b"%d" % length)
        return MultipleRangeStaticProducer(request, file, pieces)


def _opened(path: str) -> IO[bytes]:
    """Return the file, without a buffer of its own."""
    return FileIO(path, opener=_opener)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | _EXTRA)


def _compresses(kind: str | None) -> bool:
    """Return whether files of a type are worth compressing, and may have a compressed one beside them."""
    if kind is None:
        return False
    kind = kind.partition(";")[0].strip()
    return kind.startswith("text/") or kind.endswith(
        ("+xml", "+json", "/json", "/xml", "/javascript", "/wasm", "/toml", "/yaml")
    )
