"""Certificates, requests for them and public keys, with Twisted's methods, over ``cryptography``'s objects."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from torsion.internet.error import CertificateError, VerifyError
from torsion.internet.tls.base import CertBase
from torsion.internet.tls.formats import (
    FILETYPE_ASN1,
    FILETYPE_PEM,
    as_certificate,
    certificate_der,
    dump_certificate,
    dump_request,
    load_certificate,
    load_request,
    public_der,
    to_pyopenssl_certificate,
    to_pyopenssl_key,
)
from torsion.internet.tls.names import DistinguishedName, from_x509

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

__all__ = ["Certificate", "CertificateRequest", "PublicKey", "peer_certificate"]


class CertificateRequest(CertBase):
    """A request for a certificate (PKCS #10): a public key, who has it, and a signature to prove that."""

    def __init__(self, original: x509.CertificateSigningRequest) -> None:
        """Wrap a request of ``cryptography``'s."""
        self.certificate = original

    @property
    def original(self) -> x509.CertificateSigningRequest:
        """The request, as ``cryptography`` has it."""
        request: x509.CertificateSigningRequest = self.certificate
        return request

    @classmethod
    def load(cls, requestData: bytes, requestFormat: object = FILETYPE_ASN1) -> Self:
        """Read a request.

        :param requestData: its bytes.
        :param requestFormat: FILETYPE_ASN1 or FILETYPE_PEM.
        :raises torsion.internet.tls.BadCertificateData: if it is none.
        :raises torsion.internet.error.VerifyError: if its signature is wrong: the sender does not have the key.
        """
        request = load_request(requestData, requestFormat)
        try:
            good = request.is_signature_valid
        except UnsupportedAlgorithm:
            good = False
        if not good:
            subject = from_x509(request.subject)
            raise VerifyError(f"The signature of the request of {subject!r} is wrong")
        return cls(request)

    def dump(self, format: object = FILETYPE_ASN1) -> bytes:
        """Return the request as bytes."""
        return dump_request(self.original, format)

    def getSubject(self) -> DistinguishedName:
        """Return who asks.

        :raises ValueError: if the subject has a field that :class:`DistinguishedName` lacks: who approves of the rest
            might not approve of that.
        """
        return from_x509(self.original.subject, strict=True)


class Certificate(CertBase):
    """A certificate (X.509): a public key, who has it, and the signature of somebody who vouches for that."""

    def __init__(self, original: Any) -> None:
        """Wrap a certificate.

        :param original: one of ``cryptography``'s or of pyOpenSSL's.
        """
        self.certificate: x509.Certificate = as_certificate(original)
        self._original = None if isinstance(original, x509.Certificate) else original

    @property
    def original(self) -> Any:
        """The certificate as an ``OpenSSL.crypto.X509``, for those who use pyOpenSSL.

        :raises ImportError: if that is not installed.
        """
        if self._original is None:
            self._original = to_pyopenssl_certificate(self.certificate)
        return self._original

    def __repr__(self) -> str:
        subject, issuer = (f"{name['commonName']!r}" if "commonName" in name else "" for name in self._parties())
        return f"<{type(self).__name__} Subject={subject} Issuer={issuer}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Certificate):
            return self.dump() == other.dump()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.dump())

    def _parties(self) -> tuple[DistinguishedName, DistinguishedName]:
        return self.getSubject(), self.getIssuer()

    @classmethod
    def load(cls, requestData: bytes | str, format: object = FILETYPE_ASN1, args: tuple[Any, ...] = ()) -> Self:
        """Read a certificate.

        :param requestData: its bytes.
        :param format: FILETYPE_ASN1 or FILETYPE_PEM.
        :param args: for the constructors of subclasses.
        :raises torsion.internet.tls.BadCertificateData: if it is none.
        """
        return cls(load_certificate(requestData, format), *args)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> Self:
        """Read a certificate in PEM form; of several, the first."""
        return cls.load(data, FILETYPE_PEM)

    @classmethod
    def peerFromTransport(cls, transport: Any) -> Self:
        """Return the certificate of the peer of a secure connection.

        :raises torsion.internet.error.CertificateError: if the connection is not secure, or the peer showed none.
        """
        return cls(_shown(transport, "peer", "getPeerCertificate", ("get_peer_certificate",)))

    @classmethod
    def hostFromTransport(cls, transport: Any) -> Self:
        """Return the certificate that this end of a secure connection showed.

        :raises torsion.internet.error.CertificateError: if the connection is not secure, or this end showed none.
        """
        names = ("get_host_certificate", "get_certificate")
        return cls(_shown(transport, "host", "getHostCertificate", names))

    def getIssuer(self) -> DistinguishedName:
        """Return who vouches; fields that :class:`DistinguishedName` lacks are left out."""
        return from_x509(self.certificate.issuer)

    def options(self, *authorities: Certificate) -> Any:
        """Refuse: there is no key here, see :meth:`PrivateCertificate.options`.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("A certificate without its key cannot be shown to a peer: use a PrivateCertificate")

    def digest(self, method: str = "md5") -> bytes:
        """Return the certificate's fingerprint: pairs of hexadecimal digits with colons between them.

        :param method: the hash; ``sha256`` is the usual one today.
        """
        found = hashlib.new(method, certificate_der(self.certificate), usedforsecurity=False).digest()
        return found.hex(":").upper().encode()

    def serialNumber(self) -> int:
        """Return the certificate's number among those of its issuer."""
        return self.certificate.serial_number

    def getPublicKey(self) -> PublicKey:
        """Return the key that is certified."""
        return PublicKey(self.certificate.public_key())

    def dump(self, format: object = FILETYPE_ASN1) -> bytes:
        """Return the certificate as bytes."""
        return dump_certificate(self.certificate, format)

    def dumpPEM(self) -> bytes:
        """Return the certificate in PEM form."""
        return self.dump(FILETYPE_PEM)

    def inspect(self) -> str:
        """Return what the certificate says, for people to read."""
        return "\n".join(self._inspected())

    def _inspected(self) -> list[str]:
        subject, issuer = self._parties()
        return [
            "Certificate For Subject:",
            subject.inspect(),
            "",
            "Issuer:",
            issuer.inspect(),
            "",
            f"Serial Number: {self.serialNumber()}",
            f"Digest: {self.digest().decode()}",
            self._key_inspected(),
        ]

    def _key_inspected(self) -> str:
        return self.getPublicKey().inspect()


def _shown(transport: Any, whose: str, method: str, of_handle: tuple[str, ...]) -> Any:
    """Return the certificate that one end of a connection showed."""
    ask = getattr(transport, method, None)
    if ask is None:
        handle = transport.getHandle()
        ask = next((getattr(handle, name) for name in of_handle if hasattr(handle, name)), None)
    if ask is None:
        raise CertificateError(f"non-TLS transport {transport!r} has no {whose} certificate")
    found = ask()
    if found is None:
        raise CertificateError(f"TLS transport {transport!r} has no {whose} certificate")
    return found


def peer_certificate(der: bytes) -> Any:
    """Return a certificate as transports hand it out: pyOpenSSL's object where that is installed, else cryptography's."""
    found = x509.load_der_x509_certificate(der)
    try:
        return to_pyopenssl_certificate(found)
    except ImportError:
        return found


class PublicKey:
    """A public key."""

    def __init__(self, osslpkey: Any) -> None:
        """Wrap a key.

        :param osslpkey: one of ``cryptography``'s or of pyOpenSSL's.
        """
        convert = getattr(osslpkey, "to_cryptography_key", None)
        found = osslpkey if convert is None else convert()
        self.public: PublicKeyTypes = found.public_key() if hasattr(found, "public_key") else found
        self._original = osslpkey if convert is not None else None

    @property
    def original(self) -> Any:
        """The key as an ``OpenSSL.crypto.PKey``, for those who use pyOpenSSL.

        :raises ImportError: if that is not installed.
        """
        if self._original is None:
            self._original = self._converted()
        return self._original

    def _converted(self) -> Any:
        return to_pyopenssl_key(self.public)  # type: ignore[arg-type]  # pyOpenSSL takes either half

    def matches(self, otherKey: PublicKey) -> bool:
        """Tell whether *otherKey* is the same, or is a pair of which this is the public half."""
        return public_der(self.public) == public_der(otherKey.public)

    def keyHash(self) -> str:
        """Return what tells this key from others: the SHA-256 of its public half, in hexadecimal."""
        return hashlib.sha256(public_der(self.public)).hexdigest()

    def inspect(self) -> str:
        """Return a line on the key, for people to read."""
        return f"Public Key with Hash: {self.keyHash()}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.keyHash()}>"
