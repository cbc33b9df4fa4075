"""A panic in the native code: logged with its back-trace, at the price of one connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from torsion._native import _core
from torsion.internet.protocol import DatagramProtocol, Factory, Protocol
from torsion.internet.reactors.native import NativeReactor
from torsion.logger import globalLogPublisher

test_support = pytest.importorskip(
    "torsion._native._core", reason="the native module is not built"
).__dict__.get("test_support")  # fmt: skip
pytestmark = pytest.mark.skipif(test_support is None, reason="needs a build with the cargo feature test-support")


@pytest.fixture
def failures() -> Iterator[list[Any]]:
    """What is logged as a failure."""
    logged: list[Any] = []

    def observe(event: Any) -> None:
        if "log_failure" in event:
            logged.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    yield logged
    globalLogPublisher.removeObserver(observe)


class Server(Protocol):
    """Answers, and remembers how it ended."""

    made: list[Server]

    def __init__(self) -> None:
        self.reason: Any = None

    def connectionMade(self) -> None:
        type(self).made.append(self)

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason


def serve(reactor: NativeReactor) -> tuple[type[Server], tuple[str, int]]:
    """Listen; return the class that notes its instances, and the address."""
    kind = type("Server", (Server,), {"made": []})
    port = reactor.listenTCP(0, Factory.forProtocol(kind), interface="127.0.0.1")
    return kind, ("127.0.0.1", port.getHost().port)


def turn_until(reactor: NativeReactor, condition: Any) -> None:
    """Take turns until *condition* holds."""
    for _ in range(1000):
        if condition():
            return
        reactor.iterate(0.01)
    raise AssertionError("it did not come to pass")


@pytest.mark.parametrize("upcall", ["data", "accepted"])
def test_a_panic_costs_the_connection_that_it_happened_for(upcall: str, failures: list[Any]) -> None:
    reactor = NativeReactor()
    kind, address = serve(reactor)
    other = socket.create_connection(address)
    turn_until(reactor, lambda: len(kind.made) == 1)
    victim = socket.create_connection(address)
    if upcall == "data":
        turn_until(reactor, lambda: len(kind.made) == 2)
    _core.test_support.panic_in(upcall)
    victim.sendall(b"x")
    turn_until(reactor, lambda: failures)
    other.sendall(b"still here")
    other.settimeout(0)
    turn_until(reactor, lambda: reads(other) == b"still here")
    assert "a test asked for a panic" in str(failures[0].value)
    assert "test_support" in str(failures[0].value), "the back-trace names the place"
    if upcall == "data":
        assert kind.made[1].reason is failures[0]
    with pytest.raises(ConnectionResetError):
        victim.settimeout(5)
        victim.recv(1)
    other.close()
    victim.close()
    reactor.disconnectAll()


def reads(peer: socket.socket) -> bytes | None:
    """What has come, without waiting for it."""
    try:
        return peer.recv(100)
    except BlockingIOError:
        return None


@pytest.mark.parametrize("upcall", ["fire", "call"])
def test_a_panic_in_a_call_does_not_end_the_loop(upcall: str, failures: list[Any]) -> None:
    reactor = NativeReactor()
    called: list[str] = []
    _core.test_support.panic_in(upcall)
    for name in ("first", "second"):
        if upcall == "fire":
            reactor.callLater(0, called.append, name)
        else:
            reactor.callFromThread(called.append, name)
    turn_until(reactor, lambda: called)
    assert called == ["second"]
    assert len(failures) == 1


def test_a_panic_costs_one_datagram_and_not_its_port(failures: list[Any]) -> None:
    class Post(DatagramProtocol):
        noisy = False

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            received.append(datagram)

    reactor = NativeReactor()
    received: list[bytes] = []
    port = reactor.listenUDP(0, Post(), interface="127.0.0.1")
    _core.test_support.panic_in("datagram")
    port.write(b"lost", ("127.0.0.1", port.getHost().port))
    turn_until(reactor, lambda: failures)
    port.write(b"still here", ("127.0.0.1", port.getHost().port))
    turn_until(reactor, lambda: received)
    assert received == [b"still here"]
    reactor.disconnectAll()
