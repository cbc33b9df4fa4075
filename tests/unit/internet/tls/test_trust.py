"""Whom to trust."""

from __future__ import annotations

import os
import ssl as stdssl

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.ssl import KeyPair, optionsForClientTLS, platformTrust, trustRootFromCertificates
from torsion.internet.tls import BadCertificateFile, IOpenSSLTrustRoot, UnknownIssuer
from torsion.internet.tls.formats import certificate_der
from torsion.internet.tls.trust import as_trust_root
from unit.internet.tls.kit import HOST, Authority, Pair, authority, server_certificate


def test_trusting_certificates():
    own = KeyPair.generate("ec").selfSignedCert(1, CN=HOST)
    trust = trustRootFromCertificates([authority().root, own])
    verifyObject(IOpenSSLTrustRoot, trust)
    assert trust.roots() == (certificate_der(authority().certificate), certificate_der(own.certificate))
    assert "Test CA" in repr(trust)
    for certificate in (server_certificate(), own):
        talk = Pair(optionsForClientTLS(HOST, trustRoot=trust), certificate.options()).run()
        assert talk.c.events == ["made", "secure"]
    stranger = Authority("Other").issue(HOST)
    assert isinstance(Pair(optionsForClientTLS(HOST, trustRoot=trust), stranger.options()).run().c.error, UnknownIssuer)


def test_only_torsions_own_certificates():
    with pytest.raises(TypeError, match="certificates items"):
        trustRootFromCertificates([authority().certificate])


def test_one_certificate_will_do():
    assert as_trust_root(authority().root).roots() == (certificate_der(authority().certificate),)
    trust = platformTrust()
    assert as_trust_root(trust) is trust


def paths(monkeypatch, file=None, folder=None):
    monkeypatch.setattr(
        stdssl,
        "get_default_verify_paths",
        lambda: stdssl.DefaultVerifyPaths(file, folder, "SSL_CERT_FILE", "/none", "SSL_CERT_DIR", "/none"),
    )


def test_the_platforms_file(monkeypatch, tmp_path):
    file = tmp_path / "roots.pem"
    other = Authority("Other")
    file.write_bytes(b"# comments\n" + authority().root.dumpPEM() + other.root.dumpPEM() + authority().root.dumpPEM())
    paths(monkeypatch, str(file))
    verifyObject(IOpenSSLTrustRoot, platformTrust())
    assert platformTrust().roots() == (certificate_der(authority().certificate), certificate_der(other.certificate))


def test_a_rotten_root_is_passed_over(monkeypatch, tmp_path):
    file = tmp_path / "roots.pem"
    rotten = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    file.write_bytes(rotten + authority().root.dumpPEM() + rotten)
    paths(monkeypatch, str(file))
    assert platformTrust().roots() == (certificate_der(authority().certificate),)


def test_a_file_that_changes_is_read_again(monkeypatch, tmp_path):
    file = tmp_path / "roots.pem"
    file.write_bytes(authority().root.dumpPEM())
    paths(monkeypatch, str(file))
    assert len(platformTrust().roots()) == 1
    assert platformTrust().roots() is platformTrust().roots()
    file.write_bytes(authority().root.dumpPEM() + Authority("Other").root.dumpPEM())
    os.utime(file, (1, 1))
    assert len(platformTrust().roots()) == 2


def test_the_platforms_folder(monkeypatch, tmp_path):
    (tmp_path / "a.pem").write_bytes(authority().root.dumpPEM())
    (tmp_path / "b.pem").write_bytes(authority().root.dumpPEM())
    (tmp_path / "c.txt").write_bytes(b"nothing")
    paths(monkeypatch, None, str(tmp_path))
    assert platformTrust().roots() == (certificate_der(authority().certificate),)


def test_a_platform_that_trusts_nobody(monkeypatch, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    paths(monkeypatch, str(empty))
    monkeypatch.setattr(stdssl.SSLContext, "load_default_certs", lambda self: None)
    with pytest.raises(BadCertificateFile, match="SSL_CERT_FILE") as raised:
        platformTrust().roots()
    assert raised.value.path == str(empty)


def test_the_platform_does_not_trust_the_tests():
    pytest.importorskip("OpenSSL")
    talk = Pair(optionsForClientTLS(HOST), server_certificate().options()).run()
    assert isinstance(talk.c.error, UnknownIssuer)
