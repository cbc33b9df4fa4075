"""Certificates, requests and keys."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from torsion.internet.defer import Deferred, succeed
from torsion.internet.error import CertificateError, VerifyError
from torsion.internet.ssl import DN, Certificate, CertificateOptions, CertificateRequest, KeyPair, PrivateCertificate
from torsion.internet.tls import FILETYPE_ASN1, FILETYPE_PEM, FILETYPE_TEXT, BadCertificateData, peer_certificate
from torsion.internet.tls.formats import certificate_der
from unit.internet.tls.kit import HOST, Pair, authority, client_and_server_options, server_certificate


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return KeyPair.generate("ec")


@pytest.fixture(scope="module")
def own(pair) -> PrivateCertificate:
    return pair.selfSignedCert(7, CN=HOST, O="Tests")


FORMATS = [FILETYPE_ASN1, FILETYPE_PEM]


@pytest.mark.parametrize("format", FORMATS)
def test_there_and_back(pair, own, format):
    assert KeyPair.load(pair.dump(format), format).keyHash() == pair.keyHash()
    assert Certificate.load(own.dump(format), format) == own
    assert PrivateCertificate.load(own.dump(format), pair, format) == own
    request = pair.requestObject(DN(CN="x"))
    assert CertificateRequest.load(request.dump(format), format).getSubject() == DN(CN="x")
    assert pair.certificateRequest(DN(CN="x"), format)[:1] == (b"0" if format == FILETYPE_ASN1 else b"-")


def test_pem_of_both(own):
    pem = own.dumpPEM()
    for data in (
        pem,
        pem.decode(),
        pem.strip(),
        b"preface\n" + own.privateKey.dump(FILETYPE_PEM) + own.dump(FILETYPE_PEM),
    ):
        loaded = PrivateCertificate.loadPEM(data)
        assert loaded == own
        assert loaded.privateKey.matches(own.privateKey)
    indented = b"".join(b"    " + line for line in own.dump(FILETYPE_PEM).splitlines(keepends=True))
    assert Certificate.loadPEM(indented) == own


@pytest.mark.parametrize(
    ("kind", "size", "cls", "line"),
    [
        ("rsa", 2048, rsa.RSAPrivateKey, "2048-bit RSA Key Pair"),
        (6, 2048, rsa.RSAPrivateKey, "2048-bit RSA Key Pair"),  # OpenSSL.crypto.TYPE_RSA
        ("ec", 2048, ec.EllipticCurvePrivateKey, "256-bit EC Key Pair"),
        ("ec", 384, ec.EllipticCurvePrivateKey, "384-bit EC Key Pair"),
        ("ed25519", 2048, ed25519.Ed25519PrivateKey, "ED25519 Key Pair"),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_kinds_of_keys(kind, size, cls, line, format):
    made = KeyPair.generate(kind, size)
    assert isinstance(made.key, cls)
    assert made.inspect() == f"{line} with Hash: {made.keyHash()}"
    assert made.keyHash() in repr(made)
    assert KeyPair.load(made.dump(format), format).matches(made)
    certificate = made.selfSignedCert(1, CN=HOST)
    talk = Pair(*client_and_server_options(certificate, certificate)).run()
    assert talk.c.events == ["made", "secure"]


def test_a_kind_that_is_not_made():
    with pytest.raises(ValueError, match=r"'dsa'.*'ed25519'"):
        KeyPair.generate("dsa")


def test_what_a_certificate_says(own, pair):
    assert own.getSubject() == own.getIssuer() == DN(CN=HOST, O="Tests")
    assert own.serialNumber() == 7
    assert own.getPublicKey().matches(pair)
    assert not own.getPublicKey().matches(KeyPair.generate("ec"))
    assert repr(own) == f"<PrivateCertificate Subject=b'{HOST}' Issuer=b'{HOST}'> with {pair!r}"
    assert own.inspect().split("\n") == [
        "Certificate For Subject:",
        f"               Common Name: {HOST}",
        "         Organization Name: Tests",
        "",
        "Issuer:",
        f"               Common Name: {HOST}",
        "         Organization Name: Tests",
        "",
        "Serial Number: 7",
        f"Digest: {own.digest().decode()}",
        f"256-bit EC Key Pair with Hash: {pair.keyHash()}",
    ]
    assert Certificate(own.certificate).inspect().endswith(f"Public Key with Hash: {pair.keyHash()}")
    assert len(own.digest()) == 47
    assert own.digest("sha256").decode() == own.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def test_equality(own):
    again = Certificate.load(own.dump())
    assert again == own
    assert hash(again) == hash(own)
    assert own != KeyPair.generate("ec").selfSignedCert(7, CN=HOST)
    assert own != "a certificate"


def test_a_certificate_is_valid_from_now_on(pair):
    request = pair.requestObject(DN(CN="x"))
    made = pair.signRequestObject(DN(CN="y"), request, 5, secondsToExpiry=60).certificate
    assert made.not_valid_after_utc - made.not_valid_before_utc == timedelta(seconds=60)
    assert timedelta(0) <= datetime.now(UTC) - made.not_valid_before_utc < timedelta(seconds=30)
    assert (made.subject.rfc4514_string(), made.issuer.rfc4514_string()) == ("CN=x", "CN=y")


@pytest.mark.parametrize("digest", ["sha256", "sha512", "SHA384"])
def test_digests(pair, digest):
    request = pair.requestObject(DN(CN="x"), digest)
    assert request.original.signature_hash_algorithm.name == digest.lower()
    made = pair.signRequestObject(DN(CN="x"), request, 5, digestAlgorithm=digest)
    assert made.certificate.signature_hash_algorithm.name == digest.lower()


def test_a_digest_that_is_none(pair):
    with pytest.raises(ValueError, match=r"'md5'.*sha256"):
        pair.requestObject(DN(CN="x"), "md5")


@pytest.mark.parametrize("serial", [0, -1, 1 << 160])
def test_impossible_serial_numbers(pair, serial):
    with pytest.raises(ValueError, match="serial number"):
        pair.selfSignedCert(serial, CN="x")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("host.example", [x509.DNSName("host.example")]),
        ("*.host.example", [x509.DNSName("*.host.example")]),
        ("localhost", [x509.DNSName("localhost")]),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("Some Body", None),
        ("a..b", None),
    ],
)
def test_a_common_name_that_is_a_host_becomes_the_alternative_name(pair, name, found):
    extensions = pair.selfSignedCert(1, CN=name).certificate.extensions
    if found is None:
        with pytest.raises(x509.ExtensionNotFound):
            extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    assert names == found if isinstance(found, list) else str(names[0].value) == found


def test_what_a_request_asks_for_besides_its_subject_is_left_out(pair):
    key = ec.generate_private_key(ec.SECP256R1())
    asked = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mallory.example")]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    made = pair.signRequestObject(DN(CN="CA"), CertificateRequest(asked), 3).certificate
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mallory.example"]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_an_authority_and_a_server():
    root = KeyPair.generate("ec").selfSignedCert(1, CN="An Authority")
    key = KeyPair.generate("ec")
    request = CertificateRequest.load(key.certificateRequest(DN(CN=HOST)))
    made = PrivateCertificate.fromCertificateAndKeyPair(root.signRequestObject(request, 2), key)
    assert made.getIssuer() == root.getSubject()
    talk = Pair(*client_and_server_options(made, root)).run()
    assert talk.c.events == ["made", "secure"]


def test_approval(own):
    key = KeyPair.generate("ec")
    asked = []

    def approve(name):
        asked.append(name)
        return True

    data = own.signCertificateRequest(key.certificateRequest(DN(CN="x")), approve, 9)
    assert asked == [DN(CN="x")]
    assert key.newCertificate(data).serialNumber() == 9
    with pytest.raises(VerifyError, match="rejected"):
        own.signCertificateRequest(key.certificateRequest(DN(CN="x")), lambda name: False, 9)


@pytest.mark.parametrize("format", FORMATS)
def test_approval_later(own, format):
    later: Deferred[bool] = Deferred()
    key = KeyPair.generate("ec")
    request = key.certificateRequest(DN(CN="x"), format)
    waiting = own.privateKey.signCertificateRequest(
        DN(CN="y"), request, lambda name: later, 9, requestFormat=format, certificateFormat=format
    )
    results: list[bytes] = []
    waiting.addCallback(results.append)
    assert results == []
    later.callback(True)
    assert Certificate.load(results[0], format).getIssuer() == DN(CN="y")
    refused = own.signCertificateRequest(key.certificateRequest(DN(CN="x")), lambda name: succeed(False), 9)
    failures: list = []
    refused.addErrback(failures.append)
    assert failures[0].check(VerifyError)


def test_a_request_that_somebody_changed(pair):
    data = bytearray(pair.certificateRequest(DN(CN="x")))
    data[-1] ^= 1
    with pytest.raises(VerifyError):
        CertificateRequest.load(bytes(data))


def test_a_key_of_another_certificate(own):
    other = KeyPair.generate("ec")
    with pytest.raises(VerifyError, match="do not match"):
        PrivateCertificate.load(own.dump(), other)
    with pytest.raises(VerifyError):
        PrivateCertificate.fromCertificateAndKeyPair(own, other)
    with pytest.raises(VerifyError):
        other.newCertificate(own.dump())


@pytest.mark.parametrize("load", [Certificate.load, KeyPair.load, CertificateRequest.load])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"0\x82"]
)
def test_what_is_none(load, format, data):
    with pytest.raises(BadCertificateData):
        load(data, format)


@pytest.mark.parametrize("label", ["PRIVATE KEY", "CERTIFICATE REQUEST", "RSA PRIVATE KEY"])
def test_pem_that_is_none(label):
    data = f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode()
    with pytest.raises(BadCertificateData):
        (CertificateRequest if "REQUEST" in label else KeyPair).load(data, FILETYPE_PEM)


def test_an_encrypted_key(pair):
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    data = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(BadCertificateData, match="encrypted"):
        KeyPair.load(data, FILETYPE_PEM)


@pytest.mark.parametrize("format", [3, None, "PEM", object()])
def test_formats_that_there_are_not(pair, own, format):
    for thing in (pair, own, pair.requestObject(DN(CN="x"))):
        with pytest.raises(ValueError, match="format"):
            thing.dump(format)
    for load in (Certificate.load, KeyPair.load, CertificateRequest.load):
        with pytest.raises(ValueError, match="format"):
            load(b"", format)


def test_the_settings_of_a_certificate(own):
    assert not own.options().verify
    assert own.options(authority().root).verify
    assert isinstance(own.options(), CertificateOptions)
    with pytest.raises(NotImplementedError, match="key"):
        Certificate(own.certificate).options()


# --- pyOpenSSL's objects -----------------------------------------------------------------------------------------


def test_pyopenssl_objects(pair, own):
    crypto = pytest.importorskip("OpenSSL.crypto")
    assert isinstance(own.original, crypto.X509)
    assert own.original is own.original
    assert isinstance(pair.original, crypto.PKey)
    assert isinstance(own.getPublicKey().original, crypto.PKey)
    given = crypto.X509.from_cryptography(own.certificate)
    assert Certificate(given).original is given
    assert Certificate(given) == own
    key = crypto.PKey.from_cryptography_key(pair.key)
    assert KeyPair(key).original is key
    assert KeyPair(key).matches(pair)
    assert own.dump(FILETYPE_TEXT).startswith(b"Certificate:")
    assert isinstance(peer_certificate(certificate_der(own.certificate)), crypto.X509)


def test_without_pyopenssl(monkeypatch, own, pair):
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    fresh = Certificate(own.certificate)
    with pytest.raises(ImportError, match=r"torsion\[pyopenssl\]"):
        fresh.original
    with pytest.raises(ImportError, match=r"torsion\[pyopenssl\]"):
        fresh.dump(FILETYPE_TEXT)
    assert isinstance(peer_certificate(certificate_der(own.certificate)), x509.Certificate)


@pytest.mark.parametrize("thing", [None, "x", 3, object()])
def test_what_is_no_certificate_and_no_key(thing):
    with pytest.raises(TypeError, match="no certificate"):
        Certificate(thing)
    with pytest.raises(TypeError, match="no private key"):
        KeyPair(thing)


# --- the certificates of connections -----------------------------------------------------------------------------


def test_the_certificates_of_a_connection():
    talk = Pair(*client_and_server_options(server_certificate(), authority().root)).run()
    assert Certificate.peerFromTransport(talk.client) == server_certificate()
    assert Certificate.hostFromTransport(talk.server) == server_certificate()
    for take, transport in ((Certificate.peerFromTransport, talk.server), (Certificate.hostFromTransport, talk.client)):
        with pytest.raises(CertificateError, match="TLS transport"):
            take(transport)


def test_a_connection_that_is_not_secure():
    class Plain:
        def getHandle(self):
            return self

    with pytest.raises(CertificateError, match="non-TLS"):
        Certificate.peerFromTransport(Plain())
    with pytest.raises(CertificateError, match="non-TLS"):
        Certificate.hostFromTransport(Plain())


# --- what OpenSSL's program thinks of it -------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_openssl_accepts_them(tmp_path):
    root = KeyPair.generate("ec").selfSignedCert(1, CN="An Authority")
    key = KeyPair.generate()
    made = key.newCertificate(root.signRequestObject(key.requestObject(DN(CN=HOST)), 2).dump())
    (tmp_path / "root.pem").write_bytes(root.dump(FILETYPE_PEM))
    (tmp_path / "made.pem").write_bytes(made.dump(FILETYPE_PEM))
    (tmp_path / "made.key").write_bytes(key.dump(FILETYPE_PEM))
    for command in (
        [
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            HOST,
            "-CAfile",
            "root.pem",
            "made.pem",
        ],
        ["verify", "-CAfile", "root.pem", "root.pem"],
        ["pkey", "-in", "made.key", "-noout", "-check"],
    ):
        run = subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
