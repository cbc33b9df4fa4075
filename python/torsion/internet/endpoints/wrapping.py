"""Endpoints that put a wrapping factory between another endpoint and the program's factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.defer import fail
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.python.failure import Failure

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
            endpoint's ``connect``, or with what the wrapping factory raised.
        """
        try:
            factory = self._wrapperFactory(protocolFactory)
        except Exception:  # noqa: BLE001 - settings that cannot be used, say: it is what the attempt came to
            return fail(Failure())
        return self._wrappedEndpoint.connect(factory).addCallback(lambda protocol: protocol.wrappedProtocol)


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

        :returns: a Deferred that fires or fails like the wrapped endpoint's ``listen``, or fails with what the wrapping
            factory raised.
        """
        try:
            factory = self._wrapperFactory(protocolFactory)
        except Exception:  # noqa: BLE001 - settings that cannot be used, say: it is what listening came to
            return fail(Failure())
        return self._wrappedEndpoint.listen(factory)
