"""Forms with files: multipart/form-data (RFC 7578), sent as they are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.web.client.body import READ_SIZE, FileBodyProducer
from torsion.web.fetch.pausing import Pausing
from torsion.web.iweb import UNKNOWN_LENGTH, IBodyProducer

__all__ = ["MultipartProducer"]


def _quoted(name: str) -> bytes:
    """Return a name as browsers write it between quotes: HTML, 4.10.21.8."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()


def _pairs(what: str, given: Any) -> list[tuple[str, Any]]:
    pairs = list(given.items()) if isinstance(given, Mapping) else given
    if isinstance(pairs, str | bytes) or not isinstance(pairs, Iterable):
        raise TypeError(f"{what} is a mapping of names to values, or pairs of them, not {type(given).__name__}")
    found = []
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise TypeError(f"{what} is a mapping of names to values, or pairs of them, not {pair!r}")
        found.append((pair[0], pair[1]))
    return found


def _file(name: str, value: Any) -> tuple[str, Any, str]:
    """Return a file's name, what it has, and of which type it is."""
    kind = None
    if isinstance(value, tuple):
        if not 2 <= len(value) <= 3 or not all(isinstance(each, str) for each in (value[0], *value[2:])):
            raise TypeError(f"the file {name!r} is (name, content) or (name, content, type), not {value!r}")
        filename, content = value[0], value[1]
        kind = value[2] if len(value) == 3 else None
    else:
        content = value
        path = getattr(value, "name", None)
        filename = PurePath(path).name if isinstance(path, str) and path else name
    if isinstance(content, str):
        content = content.encode()
    if kind is None:
        from mimetypes import guess_type

        kind = guess_type(filename)[0] or "application/octet-stream"
    if "\r" in kind or "\n" in kind:
        raise ValueError(f"the type of the file {name!r} has a line end in it: {kind!r}")
    if not isinstance(content, bytes | bytearray) and (not hasattr(content, "read") or hasattr(content, "encoding")):
        raise TypeError(f"the file {name!r} is bytes, text, or a file that was opened as binary, not {content!r}")
    return filename, content, kind


@implementer(IBodyProducer)
class MultipartProducer(Pausing):
    """Produces a form with files.

    :ivar length: how many bytes it has, or :data:`torsion.web.iweb.UNKNOWN_LENGTH` if a file cannot tell.
    :ivar kind: its Content-Type.
    """

    def __init__(self, files: Any, form: Any = None) -> None:
        """Produce *form*'s fields, and *files*.

        :param files: by field: bytes, text, a binary file, or a tuple of a file's name, one of these, and its type perhaps.
        :param form: other fields, by name; a value may be a list.
        :raises TypeError: if they are something else.
        """
        super().__init__()
        boundary = os.urandom(16).hex().encode()
        self.kind = b"multipart/form-data; boundary=" + boundary
        self._parts: list[Any] = []
        for name, value in _pairs("form", form if form is not None else ()):
            for each in value if isinstance(value, list | tuple) else [value]:
                text = each if isinstance(each, bytes) else str(each).encode()
                head = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % (boundary, _quoted(name))
                self._parts.append(head + text + b"\r\n")
        for name, value in _pairs("files", files):
            filename, content, kind_of = _file(name, value)
            head = b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n'
            words = (boundary, _quoted(name), _quoted(filename), kind_of.encode("ascii", "replace"))
            self._parts += [head % words, content, b"\r\n"]
        self._parts.append(b"--%b--\r\n" % boundary)
        self.length = self._measure()

    def _measure(self) -> Any:
        size = 0
        for part in self._parts:
            length = FileBodyProducer._measure(part) if hasattr(part, "read") else len(part)
            if length is UNKNOWN_LENGTH:
                return UNKNOWN_LENGTH
            size += length
        return size

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Begin: see :class:`torsion.web.iweb.IBodyProducer`.  Files are closed when they have been sent."""
        return ensureDeferred(self._write_all(consumer))

    async def _write_all(self, consumer: Any) -> None:
        try:
            for part in self._parts:
                if hasattr(part, "read"):
                    while data := part.read(READ_SIZE):
                        consumer.write(data)
                        await self.turn()
                else:
                    consumer.write(bytes(part))
                    await self.turn()
        finally:
            self._close()

    def _close(self) -> None:
        for part in self._parts:
            close = getattr(part, "close", None)
            if close is not None:
                close()

    def stopProducing(self) -> None:
        """Take no more, and close the files."""
        super().stopProducing()
        self._close()
