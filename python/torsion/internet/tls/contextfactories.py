"""Settings in the form of factories of OpenSSL's contexts, as programs wrote them before there was CertificateOptions."""

from __future__ import annotations

import os
from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces.tls import IOpenSSLContextFactory
from torsion.internet.tls.errors import bad_file
from torsion.internet.tls.openssl import ssl_module

__all__ = ["ClientContextFactory", "ContextFactory", "DefaultOpenSSLContextFactory"]

_ANY_METHOD = 7  # OpenSSL.SSL.TLS_METHOD


@implementer(IOpenSSLContextFactory)
class ContextFactory:
    """Knows the settings of secure connections, as an OpenSSL context. To be subclassed."""

    isClient: bool | int = 0
    """Whether these are a client's settings."""

    def getContext(self) -> Any:
        """Return the ``OpenSSL.SSL.Context``; a subclass has to say how it is made."""
        raise NotImplementedError(f"{type(self).__name__} has to override getContext")


class DefaultOpenSSLContextFactory(ContextFactory):
    """A server's settings: a certificate and its key, from two files."""

    _context: Any = None

    def __init__(
        self,
        privateKeyFileName: str | bytes,
        certificateFileName: str | bytes,
        sslmethod: int = _ANY_METHOD,
        _contextFactory: Any = None,
    ) -> None:
        """Read two PEM files.

        :param privateKeyFileName: the path of the key.
        :param certificateFileName: the path of the certificate.
        :param sslmethod: which versions of TLS to speak, by a constant of pyOpenSSL; anything from TLS 1.0 on by default.
        :raises BadCertificateFile: if one of them cannot be used; it names the file, and is an ``OpenSSL.SSL.Error``.
        :raises ImportError: if pyOpenSSL is not installed.
        """
        self.privateKeyFileName = privateKeyFileName
        self.certificateFileName = certificateFileName
        self.sslmethod = sslmethod
        self._contextFactory = _contextFactory
        self.cacheContext()

    def cacheContext(self) -> None:
        """Make the context, unless that was done already."""
        if self._context is not None:
            return
        SSL = ssl_module()
        context = (self._contextFactory or SSL.Context)(self.sslmethod)
        context.set_options(SSL.OP_NO_SSLv2 | SSL.OP_NO_SSLv3)
        _use(context.use_certificate_file, self.certificateFileName, "certificate", SSL)
        _use(context.use_privatekey_file, self.privateKeyFileName, "private key", SSL)
        self._context = context

    def getContext(self) -> Any:
        """Return the ``OpenSSL.SSL.Context``, the same one each time."""
        return self._context

    def __getstate__(self) -> dict[str, Any]:
        """Leave the context out: it cannot be copied, and is made again."""
        state = self.__dict__.copy()
        state.pop("_context", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the context again, when it is needed."""
        self.__dict__ = state


def _use(method: Any, path: str | bytes, what: str, SSL: Any) -> None:
    """Have a context use a file, and say which one it is if it cannot."""
    name = os.fsdecode(path)
    try:
        method(path)
    except SSL.Error as wrong:
        reasons = "; ".join(entry[2] for entry in wrong.args[0] if entry[2]) if wrong.args else ""
        if "mismatch" in reasons:
            raise bad_file(name, f"its {what} does not belong to the certificate") from wrong
        if not os.access(path, os.R_OK):
            raise bad_file(name, "cannot be read: it is missing, or may not be read by this user") from wrong
        raise bad_file(name, f"holds no {what} that can be used ({reasons or 'OpenSSL gives no reason'})") from wrong


@implementer(IOpenSSLContextFactory)
class ClientContextFactory:
    """A client's settings that trust anybody: good for tests only. Others use :func:`optionsForClientTLS`."""

    isClient: bool | int = 1
    """Whether these are a client's settings."""

    method: int = _ANY_METHOD
    """Which versions of TLS to speak, by a constant of pyOpenSSL."""

    _contextFactory: Any = None

    def getContext(self) -> Any:
        """Return a new ``OpenSSL.SSL.Context`` for TLS 1.2 and newer.

        :raises ImportError: if pyOpenSSL is not installed.
        """
        SSL = ssl_module()
        context = (self._contextFactory or SSL.Context)(self.method)
        # Set as options, and not as the oldest version, so that who asks for a version by `method` gets that.
        old = SSL.OP_NO_SSLv2 | SSL.OP_NO_SSLv3
        if self.method == _ANY_METHOD:
            old |= SSL.OP_NO_TLSv1 | SSL.OP_NO_TLSv1_1
        context.set_options(old)
        return context
