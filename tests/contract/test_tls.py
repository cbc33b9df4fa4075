"""Secure connections: ports and connectors that are secure from their beginning, and connections that become so."""

from __future__ import annotations

import datetime as dt
import os
from functools import cache

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Client, Peer, Recorder, Server, after, pause, until
from torsion.internet import error, ssl
from torsion.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
    IOpenSSLContextFactory,
    IProtocolNegotiationFactory,
    IPushProducer,
    IReactorSSL,
    ISSLTransport,
    ITLSTransport,
)

# Stock Twisted is no oracle here: it puts small writes together by the clock of the process's own reactor, which does not run.
pytestmark = [needs("IReactorSSL", "engine"), pytest.mark.filterwarnings("ignore:Passing pyOpenSSL")]

HOST = "server.example"


@cache
def pem(name=HOST, since=-1, until=1):
    """Return a certificate that has issued itself, and its key; dates are in days from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now + dt.timedelta(days=since))
        .not_valid_after(now + dt.timedelta(days=until))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def identity(**more):
    return ssl.PrivateCertificate.loadPEM(pem(**more))


def trusting(**more):
    """Return a client's settings that trust the certificate of :func:`identity`."""
    root = ssl.Certificate.loadPEM(pem(**more))
    return ssl.optionsForClientTLS(HOST, trustRoot=ssl.trustRootFromCertificates([root]))


@implementer(IHandshakeListener)
class Secure(Recorder):
    """Notes when its connection is secure, besides."""

    def handshakeCompleted(self):
        self.note("handshakeCompleted")


@implementer(IHalfCloseableProtocol)
class Halves(Secure):
    def readConnectionLost(self):
        self.note("readConnectionLost")

    def writeConnectionLost(self):
        self.note("writeConnectionLost")


async def start(reactor, server=None, client=None, settings=None, expected=None):
    """Connect two protocols securely; return them and the port.  The handshake is not over yet."""
    factory = Server(lambda: server or Secure())
    port = reactor.listenSSL(0, factory, settings or identity().options(), interface="127.0.0.1")
    connected = factory.connection()
    one = Client(client or Secure())
    reactor.connectSSL("127.0.0.1", port.getHost().port, one, expected or trusting())
    await one.one.made
    await connected
    return factory.protocols[0], one.one, port


async def join(reactor, server=None, client=None, settings=None, expected=None):
    """As :func:`start`, and finish the handshake."""
    server, client, port = await start(reactor, server, client, settings, expected)
    await until(reactor, lambda: "handshakeCompleted" in server.events and "handshakeCompleted" in client.events)
    return server, client, port


def test_the_reactor_provides_it(reactor):
    assert verifyObject(IReactorSSL, reactor)


def test_interfaces(reactor, run):
    async def scenario():
        for end in (await join(reactor))[:2]:
            for interface in (ISSLTransport, INegotiated, IConsumer, IPushProducer):
                assert interface.providedBy(end.transport), interface

    run(scenario)


@needs("IReactorSSL", "kernel", "engine")
def test_interfaces_to_the_letter(reactor, run):
    async def scenario():
        for end in (await join(reactor))[:2]:
            for interface in (INegotiated, IConsumer, IPushProducer):
                assert verifyObject(interface, end.transport)

    run(scenario)


def test_the_order_of_things(reactor, run):
    async def scenario():
        server, client, _ = await join(
            reactor, client=Secure({"connectionMade": lambda c: c.transport.write(b"early")})
        )
        assert await server.bytes(5) == b"early"
        server.transport.write(b"answer")
        assert await client.bytes(6) == b"answer"
        for end in (server, client):
            assert end.events[:3] == ["connectionMade", "handshakeCompleted", "dataReceived"]

    run(scenario)


@pytest.mark.parametrize("size", [1, 16 * 1024, 16 * 1024 + 1, 3_000_000])
def test_bytes_of_all_sizes_both_ways(reactor, run, size):
    async def scenario():
        server, client, _ = await join(reactor)
        data, answer = os.urandom(size), os.urandom(size)
        client.transport.write(data)
        server.transport.writeSequence([answer[: size // 2], answer[size // 2 :], b"end"])
        assert await server.bytes(size) == data
        assert await client.bytes(size + 3) == answer + b"end"

    run(scenario)


def test_certificates(reactor, run):
    async def scenario():
        server, client, _ = await start(reactor)
        await until(reactor, lambda: "handshakeCompleted" in client.events)
        shown = ssl.Certificate.peerFromTransport(client.transport)
        assert shown.getSubject().commonName == HOST.encode()
        await until(reactor, lambda: "handshakeCompleted" in server.events)
        assert server.transport.getPeerCertificate() is None

    run(scenario)


def test_a_client_with_a_certificate(reactor, run):
    async def scenario():
        mine = identity(name="client.example")
        root = ssl.Certificate.loadPEM(pem(name="client.example"))
        ours = ssl.Certificate.loadPEM(pem())
        server, _, _ = await join(
            reactor,
            settings=identity().options(root),
            expected=ssl.optionsForClientTLS(
                HOST, trustRoot=ssl.trustRootFromCertificates([ours]), clientCertificate=mine
            ),
        )
        shown = ssl.Certificate.peerFromTransport(server.transport)
        assert shown.getSubject().commonName == b"client.example"

    run(scenario)


@implementer(IProtocolNegotiationFactory)
class Choosy(Server):
    def acceptableProtocols(self):
        return [b"h2", b"http/1.1"]


@implementer(IProtocolNegotiationFactory)
class ChoosyClient(Client):
    def acceptableProtocols(self):
        return [b"http/1.1", b"spam"]


def test_application_protocols(reactor, run):
    async def scenario():
        factory = Choosy(Secure)
        port = reactor.listenSSL(0, factory, identity().options(), interface="127.0.0.1")
        connected = factory.connection()
        one = ChoosyClient(Secure())
        reactor.connectSSL("127.0.0.1", port.getHost().port, one, trusting())
        client = await one.one.made
        server = await connected
        assert client.transport.negotiatedProtocol is None
        await until(reactor, lambda: "handshakeCompleted" in server.events and "handshakeCompleted" in client.events)
        assert client.transport.negotiatedProtocol == b"http/1.1" == server.transport.negotiatedProtocol

    run(scenario)


def test_closing(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        server.transport.write(b"x" * 300_000)
        server.transport.loseConnection()
        assert isinstance(await after(reactor, client.lost), error.ConnectionDone)
        assert client.received == b"x" * 300_000
        assert isinstance(await server.lost, error.ConnectionDone)

    run(scenario)


def test_closing_right_after_a_greeting(reactor, run):
    def greet(protocol):
        protocol.transport.write(b"hello and goodbye")
        protocol.transport.loseConnection()

    async def scenario():
        server, client, _ = await start(reactor, server=Secure({"connectionMade": greet}))
        assert isinstance(await after(reactor, client.lost), error.ConnectionDone)
        assert client.received == b"hello and goodbye"
        assert isinstance(await server.lost, error.ConnectionDone)

    run(scenario)


def test_aborting(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        server.transport.abortConnection()
        assert isinstance(await server.lost, error.ConnectionAborted)
        assert isinstance(await client.lost, error.ConnectionLost)

    run(scenario)


def test_halves(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor, Halves(), Halves())
        client.transport.write(b"question")
        client.transport.loseWriteConnection()
        await until(reactor, lambda: "readConnectionLost" in server.events)
        assert server.received == b"question"
        server.transport.write(b"answer")
        assert await client.bytes(6) == b"answer"
        assert "writeConnectionLost" in client.events
        server.transport.loseConnection()
        assert isinstance(await client.lost, error.ConnectionDone)
        assert isinstance(await server.lost, error.ConnectionDone)

    run(scenario)


def test_pausing(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        server.transport.pauseProducing()
        client.transport.write(b"x" * 100_000)
        for _ in range(5):
            await pause(reactor)
        assert server.received == b""
        server.transport.resumeProducing()
        assert await server.bytes(100_000) == b"x" * 100_000

    run(scenario)


@implementer(IPushProducer)
class Producer:
    def __init__(self):
        self.events = []

    def pauseProducing(self):
        self.events.append("pause")

    def resumeProducing(self):
        self.events.append("resume")

    def stopProducing(self):
        self.events.append("stop")


def test_a_producer_is_held_back(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        producer = Producer()
        client.transport.pauseProducing()
        server.transport.registerProducer(producer, True)
        server.transport.write(b"x" * 20_000_000)
        assert producer.events == ["pause"]
        client.transport.resumeProducing()
        await client.bytes(20_000_000)
        await until(reactor, lambda: producer.events == ["pause", "resume"])
        server.transport.unregisterProducer()
        server.transport.loseConnection()
        assert isinstance(await client.lost, error.ConnectionDone)

    run(scenario)


class Pieces:
    """Writes so many pieces, one each time it is asked."""

    def __init__(self, transport, count):
        self.transport, self.left = transport, count

    def resumeProducing(self):
        self.transport.write(b"piece" * 10_000)
        self.left -= 1
        if not self.left:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self):
        raise AssertionError("nothing ends it")


def test_a_producer_that_is_asked_for_each_piece(reactor, run):
    async def scenario():
        server, client, _ = await join(reactor)
        server.transport.registerProducer(Pieces(server.transport, 20), False)
        assert isinstance(await after(reactor, client.lost), error.ConnectionDone)
        assert client.received == b"piece" * 200_000

    run(scenario)


# --- starting TLS on a connection that is there -------------------------------------------------------------------


def promote(settings, answer=b""):
    """Return what starts TLS as soon as a line has come in, after answering it."""

    def act(protocol):
        if protocol.received == b"STARTTLS\r\n":
            if answer:
                protocol.transport.write(answer)
            protocol.transport.startTLS(settings)
            protocol.transport.write(b"secret")

    return act


@pytest.mark.parametrize("pyopenssl", [False, True])
def test_starting(reactor, run, pyopenssl):
    if pyopenssl:
        pytest.importorskip("OpenSSL")

    async def scenario():
        settings = identity().options()
        if pyopenssl:
            settings = Contexts(settings.getContext())
        factory = Server(lambda: Secure({"dataReceived": promote(settings, b"220 go ahead\r\n")}))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        connected = factory.connection()
        one = Client(Secure())
        reactor.connectTCP("127.0.0.1", port.getHost().port, one)
        client, server = await one.one.made, await connected
        transports = client.transport, server.transport
        assert ITLSTransport.providedBy(client.transport)
        assert not ISSLTransport.providedBy(client.transport)
        client.transport.write(b"STARTTLS\r\n")
        assert await client.bytes(14) == b"220 go ahead\r\n"
        client.transport.startTLS(trusting())
        client.transport.write(b"secret, too")
        assert await client.bytes(20) == b"220 go ahead\r\nsecret"
        assert await server.bytes(21) == b"STARTTLS\r\nsecret, too"
        assert transports == (client.transport, server.transport)
        for end in (client, server):
            assert ISSLTransport.providedBy(end.transport)
            assert end.events.count("handshakeCompleted") == 1
        client.transport.loseConnection()
        assert isinstance(await client.lost, error.ConnectionDone)
        assert isinstance(await server.lost, error.ConnectionDone)

    run(scenario)


@implementer(IOpenSSLContextFactory)
class Contexts:
    """What programs have that bring their own OpenSSL context."""

    isClient = False

    def __init__(self, context):
        self._context = context

    def getContext(self):
        return self._context


@needs("IReactorSSL", "kernel", "engine")
def test_starting_twice_is_refused(reactor, run):
    async def scenario():
        server, _, _ = await join(reactor)
        with pytest.raises((RuntimeError, AttributeError)):
            server.transport.startTLS(identity().options())

    run(scenario)


@needs("IReactorSSL", "kernel", "engine")
def test_starting_in_the_other_role(reactor, run):
    """The end that was called may be the client of TLS."""

    async def scenario():
        factory = Server(Secure)
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        connected = factory.connection()
        one = Client(Secure())
        reactor.connectTCP("127.0.0.1", port.getHost().port, one)
        client, server = await one.one.made, await connected
        client.transport.startTLS(identity().options(), normal=False)
        server.transport.startTLS(trusting(), False)
        client.transport.write(b"turned round")
        assert await server.bytes(12) == b"turned round"
        assert server.transport.getPeerCertificate() is not None

    run(scenario)


def test_with_a_context_of_openssl(reactor, run):
    pytest.importorskip("OpenSSL")

    async def scenario():
        settings = Contexts(identity().options().getContext())
        server, client, _ = await join(reactor, settings=settings)
        client.transport.write(b"by way of OpenSSL")
        assert await server.bytes(17) == b"by way of OpenSSL"
        server.transport.loseConnection()
        assert isinstance(await client.lost, error.ConnectionDone)

    run(scenario)


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "wanted", "kind"),
    [
        ({"since": -9, "until": -8}, None, "CertificateExpired"),
        ({"since": 8, "until": 9}, None, "CertificateNotYetValid"),
        ({"name": "other.example"}, None, "WrongName"),
        ({}, {"name": "stranger.example"}, "UnknownIssuer"),
    ],
)
def test_certificates_that_are_refused(reactor, run, mine, wanted, kind):
    from torsion.internet.tls import errors

    async def scenario():
        server, client, _ = await start(
            reactor, settings=identity(**mine).options(), expected=trusting(**(mine if wanted is None else wanted))
        )
        reason = await client.lost
        assert isinstance(reason, getattr(errors, kind)), reason
        assert isinstance(reason, error.ConnectionLost)
        assert isinstance(await server.lost, errors.TLSError)
        assert "handshakeCompleted" not in client.events

    run(scenario)


def test_what_is_no_tls(reactor, run):
    from torsion.internet.tls.errors import NotTLS

    async def scenario():
        factory = Server(Secure)
        port = reactor.listenSSL(0, factory, identity().options(), interface="127.0.0.1")
        connected = factory.connection()
        peer = Peer(port)
        server = await connected
        peer.send(b"GET / HTTP/1.1\r\n\r\n")
        reason = await server.lost
        assert isinstance(reason, NotTLS)
        assert "HTTP" in str(reason)
        peer.close()

    run(scenario)


def test_a_connection_that_is_cut_off(reactor, run):
    from torsion.internet.tls.errors import HandshakeInterrupted

    async def scenario():
        factory = Server(Secure)
        port = reactor.listenSSL(0, factory, identity().options(), interface="127.0.0.1")
        connected = factory.connection()
        peer = Peer(port)
        server = await connected
        peer.close()
        assert isinstance(await server.lost, HandshakeInterrupted)

    run(scenario)


@pytest.mark.filterwarnings("ignore:.*does not explicitly provide")
def test_settings_that_are_none_are_refused_at_once(reactor):
    for settings in (None, object(), "certificate.pem"):
        with pytest.raises((TypeError, AttributeError)):
            reactor.listenSSL(0, Server(), settings, interface="127.0.0.1")
        with pytest.raises((TypeError, AttributeError)):
            reactor.connectSSL("127.0.0.1", 1, Client(), settings)
    assert not reactor.getDelayedCalls()


def test_a_context_that_cannot_be_made_is_told_at_once(reactor):
    @implementer(IOpenSSLContextFactory)
    class Broken:
        isClient = False

        def getContext(self):
            raise ValueError("no certificate today")

    with pytest.raises(ValueError, match="today"):
        reactor.listenSSL(0, Server(), Broken(), interface="127.0.0.1")


def test_a_hook_that_raises_costs_its_connection(reactor, run, logged):
    class Careless(Secure):
        def handshakeCompleted(self):
            raise RuntimeError("careless")

    async def scenario():
        server, client, _ = await start(reactor, server=Careless())
        assert isinstance(await server.lost, RuntimeError)
        assert isinstance(await client.lost, error.ConnectionLost)

    run(scenario)
    assert [str(wrong) for wrong in logged.take(RuntimeError)] == ["careless"]


@needs("IReactorSSL", "kernel", "engine")
def test_a_reactor_that_stops_says_farewell(reactor, run):
    async def scenario():
        return await join(reactor)

    server, client, _ = run(scenario)
    for end in (server, client):
        assert isinstance(end.reason.value, error.ConnectionLost | error.ConnectionDone)
