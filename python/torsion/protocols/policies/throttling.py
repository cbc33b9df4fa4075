"""Limits to the bytes that all connections of a factory receive and send in a second, and to their number.

How much went through is looked at once a second. What was more than the limit is owed, and everything is held for as
long as that takes at the limit's pace, so that the limit holds on average, not at each moment. How much goes through in a
burst is bounded, too: see ``BURST``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.interfaces import IPullProducer, IPushProducer
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torsion.internet.interfaces import IAddress, IDelayedCall

__all__ = ["BURST", "ThrottlingFactory", "ThrottlingProtocol"]

BURST = 2
"""More than so many seconds' worth in one second is not waited out: everything is held at once.

Without this, a fast connection would get through in its first second what it is to wait for for hours.
"""


@implementer(IPushProducer, IPullProducer)
class _Gate:
    """Stands between a transport and the producer of its data: the producer goes on when neither keeps it waiting.

    :param protocol: whose producer it is.
    :ivar full: whether the transport has had the producer paused.
    :ivar held: whether the factory has.
    :ivar asked: whether the transport asks a pull producer that the factory holds for its next piece.
    """

    __slots__ = ("asked", "full", "held", "protocol", "streaming")

    def __init__(self, protocol: ThrottlingProtocol) -> None:
        self.protocol = protocol
        self.streaming = True
        self.full = self.held = self.asked = False

    def begin(self, streaming: bool) -> None:
        self.streaming = streaming
        self.full = self.asked = False

    def hold(self) -> None:
        if not self.held:
            self.held = True
            producer = self.protocol.producer
            if producer is not None and self.streaming and not self.full:
                producer.pauseProducing()

    def release(self) -> None:
        if self.held:
            self.held = False
            producer = self.protocol.producer
            if producer is not None and (self.asked or (self.streaming and not self.full)):
                self.asked = False
                producer.resumeProducing()

    # --- as the producer that the transport knows

    def pauseProducing(self) -> None:
        self.full = True
        if not self.held:
            self.protocol.producer.pauseProducing()

    def resumeProducing(self) -> None:
        self.full = False
        if not self.held:
            self.protocol.producer.resumeProducing()
        elif not self.streaming:
            self.asked = True

    def stopProducing(self) -> None:
        self.protocol.producer.stopProducing()


class ThrottlingProtocol(ProtocolWrapper):
    """One connection of a :class:`ThrottlingFactory`: counts, and waits when it is told to.

    :ivar producer: what the wrapped protocol registered to be told when to write, or None.
    """

    factory: ThrottlingFactory

    def __init__(self, factory: ThrottlingFactory, wrappedProtocol: Any) -> None:
        """Wrap a protocol.

        :param factory: counts for all connections.
        :param wrappedProtocol: the protocol.
        """
        super().__init__(factory, wrappedProtocol)
        self.producer: Any = None
        self._gate = _Gate(self)
        self._paused = False  # by the protocol
        self._held = False  # by the factory

    def write(self, data: bytes) -> None:
        """Count this, and pass it on."""
        self.factory.registerWritten(len(data))
        super().write(data)

    def writeSequence(self, seq: Iterable[bytes]) -> None:
        """Count this, and pass it on."""
        pieces = list(seq)  # it may be a generator, which can be read once
        self.factory.registerWritten(sum(map(len, pieces)))
        super().writeSequence(pieces)

    def dataReceived(self, data: bytes) -> None:
        """Count this, and pass it on."""
        self.factory.registerRead(len(data))
        super().dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* know when to write, as long as this is not held."""
        if self.producer is not None:
            raise RuntimeError(f"Cannot register {producer!r}: {self.producer!r} is registered, unregister it first")
        self.producer = producer
        gate = self._gate
        gate.begin(streaming)
        super().registerProducer(gate, streaming)
        if gate.held and streaming and not gate.full and self.producer is producer:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None
        super().unregisterProducer()

    def pauseProducing(self) -> None:
        """Deliver nothing for the time being, because the protocol says so."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again, now or when this is no longer held."""
        self._paused = False
        if not self._held:
            self.transport.resumeProducing()

    def throttleReads(self) -> None:
        """Receive nothing until :meth:`unthrottleReads`. Does nothing on a connection that is closing."""
        if not self._held and not self._closing():
            self._held = True
            self.transport.pauseProducing()

    def unthrottleReads(self) -> None:
        """Receive again, unless the protocol itself does not want to."""
        if self._held:
            self._held = False
            if not self._paused and not self._closing():
                self.transport.resumeProducing()

    def throttleWrites(self) -> None:
        """Have the producer wait, if there is one, until :meth:`unthrottleWrites`. What else is written, is sent."""
        self._gate.hold()

    def unthrottleWrites(self) -> None:
        """Let the producer go on, unless the transport itself has it wait."""
        self._gate.release()

    def _closing(self) -> bool:
        return bool(getattr(self.transport, "disconnecting", False))


class ThrottlingFactory(WrappingFactory):
    """Wraps a factory so that its connections together keep within a number of bytes a second, and of connections.

    What is sent is held back only where a producer is registered: what a protocol writes by itself, it has written.

    :ivar connectionCount: how many connections there are now.
    :ivar maxConnectionCount: how many there may be; one more is closed at once.
    :ivar readLimit: how many bytes may be received in a second; None for any number.
    :ivar writeLimit: how many bytes may be sent in a second; None for any number.
    :ivar readThisSecond: how many bytes were received since the limit was last looked after.
    :ivar writtenThisSecond: how many bytes were written since the limit was last looked after.
    """

    protocol = ThrottlingProtocol

    _reads_held = False
    _writes_held = False
    _read_owed = 0.0  # bytes
    _write_owed = 0.0

    def __init__(
        self,
        wrappedFactory: Any,
        maxConnectionCount: int = sys.maxsize,
        readLimit: float | None = None,
        writeLimit: float | None = None,
    ) -> None:
        """Wrap a factory.

        :param wrappedFactory: makes the protocols.
        :param maxConnectionCount: how many connections there may be.
        :param readLimit: bytes to receive in a second, by all of them; None for any number.
        :param writeLimit: bytes to send in a second, by all of them; None for any number.
        :raises ValueError: if a limit is not above 0.
        """
        for name, limit in (("readLimit", readLimit), ("writeLimit", writeLimit)):
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} has to be above 0, or None for no limit; it is {limit!r}")
        super().__init__(wrappedFactory)
        self.connectionCount = 0
        self.maxConnectionCount = maxConnectionCount
        self.readLimit = readLimit
        self.writeLimit = writeLimit
        self.readThisSecond = 0
        self.writtenThisSecond = 0
        self.unthrottleReadsID: IDelayedCall | None = None
        self.checkReadBandwidthID: IDelayedCall | None = None
        self.unthrottleWritesID: IDelayedCall | None = None
        self.checkWriteBandwidthID: IDelayedCall | None = None

    def callLater(self, period: float, func: Callable[[], object]) -> Any:
        """Call *func* in *period* seconds: by the current reactor, or by whatever clock an override prefers."""
        return _current.current_reactor().callLater(period, func)

    # --- connections

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Have the wrapped factory make a protocol, and wrap it; None if it makes none, or there are enough."""
        if self.connectionCount >= self.maxConnectionCount:
            return None
        protocol = super().buildProtocol(addr)
        if protocol is not None:
            self.connectionCount += 1
            if self.connectionCount == 1:
                self._begin()
        return protocol

    def registerProtocol(self, p: Any) -> None:
        """Be told that a connection is made: what holds the others, holds it too."""
        super().registerProtocol(p)
        if self._reads_held:
            p.throttleReads()
        if self._writes_held:
            p.throttleWrites()

    def unregisterProtocol(self, p: Any) -> None:
        """Be told that a connection is lost. With the last one, the clock is left alone until there are others."""
        super().unregisterProtocol(p)
        self.connectionCount -= 1
        if self.connectionCount == 0:
            self._end()

    def _begin(self) -> None:
        if self.readLimit is not None and self.checkReadBandwidthID is None:
            self.readThisSecond = 0
            self.checkReadBandwidthID = self.callLater(1, self.checkReadBandwidth)
        if self.writeLimit is not None and self.checkWriteBandwidthID is None:
            self.writtenThisSecond = 0
            self.checkWriteBandwidthID = self.callLater(1, self.checkWriteBandwidth)

    def _end(self) -> None:
        for name in ("unthrottleReadsID", "checkReadBandwidthID", "unthrottleWritesID", "checkWriteBandwidthID"):
            call = getattr(self, name)
            setattr(self, name, None)
            if call is not None and call.active():
                call.cancel()
        self._reads_held = self._writes_held = False
        self._read_owed = self._write_owed = 0.0

    # --- bytes

    def registerRead(self, length: int) -> None:
        """Be told by a connection that it received *length* bytes."""
        self.readThisSecond += length
        if self._reads_held or self.readLimit is None or self.checkReadBandwidthID is None:
            return
        if self.readThisSecond > BURST * self.readLimit:
            self.throttleReads()  # the next check tells for how long

    def registerWritten(self, length: int) -> None:
        """Be told by a connection that it wrote *length* bytes."""
        self.writtenThisSecond += length
        if self._writes_held or self.writeLimit is None or self.checkWriteBandwidthID is None:
            return
        if self.writtenThisSecond > BURST * self.writeLimit:
            self.throttleWrites()  # the next check tells for how long

    def checkReadBandwidth(self) -> None:
        """Look after the limit to what is received, now and in a second again."""
        self._read_owed, wait = _settle(self._read_owed + self.readThisSecond, self.readLimit)
        self.readThisSecond = 0
        self.checkReadBandwidthID = self.callLater(1, self.checkReadBandwidth)
        if wait:
            self.unthrottleReadsID = self._release_in(wait, self.unthrottleReadsID, self.unthrottleReads)
            self.throttleReads()

    def checkWriteBandwidth(self) -> None:
        """Look after the limit to what is sent, now and in a second again."""
        self._write_owed, wait = _settle(self._write_owed + self.writtenThisSecond, self.writeLimit)
        self.writtenThisSecond = 0
        self.checkWriteBandwidthID = self.callLater(1, self.checkWriteBandwidth)
        if wait:
            self.unthrottleWritesID = self._release_in(wait, self.unthrottleWritesID, self.unthrottleWrites)
            self.throttleWrites()

    def _release_in(self, seconds: float, call: Any, func: Callable[[], object]) -> Any:
        """Return a call of *func* in so many seconds, in place of *call*."""
        if call is not None and call.active():
            call.cancel()
        return self.callLater(seconds, func)

    def throttleReads(self) -> None:
        """Have all connections receive nothing, those to come among them."""
        self._reads_held = True
        for protocol in list(self.protocols):
            protocol.throttleReads()

    def unthrottleReads(self) -> None:
        """Have all connections receive again."""
        self._reads_held = False
        self.unthrottleReadsID = None
        for protocol in list(self.protocols):
            protocol.unthrottleReads()

    def throttleWrites(self) -> None:
        """Have all producers wait, those to come among them."""
        self._writes_held = True
        for protocol in list(self.protocols):
            protocol.throttleWrites()

    def unthrottleWrites(self) -> None:
        """Let all producers go on."""
        self._writes_held = False
        self.unthrottleWritesID = None
        for protocol in list(self.protocols):
            protocol.unthrottleWrites()


def _settle(owed: float, limit: float | None) -> tuple[float, float]:
    """Pay what a second at *limit* allows for. Return what is still owed, and how many seconds that takes."""
    if limit is None:
        return 0.0, 0.0
    owed = max(0.0, owed - limit)
    return owed, owed / limit
