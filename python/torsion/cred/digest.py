"""HTTP's digest authentication: its header, and its computations (RFC 7616 section 3.4; SIP and others use the same)."""

from __future__ import annotations

import re

__all__ = ["ALGORITHMS", "calcHA1", "calcHA2", "calcResponse", "check_algorithm", "parseFields"]


ALGORITHMS: dict[bytes, str] = {
    b"md5": "md5",
    b"sha": "sha1",
    b"sha-256": "sha256",
    b"sha-512-256": "sha512_256",
    b"md5-sess": "md5",
    b"sha-256-sess": "sha256",
    b"sha-512-256-sess": "sha512_256",
}
"""What ``hashlib`` calls the hash of each algorithm, by its name in lower case.  Of them, RFC 7616 recommends ``sha-256``; ``sha`` is in none."""


def check_algorithm(algorithm: bytes) -> None:
    """See to it that *algorithm* is one of ``ALGORITHMS``.

    :raise ValueError: if it is not.
    """
    if not isinstance(algorithm, bytes) or algorithm.lower() not in ALGORITHMS:
        known = ", ".join(each.decode() for each in ALGORITHMS)
        raise ValueError(f"there is no digest algorithm {algorithm!r}; there are {known}, in bytes")


def _hashed(algorithm: bytes, *parts: bytes) -> bytes:
    import hashlib  # late: plugins are imported by programs that only look for others

    check_algorithm(algorithm)
    return hashlib.new(ALGORITHMS[algorithm.lower()], b":".join(parts)).hexdigest().encode()


def calcHA1(
    pszAlg: bytes,
    pszUserName: bytes | None,
    pszRealm: bytes | None,
    pszPassword: bytes | None,
    pszNonce: bytes,
    pszCNonce: bytes,
    preHA1: bytes | None = None,
) -> bytes:
    """Return the hash of user, realm and password (section 3.4.2), in hexadecimal digits.

    :param pszAlg: the algorithm's name; one that ends in ``-sess`` takes the nonces in, too.
    :param pszUserName: the user's name.
    :param pszRealm: the realm.
    :param pszPassword: the password.
    :param pszNonce: the server's nonce.
    :param pszCNonce: the client's.
    :param preHA1: the hash without nonces, where it is all that is known; then the three above must be ``None``.
    :raise TypeError: if both the hash and what it is made of are given.
    :raise ValueError: if the algorithm is not known.
    """
    if preHA1 is not None:
        if not (pszUserName is None and pszRealm is None and pszPassword is None):
            raise TypeError("with preHA1, pszUserName, pszRealm and pszPassword must be None")
        digest = preHA1
    else:
        digest = _hashed(pszAlg, pszUserName or b"", pszRealm or b"", pszPassword or b"")
    if pszAlg.lower().endswith(b"-sess"):
        digest = _hashed(pszAlg, digest, pszNonce, pszCNonce)
    return digest


def calcHA2(
    algo: bytes, pszMethod: bytes, pszDigestUri: bytes, pszQop: bytes | None, pszHEntity: bytes | None
) -> bytes:
    """Return the hash of method and URI (section 3.4.3), in hexadecimal digits.

    :param algo: the algorithm's name.
    :param pszMethod: the request's method.
    :param pszDigestUri: its URI.
    :param pszQop: the quality of protection; ``auth-int`` takes the body in, too.
    :param pszHEntity: the hash of the body, for ``auth-int`` only.
    :raise ValueError: if the algorithm is not known, or ``auth-int`` has no hash of the body.
    """
    if pszQop != b"auth-int":
        return _hashed(algo, pszMethod, pszDigestUri)
    if pszHEntity is None:
        raise ValueError("the quality of protection auth-int needs the hash of the body")
    return _hashed(algo, pszMethod, pszDigestUri, pszHEntity)


def calcResponse(
    HA1: bytes,
    HA2: bytes,
    algo: bytes,
    pszNonce: bytes,
    pszNonceCount: bytes | None,
    pszCNonce: bytes | None,
    pszQop: bytes | None,
) -> bytes:
    """Return the response to a challenge (section 3.4.1), in hexadecimal digits.

    :param HA1: from ``calcHA1``.
    :param HA2: from ``calcHA2``.
    :param algo: the algorithm's name.
    :param pszNonce: the server's nonce.
    :param pszNonceCount: how often the client has used it, as eight hexadecimal digits.
    :param pszCNonce: the client's nonce.
    :param pszQop: the quality of protection.  Without one of these three, it is the response of RFC 2069.
    :raise ValueError: if the algorithm is not known.
    """
    if pszNonceCount and pszCNonce and pszQop:
        return _hashed(algo, HA1, pszNonce, pszNonceCount, pszCNonce, pszQop, HA2)
    return _hashed(algo, HA1, pszNonce, HA2)


# Everything that repeats does so possessively: a header made for it must not make the matching go back and forth.
_FIELD = re.compile(
    rb"""\s*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"\s*+|([^",]*+))(?:,[\s,]*+|$)""", re.DOTALL
)


def parseFields(header: bytes) -> dict[str, bytes]:
    """Return the fields of a ``Digest`` header, after the word itself, by their names in lower case (RFC 9110 section 11.2).

    A user's name in the extended notation, ``username*=UTF-8''J%C3%A4ger``, stands as ``username`` (RFC 7616 section 3.4).

    :param header: what the client sent; it may be on several lines.
    :raise ValueError: if it is not well-formed, or says something twice.
    """
    fields: dict[str, bytes] = {}
    at = re.match(rb"[\s,]*", header).end()  # type: ignore[union-attr]  # it matches everything
    while at < len(header):
        found = _FIELD.match(header, at)
        if found is None:
            raise ValueError(f"this is no field of a digest: {header[at : at + 40]!r}")
        name, quoted, plain = found.groups()
        key, value = (
            name.decode().lower(),
            plain.rstrip() if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL),
        )
        if key == "username*":
            key, value = "username", _extended(value)
        if key in fields:
            raise ValueError(f"the field {key} is there twice")
        fields[key] = value
        at = found.end()
    return fields


def _extended(value: bytes) -> bytes:
    """Return the bytes of a text in the notation of RFC 8187, which must be UTF-8."""
    charset, _, text = value.partition(b"'")
    if charset.lower() != b"utf-8":
        raise ValueError(f"a name must be in UTF-8, not in {charset!r}")
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(text.partition(b"'")[2])
