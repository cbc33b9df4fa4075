"""From a factory's hooks to a Deferred: what all client endpoints are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import Deferred, fail
from torsion.internet.error import ConnectingCancelledError, NoProtocol
from torsion.internet.interfaces import ILoggingContext, IProtocolFactory
from torsion.internet.protocol.passing import PassingProtocol
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IAddress, IConnector

__all__ = ["AwaitingFactory", "Handover", "connect_with"]


def connect_with(connect: Callable[[AwaitingFactory], object], protocolFactory: IProtocolFactory) -> Deferred[Any]:
    """Make a connection for an endpoint.

    :param connect: given a client factory, starts to connect.
    :param protocolFactory: whose protocol the connection is for.
    :returns: a Deferred that fires with the protocol once its ``connectionMade`` was called, or fails with what *connect*
        raised, the connection failed with or the factory raised.  Cancelling it gives the attempt up.
    """
    factory = AwaitingFactory(protocolFactory)
    try:
        connect(factory)
    except Exception:  # noqa: BLE001 - whatever it is, it is what the attempt came to
        return fail(Failure())
    return factory.made


@implementer(IProtocolFactory, ILoggingContext)
class AwaitingFactory:
    """A client factory for one connection that makes a protocol of another factory's.

    :ivar made: fires with that protocol when the connection is made.
    """

    noisy = False

    def __init__(self, wrapped: IProtocolFactory) -> None:
        self.wrapped = wrapped
        self.made: Deferred[Any] = Deferred(self._cancel)
        self._connector: IConnector | None = None
        self._settled = False

    def _cancel(self, made: Deferred[Any]) -> None:
        connector = self._connector
        self._settled = True
        if connector is None:
            return  # the Deferred fails with CancelledError, and a connector that starts now is stopped
        made.errback(ConnectingCancelledError(connector.getDestination()))
        connector.stopConnecting()

    def succeeded(self, protocol: Any) -> None:
        """The connection is made."""
        if not self._settled:
            self._settled = True
            self.made.callback(protocol)

    def failed(self, reason: Failure) -> None:
        """The connection is not made, or its protocol could not deal with it."""
        if not self._settled:
            self._settled = True
            self.made.errback(reason)

    # --- the hooks of a client factory -------------------------------------------------------------------------------

    def doStart(self) -> None:
        """Pass this on."""
        self.wrapped.doStart()

    def doStop(self) -> None:
        """Pass this on."""
        self.wrapped.doStop()

    def startedConnecting(self, connector: IConnector) -> None:
        """Remember what to stop if the Deferred is cancelled."""
        self._connector = connector
        if self._settled:
            connector.stopConnecting()

    def buildProtocol(self, addr: IAddress | None) -> Handover | None:
        """Make the wrapped factory's protocol, behind one that tells when its connection is made."""
        try:
            protocol = self.wrapped.buildProtocol(addr)
            if protocol is None:
                raise NoProtocol(f"{self.wrapped!r} made no protocol for {addr!r}")
        except BaseException:  # noqa: BLE001 - it is told through the Deferred, and the connection is closed
            self.failed(Failure())
            return None
        return Handover(self, protocol)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Tell whoever waits."""
        self.failed(reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Do nothing: the protocol has been told."""

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the wrapped factory's."""
        context = ILoggingContext(self.wrapped, None)
        return type(self.wrapped).__name__ if context is None else str(context.logPrefix())


class Handover(PassingProtocol):
    """Stands in for a protocol until its connection is made, so that it can be told when that is.

    From torsion's transports it then steps aside, and data goes straight to the protocol.  With other transports it stays
    in between and passes everything on.
    """

    def __init__(self, factory: AwaitingFactory, wrapped: Any) -> None:
        super().__init__(wrapped)
        self._factory = factory

    def makeConnection(self, transport: Any) -> None:
        """Hand the connection over, then tell whoever waits."""
        if getattr(transport, "protocol", None) is self:
            transport.protocol = self.passedTo
        try:
            super().makeConnection(transport)
        except BaseException:
            self._factory.failed(Failure())
            raise
        self._factory.succeeded(self.passedTo)
