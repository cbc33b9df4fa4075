"""Forms with files in them, as they come: ``form = await readForm(request)`` in a renderer that is ``async def``.

With ``Request.headReceived`` and ``streamBody`` the body is not stored before it is read.  What reads it is the package ``multipart``: ``pip
install torsion[forms]``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.web.http.forms import parse_qs
from torsion.web.http.parts import (
    MAX_FIELDS_SIZE,
    MAX_FILES_SIZE,
    MAX_PARTS,
    Form,
    FormError,
    FormReader,
    Upload,
    boundaryOf,
    newUploadFile,
)

__all__ = ["Form", "FormError", "Upload", "readForm"]

_BLOCK: Final = 256 * 1024
"""So much is read from a stored body at once, after which others have their turn: a millisecond's work."""


async def readForm(
    request: Any,
    maxParts: int = MAX_PARTS,
    maxFieldsSize: int = MAX_FIELDS_SIZE,
    maxFilesSize: int = MAX_FILES_SIZE,
    newFile: Callable[[], Any] = newUploadFile,
) -> Form:
    """Return the form in a request's body, with its files; also one of ``application/x-www-form-urlencoded``, which has none.

    A body that is streamed (``Request.streamBody`` in ``headReceived``) is read as it comes, and never stored as a whole.

    :param request: the request.
    :param maxParts: how many parts there may be.
    :param maxFieldsSize: how many bytes fields may have, all together; and a form without files.
    :param maxFilesSize: how many bytes files may have, all together.
    :param newFile: makes what a file is written to: in memory at first, then in a temporary file.
    :raises FormError: if it is no form, is malformed, or there is too much of it.
    :raises OSError: if a file cannot be written: the disk is full, say.
    :raises ImportError: if the package ``multipart`` is not installed.
    :raises Exception: what the connection was lost with, before all has come.
    """
    content_type = request.getHeader(b"content-type") or b""
    kind = content_type.split(b";", 1)[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        return await _plain_form(request, maxFieldsSize)
    if kind != b"multipart/form-data":
        raise FormError(f"the body is no form: its type is {content_type!r}")
    reader = FormReader(boundaryOf(content_type), maxParts, maxFieldsSize, maxFilesSize, newFile)
    try:
        async for part in _parts(request):
            reader.feed(part)
    except BaseException:
        reader.close()
        raise
    return reader.end()


async def _plain_form(request: Any, most: int) -> Form:
    """Return a form that has no files."""
    parts: list[bytes] = []
    length = 0
    async for part in _parts(request):
        length += len(part)
        if length > most:
            raise FormError("a form has more fields than may be kept")
        parts.append(part)
    form = Form()
    form.fields = parse_qs(b"".join(parts), 1)
    return form


async def _parts(request: Any) -> AsyncIterator[bytes]:
    """Yield the body of a request, as it comes, or from where it is stored."""
    stream = getattr(request, "_stream", None)
    if stream is not None:
        async for part in stream:
            yield part
        return
    content = request.content
    content.seek(0)
    while block := content.read(_BLOCK):
        yield block
        if len(block) == _BLOCK:
            turn: Deferred[None] = Deferred()
            _current.current_reactor().callLater(0, turn.callback, None)
            await turn
    content.seek(0)
