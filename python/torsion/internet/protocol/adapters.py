"""Consumers as protocols, and protocols as consumers.

They are registered as adapters: ``IConsumer(protocol)`` and ``IProtocol(consumer)`` make them.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from torsion.internet.interfaces.producer import IConsumer
from torsion.internet.interfaces.protocol import IProtocol
from torsion.python.components import Adapter, registerAdapter
from torsion.python.failure import Failure


@implementer(IConsumer)
class ProtocolToConsumerAdapter(Adapter):
    """A consumer that hands what is written to it to a protocol, as if it had been received."""

    def write(self, data: bytes) -> None:
        """Hand *data* to the protocol's ``dataReceived``."""
        self.original.dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Do nothing: a protocol takes all that comes, so the producer never has to pause."""

    def unregisterProducer(self) -> None:
        """Do nothing."""


@implementer(IProtocol)
class ConsumerToProtocolAdapter(Adapter):
    """A protocol that writes what it receives to a consumer."""

    def dataReceived(self, data: bytes) -> None:
        """Write *data* to the consumer."""
        self.original.write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: a consumer does not know of connections."""

    def makeConnection(self, transport: Any) -> None:
        """Do nothing: a consumer does not know of connections."""

    def connectionMade(self) -> None:
        """Do nothing: a consumer does not know of connections."""


registerAdapter(ProtocolToConsumerAdapter, IProtocol, IConsumer)
registerAdapter(ConsumerToProtocolAdapter, IConsumer, IProtocol)
