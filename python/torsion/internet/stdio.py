"""Standard input and output as one connection."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet import error
from torsion.internet._current import current_reactor
from torsion.internet.abstract import FileDescriptor
from torsion.internet.fdesc import readFromFD, writeToFD
from torsion.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IPushProducer,
    ITransport,
)
from torsion.internet.transports.pipe import PipeStream
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion._native import Stream

__all__ = ["PipeAddress", "StandardIO"]

_log = Logger("torsion.internet.stdio")


@implementer(IAddress)
class PipeAddress:
    """Where both ends of standard input and output are: nowhere in particular."""

    def __repr__(self) -> str:
        return "PipeAddress()"


class _End:
    """One of the two descriptors: a pipe or a terminal is the engine's to serve, a file is always ready."""

    def __init__(self, whole: StandardIO, name: str, descriptor: int) -> None:
        self.whole = whole
        self.name = name
        self.descriptor = descriptor
        self.blocking = os.get_blocking(descriptor)
        # The engine gets a duplicate, which it closes; the descriptor itself stays the program's, as in Twisted.
        ours = os.dup(descriptor)
        reading = name == "read"
        self.transport: Any
        try:
            self.transport = whole.reactor.engine.open_pipe(ours, reading, not reading, self, PipeStream)
            self.transport.protocol = self
        except (AttributeError, PermissionError):  # a reactor without such an engine; a file, which cannot be watched
            self.transport = _File(self, ours, whole.reactor)
            if reading:
                self.transport.startReading()
        except BaseException:
            os.close(ours)
            raise

    def dataReceived(self, data: bytes) -> None:
        """Something was read."""
        self.whole.childDataReceived(self.name, data)

    def eof(self, stream: Stream, /) -> bool:
        """Half of one direction is all of it."""
        return False

    def write_closed(self, stream: Stream, /) -> None:
        """Half of one direction is all of it."""

    def raised(self, source: object, exception: BaseException, /) -> Failure:
        """A hook of the protocol raised: both ends are closed on account of it."""
        failure = Failure(exception, type(exception), exception.__traceback__)
        _log.failure("Unhandled error in {source!r}; standard input and output are closed", failure, source=source)
        return failure

    def lost(self, stream: Any, code: int, errno: int, reason: object, /) -> None:
        """This end is closed."""
        if stream is not None:
            stream.protocol = None
        with suppress(OSError):
            os.set_blocking(self.descriptor, self.blocking)  # a terminal is our shell's as well
        if isinstance(reason, Failure):
            failure = reason
        elif errno and self.name == "read":
            failure = Failure(error.ConnectionLost(OSError(errno, os.strerror(errno))))
        else:
            failure = Failure(error.ConnectionDone())
        self.whole.childConnectionLost(self.name, failure)


class _File(FileDescriptor):
    """A file, read and written a piece in each turn."""

    connected = 1

    def __init__(self, end: _End, descriptor: int, reactor: Any) -> None:
        super().__init__(reactor)
        self.end = end
        self.descriptor = descriptor

    def fileno(self) -> int:
        return self.descriptor

    def doRead(self) -> Any:
        return readFromFD(self.descriptor, self.end.dataReceived)

    def writeSomeData(self, data: bytes) -> Any:
        return writeToFD(self.descriptor, data)

    def abortConnection(self) -> None:
        """Close without writing what waits."""
        if not self.disconnected:
            self.connectionLost(Failure(error.ConnectionAborted()))

    def connectionLost(self, reason: Failure) -> None:
        if not self.disconnected:
            super().connectionLost(reason)
            descriptor, self.descriptor = self.descriptor, -1
            os.close(descriptor)
            told = None if reason.check(error.ConnectionDone, error.ConnectionAborted) else reason
            self.end.lost(None, 0, 0, told)


@implementer(ITransport, IPushProducer, IConsumer, IHalfCloseableDescriptor)
class StandardIO:
    """A protocol's connection to standard input and output, or to any two descriptors.

    Pipes and terminals are read and written by the engine; files work, too.  Both descriptors stay the program's: they are
    made non-blocking meanwhile, and are open when this is closed.  A reader at the other end of a pipe sees its end when
    the program closes the descriptor, or exits.

    At the end of the input a protocol that provides ``IHalfCloseableProtocol`` is told so, and may write on; for all others
    the connection is closed, after what was written is sent.

    :ivar protocol: the protocol.
    :ivar disconnecting: whether it is being closed.
    :ivar disconnected: whether it is closed.
    """

    disconnecting = False
    disconnected = False

    def __init__(self, proto: Any, stdin: int = 0, stdout: int = 1, reactor: Any = None) -> None:
        """Connect *proto* and start to read.

        :param proto: the protocol; its ``makeConnection`` is called before this returns.
        :param stdin: the descriptor to read.
        :param stdout: the descriptor to write.
        :param reactor: what serves them; None for the one that runs, or is installed.
        :raises OSError: if one of them is not open.
        """
        self.protocol = proto
        self.reactor = current_reactor() if reactor is None else reactor
        os.fstat(stdin), os.fstat(stdout)  # before anything is changed
        self._writer: _End | None = _End(self, "write", stdout)
        try:
            self._reader: _End | None = _End(self, "read", stdin)
        except BaseException:
            self.disconnected = True
            self._writer.transport.abortConnection()
            raise
        self._handles: dict[Any, None] = getattr(self.reactor, "open_handles", {})
        self._handles[self] = None
        proto.makeConnection(self)

    # --- what becomes of the ends ------------------------------------------------------------------------------------

    def childDataReceived(self, fd: str, data: bytes) -> None:
        """Something was read."""
        if not self.disconnecting:
            self.protocol.dataReceived(data)

    def childConnectionLost(self, fd: str, reason: Failure) -> None:
        """The end *fd*, ``read`` or ``write``, is closed."""
        if fd == "read":
            self._reader = None
        else:
            self._writer = None
        if self.disconnected:
            return
        if self.disconnecting:
            if self._writer is None:
                self.connectionLost(reason)
        elif not reason.check(error.ConnectionDone):
            self.connectionLost(reason)
        elif fd == "read":
            self.readConnectionLost(reason)
        else:
            self.writeConnectionLost(reason)

    def readConnectionLost(self, reason: Failure) -> None:
        """There is nothing more to read."""
        half = IHalfCloseableProtocol(self.protocol, None)
        if half is None:
            self.loseConnection()
        else:
            self._tell(half.readConnectionLost)

    def writeConnectionLost(self, reason: Failure) -> None:
        """Nobody reads what we write, or we have closed that half."""
        half = IHalfCloseableProtocol(self.protocol, None)
        if half is not None:
            self._tell(half.writeConnectionLost)
        elif self._reader is None:
            self.connectionLost(reason)

    def _tell(self, hook: Any) -> None:
        try:
            hook()
        except BaseException:  # noqa: BLE001 - as everywhere in a reactor
            failure = Failure()
            _log.failure("Unhandled error in {source!r}; standard input and output are closed", failure, source=hook)
            self.connectionLost(failure)
        else:
            if self._reader is None and self._writer is None and not self.disconnected:
                self.connectionLost(Failure(error.ConnectionDone()))

    def connectionLost(self, reason: Failure) -> None:
        """Close both ends, whatever waits, and tell the protocol why."""
        if not self.disconnected:
            self.disconnected = True
            self._handles.pop(self, None)
            for end in (self._reader, self._writer):
                if end is not None:
                    end.transport.abortConnection()
            protocol, self.protocol = self.protocol, None
            protocol.connectionLost(reason)

    def abandon(self, reason: Failure) -> None:
        """End now, because the reactor stops."""
        try:
            self.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - whatever a protocol raises, the others are to be ended as well
            _log.failure("connectionLost raised when the reactor ended standard input and output")

    # --- the transport -----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Queue *data*; ignored once the output is closed."""
        if self._writer is not None:
            self._writer.transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Queue each of *data*; ignored once the output is closed."""
        if self._writer is not None:
            self._writer.transport.writeSequence(data)

    def loseWriteConnection(self) -> None:
        """Write no more once all is written; go on reading."""
        if self._writer is not None:
            self._writer.transport.loseConnection()

    def loseConnection(self) -> None:
        """Close both ends once all is written."""
        if self.disconnecting or self.disconnected:
            return
        self.disconnecting = True
        if self._reader is not None:
            self._reader.transport.stopReading()
        if self._writer is not None:
            self._writer.transport.loseConnection()
        else:  # later, as everybody is told of the end later
            self.reactor.callLater(0, self.connectionLost, Failure(error.ConnectionDone()))

    def getHost(self) -> PipeAddress:
        """Return an address that says nothing."""
        return PipeAddress()

    def getPeer(self) -> PipeAddress:
        """Return an address that says nothing."""
        return PipeAddress()

    # --- producers and consumers -------------------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write.

        :raises RuntimeError: while another one is registered.
        """
        if self._writer is None:
            producer.stopProducing()
        else:
            self._writer.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
        if self._writer is not None:
            self._writer.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.loseConnection()

    def pauseProducing(self) -> None:
        """Read nothing for now."""
        if self._reader is not None:
            self._reader.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._reader is not None and not self.disconnecting:
            self._reader.transport.resumeProducing()

    def stopReading(self) -> None:
        """The same as :meth:`pauseProducing`."""
        self.pauseProducing()

    def startReading(self) -> None:
        """The same as :meth:`resumeProducing`."""
        self.resumeProducing()
