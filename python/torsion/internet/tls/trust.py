"""Whom to trust: the roots that a peer's certificate has to lead up to."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zope.interface import Interface, implementer

from torsion.internet.tls.base import CertBase
from torsion.internet.tls.errors import BadCertificateFile
from torsion.internet.tls.formats import as_certificate, certificate_der, read_roots, to_pyopenssl_certificate

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

    That is what OpenSSL finds in its usual places, which ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` override.
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
        found = _platform_roots(paths.cafile, paths.capath, (_stamp(paths.cafile), _stamp(paths.capath)))
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


def _stamp(path: str | None) -> int:
    """Return what changes when a file or a folder does."""
    try:
        return Path(path).stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _platform_roots(file: str | None, folder: str | None, _stamps: tuple[int, int]) -> tuple[bytes, ...]:
    """Return the certificates of a file, or else of a folder of such files.

    One rotten certificate among them is passed over: it is not ours to mend, and others are to be trusted all the same.
    """
    found: dict[bytes, None] = {}
    if file is not None:
        found.update(dict.fromkeys(read_roots(file)))
    if not found and folder is not None and Path(folder).is_dir():
        for path in sorted(Path(folder).iterdir()):
            found.update(dict.fromkeys(read_roots(str(path))))
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
