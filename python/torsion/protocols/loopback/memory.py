"""Two protocols connected in memory, with the reactor to carry over what they write."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

from zope.interface import implementer

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.internet.interfaces import IAddress, IConsumer, ITransport
from torsion.internet.protocol import connectionDone
from torsion.python.failure import Failure

__all__ = ["collapsingPumpPolicy", "identityPumpPolicy", "loopbackAsync"]


class _LoopbackQueue:
    """What one side wrote and the other has not received yet; None in it is the end.

    :param notify: called when something was put into it.
    """

    def __init__(self, notify: Callable[[], object] | None = None) -> None:
        self._items: deque[bytes | None] = deque()
        self._notify = notify
        self.ended = False

    def put(self, item: bytes | None) -> None:
        """Add data, or the end. After the end, nothing is added."""
        if self.ended:
            return
        self.ended = item is None
        self._items.append(item)
        if self._notify is not None:
            self._notify()

    def get(self) -> bytes | None:
        """Take and return what comes next."""
        return self._items.popleft()

    def take(self) -> _LoopbackQueue:
        """Take all that there is now, as a queue of its own."""
        taken = _LoopbackQueue()
        taken._items, self._items = self._items, taken._items
        return taken

    def put_back(self, taken: _LoopbackQueue) -> None:
        """Have what is left of *taken* come next."""
        self._items.extendleft(reversed(taken._items))

    def __bool__(self) -> bool:
        return bool(self._items)


@implementer(IAddress)
class _LoopbackAddress:
    """Where one side of a loopback is."""

    def __init__(self, side: str) -> None:
        self.side = side

    def __repr__(self) -> str:
        return f"<loopback {self.side}>"


@implementer(ITransport, IConsumer)
class _LoopbackTransport:
    """One side's end.

    :ivar disconnecting: whether this side has asked for the end.
    :ivar producer: what was registered, or None.
    """

    disconnecting = False

    def __init__(self, queue: _LoopbackQueue, host: _LoopbackAddress, peer: _LoopbackAddress) -> None:
        self.q = queue
        self._host = host
        self._peer = peer
        self.producer: Any = None
        self.lost = False

    def write(self, data: bytes) -> None:
        """Send *data*.

        :raises TypeError: if *data* is not bytes.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"Data must be bytes, not {type(data).__name__}: encode text before writing it")
        if data and not self.lost:
            self.q.put(bytes(data))

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Send several pieces of bytes, as one."""
        self.write(b"".join(iovec))

    def loseConnection(self) -> None:
        """Close the connection once what was written is received."""
        self.disconnecting = True
        self.q.put(None)

    abortConnection = loseConnection

    def getPeer(self) -> IAddress:
        """Return where the other side is."""
        return cast("IAddress", self._peer)

    def getHost(self) -> IAddress:
        """Return where this side is."""
        return cast("IAddress", self._host)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* write: a push producer as it likes, a pull producer once a turn of the reactor.

        :raises RuntimeError: if another one is registered.
        """
        if self.producer is not None:
            raise RuntimeError(f"Cannot register {producer!r}: {self.producer!r} is registered, unregister it first")
        if self.lost:
            producer.stopProducing()
            return
        self.producer = producer
        if not streaming:
            self._pull(producer)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None

    def _pull(self, producer: Any) -> None:
        if self.producer is producer:
            producer.resumeProducing()
            _soon(lambda: self._pull(producer))

    def end(self) -> None:
        """Be lost."""
        self.lost = True
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()


def _soon(function: Callable[[], object]) -> None:
    _current.current_reactor().callLater(0, function)


def identityPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver each piece of data as it was written. No network does that.

    :param queue: what was written, up to now.
    :param target: the protocol to deliver it to.
    """
    while queue:
        data = queue.get()
        if data is None:
            return
        target.dataReceived(data)


def collapsingPumpPolicy(queue: Any, target: Any) -> None:
    """Deliver all that was written at once.

    :param queue: what was written, up to now.
    :param target: the protocol to deliver it to.
    """
    pieces = []
    while queue:
        data = queue.get()
        if data is None:
            break
        pieces.append(data)
    if pieces:
        target.dataReceived(b"".join(pieces))


_PumpPolicy = Callable[[Any, Any], object]

_ROUNDS = 100
"""After so many questions and answers in a row, the reactor has a turn: two protocols may go on for ever."""


class _Loopback:
    """Carries bytes between two protocols until one of them closes the connection.

    :ivar done: fires with None once both have been told; fails with what either of them raised.
    """

    def __init__(self, server: Any, client: Any, policy: _PumpPolicy) -> None:
        self.server, self.client, self.policy = server, client, policy
        self.from_server = _LoopbackQueue(self._notified)
        self.from_client = _LoopbackQueue(self._notified)
        here, there = _LoopbackAddress("server"), _LoopbackAddress("client")
        self.transports = (
            _LoopbackTransport(self.from_server, here, there),
            _LoopbackTransport(self.from_client, there, here),
        )
        self.done: Deferred[None] = Deferred()
        self._due = True  # nothing is to be scheduled while the connection is made

    def begin(self) -> Deferred[None]:
        """Make the connection, and carry over what is said at once."""
        try:
            self.server.makeConnection(self.transports[0])
            self.client.makeConnection(self.transports[1])
        except Exception:  # noqa: BLE001 - as on any transport, what a protocol raises costs its connection
            self._finish(Failure())
        else:
            self._pump()
        return self.done

    def _notified(self) -> None:
        """Something was written: pump soon, and never from within a ``write``."""
        if not self._due:
            self._due = True
            _soon(self._pump)

    def _pump(self) -> None:
        """Carry over what there is, and what is written in answer to that."""
        rounds = _ROUNDS
        try:
            while self.from_server or self.from_client:
                if not rounds:
                    _soon(self._pump)
                    return
                rounds -= 1
                if self._round():
                    self._finish(connectionDone)
                    return
        except Exception:  # noqa: BLE001 - as above
            self._finish(Failure())
        else:
            self._due = False

    def _round(self) -> bool:
        """Carry over what there is in both directions, and return whether a side closed the connection with that.

        What is said in answer is not of this round: who closes gets what was on the way, and no more.
        """
        ended = self.from_server.ended or self.from_client.ended
        to_client, to_server = self.from_server.take(), self.from_client.take()
        if to_client:
            self.policy(to_client, self.client)
        if to_server:
            self.policy(to_server, self.server)
        if to_client or to_server:  # a policy that holds something back is asked again
            self.from_server.put_back(to_client)
            self.from_client.put_back(to_server)
            return False
        return ended

    def _finish(self, reason: Failure) -> None:
        """Tell both protocols, then whoever waits."""
        self._due = True  # nothing is carried over any more
        for transport in self.transports:
            transport.end()
        protocols = self.server, self.client
        self.server = self.client = None  # which have us, by way of their transports
        for protocol in protocols:
            try:
                protocol.connectionLost(reason)
            except Exception:  # noqa: BLE001 - the Deferred tells it
                reason = Failure()
        if reason is connectionDone:
            self.done.callback(None)
        else:
            self.done.errback(reason)


def loopbackAsync(server: Any, client: Any, pumpPolicy: _PumpPolicy = identityPumpPolicy) -> Deferred[None]:
    """Connect two protocols in memory.

    What they write at once is carried over at once, all else in later turns of the reactor.

    :param server: the protocol that is connected first.
    :param client: the other one.
    :param pumpPolicy: called with a queue of what one side wrote, and the protocol to deliver it to. The queue is true
        as long as something is in it; its ``get()`` returns the next piece of data, or None: the connection is closed.
    :returns: fires with None when the connection is closed, and both protocols have been told; fails with what a
        protocol raised, if one did.
    """
    return _Loopback(server, client, pumpPolicy).begin()
