"""What Twisted's own reactor over epoll provides, and what it says of what cannot be done, holds for torsion's as well."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Any

import pytest

pytest.importorskip(
    "twisted.internet.epollreactor",
    reason="needs Twisted and epoll, of the dependency group 'interop'",
    exc_type=ImportError,
)

from twisted.internet import defer, interfaces, protocol
from twisted.internet.epollreactor import EPollReactor
from zope.interface import providedBy
from zope.interface.verify import verifyObject

from interop.twisted.kit import close, run
from torsion.interop.twisted import TorsionReactor

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="epoll is Linux's"),
    # Twisted's own ports leave their sockets to the garbage collector when these cannot be bound.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
HOST = "127.0.0.1"
ASKED = (
    "IReactorCore IReactorTime IReactorThreads IReactorTCP IReactorSSL IReactorUDP IReactorMulticast IReactorUNIX "
    "IReactorUNIXDatagram IReactorProcess IReactorSocket IReactorFDSet IReactorPluggableNameResolver"
)


@pytest.fixture
def both():
    made = EPollReactor(), TorsionReactor()
    yield made
    for each in made:
        close(each)


def test_it_provides_every_interface(both) -> None:
    epoll, torsion = ({each for found in providedBy(one) for each in found.__iro__} for one in both)
    assert epoll <= torsion
    for name in ASKED.split():
        assert verifyObject(getattr(interfaces, name), both[1])


def test_it_has_every_public_name(both) -> None:
    epoll, torsion = ({name for name in dir(each) if not name.startswith("_")} for each in both)
    assert epoll - torsion == {"doPoll"}  # what turns its own loop


# --- what cannot be done ---------------------------------------------------------------------------------------------


class Silent(protocol.DatagramProtocol):
    noisy = False


def fails(*_: object) -> None:
    raise ZeroDivisionError


def udp(reactor: Any, interface: str = HOST) -> Any:
    return reactor.listenUDP(0, Silent(), interface=interface)


def unix(reactor: Any, name: str = "here") -> Any:
    return reactor.listenUNIXDatagram(name, Silent())


def bound(kind: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.bind((HOST, 0))
    return made


def taken(reactor: Any) -> None:
    reactor.listenUDP(udp(reactor).getHost().port, Silent(), interface=HOST)


def taken_path(reactor: Any) -> None:
    unix(reactor)
    unix(reactor)


def connected_twice(reactor: Any) -> None:
    port = udp(reactor)
    port.connect(HOST, 9)
    port.connect(HOST, 10)


def unstartable(reactor: Any) -> None:
    post = Silent()
    post.startProtocol = fails  # type: ignore[method-assign]
    reactor.listenUDP(0, post, interface=HOST)


def adopting(how: str, family: int, kind: int = socket.SOCK_DGRAM) -> Any:
    def adopt(reactor: Any) -> None:
        with bound(kind) as made:
            getattr(reactor, how)(made.fileno(), family, Silent())

    return adopt


def adopting_descriptor(how: str, descriptor: Any) -> Any:
    return lambda reactor: getattr(reactor, how)(descriptor, socket.AF_INET, Silent())


def adopting_file(reactor: Any) -> None:
    with open(os.devnull) as file:
        reactor.adoptDatagramPort(file.fileno(), socket.AF_INET, Silent())


REFUSALS = {
    "interface is a name": lambda reactor: udp(reactor, "host.example"),
    "interface has a NUL": lambda reactor: udp(reactor, HOST + "\0"),
    "interface is not ours": lambda reactor: udp(reactor, "192.0.2.1"),
    "port is taken": taken,
    "port is text": lambda reactor: reactor.listenUDP("53", Silent()),
    "port is None": lambda reactor: reactor.listenUDP(None, Silent()),
    "protocol does not start": unstartable,
    "protocol is None": lambda reactor: reactor.listenUDP(0, None, interface=HOST),
    "write to a name": lambda reactor: udp(reactor).write(b"x", ("host.example", 9)),
    "write to nothing": lambda reactor: udp(reactor).write(b"x", ("", 9)),
    "write to IPv6": lambda reactor: udp(reactor).write(b"x", ("::1", 9)),
    "write to IPv4": lambda reactor: udp(reactor, "::1").write(b"x", (HOST, 9)),
    "write to half an address": lambda reactor: udp(reactor).write(b"x", (HOST,)),
    "write to a list": lambda reactor: udp(reactor).write(b"x", [HOST, 9]),
    "write to a port of text": lambda reactor: udp(reactor).write(b"x", (HOST, "9")),
    "write beyond the last port": lambda reactor: udp(reactor).write(b"x", (HOST, 65536)),
    "write to port 0": lambda reactor: udp(reactor).write(b"x", (HOST, 0)),
    "broadcast": lambda reactor: udp(reactor).write(b"x", ("<broadcast>", 9)),
    "write text": lambda reactor: udp(reactor).write("x", (HOST, 9)),
    "write None": lambda reactor: udp(reactor).write(None, (HOST, 9)),
    "write too much": lambda reactor: udp(reactor).write(b"x" * 65536, (HOST, 9)),
    "write pieces of text": lambda reactor: udp(reactor).writeSequence(["x"], (HOST, 9)),
    "connect to a name": lambda reactor: udp(reactor).connect("host.example", 9),
    "connect to a port of text": lambda reactor: udp(reactor).connect(HOST, "9"),
    "connect twice": connected_twice,
    "path is taken": taken_path,
    "path is too long": lambda reactor: unix(reactor, "x" * 200),
    "path is in no folder": lambda reactor: unix(reactor, "nowhere/x"),
    "path is a number": lambda reactor: unix(reactor, 5),  # type: ignore[arg-type]
    "write to no path": lambda reactor: unix(reactor).write(b"x", "nobody"),
    "write to a path that is a number": lambda reactor: unix(reactor).write(b"x", 5),
    "write text to a path": lambda reactor: unix(reactor).write("x", "here"),
    "write too much to a path": lambda reactor: unix(reactor).write(b"x" * 4_000_000, "here"),
    "adopt another family": adopting("adoptDatagramPort", 2**16 + 7),
    "adopt Unix datagrams": adopting("adoptDatagramPort", socket.AF_UNIX),
    "adopt a port of another family": adopting("adoptStreamPort", 2**16 + 7),
    "adopt a connection of another family": adopting("adoptStreamConnection", 2**16 + 7, socket.SOCK_STREAM),
    "adopt what is not connected": adopting("adoptStreamConnection", socket.AF_INET, socket.SOCK_STREAM),
    "adopt what is closed": adopting_descriptor("adoptDatagramPort", -1),
    "adopt a port that is closed": adopting_descriptor("adoptStreamPort", -1),
    "adopt a connection that is closed": adopting_descriptor("adoptStreamConnection", -1),
    "adopt text": adopting_descriptor("adoptDatagramPort", "3"),
    "adopt a file": adopting_file,
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_done_is_told_with_the_same_class(both, tmp_path, monkeypatch, name) -> None:
    told: list[tuple[type[BaseException], int | None]] = []
    for number, each in enumerate(both):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        with pytest.raises(Exception) as refused:
            REFUSALS[name](each)
        told.append((refused.type, getattr(refused.value, "errno", None)))
    assert told[1] == told[0], str(refused.value)


# --- how connections end ---------------------------------------------------------------------------------------------


class Server(protocol.Protocol):
    def connectionMade(self) -> None:
        self.factory.made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        raise ZeroDivisionError("on purpose")

    def connectionLost(self, reason: Any = protocol.connectionDone) -> None:
        self.factory.reasons.append(reason)
        self.factory.lost.callback(None)


def resets(peer: socket.socket, server: Server) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def resets_before_we_write(peer: socket.socket, server: Server) -> None:
    server.transport.pauseProducing()
    resets(peer, server)
    server.transport.write(b"x")
    server.transport.write(b"x")


ENDS = {
    "the peer closes": lambda peer, server: peer.close(),
    "the peer resets": resets,
    "the peer resets before we write": resets_before_we_write,
    "we close": lambda peer, server: server.transport.loseConnection(),
    "we abort": lambda peer, server: server.transport.abortConnection(),
    "a hook raises": lambda peer, server: peer.sendall(b"x"),
    "the reactor stops": None,
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("family", ["TCP", "UNIX"])
def test_connections_end_with_the_same_reason_and_text(both, tmp_path, family, name) -> None:
    if family == "UNIX" and "resets" in name:
        pytest.skip("a Unix socket cannot be reset")
    told = []
    for number, reactor in enumerate(both):
        factory: Any = protocol.Factory.forProtocol(Server)
        factory.made, factory.lost, factory.reasons = defer.Deferred(), defer.Deferred(), []
        with socket.socket(socket.AF_INET if family == "TCP" else socket.AF_UNIX) as peer:

            async def scenario(reactor=reactor, factory=factory, peer=peer, number=number) -> None:
                if family == "TCP":
                    port = reactor.listenTCP(0, factory, interface=HOST)
                    peer.connect((HOST, port.getHost().port))
                else:
                    reactor.listenUNIX(str(tmp_path / str(number)), factory)
                    peer.connect(str(tmp_path / str(number)))
                server = await factory.made
                if ENDS[name] is not None:
                    ENDS[name](peer, server)
                    await factory.lost

            run(reactor, scenario)
        [reason] = factory.reasons
        told.append((reason.type, str(reason.value), reason.getErrorMessage()))
    assert told[1] == told[0]
