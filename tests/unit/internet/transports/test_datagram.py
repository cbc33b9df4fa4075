"""What stands in Python of datagram ports; see tests/contract/test_udp.py and its neighbours for the rest."""

from __future__ import annotations

import inspect
import os
import socket
from typing import Any

import pytest
from zope.interface import implementer

from torsion.internet import _current, udp
from torsion.internet.error import CannotListenError, UnsupportedAddressFamily
from torsion.internet.interfaces import ILoggingContext
from torsion.internet.protocol import DatagramProtocol
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.transports.datagram import AdoptedUDPPort, UDPPort
from torsion.internet.transports.datagramowner import MAX_PACKET_SIZE
from torsion.internet.transports.multicast import MulticastPort
from torsion.internet.transports.unixdatagram import MODE, ConnectedUNIXDatagramPort, UNIXDatagramPort
from torsion.logger import globalLogPublisher

LOCAL = "127.0.0.1"


class Post(DatagramProtocol):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.received.append(datagram)


@implementer(ILoggingContext)
class Named(Post):
    def logPrefix(self) -> str:
        return "a name"


@pytest.fixture
def reactor():
    reactor = NativeReactor()
    yield reactor
    reactor.disconnectAll()


@pytest.fixture
def said():
    """What was logged."""
    events: list[str] = []

    def observe(event: Any) -> None:
        if event.get("log_format"):
            events.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def turn_until(reactor: NativeReactor, condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        reactor.iterate(0.01)
    raise AssertionError("it did not come to pass")


def there(port: Any) -> tuple[str, int]:
    return LOCAL, port.getHost().port


def test_its_beginning_and_end_are_logged(reactor, said):
    port = reactor.listenUDP(0, Named(), interface=LOCAL)
    number = port.getHost().port
    assert f"a name starting on {number}" in said
    assert port.logPrefix() == "a name (UDP)"
    stopped = port.stopListening()
    turn_until(reactor, lambda: stopped.called)
    assert f"(UDP Port {number} Closed)" in said


@pytest.mark.parametrize("overrides", [False, True])
def test_a_subclass_may_have_its_own_write(reactor, overrides):
    written: list[bytes] = []

    class Mine(UDPPort):
        if overrides:

            def write(self, datagram: bytes, addr: Any = None) -> None:
                written.append(datagram)
                super().write(datagram, addr)

    post = Post()
    port = Mine(0, post, LOCAL, reactor=reactor)
    port.startListening()
    post.transport.write(b"x", there(port))
    post.transport.writeSequence([b"y", b"z"], there(port))
    turn_until(reactor, lambda: len(post.received) == 2)
    assert written == ([b"x", b"yz"] if overrides else [])


def test_another_protocol_may_take_over(reactor):
    first, second = Post(), Post()
    port = reactor.listenUDP(0, first, interface=LOCAL)
    port.protocol = second
    assert port.protocol is second
    port.write(b"x", there(port))
    turn_until(reactor, lambda: second.received)
    assert first.received == []


def test_without_a_reactor_the_current_one_is_meant(reactor, monkeypatch):
    monkeypatch.setattr(_current, "current_reactor", lambda: reactor)
    post = Post()
    port = udp.Port(0, post, LOCAL)
    port.write(b"lost: it does not listen", (LOCAL, 9))
    port.startListening()
    port.startListening()  # it does
    assert port.reactor is reactor
    assert port in reactor.open_handles
    port.write(b"x", there(port))
    turn_until(reactor, lambda: post.received)


def test_what_kind_of_socket_it_is(reactor):
    port = reactor.listenUDP(0, Post(), interface=LOCAL)
    assert (port.addressFamily, port.socketType) == (socket.AF_INET, socket.SOCK_DGRAM)
    assert UDPPort(0, Post(), "::1").addressFamily == socket.AF_INET6
    assert UNIXDatagramPort("nowhere", Post()).addressFamily == socket.AF_UNIX
    assert port.maxThroughput > 0


def test_the_names_of_twisted():
    assert udp.Port is UDPPort
    assert udp.MulticastPort is MulticastPort


def test_what_is_said_of_a_port_that_never_listened():
    port = UDPPort(0, Post())
    assert port.fileno() == -1
    assert port.statistics() == {}
    assert "not listening" in repr(port)
    assert port.stopListening() is None
    port.pauseProducing()
    port.resumeProducing()
    with pytest.raises(RuntimeError, match="startListening"):
        port.getHost()
    with pytest.raises(OSError, match="descriptor"):
        port.getHandle()


@pytest.mark.parametrize("method", ["listenUDP", "listenMulticast", "listenUNIXDatagram", "connectUNIXDatagram"])
def test_reactors_have_the_same_defaults_as_ports(method):
    parameters = inspect.signature(getattr(NativeReactor, method)).parameters
    kind = {
        "listenUDP": UDPPort,
        "listenMulticast": MulticastPort,
        "listenUNIXDatagram": UNIXDatagramPort,
        "connectUNIXDatagram": ConnectedUNIXDatagramPort,
    }[method]
    own = inspect.signature(kind).parameters
    assert parameters["maxPacketSize"].default == own["maxPacketSize"].default == MAX_PACKET_SIZE
    if "mode" in parameters:
        assert parameters["mode"].default == own["mode"].default == MODE


class TestAdopted:
    """Ports over sockets that others have made."""

    def make(self, reactor: NativeReactor, family: int, address: str, post: Post) -> AdoptedUDPPort:
        with socket.socket(family, socket.SOCK_DGRAM) as twin:
            twin.bind((address, 0))
            port = AdoptedUDPPort(twin.fileno(), family, post, reactor=reactor)
            port.startListening()
            return port

    @pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, LOCAL), (socket.AF_INET6, "::1")])
    def test_it_serves(self, reactor, family, address):
        post = Post()
        port = self.make(reactor, family, address, post)
        assert port.getHost().host == port.interface == address
        assert port.addressFamily == family
        port.write(b"x", (address, port.getHost().port))
        turn_until(reactor, lambda: post.received)

    def test_its_family_has_to_be_the_sockets(self, reactor):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin:
            port = AdoptedUDPPort(twin.fileno(), socket.AF_INET6, Post(), reactor=reactor)
            with pytest.raises(CannotListenError, match="another family"):
                port.startListening()
            with pytest.raises(UnsupportedAddressFamily):
                AdoptedUDPPort(twin.fileno(), socket.AF_UNIX, Post(), reactor=reactor)

    def test_a_descriptor_that_is_none(self, reactor):
        number = os.dup(0)
        os.close(number)
        with pytest.raises(CannotListenError):
            AdoptedUDPPort(number, socket.AF_INET, Post(), reactor=reactor).startListening()
