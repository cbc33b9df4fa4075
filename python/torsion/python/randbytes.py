"""Random bytes. New code asks :mod:`secrets` or :func:`os.urandom`."""

from __future__ import annotations

import os
import random

__all__ = [
    "RandomFactory",
    "SecureRandomNotAvailable",
    "SourceNotAvailable",
    "getrandbits",
    "insecureRandom",
    "secureRandom",
]


class SecureRandomNotAvailable(RuntimeError):
    """The system has nothing that nobody could guess."""


class SourceNotAvailable(RuntimeError):
    """One source of random bytes is not there."""


class RandomFactory:
    """Gives random bytes.

    :cvar randomSources: empty; kept for programs that look at it.
    """

    randomSources = ()
    getrandbits = staticmethod(random.getrandbits)

    def secureRandom(self, nbytes: int, fallback: bool = False) -> bytes:
        """Return *nbytes* bytes that nobody can guess.

        :param fallback: whether to warn, and return others, if the system has none.
        :raise SecureRandomNotAvailable: if it has none.
        """
        try:
            return self._osUrandom(nbytes)
        except SourceNotAvailable:
            if not fallback:
                raise SecureRandomNotAvailable("the system has no secure random source") from None
        import warnings

        warnings.warn(
            "urandom unavailable - proceeding with non-cryptographically secure random source",
            RuntimeWarning,
            stacklevel=2,
        )
        return self.insecureRandom(nbytes)

    def _osUrandom(self, nbytes: int) -> bytes:
        try:
            return os.urandom(nbytes)
        except NotImplementedError as error:
            raise SourceNotAvailable("os.urandom") from error

    def insecureRandom(self, nbytes: int) -> bytes:
        """Return *nbytes* bytes that look random, and can be guessed."""
        return random.randbytes(nbytes)  # noqa: S311 - as the name says


_factory = RandomFactory()
secureRandom = _factory.secureRandom
insecureRandom = _factory.insecureRandom
getrandbits = random.getrandbits
