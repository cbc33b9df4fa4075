"""A port forwarder between real clients and real servers."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager

import pytest
from zope.interface import implementer

from contract.harness import Peer, Recorder, Server, after, in_thread, nothing_left_open, pause, until
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.protocols.portforward import ProxyFactory, ProxyServer

CHUNK = b"0123456789abcdef" * 4096
ENOUGH = 64
"""So many chunks fill every buffer of the system's between two ends, and more."""


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    """Is told when its peer says no more, and goes on."""

    def readConnectionLost(self):
        self.note("readConnectionLost")

    def writeConnectionLost(self):
        self.note("writeConnectionLost")


@asynccontextmanager
async def forwarding(reactor, make=Recorder, target=None):
    """Yield the server's factory and the forwarder's port; *target* is a port's number to forward to instead."""
    server = Server(make)
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    factory = ProxyFactory("127.0.0.1", port.getHost().port if target is None else target)
    factory.noisy = False
    factory.sides = []

    def build(addr):
        side = ProxyFactory.buildProtocol(factory, addr)
        side.noisy = False
        side.reactor = reactor
        factory.sides.append(side)
        return side

    factory.buildProtocol = build
    forwarder = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield server, forwarder
    finally:
        await port.stopListening()
        await forwarder.stopListening()


def test_both_directions(reactor, run):
    async def scenario():
        echo = {"dataReceived": lambda protocol: protocol.transport.write(protocol.received[-5:])}
        async with forwarding(reactor, lambda: Recorder(echo)) as (server, port):
            peer = Peer(port)
            peer.send(b"hello")
            assert await peer.read(reactor) == b"hello"
            peer.send(b"again")
            assert await peer.read(reactor) == b"again"
            peer.close()
            [end] = server.protocols
            await after(reactor, end.lost)

    with nothing_left_open():
        run(scenario)


def test_what_is_said_before_the_server_is_reached_arrives(reactor, run):
    async def scenario():
        async with forwarding(reactor) as (server, port):
            connection = server.connection()
            peer = Peer(port)
            peer.send(b"early")  # the reactor has not accepted it yet
            end = await connection
            await end.bytes(5)
            peer.close()
            await after(reactor, end.lost)
            assert end.received == b"early"

    run(scenario)


def test_the_client_says_no_more_and_is_still_answered(reactor, run):
    async def scenario():
        def answer(protocol):
            protocol.transport.write(b"you said " + protocol.received)
            protocol.transport.loseConnection()

        async with forwarding(reactor, lambda: HalfCloseable({"readConnectionLost": answer})) as (server, port):
            peer = Peer(port)
            peer.send(b"all there is")
            peer.socket.shutdown(socket.SHUT_WR)
            assert await peer.read_all(reactor) == b"you said all there is"
            await after(reactor, server.protocols[0].lost)
            peer.close()

    with nothing_left_open():
        run(scenario)


def test_the_server_says_no_more_and_is_still_told(reactor, run):
    async def scenario():
        greet = {
            "connectionMade": lambda protocol: [
                protocol.transport.write(b"go"),
                protocol.transport.loseWriteConnection(),
            ]
        }
        async with forwarding(reactor, lambda: HalfCloseable(greet)) as (server, port):
            peer = Peer(port)
            assert await peer.read_all(reactor) == b"go"
            [end] = server.protocols
            peer.send(b"gone")
            assert await end.bytes(4) == b"gone"
            peer.close()
            await until(reactor, lambda: "readConnectionLost" in end.events)
            end.transport.loseConnection()
            await after(reactor, end.lost)

    with nothing_left_open():
        run(scenario)


@pytest.mark.parametrize("half", [False, True])
def test_a_file_arrives_whole_though_its_sender_has_gone(reactor, run, half):
    async def scenario():
        async with forwarding(reactor) as (server, port):
            connection = server.connection()
            peer = Peer(port)
            end = await connection
            end.transport.pauseProducing()  # so that much of it is on the way when the sender goes

            def send():
                peer.send(CHUNK * ENOUGH)
                peer.socket.shutdown(socket.SHUT_WR) if half else peer.close()

            sent = in_thread(reactor, send)
            await pause(reactor, 0.05)
            end.transport.resumeProducing()
            await sent
            await after(reactor, end.lost)
            assert end.received == CHUNK * ENOUGH
            peer.close()

    with nothing_left_open():
        run(scenario)


def test_a_slow_reader_slows_the_writer_down(reactor, run):
    async def scenario():
        written = 0
        paused = False

        class Source:
            def pauseProducing(self):
                nonlocal paused
                paused = True

            def resumeProducing(self):
                nonlocal paused
                paused = False
                produce()

            def stopProducing(self):
                nonlocal paused
                paused = True

        def produce():
            nonlocal written
            while not paused:
                written += 1
                end.transport.write(CHUNK)

        async with forwarding(reactor) as (server, port):
            connection = server.connection()
            peer = Peer(port)
            end = await connection
            end.transport.registerProducer(Source(), True)
            produce()
            most = 0
            quiet = 0
            while quiet < 20:  # until nothing moves any more: all buffers are full
                before = written
                await pause(reactor, 0.01)
                quiet = 0 if written != before else quiet + 1
                [side] = [each for each in port.factory.sides if isinstance(each, ProxyServer)]
                most = max(most, side.transport.statistics()["bytes_queued"])
            assert paused
            assert 0 < most < 8 * len(CHUNK)
            peer.reset()
            await after(reactor, end.lost)

    with nothing_left_open():
        run(scenario)


def test_nobody_there(reactor, run):
    """Nobody listens behind the forwarder: who connects to it sees an end."""

    async def scenario():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and not listening
            async with forwarding(reactor, target=taken.getsockname()[1]) as (server, port):
                peer = Peer(port)
                peer.send(b"anybody?")
                assert await peer.read_all(reactor) == b""
                assert server.protocols == []
                peer.close()

    with nothing_left_open():
        run(scenario)


def test_the_connection_goes_before_the_server_is_reached(reactor, run):
    async def scenario():
        connectors = []

        class Slow:
            """A reactor that does not get round to connecting."""

            @staticmethod
            def connectTCP(host, port, factory):
                connectors.append(Pending())
                return connectors[0]

        class Pending:
            given_up = False

            def disconnect(self):
                self.given_up = True

        async with forwarding(reactor) as (server, port):
            build = port.factory.buildProtocol

            def slow(addr):
                side = build(addr)
                side.reactor = Slow
                return side

            port.factory.buildProtocol = slow
            peer = Peer(port)
            await until(reactor, lambda: connectors)
            port.factory.sides[0].transport.abortConnection()
            await until(reactor, lambda: connectors[0].given_up)
            peer.close()
            assert server.protocols == []

    with nothing_left_open():
        run(scenario)


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_ends_both(reactor, run, who):
    async def scenario():
        async with forwarding(reactor) as (server, port):
            connection = server.connection()
            peer = Peer(port)
            end = await connection
            peer.send(b"x")
            await end.bytes(1)
            if who == "client":
                peer.reset()
            else:
                end.transport.abortConnection()
                assert await peer.read_all(reactor) == b""
            await after(reactor, end.lost)
            peer.close()

    with nothing_left_open():
        run(scenario)
