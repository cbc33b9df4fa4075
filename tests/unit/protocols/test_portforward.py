"""The port forwarder, without sockets; on real ones it is tried in tests/contract."""

from __future__ import annotations

import pytest

from torsion.internet.address import IPv4Address
from torsion.internet.error import ConnectionRefusedError
from torsion.internet.protocol import connectionDone
from torsion.internet.testing import MemoryReactor, StringTransport
from torsion.logger import capturedLogs, formatEvent
from torsion.protocols.portforward import ProxyClientFactory, ProxyFactory
from torsion.python.failure import Failure

ADDRESS = IPv4Address("TCP", "192.0.2.1", 25)


class Half(StringTransport):
    """A transport that can be half closed."""

    half = False

    def loseWriteConnection(self):
        self.half = True


@pytest.fixture
def reactor():
    return MemoryReactor()


@pytest.fixture
def server(reactor):
    protocol = ProxyFactory("mail.example", 25).buildProtocol(ADDRESS)
    protocol.reactor = reactor
    protocol.makeConnection(Half())
    return protocol


def attempt(reactor):
    [(_, _, factory, _, _)] = reactor.tcpClients
    [connector] = reactor.connectors
    return factory, connector


@pytest.fixture
def client(reactor, server):
    factory, _ = attempt(reactor)
    protocol = factory.buildProtocol(ADDRESS)
    protocol.makeConnection(Half())
    return protocol


def test_it_connects_where_it_was_told_and_reads_nothing_before(reactor, server):
    assert reactor.tcpClients[0][:2] == ("mail.example", 25)
    assert server.transport.producerState == "paused"


def test_each_side_is_the_producer_of_the_other(server, client):
    assert (server.transport.producer, client.transport.producer) == (client.transport, server.transport)
    assert server.transport.streaming
    assert client.transport.streaming
    assert server.transport.producerState == "producing"


def test_what_one_side_hears_the_other_says(server, client):
    server.dataReceived(b"question")
    client.dataReceived(b"answer")
    assert (client.transport.value(), server.transport.value()) == (b"question", b"answer")


@pytest.mark.parametrize("first", ["server", "client"])
def test_an_end_is_passed_on(server, client, first):
    one, other = (server, client) if first == "server" else (client, server)
    one.connectionLost(connectionDone)
    assert other.transport.disconnecting
    assert other.transport.producer is None
    other.dataReceived(b"too late")
    other.connectionLost(connectionDone)


@pytest.mark.parametrize("first", ["server", "client"])
def test_an_end_of_half_a_connection_is_passed_on(server, client, first):
    one, other = (server, client) if first == "server" else (client, server)
    one.readConnectionLost()
    assert other.transport.half
    assert not other.transport.disconnecting
    assert not one.transport.disconnecting
    other.dataReceived(b"still there")
    assert one.transport.value() == b"still there"
    other.writeConnectionLost()
    other.readConnectionLost()
    assert one.transport.disconnecting
    assert other.transport.disconnecting
    assert one.transport.producer is other.transport.producer is None


def test_what_cannot_be_half_closed_is_closed(reactor, server):
    factory, _ = attempt(reactor)
    client = factory.buildProtocol(ADDRESS)
    client.makeConnection(StringTransport())
    server.readConnectionLost()
    assert client.transport.disconnecting
    assert server.transport.disconnecting


def test_an_end_before_the_connection_is_made_is_an_end(server):
    server.readConnectionLost()
    assert server.transport.disconnecting


def test_an_attempt_is_given_up_with_the_connection_that_it_was_for(reactor, server):
    _, connector = attempt(reactor)
    server.connectionLost(connectionDone)
    assert connector._disconnected


def test_a_connection_that_is_made_too_late_is_closed(reactor, server):
    factory, _ = attempt(reactor)
    server.transport.connected = False
    client = factory.buildProtocol(ADDRESS)
    client.makeConnection(Half())
    assert client.transport.disconnecting
    assert client.transport.producer is None


@pytest.mark.parametrize("noisy", [False, True])
def test_an_attempt_that_fails_closes_the_connection(reactor, server, noisy):
    factory, connector = attempt(reactor)
    server.noisy = noisy
    with capturedLogs() as events:
        factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))
    assert server.transport.disconnecting
    assert ["Cannot forward to" in formatEvent(event) for event in events] == [True] * noisy


def test_an_attempt_that_was_given_up_is_no_news(reactor, server):
    factory, connector = attempt(reactor)
    server.transport.connected = False
    with capturedLogs() as events:
        factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))
    assert events == []


def test_the_other_side_may_be_made_differently(reactor):
    made = []

    class Other(ProxyClientFactory):
        def buildProtocol(self, addr):
            made.append(addr)

    protocol = ProxyFactory("host", 1).buildProtocol(ADDRESS)
    protocol.reactor = reactor
    protocol.clientProtocolFactory = Other
    protocol.makeConnection(Half())
    factory, _ = attempt(reactor)
    assert factory.buildProtocol(ADDRESS) is None
    assert made == [ADDRESS]
