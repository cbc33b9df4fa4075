"""Endpoints with a factory in between."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from torsion.internet.endpoints.wrapping import WrapperEndpoint, WrapperServerEndpoint
from torsion.internet.error import ConnectError, ConnectingCancelledError
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.protocol.wrapping import ProtocolWrapper, WrappingFactory
from torsion.internet.testing import MemoryReactorClock, StringTransport
from torsion.python.failure import Failure


class Louder(ProtocolWrapper):
    def dataReceived(self, data):
        super().dataReceived(data.upper())

    def write(self, data):
        super().write(data.upper())


class LouderFactory(WrappingFactory):
    protocol = Louder


class Application(Protocol):
    received = b""

    def dataReceived(self, data):
        self.received += data


FACTORY = Factory.forProtocol(Application)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def reactor():
    return MemoryReactorClock()


class TestClient:
    @pytest.fixture
    def endpoint(self, reactor):
        return WrapperEndpoint(TCP4ClientEndpoint(reactor, "127.0.0.1", 80), LouderFactory)

    def test_what_comes_of_it(self, reactor, endpoint):
        assert verifyObject(IStreamClientEndpoint, endpoint)
        found = results(endpoint.connect(FACTORY))
        between = reactor.tcpClients[0][2].buildProtocol(None)
        between.makeConnection(transport := StringTransport())
        [protocol] = found
        assert type(protocol) is Application
        assert isinstance(protocol.transport, Louder)
        assert protocol.transport.transport is transport
        between.dataReceived(b"hello")
        assert protocol.received == b"HELLO"
        protocol.transport.write(b"bye")
        assert transport.value() == b"BYE"

    def test_failure(self, reactor, endpoint):
        found = results(endpoint.connect(FACTORY))
        reactor.tcpClients[0][2].clientConnectionFailed(None, reason := Failure(ConnectError()))
        assert found == [reason]

    def test_cancelled(self, reactor, endpoint):
        connecting = endpoint.connect(FACTORY)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)


def test_server(reactor):
    endpoint = WrapperServerEndpoint(TCP4ServerEndpoint(reactor, 80), LouderFactory)
    assert verifyObject(IStreamServerEndpoint, endpoint)
    [port] = results(endpoint.listen(FACTORY))
    assert port.getHost().port == 80
    between = reactor.tcpServers[0][1].buildProtocol(None)
    between.makeConnection(StringTransport())
    between.dataReceived(b"hello")
    assert between.wrappedProtocol.received == b"HELLO"


@pytest.mark.parametrize(("kind", "method"), [(WrapperEndpoint, "connect"), (WrapperServerEndpoint, "listen")])
def test_a_wrapper_that_cannot_be_made(kind, method):
    def refuse(factory):
        raise ZeroDivisionError

    [failure] = results(getattr(kind(None, refuse), method)(FACTORY))
    assert failure.check(ZeroDivisionError)
