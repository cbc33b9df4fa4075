"""Transports that keep in memory what is written to them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from zope.interface import implementer

from torsion.internet.address import IPv4Address
from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces.core import IAddress
from torsion.internet.interfaces.datagram import IUDPTransport
from torsion.internet.interfaces.producer import IConsumer, IPushProducer
from torsion.internet.interfaces.stream import ITransport
from torsion.python.failure import Failure


class StringIOWithoutClosing(BytesIO):
    """A file in memory that can still be read after it was closed."""

    def close(self) -> None:
        """Do nothing."""


@implementer(ITransport, IConsumer, IPushProducer)
class StringTransport:
    """A connection without a peer: hand it to a protocol, then look at what the protocol did.

    What is written stays in :meth:`value`, also what is written after :meth:`loseConnection`, which a real connection
    would drop. What the peer sends, the test hands to ``protocol.dataReceived``.

    :param hostAddress: what :meth:`getHost` returns; None for port 12345 of 10.0.0.1.
    :param peerAddress: what :meth:`getPeer` returns; None for port 54321 of 192.168.1.1.
    :param lenient: do not raise when it is paused or resumed while it is closing.
    """

    disconnecting: bool = False
    """Whether :meth:`loseConnection` or :meth:`abortConnection` was called."""
    disconnected: bool = False
    """Whether :meth:`abortConnection` was called."""
    connected: bool = True
    """Whether the connection stands."""
    producer: Any = None
    """The producer that is registered, or None."""
    streaming: bool | None = None
    """Whether the producer is a push producer; None without a producer."""
    producerState: str = "producing"
    """What this transport is doing as a producer itself: ``producing``, ``paused`` or ``stopped``."""
    hostAddr: IAddress | None = None
    """The address that :meth:`getHost` returns, if it was given."""
    peerAddr: IAddress | None = None
    """The address that :meth:`getPeer` returns, if it was given."""

    def __init__(
        self, hostAddress: IAddress | None = None, peerAddress: IAddress | None = None, lenient: bool = False
    ) -> None:
        self.io = BytesIO()
        self.connected = True
        self._lenient = lenient
        if hostAddress is not None:
            self.hostAddr = hostAddress
        if peerAddress is not None:
            self.peerAddr = peerAddress

    def clear(self) -> None:
        """Forget what was written so far."""
        self.io = BytesIO()

    def value(self) -> bytes:
        """Return all that was written since the start, or since :meth:`clear`."""
        return self.io.getvalue()

    def write(self, data: bytes) -> None:
        """Keep *data*.

        :raises TypeError: if *data* is not bytes.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"Data must be bytes, not {type(data).__name__}: encode text before writing it")
        self.io.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Keep several pieces of bytes in their order.

        :raises TypeError: if any of them is not bytes.
        """
        self.io.write(b"".join(data))

    def loseConnection(self) -> None:
        """Set :attr:`disconnecting`. The test calls ``protocol.connectionLost``, if it is to be called."""
        self.disconnecting = True

    def abortConnection(self) -> None:
        """Set :attr:`disconnected`, and do what :meth:`loseConnection` does."""
        self.disconnected = True
        self.loseConnection()

    def getHost(self) -> IAddress:
        """Return this end's address."""
        return IPv4Address("TCP", "10.0.0.1", 12345) if self.hostAddr is None else self.hostAddr

    def getPeer(self) -> IAddress:
        """Return the other end's address."""
        return IPv4Address("TCP", "192.168.1.1", 54321) if self.peerAddr is None else self.peerAddr

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Keep *producer*; the test resumes and pauses it.

        :raises RuntimeError: if another one is registered.
        """
        if self.producer is not None:
            raise RuntimeError(f"Cannot register {producer!r}: {self.producer!r} is registered, unregister it first")
        self.producer = producer
        self.streaming = streaming

    def unregisterProducer(self) -> None:
        """Forget the producer.

        :raises RuntimeError: if none is registered.
        """
        if self.producer is None:
            raise RuntimeError("Cannot unregister a producer: none is registered")
        self.producer = None
        self.streaming = None

    def pauseProducing(self) -> None:
        """Set :attr:`producerState` to ``paused``.

        :raises RuntimeError: if the transport is stopped or closing, unless it is lenient.
        """
        self._expectLive("pause")
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        """Set :attr:`producerState` to ``producing``.

        :raises RuntimeError: if the transport is stopped or closing, unless it is lenient.
        """
        self._expectLive("resume")
        self.producerState = "producing"

    def stopProducing(self) -> None:
        """Set :attr:`producerState` to ``stopped``.

        :raises RuntimeError: if the transport is stopped or closing, unless it is lenient.
        """
        self._expectLive("stop")
        self.producerState = "stopped"

    def _expectLive(self, what: str) -> None:
        if self.disconnecting and not self._lenient:
            raise RuntimeError(f"Cannot {what} producing after loseConnection")
        if self.producerState == "stopped":
            raise RuntimeError(f"Cannot {what} a stopped producer")


class StringTransportWithDisconnection(StringTransport):
    """A :class:`StringTransport` that tells its protocol at once when the protocol closes the connection.

    Set :attr:`protocol` first.
    """

    protocol: Any
    """What is told by ``connectionLost``, with :class:`torsion.internet.error.ConnectionDone` as the reason."""

    def loseConnection(self) -> None:
        """Close the connection and tell the protocol; does nothing the second time."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone("Bye.")))


@implementer(IUDPTransport)
class FakeDatagramTransport:
    """A socket for datagrams that keeps what is sent.

    :ivar written: pairs of a datagram and the receiver's address, in the order of sending.
    """

    noAddr = object()
    """What stands in :attr:`written` for the address of a datagram that was sent without one."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, Any]] = []
        self._peer: tuple[str, int] | None = None
        self._broadcast = False

    def write(self, packet: bytes, addr: Any = noAddr) -> None:
        """Keep a datagram."""
        self.written.append((packet, addr))

    def connect(self, host: str, port: int) -> None:
        """Keep the peer.

        :raises RuntimeError: if there is one already.
        """
        if self._peer is not None:
            raise RuntimeError(f"Cannot connect to {host}:{port}: connected to {self._peer[0]}:{self._peer[1]} already")
        self._peer = host, port

    def getHost(self) -> IAddress:
        """Return an address."""
        return IPv4Address("UDP", "10.0.0.1", 12345)

    def stopListening(self) -> Deferred[None] | None:
        """Return None: nothing has to be waited for."""
        return None

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Keep whether broadcasting is allowed."""
        self._broadcast = enabled

    def getBroadcastAllowed(self) -> bool:
        """Return whether broadcasting is allowed."""
        return self._broadcast


class NonStreamingProducer:
    """A pull producer that makes ten pieces of data: the digits from 0 to 9.

    :param consumer: what it writes to, and unregisters from after the last piece.
    :ivar counter: how many pieces it has made.
    :ivar stopped: whether it was told to stop.
    :ivar result: a Deferred that fires with None after the last piece.
    """

    counter = 0
    stopped = False

    def __init__(self, consumer: IConsumer) -> None:
        self.consumer: IConsumer | None = consumer
        self.result: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        """Make one piece.

        :raises RuntimeError: if it has made all, or was told to stop.
        """
        consumer = self.consumer
        if consumer is None or self.stopped:
            raise RuntimeError("BUG: resume after unregister/stop.")
        consumer.write(b"%d" % self.counter)
        self.counter += 1
        if self.counter == 10:
            consumer.unregisterProducer()
            self._done()

    def pauseProducing(self) -> None:
        """Refuse: nobody may pause a pull producer.

        :raises RuntimeError: always.
        """
        raise RuntimeError("BUG: pause should never be called.")

    def stopProducing(self) -> None:
        """Make no more."""
        self.stopped = True
        self._done()

    def _done(self) -> None:
        self.consumer = None
        if not self.result.called:
            self.result.callback(None)
