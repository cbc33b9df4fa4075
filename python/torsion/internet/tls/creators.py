"""How an OpenSSL connection is had from whatever a program passes as its settings."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torsion.internet.interfaces.tls import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
)
from torsion.internet.tls.openssl import ssl_module
from torsion.internet.tls.opensslcontext import choose_protocols, make_connection
from torsion.internet.tls.settings import HANDSHAKE_TIMEOUT
from torsion.python.deprecate import getWarningMethod

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LegacyContextFactoryWarning", "creator_for", "handshake_timeout"]


class LegacyContextFactoryWarning(DeprecationWarning):
    """An object is used as a context factory that does not say that it is one."""


def _connection_maker(creator: Any, isClient: bool) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = creator.clientConnectionForTLS if isClient else creator.serverConnectionForTLS
    return made


def handshake_timeout(contextFactory: Any) -> float | None:
    """Return after how many seconds to give up a handshake, as settings have it, or by default."""
    found: float | None = getattr(contextFactory, "handshakeTimeout", HANDSHAKE_TIMEOUT)
    return found


def creator_for(contextFactory: Any, isClient: bool, stacklevel: int = 3) -> Callable[[Any], Any]:
    """Return a function from a TLS protocol to its ``OpenSSL.SSL.Connection``.

    :param contextFactory: a connection creator of the right role, or something with a ``getContext``.
    :param isClient: which role this end plays in the handshake.
    :param stacklevel: whose fault it is if *contextFactory* does not declare what it is: as for ``warnings.warn``.
    :raises TypeError: if it is neither; and whatever its ``getContext`` raises.
    """
    interface = IOpenSSLClientConnectionCreator if isClient else IOpenSSLServerConnectionCreator
    if interface.providedBy(contextFactory):
        return _connection_maker(contextFactory, isClient)
    if not IOpenSSLContextFactory.providedBy(contextFactory):
        role = "Client" if isClient else "Server"
        getWarningMethod()(
            f"{contextFactory!r} does not explicitly provide any OpenSSL connection-creator {role} interface; neither "
            f"{interface.__name__}, nor IOpenSSLContextFactory.",
            LegacyContextFactoryWarning,
            stacklevel=stacklevel,
        )
    getContext = getattr(contextFactory, "getContext", None)
    if getContext is None:
        raise TypeError(f"{contextFactory!r} does not even have a `getContext` method")
    # Asked once here: a context that cannot be made is to be told to whoever uses it, not to the log at the first connection.
    if not isinstance(getContext(), ssl_module().Context):
        raise TypeError(f"{contextFactory!r}'s `getContext` method doesn't return a `Context`")

    def create(tlsProtocol: Any) -> Any:
        context = getContext()
        if not isClient and tlsProtocol.acceptableProtocols:
            with suppress(ValueError):  # used before: the factory will say so
                choose_protocols(context, ())
        return make_connection(context, tlsProtocol)

    return create
