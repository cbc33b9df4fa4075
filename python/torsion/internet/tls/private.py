"""Private keys, and certificates together with their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from torsion.internet.defer import Deferred
from torsion.internet.error import VerifyError
from torsion.internet.tls.certificates import Certificate, CertificateRequest, PublicKey
from torsion.internet.tls.context import CertificateOptions
from torsion.internet.tls.formats import (
    FILETYPE_ASN1,
    FILETYPE_PEM,
    as_key,
    dump_key,
    load_certificate,
    load_key,
    matches,
    to_pyopenssl_key,
)
from torsion.internet.tls.issuing import ONE_YEAR, issue, make_key, make_request
from torsion.internet.tls.names import DistinguishedName, to_x509
from torsion.internet.tls.trust import trustRootFromCertificates

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["KeyPair", "PrivateCertificate"]


class KeyPair(PublicKey):
    """A private key with its public half."""

    def __init__(self, osslpkey: Any) -> None:
        """Wrap a private key.

        :param osslpkey: one of ``cryptography``'s or of pyOpenSSL's.
        """
        self.key: PrivateKeyTypes = as_key(osslpkey)
        super().__init__(osslpkey)

    def _converted(self) -> Any:
        return to_pyopenssl_key(self.key)

    @classmethod
    def load(cls, data: bytes | str, format: object = FILETYPE_ASN1) -> Self:
        """Read a private key without a password.

        :param data: its bytes.
        :param format: FILETYPE_ASN1 or FILETYPE_PEM.
        :raises torsion.internet.tls.BadCertificateData: if it is none, or is encrypted.
        """
        return cls(load_key(data, format))

    @classmethod
    def generate(cls, kind: object = "rsa", size: int = 2048) -> Self:
        """Make a new pair.

        :param kind: ``"rsa"``, ``"ec"``, ``"ed25519"``, or ``OpenSSL.crypto.TYPE_RSA``.
        :param size: of an RSA key, in bits; for ``"ec"`` 384 and 521 choose these curves.
        """
        return cls(make_key(kind, size))

    def dump(self, format: object = FILETYPE_ASN1) -> bytes:
        """Return the private key as bytes, unprotected."""
        return dump_key(self.key, format)

    def inspect(self) -> str:
        """Return a line on the key, for people to read."""
        kind = type(self.public).__name__.removesuffix("PublicKey").lstrip("_").upper()
        size = f"{self.public.key_size}-bit " if hasattr(self.public, "key_size") else ""
        return f"{size}{kind.replace('ELLIPTICCURVE', 'EC')} Key Pair with Hash: {self.keyHash()}"

    def requestObject(
        self, distinguishedName: DistinguishedName, digestAlgorithm: str = "sha256"
    ) -> CertificateRequest:
        """Ask for a certificate for this key.

        :param distinguishedName: who has it.
        :param digestAlgorithm: the hash to sign the request with.
        """
        return CertificateRequest(make_request(self.key, to_x509(distinguishedName), digestAlgorithm))

    def certificateRequest(
        self, distinguishedName: DistinguishedName, format: object = FILETYPE_ASN1, digestAlgorithm: str = "sha256"
    ) -> bytes:
        """Ask for a certificate for this key, as :meth:`requestObject` does, and return the request as bytes."""
        return self.requestObject(distinguishedName, digestAlgorithm).dump(format)

    def signRequestObject(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestObject: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: float = ONE_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """Issue a certificate.

        :param issuerDistinguishedName: who issues: whose this key is.
        :param requestObject: what to certify.
        :param serialNumber: the certificate's number, above 0, different from all others of the issuer.
        :param secondsToExpiry: how long it is valid.
        :param digestAlgorithm: the hash to sign with.
        """
        return self._issue(
            to_x509(issuerDistinguishedName), requestObject, serialNumber, secondsToExpiry, digestAlgorithm, None
        )

    def _issue(
        self,
        issuer: x509.Name,
        request: CertificateRequest,
        serial: int,
        seconds: float,
        digest: str,
        certificate: x509.Certificate | None,
    ) -> Certificate:
        return Certificate(issue(issuer, self.key, request.original, serial, seconds, digest, certificate))

    def signCertificateRequest(
        self,
        issuerDistinguishedName: DistinguishedName,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        requestFormat: object = FILETYPE_ASN1,
        certificateFormat: object = FILETYPE_ASN1,
        secondsToExpiry: float = ONE_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> bytes | Deferred[bytes]:
        """Issue a certificate for a request that came as bytes, if somebody approves.

        :param issuerDistinguishedName: who issues.
        :param requestData: the request.
        :param verifyDNCallback: called with who asks; returns whether to issue, or a Deferred that fires with that.
        :param serialNumber: the certificate's number.
        :param requestFormat: the request's format.
        :param certificateFormat: the format of the result.
        :param secondsToExpiry: how long the certificate is valid.
        :param digestAlgorithm: the hash to sign with.
        :returns: the certificate's bytes, or a Deferred that fires with them if the callback returned one.
        :raises torsion.internet.error.VerifyError: if the callback does not approve.
        """

        def sign(request: CertificateRequest) -> Certificate:
            return self.signRequestObject(
                issuerDistinguishedName, request, serialNumber, secondsToExpiry, digestAlgorithm
            )

        return _sign_if_approved(requestData, requestFormat, verifyDNCallback, sign, certificateFormat)

    def newCertificate(self, newCertData: bytes, format: object = FILETYPE_ASN1) -> PrivateCertificate:
        """Return a certificate for this key, with the key.

        :param newCertData: the certificate's bytes.
        :param format: their format.
        :raises torsion.internet.error.VerifyError: if it is for another key.
        """
        return PrivateCertificate.load(newCertData, self, format)

    def selfSignedCert(self, serialNumber: int, **kw: str | bytes) -> PrivateCertificate:
        """Issue a certificate for oneself.

        A common name (``CN``) that is a host's name or address becomes the alternative name, for which clients look.

        :param serialNumber: the certificate's number, above 0.
        :param kw: the fields of a :class:`DistinguishedName`.
        """
        name = DistinguishedName(**kw)
        certificate = self.signRequestObject(name, self.requestObject(name), serialNumber)
        return PrivateCertificate.fromCertificateAndKeyPair(certificate, self)


def _sign_if_approved(
    data: bytes,
    format: object,
    approve: Callable[[DistinguishedName], Any],
    sign: Callable[[CertificateRequest], Certificate],
    result_format: object,
) -> bytes | Deferred[bytes]:
    request = CertificateRequest.load(data, format)
    name = request.getSubject()

    def go_on(approved: object) -> bytes:
        if not approved:
            raise VerifyError(f"DN callback {approve!r} rejected request DN {name!r}")
        return sign(request).dump(result_format)

    answer = approve(name)
    if isinstance(answer, Deferred):
        return answer.addCallback(go_on)
    return go_on(answer)


class PrivateCertificate(Certificate):
    """A certificate together with its private key: what one end of a connection can prove itself with.

    :ivar privateKey: the :class:`KeyPair`.
    """

    privateKey: KeyPair

    def __repr__(self) -> str:
        return f"{super().__repr__()} with {self.privateKey!r}"

    def _with_key(self, privateKey: KeyPair) -> Self:
        if not matches(self.certificate, privateKey.key):
            raise VerifyError("Certificate public and private keys do not match.")
        self.privateKey = privateKey
        return self

    @classmethod
    def fromCertificateAndKeyPair(cls, certificateInstance: Certificate, privateKey: KeyPair) -> Self:
        """Put a certificate and its key together.

        :raises torsion.internet.error.VerifyError: if the certificate is for another key.
        """
        return cls(certificateInstance.certificate)._with_key(privateKey)

    @classmethod
    # A private certificate needs its key: the documented signature.
    def load(cls, data: bytes | str, privateKey: KeyPair, format: object = FILETYPE_ASN1) -> Self:  # type: ignore[override]
        """Read a certificate, and put it together with its key.

        :param data: the certificate's bytes.
        :param privateKey: its key.
        :param format: FILETYPE_ASN1 or FILETYPE_PEM.
        :raises torsion.internet.tls.BadCertificateData: if the bytes are no certificate.
        :raises torsion.internet.error.VerifyError: if it is for another key.
        """
        return cls(load_certificate(data, format))._with_key(privateKey)

    @classmethod
    def loadPEM(cls, data: bytes | str) -> Self:
        """Read a certificate and its key in PEM form, in either order.

        :raises torsion.internet.tls.BadCertificateData: if either is missing.
        """
        return cls.load(data, KeyPair.load(data, FILETYPE_PEM), FILETYPE_PEM)

    def dumpPEM(self) -> bytes:
        """Return the certificate and its key, unprotected, in PEM form."""
        return self.dump(FILETYPE_PEM) + self.privateKey.dump(FILETYPE_PEM)

    def _key_inspected(self) -> str:
        return self.privateKey.inspect()

    def newCertificate(self, newCertData: bytes, format: object = FILETYPE_ASN1) -> PrivateCertificate:
        """Return another certificate for the same key, with the key."""
        return self.privateKey.newCertificate(newCertData, format)

    def options(self, *authorities: Certificate) -> CertificateOptions:
        """Return the settings for connections on which this end shows this certificate.

        :param authorities: whom to trust: the peer then has to show a certificate that one of them issued.  Without any,
            the peer's certificate is neither asked for nor looked at.
        """
        if authorities:
            return CertificateOptions(
                privateKey=self.privateKey, certificate=self, trustRoot=trustRootFromCertificates(authorities)
            )
        return CertificateOptions(privateKey=self.privateKey, certificate=self)

    def certificateRequest(self, format: object = FILETYPE_ASN1, digestAlgorithm: str = "sha256") -> bytes:
        """Ask for another certificate for the same name and key, and return the request as bytes."""
        return self.privateKey.certificateRequest(self.getSubject(), format, digestAlgorithm)

    def signCertificateRequest(
        self,
        requestData: bytes,
        verifyDNCallback: Callable[[DistinguishedName], Any],
        serialNumber: int,
        requestFormat: object = FILETYPE_ASN1,
        certificateFormat: object = FILETYPE_ASN1,
    ) -> bytes | Deferred[bytes]:
        """Issue a certificate in this one's name, as :meth:`KeyPair.signCertificateRequest` does."""

        def sign(request: CertificateRequest) -> Certificate:
            return self.signRequestObject(request, serialNumber)

        return _sign_if_approved(requestData, requestFormat, verifyDNCallback, sign, certificateFormat)

    def signRequestObject(
        self,
        certificateRequest: CertificateRequest,
        serialNumber: int,
        secondsToExpiry: float = ONE_YEAR,
        digestAlgorithm: str = "sha256",
    ) -> Certificate:
        """Issue a certificate in this one's name, as :meth:`KeyPair.signRequestObject` does."""
        own = self.certificate
        return self.privateKey._issue(
            own.subject, certificateRequest, serialNumber, secondsToExpiry, digestAlgorithm, own
        )
