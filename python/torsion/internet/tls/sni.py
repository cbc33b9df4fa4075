"""A server's certificates by name: which to show to whom asks for a host (SNI, RFC 6066, 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from cryptography import x509

from torsion.internet.tls.errors import BadCertificateFile
from torsion.internet.tls.formats import as_certificate, as_key, identity, public_der, read_pem
from torsion.internet.tls.hostnames import to_ascii
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from torsion.internet.tls.formats import Identity

__all__ = ["CertificateDirectory", "CertificatesByName", "NameTable", "ServerNames", "names_of"]

_log = Logger()

RECHECK_SECONDS = 1.0
"""How old a directory's listing may be: under load one look each second instead of one for each connection."""

_DEFAULT = "default"
_LONGEST_CHAIN = 10  # a loop of issuers must not hold us


@dataclass(frozen=True, eq=False, repr=False)
class NameTable:
    """Certificates by name, as they were at one moment.

    :ivar identities: chains and keys; the first is the one for clients that ask for no host, or for an unknown one.
    :ivar names: pairs of a name, in the form that DNS has, and a place in :attr:`identities`.  The first label of a name
        may be ``*``, which stands for any one label.
    """

    identities: tuple[Identity, ...]
    names: tuple[tuple[str, int], ...]

    def match(self, name: bytes | None) -> Identity | None:
        """Return what to show to a client that asks for a host; None for one that is not known.

        :param name: the host; None if the client does not say.
        """
        places = dict(self.names)
        asked = (name or b"").decode("ascii", "replace").lower().removesuffix(".")
        place = places.get(asked, places.get(f"*.{asked.partition('.')[2]}"))
        return None if place is None else self.identities[place]

    def find(self, name: bytes | None) -> Identity | None:
        """Return what :meth:`match` does, and the first identity for a host that is not known, if there is any at all."""
        return self.match(name) or (self.identities[0] if self.identities else None)


class ServerNames:
    """Certificates by name, to be passed as ``contextForServerName`` to :class:`CertificateOptions`."""

    def table(self) -> NameTable:
        """Return the certificates; the same object as long as nothing has changed."""
        raise NotImplementedError(f"{type(self).__name__} has to say which certificates there are")


class CertificatesByName(ServerNames):
    """Certificates that the program has at hand."""

    def __init__(self, certificates: Mapping[str, Any]) -> None:
        """Show certificates by name.

        :param certificates: for each host's name, or ``*.`` and a domain's, a ``PrivateCertificate``, or a pair of a chain
            of certificates and a key.  The first one is shown to clients that ask for an unknown host, or for none.
        :raises ValueError: for an impossible name.
        """
        identities: list[Identity] = []
        names = []
        for name, what in certificates.items():
            chain, key = what if isinstance(what, tuple) else ([what], what.privateKey)
            names.append((_ascii(name), len(identities)))
            identities.append(identity([as_certificate(each) for each in chain], as_key(key)))
        self._table = NameTable(tuple(identities), tuple(names))

    def table(self) -> NameTable:
        """Return the certificates."""
        return self._table


def _ascii(name: str) -> str:
    return f"*.{to_ascii(name[2:])}" if name.startswith("*.") else to_ascii(name)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the hosts that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [each.lower() for each in found.value.get_values_for_type(x509.DNSName)]


class CertificateDirectory(ServerNames):
    """Certificates from a directory of PEM files, which may change at any time.

    Each file whose name ends in ``.pem`` is read.  A chain of certificates serves the hosts that its first one is for, and
    the one that the file is called after.  Its key may stand in the same file or in another one, and so may the issuers'
    certificates.  ``DEFAULT.pem``, or else the first in alphabetical order, is shown to clients that ask for an unknown
    host, or for none.

    The directory is looked at when a connection comes, but no more often than once a second.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = monotonic) -> None:
        """Read a directory.

        :param path: the directory's.
        :param clock: tells the time in seconds; for tests.
        :raises BadCertificateFile: if the directory cannot be read, or a file in it is malformed or has a key that is not
            for its certificate; it names the file.
        """
        self.path = os.fspath(path)
        self._clock = clock
        self._seen = self._listing()
        self._table = self._read(self._seen)
        self._looked = clock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    def table(self) -> NameTable:
        """Return the certificates as they are now.

        A fault that has come in since is logged, and the certificates stay as they were until it is gone.
        """
        now = self._clock()
        if now - self._looked < RECHECK_SECONDS:
            return self._table
        self._looked = now
        try:
            seen = self._listing()
            if seen != self._seen:
                self._seen = seen
                self._table = self._read(seen)
        except BadCertificateFile:
            _log.failure("Cannot read the certificates in {path}; going on with those read before", path=self.path)
        return self._table

    def _listing(self) -> dict[str, tuple[int, int, int]]:
        """Return the files, with what changes when they do."""
        try:
            found = {}
            for entry in os.scandir(self.path):
                if entry.name.endswith(".pem") and entry.is_file():
                    state = entry.stat()
                    found[entry.name] = (state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError as wrong:
            raise BadCertificateFile(self.path, f"cannot be read: {wrong.strerror or wrong}") from wrong
        return dict(sorted(found.items()))

    def _read(self, files: Iterable[str]) -> NameTable:
        held = {name: read_pem(str(Path(self.path, name))) for name in files}
        keys: dict[bytes, tuple[str, PrivateKeyTypes]] = {}
        issuers: dict[bytes, x509.Certificate] = {}
        for name, (certificates, found) in held.items():
            keys.update((public_der(key.public_key()), (name, key)) for key in found)
            issuers.update((each.subject.public_bytes(), each) for each in certificates)
        unused = set(keys)
        served: list[tuple[str, x509.Certificate, Identity]] = []
        for name, (certificates, found) in held.items():
            if not certificates:
                continue
            public = public_der(certificates[0].public_key())
            if public in keys:
                unused.discard(public)
                key = keys[public][1]
                served.append((name, certificates[0], identity(_completed(certificates, issuers), key)))
            elif found:
                path = str(Path(self.path, name))
                raise BadCertificateFile(path, "its private key is not the one for its first certificate")
        for public in unused:
            path = str(Path(self.path, keys[public][0]))
            _log.warn("unused private key at {path} with hash {hash}", path=path, hash=_hash(public))
        # The default comes first; the others stay in alphabetical order.
        served.sort(key=lambda each: not _is_default(each[0]))
        return NameTable(tuple(each for _, _, each in served), _names(served))


def _is_default(file: str) -> bool:
    return file.removesuffix(".pem").lower() == _DEFAULT


def _names(served: Sequence[tuple[str, x509.Certificate, Identity]]) -> tuple[tuple[str, int], ...]:
    places: dict[str, int] = {}
    # What somebody has called a file after beats what happens to stand in a certificate.
    for place, (file, _, _) in enumerate(served):
        if not _is_default(file):
            try:
                places.setdefault(_ascii(file.removesuffix(".pem")), place)
            except ValueError:
                continue  # no host can have that name, but the file may
    for place, (_, certificate, _) in enumerate(served):
        for name in names_of(certificate):
            places.setdefault(name, place)
    return tuple(places.items())


def _completed(
    certificates: Sequence[x509.Certificate], issuers: Mapping[bytes, x509.Certificate]
) -> list[x509.Certificate]:
    """Return a chain, followed by those of its issuers that are at hand, up to the root, which clients have already."""
    chain = list(certificates)
    while len(chain) < _LONGEST_CHAIN:
        last = chain[-1]
        issuer = issuers.get(last.issuer.public_bytes())
        if issuer is None or issuer.issuer == issuer.subject or issuer in chain:
            break
        chain.append(issuer)
    return chain


def _hash(public: bytes) -> str:
    import hashlib

    return hashlib.sha256(public).hexdigest()
