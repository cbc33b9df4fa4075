"""Connections in memory, which can be diverted as the native ones can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import classImplementsOnly

from torsion.internet.interfaces import IConsumer, ILoggingContext, IPushProducer, ITLSTransport
from torsion.internet.reactors.memory.stream import MemoryStream
from torsion.internet.transports.stream import TCPNames
from torsion.internet.transports.tls import Securable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DivertibleStream", "MemoryBypass", "MemoryConnection"]


class DivertibleStream(MemoryStream):
    """A stream whose place a filter can take, for those who speak to it (see ``Stream.divert`` of the native border)."""

    diverted: Any = None
    """The filter."""

    def divert(self, filter: Any, /) -> None:
        """Have *filter* asked for what a program asks of this stream, from now on.

        :raises RuntimeError: if there is a filter already.
        """
        if self.diverted is not None:
            raise RuntimeError("the stream has a divert already, and keeps it")
        self.diverted = filter

    def bypass(self) -> MemoryBypass:
        """Return what leads to the stream itself in any case."""
        return MemoryBypass(self)

    def write(self, data: Any) -> None:
        """Queue *data*, or have the filter write it."""
        if self.diverted is None:
            super().write(data)
        else:
            self.diverted.write(data)

    def writeSequence(self, data: Iterable[Any]) -> None:
        """Queue each of *data*, or have the filter write them."""
        if self.diverted is None:
            super().writeSequence(data)
        else:
            self.diverted.writeSequence(data)

    def loseConnection(self) -> None:
        """Close once everything is sent, or have the filter do so."""
        if self.diverted is None:
            super().loseConnection()
        else:
            self.diverted.loseConnection()

    def abortConnection(self) -> None:
        """Close now, or have the filter do so."""
        if self.diverted is None:
            super().abortConnection()
        else:
            self.diverted.abortConnection()

    def loseWriteConnection(self) -> None:
        """Shut down our half once everything is sent, or have the filter do so."""
        if self.diverted is None:
            super().loseWriteConnection()
        else:
            self.diverted.loseWriteConnection()

    def pauseProducing(self) -> None:
        """Stop reading, or have the filter stop."""
        if self.diverted is None:
            super().pauseProducing()
        else:
            self.diverted.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again, or have the filter go on."""
        if self.diverted is None:
            super().resumeProducing()
        else:
            self.diverted.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write, by the filter if there is one."""
        if self.diverted is None:
            super().registerProducer(producer, streaming)
        else:
            self.diverted.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        if self.diverted is None:
            super().unregisterProducer()
        else:
            self.diverted.unregisterProducer()

    @property
    def disconnecting(self) -> bool:
        """Whether this side has asked for the end."""
        return self.closing or (self.diverted is not None and bool(self.diverted.disconnecting))

    @disconnecting.setter
    def disconnecting(self, closing: bool) -> None:
        self.closing = closing


class MemoryBypass:
    """The stream itself, under its divert (see ``Bypass`` of the native border)."""

    def __init__(self, stream: DivertibleStream) -> None:
        self._stream = stream

    @property
    def disconnecting(self) -> bool:
        """Whether the stream itself was asked to end."""
        return self._stream.closing

    def write(self, data: Any) -> None:
        """Queue *data*."""
        MemoryStream.write(self._stream, data)

    def writeSequence(self, data: Iterable[Any]) -> None:
        """Queue each of *data*."""
        MemoryStream.writeSequence(self._stream, data)

    def loseConnection(self) -> None:
        """Close once everything is sent."""
        MemoryStream.loseConnection(self._stream)

    stopProducing = loseConnection

    def abortConnection(self) -> None:
        """Close now."""
        MemoryStream.abortConnection(self._stream)

    def loseWriteConnection(self) -> None:
        """Shut down our half once everything is sent."""
        MemoryStream.loseWriteConnection(self._stream)

    def pauseProducing(self) -> None:
        """Stop reading."""
        MemoryStream.pauseProducing(self._stream)

    def resumeProducing(self) -> None:
        """Read again."""
        MemoryStream.resumeProducing(self._stream)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write."""
        MemoryStream.registerProducer(self._stream, producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        MemoryStream.unregisterProducer(self._stream)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the stream has."""
        return getattr(self._stream, name)


# Two engines' streams, of one shape.
class MemoryConnection(Securable, TCPNames, DivertibleStream):  # type: ignore[misc, override]
    """A TCP connection in memory (``ITCPTransport``)."""


classImplementsOnly(MemoryConnection, ITLSTransport, IConsumer, IPushProducer, ILoggingContext)
