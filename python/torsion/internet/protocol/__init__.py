"""What applications subclass: protocols, one for each connection, and factories that make them.

``protocols`` for streams · ``factory`` for ports · ``client`` for connectors, and ``reconnecting`` for those that try
again · ``datagram`` · ``process`` for child processes · ``creator`` single connections · ``adapters`` and
``filewrapper`` bend other things into these shapes · ``producers`` between a protocol and what it is in.
"""

from torsion.internet.protocol.adapters import ConsumerToProtocolAdapter, ProtocolToConsumerAdapter
from torsion.internet.protocol.client import ClientFactory
from torsion.internet.protocol.creator import ClientCreator
from torsion.internet.protocol.datagram import AbstractDatagramProtocol, ConnectedDatagramProtocol, DatagramProtocol
from torsion.internet.protocol.factory import Factory, ServerFactory
from torsion.internet.protocol.filewrapper import FileWrapper
from torsion.internet.protocol.process import ProcessProtocol
from torsion.internet.protocol.protocols import BaseProtocol, Protocol, connectionDone
from torsion.internet.protocol.reconnecting import ReconnectingClientFactory

__all__ = [
    "AbstractDatagramProtocol",
    "BaseProtocol",
    "ClientCreator",
    "ClientFactory",
    "ConnectedDatagramProtocol",
    "ConsumerToProtocolAdapter",
    "DatagramProtocol",
    "Factory",
    "FileWrapper",
    "ProcessProtocol",
    "Protocol",
    "ProtocolToConsumerAdapter",
    "ReconnectingClientFactory",
    "ServerFactory",
    "connectionDone",
]
