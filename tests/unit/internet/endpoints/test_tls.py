"""TLS over any endpoint, and the descriptions ``tls:`` and ``ssl:``; over transports in memory, by way of OpenSSL."""

from __future__ import annotations

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import (
    EndpointDescriptionError,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    clientFromString,
    quoteStringArgument,
    serverFromString,
    wrapClientTLS,
    wrapServerTLS,
)
from torsion.internet.endpoints.tls import SecuringFactory
from torsion.internet.error import ConnectError
from torsion.internet.interfaces import (
    IHandshakeListener,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from torsion.python.failure import Failure

pytest.importorskip("OpenSSL")
ssl = pytest.importorskip("torsion.internet.ssl")

# Of pyOpenSSL's older types, which are what some of its versions want and others warn of.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

PEM = 1


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@implementer(IHandshakeListener)
class Application(Protocol):
    def __init__(self):
        self.events = []

    def connectionMade(self):
        self.events.append("made")

    def handshakeCompleted(self):
        self.events.append("secure")

    def dataReceived(self, data):
        self.events.append(data)

    def connectionLost(self, reason):
        self.events.append(type(reason.value).__name__)


FACTORY = Factory.forProtocol(Application)


@pytest.fixture(scope="module")
def authority():
    return ssl.KeyPair.generate("ec", 256).selfSignedCert(1, CN="an authority")


@pytest.fixture(scope="module")
def certificate(authority):
    return make_certificate(authority, "host.example")


def make_certificate(authority, name):
    """Return a certificate for *name*, issued by *authority*."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    key = ssl.KeyPair.generate("ec", 256)
    now = datetime.now(UTC)
    issuer = x509.load_der_x509_certificate(authority.dump())
    secret = serialization.load_pem_private_key(authority.privateKey.dump(PEM), None)
    public = serialization.load_pem_private_key(key.dump(PEM), None).public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    return ssl.PrivateCertificate.fromCertificateAndKeyPair(ssl.Certificate.loadPEM(pem), key)


class Wire:
    """A client's and a server's protocol, joined by transports in memory."""

    def __init__(self, client, server):
        self.ends = []
        for protocol in (client, server):
            transport = StringTransportWithDisconnection()
            transport.protocol = protocol
            self.ends.append(transport)
        for transport in self.ends:
            transport.protocol.makeConnection(transport)

    def pump(self):
        moved = True
        while moved:
            moved = False
            for here, there in (self.ends, self.ends[::-1]):
                data = here.value()
                here.clear()
                if data and there.connected:
                    there.protocol.dataReceived(data)
                    moved = True


def connect(client, server, client_reactor, server_reactor):
    """Connect the endpoints *client* and *server*; return their protocols and the wire between them."""
    connecting = results(client.connect(FACTORY))
    server.listen(FACTORY)
    [(_, listening, *_)] = server_reactor.tcpServers
    factory = client_reactor.tcpClients[0][2]
    wire = Wire(factory.buildProtocol(None), listening.buildProtocol(None))
    wire.pump()
    return connecting, wire


@pytest.fixture
def reactors():
    return MemoryReactorClock(), MemoryReactorClock()


class TestWrapping:
    def test_talk(self, reactors, authority, certificate):
        options = ssl.optionsForClientTLS("host.example", trustRoot=ssl.Certificate(authority.original))
        client = wrapClientTLS(options, TCP4ClientEndpoint(reactors[0], "192.0.2.1", 443), reactors[0])
        server = wrapServerTLS(certificate.options(), TCP4ServerEndpoint(reactors[1], 443), reactors[1])
        assert verifyObject(IStreamClientEndpoint, client)
        assert verifyObject(IStreamServerEndpoint, server)
        connecting, wire = connect(client, server, *reactors)
        [protocol] = connecting
        assert type(protocol) is Application
        assert protocol.events == ["made", "secure"]
        protocol.transport.write(b"hello")
        for reactor in reactors:
            reactor.advance(1)
        assert b"hello" not in wire.ends[0].value()
        wire.pump()
        other = wire.ends[1].protocol.wrappedProtocol
        assert other.events == ["made", "secure", b"hello"]

    def test_the_wrong_name(self, reactors, authority, certificate):
        options = ssl.optionsForClientTLS("other.example", trustRoot=ssl.Certificate(authority.original))
        client = wrapClientTLS(options, TCP4ClientEndpoint(reactors[0], "192.0.2.1", 443), reactors[0])
        server = wrapServerTLS(certificate.options(), TCP4ServerEndpoint(reactors[1], 443), reactors[1])
        [protocol], _ = connect(client, server, *reactors)
        assert protocol.events == ["made", "WrongName"]

    def test_failure(self, reactors, authority):
        client = wrapClientTLS(
            ssl.optionsForClientTLS("h", trustRoot=authority), TCP4ClientEndpoint(reactors[0], "192.0.2.1", 443)
        )
        found = results(client.connect(FACTORY))
        reactors[0].tcpClients[0][2].clientConnectionFailed(None, reason := Failure(ConnectError()))
        assert found == [reason]

    def test_no_settings(self, reactors):
        [failure] = results(wrapClientTLS(object(), TCP4ClientEndpoint(reactors[0], "h", 443)).connect(FACTORY))
        assert failure.check(TypeError, DeprecationWarning)
        [failure] = results(wrapServerTLS(object(), TCP4ServerEndpoint(reactors[0], 443)).listen(FACTORY))
        assert failure.check(TypeError, DeprecationWarning)
        assert reactors[0].tcpServers == []

    def test_application_protocols(self, reactors, certificate):
        @implementer(IProtocolNegotiationFactory)
        class Choosing(Factory):
            protocol = Application

            def acceptableProtocols(self):
                return [b"h2", b"http/1.1"]

        client = wrapClientTLS(ssl.CertificateOptions(), TCP4ClientEndpoint(reactors[0], "192.0.2.1", 443), reactors[0])
        server = wrapServerTLS(certificate.options(), TCP4ServerEndpoint(reactors[1], 443), reactors[1])
        found = results(client.connect(Choosing()))
        server.listen(Choosing())
        Wire(reactors[0].tcpClients[0][2].buildProtocol(None), reactors[1].tcpServers[0][1].buildProtocol(None)).pump()
        assert found[0].transport.negotiatedProtocol == b"h2"


class TestNativeTransports:
    """Transports that do TLS by themselves."""

    class Transport(StringTransportWithDisconnection):
        secured_class = object
        started = ()

        def startTLS(self, contextFactory):
            factory = self.protocol.factory
            chooses = IProtocolNegotiationFactory.providedBy(factory)
            self.started += ((contextFactory, factory.acceptableProtocols() if chooses else None),)

    def connect(self, certificate, application=FACTORY, settings=None, secured_class=object):
        options = settings or certificate.options()
        transport = self.Transport()
        transport.secured_class = secured_class
        transport.protocol = SecuringFactory(options, False, application).buildProtocol(None)
        transport.protocol.makeConnection(transport)
        return options, transport

    def test_nothing_stands_in_between(self, certificate):
        options, transport = self.connect(certificate)
        assert transport.started == ((options, None),)
        assert type(transport.protocol) is Application
        assert transport.protocol.transport is transport
        assert transport.protocol.events == ["made"]

    def test_application_protocols(self, certificate):
        @implementer(IProtocolNegotiationFactory)
        class Choosing(Factory):
            protocol = Application

            def acceptableProtocols(self):
                return [b"h2"]

        options, transport = self.connect(certificate, Choosing())
        assert transport.started == ((options, [b"h2"]),)

    def test_settings_for_openssl(self, certificate):
        from torsion.internet.tls import viaOpenSSL

        _, transport = self.connect(certificate, settings=viaOpenSSL(certificate.options()))
        assert transport.started == ()
        assert transport.protocol.wrappedProtocol.events == ["made"]

    def test_transports_that_cannot(self, certificate):
        _, transport = self.connect(certificate, secured_class=None)
        assert transport.started == ()
        assert transport.protocol.wrappedProtocol.events == ["made"]

    def test_layers_share_a_factory(self, certificate):
        factory = SecuringFactory(certificate.options(), False, FACTORY)
        layers = []
        for _ in range(2):
            transport = StringTransportWithDisconnection()
            transport.protocol = factory.buildProtocol(None)
            transport.protocol.makeConnection(transport)
            layers.append(transport.protocol)
        assert layers[0].factory is layers[1].factory

    def test_what_stands_in_between_passes_everything_on(self, certificate):
        transport = StringTransportWithDisconnection()  # which does not tell whose it is, as wrappers do not
        between = SecuringFactory(certificate.options(), False, FACTORY).buildProtocol(None)
        between.makeConnection(transport)
        transport.protocol = between
        between.dataReceived(b"GET / HTTP/1.0\r\n\r\n")
        assert not transport.connected
        assert between.wrappedProtocol.events[0] == "made"
        assert len(between.wrappedProtocol.events) == 2

    def test_starting_fails(self, certificate, monkeypatch):
        monkeypatch.setattr(self.Transport, "startTLS", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            self.connect(certificate)


class TestFactory:
    def test_no_protocol(self, certificate):
        class Nobody(Factory):
            def buildProtocol(self, addr):
                return None

        assert SecuringFactory(certificate.options(), False, Nobody()).buildProtocol(None) is None

    def test_what_is_passed_on(self, certificate):
        wrapped = Factory.forProtocol(Application)
        factory = SecuringFactory(certificate.options(), False, wrapped)
        assert verifyObject(IProtocolFactory, factory)
        factory.doStart()
        assert wrapped.numPorts == 1
        factory.doStop()
        assert wrapped.numPorts == 0
        assert factory.logPrefix() == wrapped.logPrefix()
        protocol = factory.buildProtocol(None)
        assert protocol.logPrefix() == "Application"
        protocol.connectionMade()
        protocol.connectionLost(Failure(ConnectError()))
        assert protocol.wrappedProtocol.events == ["ConnectError"]


@pytest.fixture
def files(tmp_path, authority, certificate):
    """A folder with certificates; gives descriptions their paths."""
    other = ssl.KeyPair.generate("ec", 256)
    contents = {
        "both.pem": certificate.dumpPEM(),
        "certificate.pem": certificate.dump(PEM),
        "key.pem": certificate.privateKey.dump(PEM),
        "other.pem": other.dump(PEM),
        "chain.pem": b"noise\n" + authority.dump(PEM) + certificate.dump(PEM).rstrip(),
        "empty.pem": b"",
        "roots/authority.pem": authority.dump(PEM),
        "roots/key.pem": other.dump(PEM),
        "roots/README": b"not a certificate",
        "names/host.example.pem": certificate.dumpPEM(),
        "bad/host.example.pem": certificate.dump(PEM) + other.dump(PEM),
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    def fill(description):
        for name in sorted([*contents, "roots", "names", "bad", "missing.pem"], key=len, reverse=True):
            description = description.replace(f"<{name}>", quoteStringArgument(str(tmp_path / name)))
        return description

    return fill


class TestServerStrings:
    @pytest.mark.parametrize(
        "description",
        [
            "ssl:443:privateKey=<both.pem>",
            "ssl:443:privateKey=<key.pem>:certKey=<certificate.pem>",
            "ssl:443:<key.pem>:<certificate.pem>",
            "ssl:port=443:privateKey=<both.pem>:extraCertChain=<chain.pem>",
        ],
    )
    def test_ssl(self, reactors, files, certificate, description):
        serverFromString(reactors[0], files(f"{description}:interface=127.0.0.1:backlog=5")).listen(FACTORY)
        [(port, factory, options, backlog, interface)] = reactors[0].sslServers
        assert (port, factory, backlog, interface) == (443, FACTORY, 5, "127.0.0.1")
        assert isinstance(options, ssl.CertificateOptions)
        assert ssl.Certificate.loadPEM(certificate.dump(PEM)) == certificate
        assert len(options.extraCertChain) == (2 if "Chain" in description else 0)

    def test_default_file(self, reactors, files, tmp_path, monkeypatch, certificate):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "server.pem").write_bytes(certificate.dumpPEM())
        serverFromString(reactors[0], "ssl:443").listen(FACTORY)
        assert len(reactors[0].sslServers) == 1

    def test_method(self, files):
        with pytest.warns(DeprecationWarning, match="method"):
            endpoint = serverFromString(None, files("ssl:443:privateKey=<both.pem>:sslmethod=TLSv1_2_METHOD"))
        assert endpoint._sslContextFactory.method == 6

    def test_parameters_of_diffie_and_hellman(self, files):
        description = files("ssl:443:privateKey=<both.pem>:dhParameters=<missing.pem>")
        endpoint = serverFromString(None, description)  # read when they are used
        assert endpoint._sslContextFactory.dhParameters is not None

    def test_tls(self, reactors, files, authority):
        server = serverFromString(reactors[1], files("tls:<names>:8443:interface=127.0.0.1"))
        options = ssl.optionsForClientTLS("host.example", trustRoot=ssl.Certificate(authority.original))
        client = wrapClientTLS(options, TCP4ClientEndpoint(reactors[0], "192.0.2.1", 443), reactors[0])
        [protocol], _ = connect(client, server, *reactors)
        assert protocol.events == ["made", "secure"]
        [(port, _, backlog, interface)] = reactors[1].tcpServers
        assert (port, backlog, interface) == (8443, 50, "127.0.0.1")

    def test_tls_defaults(self, reactors, files):
        serverFromString(reactors[1], files("tls:<names>")).listen(FACTORY)
        [(port, _, backlog, interface)] = reactors[1].tcpServers
        assert (port, backlog, interface) == (443, 50, "::")

    @pytest.mark.parametrize(
        ("description", "complaint", "marked"),
        [
            ("ssl:443:privateKey=<missing.pem>", "which cannot be read: No such file", "privateKey=<missing.pem>"),
            ("ssl:443:privateKey=<roots>", "which cannot be read: Is a directory", "privateKey=<roots>"),
            ("ssl:443:privateKey=<empty.pem>", "holds no certificate in PEM format", "privateKey=<empty.pem>"),
            ("ssl:443:privateKey=<certificate.pem>", "holds no private key", "privateKey=<certificate.pem>"),
            ("ssl:443:privateKey=<key.pem>", "holds no certificate in PEM", "privateKey=<key.pem>"),
            (
                "ssl:443:privateKey=<other.pem>:certKey=<certificate.pem>",
                "is not the one of the certificate in",
                "privateKey=<other.pem>",
            ),
            (
                "ssl:443:privateKey=<both.pem>:extraCertChain=<key.pem>",
                "which holds no certificates in PEM format",
                "extraCertChain=<key.pem>",
            ),
            ("ssl:443:privateKey=<both.pem>:sslmethod=X", "sslmethod 'X'; known are SSLv23_METHOD,", "sslmethod=X"),
            ("tls:<missing.pem>:443", "missing.pem", "<missing.pem>"),
            ("tls:<bad>:443", "host.example.pem", "<bad>"),
        ],
    )
    def test_bad(self, files, description, complaint, marked):
        description = files(description)
        with pytest.raises(EndpointDescriptionError) as caught:
            serverFromString(None, description)
        assert complaint in str(caught.value)
        assert description[caught.value.start : caught.value.end] == files(marked)

    def test_no_default_file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(
            EndpointDescriptionError, match=r"'server\.pem', where its privateKey is looked for by default"
        ):
            serverFromString(None, "ssl:443")


class TestClientStrings:
    def test_ssl(self, reactors, files):
        description = files("ssl:h:443:privateKey=<key.pem>:certKey=<certificate.pem>:timeout=3:bindAddress=127.0.0.2")
        clientFromString(reactors[0], description).connect(FACTORY)
        [(host, port, _, options, timeout, bind)] = reactors[0].sslClients
        assert (host, port, timeout, bind) == ("h", 443, 3, ("127.0.0.2", 0))
        assert isinstance(options, ssl.CertificateOptions)
        assert options.certificate is not None
        assert not options.verify

    @pytest.mark.parametrize(
        ("description", "verifies", "shows"),
        [
            ("ssl:h:443", False, False),
            ("ssl:host=h:443:caCertsDir=<roots>", True, False),
            ("ssl:h:443:certKey=<both.pem>", False, True),
            ("ssl:h:443:privateKey=<both.pem>", False, True),
        ],
    )
    def test_what_is_checked_and_shown(self, files, description, verifies, shows):
        options = clientFromString(None, files(description))._sslContextFactory
        assert (options.verify, options.certificate is not None) == (verifies, shows)

    def test_ssl_with_a_name(self, files):
        endpoint = clientFromString(None, files("ssl:h:443:hostname=host.example:caCertsDir=<roots>"))
        assert "host.example" in repr(endpoint._sslContextFactory)

    @pytest.mark.parametrize(
        "description",
        [
            "tls:host.example:443:trustRoots=<roots>",
            "tls:host=host.example:port=443:trustRoots=<roots>:timeout=7:bindAddress=127.0.0.2",
            "tls:host.example:443:7:127.0.0.2:<certificate.pem>:<key.pem>:<roots>",
            "tls:host.example:443:trustRoots=<roots>:endpoint=tcp\\:127.0.0.1\\:443",
        ],
    )
    def test_tls(self, reactors, files, certificate, description):
        client = clientFromString(reactors[0], files(description))
        server = wrapServerTLS(certificate.options(), TCP4ServerEndpoint(reactors[1], 443), reactors[1])
        [protocol], _ = connect(client, server, *reactors)
        assert protocol.events == ["made", "secure"]
        [(host, port, _, timeout, bind)] = reactors[0].tcpClients
        assert (host, port) == ("127.0.0.1", 443)  # where the memory reactor finds every name
        special = "127.0.0.2" in description
        assert (timeout, bind) == (7 if special else 30, ("127.0.0.2", 0) if special else None)

    def test_whom_to_trust(self, reactors, files, tmp_path, certificate):
        (tmp_path / "nobody").mkdir()
        description = f"tls:host.example:443:trustRoots={quoteStringArgument(str(tmp_path / 'nobody'))}"
        server = wrapServerTLS(certificate.options(), TCP4ServerEndpoint(reactors[1], 443), reactors[1])
        [protocol], _ = connect(clientFromString(reactors[0], description), server, *reactors)
        assert protocol.events == ["made", "UnknownIssuer"]

    def test_another_alphabet(self, reactors):
        client = clientFromString(reactors[0], "tls:b\u00fccher.example:443".encode())
        client.connect(FACTORY)
        assert "xn--bcher-kva.example" in repr(client._wrappedEndpoint)

    @pytest.mark.parametrize(
        ("description", "complaint", "marked"),
        [
            ("tls:h:443:trustRoots=<missing.pem>", "which cannot be read: No such file", "trustRoots=<missing.pem>"),
            ("tls:h:443:trustRoots=<key.pem>", "which cannot be read: Not a directory", "trustRoots=<key.pem>"),
            ("tls:h:443:certificate=<certificate.pem>", "holds no private key", "certificate=<certificate.pem>"),
            ("tls:h:443:privateKey=<key.pem>", "holds no certificate", "privateKey=<key.pem>"),
            (
                "tls:h:443:endpoint=tcp\\:h",
                "has a bad endpoint: endpoint description 'tcp:h' lacks its port",
                "endpoint=tcp\\:h",
            ),
            ("tls:a..b:443", "host that cannot be used", "a..b"),
            ("ssl:h:443:hostname=a..b", "hostname that cannot be used", "hostname=a..b"),
        ],
    )
    def test_bad(self, files, description, complaint, marked):
        description = files(description)
        with pytest.raises(EndpointDescriptionError) as caught:
            clientFromString(None, description)
        assert complaint in str(caught.value)
        assert description[caught.value.start : caught.value.end] == files(marked)
