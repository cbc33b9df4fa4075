"""TLS over OpenSSL on a connection that stands: the transport stays what it is, and nothing goes around the encryption."""

from __future__ import annotations

import pytest
from zope.interface import Interface, alsoProvides

from contract.flavours import needs
from contract.harness import Client, Recorder, Server
from contract.test_tls import Contexts, Secure, identity, trusting
from torsion.internet import error
from torsion.internet.interfaces import INegotiated, ISSLTransport

pytest.importorskip("OpenSSL")

pytestmark = [needs("IReactorSSL", "engine"), pytest.mark.filterwarnings("ignore:Passing pyOpenSSL")]


def over_openssl():
    return Contexts(identity().options().getContext())


async def plain(reactor, server=Secure, client=Secure):
    factory = Server(server)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connected = factory.connection()
    one = Client(client())
    reactor.connectTCP("127.0.0.1", port.getHost().port, one)
    return await connected, await one.one.made


class IMine(Interface):
    """Something that only a program knows."""


def test_the_transport_stays_what_it_is(reactor, run):
    async def scenario():
        server, client = await plain(reactor)
        transport = server.transport
        kind = type(transport)
        transport.mine = "kept"
        alsoProvides(transport, IMine)
        assert not hasattr(transport, "negotiatedProtocol")
        assert not hasattr(transport, "getPeerCertificate")
        assert not transport.TLS
        transport.startTLS(over_openssl())
        assert server.transport is transport
        assert type(transport) is kind
        assert transport.mine == "kept"
        for interface in (IMine, ISSLTransport, INegotiated):
            assert interface.providedBy(transport), interface
        assert transport.TLS
        assert transport.negotiatedProtocol is None
        client.transport.startTLS(trusting())
        client.transport.write(b"hello")
        assert await server.bytes(5) == b"hello"
        assert transport.getPeerCertificate() is None
        assert client.transport.getPeerCertificate() is not None
        transport.loseConnection()
        assert transport.disconnecting
        await client.lost

    run(scenario)


def test_methods_that_were_taken_before_encrypt_as_well(reactor, run):
    """Programs keep ``transport.write``: what they say by it later must not be said in the clear."""

    async def scenario():
        server, client = await plain(reactor, client=Recorder)
        transport = server.transport
        write, pieces, lose = transport.write, transport.writeSequence, transport.loseConnection
        write(b"clear")
        transport.startTLS(trusting(), normal=False)  # so that it has a hello to say
        write(b"secret")
        pieces([b"sec", b"ret"])
        assert (await client.bytes(50)).startswith(b"clear\x16\x03")
        transport.abortConnection()
        await client.lost
        assert b"secret" not in client.received
        lose()

    run(scenario)


def test_what_was_written_before_is_sent_first_and_as_it_is(reactor, run):
    async def scenario():
        server, client = await plain(reactor)
        size = 3_000_000
        server.transport.write(b"x" * size)
        server.transport.startTLS(over_openssl())
        server.transport.write(b"secret")
        assert await client.bytes(size) == b"x" * size
        client.transport.startTLS(trusting())
        assert (await client.bytes(size + 6))[size:] == b"secret"
        server.transport.loseConnection()
        await client.lost

    run(scenario)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_producer_goes_on_above_the_encryption(reactor, run, streaming):
    async def scenario():
        server, client = await plain(reactor)
        block, count = b"x" * 100_000, 20

        class Producer:
            left = count
            paused = False

            def pauseProducing(self):
                self.paused = True

            def resumeProducing(self):
                self.paused = False
                self.produce()

            def produce(self):
                while self.left and not self.paused:
                    self.left -= 1
                    server.transport.write(block)
                    if not streaming:
                        break
                if not self.left:
                    server.transport.unregisterProducer()
                    server.transport.loseConnection()
                    self.left = 0
                    self.paused = True

            def stopProducing(self):
                raise AssertionError("nobody asked for that")

        producer = Producer()
        if streaming:
            server.transport.registerProducer(producer, True)
            server.transport.startTLS(over_openssl())
            producer.produce()
        else:
            server.transport.startTLS(over_openssl())
            server.transport.registerProducer(producer, False)
        client.transport.startTLS(trusting())
        assert isinstance(await client.lost, error.ConnectionDone)
        assert client.received == block * count

    run(scenario)


def test_a_producer_that_was_paused_before_is_heard_again(reactor, run):
    """What was written plainly has filled the transport: the encryption that comes between must not forget to tell."""

    async def scenario():
        server, client = await plain(reactor)
        told = []

        class Producer:
            def pauseProducing(self):
                told.append("pause")

            def resumeProducing(self):
                told.append("resume")
                server.transport.write(b"secret")
                server.transport.unregisterProducer()
                server.transport.loseConnection()

            def stopProducing(self):
                told.append("stop")

        client.transport.pauseProducing()
        server.transport.registerProducer(Producer(), True)
        server.transport.write(b"x" * 8_000_000)
        assert told == ["pause"]
        server.transport.startTLS(over_openssl())
        client.transport.resumeProducing()
        await client.bytes(8_000_000)
        client.transport.startTLS(trusting())
        await client.lost
        assert client.received[8_000_000:] == b"secret"
        assert "resume" in told

    run(scenario)


def test_starting_twice_is_refused_and_changes_nothing(reactor, run):
    async def scenario():
        server, client = await plain(reactor)
        server.transport.startTLS(over_openssl())
        with pytest.raises(RuntimeError, match="already"):
            server.transport.startTLS(over_openssl())
        client.transport.startTLS(trusting())
        with pytest.raises(RuntimeError, match="already"):
            client.transport.startTLS(trusting())
        client.transport.write(b"still there")
        assert await server.bytes(11) == b"still there"
        server.transport.loseConnection()
        await client.lost

    run(scenario)


class Broken(Contexts):
    """Settings that cannot be used."""

    def getContext(self):
        raise ValueError("on purpose")


def test_settings_that_cannot_be_used_change_nothing(reactor, run):
    async def scenario():
        server, client = await plain(reactor)

        class Producer:
            def pauseProducing(self):
                pass

            resumeProducing = stopProducing = pauseProducing

        server.transport.registerProducer(producer := Producer(), True)
        with pytest.raises(ValueError, match="on purpose"):
            server.transport.startTLS(Broken(None))
        assert server.transport.producer is producer
        assert not server.transport.TLS
        assert not ISSLTransport.providedBy(server.transport)
        assert server.transport.protocol is server
        server.transport.write(b"as it was")
        assert await client.bytes(9) == b"as it was"
        server.transport.unregisterProducer()
        server.transport.loseConnection()
        await client.lost

    run(scenario)
