"""Which implementation of TLS serves whom: rustls, natively, or OpenSSL, by way of pyOpenSSL.

Settings that torsion made go the native road.  What a program brings or changes itself (contexts, connection creators,
subclasses that override their making) needs OpenSSL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces.tls import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from torsion.internet.tls.client import ClientTLSOptions
from torsion.internet.tls.context import CertificateOptions
from torsion.internet.tls.creators import creator_for, handshake_timeout
from torsion.internet.tls.native import native_context
from torsion.internet.tls.sni import NameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion._native import TLSContext

__all__ = ["NativeRoad", "choose_road", "viaOpenSSL"]


class NativeRoad:
    """How the connections of one port, connector or ``startTLS`` are made secure natively.

    :ivar server_name: for a client: the host's name or numeric address; None if no name is to be checked or sent.
    """

    __slots__ = ("_check", "_client", "_options", "_send", "server_name")

    def __init__(
        self, options: CertificateOptions, client: bool, server_name: str | None = None, send_name: bool = True
    ) -> None:
        self._options = options
        self._client = client
        self._check = server_name is not None
        self._send = send_name
        self.server_name = server_name

    def context(self, protocols: Sequence[bytes] | None = None) -> TLSContext:
        """Return the context for the next connection: call it for each one, since certificates may change.

        :param protocols: the application protocols of the connection's factory, if it is one that has any
            (``IProtocolNegotiationFactory``); None for those of the settings.
        :raises torsion.internet.tls.errors.UnsupportedOption: for an option that the native implementation lacks.
        """
        return native_context(self._options.settings(self._client, protocols, self._check, self._send))

    def certificate(self, asked: str | None = None) -> bytes | None:
        """Return the certificate that this end shows, in DER; None if it has none.

        :param asked: for a server: the host that the client asked for.
        """
        settings = self._options.settings(self._client, None, self._check, self._send)
        shown = NameTable(settings.identities, settings.names).find(None if asked is None else asked.encode("ascii"))
        return None if shown is None else shown[0][0]


def choose_road(contextFactory: Any, isClient: bool) -> NativeRoad | None:
    """Tell how connections with some settings are made secure.

    :param contextFactory: the settings: what programs pass to ``listenSSL``, ``connectSSL`` and ``startTLS``.
    :param isClient: which role this end plays in the handshake.
    :returns: the native way, or None for OpenSSL's, by way of :class:`torsion.internet.tls.memory.TLSMemoryBIOFactory`.
    :raises torsion.internet.tls.errors.UnsupportedOption: for an option that the native implementation lacks.
    :raises TypeError: for something that is no settings at all; and whatever its ``getContext`` raises.
    """
    road = None
    if isinstance(contextFactory, CertificateOptions):
        if contextFactory._is_native():
            road = NativeRoad(contextFactory, isClient)
    elif isinstance(contextFactory, ClientTLSOptions) and isClient and _is_native(contextFactory):
        road = NativeRoad(contextFactory.options, True, contextFactory.name, contextFactory.sendServerName)
    if road is None:
        creator_for(contextFactory, isClient)
    else:
        road.context()  # what is wrong with the settings is told here, and not when the first connection comes
    return road


def _is_native(options: ClientTLSOptions) -> bool:
    mine = ClientTLSOptions.clientConnectionForTLS
    return type(options).clientConnectionForTLS is mine and options.options._is_native()


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class viaOpenSSL:  # called like a function
    """Settings for which OpenSSL is to be used, also where the native implementation would do.

    :ivar options: the settings.
    """

    def __init__(self, options: Any) -> None:
        """Use OpenSSL.

        :param options: :class:`CertificateOptions`, or what :func:`optionsForClientTLS` returns.
        """
        self.options = options

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection for a client's connection."""
        return self.options.clientConnectionForTLS(tlsProtocol)

    def serverConnectionForTLS(self, tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection for a connection that a server accepted."""
        return self.options.serverConnectionForTLS(tlsProtocol)

    @property
    def handshakeTimeout(self) -> float | None:
        """After how many seconds to give up a handshake; None for never."""
        return handshake_timeout(self.options)
