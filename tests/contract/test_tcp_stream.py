"""Connections: data, closing in all its ways, and options."""

from __future__ import annotations

import gc
import os
import socket
import weakref

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.flavours import differs, needs
from contract.harness import (
    Client,
    Peer,
    Recorder,
    Server,
    after,
    in_thread,
    join,
    nothing_left_open,
    pause,
    until,
)
from torsion.internet import error
from torsion.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
)

pytestmark = needs("IReactorTCP")


async def serve(reactor, **do):
    """Accept one plain socket; return the protocol, the peer and the port."""
    factory = Server(lambda: Recorder(do))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connection = factory.connection()
    peer = Peer(port)
    return await connection, peer, port


@needs("IReactorTCP", "kernel", "engine")
def test_interfaces(reactor, run):
    async def scenario():
        server, _, _ = await join(reactor)
        for interface in (ITCPTransport, IConsumer, IPushProducer, ILoggingContext, ISystemHandle):
            assert verifyObject(interface, server.transport)

    run(scenario)


def test_echo(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        server.do["dataReceived"] = lambda _: server.transport.write(server.received[-5:])
        client.transport.write(b"hello")
        assert await client.bytes(5) == b"hello"
        assert type(client.received) is bytes

    run(scenario)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("size", [0, 1, 100, 70000, 3_000_000])
@differs("Twisted takes nothing but bytes")
def test_write(reactor, run, kind, size):
    async def scenario():
        server, client, _ = await join(reactor)
        data = os.urandom(size)
        client.transport.write(kind(data))
        client.transport.write(b"end")
        assert await server.bytes(size + 3) == data + b"end"

    run(scenario)


@differs("Twisted takes nothing but bytes")
def test_a_buffer_may_be_changed_once_it_was_written(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        data = bytearray(b"before")
        client.transport.write(data)
        data[:] = b"AFTER!"
        assert await server.bytes(6) == b"before"

    run(scenario)


@differs("Twisted takes nothing but bytes")
def test_write_sequence(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        client.transport.writeSequence([b"a", bytearray(b"b"), b"", b"c" * 5000])
        client.transport.writeSequence(piece for piece in (b"d", b"e"))
        client.transport.writeSequence([])
        assert await server.bytes(5004) == b"ab" + b"c" * 5000 + b"de"

    run(scenario)


@pytest.mark.parametrize("data", ["text", None, 7, ["list"]])
def test_write_of_what_is_no_bytes(reactor, run, data):
    async def scenario():
        _, client, _ = await join(reactor)
        with pytest.raises(TypeError):
            client.transport.write(data)
        with pytest.raises(TypeError):
            client.transport.writeSequence([data])
        client.transport.loseConnection()
        with pytest.raises(TypeError):
            client.transport.write(data)

    run(scenario)


def test_one_byte_at_a_time(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def trickle():
            for number in range(256):
                peer.send(bytes([number]))

        await in_thread(reactor, trickle)
        assert await protocol.bytes(256) == bytes(range(256))
        peer.close()

    run(scenario)


def test_close_sends_the_rest_first(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        data = b"x" * 5_000_000
        protocol.transport.write(data)
        protocol.transport.loseConnection()
        assert protocol.transport.disconnecting
        protocol.transport.loseConnection()
        assert await peer.read_all(reactor) == data
        assert (await after(reactor, protocol.lost)).__class__ is error.ConnectionDone
        assert protocol.transport.disconnected
        assert not protocol.transport.connected
        peer.close()

    run(scenario)


def test_lost_is_told_once_and_never_from_within_a_call(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        for method in ("loseConnection", "abortConnection", "stopProducing", "loseConnection", "abortConnection"):
            getattr(protocol.transport, method)()
            assert "connectionLost" not in protocol.events
        await protocol.lost
        for method in ("loseConnection", "abortConnection", "loseWriteConnection", "pauseProducing", "resumeProducing"):
            getattr(protocol.transport, method)()
        protocol.transport.write(b"to nobody")
        protocol.transport.writeSequence([b"to", b"nobody"])
        await pause(reactor, 0.01)
        assert protocol.events == ["connectionMade", "connectionLost"]
        peer.close()

    run(scenario)


@differs("Twisted tells these ends without details")
def test_abort(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        client.transport.write(b"x" * 1_000_000)
        client.transport.abortConnection()
        assert (await client.lost).__class__ is error.ConnectionAborted
        problem = await server.lost
        assert problem.__class__ is error.ConnectionLost
        assert isinstance(problem.args[0], ConnectionResetError)

    run(scenario)


def test_the_peer_closes(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        peer.send(b"last words")
        peer.close()
        assert (await protocol.lost).__class__ is error.ConnectionDone
        assert protocol.received == b"last words"

    run(scenario)


@differs("Twisted tells these ends without details")
def test_the_peer_resets(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        peer.reset()
        problem = await protocol.lost
        assert problem.__class__ is error.ConnectionLost
        assert problem.args[0].errno is not None

    run(scenario)


def test_the_peer_vanishes_at_once(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        for _ in range(20):
            for leave in (Peer.reset, Peer.close):
                leave(Peer(port))
        await until(reactor, lambda: len(factory.protocols) >= 20 and all(p.lost.called for p in factory.protocols))
        protocol, peer, _ = await serve(reactor)
        peer.send(b"and the port lives on")
        await protocol.bytes(21)
        peer.close()

    with nothing_left_open():
        run(scenario)


@differs("Twisted leaves the protocol and its transport to each other")
def test_transport_is_off_the_protocol_when_lost(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        assert protocol.transport.protocol is protocol
        peer.close()
        await after(reactor, protocol.lost)
        assert protocol.transport.protocol is None

    run(scenario)


def test_the_protocol_can_be_changed(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        peer.send(b"first")
        await protocol.bytes(5)
        other = protocol.transport.protocol = Recorder()
        other.transport = protocol.transport
        peer.send(b"second")
        assert await other.bytes(6) == b"second"
        peer.close()
        await other.lost
        assert protocol.events == ["connectionMade", "dataReceived"]

    run(scenario)


def test_data_received_can_be_changed(reactor, run):
    async def scenario():
        protocol, peer, _ = await serve(reactor)
        received = []
        protocol.dataReceived = received.append
        peer.send(b"elsewhere")
        await until(reactor, lambda: received)
        assert b"".join(received) == b"elsewhere"
        peer.close()

    run(scenario)


class TestReentrancy:
    @pytest.mark.parametrize("method", ["loseConnection", "abortConnection"])
    @pytest.mark.parametrize("hook", ["connectionMade", "dataReceived", "connectionLost"])
    def test_close_from_a_hook(self, reactor, run, hook, method):
        async def scenario():
            protocol, peer, _ = await serve(reactor, **{hook: lambda p: getattr(p.transport, method)()})
            if hook != "connectionMade":
                peer.send(b"x")
            if hook == "connectionLost":
                peer.close()
            await after(reactor, protocol.lost)
            assert protocol.events.count("connectionLost") == 1
            peer.close()

        run(scenario)

    def test_nothing_is_read_after_a_close(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor, dataReceived=lambda p: p.transport.loseConnection())
            peer.send(b"x")
            await after(reactor, protocol.lost)
            assert protocol.events.count("dataReceived") == 1
            peer.close()

        run(scenario)

    def test_write_in_connection_made_comes_first(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor, connectionMade=lambda p: p.transport.write(b"welcome "))
            protocol.transport.write(b"friend")
            protocol.transport.loseConnection()
            assert await peer.read_all(reactor) == b"welcome friend"
            peer.close()

        run(scenario)

    def test_one_connection_closes_another(self, reactor, run):
        async def scenario():
            one, first, port = await serve(reactor)
            connection = port.factory.connection()
            second = Peer(port)
            two = await connection
            one.do["dataReceived"] = lambda _: two.transport.abortConnection()
            second.send(b"ready to be read in the same turn")
            first.send(b"x")
            await two.lost
            first.close()
            second.close()

        run(scenario)

    def test_a_turn_within_a_hook(self, reactor, run):
        async def scenario():
            def nested(protocol):
                for _ in range(3):
                    reactor.iterate(0.001)
                order.append(protocol.received)

            order = []
            one, first, _ = await serve(reactor)
            one.do["dataReceived"] = nested
            first.send(b"a")
            await one.bytes(1)
            first.send(b"b")
            assert await one.bytes(2) == b"ab"
            first.close()
            await one.lost

        run(scenario)


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    """Is told of either half."""

    def readConnectionLost(self):
        self.note("readConnectionLost")

    def writeConnectionLost(self):
        self.note("writeConnectionLost")


class TestHalfClose:
    def test_the_peers_half(self, reactor, run):
        async def scenario():
            protocol, client, _ = await join(reactor, HalfCloseable())
            client.transport.write(b"question")
            client.transport.loseWriteConnection()
            await until(reactor, lambda: "readConnectionLost" in protocol.events)
            assert protocol.received == b"question"
            await pause(reactor, 0.01)
            assert "connectionLost" not in protocol.events
            protocol.transport.write(b"answer")
            assert await client.bytes(6) == b"answer"
            protocol.transport.loseConnection()
            assert (await protocol.lost).__class__ is error.ConnectionDone
            assert (await client.lost).__class__ is error.ConnectionDone

        run(scenario)

    @differs("Twisted leaves a connection open of which both halves are closed")
    def test_our_half(self, reactor, run):
        async def scenario():
            server, client, _ = await join(reactor, HalfCloseable(), HalfCloseable())
            client.transport.write(b"x" * 1_000_000)
            client.transport.loseWriteConnection()
            await until(reactor, lambda: "readConnectionLost" in server.events)
            assert server.received == b"x" * 1_000_000
            assert client.events == ["connectionMade", "writeConnectionLost"]
            server.transport.write(b"answer")
            assert await client.bytes(6) == b"answer"
            server.transport.loseWriteConnection()
            assert (await after(reactor, server.lost)).__class__ is error.ConnectionDone
            assert (await after(reactor, client.lost)).__class__ is error.ConnectionDone
            assert client.events[-2:] == ["readConnectionLost", "connectionLost"]
            assert server.events[-2:] == ["writeConnectionLost", "connectionLost"]

        run(scenario)

    def test_without_the_interface_the_end_of_one_half_is_the_end(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor)
            peer.socket.shutdown(socket.SHUT_WR)
            assert (await protocol.lost).__class__ is error.ConnectionDone
            assert await peer.read(reactor) == b""
            peer.close()

        run(scenario)

    def test_methods_without_the_interface_are_no_hooks(self, reactor, run):
        class Undeclared(Recorder):
            readConnectionLost = HalfCloseable.readConnectionLost
            writeConnectionLost = HalfCloseable.writeConnectionLost

        async def scenario():
            server, client, _ = await join(reactor, Undeclared())
            client.transport.loseWriteConnection()
            await after(reactor, server.lost)
            assert server.events == ["connectionMade", "connectionLost"]

        run(scenario)

    @pytest.mark.parametrize("method", ["loseConnection", "abortConnection", "loseWriteConnection"])
    @pytest.mark.parametrize("hook", ["readConnectionLost", "writeConnectionLost"])
    @differs("Twisted leaves a connection open of which both halves are closed")
    def test_close_from_the_hooks(self, reactor, run, hook, method):
        async def scenario():
            protocol = HalfCloseable({hook: lambda p: getattr(p.transport, method)()})
            server, client, _ = await join(reactor, protocol, HalfCloseable())
            if hook == "writeConnectionLost":
                server.transport.loseWriteConnection()
                await until(reactor, lambda: hook in server.events)
            client.transport.loseWriteConnection()
            await after(reactor, server.lost)
            assert server.events.count("connectionLost") == 1

        run(scenario)


class TestOptions:
    @pytest.mark.parametrize("option", ["TcpNoDelay", "TcpKeepAlive"])
    @needs("IReactorTCP", "engine")
    def test_switches(self, reactor, run, option):
        async def scenario():
            _, client, _ = await join(reactor)
            for value in (True, False, 1, 0):
                getattr(client.transport, f"set{option}")(value)
                assert getattr(client.transport, f"get{option}")() == value

        run(scenario)

    @needs("IReactorTCP", "kernel", "engine")
    def test_handle(self, reactor, run):
        async def scenario():
            _, client, _ = await join(reactor)
            with client.transport.getHandle() as handle:
                assert isinstance(handle, socket.socket)
                assert handle.getpeername() == (client.transport.getPeer().host, client.transport.getPeer().port)
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            assert client.transport.getTcpKeepAlive()
            client.transport.loseConnection()
            await after(reactor, client.lost)
            assert client.transport.fileno() == -1
            with pytest.raises(OSError, match=r"Bad file descriptor|closed"):
                client.transport.getHandle()

        run(scenario)


class TestPausing:
    def test_pause_and_resume(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor)
            protocol.transport.pauseProducing()
            peer.send(b"later")
            await pause(reactor, 0.02)
            assert protocol.received == b""
            protocol.transport.resumeProducing()
            assert await protocol.bytes(5) == b"later"
            peer.close()

        run(scenario)

    def test_pause_within_data_received(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor, dataReceived=lambda p: p.transport.pauseProducing())
            sending = peer.pour(reactor, b"x" * 3_000_000)
            await protocol.bytes(1)
            await pause(reactor, 0.02)
            assert protocol.events.count("dataReceived") == 1
            del protocol.do["dataReceived"]
            protocol.transport.resumeProducing()
            await protocol.bytes(3_000_000)
            await sending
            peer.close()

        run(scenario)

    def test_a_close_by_the_peer_waits_for_the_reader(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor)
            protocol.transport.pauseProducing()
            peer.send(b"last words")
            peer.close()
            await pause(reactor, 0.02)
            assert protocol.events == ["connectionMade"]
            protocol.transport.resumeProducing()
            assert (await protocol.lost).__class__ is error.ConnectionDone
            assert protocol.received == b"last words"

        run(scenario)

    def test_a_paused_connection_can_be_closed(self, reactor, run):
        async def scenario():
            protocol, peer, _ = await serve(reactor)
            protocol.transport.pauseProducing()
            protocol.transport.write(b"bye")
            protocol.transport.loseConnection()
            assert await peer.read_all(reactor) == b"bye"
            await protocol.lost
            peer.close()

        run(scenario)


@needs("IReactorTCP", "engine")
def test_nothing_leaks(reactor, run):
    async def scenario():
        references = []
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        for how in ("loseConnection", "abortConnection", "peer"):
            for _ in range(10):
                client = Client()
                connection = port.factory.connection()
                connector = reactor.connectTCP("127.0.0.1", port.port, client)
                server = await connection
                await client.one.made
                references += map(
                    weakref.ref, (client, client.one, client.one.transport, server.transport, server, connector)
                )
                getattr(
                    client.one.transport if how == "peer" else server.transport,
                    "loseConnection" if how == "peer" else how,
                )()
                await after(reactor, server.lost)
                await after(reactor, client.one.lost)
        port.factory.protocols.clear()
        del client, connector, server, connection
        await pause(reactor)
        return references

    with nothing_left_open():
        references = run(scenario)
        gc.collect()
        left = [reference() for reference in references if reference() is not None]
    assert left == []
