"""Protocols that remember what happened to them."""

from torsion.internet.defer import Deferred
from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import (
    AccumulatingProtocol,
    LineSendingProtocol,
    StringTransport,
    waitUntilAllDisconnected,
)


def test_accumulating():
    protocol, fired = AccumulatingProtocol(), []
    protocol.closedDeferred = Deferred().addCallback(fired.append)
    protocol.makeConnection(StringTransport())
    assert protocol.made
    protocol.dataReceived(b"one ")
    protocol.dataReceived(b"two")
    assert protocol.data == b"one two"
    assert not protocol.closed
    protocol.connectionLost(connectionDone)
    assert protocol.closed
    assert protocol.closedReason is connectionDone
    assert fired == [None]


def test_accumulating_tells_its_factory_once():
    made = []
    factory = Factory.forProtocol(AccumulatingProtocol)
    factory.protocolConnectionMade = Deferred().addCallback(made.append)
    first, second = factory.buildProtocol(None), factory.buildProtocol(None)
    first.makeConnection(StringTransport())
    second.makeConnection(StringTransport())
    second.connectionLost()
    assert made == [first]


def test_lines_that_start():
    protocol, transport = LineSendingProtocol([b"a", b"b"]), StringTransport()
    protocol.makeConnection(transport)
    assert transport.value() == b"a\r\nb\r\n"
    protocol.dataReceived(b"x\r\ny")
    protocol.dataReceived(b"y\r")
    protocol.dataReceived(b"\n")
    assert protocol.response == [b"x", b"yy"]
    assert transport.value() == b"a\r\nb\r\n"
    assert not protocol.lostConn
    protocol.connectionLost(connectionDone)
    assert protocol.lostConn


def test_lines_that_wait():
    protocol, transport = LineSendingProtocol([b"a", b"b"], start=False), StringTransport()
    protocol.makeConnection(transport)
    assert transport.value() == b""
    protocol.dataReceived(b"x\r\ny\r\n")
    assert transport.value() == b"a\r\nb\r\n"
    assert protocol.response == [b"x", b"y"]


def test_waiting_for_the_end():
    clock, protocols, fired = Clock(), [Protocol(), Protocol()], []
    for protocol in protocols:
        protocol.makeConnection(StringTransport())
    waitUntilAllDisconnected(clock, protocols).addCallback(fired.append)
    clock.advance(0.01)
    protocols[0].transport.connected = False
    clock.advance(0.01)
    assert fired == []
    protocols[1].transport.connected = False
    clock.advance(0.01)
    assert fired == [None]
    assert clock.getDelayedCalls() == []


def test_waiting_for_nothing():
    fired = []
    waitUntilAllDisconnected(Clock(), []).addCallback(fired.append)
    assert fired == [None]
