"""optionsForClientTLS."""

from __future__ import annotations

import sys

import pytest

from torsion.internet.ssl import TLSVersion, VerificationError, optionsForClientTLS, platformTrust
from torsion.internet.tls import CertificateRequired, WrongName
from torsion.internet.tls.settings import HANDSHAKE_TIMEOUT
from unit.internet.tls.kit import HOST, Pair, authority, server_certificate


@pytest.mark.parametrize("host", [b"server.example", None, 3])
def test_names_are_text(host):
    with pytest.raises(TypeError, match="text for host names"):
        optionsForClientTLS(host)


@pytest.mark.parametrize("host", ["", ".", "a..b", "x" * 64, "a b"])
def test_impossible_names(host):
    with pytest.raises(ValueError):
        optionsForClientTLS(host)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Server.Example.", "server.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("0:0::1", "::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_name_that_is_looked_for(host, name):
    options = optionsForClientTLS(host, trustRoot=authority().root)
    assert options.hostname == host
    assert options.name == name
    assert host in repr(options)


def test_other_settings():
    options = optionsForClientTLS(
        HOST,
        trustRoot=authority().root,
        clientCertificate=server_certificate(),
        acceptableProtocols=[b"h2"],
        extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_3, "handshakeTimeout": 5},
        sendServerName=False,
    )
    settings = options.options.settings(True)
    assert settings.alpn == (b"h2",)
    assert settings.versions == (0x0304, 0x0304)
    assert len(settings.identities) == 1
    assert options.handshakeTimeout == 5
    assert not options.sendServerName
    assert optionsForClientTLS(HOST, trustRoot=authority().root).handshakeTimeout == HANDSHAKE_TIMEOUT
    with pytest.raises(TypeError):
        optionsForClientTLS(HOST, extraCertificateOptions={"trustRoot": platformTrust()})
    with pytest.raises(TypeError):
        optionsForClientTLS(HOST, extraCertificateOptions={"whatever": 1})


@pytest.mark.parametrize(("send", "asked"), [(None, HOST), (True, HOST), (False, None)])
def test_whether_the_name_is_sent(send, asked):
    options = optionsForClientTLS(HOST, trustRoot=authority().root, sendServerName=send)
    talk = Pair(options, server_certificate().options()).run()
    name = talk.server.getHandle().get_servername()
    assert (name.decode() if name else None) == asked


def test_addresses_are_not_sent():
    certificate = authority().issue("127.0.0.1")
    talk = Pair(optionsForClientTLS("127.0.0.1", trustRoot=authority().root), certificate.options()).run()
    assert talk.c.events == ["made", "secure"]
    assert talk.server.getHandle().get_servername() is None


def test_a_client_with_a_certificate():
    mine = authority().issue("client.example")
    options = optionsForClientTLS(HOST, trustRoot=authority().root, clientCertificate=mine)
    talk = Pair(options, server_certificate().options(authority().root)).run()
    assert talk.c.events == talk.s.events == ["made", "secure"]
    assert talk.server.getPeerCertificate().to_cryptography() == mine.certificate
    other = optionsForClientTLS(HOST, trustRoot=authority().root)
    assert isinstance(Pair(other, server_certificate().options(authority().root)).run().s.error, CertificateRequired)


def test_what_programs_catch():
    import service_identity

    talk = Pair(optionsForClientTLS("other.example", trustRoot=authority().root), server_certificate().options()).run()
    assert isinstance(talk.c.error, WrongName)
    assert isinstance(talk.c.error, VerificationError)
    assert isinstance(talk.c.error, service_identity.VerificationError)
    assert len(talk.c.error.errors) == 1
    assert talk.c.reason.check(VerificationError)


def test_nothing_is_sent_to_a_wrong_server():
    talk = Pair(optionsForClientTLS("other.example", trustRoot=authority().root), server_certificate().options())
    talk.client.write(b"secret")
    talk.run()
    assert talk.s.data == b""


@pytest.mark.parametrize("missing", ["OpenSSL", "service_identity"])
def test_without_what_the_openssl_road_needs(monkeypatch, missing):
    options = optionsForClientTLS(HOST, trustRoot=authority().root)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"torsion\[pyopenssl\]"):
        options.clientConnectionForTLS(None)
