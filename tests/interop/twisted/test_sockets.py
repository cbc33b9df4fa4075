"""Sockets that were made elsewhere, or in a way of the program's own, are native under Twisted's applications."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import base, defer, error, interfaces, protocol, tcp
from twisted.internet.address import IPv4Address, UNIXAddress
from zope.interface.verify import verifyObject

from interop.twisted.kit import run, spin

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]
HOST = "127.0.0.1"


class Echo(protocol.Protocol):
    """Sends back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Asking(protocol.Protocol):
    """Sends something, and tells of the answer."""

    def connectionMade(self) -> None:
        self.factory.transport = self.transport
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.factory.answered.callback(data)
        self.transport.loseConnection()

    def connectionLost(self, reason: Any = protocol.connectionDone) -> None:
        self.factory.lost.callback([reason])


def echoes() -> protocol.Factory:
    return protocol.Factory.forProtocol(Echo)


def asking() -> Any:
    made: Any = protocol.ClientFactory.forProtocol(Asking)
    made.answered, made.lost = defer.Deferred(), defer.Deferred()
    return made


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_a_port_is_adopted(reactor, tmp_path, family) -> None:
    client = asking()

    async def scenario() -> None:
        with socket.socket(family) as made:
            made.bind((HOST, 0) if family == socket.AF_INET else str(tmp_path / "s"))
            made.listen()
            port = reactor.adoptStreamPort(made.fileno(), family, echoes())
        assert interfaces.IListeningPort.providedBy(port)
        assert type(port).__module__.startswith("torsion.")
        assert port in reactor.getReaders()
        if family == socket.AF_INET:
            assert type(port.getHost()) is IPv4Address
            reactor.connectTCP(HOST, port.getHost().port, client)
        else:
            assert port.getHost() == UNIXAddress(str(tmp_path / "s"))
            reactor.connectUNIX(str(tmp_path / "s"), client)
        assert await client.answered == b"hello"
        await port.stopListening()
        with pytest.raises(error.CannotListenError):
            port.startListening()

    run(reactor, scenario)
    assert (tmp_path / "s").exists() == (family == socket.AF_UNIX)  # it is who made it that removes it


def test_a_connection_is_adopted(reactor) -> None:
    client = asking()
    ours, theirs = socket.socketpair()

    async def scenario() -> None:
        with ours, theirs:
            server = reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, echoes())
            reactor.adoptStreamConnection(theirs.fileno(), socket.AF_UNIX, client)
        assert interfaces.IUNIXTransport.providedBy(server)
        assert type(server).__module__.startswith("torsion.")
        assert await client.answered == b"hello"
        assert (await client.lost)[0].check(error.ConnectionDone)

    run(reactor, scenario)


def test_a_connection_whose_factory_makes_no_protocol_stays_as_it_is(reactor) -> None:
    factory = protocol.Factory()
    factory.buildProtocol = lambda address: None  # type: ignore[method-assign]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory) is None
        theirs.sendall(b"x")
        assert ours.recv(10) == b"x"


def test_a_datagram_port_is_adopted(reactor) -> None:
    class Post(protocol.DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            got.callback((datagram, addr))

    got: defer.Deferred[Any] = defer.Deferred()

    async def scenario() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as made:
            made.bind((HOST, 0))
            port = reactor.adoptDatagramPort(made.fileno(), socket.AF_INET, Post())
        assert interfaces.IUDPTransport.providedBy(port)
        assert type(port).__module__.startswith("torsion.")
        where = (HOST, port.getHost().port)
        port.write(b"adopted", where)
        assert await got == (b"adopted", where)

    run(reactor, scenario)


# --- bindings, and other ways to make a socket -----------------------------------------------------------------------


def options(port: Any) -> tuple[bool, bool]:
    """Return whether the address, and the port, can be used by others."""
    handle = port.socket
    return tuple(
        bool(handle.getsockopt(socket.SOL_SOCKET, each)) for each in (socket.SO_REUSEADDR, socket.SO_REUSEPORT)
    )


@pytest.mark.skipif(not hasattr(tcp, "makeBinding"), reason="this Twisted knows of no bindings")
@pytest.mark.parametrize("reuse", [(False, False), (True, False), (False, True), (True, True)])
def test_a_port_with_a_binding_is_native_and_as_that_says(reactor, reuse) -> None:
    client = asking()

    async def scenario() -> None:
        binding = tcp.makeBinding(HOST, 0, *reuse)
        port = reactor.listenTCP(binding, echoes())
        assert type(port).__module__.startswith("torsion.")
        assert options(port) == reuse
        shared = tcp.makeBinding(HOST, port.getHost().port, *reuse)
        if reuse[1]:
            await reactor.listenTCP(shared, echoes(), interface=HOST).stopListening()
        else:
            with pytest.raises(error.CannotListenError):
                reactor.listenTCP(shared, echoes())
        with pytest.raises(ValueError, match="disagrees"):
            reactor.listenTCP(binding, echoes(), interface="127.0.0.2")
        reactor.connectTCP(HOST, port.getHost().port, client, bindAddress=tcp.makeBinding(HOST, 0, *reuse))
        assert await client.answered == b"hello"
        assert (await client.lost)[0].check(error.ConnectionDone)

    run(reactor, scenario)


@pytest.mark.skipif(not hasattr(interfaces, "IReactorTCP2"), reason="this Twisted knows of no bindings")
def test_that_it_takes_bindings_is_declared_and_no_interface_is_all(reactor) -> None:
    assert verifyObject(interfaces.IReactorTCP2, reactor)
    assert reactor.listenTCP(0, echoes(), interface=None).getHost().host == "0.0.0.0"
    assert reactor.listenTCP(tcp.makeBinding(HOST), echoes(), interface=None).getHost().host == HOST


@pytest.mark.parametrize("kind", ["TCP", "UNIX"])
def test_a_program_that_replaces_how_ports_make_their_sockets_is_heard(reactor, tmp_path, monkeypatch, kind) -> None:
    original = base.BasePort.createInternetSocket

    def create(port: Any) -> socket.socket:
        made = original(port)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return made

    monkeypatch.setattr(base.BasePort, "createInternetSocket", create)
    where = ((0, echoes()), {"interface": HOST}) if kind == "TCP" else ((str(tmp_path / "s"), echoes()), {})
    listen = getattr(reactor, f"listen{kind}")
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        expected = usual.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    port = listen(*where[0], **where[1])
    assert port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == expected

    def cannot(port: Any) -> socket.socket:
        raise OSError("on purpose")

    monkeypatch.setattr(base.BasePort, "createInternetSocket", cannot)
    with pytest.raises(error.CannotListenError, match="on purpose"):
        listen(*((0, echoes()) if kind == "TCP" else (str(tmp_path / "t"), echoes())))
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 200])
def test_paths_that_cannot_be_used_say_so_and_leave_nothing(reactor, tmp_path, monkeypatch, path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error.CannotListenError):
        reactor.listenUNIX(path, echoes())
    assert list(tmp_path.iterdir()) == []


def test_a_unix_port_has_its_permissions_and_takes_its_file_away(reactor, tmp_path) -> None:
    port = reactor.listenUNIX(str(tmp_path / "s"), echoes(), mode=0o640)
    assert os.stat(tmp_path / "s").st_mode & 0o777 == 0o640
    with pytest.raises(error.CannotListenError):
        reactor.listenUNIX(str(tmp_path / "s"), echoes())
    assert (tmp_path / "s").exists()
    port.stopListening()
    run(reactor, lambda: spin(reactor))
    assert not (tmp_path / "s").exists()


def test_hosts_and_interfaces_can_be_bytes_and_a_timeout_without_end(reactor) -> None:
    client = asking()

    async def scenario() -> None:
        port = reactor.listenTCP(0, echoes(), interface=HOST.encode())
        assert port.getHost().host == HOST
        number = port.getHost().port
        connector = reactor.connectTCP(HOST.encode(), number, client, timeout=float("inf"))
        assert connector.getDestination() == IPv4Address("TCP", HOST, number)
        assert await client.answered == b"hello"
        assert reactor.listenUDP(0, protocol.DatagramProtocol(), interface=HOST.encode()).getHost().host == HOST

    run(reactor, scenario)


# --- the clock -------------------------------------------------------------------------------------------------------


def test_calls_to_come_reckon_with_the_clock_that_a_test_has_put_there(reactor) -> None:
    own = reactor.seconds
    reactor.seconds = lambda: 100.0
    call = reactor.callLater(5, lambda: None)
    assert interfaces.IDelayedCall.providedBy(call)
    assert call.getTime() == 105
    reactor.seconds = own
    call.cancel()
    with pytest.raises(error.AlreadyCancelled):
        call.cancel()
    called: list[str] = []
    reactor.seconds = lambda: 100.0
    reactor.callLater(0, called.append, "by the other clock")
    reactor.seconds = own
    reactor.callLater(0, reactor.stop)
    run(reactor)
    assert called == ["by the other clock"]
