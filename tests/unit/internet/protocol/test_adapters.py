"""Consumers as protocols, and protocols as consumers."""

from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IConsumer, IProtocol
from torsion.internet.protocol import (
    ConsumerToProtocolAdapter,
    Protocol,
    ProtocolToConsumerAdapter,
    connectionDone,
)


@implementer(IConsumer)
class Consumer:
    """Keeps what is written."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)


def test_a_protocol_becomes_a_consumer():
    protocol = Protocol()
    received = []
    protocol.dataReceived = received.append
    consumer = IConsumer(protocol)
    verifyObject(IConsumer, consumer)
    assert isinstance(consumer, ProtocolToConsumerAdapter)
    consumer.registerProducer(object(), True)
    consumer.write(b"hello")
    consumer.unregisterProducer()
    assert received == [b"hello"]


def test_a_consumer_becomes_a_protocol():
    consumer = Consumer()
    protocol = IProtocol(consumer)
    verifyObject(IProtocol, protocol)
    assert isinstance(protocol, ConsumerToProtocolAdapter)
    protocol.makeConnection(object())
    protocol.connectionMade()
    protocol.dataReceived(b"hello")
    protocol.connectionLost(connectionDone)
    assert consumer.written == [b"hello"]
