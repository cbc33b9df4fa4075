"""What the tests of the simulated network share."""

from __future__ import annotations

from typing import Any

from torsion.internet.protocol import ClientFactory, DatagramProtocol, Factory, Protocol
from torsion.testing import Host, World

PORT = 7000


class Notes(Protocol):
    """Notes when it is told what, by the world's clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.received: list[tuple[float, bytes]] = []
        self.reason: Any = None
        self.lost_at: float | None = None

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.received)

    def dataReceived(self, data: bytes) -> None:
        self.received.append((round(self.world.seconds(), 6), data))

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason.value
        self.lost_at = round(self.world.seconds(), 6)


class Hears(DatagramProtocol):
    noisy = False

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.heard.append(datagram)


def serve(host: Host, made: list[Notes], interface: str = "") -> None:
    """Listen, and keep the protocols that are made."""

    class Makes(Factory):
        noisy = False

        def buildProtocol(self, addr: object) -> Notes:
            made.append(Notes(host.world))
            return made[-1]

    host.reactor.listenTCP(PORT, Makes(), interface=interface)


def connect(host: Host, to: str, made: list[Notes], failures: list[Any] | None = None) -> None:
    """Connect, and keep the protocols that are made."""

    class Makes(ClientFactory):
        noisy = False

        def buildProtocol(self, addr: object) -> Notes:
            made.append(Notes(host.world))
            return made[-1]

        def clientConnectionFailed(self, connector: object, reason: Any) -> None:
            if failures is not None:
                failures.append(reason.value)

    host.reactor.connectTCP(to, PORT, Makes())


def joined(world: World) -> tuple[Host, Host, Notes, Notes]:
    """Make a server and a client that are connected; return both hosts and both protocols."""
    servers: list[Notes] = []
    clients: list[Notes] = []
    server = world.host("server", boot=lambda host: serve(host, servers))
    client = world.host("client")
    connect(client, "server", clients)
    world.advance(10)
    return server, client, servers[0], clients[0]
