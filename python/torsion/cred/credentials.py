"""Credentials: what a client brings to show who it is.  Names and passwords are ``bytes``, as they came."""

from __future__ import annotations

import os
import time
from typing import Any

from zope.interface import Attribute, Interface, implementer

from torsion.cred.compare import same
from torsion.cred.digest import ALGORITHMS, calcHA1, calcHA2, calcResponse, check_algorithm, parseFields
from torsion.cred.error import LoginFailed
from torsion.python.deprecate import deprecatedModuleAttribute
from torsion.python.versions import Version

__all__ = [
    "Anonymous",
    "CramMD5Credentials",
    "DigestCredentialFactory",
    "DigestedCredentials",
    "IAnonymous",
    "ICredentials",
    "ISSHPrivateKey",
    "IUsernameDigestHash",
    "IUsernameHashedPassword",
    "IUsernamePassword",
    "SSHPrivateKey",
    "UsernamePassword",
    "calcHA1",
    "calcHA2",
    "calcResponse",
]


class ICredentials(Interface):
    """Any credentials.  Checkers say which of the interfaces below they know."""


class IUsernameDigestHash(ICredentials):
    """A name, and the answer to a challenge that a hash of name, realm and password can be compared with.

    A checker needs to keep no passwords for these, only hashes: ``digest.calcHA1``.
    """

    username = Attribute("The name of the user.")

    def checkHash(digestHash: bytes) -> Any:  # noqa: N805 - an interface's methods have no self
        """Return whether the credentials are those of whoever has the hash *digestHash*, or a Deferred of that."""


class IUsernameHashedPassword(ICredentials):
    """A name, and something made of a password: who has the right password can check it."""

    username = Attribute("The name of the user.")

    def checkPassword(password: Any) -> Any:  # noqa: N805 - as above
        """Return whether it was made of *password*, or a Deferred of that."""


class IUsernamePassword(ICredentials):
    """A name and a password as such."""

    username = Attribute("The name of the user.")
    password = Attribute("The password.")

    def checkPassword(password: Any) -> Any:  # noqa: N805 - as above
        """Return whether it is *password*, or a Deferred of that."""


class IAnonymous(ICredentials):
    """The wish to come in without a name."""


class ISSHPrivateKey(ICredentials):
    """A proof that somebody has a private key of SSH; none yet if there is no signature (RFC 4252 section 7)."""

    username = Attribute("The name of the user, as bytes.")
    algName = Attribute("The name of the key's algorithm, as bytes.")
    blob = Attribute("The public half of the key, as bytes.")
    sigData = Attribute("The bytes that were signed.")
    signature = Attribute("The signature, as bytes, or None: then it is asked whether that key would do.")


@implementer(IUsernamePassword)
class UsernamePassword:
    """A name and a password.

    :ivar username: the name.
    :ivar password: the password.
    """

    def __init__(self, username: Any, password: Any) -> None:
        self.username = username
        self.password = password

    def checkPassword(self, password: Any) -> bool:
        """Return whether it is *password*; text is never equal to bytes."""
        return same(self.password, password)


@implementer(IUsernameHashedPassword)
class UsernameHashedPassword:
    """A name and a hash of a password that is compared as it is (deprecated: use ``UsernamePassword``).

    :ivar username: the name.
    :ivar hashed: the hash.
    """

    def __init__(self, username: Any, hashed: Any) -> None:
        self.username = username
        self.hashed = hashed

    def checkPassword(self, password: Any) -> bool:
        """Return whether the hash is *password*."""
        return same(self.hashed, password)


deprecatedModuleAttribute(
    Version("Twisted", 21, 2, 0),
    "Use torsion.cred.credentials.UsernamePassword instead.",
    "torsion.cred.credentials",
    "UsernameHashedPassword",
)


@implementer(IUsernameHashedPassword)
class CramMD5Credentials:
    """The answer to a challenge, by a key hashed with MD5 (RFC 2195).  Whoever checks it needs the password itself.

    :ivar host: the name of this host, for the challenge.
    :ivar challenge: the challenge, once it was asked for.
    :ivar username: the name, once there is a response.
    :ivar response: the hash, once there is one.
    """

    username: bytes | None = None
    challenge: bytes = b""
    response: bytes | None = None

    def __init__(self, host: bytes | str | None = None) -> None:
        """Make the credentials for a challenge to come.

        :param host: the name of this host; ``None`` stands for what the system says.
        """
        self.host = host

    def getChallenge(self) -> bytes:
        """Return the challenge; always the same."""
        if not self.challenge:
            import secrets  # late, as in `digest`; so are the others
            import socket

            host = socket.gethostname() if self.host is None else self.host
            name = host.encode("idna") if isinstance(host, str) else host
            # That it cannot be guessed is all that keeps an old answer from doing again.
            self.challenge = b"<%d.%d@%s>" % (secrets.randbits(64), int(time.time()), name)
        return self.challenge

    def setResponse(self, response: bytes) -> None:
        """Take the client's answer: the name, which may have spaces in it, a space and the hash.

        :raise ValueError: if it is not of that form.
        """
        username, _, digest = response.rstrip().rpartition(b" ")
        if not username:
            raise ValueError("a response to CRAM-MD5 is a name, a space and a hash (RFC 2195 section 2)")
        self.username, self.response = username, digest

    def moreChallenges(self) -> bool:
        """Return ``False``: there is one challenge only."""
        return False

    def checkPassword(self, password: bytes) -> bool:
        """Return whether the answer was made with *password*."""
        if self.response is None:
            return False
        from hmac import HMAC

        return same(HMAC(password, self.getChallenge(), "md5").hexdigest().encode(), self.response.lower())


@implementer(IUsernameHashedPassword, IUsernameDigestHash)
class DigestedCredentials:
    """The answer to a challenge of digest authentication (RFC 7616): from ``DigestCredentialFactory.decode``.

    :ivar username: the user's name.
    :ivar method: the request's method.
    :ivar realm: the realm of the challenge.
    :ivar fields: the fields of the answer, by name.
    """

    def __init__(self, username: bytes, method: bytes, realm: bytes, fields: dict[str, bytes]) -> None:
        self.username = username
        self.method = method
        self.realm = realm
        self.fields = fields

    def checkPassword(self, password: bytes) -> bool:
        """Return whether the answer was made with *password*."""
        return self._check((self.username, self.realm, password), None)

    def checkHash(self, digestHash: bytes) -> bool:
        """Return whether the answer was made with a password whose hash is *digestHash*.

        :param digestHash: that of user, realm and password, in hexadecimal digits: ``digest.calcHA1`` without ``-sess``.
        """
        return self._check((None, None, None), digestHash)

    def _check(self, secret: tuple[bytes | None, bytes | None, bytes | None], hashed: bytes | None) -> bool:
        field = self.fields.get
        algorithm = field("algorithm", b"md5").lower()
        nonce, client_nonce, quality = field("nonce", b""), field("cnonce"), field("qop", b"auth")
        if algorithm not in ALGORITHMS or quality != b"auth":
            return False
        first = calcHA1(algorithm, *secret, nonce, client_nonce or b"", preHA1=hashed)
        second = calcHA2(algorithm, self.method, field("uri", b""), quality, None)
        expected = calcResponse(first, second, algorithm, nonce, field("nc"), client_nonce, quality)
        return same(expected, field("response", b"").lower())


class DigestCredentialFactory:
    """Makes challenges of digest authentication, and credentials of the answers (RFC 7616).

    Nothing is kept of a challenge: the client brings all that is needed back, sealed with ``privateKey``.  An answer may be
    sent again while its challenge lives, by somebody who has overheard it: use it over TLS only.

    :cvar CHALLENGE_LIFETIME_SECS: how many seconds a challenge may be answered.
    :cvar scheme: the word that the header begins with.
    :ivar algorithm: the algorithm's name.
    :ivar authenticationRealm: the realm.
    :ivar privateKey: seals challenges; made anew for each factory.
    """

    CHALLENGE_LIFETIME_SECS = 15 * 60
    scheme = b"digest"

    def __init__(self, algorithm: bytes, authenticationRealm: bytes) -> None:
        """Make a factory.

        :param algorithm: ``b"sha-256"``; ``b"md5"`` only for clients that know no better.  See ``digest.ALGORITHMS``.
        :param authenticationRealm: what the user is shown, so as to know which password is meant.
        :raise ValueError: if the algorithm is not known.
        """
        check_algorithm(algorithm)
        self.algorithm = algorithm
        self.authenticationRealm = authenticationRealm
        self.privateKey = os.urandom(32)

    def getChallenge(self, address: str | bytes | None) -> dict[str, bytes]:
        """Return a challenge: the fields of the header, by name.

        :param address: the client's address; the answer must come from the same.  ``None`` if it has none.
        """
        nonce = self._generateNonce()
        return {
            "nonce": nonce,
            "opaque": self._generateOpaque(nonce, address),
            "qop": b"auth",
            "algorithm": self.algorithm,
            "realm": self.authenticationRealm,
        }

    def decode(self, response: bytes, method: bytes, host: str | bytes | None) -> DigestedCredentials:
        """Return the credentials in an answer, if it is one to a challenge of this factory that is still good.

        :param response: the header's text, after the word ``Digest``.
        :param method: the request's method.
        :param host: the client's address.
        :raise LoginFailed: if it is not.
        """
        try:
            fields = parseFields(response)
        except ValueError as error:
            raise LoginFailed(f"Invalid response, {error}.") from None
        for name in ("username", "opaque", "nonce"):
            if not fields.get(name):
                raise LoginFailed(f"Invalid response, no {name} given.")
        # Else a client, or somebody between it and us, might choose a weaker one than we asked for.
        if fields.get("algorithm", b"md5").lower() != self.algorithm.lower():
            raise LoginFailed("Invalid response, algorithm is not that of the challenge.")
        if fields.get("userhash", b"false").lower() != b"false":
            raise LoginFailed("Invalid response, the name was not to be hashed.")
        if "qop" in fields and (fields["qop"] != b"auth" or not (fields.get("nc") and fields.get("cnonce"))):
            raise LoginFailed("Invalid response, qop is not that of the challenge, or lacks nc or cnonce.")
        self._verifyOpaque(fields["opaque"], fields["nonce"], host)
        return DigestedCredentials(fields["username"], method, self.authenticationRealm, fields)

    def _generateNonce(self) -> bytes:
        return os.urandom(16).hex().encode()

    def _getTime(self) -> float:
        return time.time()

    def _generateOpaque(self, nonce: bytes, address: str | bytes | None) -> bytes:
        """Return what the client has to bring back, sealed."""
        content = b",".join((nonce, _bytes_of(address), b"%d" % int(self._getTime())))
        import base64

        return self._seal(content) + b"-" + base64.b64encode(content)

    def _seal(self, content: bytes) -> bytes:
        from hmac import HMAC

        return HMAC(self.privateKey, content, "sha256").hexdigest().encode()

    def _verifyOpaque(self, opaque: bytes, nonce: bytes, address: str | bytes | None) -> None:
        """Raise ``LoginFailed`` unless we have made *opaque*, for that nonce and address, and not too long ago."""
        import base64

        seal, _, encoded = opaque.partition(b"-")
        try:
            content = base64.b64decode(encoded, validate=True)
        except ValueError:
            content = b""
        if not content or not same(seal, self._seal(content)):
            raise LoginFailed("Invalid response, invalid opaque value")
        # What is sealed is of our own making.
        made_nonce, made_address, made_at = content.rsplit(b",", 2)
        if not same(made_nonce, nonce):
            raise LoginFailed("Invalid response, incompatible opaque/nonce values")
        if made_address != _bytes_of(address):
            raise LoginFailed("Invalid response, incompatible opaque/client values")
        if self._getTime() - int(made_at) > self.CHALLENGE_LIFETIME_SECS:
            raise LoginFailed("Invalid response, incompatible opaque/nonce too old")


def _bytes_of(address: str | bytes | None) -> bytes:
    if isinstance(address, str):
        return address.encode("ascii", "backslashreplace")
    return address or b""


@implementer(IAnonymous)
class Anonymous:
    """The wish to come in without a name."""


@implementer(ISSHPrivateKey)
class SSHPrivateKey:
    """A proof that somebody has a private key; see ``ISSHPrivateKey``."""

    def __init__(
        self, username: bytes, algName: bytes, blob: bytes, sigData: bytes | None, signature: bytes | None
    ) -> None:
        self.username = username
        self.algName = algName
        self.blob = blob
        self.sigData = sigData
        self.signature = signature
