"""What the tests of the reactor in memory share."""

from __future__ import annotations

from typing import Any

from torsion.internet.protocol import ClientFactory, DatagramProtocol, Factory, Protocol
from torsion.internet.reactors.memory import MemoryReactor


class Notes(Protocol):
    """Notes when it is told what."""

    def __init__(self) -> None:
        self.made = False
        self.received: list[tuple[float, bytes]] = []
        self.reason: Any = None
        self.lost_at: float | None = None

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.received)

    @property
    def now(self) -> float:
        return float(self.factory.reactor.seconds())

    def connectionMade(self) -> None:
        self.made = True

    def dataReceived(self, data: bytes) -> None:
        self.received.append((self.now, data))

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason.value
        self.lost_at = self.now


class Makes(ClientFactory):
    """Makes protocols, and keeps them and what else it is told."""

    noisy = False

    def __init__(self, reactor: MemoryReactor, make: Any = Notes) -> None:
        self.reactor = reactor
        self.make = make
        self.made: list[Any] = []
        self.failures: list[tuple[float, Any]] = []

    def buildProtocol(self, addr: object) -> Any:
        protocol = self.make()
        protocol.factory = self
        self.made.append(protocol)
        return protocol

    def clientConnectionFailed(self, connector: object, reason: Any) -> None:
        self.failures.append((self.reactor.seconds(), reason.value))

    def clientConnectionLost(self, connector: object, reason: Any) -> None:
        pass


class Hears(DatagramProtocol):
    """Notes what datagrams it is sent, when and by whom."""

    noisy = False

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.senders: list[Any] = []
        self.refusals = 0

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.heard.append(datagram)
        self.senders.append(addr)

    def connectionRefused(self) -> None:
        self.refusals += 1


def joined(reactor: MemoryReactor, other: MemoryReactor | None = None, host: str = "127.0.0.1") -> tuple[Any, Any, Any]:
    """Connect *other*, or *reactor* itself, to a port of *reactor*; return both protocols and the port."""
    other = reactor if other is None else other
    server, client = Makes(reactor), Makes(other)
    port = reactor.listenTCP(0, server, interface=host)
    other.connectTCP(host, port.getHost().port, client)
    reactor.advance(10)
    return server.made[0], client.made[0], port


assert issubclass(Makes, Factory)
