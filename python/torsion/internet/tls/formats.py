"""Certificates, requests and keys: from and to bytes, files, and the objects of ``cryptography`` and pyOpenSSL."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from torsion.internet.tls.errors import BadCertificateData, BadCertificateFile
from torsion.internet.tls.openssl import crypto_module

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

__all__ = [
    "FILETYPE_ASN1",
    "FILETYPE_PEM",
    "FILETYPE_TEXT",
    "Identity",
    "as_certificate",
    "as_key",
    "certificate_der",
    "dump_certificate",
    "dump_key",
    "dump_request",
    "identity",
    "key_der",
    "load_certificate",
    "load_key",
    "load_request",
    "matches",
    "public_der",
    "read_certificates",
    "read_identity",
    "read_key",
    "read_pem",
    "read_roots",
    "to_pyopenssl_certificate",
    "to_pyopenssl_key",
]

FILETYPE_PEM = 1
"""Base64 between lines of dashes (RFC 7468). The same number as ``OpenSSL.crypto.FILETYPE_PEM``, as the next two are."""
FILETYPE_ASN1 = 2
"""Plain DER."""
FILETYPE_TEXT = 65535
"""For people to read; only for dumping certificates, and only where pyOpenSSL is installed."""

Identity: TypeAlias = "tuple[tuple[bytes, ...], bytes]"
"""A chain of certificates, one's own first, and the key for the first: DER, the key as PKCS #8."""

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
_LARGEST_FILE = 16 * 1024 * 1024  # a bundle of all roots there are has a quarter of a megabyte


# --- from bytes --------------------------------------------------------------------------------------------------


def _blocks(data: bytes, label: bytes) -> list[bytes]:
    """Return the PEM blocks in *data* whose label ends with *label*."""
    return [match[0] for match in _PEM_BLOCK.finditer(data) if match[1].endswith(label)]


def _first_block(data: bytes, label: bytes, what: str) -> bytes:
    found = _blocks(data, label)
    if not found:
        raise BadCertificateData(f"there is no {what} in PEM form: no line '-----BEGIN {label.decode()}-----'")
    return found[0]


def _as_bytes(data: bytes | str) -> bytes:
    return data.encode("ascii") if isinstance(data, str) else bytes(data)


def _check_format(format: object) -> None:
    if format not in {FILETYPE_PEM, FILETYPE_ASN1}:
        raise ValueError(f"{format!r} is no format that can be read: use FILETYPE_PEM (1) or FILETYPE_ASN1 (2)")


def load_certificate(data: bytes | str, format: object = FILETYPE_ASN1) -> x509.Certificate:
    """Read a certificate; of several in PEM form, the first.

    :raises BadCertificateData: if there is none.
    :raises ValueError: for an unknown format.
    """
    _check_format(format)
    data = _as_bytes(data)
    try:
        if format == FILETYPE_PEM:
            return x509.load_pem_x509_certificate(_first_block(data, b"CERTIFICATE", "certificate"))
        return x509.load_der_x509_certificate(data)
    except BadCertificateData:
        raise
    except ValueError as wrong:
        raise BadCertificateData(f"this is no certificate: {wrong}") from wrong


def load_request(data: bytes | str, format: object = FILETYPE_ASN1) -> x509.CertificateSigningRequest:
    """Read a request for a certificate (PKCS #10, RFC 2986).

    :raises BadCertificateData: if there is none.
    :raises ValueError: for an unknown format.
    """
    _check_format(format)
    data = _as_bytes(data)
    try:
        if format == FILETYPE_PEM:
            block = _first_block(data, b"CERTIFICATE REQUEST", "certificate request")
            return x509.load_pem_x509_csr(block)
        return x509.load_der_x509_csr(data)
    except BadCertificateData:
        raise
    except ValueError as wrong:
        raise BadCertificateData(f"this is no certificate request: {wrong}") from wrong


def load_key(data: bytes | str, format: object = FILETYPE_ASN1) -> PrivateKeyTypes:
    """Read a private key that no password protects; of several in PEM form, the first.

    :raises BadCertificateData: if there is none, or if it is encrypted.
    :raises ValueError: for an unknown format.
    """
    _check_format(format)
    data = _as_bytes(data)
    if format == FILETYPE_PEM:
        data = _first_block(data, b"PRIVATE KEY", "private key")
    try:
        return load_pem_private_key(data, None) if format == FILETYPE_PEM else load_der_private_key(data, None)
    except TypeError as encrypted:
        raise BadCertificateData(
            "this private key is encrypted; decrypt it first (openssl pkey -in FILE -out PLAIN)"
        ) from encrypted
    except (ValueError, UnsupportedAlgorithm) as wrong:
        raise BadCertificateData(f"this is no private key: {wrong}") from wrong


# --- to bytes ----------------------------------------------------------------------------------------------------


def _encoding(format: object) -> Encoding:
    if format == FILETYPE_PEM:
        return Encoding.PEM
    if format == FILETYPE_ASN1:
        return Encoding.DER
    raise ValueError(f"{format!r} is no format that can be written: use FILETYPE_PEM (1) or FILETYPE_ASN1 (2)")


def dump_certificate(certificate: x509.Certificate, format: object = FILETYPE_ASN1) -> bytes:
    """Return a certificate as bytes.

    :raises ValueError: for an unknown format.
    """
    if format == FILETYPE_TEXT:
        crypto = crypto_module()
        text: bytes = crypto.dump_certificate(FILETYPE_TEXT, crypto.X509.from_cryptography(certificate))
        return text
    return certificate.public_bytes(_encoding(format))


def dump_request(request: x509.CertificateSigningRequest, format: object = FILETYPE_ASN1) -> bytes:
    """Return a request for a certificate as bytes.

    :raises ValueError: for an unknown format.
    """
    return request.public_bytes(_encoding(format))


def dump_key(key: PrivateKeyTypes, format: object = FILETYPE_ASN1) -> bytes:
    """Return a private key as bytes: PKCS #8 in PEM form, and what is customary for its kind in DER.

    :raises ValueError: for an unknown format.
    """
    encoding = _encoding(format)
    customary = isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, dsa.DSAPrivateKey))
    kind = PrivateFormat.TraditionalOpenSSL if encoding is Encoding.DER and customary else PrivateFormat.PKCS8
    return key.private_bytes(encoding, kind, NoEncryption())


def certificate_der(certificate: x509.Certificate) -> bytes:
    """Return the DER form of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def key_der(key: PrivateKeyTypes) -> bytes:
    """Return the DER form of a private key, as PKCS #8."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_der(key: PublicKeyTypes) -> bytes:
    """Return the DER form of a public key (SubjectPublicKeyInfo, RFC 5280, 4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# --- the objects that users bring --------------------------------------------------------------------------------

_PRIVATE = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    dsa.DSAPrivateKey,
)


def as_certificate(thing: Any) -> x509.Certificate:
    """Return the certificate that *thing* is: of ``cryptography``'s, of pyOpenSSL's, or torsion's own.

    :raises TypeError: if it is none.
    """
    if isinstance(thing, x509.Certificate):
        return thing
    own = getattr(thing, "certificate", None)
    if isinstance(own, x509.Certificate):
        return own
    convert = getattr(thing, "to_cryptography", None)
    if convert is not None:
        found = convert()
        if isinstance(found, x509.Certificate):
            return found
    raise TypeError(f"{thing!r} is no certificate: give one of torsion's, of cryptography's or of pyOpenSSL's")


def as_key(thing: Any) -> PrivateKeyTypes:
    """Return the private key that *thing* is: of ``cryptography``'s, of pyOpenSSL's, or a ``KeyPair``.

    :raises TypeError: if it is none.
    """
    own = getattr(thing, "key", thing)
    if isinstance(own, _PRIVATE):
        return own
    convert = getattr(thing, "to_cryptography_key", None)
    if convert is not None:
        found = convert()
        if isinstance(found, _PRIVATE):
            return found
    raise TypeError(f"{thing!r} is no private key: give a KeyPair, or one of cryptography's or of pyOpenSSL's")


def matches(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Tell whether *key* is the one that *certificate* is for."""
    return public_der(certificate.public_key()) == public_der(key.public_key())


# --- files -------------------------------------------------------------------------------------------------------


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as wrong:
        raise BadCertificateFile(path, f"cannot be read: {wrong.strerror or wrong}") from wrong
    if len(data) > _LARGEST_FILE:
        raise BadCertificateFile(path, f"is longer than {_LARGEST_FILE} bytes: this cannot be a file of certificates")
    return data


def read_certificates(path: str) -> list[x509.Certificate]:
    """Return all certificates of a PEM file, in their order.

    :raises BadCertificateFile: if it cannot be read, holds none, or one of them is malformed.
    """
    found = [_parsed(path, block) for block in _blocks(_read(path), b"CERTIFICATE")]
    if not found:
        raise BadCertificateFile(path, "holds no certificate: there is no line '-----BEGIN CERTIFICATE-----'")
    return found


def read_roots(path: str) -> list[bytes]:
    """Return the good certificates of a PEM file, in DER; none if it cannot be read."""
    try:
        blocks = _blocks(_read(path), b"CERTIFICATE")
    except BadCertificateFile:
        return []
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of faults in roots that others have chosen; nobody here can mend them
        for block in blocks:
            try:
                found.append(certificate_der(x509.load_pem_x509_certificate(block)))
            except ValueError:
                continue
    return found


def read_pem(path: str) -> tuple[list[x509.Certificate], list[PrivateKeyTypes]]:
    """Return all certificates and all private keys of a PEM file, of which there may be none.

    :raises BadCertificateFile: if it cannot be read, or one of them is malformed or encrypted.
    """
    data = _read(path)
    certificates = [_parsed(path, block) for block in _blocks(data, b"CERTIFICATE")]
    try:
        keys = [load_key(block, FILETYPE_PEM) for block in _blocks(data, b"PRIVATE KEY")]
    except BadCertificateData as wrong:
        raise BadCertificateFile(path, str(wrong)) from wrong
    return certificates, keys


def _parsed(path: str, block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError as wrong:
        raise BadCertificateFile(path, f"one of its certificates is malformed: {wrong}") from wrong


def read_key(path: str) -> PrivateKeyTypes:
    """Return the private key of a PEM file.

    :raises BadCertificateFile: if it cannot be read, holds none, or it is malformed or encrypted.
    """
    try:
        return load_key(_read(path), FILETYPE_PEM)
    except BadCertificateData as wrong:
        raise BadCertificateFile(path, str(wrong)) from wrong


def read_identity(certificates: str, key: str | None = None) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    """Return a chain of certificates and the key for its first one.

    :param certificates: the path of a PEM file of the chain: one's own certificate first, then who issued it, and so on.
    :param key: the path of a PEM file of the key; None if it is in the same file.
    :raises BadCertificateFile: naming the file that cannot be read, is malformed, or whose key does not fit.
    """
    chain = read_certificates(certificates)
    path = key or certificates
    private = read_key(path)
    if not matches(chain[0], private):
        raise BadCertificateFile(path, f"its private key is not the one for the first certificate in {certificates}")
    return chain, private


def identity(chain: Iterable[x509.Certificate], key: PrivateKeyTypes) -> Identity:
    """Return a chain and its key as bytes."""
    return tuple(certificate_der(each) for each in chain), key_der(key)


def to_pyopenssl_certificate(certificate: x509.Certificate) -> Any:
    """Return pyOpenSSL's object for *certificate*."""
    return crypto_module().X509.from_cryptography(certificate)


def to_pyopenssl_key(key: PrivateKeyTypes) -> Any:
    """Return pyOpenSSL's object for *key*."""
    return crypto_module().PKey.from_cryptography_key(cast("Any", key))
