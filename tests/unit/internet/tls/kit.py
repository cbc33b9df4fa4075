"""What the tests of TLS share: certificates of all sorts, and wires between protocols, and to Python's own TLS."""

from __future__ import annotations

import ssl as stdssl
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from zope.interface import implementer

from torsion.internet.error import ConnectionAborted, ConnectionDone
from torsion.internet.interfaces import IHandshakeListener, IPushProducer, ITransport
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import Clock
from torsion.internet.tls import Certificate, KeyPair, PrivateCertificate, TLSMemoryBIOFactory, optionsForClientTLS
from torsion.python.failure import Failure

HOST = "server.example"
DAY = timedelta(days=1)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Issues certificates, also such as no decent authority would."""

    def __init__(self, name: str = "Test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = named(name)
        self.certificate = self._sign(self.name, self.key.public_key(), 1, -DAY, DAY, ca=True)

    def _sign(self, subject, public, serial, since, until, ca=False, names=(), usage=None) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(now + since)
            .not_valid_after(now + until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, *names: str, since=-DAY, until=DAY, usage=None) -> PrivateCertificate:
        """Return a certificate for hosts, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(named("somebody"), key.public_key(), 2, since, until, names=names, usage=usage)
        return PrivateCertificate.fromCertificateAndKeyPair(Certificate(made), KeyPair(key))

    @property
    def root(self) -> Certificate:
        return Certificate(self.certificate)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@cache
def authority() -> Authority:
    """Return the authority that most tests trust."""
    return Authority()


@cache
def server_certificate() -> PrivateCertificate:
    """Return a good certificate for HOST."""
    return authority().issue(HOST)


def client_and_server_options(certificate: PrivateCertificate, root: Certificate) -> tuple[Any, Any]:
    """Return the settings of a client that trusts *root*, and of a server that shows *certificate*."""
    return optionsForClientTLS(HOST, trustRoot=root), certificate.options()


# --- protocols and transports in memory --------------------------------------------------------------------------


@implementer(IHandshakeListener)
class Talker(Protocol):
    """Notes all that happens to it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.data = b""
        self.reason: Failure | None = None

    def connectionMade(self) -> None:
        self.events.append("made")

    def handshakeCompleted(self) -> None:
        self.events.append("secure")

    def dataReceived(self, data: bytes) -> None:
        if not self.data:
            self.events.append("data")
        self.data += data

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.events.append("lost")
        self.reason = reason

    @property
    def error(self) -> Any:
        """What the connection was lost for."""
        assert self.reason is not None, "the connection stands"
        return self.reason.value


@implementer(ITransport, IPushProducer)
class Wire:
    """One end of a connection in memory: keeps what is written, until somebody carries it over."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.out = b""
        self.writes: list[int] = []
        self.closing = self.aborted = self.lost = False
        self.paused = False
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        self.out += data
        self.writes.append(len(data))

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self.closing = True

    def abortConnection(self) -> None:
        self.closing = self.aborted = True
        self.out = b""

    def getPeer(self) -> str:
        return "peer"

    def getHost(self) -> str:
        return "host"

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.loseConnection()

    def take(self) -> bytes:
        """Return what was written, once."""
        out, self.out = self.out, b""
        return out

    def end(self, reason: Exception | None = None) -> None:
        """Tell the protocol that the connection is closed."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class Pair:
    """A client and a server of torsion's, with TLS between them, and a clock that is turned by hand."""

    def __init__(
        self, client: Any, server: Any, client_factory=None, server_factory=None, piece: int = 1 << 20
    ) -> None:
        self.clock = Clock()
        self.piece = piece
        self.clients = client_factory or Factory.forProtocol(Talker)
        self.servers = server_factory or Factory.forProtocol(Talker)
        self.client = TLSMemoryBIOFactory(client, True, self.clients, self.clock).buildProtocol(None)
        self.server = TLSMemoryBIOFactory(server, False, self.servers, self.clock).buildProtocol(None)
        # The protocols, also once the layers have let go of them.
        self.c, self.s = self.client.wrappedProtocol, self.server.wrappedProtocol
        self.ends = [Wire(self.client), Wire(self.server)]
        self.server.makeConnection(self.ends[1])
        self.client.makeConnection(self.ends[0])

    def carry(self) -> bool:
        """Carry over what was written; return whether there was anything to do."""
        busy = False
        for mine, other in (self.ends, self.ends[::-1]):
            data = mine.take()
            while data and not other.lost:
                busy = True
                other.protocol.dataReceived(data[: self.piece])
                data = data[self.piece :]
            if mine.closing and not mine.lost:
                busy = True
                mine.end(ConnectionAborted() if mine.aborted else None)
                other.end()
        return busy

    def run(self) -> Pair:
        """Carry data over, and let the turns of the reactor pass, until nothing happens any more."""
        for _ in range(1000):
            self.clock.advance(0)
            if not self.carry() and not any(call.getTime() <= self.clock.seconds() for call in self.clock.calls):
                return self
        raise AssertionError("the two ends do not come to rest")


class Stdlib:
    """The other end of a connection, with Python's own TLS: a peer that shares nothing with torsion's."""

    def __init__(self, context: stdssl.SSLContext, server_side: bool, host: str | None = None) -> None:
        self.incoming, self.outgoing = stdssl.MemoryBIO(), stdssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.incoming, self.outgoing, server_side, host)
        self.secure = False
        self.data = b""
        self.error: Exception | None = None
        self.closed = False

    def receive(self, data: bytes) -> None:
        if data:
            self.incoming.write(data)
        try:
            if not self.secure:
                self.ssl.do_handshake()
                self.secure = True
            while True:
                got = self.ssl.read(65536)
                if not got:
                    self.closed = True
                    return
                self.data += got
        except stdssl.SSLWantReadError:
            pass
        except stdssl.SSLZeroReturnError:
            self.closed = True
        except stdssl.SSLError as wrong:
            self.error = self.error or wrong

    def close(self) -> None:
        try:
            self.ssl.unwrap()
        except stdssl.SSLError:
            pass


class Across:
    """A protocol of torsion's, with TLS to Python's own."""

    def __init__(self, options: Any, client: bool, peer: Stdlib, factory: Any = None) -> None:
        self.clock = Clock()
        factory = factory or Factory.forProtocol(Talker)
        self.tls = TLSMemoryBIOFactory(options, client, factory, self.clock).buildProtocol(None)
        self.protocol = self.tls.wrappedProtocol
        self.wire = Wire(self.tls)
        self.peer = peer
        self.tls.makeConnection(self.wire)
        self.run()

    def run(self) -> Across:
        for _ in range(1000):
            self.clock.advance(0)
            out = self.wire.take()
            self.peer.receive(out)
            back = self.peer.outgoing.read()
            if back and not self.wire.lost:
                self.tls.dataReceived(back)
            if self.wire.closing:
                self.wire.end(ConnectionAborted() if self.wire.aborted else None)
            if not out and not back and not self.wire.out:
                return self
        raise AssertionError("the two ends do not come to rest")


def stdlib_server(directory: Any, certificate: PrivateCertificate | None = None, **settings: Any) -> stdssl.SSLContext:
    """Return a context of Python's own for a server."""
    path = directory / "peer.pem"
    path.write_bytes((certificate or server_certificate()).dumpPEM())
    context = stdssl.SSLContext(stdssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def stdlib_client(check: bool = True, **settings: Any) -> stdssl.SSLContext:
    """Return a context of Python's own for a client that trusts the tests' authority."""
    context = stdssl.SSLContext(stdssl.PROTOCOL_TLS_CLIENT)
    if check:
        context.load_verify_locations(cadata=authority().root.dumpPEM().decode())
    else:
        context.check_hostname = False
        context.verify_mode = stdssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    return context
