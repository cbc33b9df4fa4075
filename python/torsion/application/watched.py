"""Protocols that tell somebody besides that their connection is lost, and the factories that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import directlyProvides, implementer, providedBy

from torsion.internet.interfaces import ILoggingContext, IProtocolFactory, IProtocolNegotiationFactory
from torsion.internet.protocol.passing import PassingProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["Watched", "WatchingFactory"]


class Watched(PassingProtocol):
    """Stands before a protocol, and tells when the connection is lost.

    :ivar reason: why it is lost, or None while it is not.
    """

    def __init__(self, protocol: Any, told: Callable[[Watched, Failure], None]) -> None:
        """Watch a protocol.

        :param protocol: the protocol.
        :param told: called with this and the reason once the connection is lost and the protocol has been told so.
        """
        super().__init__(protocol)
        self._told = told
        self.reason: Failure | None = None

    @property
    def protocol(self) -> Any:
        """The protocol."""
        return self.passedTo

    def connectionLost(self, reason: Failure) -> None:
        """Pass this on, and tell."""
        self.reason = reason
        try:
            super().connectionLost(reason)
        finally:
            self._told(self, reason)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.passedTo!r}>"


@implementer(IProtocolFactory)
class WatchingFactory:
    """Makes the protocols of another factory, and watches them.

    :ivar latest: the protocol made last, or None.
    """

    def __init__(self, factory: Any, told: Callable[[Watched, Failure], None]) -> None:
        """Watch the protocols of a factory.

        :param factory: the factory.
        :param told: called with the watched protocol and the reason when one has lost its connection.
        """
        self._factory = factory
        self._told = told
        self.latest: Watched | None = None
        optional = (ILoggingContext, IProtocolNegotiationFactory)
        directlyProvides(self, [interface for interface in optional if interface in providedBy(factory)])

    @property
    def noisy(self) -> bool:
        """Whether the factory wants its start in the log."""
        return bool(getattr(self._factory, "noisy", True))

    def buildProtocol(self, addr: IAddress | None) -> Watched | None:
        """Have the factory make a protocol, and watch it.

        :returns: the watched protocol, or None if the factory made none: the connection is to be closed.
        """
        protocol = self._factory.buildProtocol(addr)
        self.latest = None if protocol is None else Watched(protocol, self._told)
        return self.latest

    def doStart(self) -> None:
        """Pass this on."""
        self._factory.doStart()

    def doStop(self) -> None:
        """Pass this on."""
        self._factory.doStop()

    def acceptableProtocols(self) -> list[bytes]:
        """Ask the factory; called only if it is an ``IProtocolNegotiationFactory``."""
        protocols: list[bytes] = self._factory.acceptableProtocols()
        return protocols

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the factory's."""
        return str(self._factory.logPrefix())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._factory!r}>"
