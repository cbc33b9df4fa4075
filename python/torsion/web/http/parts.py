"""The parts of forms with files in them, ``multipart/form-data`` (RFC 7578): fields are kept in memory, files on the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Self

from torsion.web.http.body import MOST_IN_MEMORY
from torsion.web.http.filenames import cleanFilename

__all__ = [
    "MAX_FIELDS_SIZE",
    "MAX_FILES_SIZE",
    "MAX_PARTS",
    "Form",
    "FormError",
    "FormReader",
    "Upload",
    "boundaryOf",
    "newUploadFile",
]

MAX_PARTS: Final = 1000
"""A form may have so many parts: forms have dozens, and folders that are uploaded are sent in several requests."""

MAX_FIELDS_SIZE: Final = 2 * 1024 * 1024
"""So many bytes all fields that are no files may have together, if the program does not say otherwise: they are kept in memory."""

MAX_FILES_SIZE: Final = 4 * 1024**3
"""So many bytes all files may have together, if the program does not say otherwise: they are kept on the disk."""

_MAX_HEADERS: Final = 16
_MAX_HEADER: Final = 4096
_BLOCK: Final = 256 * 1024
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


class FormError(ValueError):
    """A form's body cannot be read, or is larger than is allowed."""


class Upload:
    """A file that a client has sent.

    :ivar name: the name of its field: bytes.
    :ivar filename: what the client calls the file, made safe by :func:`cleanFilename`; text.
    :ivar rawFilename: what the client has sent for that.
    :ivar contentType: what it says that the file is: text.
    :ivar size: how many bytes it has.
    :ivar file: the file, open, at its beginning; it is gone when it is closed.
    """

    def __init__(self, name: bytes, rawFilename: str, contentType: str, file: Any) -> None:
        """Begin one."""
        self.name = name
        self.rawFilename = rawFilename
        self.filename = cleanFilename(rawFilename)
        self.contentType = contentType
        self.size = 0
        self.file: IO[bytes] = file

    def __repr__(self) -> str:
        return f"<Upload {self.name!r} {self.filename!r}, {self.size} bytes>"

    def saveTo(self, path: str | os.PathLike[str]) -> None:
        """Write the file to *path*, which must not exist yet.  Large ones take a while: see ``threads.deferToThread``.

        :raises FileExistsError: if it does.
        :raises OSError: if it cannot be written; then there is nothing there.
        """
        self.file.seek(0)
        with open(path, "xb") as target:  # noqa: PTH123 - a FilePath is no pathlib.Path
            try:
                while block := self.file.read(_BLOCK):
                    target.write(block)
                target.flush()
            except BaseException:
                os.unlink(path)  # noqa: PTH108 - likewise
                raise
        self.file.seek(0)

    def close(self) -> None:
        """Have the file be gone."""
        self.file.close()


class Form:
    """What a form says.  A context manager, which closes its files.

    :ivar fields: lists of values by name: bytes.
    :ivar files: lists of :class:`Upload` by name.
    """

    def __init__(self) -> None:
        """Make an empty one."""
        self.fields: dict[bytes, list[bytes]] = {}
        self.files: dict[bytes, list[Upload]] = {}

    def close(self) -> None:
        """Close all files."""
        for uploads in self.files.values():
            for upload in uploads:
                upload.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


def newUploadFile() -> Any:
    """Return a file for an upload: in memory until it is large."""
    return SpooledTemporaryFile(max_size=MOST_IN_MEMORY)


def boundaryOf(contentType: bytes) -> str:
    """Return what stands between the parts of a body, which Content-Type says.

    :raises FormError: if it does not, or says what cannot be (RFC 2046, 5.1.1).
    """
    from email.message import Message

    try:
        text = contentType.decode("ascii")
    except UnicodeDecodeError:
        raise FormError("the boundary of a form is written in ASCII") from None
    message = Message()
    try:
        message["Content-Type"] = text
        boundary = message.get_param("boundary")
    except ValueError as error:
        raise FormError(f"Content-Type cannot be read: {error}") from error
    if not isinstance(boundary, str) or _BOUNDARY.fullmatch(boundary) is None:
        raise FormError(
            f"a form needs a boundary of 1 to 70 letters, digits and some other characters, not {boundary!r}"
        )
    return boundary


class FormReader:
    """Reads a form with files from the parts that its body comes in."""

    def __init__(
        self,
        boundary: str,
        maxParts: int = MAX_PARTS,
        maxFieldsSize: int = MAX_FIELDS_SIZE,
        maxFilesSize: int = MAX_FILES_SIZE,
        newFile: Callable[[], Any] | None = newUploadFile,
    ) -> None:
        """Begin.

        :param boundary: what stands between the parts: ``boundary`` of Content-Type.
        :param maxParts: how many parts there may be.
        :param maxFieldsSize: how many bytes fields may have, all together.
        :param maxFilesSize: how many bytes files may have, all together.
        :param newFile: makes what a file is written to; None to have files be among the fields.
        :raises ImportError: if the package ``multipart`` is not installed.
        """
        try:
            from multipart import PushMultipartParser
        except ImportError:
            raise ImportError(
                "forms with files are read by the package multipart: pip install torsion[forms]"
            ) from None
        self.form = Form()
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=_MAX_HEADER,
            max_header_count=_MAX_HEADERS,
            max_segment_count=maxParts,
            header_charset="latin-1",  # names are bytes, in whatever the page with the form is written
        )
        self._fields_left, self._files_left = maxFieldsSize, maxFilesSize
        self._new_file = newFile
        self._name = b""
        self._values: list[bytes] | None = None
        self._encoding = ""
        self._upload: Upload | None = None

    def feed(self, data: bytes) -> None:
        """Take a part of the body.  After an error the files are closed, and nothing more is to be fed.

        :raises FormError: if it is malformed, or there is too much of it.
        :raises OSError: if a file cannot be written.
        """
        from multipart import MultipartError

        try:
            for event in self._parser.parse(data):
                if event is None:
                    self._end_part()
                elif isinstance(event, bytes | bytearray):
                    self._take(bytes(event))
                else:
                    self._begin_part(event)
        except MultipartError as error:
            self.close()
            raise FormError(f"a form cannot be read: {error.args[0]}") from error
        except BaseException:
            self.close()
            raise

    def end(self) -> Form:
        """Return the form, when all of the body has been fed.

        :raises FormError: if something is missing.
        """
        from multipart import MultipartError

        try:
            self._parser.close()
        except MultipartError as error:
            self.close()
            raise FormError(f"a form cannot be read: {error.args[0]}") from error
        return self.form

    def close(self) -> None:
        """Close the files that there are: the form is not wanted."""
        self.form.close()
        if self._upload is not None:
            self._upload.close()

    def _begin_part(self, segment: Any) -> None:
        if not segment.name:  # it cannot be asked for
            return
        self._name = segment.name.encode("latin-1")
        self._count(len(self._name), of_file=False)
        if segment.filename is None or self._new_file is None:
            self._values = []
            self._encoding = segment.header("Content-Transfer-Encoding", "").strip().lower()
        else:
            kind = segment.content_type or "application/octet-stream"
            self._upload = Upload(self._name, _text(segment.filename), kind, self._new_file())

    def _take(self, data: bytes) -> None:
        self._count(len(data), of_file=self._upload is not None)
        if self._upload is not None:
            self._upload.file.write(data)
            self._upload.size += len(data)
        elif self._values is not None:
            self._values.append(data)

    def _count(self, length: int, of_file: bool) -> None:
        if of_file:
            self._files_left -= length
        else:
            self._fields_left -= length
        if self._fields_left < 0 or self._files_left < 0:
            raise FormError(f"a form has more {'files' if of_file else 'fields'} than may be kept")

    def _end_part(self) -> None:
        if self._upload is not None:
            upload, self._upload = self._upload, None
            if not upload.rawFilename and not upload.size:  # a field for a file, and none was chosen
                upload.close()
                return
            self.form.files.setdefault(self._name, []).append(upload)
            upload.file.seek(0)
        elif self._values is not None:
            value, self._values = _decoded(b"".join(self._values), self._encoding), None
            self.form.fields.setdefault(self._name, []).append(value)


def _text(name: str) -> str:
    """Return the name of a file, whose bytes were taken for Latin-1, in UTF-8 if it may be that."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return name


def _decoded(value: bytes, encoding: str) -> bytes:
    """Return a field that is written in one of mail's encodings.  Browsers never do so; RFC 2388 let them, RFC 7578 does not."""
    if encoding == "quoted-printable":
        from quopri import decodestring

        return decodestring(value)
    if encoding == "base64":
        from binascii import a2b_base64

        try:
            return a2b_base64(value)
        except ValueError:
            return value
    return value
