"""A buffered transport for descriptors that are made elsewhere; and what numeric addresses look like.

torsion's own transports are native and not built on this. It is for programs that bring a descriptor of their own: a
serial line, a device, a message queue.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet import main
from torsion.internet._current import current_reactor
from torsion.internet.interfaces import (
    IConsumer,
    IHalfCloseableDescriptor,
    ILoggingContext,
    IPushProducer,
    IReadWriteDescriptor,
    ITransport,
)
from torsion.internet.transports import numeric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torsion.python.failure import Failure

__all__ = ["FileDescriptor", "isIPAddress", "isIPv6Address"]


@implementer(IPushProducer, IReadWriteDescriptor, IConsumer, ITransport, IHalfCloseableDescriptor, ILoggingContext)
class FileDescriptor:
    """A descriptor that a reactor watches (``IReactorFDSet``), with a buffer for what is to be written.

    A subclass has :meth:`fileno`; :meth:`doRead` if it reads; :meth:`writeSomeData` if it writes; and it closes the
    descriptor in :meth:`connectionLost`.

    :ivar connected: whether it is in use: a subclass sets this once it is, and :meth:`connectionLost` clears it.
    :ivar disconnected: whether :meth:`connectionLost` was called.
    :ivar disconnecting: whether :meth:`loseConnection` was.
    :ivar bufferSize: from how many waiting bytes on a producer is told to pause.
    :ivar producer: who is told when to write.
    """

    connected = 0
    disconnected = 0
    disconnecting = 0
    producer: Any = None
    streamingProducer = False
    producerPaused = 0
    dataBuffer = b""
    offset = 0
    bufferSize = 2**16
    SEND_LIMIT = 128 * 1024
    """How many bytes :meth:`writeSomeData` is given at most: as many as the system takes at once, so that joining the
    pieces of a large buffer costs no more than sending them."""

    def __init__(self, reactor: Any = None) -> None:
        """Make it.

        :param reactor: what watches it; None for the one that runs, or is installed.
        """
        self.reactor = current_reactor() if reactor is None else reactor
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._write_disconnecting = False
        self._write_disconnected = False

    # --- for subclasses ----------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed: what this does, as there is none yet."""
        return -1

    def doRead(self) -> Any:
        """Read what there is.  A subclass that reads returns None to go on, or an exception: why it is over."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read; give it a doRead")

    def writeSomeData(self, data: bytes) -> int | Exception:
        """Write some of *data* without waiting, and return how many bytes, or an exception: why it is over."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to write; give it a writeSomeData")

    def connectionLost(self, reason: Failure) -> None:
        """It is over.  A subclass closes the descriptor, after calling this.

        :param reason: why.
        """
        self.disconnected = 1
        self.connected = 0
        if (producer := self.producer) is not None:
            self.producer = None
            producer.stopProducing()
        self.stopReading()
        self.stopWriting()

    def readConnectionLost(self, reason: Failure) -> None:
        """There is nothing more to read: all is over, unless a subclass thinks otherwise."""
        self.connectionLost(reason)

    def writeConnectionLost(self, reason: Failure) -> None:
        """Our half is closed: all is over, unless a subclass thinks otherwise."""
        self.connectionLost(reason)

    def getHost(self) -> Any:
        """Return where this end is, which only a subclass can know."""
        raise NotImplementedError(f"{type(self).__name__} does not say where it is; give it a getHost")

    def getPeer(self) -> Any:
        """Return where the other end is, which only a subclass can know."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its peer is; give it a getPeer")

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this."""
        return "-"

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Queue *data*; ignored once it is over or our half is closed.

        :raises TypeError: for text, which has to be encoded first.
        """
        _must_be_bytes(data)
        if data and self._takes():
            self._queue(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Queue each of *iovec*, as by :meth:`write`.

        :raises TypeError: if one of them is text.
        """
        pieces = list(iovec)
        for piece in pieces:
            _must_be_bytes(piece)
        if self._takes():
            for piece in pieces:
                if piece:
                    self._queue(piece)

    def _takes(self) -> bool:
        return bool(self.connected) and not self._write_disconnected

    def _queue(self, data: bytes) -> None:
        self._pieces.append(data)
        self._waiting += len(data)
        if self.producer is not None and self.streamingProducer and not self.producerPaused and self._is_full():
            self.producerPaused = 1
            self.producer.pauseProducing()
        self.startWriting()

    def _is_full(self) -> bool:
        return len(self.dataBuffer) - self.offset + self._waiting > self.bufferSize

    def doWrite(self) -> Any:
        """Write some of what waits, for the reactor; what an empty buffer was waited for follows."""
        if len(self.dataBuffer) - self.offset < self.SEND_LIMIT:
            self.dataBuffer = b"".join((self.dataBuffer[self.offset :], *self._pieces))
            self.offset = 0
            self._pieces.clear()
            self._waiting = 0
        # A subclass may have put all into one piece already; a copy is cheaper than a long write that takes little.
        waiting = self.dataBuffer if not self.offset else self.dataBuffer[self.offset : self.offset + self.SEND_LIMIT]
        written = self.writeSomeData(waiting)
        if not isinstance(written, int):
            return written
        self.offset += written
        if self.offset == len(self.dataBuffer) and not self._waiting:
            self.dataBuffer = b""
            self.offset = 0
            return self._drained()
        return None

    def _drained(self) -> Any:
        self.stopWriting()
        if self.producer is not None and (not self.streamingProducer or self.producerPaused):
            self.producerPaused = 0
            self.producer.resumeProducing()
        elif self.disconnecting:
            return self._postLoseConnection()
        elif self._write_disconnecting:
            self._write_disconnected = True
            return self._closeWriteConnection()
        return None

    def _postLoseConnection(self) -> Any:
        """What a close does after all was written; Twisted's subclasses have this name for it."""
        return main.CONNECTION_DONE

    def _closeWriteConnection(self) -> Any:
        """What closing our half does after all was written; Twisted's subclasses have this name for it."""

    # --- closing -----------------------------------------------------------------------------------------------------

    def loseConnection(self, _connDone: Any = main.CONNECTION_DONE) -> None:
        """Close once all is written."""
        if self.connected and not self.disconnecting:
            if self._write_disconnected:  # nothing can be written to wait for
                from torsion.python.failure import Failure

                self.stopReading()
                self.stopWriting()
                self.reactor.callLater(0, self.connectionLost, Failure(_connDone))
            else:
                self.stopReading()
                self.startWriting()
                self.disconnecting = 1

    def loseWriteConnection(self) -> None:
        """Close our half once all is written."""
        self._write_disconnecting = True
        self.startWriting()

    # --- being watched -----------------------------------------------------------------------------------------------

    def startReading(self) -> None:
        """Be called when there is something to read."""
        self.reactor.addReader(self)

    def stopReading(self) -> None:
        """Read nothing for now."""
        self.reactor.removeReader(self)

    def startWriting(self) -> None:
        """Be called when there is room to write."""
        self.reactor.addWriter(self)

    def stopWriting(self) -> None:
        """Write nothing for now."""
        self.reactor.removeWriter(self)

    # --- producers and consumers -------------------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write: a streaming one when to pause and go on, another for each piece.

        :raises RuntimeError: while another one is registered.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"cannot register producer {producer!r}: producer {self.producer!r} was never unregistered; "
                "call unregisterProducer() first"
            )
        if self.disconnected:
            producer.stopProducing()
            return
        self.producer = producer
        self.streamingProducer = streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
        self.producer = None
        if self.connected and self.disconnecting:
            self.startWriting()

    def stopConsuming(self) -> None:
        """Forget the producer and close; for a producer that has no more to give."""
        self.unregisterProducer()
        self.loseConnection()

    def pauseProducing(self) -> None:
        """Read nothing for now."""
        self.stopReading()

    def resumeProducing(self) -> None:
        """Read again, unless it is being closed."""
        if self.connected and not self.disconnecting:
            self.startReading()

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.loseConnection()


def _must_be_bytes(data: object) -> None:
    if isinstance(data, str):
        raise TypeError(f"bytes are written, not text: encode {data!r} first")


def isIPAddress(addr: str | bytes, family: int = AF_INET) -> bool:
    """Tell whether *addr* is a numeric address, not a name.

    :param addr: the text; bytes are read as ASCII.
    :param family: ``socket.AF_INET`` or ``socket.AF_INET6``; IPv6 addresses may have a scope, such as ``%eth0``.
    :raises ValueError: for another family.
    """
    if isinstance(addr, bytes):
        try:
            addr = addr.decode("ascii")
        except UnicodeDecodeError:
            return False
    if family == AF_INET:
        return numeric.isIPAddress(addr)
    if family == AF_INET6:
        return numeric.isIPv6Address(addr)
    raise ValueError(f"numeric addresses are of AF_INET or AF_INET6, not of family {family!r}")


def isIPv6Address(addr: str | bytes) -> bool:
    """Tell whether *addr* is a numeric IPv6 address; see :func:`isIPAddress`."""
    return isIPAddress(addr, AF_INET6)
