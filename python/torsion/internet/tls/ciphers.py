"""Cipher suites: which may be used, and by which names OpenSSL and IANA know them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from zope.interface import implementer

from torsion.internet.interfaces.tls import IAcceptableCiphers, ICipher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "DEFAULT_OPENSSL_CIPHERS",
    "NATIVE_SUITES",
    "OpenSSLAcceptableCiphers",
    "OpenSSLCipher",
    "available_ciphers",
    "expand",
    "native_suites",
]

DEFAULT_OPENSSL_CIPHERS = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!MD5:!DSS"
)
"""What OpenSSL is told to use unless a program says otherwise: forward secrecy and authenticated encryption first, then
what old peers need, and nothing that is broken.  The native implementation has only the first kind."""

NATIVE_SUITES: Mapping[str, str] = {
    "TLS_AES_256_GCM_SHA384": "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256": "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256": "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}
"""The suites of the native implementation: OpenSSL's name, and IANA's."""


@implementer(ICipher)
@dataclass(frozen=True)
class OpenSSLCipher:
    """A cipher suite.

    :ivar fullName: OpenSSL's name for it.
    """

    fullName: str


@implementer(IAcceptableCiphers)
class OpenSSLAcceptableCiphers:
    """The cipher suites that may be used, the preferred ones first."""

    def __init__(self, ciphers: Iterable[ICipher]) -> None:
        """Accept suites.

        :param ciphers: the preferred one first.
        """
        self._ciphers = tuple(ciphers)

    @classmethod
    def fromOpenSSLCipherString(cls, cipherString: str) -> OpenSSLAcceptableCiphers:
        """Accept the suites that a string in OpenSSL's notation stands for.

        :param cipherString: such as ``ECDHE+AESGCM:!aRSA``; one that stands for none gives an empty choice.
        """
        return cls(expand(cipherString))

    def selectCiphers(self, availableCiphers: Iterable[ICipher]) -> tuple[ICipher, ...]:
        """Return those that may be used and are available, the preferred ones first."""
        names = {each.fullName for each in availableCiphers}
        return tuple(each for each in self._ciphers if each.fullName in names)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {':'.join(each.fullName for each in self._ciphers)}>"


@lru_cache(maxsize=32)
def expand(cipherString: str) -> tuple[OpenSSLCipher, ...]:
    """Return the suites that a string in OpenSSL's notation stands for, as Python's own OpenSSL understands it.

    Those of TLS 1.3 are always among them: the notation cannot choose between these.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(cipherString)
    except ssl.SSLError:
        return ()
    return tuple(OpenSSLCipher(each["name"]) for each in context.get_ciphers())


def available_ciphers() -> tuple[OpenSSLCipher, ...]:
    """Return all suites that can be had one way or the other."""
    found = {each.fullName: each for each in expand("ALL:COMPLEMENTOFALL")}
    for name in NATIVE_SUITES:
        found.setdefault(name, OpenSSLCipher(name))
    return tuple(found.values())


def native_suites(names: Sequence[str]) -> tuple[str, ...]:
    """Return IANA's names for those of *names*, which are OpenSSL's, that the native implementation has."""
    return tuple(NATIVE_SUITES[name] for name in names if name in NATIVE_SUITES)
