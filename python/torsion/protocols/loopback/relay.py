"""A transport that gives what is written to it to a protocol, when the test says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from zope.interface import implementer

from torsion.internet.interfaces import IConsumer, ITransport
from torsion.internet.protocol import connectionDone

__all__ = ["LoopbackRelay"]


@implementer(ITransport, IConsumer)
class LoopbackRelay:
    """A transport that keeps what is written to it, until it is told to give it to a protocol.

    :ivar target: the protocol.
    :ivar buffer: what is kept.
    :ivar disconnecting: whether the connection is to be closed.
    :ivar shouldLose: 1 when it is, -1 when it was.
    :ivar producer: what was registered, or None.
    """

    buffer: bytes = b""
    shouldLose: int = 0
    disconnecting: bool = False
    producer: Any = None

    def __init__(self, target: Any, logFile: TextIO | None = None) -> None:
        """Make a transport.

        :param target: the protocol that is given what is written, by :meth:`clearBuffer`.
        :param logFile: open for writing text: what happens is written there, too. None to keep it quiet.
        """
        self.target = target
        self.logFile = logFile

    def _log(self, what: str) -> None:
        if self.logFile is not None:
            self.logFile.write(f"loopback {what}\n")

    def write(self, data: bytes) -> None:
        """Keep *data*."""
        self._log(f"writing {data!r}")
        self.buffer += data

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Keep several pieces of bytes, in their order."""
        self.write(b"".join(iovec))

    def clearBuffer(self) -> None:
        """Give what was written to the protocol; then tell it that the connection is lost, if that is so.

        Before, a producer that is registered is asked for a piece. Does nothing once the connection is lost.
        """
        if self.shouldLose == -1:
            return
        if self.producer is not None:
            self.producer.resumeProducing()
        if self.buffer:
            self._log(f"receiving {self.buffer!r}")
            buffer, self.buffer = self.buffer, b""
            self.target.dataReceived(buffer)
        if self.shouldLose == 1:
            self.shouldLose = -1
            self.target.connectionLost(connectionDone)

    def loseConnection(self) -> None:
        """Close the connection, with the next :meth:`clearBuffer`."""
        if self.shouldLose != -1:
            self.shouldLose = 1
            self.disconnecting = True

    def getHost(self) -> Any:
        """Return a word for this end; it has no address."""
        return "loopback"

    def getPeer(self) -> Any:
        """Return a word for the other end; it has no address."""
        return "loopback"

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have each :meth:`clearBuffer` ask *producer* for a piece."""
        self.producer = producer

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None

    def logPrefix(self) -> str:
        """Return a name for log lines, with that of the protocol's class in it."""
        return f"Loopback({type(self.target).__name__!r})"
