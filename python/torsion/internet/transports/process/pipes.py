"""Pipes to and from a child process, which the engine reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet.transports.pipe import PipeStream
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion._native import Stream
    from torsion.internet.transports.process.process import Process

__all__ = ["Pipe"]

_log = Logger("torsion.internet.transports.process")


class Pipe:
    """Owner and protocol of our end of one pipe, which stands for one descriptor of the child."""

    def __init__(self, process: Process, childFD: int, descriptor: int, *, reading: bool) -> None:
        self.process = process
        self.childFD = childFD
        self.stream = process.reactor.engine.open_pipe(descriptor, reading, not reading, self, PipeStream)
        self.stream.protocol = self

    def dataReceived(self, data: bytes) -> None:
        """The child wrote."""
        self.process.childDataReceived(self.childFD, data)

    def eof(self, stream: Stream, /) -> bool:
        """There is nothing more to read, so there is nothing more to do."""
        return False

    def write_closed(self, stream: Stream, /) -> None:
        """Half of a pipe cannot be closed alone."""

    def lost(self, stream: Stream, code: int, errno: int, reason: object, /) -> None:
        """The pipe is closed, by either end."""
        stream.protocol = None
        self.process.childConnectionLost(self.childFD, reason)

    def raised(self, source: object, exception: BaseException, /) -> Failure:
        """A hook of the process's protocol raised: the pipe is closed on account of it."""
        failure = Failure(exception, type(exception), exception.__traceback__)
        _log.failure("Unhandled error in {source!r}; the pipe is closed", failure, source=self.process.proto)
        return failure
