"""Errors of TLS: their classes, and what makes them."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from torsion.internet import error
from torsion.internet.tls import errors

KINDS = {
    "expired": errors.CertificateExpired,
    "not-yet-valid": errors.CertificateNotYetValid,
    "wrong-name": errors.WrongName,
    "unknown-issuer": errors.UnknownIssuer,
    "revoked": errors.CertificateRevoked,
    "bad-signature": errors.CertificateRefused,
    "unusable": errors.CertificateRefused,
    "no-certificate": errors.CertificateRequired,
    "version": errors.ProtocolVersionMismatch,
    "no-shared-cipher": errors.NoSharedCipher,
    "no-protocol": errors.NoApplicationProtocol,
    "timeout": errors.HandshakeTimeout,
    "truncated": errors.Truncated,
    "eof": errors.HandshakeInterrupted,
    "not-tls": errors.NotTLS,
    "oversized": errors.RecordTooLong,
    "renegotiation": errors.RenegotiationRefused,
    "malformed": errors.ProtocolViolation,
    "decrypt": errors.ProtocolViolation,
    "internal": errors.TLSError,
    "something new": errors.TLSError,
}


@pytest.mark.parametrize(("kind", "cls"), KINDS.items())
@pytest.mark.parametrize("details", [None, {}])
def test_each_kind_of_failure_has_its_class(kind, cls, details):
    made = errors.from_native(kind, "what rustls says", details)
    assert isinstance(made, cls)
    assert isinstance(made, errors.TLSError)
    assert isinstance(made, error.ConnectionLost)
    assert isinstance(made, error.SSLError)
    assert not made.remote
    assert str(made)[-1] in ".?"
    assert len(str(made)) > 10


@pytest.mark.parametrize("number", sorted(errors.ALERTS))
def test_each_alert_has_a_class_and_a_name(number):
    made = errors.from_native("alert", "", {"alert": number})
    assert isinstance(made, errors.TLSError)
    assert made.remote
    assert made.details == {"alert": number, "name": errors.ALERTS[number]}
    assert errors.ALERTS[number] in str(made)


@pytest.mark.parametrize(
    ("number", "cls"),
    [
        (40, errors.HandshakeRefused),
        (45, errors.CertificateExpired),
        (48, errors.UnknownIssuer),
        (70, errors.ProtocolVersionMismatch),
        (116, errors.CertificateRequired),
        (120, errors.NoApplicationProtocol),
        (80, errors.PeerAlert),
        (200, errors.PeerAlert),
    ],
)
def test_alerts_that_tell_something(number, cls):
    assert isinstance(errors.from_alert(number), cls)


def test_what_is_known_is_told():
    late = errors.from_native("expired", "", {"until": 0})
    assert "1970-01-01" in str(late)
    assert late.details["until"].year == 1970
    soon = errors.from_native("not-yet-valid", "", {"since": 4102444800})
    assert "2100-01-01" in str(soon)
    wrong = errors.from_native("wrong-name", "", {"wanted": "a.example", "names": ["b.example", "c.example"]})
    assert (wrong.wanted, wrong.names) == ("a.example", ("b.example", "c.example"))
    assert str(wrong) == "The peer's certificate is not for a.example: it has b.example, c.example."
    old = errors.from_native("version", "", {"offered": [0x0301, 0x0302, 0x7F1C]})
    assert "TLSv1.0, TLSv1.1, 0x7f1c" in str(old)
    slow = errors.from_native("timeout", "", {"seconds": 2.5})
    assert "2.5 seconds" in str(slow)
    other = errors.from_native("malformed", "a message of length 0", None)
    assert "a message of length 0" in str(other)


@pytest.mark.parametrize(
    ("received", "speaks"),
    [(b"HTTP/1.0 200 OK", "HTTP"), (b"SSH-2.0-x", "SSH"), (b"* OK IMAP4rev2", "IMAP"), (b"\0\0", None), (b"", None)],
)
def test_what_speaks_something_else(received, speaks):
    made = errors.from_native("not-tls", "", {"received": received + b"x" * 100})
    assert len(made.details["received"]) == 64
    assert speaks is None or speaks in str(made)
    assert repr(received)[:-1] in str(made)


def test_where_pyopenssl_is_loaded_they_are_its_errors_too():
    SSL = pytest.importorskip("OpenSSL.SSL")
    made = errors.from_native("expired", "", None)
    assert isinstance(made, SSL.Error)
    assert isinstance(made, errors.CertificateExpired)
    assert type(made).__name__ == "CertificateExpired"
    assert type(errors.from_native("expired", "", None)) is type(made)


def test_where_service_identity_is_loaded_a_wrong_name_is_its_error_too():
    identity = pytest.importorskip("service_identity")
    made = errors.from_native("wrong-name", "", {"wanted": "a", "names": []})
    assert isinstance(made, identity.VerificationError)
    assert made.errors == []
    assert made != errors.from_native("wrong-name", "", {"wanted": "a", "names": []})
    assert len({made}) == 1


def test_without_other_libraries_they_are_plain():
    script = (
        "import sys\n"
        "from torsion.internet.tls import errors\n"
        "made = errors.from_native('wrong-name', '', {'wanted': 'a', 'names': []})\n"
        "assert type(made) is errors.WrongName\n"
        "assert not [name for name in sys.modules if name.startswith(('OpenSSL', 'service_identity'))]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_they_can_be_copied(kind):
    made = errors.from_native(kind, "text", {"wanted": "a", "names": ["b"]} if kind == "wrong-name" else {})
    copy = pickle.loads(pickle.dumps(made))
    assert type(copy) is type(made)
    assert (str(copy), copy.args, copy.details, copy.remote) == (str(made), made.args, made.details, made.remote)


def test_settings_that_cannot_be_had_name_the_remedy():
    made = errors.UnsupportedOption("dhParameters", "not offered")
    assert made.option == "dhParameters"
    assert "viaOpenSSL" in str(made)
    assert "torsion[pyopenssl]" in str(made)


def test_files_are_named():
    assert str(errors.BadCertificateFile("/etc/x.pem", "is odd")) == "/etc/x.pem: is odd"
    made = errors.bad_file("/etc/x.pem", "is odd")
    assert isinstance(made, errors.BadCertificateFile)
    SSL = pytest.importorskip("OpenSSL.SSL")
    assert isinstance(errors.bad_file("/etc/x.pem", "is odd"), SSL.Error)
