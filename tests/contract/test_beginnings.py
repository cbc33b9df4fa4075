"""What cannot begin leaves nothing behind: in a wrong thread, for want of descriptors, or asked for wrongly."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract import faultkit
from contract.faultkit import Loop, Maker, needs_posix
from contract.flavours import needs
from contract.test_crossing import refused
from torsion.internet.error import CannotListenError
from torsion.internet.protocol import (
    ClientFactory,
    ConnectedDatagramProtocol,
    DatagramProtocol,
    ProcessProtocol,
    Protocol,
)
from torsion.internet.stdio import StandardIO
from unit.internet.tls.kit import HOST, authority, server_certificate

resource = pytest.importorskip("resource", reason="descriptors are limited by it")

pytestmark = [needs("kernel", "engine"), needs_posix]

loop = faultkit.loop


class Closing(Protocol):
    """Closes as soon as it stands."""

    def connectionMade(self) -> None:
        self.transport.loseConnection()


class Clients(ClientFactory):
    """Notes how an attempt ends; its connections close at once."""

    protocol = Closing

    noisy = False

    def __init__(self) -> None:
        self.ended: list[Any] = []

    def clientConnectionFailed(self, connector: object, reason: Any) -> None:
        self.ended.append(reason.value)

    clientConnectionLost = clientConnectionFailed


class Child(ProcessProtocol):
    """Notes when it has ended."""

    def __init__(self) -> None:
        self.reasons: list[Any] = []

    def processEnded(self, reason: Any) -> None:
        self.reasons.append(reason.value)


@dataclass
class Place:
    """What there is to begin with, and which descriptors of the test's own."""

    loop: Loop
    folder: Path

    def __post_init__(self) -> None:
        self.port = self.loop.listen(Maker()).getHost().port
        self.stack = contextlib.ExitStack()
        self.sockets = [self.stack.enter_context(each) for each in socket.socketpair()]
        self.listening = self.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.datagrams = self.stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        self.datagrams.bind(("127.0.0.1", 0))
        self.ends = os.pipe()
        for each in self.ends:
            self.stack.callback(os.close, each)


@pytest.fixture
def place(loop: Loop, tmp_path: Path) -> Iterator[Place]:
    place = Place(loop, tmp_path)
    with place.stack:
        yield place


def spawn(place: Place, **options: Any) -> Callable[[], bool]:
    child = Child()
    place.loop.reactor.spawnProcess(child, "/bin/true", ["true"], **options)
    return lambda: bool(child.reasons)


def stops(port: Any) -> Callable[[], bool]:
    stopped: list[object] = []
    port.stopListening().addBoth(stopped.append)
    return lambda: bool(stopped)


def ends(connect: Callable[[Clients], Any]) -> Callable[[], bool]:
    clients = Clients()
    connect(clients)
    return lambda: bool(clients.ended)


def standard(place: Place) -> Callable[[], bool]:
    whole = StandardIO(Protocol(), *place.ends, reactor=place.loop.reactor)
    whole.loseConnection()
    return lambda: whole.disconnected


def settings() -> Any:
    return server_certificate().options()


def client_settings() -> Any:
    from torsion.internet.ssl import optionsForClientTLS

    return optionsForClientTLS(HOST, trustRoot=authority().root)


def unix_peer(place: Place) -> str:
    """Return the path of a Unix datagram socket, made once."""
    path = place.folder / "peer"
    if not path.exists():
        peer = place.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        peer.bind(str(path))
    return str(path)


def adopted(place: Place) -> Callable[[], bool]:
    transport = place.loop.reactor.adoptStreamConnection(place.sockets[0].fileno(), socket.AF_UNIX, Clients())
    return lambda: bool(transport.disconnected)


# Each begins something, and returns what tells whether it is over.
WAYS: dict[str, Callable[[Place], Callable[[], bool]]] = {
    "spawnProcess": spawn,
    "spawnProcess on a terminal": lambda p: spawn(p, usePTY=True),
    "spawnProcess without pipes": lambda p: spawn(p, childFDs={}),
    "StandardIO": standard,
    "listenUDP": lambda p: stops(p.loop.reactor.listenUDP(0, DatagramProtocol(), "127.0.0.1")),
    "listenMulticast": lambda p: stops(p.loop.reactor.listenMulticast(0, DatagramProtocol())),
    "listenUNIXDatagram": lambda p: stops(p.loop.reactor.listenUNIXDatagram(b"\0" + os.urandom(8), DatagramProtocol())),
    "connectUNIXDatagram": lambda p: stops(
        p.loop.reactor.connectUNIXDatagram(unix_peer(p), ConnectedDatagramProtocol())
    ),
    "listenUNIX": lambda p: stops(p.loop.reactor.listenUNIX(str(p.folder / "listening"), Maker(), wantPID=True)),
    "connectUNIX": lambda p: ends(lambda factory: p.loop.reactor.connectUNIX(str(p.folder / "nobody"), factory)),
    "listenTCP": lambda p: stops(p.loop.reactor.listenTCP(0, Maker(), interface="127.0.0.1")),
    "connectTCP": lambda p: ends(lambda factory: p.loop.reactor.connectTCP("127.0.0.1", p.port, factory)),
    "listenSSL": lambda p: stops(p.loop.reactor.listenSSL(0, Maker(), settings(), interface="127.0.0.1")),
    "connectSSL": lambda p: ends(
        lambda factory: p.loop.reactor.connectSSL("127.0.0.1", p.port, factory, client_settings())
    ),
    "adoptStreamPort": lambda p: stops(p.loop.reactor.adoptStreamPort(p.listening.fileno(), socket.AF_INET, Maker())),
    "adoptDatagramPort": lambda p: stops(
        p.loop.reactor.adoptDatagramPort(p.datagrams.fileno(), socket.AF_INET, DatagramProtocol())
    ),
    "adoptStreamConnection": adopted,
}


@pytest.mark.parametrize("way", WAYS)
def test_in_the_wrong_thread(place: Place, way: str):
    loop = place.loop
    unix_peer(place)
    files = sorted(place.folder.iterdir())
    assert refused(loop, lambda: WAYS[way](place))
    loop.turn()
    assert sorted(place.folder.iterdir()) == files
    assert len(loop.reactor.open_handles) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@contextlib.contextmanager
def starving(room: int) -> Iterator[None]:
    """Leave this process *room* descriptors more than it has."""
    with contextlib.ExitStack() as taken:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(entry.name) for entry in Path("/dev/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 16, hard))
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        held: list[int] = []
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(room):
            os.close(held.pop())
        for each in held:
            taken.callback(os.close, each)
        yield


MOST = 9
"""How many descriptors none of them takes: a child with three pipes takes six for these, two to hear of its start, one of its
own."""


@pytest.mark.parametrize("way", WAYS)
def test_without_descriptors(place: Place, way: str):
    """It is told as an error, the first time that the system refuses one and every other time; then it works."""
    loop = place.loop
    over = WAYS[way](place)  # what is made only once is made here
    loop.until(over)
    for room in range(MOST):
        with starving(room):
            try:
                over = WAYS[way](place)
            except (OSError, CannotListenError):
                continue
            loop.until(over)
    loop.until(WAYS[way](place))
    loop.until(lambda: len(loop.reactor.open_handles) == 1)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.filterwarnings("ignore:.*does not explicitly provide")
@pytest.mark.parametrize(
    "ask",
    [
        lambda reactor, folder: reactor.connectUNIXDatagram(7, ConnectedDatagramProtocol()),
        lambda reactor, folder: reactor.listenUNIXDatagram(str(folder / "socket"), DatagramProtocol(), mode="rw"),
        lambda reactor, folder: reactor.listenUNIX(str(folder / "socket"), Maker(), mode="rw"),
        lambda reactor, folder: reactor.listenUDP("53", DatagramProtocol()),
        lambda reactor, folder: reactor.listenSSL("443", Maker(), settings()),
        lambda reactor, folder: reactor.listenSSL(0, Maker(), object()),
        lambda reactor, folder: reactor.connectSSL("127.0.0.1", 1, Clients(), object()),
        lambda reactor, folder: StandardIO(Protocol(), "in", "out", reactor=reactor),
        lambda reactor, folder: reactor.spawnProcess(Child(), "/bin/true", ["true", 1]),
        lambda reactor, folder: reactor.spawnProcess(Child(), "/bin/true", ["true"], usePTY=(1, 2)),
        lambda reactor, folder: reactor.spawnProcess(Child(), "/bin/true", ["true"], uid="root"),
        lambda reactor, folder: reactor.spawnProcess(Child(), "/bin/true", ["true"], childFDs={0: "rw"}),
        lambda reactor, folder: reactor.spawnProcess(Child(), "/bin/true", ["true"], childFDs={"0": "r"}),
    ],
)
def test_what_is_asked_for_wrongly(place: Place, ask: Callable[[Any, Path], object]):
    with pytest.raises((TypeError, ValueError)):
        ask(place.loop.reactor, place.folder)
    place.loop.turn()
    assert list(place.folder.iterdir()) == []
    assert len(place.loop.reactor.open_handles) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
