"""Files of certificates and keys."""

from __future__ import annotations

import os

import pytest

from torsion.internet.tls import FILETYPE_PEM, BadCertificateFile, KeyPair
from torsion.internet.tls.formats import read_certificates, read_identity, read_key, read_pem
from unit.internet.tls.kit import authority, server_certificate

BAD = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def folder(tmp_path):
    own = server_certificate()
    (tmp_path / "chain.pem").write_bytes(own.dump(FILETYPE_PEM) + authority().root.dumpPEM())
    (tmp_path / "key.pem").write_bytes(own.privateKey.dump(FILETYPE_PEM))
    (tmp_path / "both.pem").write_bytes(own.dumpPEM())
    (tmp_path / "other-key.pem").write_bytes(KeyPair.generate("ec").dump(FILETYPE_PEM))
    (tmp_path / "bad.pem").write_bytes(own.dump(FILETYPE_PEM) + BAD)
    (tmp_path / "empty.pem").write_bytes(b"")
    return tmp_path


def test_reading(folder):
    chain, key = read_identity(str(folder / "chain.pem"), str(folder / "key.pem"))
    assert chain == [server_certificate().certificate, authority().certificate]
    assert KeyPair(key).matches(server_certificate().privateKey)
    assert read_identity(str(folder / "both.pem"))[0] == [server_certificate().certificate]
    assert read_pem(str(folder / "empty.pem")) == ([], [])
    assert len(read_certificates(str(folder / "chain.pem"))) == 2


@pytest.mark.parametrize(
    ("read", "arguments", "named", "said"),
    [
        (read_identity, ("missing.pem",), "missing.pem", "No such file"),
        (read_identity, ("chain.pem", "missing.pem"), "missing.pem", "No such file"),
        (read_identity, ("chain.pem",), "chain.pem", "no private key"),
        (read_identity, ("chain.pem", "other-key.pem"), "other-key.pem", "not the one"),
        (read_identity, ("bad.pem", "key.pem"), "bad.pem", "malformed"),
        (read_identity, ("empty.pem",), "empty.pem", "no certificate"),
        (read_key, ("empty.pem",), "empty.pem", "no private key"),
        (read_pem, ("bad.pem",), "bad.pem", "malformed"),
        (read_certificates, (".",), ".", "directory"),
    ],
)
def test_what_cannot_be_used_is_named(folder, read, arguments, named, said):
    with pytest.raises(BadCertificateFile, match=said) as raised:
        read(*(str(folder / name) for name in arguments))
    assert raised.value.path == str(folder / named)
    assert raised.value.path in str(raised.value)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a file without end")
def test_a_file_that_is_too_long():
    with pytest.raises(BadCertificateFile, match="longer"):
        read_certificates("/dev/zero")
