"""The arguments of ``ssl:`` and ``tls:`` descriptions: files with certificates and keys, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torsion.internet.endpoints.arguments import Arguments

__all__ = ["client_options", "directory_of_certificates", "server_options", "verifying_client_options"]

BEGIN = b"-----BEGIN CERTIFICATE-----"
END = b"-----END CERTIFICATE-----"


def server_options(given: Arguments) -> Any:
    """Return the ``CertificateOptions`` of ``ssl:`` for a server."""
    from torsion.internet.ssl import CertificateOptions, DiffieHellmanParameters

    key = given.text("privateKey", "server.pem")
    which = "certKey" if given.has("certKey") else "privateKey"
    certificate = given.text("certKey", key)
    loaded = _pair(given, "privateKey", key, which, certificate)
    more: dict[str, Any] = {}
    if given.has("sslmethod"):
        more["method"] = _method(given)
    if given.has("extraCertChain"):
        more["extraCertChain"] = _chain(given, "extraCertChain")
    if given.has("dhParameters"):
        more["dhParameters"] = DiffieHellmanParameters.fromFile(given.text("dhParameters"))
    return _guarded(
        given,
        which,
        lambda: CertificateOptions(privateKey=loaded.privateKey, certificate=loaded, **more),
    )


def client_options(given: Arguments) -> Any:
    """Return the ``CertificateOptions`` of ``ssl:`` for a client; with a ``hostname``, what checks that name."""
    from torsion.internet.ssl import CertificateOptions, optionsForClientTLS

    own = _own(given, "certKey")
    roots = _roots(given, "caCertsDir") if given.has("caCertsDir") else None
    if given.has("hostname"):
        host = given.some("hostname")
        return _guarded(given, "hostname", lambda: optionsForClientTLS(host, trustRoot=roots, clientCertificate=own))
    more: dict[str, Any] = {} if own is None else {"privateKey": own.privateKey, "certificate": own}
    return CertificateOptions(trustRoot=roots, **more)


def verifying_client_options(given: Arguments, host: str) -> Any:
    """Return the ``optionsForClientTLS`` of ``tls:`` for a client."""
    from torsion.internet.ssl import optionsForClientTLS

    roots = _roots(given, "trustRoots") if given.has("trustRoots") else None
    own = _own(given, "certificate")
    return _guarded(given, "host", lambda: optionsForClientTLS(host, trustRoot=roots, clientCertificate=own))


def directory_of_certificates(given: Arguments, name: str) -> Any:
    """Return the ``CertificateOptions`` of ``tls:`` for a server: a folder of certificates by name."""
    from torsion.internet.ssl import CertificateOptions
    from torsion.internet.tls.sni import CertificateDirectory

    folder = given.some(name)
    return _guarded(given, name, lambda: CertificateOptions(contextForServerName=CertificateDirectory(folder)))


def _own(given: Arguments, certificate: str) -> Any:
    """Return the certificate and the key that a client shows, or None."""
    if not given.has(certificate) and not given.has("privateKey"):
        return None
    key_in = "privateKey" if given.has("privateKey") else certificate
    certificate_in = certificate if given.has(certificate) else "privateKey"
    return _pair(given, key_in, given.text(key_in), certificate_in, given.text(certificate_in))


def _pair(given: Arguments, key_in: str, key: str, certificate_in: str, certificate: str) -> Any:
    """Return the PrivateCertificate of the files *key* and *certificate*, which these arguments name."""
    from torsion.internet.ssl import Certificate, KeyPair, PrivateCertificate

    found = _load(given, certificate_in, certificate, "certificate", Certificate.loadPEM)
    secret = _load(given, key_in, key, "private key", lambda pem: KeyPair.load(pem, _PEM))
    try:
        return PrivateCertificate.fromCertificateAndKeyPair(found, secret)
    except Exception as error:
        problem = f"names a key, in {key!r}, that is not the one of the certificate in {certificate!r}"
        raise given.wrong(problem, key_in) from error


_PEM = 1
"""``FILETYPE_PEM`` of OpenSSL, the number that Twisted's API takes."""


def _load(given: Arguments, name: str, path: str, what: str, load: Any) -> Any:
    pem = _read(given, name, path)
    try:
        return load(pem)
    except Exception as error:
        raise given.wrong(f"names {path!r}, which holds no {what} in PEM format: {error}", name) from error


def _read(given: Arguments, name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        default = "" if given.has(name) else f", where its {name} is looked for by default"
        raise given.wrong(f"needs the file {path!r}{default}, which cannot be read: {why}", name) from error


def _chain(given: Arguments, name: str) -> list[Any]:
    from torsion.internet.ssl import Certificate

    path = given.text(name)
    found = [BEGIN + each.partition(END)[0] + END + b"\n" for each in _read(given, name, path).split(BEGIN)[1:]]
    if not found:
        raise given.wrong(f"names {path!r}, which holds no certificates in PEM format", name)
    return [_guarded(given, name, lambda pem=pem: Certificate.loadPEM(pem)) for pem in found]


def _roots(given: Arguments, name: str) -> Any:
    """Return who may vouch for a server: the certificates in the files of a folder whose names end in ``.pem``."""
    from torsion.internet.ssl import Certificate, trustRootFromCertificates

    folder = Path(given.text(name))
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix.lower() == ".pem")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise given.wrong(f"has {name} {str(folder)!r}, a folder which cannot be read: {why}", name) from error
    found = []
    for file in files:
        try:
            found.append(Certificate.loadPEM(file.read_bytes()))
        except Exception:  # noqa: BLE001, S112 - a key of somebody's, or not for us to read; as in Twisted, others count
            continue
    return trustRootFromCertificates(found)


METHODS = {
    "SSLv23_METHOD": 3,
    "TLSv1_METHOD": 4,
    "TLSv1_1_METHOD": 5,
    "TLSv1_2_METHOD": 6,
    "TLS_METHOD": 7,
    "TLS_SERVER_METHOD": 8,
    "TLS_CLIENT_METHOD": 9,
}
"""The constants of pyOpenSSL by which Twisted's API names versions; SSL 2 and 3 are gone."""


def _method(given: Arguments) -> int:
    name = given.text("sslmethod")
    if name not in METHODS:
        raise given.wrong(f"has sslmethod {name!r}; known are {', '.join(METHODS)}", "sslmethod")
    return METHODS[name]


def _guarded(given: Arguments, name: str, make: Any) -> Any:
    """Return what *make* makes; what is wrong with its argument *name* is said with the description."""
    try:
        return make()
    except (ValueError, OSError) as error:
        raise given.wrong(f"has a {name} that cannot be used: {error}", name) from error
