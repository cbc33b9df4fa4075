"""Endpoints that put a wrapping factory between another endpoint and the program's factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory

__all__ = ["WrapperEndpoint", "WrapperServerEndpoint"]


@implementer(IStreamClientEndpoint)
class WrapperEndpoint:
    """A place to connect to whose protocols are wrapped."""

    def __init__(self, wrappedEndpoint: IStreamClientEndpoint, wrapperFactory: Callable[[Any], Any]) -> None:
        """Wrap the protocols of connections to an endpoint.

        :param wrappedEndpoint: the endpoint.
        :param wrapperFactory: given the program's factory, returns one whose protocols have theirs as ``wrappedProtocol``;
            such as a subclass of :class:`torsion.protocols.policies.WrappingFactory`.
        """
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """Connect, for a protocol that *protocolFactory* makes.

        :returns: a Deferred that fires with that protocol, connected through its wrapper, or fails like the wrapped
            endpoint's ``connect``.
        """
        connecting = self._wrappedEndpoint.connect(self._wrapperFactory(protocolFactory))
        return connecting.addCallback(lambda protocol: protocol.wrappedProtocol)


@implementer(IStreamServerEndpoint)
class WrapperServerEndpoint:
    """A place to listen at whose protocols are wrapped."""

    def __init__(self, wrappedEndpoint: IStreamServerEndpoint, wrapperFactory: Callable[[Any], Any]) -> None:
        """Wrap the protocols of an endpoint's connections.

        :param wrappedEndpoint: the endpoint.
        :param wrapperFactory: given the program's factory, returns one whose protocols wrap those of it.
        """
        self._wrappedEndpoint = wrappedEndpoint
        self._wrapperFactory = wrapperFactory

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen, and give each connection to a wrapped protocol that *protocolFactory* makes.

        :returns: a Deferred that fires or fails like the wrapped endpoint's ``listen``.
        """
        return self._wrappedEndpoint.listen(self._wrapperFactory(protocolFactory))
