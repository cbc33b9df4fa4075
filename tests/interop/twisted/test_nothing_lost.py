"""What "nothing is lost" means: all that was written before ``loseConnection`` arrives, whatever the other end does meanwhile.

The same chaos — pieces of any size, producers, a reader that stops, reads in crumbs, closes its half — is made under torsion's
reactor and under Twisted's epoll reactor, and has to come out the same.
"""

from __future__ import annotations

import random
import socket
import sys

import pytest

pytest.importorskip(
    "twisted.internet.epollreactor", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import error, interfaces, protocol
from twisted.internet.epollreactor import EPollReactor
from zope.interface import implementer

from torsion.interop.twisted import TorsionReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform != "linux", reason="epoll")]

TIMEOUT = 20
DATA = random.Random(0).randbytes(1 << 18) * 16


@pytest.fixture(params=[EPollReactor, TorsionReactor])
def reactor(request):
    made = request.param()
    yield made
    made.disconnectAll()
    for reader in list(made._internalReaders):
        made.removeReader(reader)
        reader.connectionLost(None)


class Writer(protocol.Protocol):
    """Writes all in some way, then closes."""

    def __init__(self, chaos: random.Random, size: int, reactor) -> None:
        self.chaos, self.left, self.reactor = chaos, size, reactor
        self.at = 0
        self.paused = False
        self.reason = None

    def piece(self) -> bytes:
        size = min(self.left, self.chaos.choice([1, 7, 300, 4096, 70_000, 1_000_000]))
        self.left -= size
        self.at += size
        return DATA[self.at - size : self.at]

    def connectionMade(self) -> None:
        way = self.chaos.choice(["at once", "in turns", "pushed", "pulled", "in one", "produced late"])
        transport = self.transport
        if way == "in one":
            pieces = []
            while self.left:
                pieces.append(self.piece())
            transport.writeSequence(pieces)
            transport.loseConnection()
        elif way == "at once":
            while self.left:
                transport.write(self.piece())
            transport.loseConnection()
        elif way == "in turns":
            self.turn()
        else:
            if way == "produced late":
                transport.write(self.piece())
                transport.loseConnection()  # which waits for the producer
            transport.registerProducer(self, way == "pushed")
            if way == "pushed":
                self.produce()

    def turn(self) -> None:
        self.transport.write(self.piece())
        if self.left:
            self.reactor.callLater(self.chaos.choice([0, 0.001]), self.turn)
        else:
            self.transport.loseConnection()

    def produce(self) -> None:
        while self.left and not self.paused:
            self.transport.write(self.piece())
        self.end()

    def end(self) -> None:
        if not self.left and self.transport.producer is not None:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        if self.transport.streamingProducer:
            self.produce()
        elif self.left:
            self.transport.write(self.piece())
        self.end()

    def stopProducing(self) -> None:
        self.left = 0

    def connectionLost(self, reason=protocol.connectionDone) -> None:
        self.reason = reason


@implementer(interfaces.IHalfCloseableProtocol)
class HalfWriter(Writer):
    """One whom its reader may tell that it has nothing to say."""

    def readConnectionLost(self) -> None:
        pass

    def writeConnectionLost(self) -> None:
        pass


class Reader(protocol.Protocol):
    """Reads in its own time."""

    def __init__(self, chaos: random.Random, reactor, done) -> None:
        self.chaos, self.reactor, self.done = chaos, reactor, done
        self.data = bytearray()
        self.waits = 0
        self.reason = None

    def connectionMade(self) -> None:
        if self.chaos.random() < 0.3:
            self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        if self.chaos.random() < 0.3:
            self.transport.loseWriteConnection()
        self.rest()

    def rest(self) -> None:
        self.transport.pauseProducing()
        self.reactor.callLater(self.chaos.choice([0, 0, 0.001, 0.01]), self.go_on)

    def go_on(self) -> None:
        if self.reason is None:
            self.transport.resumeProducing()

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.waits += 1
        if self.waits < 50 and self.chaos.random() < 0.5:
            self.rest()

    def connectionLost(self, reason=protocol.connectionDone) -> None:
        self.reason = reason
        self.done()


@pytest.mark.parametrize("seed", range(3))
def test_all_that_was_written_arrives(reactor, seed) -> None:
    chaos = random.Random(seed)
    count = 16
    left = [count]

    def done() -> None:
        left[0] -= 1
        if not left[0]:
            reactor.callLater(0, reactor.stop)

    readers: dict[int, Reader] = {}
    servers = protocol.Factory()
    servers.noisy = False
    made: dict[int, tuple[Writer, int]] = {}

    def build(address):
        size = chaos.choice([1, 1000, 65_536, 300_000, len(DATA)])
        writer = HalfWriter(random.Random(chaos.random()), size, reactor)
        made[address.port] = writer, size
        return writer

    servers.buildProtocol = build
    port = reactor.listenTCP(0, servers, interface="127.0.0.1")

    def connect() -> None:
        reader = Reader(random.Random(chaos.random()), reactor, done)
        clients = protocol.ClientFactory()
        clients.noisy = False

        def met(_address):
            reactor.callLater(0, lambda: readers.setdefault(reader.transport.getHost().port, reader))
            return reader

        clients.buildProtocol = met
        reactor.connectTCP("127.0.0.1", port.getHost().port, clients)

    for _ in range(count):
        connect()
    late: list[bool] = []
    giving_up = reactor.callLater(TIMEOUT, lambda: (late.append(True), reactor.stop()))
    reactor.run(installSignalHandlers=False)
    assert not late
    giving_up.cancel()
    assert set(readers) == set(made)
    for number, (writer, size) in made.items():
        reader = readers[number]
        assert len(reader.data) == size
        assert reader.data == DATA[:size]
        assert reader.reason.check(error.ConnectionDone)
        assert writer.reason is None or writer.reason.check(error.ConnectionDone)
