"""Which implementation of TLS serves which settings."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from torsion.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLContextFactory
from torsion.internet.ssl import CertificateOptions, ClientContextFactory, TLSVersion, optionsForClientTLS
from torsion.internet.tls import CertificatesByName, UnsupportedOption, choose_road, roads, viaOpenSSL
from torsion.internet.tls.client import ClientTLSOptions
from unit.internet.tls.kit import HOST, authority, server_certificate


@pytest.fixture(autouse=True)
def contexts(monkeypatch):
    """Have settings stand for the native contexts that they would make."""
    monkeypatch.setattr(roads, "native_context", lambda settings: settings)


def client(**more):
    return optionsForClientTLS(HOST, trustRoot=authority().root, **more)


def test_settings_of_torsions_own_are_native():
    road = choose_road(server_certificate().options(), False)
    assert road is not None
    assert road.server_name is None
    assert not road.context().client
    assert road.context() is road.context()
    assert road.context([b"h2"]).alpn == (b"h2",)
    plain = choose_road(CertificateOptions(trustRoot=authority().root), True)
    assert plain is not None
    assert plain.server_name is None
    assert not plain.context().check_name
    named = choose_road(client(sendServerName=False), True)
    assert named is not None
    assert named.server_name == HOST
    assert named.context().check_name
    assert not named.context().send_name


def test_the_certificate_that_is_shown():
    names = CertificatesByName({"a.example": authority().issue("a.example"), "*.b.example": authority().issue("b")})
    own = server_certificate()
    road = choose_road(
        CertificateOptions(privateKey=own.privateKey, certificate=own, contextForServerName=names), False
    )
    chains = [chain[0] for chain, _ in road.context().identities]
    assert [road.certificate(name) for name in (None, "a.example", "x.b.example", "c.example")] == [
        chains[0],
        chains[1],
        chains[2],
        chains[0],
    ]
    assert choose_road(client(), True).certificate() is None
    assert choose_road(client(clientCertificate=own), True).certificate() == chains[0]


def test_equal_settings_share_a_context():
    assert choose_road(client(), True).context() == choose_road(client(), True).context()
    other = optionsForClientTLS("other.example", trustRoot=authority().root)
    assert choose_road(other, True).context() == choose_road(client(), True).context()


def test_what_the_program_brings_needs_openssl():
    class Mine(CertificateOptions):
        def getContext(self):
            return super().getContext()

    class MyServer(CertificateOptions):
        def serverConnectionForTLS(self, protocol):
            return super().serverConnectionForTLS(protocol)

    class MyClient(ClientTLSOptions):
        def clientConnectionForTLS(self, tlsProtocol):
            return super().clientConnectionForTLS(tlsProtocol)

    class Harmless(CertificateOptions):
        pass

    for options in (
        ClientContextFactory(),
        viaOpenSSL(client()),
        Mine(),
        MyServer(),
        MyClient(HOST, CertificateOptions()),
    ):
        assert choose_road(options, True) is None
    assert choose_road(ClientTLSOptions(HOST, Mine()), True) is None
    assert choose_road(Harmless(), True) is not None


def test_a_context_that_was_handed_out_may_have_been_changed():
    options = server_certificate().options()
    assert choose_road(options, False) is not None
    options.getContext()
    assert choose_road(options, False) is None


def test_what_is_wrong_is_told_at_once():
    with pytest.raises(UnsupportedOption, match="verifyDepth"):
        choose_road(CertificateOptions(verifyDepth=1), True)
    with pytest.raises(UnsupportedOption, match="lowerMaximumSecurityTo"):
        choose_road(client(extraCertificateOptions={"lowerMaximumSecurityTo": TLSVersion.TLSv1_1}), True)
    with pytest.raises(ValueError, match="certificate"):
        choose_road(CertificateOptions(), False)

    @implementer(IOpenSSLContextFactory)
    class Broken:
        def getContext(self):
            raise ZeroDivisionError

    for is_client in (True, False):
        with pytest.raises(ZeroDivisionError):
            choose_road(Broken(), is_client)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_no_settings():
    for thing in (None, 3, object()):
        with pytest.raises(TypeError, match="getContext"):
            choose_road(thing, False)
    with pytest.raises(TypeError, match="getContext"):
        choose_road(client(), False)  # a client's settings are of no use to a server


def test_a_creator_is_not_asked_before_there_is_a_connection():
    @implementer(IOpenSSLClientConnectionCreator)
    class Creator:
        def clientConnectionForTLS(self, protocol):
            raise AssertionError

    assert choose_road(Creator(), True) is None
