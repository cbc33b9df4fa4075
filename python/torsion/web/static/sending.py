"""How a file is sent: at once or piece by piece, whole or in parts, as it is or compressed, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from functools import lru_cache
from io import FileIO
from typing import IO, Any, ClassVar, Final, cast

from torsion.logger import Logger
from torsion.python.filepath import FilePath
from torsion.web.http.dates import datetimeToString
from torsion.web.http.request import CACHED, Request
from torsion.web.http.status import FOUND, OK, PARTIAL_CONTENT, REQUESTED_RANGE_NOT_SATISFIABLE
from torsion.web.resource import NOT_DONE_YET
from torsion.web.static.conditions import CONDITIONS, accepted_codings, etag_of, failed_condition, range_holds
from torsion.web.static.data import with_slash
from torsion.web.static.handing import handed
from torsion.web.static.kept import MOST_TOLD, Keeper
from torsion.web.static.opening import open_beneath
from torsion.web.static.producers import (
    MultipleRangeStaticProducer,
    NoRangeStaticProducer,
    SingleRangeStaticProducer,
    StaticProducer,
)
from torsion.web.static.ranges import Range, TooManyRanges, between, multipart, parse_range
from torsion.web.static.types import getTypeAndEncoding

__all__ = ["NO_SUCH", "Sending"]

_log = Logger()

WHOLE: Final = 256 * 1024
"""Files of up to so many bytes are read at once, and sent in one piece: opening and reading costs more than the memory does, and a
client that is slow at it holds no file open."""

PIECE: Final = 256 * 1024
"""How many bytes of a larger file are read at once."""

NO_SUCH: Final = frozenset([errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ])
"""What the system says of a path at which there is nothing, or can be nothing."""

_HOOKS: Final = ("open", "openForReading", "getFileSize", "makeProducer", "render_GET", "getModificationTime")
"""What a subclass, or a program, may have put others in the place of: then files are sent as these have it."""


class Sending(FilePath[str]):
    """The part of ``File`` that answers with the file."""

    contentTypes: dict[str, str]
    contentEncodings: ClassVar[dict[str, str]]
    defaultType: str
    precompressed: tuple[tuple[str, str], ...]
    childNotFound: Any
    forbidden: Any
    followLinks: bool
    type: str | None = None
    encoding: str | None = None

    _top: str
    _plain: ClassVar[bool] = True
    _contents: ClassVar[Keeper] = Keeper()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._plain = all(getattr(cls, name) is getattr(Sending, name) for name in _HOOKS)

    def createSimilarFile(self, path: str) -> Any:
        """Return a resource like this one for another path."""
        raise NotImplementedError  # File, of which this is a part, has it

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
        if not hooked and request.method == b"GET" and isinstance(request, Request):
            body = self._at_once(request)
            if body is not None:
                return body
        try:
            file = self.openForReading() if hooked else self._opened()
        except OSError as error:
            return self._unopened(error).render(request)
        kept = False
        try:
            self._look(file)
            if self._is_cached(request):
                request.finish()
                return NOT_DONE_YET
            producer = self.makeProducer(request, file)
            if request.method == b"HEAD":
                return b""
            if not hooked:
                producer = handed(producer)
            kept = True
        finally:
            if not kept:
                file.close()
        producer.start()
        return NOT_DONE_YET

    def _opened(self) -> IO[bytes]:
        """Return the file, without a buffer of its own."""
        top = None if self.followLinks else self._top
        return FileIO(self.path, opener=lambda path, flags: open_beneath(top, path, flags))

    def _unopened(self, error: OSError) -> Any:
        """Return the resource that says why a file cannot be opened.

        :raises OSError: if that is the server's business.
        """
        self.changed()
        if error.errno in (errno.EACCES, errno.EPERM):
            return self.forbidden
        if error.errno in NO_SUCH:
            return self.childNotFound
        raise error

    def _at_once(self, request: Request) -> bytes | None:
        """Return the whole of a small file, and set the headers; None if that is not what was asked for, or it has changed."""
        status = self._statinfo
        assert status is not None
        if status.st_size > WHOLE or request._is_conditional():
            return None
        kind = (self.type, self.encoding)
        content = self._contents.get(self.path, status)
        if content is not None and (told := content.told.get(kind)) is not None:
            set_header = request.setHeader
            for name, value in told:
                set_header(name, value)
            return content.data
        data = None if content is None else content.data
        if data is None:
            try:
                with self._opened() as file:
                    self._look(file)
                    data = file.read(self._known().st_size + 1)
            except OSError as error:
                return cast("bytes", self._unopened(error).render(request))
            status = self._known()
            if len(data) != status.st_size:  # it changes while it is read
                return None
            self._contents.put(self.path, status, data)
        told = self._told()  # and not setETag and setLastModified: there is no condition for them to look at
        for name, value in told:
            request.setHeader(name, value)
        if content is not None and len(content.told) < MOST_TOLD:
            content.told[kind] = told
        return data

    def _told(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell of the whole file, as it is known."""
        told = [
            (b"accept-ranges", b"bytes"),
            (b"last-modified", datetimeToString(self._modified())),
            (b"etag", self._etag()),
            (b"content-length", b"%d" % self._known().st_size),
        ]
        if self.type:
            told.append((b"content-type", self.type.encode("latin-1")))
        if self.encoding:
            told.append((b"content-encoding", self.encoding.encode("latin-1")))
        return told

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
        if not any(request.getHeader(name) for name in CONDITIONS):
            return known is CACHED
        code = failed_condition(request, etag, self._modified())
        if code is not None:
            request.setResponseCode(code)
        return code is not None

    # --- compressed beforehand ---------------------------------------------------------------------------------------

    def _compressed(self, request: Any) -> Sending | None:
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
                other: Sending = self.createSimilarFile(self.path + extension)
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


@lru_cache(maxsize=256)  # there are some dozens of types on a site
def _compresses(kind: str | None) -> bool:
    """Return whether files of a type are worth compressing, and may have a compressed one beside them."""
    if kind is None:
        return False
    kind = kind.partition(";")[0].strip()
    return kind.startswith("text/") or kind.endswith(
        ("+xml", "+json", "/json", "/xml", "/javascript", "/wasm", "/toml", "/yaml")
    )
