"""TLS by the reactor's own methods."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address
from torsion.internet.endpoints import SSL4ClientEndpoint, SSL4ServerEndpoint
from torsion.internet.error import CannotListenError, ConnectError, ConnectingCancelledError
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactorClock, RaisingMemoryReactor, StringTransport

FACTORY = Factory.forProtocol(Protocol)
CONTEXT = object()


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def reactor():
    return MemoryReactorClock()


class TestServer:
    def test_listen(self, reactor):
        endpoint = SSL4ServerEndpoint(reactor, 443, CONTEXT)
        assert verifyObject(IStreamServerEndpoint, endpoint)
        [port] = results(endpoint.listen(FACTORY))
        assert reactor.sslServers == [(443, FACTORY, CONTEXT, 50, "")]
        assert port.getHost().port == 443
        assert repr(endpoint) == "<SSL4ServerEndpoint *:443>"

    def test_options(self, reactor):
        SSL4ServerEndpoint(reactor, 443, CONTEXT, 5, "127.0.0.1").listen(FACTORY)
        assert reactor.sslServers == [(443, FACTORY, CONTEXT, 5, "127.0.0.1")]

    def test_failure(self):
        problem = CannotListenError("", 443, OSError("in use"))
        endpoint = SSL4ServerEndpoint(RaisingMemoryReactor(listenException=problem), 443, CONTEXT)
        [failure] = results(endpoint.listen(FACTORY))
        assert failure.value is problem


class TestClient:
    def test_connect(self, reactor):
        endpoint = SSL4ClientEndpoint(reactor, "host.example", 443, CONTEXT)
        assert verifyObject(IStreamClientEndpoint, endpoint)
        found = results(endpoint.connect(FACTORY))
        [(host, port, factory, context, timeout, bind)] = reactor.sslClients
        assert (host, port, context, timeout, bind) == ("host.example", 443, CONTEXT, 30, None)
        factory.buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)
        assert repr(endpoint) == "<SSL4ClientEndpoint host.example:443>"

    def test_options(self, reactor):
        SSL4ClientEndpoint(reactor, "h", 443, CONTEXT, timeout=7, bindAddress=("127.0.0.2", 9)).connect(FACTORY)
        assert reactor.sslClients[0][4:] == (7, ("127.0.0.2", 9))

    def test_failure(self):
        problem = ConnectError(string="no")
        endpoint = SSL4ClientEndpoint(RaisingMemoryReactor(connectException=problem), "h", 443, CONTEXT)
        [failure] = results(endpoint.connect(FACTORY))
        assert failure.value is problem

    def test_cancelled(self, reactor):
        connecting = SSL4ClientEndpoint(reactor, "h", 443, CONTEXT).connect(FACTORY)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert found[0].value.address == IPv4Address("TCP", "h", 443)
