"""Ports: where they listen, what they make of connections, and how they end."""

from __future__ import annotations

import os
import socket

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Client, Peer, Recorder, Server, in_thread, join, nothing_left_open, pause, until
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.error import CannotListenError, ConnectionDone
from torsion.internet.interfaces import IListeningPort, ILoggingContext, ISystemHandle
from torsion.internet.interfaces.binding import Binding

pytestmark = needs("IReactorTCP", "engine")


def test_interfaces(reactor):
    port = reactor.listenTCP(0, Server())
    for interface in (IListeningPort, ILoggingContext, ISystemHandle):
        assert verifyObject(interface, port)


def test_addresses(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        host = port.getHost()
        assert host == IPv4Address("TCP", "127.0.0.1", host.port)
        assert host.port == port.port > 0
        peer = Peer(port)
        protocol = await factory.connection()
        assert protocol.transport.getHost() == host
        assert protocol.transport.getPeer() == IPv4Address("TCP", *peer.socket.getsockname())
        assert factory.addresses == [protocol.transport.getPeer()]
        peer.close()
        await protocol.lost
        assert protocol.transport.getPeer() == factory.addresses[0]

    run(scenario)


def test_ipv6(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="::1")
        host = port.getHost()
        assert isinstance(host, IPv6Address)
        client = Client()
        reactor.connectTCP("::1", host.port, client)
        await client.one.made
        assert client.one.transport.getPeer() == host
        await until(reactor, lambda: factory.protocols)
        assert isinstance(factory.addresses[0], IPv6Address)
        assert factory.protocols[0].transport.getHost() == host

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    run(scenario)


@needs("kernel", "engine")
def test_all_of_ipv6_is_also_all_of_ipv4_where_the_system_has_it_so(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="::")
        with socket.create_connection(("127.0.0.1", port.getHost().port)):
            await until(reactor, lambda: factory.protocols)
        assert factory.addresses[0].host == "::ffff:127.0.0.1"

    with socket.socket(socket.AF_INET6) as probe:
        if probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            pytest.skip("this system keeps them apart")
    run(scenario)


def test_all_interfaces_by_default(reactor):
    port = reactor.listenTCP(0, Server())
    assert port.getHost().host == "0.0.0.0"


def test_interface_by_name(reactor):
    port = reactor.listenTCP(0, Server(), interface="localhost")
    assert port.getHost().host == "127.0.0.1"


def test_binding(reactor):
    port = reactor.listenTCP(Binding("127.0.0.1", 0), Server())
    assert port.getHost().host == "127.0.0.1"
    with pytest.raises(ValueError, match="disagrees"):
        reactor.listenTCP(Binding("127.0.0.1", 0), Server(), interface="0.0.0.0")


@needs("IReactorTCP", "kernel", "engine")
def test_port_in_use(reactor):
    factory = Server()
    with socket.create_server(("127.0.0.1", 0)) as taken, nothing_left_open():
        number = taken.getsockname()[1]
        with pytest.raises(CannotListenError) as caught:
            reactor.listenTCP(number, factory, interface="127.0.0.1")
    assert (caught.value.interface, caught.value.port) == ("127.0.0.1", number)
    assert f"127.0.0.1:{number}" in str(caught.value)
    assert isinstance(caught.value.socketError, OSError)
    assert factory.events == []


@pytest.mark.parametrize(
    "interface",
    ["192.0.2.1", "no-such-interface.invalid", "2001:db8::1", "127.0.0.1%nosuch", "300.1.1.1", "\udcff", "x" * 64],
)
def test_bad_interface(reactor, interface):
    with pytest.raises(CannotListenError) as caught:
        reactor.listenTCP(0, Server(), interface=interface)
    assert interface in str(caught.value)


@pytest.mark.parametrize("number", [-1, 65536, 10**20])
def test_impossible_port_numbers(reactor, number):
    with pytest.raises(CannotListenError, match=str(number)):
        reactor.listenTCP(number, Server())


@pytest.mark.parametrize("port", ["http", True, 80.0])
def test_port_that_is_no_number(reactor, port):
    with pytest.raises(TypeError, match=str(port)):
        reactor.listenTCP(port, Server())


def test_interface_that_is_no_str(reactor):
    with pytest.raises(TypeError, match=r"127\.0\.0\.1"):
        reactor.listenTCP(0, Server(), interface=b"127.0.0.1")


def test_factory_is_started_and_stopped(reactor, run):
    async def scenario():
        factory = Server()
        one = reactor.listenTCP(0, factory)
        two = reactor.listenTCP(0, factory)
        assert factory.events == ["doStart", "doStart"]
        assert await one.stopListening() is None
        assert factory.events == ["doStart", "doStart", "doStop"]
        await two.stopListening()
        assert factory.events == ["doStart", "doStart", "doStop", "doStop"]

    run(scenario)


def test_stop_listening(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        number = port.getHost().port
        peer = Peer(port)
        protocol = await factory.connection()
        first, second = port.stopListening(), port.stopListening()
        assert await first is None
        assert await second is None
        assert port.disconnected
        assert port.stopListening() is None
        assert not port.connected
        assert port.getHost().port == number
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", number))
        peer.send(b"still here")  # what was accepted lives on
        assert await protocol.bytes(10) == b"still here"
        peer.close()

    run(scenario)


def test_stop_listening_before_the_run(reactor, run):
    async def scenario():
        await stopped

    factory = Server()
    port = reactor.listenTCP(0, factory)
    stopped = port.stopListening()
    run(scenario)
    assert factory.events == ["doStart", "doStop"]


def test_listen_again(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        port.startListening()  # does so already
        number = port.port
        await port.stopListening()
        other = reactor.listenTCP(number, factory, interface="127.0.0.1")  # the number is free at once
        await other.stopListening()
        port.startListening()
        peer = Peer(port)
        await factory.connection()
        peer.close()
        assert factory.events == ["doStart", "doStop"] * 2 + ["doStart"]

    run(scenario)


def test_address_of_a_port_that_never_listened(reactor):
    from torsion.internet.transports.listener import Port

    with pytest.raises(RuntimeError, match="startListening"):
        Port(0, Server(), 50, "", reactor).getHost()


def test_connections_before_the_run_are_served(reactor, run):
    async def scenario():
        protocol = await connection
        return await protocol.bytes(5)

    factory = Server()
    connection = factory.connection()
    peer = Peer(reactor.listenTCP(0, factory, interface="127.0.0.1"))
    peer.send(b"early")
    assert run(scenario) == b"early"
    peer.close()


def test_a_factory_that_wants_no_connection(reactor, run):
    async def scenario():
        factory = Server(lambda: None)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        for _ in range(3):
            peer = Peer(port)
            assert await peer.read(reactor) == b""
            peer.close()
        assert len(factory.addresses) == 3

    run(scenario)


def test_many_connections_at_once(reactor, run):
    async def scenario():
        factory = Server(lambda: Recorder({"dataReceived": lambda p: p.transport.write(p.received)}))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1", backlog=200)
        peers = [Peer(port) for _ in range(150)]
        for number, peer in enumerate(peers):
            peer.send(b"%3d" % number)
        answers = [await peer.read(reactor) for peer in peers]
        assert answers == [b"%3d" % number for number in range(150)]
        for peer in peers:
            peer.close()
        for protocol in factory.protocols:
            assert (await protocol.lost).__class__ is ConnectionDone

    with nothing_left_open():
        run(scenario)


def test_representations(reactor, run):
    async def scenario():
        server, _, port = await join(reactor)
        assert str(port.port) in repr(port)
        assert "Server" in repr(port)
        assert port.logPrefix().endswith("Server")
        assert str(port.port) in repr(server.transport)
        assert "Recorder" in repr(server.transport)
        assert server.transport.logPrefix().startswith("Recorder,")
        assert server.transport.logPrefix().endswith(",127.0.0.1")
        await port.stopListening()
        assert "not listening" in repr(port)

    run(scenario)


def test_sessions_have_numbers(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peers = [Peer(port) for _ in range(3)]
        await until(reactor, lambda: len(factory.protocols) == 3)
        for _ in range(2):
            assert [protocol.transport.sessionno for protocol in factory.protocols] == [0, 1, 2]
        for peer in peers:
            peer.close()

    run(scenario)


@needs("IReactorTCP", "kernel", "engine")
def test_handle(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        with port.getHandle() as handle:
            assert handle.getsockname() == ("127.0.0.1", port.port)
            assert handle.fileno() != port.fileno()
            if os.name == "posix":  # elsewhere a socket is no file
                assert os.fstat(handle.fileno()).st_ino == os.fstat(port.fileno()).st_ino
        await port.stopListening()
        assert port.fileno() == -1
        with pytest.raises(OSError, match="Bad file descriptor"):
            port.getHandle()

    run(scenario)


@pytest.mark.parametrize("hook", ["connectionMade", "dataReceived", "connectionLost"])
def test_stop_listening_from_a_hook(reactor, run, hook):
    async def scenario():
        factory = Server(lambda: Recorder({hook: lambda _: stopped.append(port.stopListening())}))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peer = Peer(port)
        peer.send(b"x")
        peer.close()
        await until(reactor, lambda: stopped)
        await stopped[0]
        await factory.protocols[0].lost
        assert factory.events == ["doStart", "doStop"]

    stopped = []
    run(scenario)


def test_stop_listening_from_build_protocol(reactor, run):
    async def scenario():
        def make():
            port.stopListening()
            return Recorder()

        factory = Server(make)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peers = [Peer(port) for _ in range(3)]
        await until(reactor, lambda: "doStop" in factory.events)
        await pause(reactor, 0.01)
        assert 1 <= len(factory.protocols) <= 3
        factory.protocols[0].transport.write(b"served")
        assert await peers[0].read(reactor) == b"served"
        for peer in peers:
            peer.close()

    run(scenario)


@pytest.mark.parametrize("hook", ["connectionMade", "dataReceived", "connectionLost"])
def test_stop_the_reactor_from_a_hook(reactor, hook):
    factory = Server(lambda: Recorder({hook: lambda _: reactor.stop()}))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    peer = Peer(port)
    peer.send(b"x")
    if hook == "connectionLost":
        peer.close()
    reactor.run(installSignalHandlers=False)
    assert factory.protocols[0].events[-1] == "connectionLost"
    assert factory.events == ["doStart", "doStop"]
    peer.close()


def test_stop_the_reactor_from_build_protocol(reactor):
    factory = Server(reactor.stop)
    peer = Peer(reactor.listenTCP(0, factory, interface="127.0.0.1"))
    reactor.run(installSignalHandlers=False)
    assert factory.events == ["doStart", "doStop"]
    peer.close()


def test_connections_while_another_thread_waits(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        peer = await in_thread(reactor, Peer, port)
        await until(reactor, lambda: factory.protocols)
        peer.close()

    run(scenario)
