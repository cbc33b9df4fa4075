"""Stand-ins for tests: transports that keep what is written, reactors that connect nothing, protocols that remember.

``transports`` · ``reactors``, and ``raising`` for one that fails · ``connectors`` · ``resolvers`` · ``protocols`` ·
``observers`` of the log.
"""

from torsion.internet.testing.connectors import _FakeConnector, _FakePort
from torsion.internet.testing.observers import EventLoggingObserver
from torsion.internet.testing.protocols import AccumulatingProtocol, LineSendingProtocol, waitUntilAllDisconnected
from torsion.internet.testing.raising import RaisingMemoryReactor
from torsion.internet.testing.reactors import MemoryReactor, MemoryReactorClock
from torsion.internet.testing.resolvers import SynchronousResolver
from torsion.internet.testing.transports import (
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)

__all__ = [
    "AccumulatingProtocol",
    "EventLoggingObserver",
    "FakeDatagramTransport",
    "LineSendingProtocol",
    "MemoryReactor",
    "MemoryReactorClock",
    "NonStreamingProducer",
    "RaisingMemoryReactor",
    "StringIOWithoutClosing",
    "StringTransport",
    "StringTransportWithDisconnection",
    "SynchronousResolver",
    "_FakeConnector",
    "_FakePort",
    "waitUntilAllDisconnected",
]
