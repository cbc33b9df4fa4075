"""Making certificates: requests for them, and their issue by whoever has a key."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from torsion.internet.tls.formats import public_der

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["ONE_YEAR", "issue", "make_key", "make_request"]

ONE_YEAR = 60 * 60 * 24 * 365
"""In seconds: how long a certificate is valid if nothing else is said."""

# Pairs of pyOpenSSL's constants, TYPE_RSA and TYPE_DSA, and torsion's own names.
_KINDS: Mapping[object, str] = {6: "rsa", "rsa": "rsa", "ec": "ec", "ed25519": "ed25519"}
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {
    each.name: each
    for each in (hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256, hashes.SHA3_384)
}
_HOST = re.compile(
    r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_LONGEST_SERIAL = 159  # bits: 20 octets, the first bit of which is the sign (RFC 5280, 4.1.2.2)


def make_key(kind: object, size: int) -> PrivateKeyTypes:
    """Make a private key.

    :param kind: ``"rsa"``, ``"ec"``, ``"ed25519"``, or ``OpenSSL.crypto.TYPE_RSA``.
    :param size: of an RSA key, in bits; of an ``"ec"`` key 384 or 521 for these curves, else P-256.
    :raises ValueError: for any other kind, and for a size that is too small to be safe at all.
    """
    name = _KINDS.get(kind)
    if name == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=size)
    if name == "ec":
        return ec.generate_private_key({384: ec.SECP384R1, 521: ec.SECP521R1}.get(size, ec.SECP256R1)())
    if name == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"{kind!r} is no kind of key that is made here: use 'rsa', 'ec' or 'ed25519'")


def _digest(name: str, key: PrivateKeyTypes) -> Any:
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
        return None  # these schemes have their hash built in
    try:
        return _HASHES[name.lower().replace("_", "-")]()
    except KeyError:
        raise ValueError(f"{name!r} is no digest to sign with: use one of {', '.join(sorted(_HASHES))}") from None


def make_request(key: PrivateKeyTypes, subject: x509.Name, digest: str) -> x509.CertificateSigningRequest:
    """Ask for a certificate for *key*.

    :param key: whose public half is to be certified; the request is signed with it.
    :param subject: who has it.
    :param digest: the hash to sign with, such as ``sha256``.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(cast("Any", key), _digest(digest, key))


def _alternative_names(subject: x509.Name) -> list[x509.GeneralName]:
    """Return what a client may look for: nobody compares the common name with a host's name any more (RFC 9525)."""
    found: list[x509.GeneralName] = []
    for attribute in subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        name = str(attribute.value)
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            if _HOST.fullmatch(name):
                found.append(x509.DNSName(name))
    return found


def issue(
    issuer: x509.Name,
    issuer_key: PrivateKeyTypes,
    request: x509.CertificateSigningRequest,
    serial: int,
    seconds: float,
    digest: str,
    issuer_certificate: x509.Certificate | None = None,
) -> x509.Certificate:
    """Certify the key of a request.

    A certificate for the issuer's own key and name is good both for a server and for issuing others; any other is good for
    a server or a client only.  A common name that is a host's name or address becomes the alternative name as well.  What a
    request asks for besides its subject is left out: whoever approves has seen no more than that.

    :param issuer: who issues.
    :param issuer_key: the issuer's key.
    :param request: whose subject and public key are certified.
    :param serial: the certificate's number, above 0.
    :param seconds: how long it is valid from now.
    :param digest: the hash to sign with, such as ``sha256``.
    :param issuer_certificate: the issuer's certificate, if at hand.
    :raises ValueError: for an impossible number or digest.
    """
    if serial < 1 or serial.bit_length() > _LONGEST_SERIAL:
        raise ValueError(
            f"serial number {serial}: must be at least 1 and no longer than {_LONGEST_SERIAL} bits (RFC 5280)"
        )
    subject, public = request.subject, request.public_key()
    own = subject == issuer and public_der(public) == public_der(issuer_key.public_key())
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(cast("Any", public))
        .serial_number(serial)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(seconds=seconds))
        .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
        .add_extension(_usage(public, own), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(cast("Any", public)), critical=False)
        .add_extension(_authority(issuer_key, issuer_certificate), critical=False)
    )
    names = _alternative_names(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(cast("Any", issuer_key), _digest(digest, issuer_key))


def _usage(public: Any, own: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=isinstance(public, rsa.RSAPublicKey),
        key_cert_sign=own,
        crl_sign=own,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: PrivateKeyTypes, certificate: x509.Certificate | None) -> x509.AuthorityKeyIdentifier:
    if certificate is not None:
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            pass
        else:
            return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(cast("Any", key.public_key()))
