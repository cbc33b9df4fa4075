"""The files that an application is given: the body of the request, the log, and one that sends files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torsion.logger import Logger

__all__ = ["ErrorStream", "FileWrapper", "InputStream"]

_log = Logger(namespace="torsion.web.wsgi")

_BLOCK = 64 * 1024
"""How many bytes of a file are sent at once: as much as may wait in a response for a slow client."""


def _limit(size: int | None) -> int:
    return -1 if size is None else size


class InputStream:
    """``wsgi.input``: the body of a request, which is there as a whole, in memory or in a temporary file.

    Sizes are in bytes; None, or less than none, is as much as there is.
    """

    def __init__(self, content: Any) -> None:
        """Read from *content*, a file of bytes."""
        self._content = content

    def read(self, size: int | None = None) -> bytes:
        """Return up to *size* bytes."""
        data: bytes = self._content.read(_limit(size))
        return data

    def readline(self, size: int | None = None) -> bytes:
        """Return a line, with its end, or the first *size* bytes of it."""
        line: bytes = self._content.readline(_limit(size))
        return line

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return the lines that are left: all of them, or so many that they are *hint* bytes or some more."""
        lines: list[bytes] = self._content.readlines(_limit(hint))
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._content)


class ErrorStream:
    """``wsgi.errors``: what is written becomes events of the log."""

    def write(self, data: str) -> None:
        """Log *data*.

        :raises TypeError: if it is no text.
        """
        if not isinstance(data, str):
            raise TypeError(f"write() argument must be str, not {data!r} ({type(data).__name__})")
        # The names on the right are those by which observers from before torsion.logger know what an event says.
        _log.error("{said}", said=data.rstrip("\n"), message=(data,), system="wsgi", isError=True)

    def writelines(self, lines: Iterable[str]) -> None:
        """Log all *lines* as one event.

        :raises TypeError: if one of them is no text.
        """
        self.write("".join(lines))

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""


class FileWrapper:
    """``wsgi.file_wrapper``: the blocks of a file, as a body."""

    def __init__(self, file: Any, block_size: int = _BLOCK) -> None:
        """Send what is left of *file*.

        :param file: has ``read``, and may have ``close``, which is called in the end.
        :param block_size: how many bytes are read at once.
        """
        self._file = file
        self._block_size = block_size

    def __iter__(self) -> FileWrapper:
        """Return this: who iterates over it, and passes that on (Flask does, for ranges), can close it as well."""
        return self

    def __next__(self) -> bytes:
        data: bytes = self._file.read(self._block_size)
        if not data:
            raise StopIteration
        return data

    def seekable(self) -> bool:
        """Return whether :meth:`seek` works: frameworks then begin amid the file, for ranges."""
        seekable = getattr(self._file, "seekable", None)
        return seekable is not None and bool(seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to *offset* in the file, in bytes."""
        at: int = self._file.seek(offset, whence)
        return at

    def tell(self) -> int:
        """Return where in the file the next block begins."""
        at: int = self._file.tell()
        return at

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._file, "close", None)
        if close is not None:
            close()
