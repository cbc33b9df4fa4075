"""The factory that puts TLS between a transport and another factory's protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet._current import current_reactor
from torsion.internet.interfaces.core import ILoggingContext
from torsion.internet.interfaces.tls import IProtocolNegotiationFactory
from torsion.internet.protocol.wrapping import WrappingFactory
from torsion.internet.tls.buffering import BufferingTLSTransport
from torsion.internet.tls.creators import creator_for, handshake_timeout
from torsion.internet.tls.opensslcontext import choose_protocols
from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.internet.interfaces.time import IReactorTime

__all__ = ["TLSMemoryBIOFactory"]

_log = Logger()


class TLSMemoryBIOFactory(WrappingFactory):
    """Has the protocols of another factory speak through TLS, over any transport, by way of OpenSSL."""

    protocol = BufferingTLSTransport

    noisy = False
    """The wrapped factory tells the log of its start; this one would only repeat it."""

    def __init__(
        self,
        contextFactory: Any,
        isClient: bool,
        wrappedFactory: Any,
        clock: IReactorTime | None = None,
    ) -> None:
        """Wrap a factory.

        :param contextFactory: the settings: a connection creator of the right role, or something with ``getContext``.
        :param isClient: which role this end plays in the handshake.
        :param wrappedFactory: makes the protocols.  If it has ``acceptableProtocols``, these are agreed upon.
        :param clock: for time limits, and to put small writes together; None for the reactor that runs.
        :raises TypeError: if *contextFactory* is no settings; and whatever its ``getContext`` raises.
        """
        super().__init__(wrappedFactory)
        self._creatorCallable = creator_for(contextFactory, isClient)
        self._isClient = isClient
        self._given_clock = clock
        self.handshakeTimeout = handshake_timeout(contextFactory)

    @property
    def _clock(self) -> IReactorTime:
        if self._given_clock is None:
            self._given_clock = current_reactor()
        return self._given_clock

    def logPrefix(self) -> str:
        """Return the wrapped factory's prefix for log lines, marked as secure."""
        context = ILoggingContext(self.wrappedFactory, None)
        name = type(self.wrappedFactory).__name__ if context is None else context.logPrefix()
        return f"{name} (TLS)"

    def _createConnection(self, tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection for a TLS protocol."""
        if IProtocolNegotiationFactory.providedBy(self.wrappedFactory):
            tlsProtocol.acceptableProtocols = tuple(self.wrappedFactory.acceptableProtocols())
        connection = self._creatorCallable(tlsProtocol)
        connection.set_app_data(tlsProtocol)
        if tlsProtocol.acceptableProtocols:
            if self._isClient:
                connection.set_alpn_protos(list(tlsProtocol.acceptableProtocols))
            else:
                self._choose_protocols(connection.get_context())
        if self._isClient:
            connection.set_connect_state()
        else:
            connection.set_accept_state()
        return connection

    def _choose_protocols(self, context: Any) -> None:
        """Have a server's context, which may be the program's own, ask this factory for application protocols."""
        try:
            choose_protocols(context, ())
        except ValueError:  # OpenSSL's contexts cannot be changed once a connection was made of them
            _log.warn(
                "{factory!r} has application protocols to agree upon, which {context!r} cannot: it was used before. Pass "
                "CertificateOptions instead",
                factory=self.wrappedFactory,
                context=context,
            )
