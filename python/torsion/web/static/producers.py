"""What sends a file, a piece at a time, as fast as the client takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zope.interface import implementer

from torsion.internet.abstract import FileDescriptor
from torsion.internet.interfaces import IPullProducer
from torsion.logger import Logger

__all__ = ["MultipleRangeStaticProducer", "NoRangeStaticProducer", "SingleRangeStaticProducer", "StaticProducer"]

_log = Logger()


@implementer(IPullProducer)
class StaticProducer:
    """Sends what is in a file to a request, and finishes that; the base of those that do.

    :cvar bufferSize: how many bytes are read at once.
    :ivar request: the request; None once it is done with.
    :ivar fileObject: the file, which is closed at the end.
    """

    bufferSize = FileDescriptor.bufferSize

    def __init__(self, request: Any, fileObject: Any) -> None:
        """Make one for a request, and a file that is open for reading.  :meth:`start` begins."""
        self.request = request
        self.fileObject = fileObject

    def start(self) -> None:
        """Begin to send."""
        raise NotImplementedError(f"{type(self)}.start")

    def resumeProducing(self) -> None:
        """Send some more."""
        raise NotImplementedError(f"{type(self)}.resumeProducing")

    def stopProducing(self) -> None:
        """Send no more: the client has left, or has all."""
        if self.fileObject is not None:
            self.fileObject.close()
        self.request = None

    def _read(self, size: int) -> bytes | None:
        """Return up to *size* bytes; None, and the connection closes, if the file cannot be read."""
        try:
            data: bytes = self.fileObject.read(size)
        except OSError as error:
            _log.error("{name} could not be read to its end: {error}", name=self._name(), error=error)
            self._break_off()
            return None
        return data

    def _name(self) -> Any:
        return getattr(self.fileObject, "name", self.fileObject)

    def _break_off(self) -> None:
        """Close the connection: what has been sent must not look complete."""
        request = self.request
        request.unregisterProducer()
        self.stopProducing()
        request.loseConnection()

    def _ended_early(self) -> None:
        """Close the connection: the file is shorter than it was."""
        _log.warn("{name} has become shorter while it was sent; the connection is closed", name=self._name())
        self._break_off()

    def _finish(self) -> None:
        request = self.request
        request.unregisterProducer()
        request.finish()
        self.stopProducing()


class NoRangeStaticProducer(StaticProducer):
    """Sends a whole file.

    :ivar size: how many bytes were promised: no more are sent, and fewer are a failure; None for as many as there are.
    """

    size: int | None = None

    def start(self) -> None:
        """Begin to send."""
        self.request.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send some more; finish the request behind the last."""
        if not self.request:
            return
        left = self.size
        data = self._read(self.bufferSize if left is None else min(self.bufferSize, left)) if left != 0 else b""
        if data is None:
            return
        if left is not None:
            if not data and left:
                self._ended_early()
                return
            self.size = left - len(data)
        if data:
            self.request.write(data)
        if not data or self.size == 0:
            self._finish()


class SingleRangeStaticProducer(StaticProducer):
    """Sends a part of a file.

    :ivar offset: where it begins.
    :ivar size: how many bytes it has.
    """

    def __init__(self, request: Any, fileObject: Any, offset: int, size: int) -> None:
        """Make one; see the base."""
        super().__init__(request, fileObject)
        self.offset = offset
        self.size = size

    def start(self) -> None:
        """Begin to send."""
        self.fileObject.seek(self.offset)
        self.bytesWritten = 0
        self.request.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Send some more; finish the request behind the last."""
        if not self.request:
            return
        left = self.size - self.bytesWritten
        data = self._read(min(self.bufferSize, left)) if left else b""
        if data is None:
            return
        if not data and left:
            self._ended_early()
            return
        self.bytesWritten += len(data)
        if data:
            self.request.write(data)
        if self.bytesWritten == self.size:
            self._finish()


class MultipleRangeStaticProducer(StaticProducer):
    """Sends several parts of a file, with what stands between them.

    :ivar rangeInfo: for each part, the bytes before it, where it begins, and how many bytes it has.
    """

    def __init__(self, request: Any, fileObject: Any, rangeInfo: list[tuple[bytes, int, int]]) -> None:
        """Make one; see the base."""
        super().__init__(request, fileObject)
        self.rangeInfo = rangeInfo

    def start(self) -> None:
        """Begin to send."""
        self.rangeIter = iter(self.rangeInfo)
        self._left = 0
        self._pieces = self._all_pieces()
        self.request.registerProducer(self, False)

    def _all_pieces(self) -> Iterator[bytes | None]:
        """Return all that is to be sent, in pieces of about :attr:`bufferSize`; None where the file has ended early."""
        pieces: list[bytes] = []
        kept = 0
        for before, offset, size in self.rangeIter:
            pieces.append(before)
            kept += len(before)
            self.fileObject.seek(offset)
            while size:
                data = self._read(max(1, min(self.bufferSize - kept, size)))
                if data is None:
                    return
                if not data:
                    yield None
                    return
                pieces.append(data)
                kept += len(data)
                size -= len(data)  # noqa: PLW2901 - what is left of it
                if kept >= self.bufferSize:
                    yield b"".join(pieces)
                    pieces, kept = [], 0
        yield b"".join(pieces)

    def resumeProducing(self) -> None:
        """Send some more; finish the request behind the last."""
        if not self.request:
            return
        piece = next(self._pieces, b"")
        if not self.request:  # it could not be read
            return
        if piece is None:
            self._ended_early()
        elif piece:
            self.request.write(piece)
        else:
            self._finish()
