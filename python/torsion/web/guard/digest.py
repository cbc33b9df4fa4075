"""Digest authentication: a proof of the password, in place of the password (RFC 7616)."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.cred import credentials
from torsion.cred.error import LoginFailed
from torsion.web.iweb import ICredentialFactory

__all__ = ["DigestCredentialFactory"]


def _host_of(request: Any) -> Any:
    """Return the client's host; None where addresses have none, as those of files."""
    return getattr(request.getClientAddress(), "host", None)


def _local_part(uri: bytes) -> bytes:
    """Return a request's target without scheme and authority, which proxies put before it and take away."""
    scheme, separator, rest = uri.partition(b"://")
    if not separator or b"/" in scheme:
        return uri
    slash = rest.find(b"/")
    return rest[slash:] if slash >= 0 else b"/"


@implementer(ICredentialFactory)
class DigestCredentialFactory:
    """Challenges clients to prove that they know a password.

    :ivar digest: makes the challenges, and reads the answers: a ``cred.credentials.DigestCredentialFactory``.
    """

    scheme = b"digest"

    def __init__(self, algorithm: bytes, authenticationRealm: bytes) -> None:
        """Make a factory.

        :param algorithm: ``b"sha-256"``, or ``b"md5"`` for clients that know no better.
        :param authenticationRealm: what the user is shown, so as to know which password is meant.
        :raises ValueError: if the algorithm is not known.
        """
        self.digest = credentials.DigestCredentialFactory(algorithm, authenticationRealm)

    def getChallenge(self, request: Any) -> dict[str, bytes]:
        """Return a challenge for a request's client; the answer must come from the same host."""
        return self.digest.getChallenge(_host_of(request))

    def decode(self, response: bytes, request: Any) -> Any:
        """Return the credentials in an answer.

        :param response: the header's text after the word ``Digest``.
        :raises LoginFailed: if it is none to a challenge of this factory, or is for another URL (RFC 7616 section 3.4.6).
        """
        decoded = self.digest.decode(response, request.method, _host_of(request))
        fields = getattr(decoded, "fields", None)
        if fields is not None and _local_part(fields.get("uri", b"")) != _local_part(request.uri):
            raise LoginFailed("Invalid response, it is for another URL than the request.")
        return decoded
