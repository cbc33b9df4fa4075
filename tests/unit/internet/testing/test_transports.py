"""Transports that keep in memory what is written to them."""

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address
from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces import IAddress, IConsumer, IPushProducer, ITransport, IUDPTransport
from torsion.internet.protocol import Protocol
from torsion.internet.testing import (
    FakeDatagramTransport,
    NonStreamingProducer,
    StringIOWithoutClosing,
    StringTransport,
    StringTransportWithDisconnection,
)


class Losing(Protocol):
    """Keeps the reason of its loss, and whether the transport stood then."""

    def __init__(self):
        self.lost = []

    def connectionLost(self, reason):
        self.lost.append((reason.type, self.transport.connected))


def test_interfaces():
    for interface in (ITransport, IConsumer, IPushProducer):
        verifyObject(interface, StringTransport())
        verifyObject(interface, StringTransportWithDisconnection())
    verifyObject(IUDPTransport, FakeDatagramTransport())


def test_written():
    transport = StringTransport()
    transport.write(b"one ")
    transport.write(bytearray(b"two "))
    transport.writeSequence([b"three ", memoryview(b"four")])
    assert transport.value() == b"one two three four"
    transport.clear()
    assert transport.value() == b""
    transport.write(b"five")
    assert transport.io.getvalue() == b"five"


def test_text_is_refused():
    transport = StringTransport()
    with pytest.raises(TypeError, match="not str: encode"):
        transport.write("text")
    with pytest.raises(TypeError):
        transport.writeSequence(["text"])
    assert transport.value() == b""


def test_closing():
    transport = StringTransport()
    assert not transport.disconnecting
    transport.loseConnection()
    assert transport.disconnecting
    assert not transport.disconnected
    transport.write(b"late")
    assert transport.value() == b"late"


def test_aborting():
    transport = StringTransport()
    transport.abortConnection()
    assert transport.disconnecting
    assert transport.disconnected


def test_addresses():
    assert StringTransport().getHost() == IPv4Address("TCP", "10.0.0.1", 12345)
    assert StringTransport().getPeer() == IPv4Address("TCP", "192.168.1.1", 54321)
    host, peer = object(), object()
    transport = StringTransport(host, peer)
    assert transport.getHost() is host
    assert transport.getPeer() is peer


def test_one_producer_at_a_time():
    transport, one, other = StringTransport(), object(), object()
    transport.registerProducer(one, True)
    with pytest.raises(RuntimeError, match="unregister it first"):
        transport.registerProducer(other, False)
    assert (transport.producer, transport.streaming) == (one, True)
    transport.unregisterProducer()
    assert (transport.producer, transport.streaming) == (None, None)
    transport.registerProducer(other, False)
    assert (transport.producer, transport.streaming) == (other, False)


def test_no_producer_to_unregister():
    with pytest.raises(RuntimeError, match="none is registered"):
        StringTransport().unregisterProducer()


def test_states():
    transport = StringTransport()
    assert transport.producerState == "producing"
    transport.pauseProducing()
    assert transport.producerState == "paused"
    transport.resumeProducing()
    assert transport.producerState == "producing"
    transport.stopProducing()
    assert transport.producerState == "stopped"


@pytest.mark.parametrize("method", ["pauseProducing", "resumeProducing", "stopProducing"])
def test_states_at_the_end(method):
    stopped = StringTransport()
    stopped.stopProducing()
    with pytest.raises(RuntimeError, match="stopped producer"):
        getattr(stopped, method)()
    closing = StringTransport()
    closing.loseConnection()
    with pytest.raises(RuntimeError, match="after loseConnection"):
        getattr(closing, method)()
    lenient = StringTransport(lenient=True)
    lenient.loseConnection()
    getattr(lenient, method)()


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_disconnection(how):
    transport = StringTransportWithDisconnection()
    transport.protocol = Losing()
    transport.protocol.makeConnection(transport)
    assert transport.connected
    getattr(transport, how)()
    getattr(transport, how)()
    assert transport.protocol.lost == [(ConnectionDone, False)]


def test_datagrams():
    transport = FakeDatagramTransport()
    transport.write(b"one", ("127.0.0.1", 1))
    transport.write(b"two")
    assert transport.written == [(b"one", ("127.0.0.1", 1)), (b"two", transport.noAddr)]
    assert not transport.getBroadcastAllowed()
    transport.setBroadcastAllowed(True)
    assert transport.getBroadcastAllowed()
    verifyObject(IAddress, transport.getHost())
    assert transport.stopListening() is None
    transport.connect("127.0.0.1", 1)
    with pytest.raises(RuntimeError, match="already"):
        transport.connect("127.0.0.1", 2)


def test_a_file_that_can_be_read_after_closing():
    file = StringIOWithoutClosing(b"kept")
    file.close()
    assert file.read() == b"kept"


class Consumer:
    """Keeps what is written, and whether its producer has gone."""

    def __init__(self):
        self.written = []
        self.left = False

    def write(self, data):
        self.written.append(data)

    def unregisterProducer(self):
        self.left = True


def test_ten_pieces():
    consumer, fired = Consumer(), []
    producer = NonStreamingProducer(consumer)
    producer.result.addCallback(fired.append)
    for _ in range(9):
        producer.resumeProducing()
    assert not consumer.left
    assert fired == []
    producer.resumeProducing()
    assert consumer.written == [b"%d" % digit for digit in range(10)]
    assert consumer.left
    assert producer.consumer is None
    assert fired == [None]
    with pytest.raises(RuntimeError):
        producer.resumeProducing()


def test_pull_producers_are_not_paused():
    with pytest.raises(RuntimeError):
        NonStreamingProducer(Consumer()).pauseProducing()


def test_stopped_producer():
    producer, fired = NonStreamingProducer(Consumer()), []
    producer.result.addCallback(fired.append)
    producer.stopProducing()
    producer.stopProducing()
    assert producer.stopped
    assert fired == [None]
    with pytest.raises(RuntimeError):
        producer.resumeProducing()
