"""Whom to trust: the roots that a peer's certificate has to lead up to."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zope.interface import Interface, implementer

from torsion.internet.tls.base import CertBase
from torsion.internet.tls.errors import BadCertificateFile
from torsion.internet.tls.formats import as_certificate, certificate_der, read_certificates, to_pyopenssl_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

__all__ = [
    "IOpenSSLTrustRoot",
    "OpenSSLCertificateAuthorities",
    "OpenSSLDefaultPaths",
    "as_trust_root",
    "platformTrust",
    "trustRootFromCertificates",
]


class IOpenSSLTrustRoot(Interface):
    """A set of certificates to trust.

    Those that torsion offers are made by :func:`platformTrust` and :func:`trustRootFromCertificates`.
    """

    def addToContext(context: Any) -> None:  # noqa: N805 - a zope interface's methods have no self
        """Have an ``OpenSSL.SSL.Context`` trust these certificates."""

    def roots() -> tuple[bytes, ...]:
        """Return these certificates, in DER, for the native implementation."""


@implementer(IOpenSSLTrustRoot)
class OpenSSLCertificateAuthorities:
    """Trust in some certificates, given one by one."""

    def __init__(self, caCerts: Iterable[Any]) -> None:
        """Trust certificates.

        :param caCerts: of ``cryptography``'s, of pyOpenSSL's or torsion's own.
        """
        self._certificates: tuple[x509.Certificate, ...] = tuple(as_certificate(each) for each in caCerts)

    def addToContext(self, context: Any) -> None:
        """Have an ``OpenSSL.SSL.Context`` trust these certificates."""
        store = context.get_cert_store()
        for certificate in self._certificates:
            store.add_cert(to_pyopenssl_certificate(certificate))

    def roots(self) -> tuple[bytes, ...]:
        """Return these certificates, in DER."""
        return tuple(certificate_der(each) for each in self._certificates)

    def __repr__(self) -> str:
        names = ", ".join(each.subject.rfc4514_string() for each in self._certificates)
        return f"<{type(self).__name__} {names}>"


@implementer(IOpenSSLTrustRoot)
class OpenSSLDefaultPaths:
    """Trust in whatever the platform trusts.

    That is what OpenSSL finds in its usual places, which ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` override.  They are read
    when they are needed first, and again when the program starts anew.
    """

    def addToContext(self, context: Any) -> None:
        """Have an ``OpenSSL.SSL.Context`` trust what the platform trusts."""
        context.set_default_verify_paths()

    def roots(self) -> tuple[bytes, ...]:
        """Return the platform's roots, in DER.

        :raises BadCertificateFile: if there are none to be found: without, no peer could be trusted.
        """
        import ssl

        paths = ssl.get_default_verify_paths()
        found = _platform_roots(paths.cafile, paths.capath)
        if found:
            return found
        # Windows keeps them in a store of its own, which Python can read.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        roots = tuple(context.get_ca_certs(binary_form=True))
        if not roots:
            raise BadCertificateFile(
                str(paths.cafile or paths.openssl_cafile),
                "holds no certificates of authorities to trust: install the system's (such as ca-certificates), set "
                "SSL_CERT_FILE, or say whom to trust by trustRootFromCertificates",
            )
        return roots


@lru_cache(maxsize=4)
def _platform_roots(file: str | None, folder: str | None) -> tuple[bytes, ...]:
    """Return the certificates of a file, or else of a folder of such files."""
    if file is not None:
        try:
            return tuple(dict.fromkeys(certificate_der(each) for each in read_certificates(file)))
        except BadCertificateFile:
            pass  # one rotten root spoils the file for this reader, and not for all others
    found: dict[bytes, None] = {}
    for path in sorted(Path(folder).iterdir()) if folder is not None and Path(folder).is_dir() else ():
        try:
            found.update(dict.fromkeys(certificate_der(each) for each in read_certificates(str(path))))
        except BadCertificateFile:
            continue  # what lies there is not ours to complain of
    return tuple(found)


def platformTrust() -> OpenSSLDefaultPaths:
    """Trust whom the platform trusts: the authorities of the Web, as a rule."""
    return OpenSSLDefaultPaths()


def trustRootFromCertificates(certificates: Iterable[Any]) -> OpenSSLCertificateAuthorities:
    """Trust some certificates, and those that they issued.

    :param certificates: :class:`torsion.internet.ssl.Certificate` or ``PrivateCertificate`` objects.
    :raises TypeError: for anything else.
    """
    found = []
    for each in certificates:
        if not isinstance(each, CertBase):
            raise TypeError(f"certificates items must be torsion.internet.ssl.Certificate instances, not {each!r}")
        found.append(each)
    return OpenSSLCertificateAuthorities(found)


def as_trust_root(trustRoot: Any) -> Any:
    """Return a trust root for what programs pass as one: such a root, or a single certificate.

    :raises TypeError: if it is neither.
    """
    if isinstance(trustRoot, CertBase):
        return OpenSSLCertificateAuthorities([trustRoot])
    if IOpenSSLTrustRoot.providedBy(trustRoot):
        return trustRoot
    raise TypeError(
        f"{trustRoot!r} is nothing to trust: pass a Certificate, platformTrust() or trustRootFromCertificates([...])"
    )
