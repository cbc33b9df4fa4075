"""From a factory's hooks to a Deferred."""

from __future__ import annotations

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address
from torsion.internet.endpoints.wrapper import AwaitingFactory, Handover, connect_with
from torsion.internet.error import ConnectError, ConnectingCancelledError, NoProtocol
from torsion.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
    IProtocol,
    IProtocolFactory,
)
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import StringTransport
from torsion.python.failure import Failure


class Application(Protocol):
    """A protocol that notes what it is told."""

    def __init__(self):
        self.events = []

    def connectionMade(self):
        self.events.append("made")

    def dataReceived(self, data):
        self.events.append(data)

    def connectionLost(self, reason=None):
        self.events.append(reason)


class Connector:
    def __init__(self):
        self.stopped = 0

    def stopConnecting(self):
        self.stopped += 1

    def getDestination(self):
        return IPv4Address("TCP", "192.0.2.1", 80)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def wrapped():
    return Factory.forProtocol(Application)


@pytest.fixture
def factory(wrapped):
    return AwaitingFactory(wrapped)


def test_interfaces(factory):
    assert verifyObject(IProtocolFactory, factory)
    assert verifyObject(ILoggingContext, factory)
    assert verifyObject(IProtocol, factory.buildProtocol(None))


def test_the_protocol_once_it_is_connected(factory, wrapped):
    found = results(factory.made)
    between = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 80))
    assert found == []
    transport = StringTransport()
    between.makeConnection(transport)
    [protocol] = found
    assert isinstance(protocol, Application)
    assert protocol.factory is wrapped
    assert protocol.events == ["made"]
    assert protocol.transport is transport


def test_everything_is_passed_on(factory):
    between = factory.buildProtocol(None)
    between.makeConnection(StringTransport())
    between.dataReceived(b"data")
    between.connectionLost("reason")
    between.connectionMade()
    assert factory.made.result.events == ["made", b"data", "reason"]


def test_it_steps_aside_where_it_can(factory):
    class Transport(StringTransport):
        protocol = None

    transport = Transport()
    transport.protocol = factory.buildProtocol(None)
    transport.protocol.makeConnection(transport)
    assert transport.protocol is factory.made.result


def test_start_and_stop_are_passed_on(factory, wrapped):
    factory.doStart()
    assert wrapped.numPorts == 1
    factory.doStop()
    assert wrapped.numPorts == 0


def test_failed(factory):
    found = results(factory.made)
    reason = Failure(ConnectError(string="no"))
    factory.clientConnectionFailed(None, reason)
    factory.clientConnectionFailed(None, reason)
    assert found == [reason]


def test_made_after_it_was_given_up(factory):
    found = results(factory.made)
    between = factory.buildProtocol(None)
    factory.made.cancel()
    between.makeConnection(StringTransport())
    assert len(found) == 1


def test_lost_is_no_news(factory):
    factory.clientConnectionLost(None, Failure(ConnectError()))
    assert not factory.made.called


def test_no_protocol(factory, wrapped):
    wrapped.buildProtocol = lambda addr: None
    found = results(factory.made)
    assert factory.buildProtocol("where") is None
    assert found[0].check(NoProtocol)
    assert "where" in str(found[0].value)


def test_build_protocol_raises(factory, wrapped):
    wrapped.buildProtocol = lambda addr: 1 / 0
    found = results(factory.made)
    assert factory.buildProtocol(None) is None
    assert found[0].check(ZeroDivisionError)


def test_connection_made_raises(factory):
    found = results(factory.made)
    between = factory.buildProtocol(None)
    between.passedTo.connectionMade = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        between.makeConnection(StringTransport())
    assert found[0].check(ZeroDivisionError)


class TestCancelling:
    def test_while_connecting(self, factory):
        connector = Connector()
        factory.startedConnecting(connector)
        found = results(factory.made)
        factory.made.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert found[0].value.address == connector.getDestination()
        assert connector.stopped == 1
        factory.clientConnectionFailed(connector, Failure(ConnectError()))
        assert len(found) == 1

    def test_before_there_is_a_connector(self, factory):
        found = results(factory.made)
        factory.made.cancel()
        assert len(found) == 1
        connector = Connector()
        factory.startedConnecting(connector)
        assert connector.stopped == 1


class TestConnectWith:
    def test_what_connecting_raises(self, wrapped):
        def connect(factory):
            raise ZeroDivisionError

        assert results(connect_with(connect, wrapped))[0].check(ZeroDivisionError)

    def test_success(self, wrapped):
        found = results(
            connect_with(lambda factory: factory.buildProtocol(None).makeConnection(StringTransport()), wrapped)
        )
        assert isinstance(found[0], Application)


class TestOptionalInterfaces:
    @pytest.mark.parametrize(
        ("interface", "calls"),
        [
            (IHalfCloseableProtocol, {"readConnectionLost": (), "writeConnectionLost": ()}),
            (IFileDescriptorReceiver, {"fileDescriptorReceived": (7,)}),
            (IHandshakeListener, {"handshakeCompleted": ()}),
        ],
    )
    def test_those_of_the_protocol(self, interface, calls):
        called = {}

        @implementer(interface)
        class Special(Application):
            pass

        for name in calls:
            setattr(Special, name, lambda self, *args, name=name: called.setdefault(name, args))
        between = Handover(None, Special())
        assert verifyObject(interface, between)
        for name, args in calls.items():
            getattr(between, name)(*args)
        assert called == calls
        assert not interface.providedBy(Handover(None, Application()))

    def test_log_prefix(self):
        @implementer(ILoggingContext)
        class Named:
            def logPrefix(self):
                return "a name"

        class Plain:
            pass

        assert Handover(None, Named()).logPrefix() == AwaitingFactory(Named()).logPrefix() == "a name"
        assert Handover(None, Plain()).logPrefix() == AwaitingFactory(Plain()).logPrefix() == "Plain"
