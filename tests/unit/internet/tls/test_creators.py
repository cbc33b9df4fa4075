"""What may be passed as the settings of the OpenSSL road, context factories of old among it."""

from __future__ import annotations

import sys

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
    IProtocolNegotiationFactory,
)
from torsion.internet.protocol import Factory
from torsion.internet.ssl import (
    CertificateOptions,
    ClientContextFactory,
    ContextFactory,
    DefaultOpenSSLContextFactory,
    KeyPair,
    optionsForClientTLS,
)
from torsion.internet.task import Clock
from torsion.internet.tls import (
    FILETYPE_PEM,
    BadCertificateFile,
    LegacyContextFactoryWarning,
    TLSMemoryBIOFactory,
    viaOpenSSL,
)
from torsion.logger import capturedLogs
from unit.internet.tls.kit import HOST, Pair, Talker, Wire, authority, server_certificate

SSL = pytest.importorskip("OpenSSL.SSL")


@pytest.fixture
def files(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(server_certificate().privateKey.dump(FILETYPE_PEM))
    certificate.write_bytes(server_certificate().dump(FILETYPE_PEM))
    return str(key), str(certificate)


def test_interfaces(files):
    verifyObject(IOpenSSLContextFactory, DefaultOpenSSLContextFactory(*files))
    verifyObject(IOpenSSLContextFactory, ClientContextFactory())
    options = CertificateOptions()
    for interface in (IOpenSSLContextFactory, IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator):
        verifyObject(interface, options)
    verifyObject(IOpenSSLClientConnectionCreator, optionsForClientTLS(HOST, trustRoot=authority().root))
    for interface in (IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator):
        verifyObject(interface, viaOpenSSL(options))


def test_context_factories_of_old(files):
    talk = Pair(ClientContextFactory(), DefaultOpenSSLContextFactory(*files)).run()
    assert talk.c.events == talk.s.events == ["made", "secure"]
    assert ClientContextFactory().isClient
    assert not ContextFactory().isClient
    with pytest.raises(NotImplementedError):
        ContextFactory().getContext()


def test_the_versions_of_context_factories(files):
    class Noting:
        def __init__(self, method):
            self.method = method
            self.flags = 0

        def set_options(self, flags):
            self.flags |= flags

        def use_certificate_file(self, path):
            self.certificate = path

        def use_privatekey_file(self, path):
            self.key = path

    made = DefaultOpenSSLContextFactory(*files, _contextFactory=Noting).getContext()
    assert made.method == SSL.TLS_METHOD
    assert made.flags & SSL.OP_NO_SSLv3
    assert not made.flags & SSL.OP_NO_TLSv1_2
    assert (made.key, made.certificate) == files
    client = ClientContextFactory()
    client._contextFactory = Noting
    made = client.getContext()
    assert made.method == SSL.TLS_METHOD
    assert made.flags & SSL.OP_NO_TLSv1_1
    client.method = SSL.TLSv1_METHOD
    assert not client.getContext().flags & SSL.OP_NO_TLSv1
    assert DefaultOpenSSLContextFactory(*files, SSL.TLSv1_2_METHOD, Noting).getContext().method == SSL.TLSv1_2_METHOD


def test_the_context_of_files_is_made_once_and_again_after_copying(files):
    factory = DefaultOpenSSLContextFactory(*files)
    context = factory.getContext()
    factory.cacheContext()
    assert factory.getContext() is context
    state = factory.__getstate__()
    assert "_context" not in state
    fresh = DefaultOpenSSLContextFactory.__new__(DefaultOpenSSLContextFactory)
    fresh.__setstate__(state)
    fresh.cacheContext()
    assert isinstance(fresh.getContext(), SSL.Context)


def test_files_that_are_missing_or_malformed_are_named(files, tmp_path):
    key, certificate = files
    missing, bad = tmp_path / "missing.pem", tmp_path / "bad.pem"
    bad.write_bytes(b"nonsense")
    other = tmp_path / "other.pem"
    other.write_bytes(KeyPair.generate("ec").dump(FILETYPE_PEM))
    for arguments, path, said in [
        ((str(missing), certificate), missing, "cannot be read"),
        ((key, str(missing)), missing, "cannot be read"),
        ((key, str(bad)), bad, "no certificate"),
        ((str(bad), certificate), bad, "no private key"),
        ((str(other), certificate), other, "does not belong"),
    ]:
        with pytest.raises(BadCertificateFile, match=said) as raised:
            DefaultOpenSSLContextFactory(*arguments)
        assert raised.value.path == str(path)
        assert isinstance(raised.value, SSL.Error)


@pytest.mark.parametrize("client", [True, False])
def test_what_does_not_say_what_it_is(client):
    class Undeclared:
        def __repr__(self):
            return "undeclared"

        def getContext(self):
            return SSL.Context(SSL.TLS_METHOD)

    role = "Client" if client else "Server"
    with pytest.warns(LegacyContextFactoryWarning, match=f"undeclared does not.*{role}") as seen:
        TLSMemoryBIOFactory(Undeclared(), client, Factory.forProtocol(Talker))
    assert seen[0].filename == __file__


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_nothing_of_the_kind():
    class Broken:
        def getContext(self):
            return None

    with pytest.raises(TypeError, match="doesn't return a `Context`"):
        TLSMemoryBIOFactory(Broken(), True, Factory.forProtocol(Talker))
    with pytest.raises(TypeError, match="does not even have"):
        TLSMemoryBIOFactory(object(), True, Factory.forProtocol(Talker))


def test_what_raises_does_so_at_once():
    @implementer(IOpenSSLContextFactory)
    class Raising:
        def getContext(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TLSMemoryBIOFactory(Raising(), False, Factory.forProtocol(Talker))


def test_a_creator_of_the_programs_own():
    @implementer(IOpenSSLClientConnectionCreator)
    class Creator:
        def clientConnectionForTLS(self, protocol):
            self.protocol = protocol
            return SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)

    creator = Creator()
    talk = Pair(creator, server_certificate().options()).run()
    assert talk.c.events == ["made", "secure"]
    assert creator.protocol is talk.client


@implementer(IProtocolNegotiationFactory)
class Negotiating(Factory):
    protocol = Talker

    def acceptableProtocols(self):
        return [b"mine"]


@implementer(IOpenSSLContextFactory)
class Given:
    def __init__(self, context):
        self.context = context

    def getContext(self):
        return self.context


def test_application_protocols_with_a_context_of_the_programs_own():
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(server_certificate().certificate)
    context.use_privatekey(server_certificate().privateKey.key)
    for _ in range(2):
        talk = Pair(
            ClientContextFactory(),
            Given(context),
            client_factory=Negotiating(),
            server_factory=Negotiating(),
        ).run()
        assert talk.client.negotiatedProtocol == talk.server.negotiatedProtocol == b"mine"


def test_application_protocols_with_a_context_that_was_used_before():
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(server_certificate().certificate)
    context.use_privatekey(server_certificate().privateKey.key)
    SSL.Connection(context, None)
    with capturedLogs() as events:
        talk = Pair(ClientContextFactory(), Given(context), server_factory=Negotiating()).run()
    assert talk.c.events == ["made", "secure"]
    assert len(events) == 1
    assert "CertificateOptions" in events[0]["log_format"]


def test_via_openssl():
    options = viaOpenSSL(CertificateOptions(handshakeTimeout=3))
    assert options.handshakeTimeout == 3
    talk = Pair(options, viaOpenSSL(server_certificate().options())).run()
    assert talk.c.events == ["made", "secure"]


def test_without_pyopenssl(monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    with pytest.raises(ImportError, match=r"torsion\[pyopenssl\]"):
        ClientContextFactory().getContext()
    with pytest.raises(ImportError, match=r"torsion\[pyopenssl\]"):
        server_certificate().options().getContext()


def test_factories():
    class Plain:
        pass

    options = server_certificate().options()
    assert TLSMemoryBIOFactory(options, False, Factory.forProtocol(Talker)).logPrefix() == "Factory (TLS)"
    assert TLSMemoryBIOFactory(options, False, Plain()).logPrefix() == "Plain (TLS)"
    quiet = Factory.forProtocol(Talker)
    quiet.noisy = False
    with capturedLogs() as events:
        factory = TLSMemoryBIOFactory(options, False, quiet)
        factory.doStart()
        factory.doStop()
    assert events == []

    class None_(Factory):
        def buildProtocol(self, addr):
            return None

    assert TLSMemoryBIOFactory(options, False, None_()).buildProtocol(None) is None


def test_a_creator_that_raises_costs_the_connection():
    @implementer(IOpenSSLClientConnectionCreator)
    class Creator:
        def clientConnectionForTLS(self, protocol):
            raise ZeroDivisionError

    layer = TLSMemoryBIOFactory(Creator(), True, Factory.forProtocol(Talker), Clock()).buildProtocol(None)
    protocol = layer.wrappedProtocol
    wire = Wire(layer)
    with pytest.raises(ZeroDivisionError):
        layer.makeConnection(wire)
    layer.write(b"x")
    layer.dataReceived(b"x")
    wire.end(ZeroDivisionError())
    assert isinstance(protocol.error, ZeroDivisionError)
    assert wire.out == b""
