"""Policies on real connections; by the clock they are tested in tests/unit/protocols."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager

import pytest
from zope.interface import implementer

from contract.harness import Client, Peer, Recorder, Server, after, in_thread, join, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocolNegotiationFactory,
    IReactorUNIX,
    ITCPTransport,
)
from torsion.internet.protocol import ServerFactory
from torsion.protocols import policies, wire
from torsion.protocols.basic import FileSender, LineReceiver
from torsion.protocols.loopback import loopbackTCP, loopbackUNIX

CHUNK = b"x" * 65536

SPEED = 50
"""How much faster time goes for the policies here."""


class Throttling(policies.ThrottlingFactory):
    """For this one, time goes faster."""

    reactor = None

    def callLater(self, period, func):
        return self.reactor.callLater(period / SPEED, func)


@asynccontextmanager
async def listening(reactor, factory):
    factory.reactor = reactor
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield port
    finally:
        await port.stopListening()


@pytest.fixture(autouse=True)
def clean(reactor):
    with nothing_left_open():
        yield


def whole(peer, count):
    """Receive so many bytes."""
    found = bytearray()
    while len(found) < count and (data := peer.socket.recv(count - len(found))):
        found += data
    return bytes(found)


# --- wrapping ------------------------------------------------------------------------------------------------------------


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    def readConnectionLost(self):
        self.note("readConnectionLost")

    def writeConnectionLost(self):
        self.note("writeConnectionLost")


def test_a_wrapped_protocol_behaves_like_any_other(reactor, run):
    async def scenario():
        server = Server()
        async with listening(reactor, policies.WrappingFactory(policies.WrappingFactory(server))) as port:
            client = Client()
            reactor.connectTCP("127.0.0.1", port.getHost().port, policies.WrappingFactory(client))
            await client.one.made
            await until(reactor, lambda: server.protocols and server.protocols[0].transport)
            [end] = server.protocols
            assert ITCPTransport.providedBy(end.transport)
            end.transport.setTcpNoDelay(True)
            assert end.transport.getTcpNoDelay()
            assert client.one.transport.getPeer() == end.transport.getHost()
            assert client.one.transport.getHost() == end.transport.getPeer()
            client.one.transport.write(b"he")
            client.one.transport.writeSequence([b"ll", b"o"])
            assert await end.bytes(5) == b"hello"
            client.one.transport.loseConnection()
            assert isinstance(await end.lost, error.ConnectionDone)
            assert isinstance(await client.lost, error.ConnectionDone)
            assert client.events == ["doStart", "startedConnecting", "buildProtocol", "clientConnectionLost", "doStop"]

    run(scenario)


def test_half_closed_connections_reach_the_wrapped_protocol(reactor, run):
    async def scenario():
        def answer(protocol):
            protocol.transport.write(b"bye")
            protocol.transport.loseWriteConnection()

        server = Server(lambda: HalfCloseable({"readConnectionLost": answer}))
        async with listening(reactor, policies.WrappingFactory(policies.WrappingFactory(server))) as port:
            peer = Peer(port)
            peer.socket.shutdown(socket.SHUT_WR)
            assert await peer.read_all(reactor) == b"bye"
            [end] = server.protocols
            await until(reactor, lambda: "writeConnectionLost" in end.events)
            end.transport.loseConnection()
            await end.lost
            assert end.events == ["connectionMade", "readConnectionLost", "writeConnectionLost", "connectionLost"]
            peer.close()

    run(scenario)


def test_a_peer_that_says_no_more_ends_the_connection_of_other_wrapped_protocols(reactor, run):
    async def scenario():
        server = Server()
        async with listening(reactor, policies.WrappingFactory(server)) as port:
            peer = Peer(port)
            peer.socket.shutdown(socket.SHUT_WR)
            assert await peer.read_all(reactor) == b""
            await server.protocols[0].lost
            peer.close()

    run(scenario)


def test_lines_through_a_wrapper_that_is_paused(reactor, run):
    lines = []

    class Lines(LineReceiver):
        delimiter = b"\n"

        def lineReceived(self, line):
            lines.append(line)
            self.pauseProducing()
            reactor.callLater(0, self.resumeProducing)

    async def scenario():
        async with listening(reactor, policies.WrappingFactory(ServerFactory.forProtocol(Lines))) as port:
            peer = Peer(port)
            peer.send(b"one\ntwo\nthree\n")
            await until(reactor, lambda: len(lines) == 3)
            assert lines == [b"one", b"two", b"three"]
            peer.close()
            await pause(reactor, 0.01)

    run(scenario)


@pytest.mark.parametrize("hook", ["connectionMade", "dataReceived"])
def test_a_wrapped_hook_that_raises_costs_its_connection(reactor, run, logged, hook):
    async def scenario():
        server = Server(lambda: Recorder({hook: lambda protocol: 1 / 0}))
        factory = policies.LimitConnectionsByPeer(policies.ThrottlingFactory(server))
        async with listening(reactor, factory) as port:
            peer = Peer(port)
            peer.send(b"x")
            await until(reactor, lambda: server.protocols and server.protocols[0].reason)
            peer.close()
            assert server.protocols[0].reason.check(ZeroDivisionError)
            assert factory.peerConnections == {}
            assert factory.wrappedFactory.connectionCount == 0
            assert len(logged.take(ZeroDivisionError)) == 1

    run(scenario)


def test_tls_reaches_the_wrapped_factory_and_its_protocol(reactor, run):
    pytest.importorskip("cryptography")
    from torsion.internet.ssl import KeyPair, optionsForClientTLS

    @implementer(IHandshakeListener)
    class Shaking(Recorder):
        def handshakeCompleted(self):
            self.note("handshakeCompleted")
            self.transport.write(self.transport.negotiatedProtocol)

    @implementer(IProtocolNegotiationFactory)
    class Speaking(Server):
        def acceptableProtocols(self):
            return [b"h2"]

    async def scenario():
        certificate = KeyPair.generate().selfSignedCert(1, CN="localhost")
        server = Speaking(Shaking)
        factory = policies.TimeoutFactory(policies.LimitConnectionsByPeer(server), 10)
        port = reactor.listenSSL(0, factory, certificate.options(), interface="127.0.0.1")
        client = Client()
        options = optionsForClientTLS("localhost", trustRoot=certificate, acceptableProtocols=[b"h2"])
        reactor.connectSSL("127.0.0.1", port.getHost().port, policies.WrappingFactory(client), options)
        assert await client.one.bytes(2) == b"h2"
        client.one.transport.loseConnection()
        await client.one.lost
        await server.protocols[0].lost
        assert server.protocols[0].events == ["connectionMade", "handshakeCompleted", "connectionLost"]
        await port.stopListening()

    run(scenario)


# --- throttling ----------------------------------------------------------------------------------------------------------


def test_reading_keeps_to_the_limit(reactor, run):
    """Ten times the limit take about ten seconds, of the policy's, though they are sent in five."""

    async def scenario():
        limit = 200_000
        server = Server()
        async with listening(reactor, Throttling(server, readLimit=limit)) as port:
            client = Client()
            reactor.connectTCP("127.0.0.1", port.getHost().port, client)
            await client.one.made
            began = reactor.seconds()
            for _ in range(100):
                client.one.transport.write(b"x" * (limit // 10))
                await pause(reactor, 0.05 / SPEED)
            [end] = server.protocols
            await end.bytes(limit * 10)
            assert reactor.seconds() - began > 7 / SPEED
            client.one.transport.loseConnection()
            await end.lost

    run(scenario)


@pytest.mark.parametrize("kind", ["push", "pull"])
def test_writing_keeps_to_the_limit_and_nothing_is_lost(reactor, run, tmp_path, kind):
    limit = 200_000
    (tmp_path / "file").write_bytes(bytes(range(256)) * (limit // 256 * 6))

    class Push:
        def __init__(self, transport, data):
            self.transport, self.left, self.paused = transport, data, False
            transport.registerProducer(self, True)
            self.resumeProducing()

        def pauseProducing(self):
            self.paused = True

        def resumeProducing(self):
            self.paused = False
            reactor.callLater(0, self.go)

        def go(self):
            if self.left and not self.paused:
                self.transport.write(self.left[:8192])
                self.left = self.left[8192:]
                reactor.callLater(0.0005, self.go)
            elif not self.left and self.transport is not None:
                self.transport.unregisterProducer()
                self.transport.loseConnection()
                self.transport = None

        def stopProducing(self):
            self.left = b""

    def begin(protocol):
        if kind == "push":
            Push(protocol.transport, (tmp_path / "file").read_bytes())
        else:
            file = (tmp_path / "file").open("rb")
            done = FileSender().beginFileTransfer(file, protocol.transport)
            done.addBoth(lambda _: [file.close(), protocol.transport.loseConnection()])

    async def scenario():
        server = Server(lambda: Recorder({"connectionMade": begin}))
        async with listening(reactor, Throttling(server, writeLimit=limit)) as port:
            peer = Peer(port)
            began = reactor.seconds()
            data = await peer.read_all(reactor)
            took = reactor.seconds() - began
            assert data == (tmp_path / "file").read_bytes()
            assert took > 3 / SPEED
            peer.close()
            await after(reactor, server.protocols[0].lost)

    run(scenario)


def test_one_connection_too_many(reactor, run):
    async def scenario():
        server = Server()
        factory = Throttling(server, maxConnectionCount=2)
        async with listening(reactor, factory) as port:
            peers = [Peer(port), Peer(port)]
            await until(reactor, lambda: factory.connectionCount == 2)
            third = Peer(port)
            assert await third.read_all(reactor) == b""
            third.close()
            peers.pop().close()
            await until(reactor, lambda: factory.connectionCount == 1)
            peers.append(Peer(port))
            await until(reactor, lambda: factory.connectionCount == 2)
            for peer in peers:
                peer.close()
            await until(reactor, lambda: factory.connectionCount == 0)

    run(scenario)
    assert reactor.getDelayedCalls() == []


# --- timeouts ------------------------------------------------------------------------------------------------------------


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(reactor, run):
    async def scenario():
        server = Server()
        async with listening(reactor, policies.TimeoutFactory(server, 0.1)) as port:
            idle, busy = Peer(port), Peer(port)
            closed = idle.read_all(reactor)
            over = []
            closed.addCallback(over.append)
            while not over:
                busy.send(b"x")
                await pause(reactor, 0.01)
            assert over == [b""]
            assert server.protocols[0].reason is not None
            assert server.protocols[1].reason is None
            busy.close()
            idle.close()
            await server.protocols[1].lost

    run(scenario)
    assert reactor.getDelayedCalls() == []


def test_the_mixin_goes_by_the_reactor_that_runs(reactor, run):
    class Impatient(policies.TimeoutMixin, Recorder):
        def connectionMade(self):
            super().connectionMade()
            self.setTimeout(0.01)

        def connectionLost(self, reason):
            self.setTimeout(None)
            super().connectionLost(reason)

    async def scenario():
        server, client, port = await join(reactor, server=Impatient())
        assert isinstance(await client.lost, error.ConnectionDone)
        await server.lost
        await port.stopListening()

    run(scenario)


# --- limits --------------------------------------------------------------------------------------------------------------


def connect_from(host, port):
    return socket.create_connection(("127.0.0.1", port.getHost().port), 10, (host, 0))


def test_each_peer_has_its_own_limit(reactor, run):
    async def scenario():
        server = Server()
        factory = policies.LimitConnectionsByPeer(server)
        factory.maxConnectionsPerPeer = 1
        async with listening(reactor, factory) as port:
            first = connect_from("127.0.0.1", port)
            await until(reactor, lambda: len(server.protocols) == 1)
            second = connect_from("127.0.0.1", port)
            assert await in_thread(reactor, second.recv, 1) == b""
            other = connect_from("127.0.0.2", port)
            await until(reactor, lambda: len(server.protocols) == 2)
            assert factory.peerConnections == {"127.0.0.1": 1, "127.0.0.2": 1}
            for each in (first, second, other):
                each.close()
            await until(reactor, lambda: factory.peerConnections == {})

    run(scenario)


def test_a_limit_to_all_connections(reactor, run):
    class Full(Recorder):
        def connectionMade(self):
            self.transport.write(b"full")
            self.transport.loseConnection()

    async def scenario():
        factory = policies.LimitTotalConnectionsFactory()
        factory.protocol, factory.connectionLimit, factory.overflowProtocol = Recorder, 1, Full
        async with listening(reactor, factory) as port:
            first = Peer(port)
            await until(reactor, lambda: factory.connectionCount == 1)
            second = Peer(port)
            assert await second.read_all(reactor) == b"full"
            first.close()
            second.close()
            await until(reactor, lambda: factory.connectionCount == 0)

    run(scenario)


# --- others --------------------------------------------------------------------------------------------------------------


def test_traffic_is_written_down(reactor, run, tmp_path):
    async def scenario():
        echo = {"dataReceived": lambda protocol: protocol.transport.write(protocol.received)}
        factory = policies.TrafficLoggingFactory(Server(lambda: Recorder(echo)), f"{tmp_path}/log")
        async with listening(reactor, factory) as port:
            peer = Peer(port)
            peer.send(b"hello")
            assert await peer.read(reactor) == b"hello"
            peer.close()
            await after(reactor, factory.wrappedFactory.protocols[0].lost)

    run(scenario)
    lines = (tmp_path / "log-1").read_text().splitlines()
    assert lines[:3] == ["*", "C 1: b'hello'", "S 1: b'hello'"]
    assert len(lines) == 4
    assert "ConnectionDone" in lines[3]


class Once(wire.Echo):
    """Sends a lot, and wants to close."""

    def connectionMade(self):
        super().connectionMade()
        self.transport.write(CHUNK * 100)
        self.transport.loseConnection()


def test_an_echo_that_is_full_can_still_close(reactor, run):
    async def scenario():
        async with listening(reactor, ServerFactory.forProtocol(Once)) as port:
            peer = Peer(port)
            await pause(reactor, 0.02)
            assert len(await peer.read_all(reactor)) == 100 * len(CHUNK)
            peer.close()

    run(scenario)


def test_an_echo_does_not_read_from_one_who_does_not_read(reactor, run):
    async def scenario():
        made = []

        class Echo(wire.Echo):
            def connectionMade(self):
                super().connectionMade()
                made.append(self)

        async with listening(reactor, ServerFactory.forProtocol(Echo)) as port:
            peer = Peer(port)
            peer.socket.setblocking(False)
            sent = quiet = 0
            while quiet < 20:
                try:
                    sent += peer.socket.send(CHUNK)
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                await pause(reactor, 0.002)
            assert made[0].transport.statistics()["bytes_queued"] < 8 * len(CHUNK)
            peer.socket.settimeout(10)
            data = await in_thread(reactor, whole, peer, sent)
            assert len(data) == sent
            peer.close()
            await pause(reactor, 0.01)

    run(scenario)


def test_noise_for_as_long_as_it_is_listened_to(reactor, run):
    async def scenario():
        async with listening(reactor, ServerFactory.forProtocol(wire.Chargen)) as port:
            peer = Peer(port)
            length = len(wire.Chargen.noise) * 1000
            data = await in_thread(reactor, whole, peer, length)
            assert data == wire.Chargen.noise * 1000
            peer.reset()
            await pause(reactor, 0.02)

    run(scenario)


@pytest.mark.parametrize("loopback", [loopbackTCP, loopbackUNIX])
def test_two_protocols_over_sockets(reactor, run, loopback):
    if loopback is loopbackUNIX and not IReactorUNIX.providedBy(reactor):
        pytest.skip("there are no Unix sockets here")

    async def scenario():
        def hang_up(protocol):
            protocol.transport.loseConnection()

        server = Recorder({"dataReceived": hang_up})
        client = Recorder({"connectionMade": lambda protocol: protocol.transport.write(b"hello")})
        await loopback(server, client, noisy=False)
        assert (server.received, server.events[-1], client.events[-1]) == (b"hello", "connectionLost", "connectionLost")

    run(scenario)


def test_two_protocols_that_cannot_be_connected(reactor, run):
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(error.CannotListenError):
            await loopbackTCP(Recorder(), Recorder(), port=taken.getsockname()[1])

    run(scenario)
