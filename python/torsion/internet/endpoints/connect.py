"""Connecting a protocol without a factory of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from torsion.internet.protocol import Factory

if TYPE_CHECKING:
    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IAddress, IStreamClientEndpoint

__all__ = ["connectProtocol"]

_Protocol = TypeVar("_Protocol")


class _OneProtocol(Factory):
    """Hands out a protocol that is there already."""

    noisy = False

    def __init__(self, protocol: object) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> object:
        """Return that protocol."""
        return self._protocol


def connectProtocol(endpoint: IStreamClientEndpoint, protocol: _Protocol) -> Deferred[_Protocol]:
    """Connect a protocol to an endpoint.

    :param endpoint: where to connect to.
    :param protocol: an ``IProtocol``.
    :returns: a Deferred that fires with *protocol* once its connection is made, or fails like *endpoint*'s ``connect``.
    """
    return endpoint.connect(_OneProtocol(protocol))
