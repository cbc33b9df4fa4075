"""Producers: whoever writes more than the peer reads is told when to wait."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from contract.flavours import needs
from contract.harness import Peer, Recorder, Server, after, join, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.interfaces import IPullProducer, IPushProducer

pytestmark = needs("IReactorTCP")

CHUNK = b"x" * 65536


@implementer(IPushProducer)
class Push:
    """Writes as long as it is not told to pause."""

    def __init__(self, transport, total):
        self.transport = transport
        self.left = total
        self.paused = False
        self.events = []

    def start(self):
        self.transport.registerProducer(self, True)
        self.produce()

    def produce(self):
        while self.left and not self.paused:
            self.left -= 1
            self.transport.write(CHUNK)
        if not self.left and "end" not in self.events:
            self.events.append("end")
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def pauseProducing(self):
        self.events.append("pause")
        self.paused = True

    def resumeProducing(self):
        self.events.append("resume")
        self.paused = False
        self.produce()

    def stopProducing(self):
        self.events.append("stop")
        self.left = 0


@implementer(IPullProducer)
class Pull:
    """Writes once each time it is asked."""

    def __init__(self, transport, total):
        self.transport = transport
        self.left = total
        self.events = []

    def resumeProducing(self):
        if self.left:
            self.left -= 1
            self.transport.write(CHUNK)
            self.events.append("resume")
        else:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self):
        self.events.append("stop")


async def serve(reactor):
    factory = Server()
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connection = factory.connection()
    peer = Peer(port)
    return await connection, peer


def test_push_producer(reactor, run):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Push(protocol.transport, 200)
        producer.start()
        await until(reactor, lambda: producer.paused)
        assert producer.left > 0
        data = await peer.read_all(reactor)
        assert len(data) == 200 * len(CHUNK)
        await after(reactor, protocol.lost)
        pauses = [event for event in producer.events if event != "end"]
        assert pauses[: len(pauses) // 2 * 2] == ["pause", "resume"] * (len(pauses) // 2)
        assert "stop" not in producer.events
        peer.close()

    run(scenario)


@needs("IReactorTCP", "engine")
def test_memory_is_bounded_when_the_peer_never_reads(reactor, run):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Push(protocol.transport, 10**9)
        producer.start()
        await until(reactor, lambda: producer.paused)
        await pause(reactor, 0.05)
        written = 10**9 - producer.left
        await pause(reactor, 0.05)
        assert 10**9 - producer.left == written
        assert protocol.transport.statistics()["bytes_queued"] < 10 * len(CHUNK)
        peer.reset()
        await after(reactor, protocol.lost)
        assert producer.events[-1] == "stop"

    with nothing_left_open():
        run(scenario)


def test_pull_producer(reactor, run):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Pull(protocol.transport, 50)
        protocol.transport.registerProducer(producer, False)
        data = await peer.read_all(reactor)
        assert len(data) == 50 * len(CHUNK)
        assert producer.events == ["resume"] * 50
        await protocol.lost
        peer.close()

    run(scenario)


def test_a_pull_producer_waits_for_the_peer(reactor, run):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Pull(protocol.transport, 10**9)
        protocol.transport.registerProducer(producer, False)
        await pause(reactor, 0.05)
        left = producer.left
        await pause(reactor, 0.05)
        assert producer.left == left
        peer.reset()
        await after(reactor, protocol.lost)
        assert producer.events[-1] == "stop"

    run(scenario)


class Idle:
    """A pull producer that has nothing to say for now."""

    def resumeProducing(self):
        pass

    def stopProducing(self):
        pass


@pytest.mark.parametrize("method", ["loseConnection", "loseWriteConnection"])
def test_close_waits_for_a_producer_that_is_to_produce(reactor, run, method):
    async def scenario():
        server, client, _ = await join(reactor)
        server.transport.registerProducer(Idle(), False)
        getattr(server.transport, method)()
        await pause(reactor, 0.02)
        assert not client.lost.called
        server.transport.write(b"the rest")
        server.transport.unregisterProducer()
        assert (await client.lost).__class__ is error.ConnectionDone
        assert client.received == b"the rest"

    run(scenario)


def test_close_waits_for_a_producer_that_was_paused(reactor, run):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Push(protocol.transport, 200)
        producer.start()
        assert producer.paused
        protocol.transport.loseConnection()
        assert len(await peer.read_all(reactor)) == 200 * len(CHUNK)
        await protocol.lost
        peer.close()

    run(scenario)


def test_only_one_at_a_time(reactor, run):
    async def scenario():
        server, _, _ = await join(reactor)
        first = Push(server.transport, 1)
        server.transport.registerProducer(first, True)
        assert server.transport.producer is first
        assert server.transport.streamingProducer
        with pytest.raises(RuntimeError):
            server.transport.registerProducer(Push(server.transport, 1), True)
        server.transport.unregisterProducer()
        assert server.transport.producer is None
        server.transport.registerProducer(first, True)

    run(scenario)


def test_registered_when_it_is_too_late(reactor, run):
    async def scenario():
        server, _, _ = await join(reactor)
        server.transport.loseConnection()
        await after(reactor, server.lost)
        for streaming in (True, False):
            producer = Push(server.transport, 1)
            server.transport.registerProducer(producer, streaming)
            assert producer.events == ["stop"]

    run(scenario)


def test_stopped_before_the_protocol_hears_of_the_loss(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        producer = Push(server.transport, 1)
        server.transport.registerProducer(producer, True)
        server.do["connectionLost"] = lambda _: producer.events.append("lost")
        client.transport.abortConnection()
        await after(reactor, server.lost)
        assert producer.events == ["stop", "lost"]

    run(scenario)


@needs("IReactorTCP", "engine")  # Twisted is still at it for a while when it is busy
def test_a_transport_as_the_producer_of_another(reactor, run):
    """As a proxy does it: what comes in on one connection goes out on another."""

    async def scenario():
        source, sender, _ = await join(reactor)
        sink, reader = await serve(reactor)
        passed = 0

        def forward(data):
            nonlocal passed
            passed += len(data)
            sink.transport.write(data)

        source.dataReceived = forward
        sink.transport.registerProducer(source.transport, True)
        for _ in range(1000):
            sender.transport.write(CHUNK)
        await pause(reactor, 0.1)
        stuck = passed
        await pause(reactor, 0.02)
        assert passed == stuck < 1000 * len(CHUNK)
        reader.close()

    run(scenario)


def test_a_transport_as_its_own_producer(reactor, run):
    """As an echo server does it: it reads no faster than its peer."""

    async def scenario():
        def start(protocol):
            protocol.transport.registerProducer(protocol.transport, True)

        factory = Server(lambda: Recorder({"connectionMade": start}))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        connection = factory.connection()
        peer = Peer(port)
        protocol = await connection
        protocol.dataReceived = protocol.transport.write
        peer.socket.setblocking(False)
        sent = 0
        while True:
            try:
                sent += peer.socket.send(CHUNK)
            except BlockingIOError:
                before = sent
                await pause(reactor, 0.02)
                try:
                    sent += peer.socket.send(CHUNK)
                except BlockingIOError:
                    break
                assert sent > before
        peer.socket.setblocking(True)
        back = 0
        while back < sent:
            back += len(await peer.read(reactor))
        assert back == sent
        peer.close()
        await protocol.lost

    run(scenario)


@pytest.mark.parametrize("method", ["loseConnection", "abortConnection"])
def test_close_from_the_producer(reactor, run, method):
    async def scenario():
        protocol, peer = await serve(reactor)
        producer = Push(protocol.transport, 10**9)
        producer.pauseProducing = lambda: (
            setattr(producer, "left", 0),
            protocol.transport.unregisterProducer(),
            getattr(protocol.transport, method)(),
        )
        protocol.transport.registerProducer(producer, True)
        for _ in range(200):
            protocol.transport.write(CHUNK)
        peer_reads = peer.read_all(reactor) if method == "loseConnection" else None
        await after(reactor, protocol.lost)
        if peer_reads is not None:
            await peer_reads
        peer.close()

    run(scenario)
