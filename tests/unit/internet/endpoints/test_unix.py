"""UNIX socket endpoints."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import UNIXAddress
from torsion.internet.endpoints import UNIXClientEndpoint, UNIXServerEndpoint
from torsion.internet.error import CannotListenError, ConnectError, ConnectingCancelledError
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactorClock, RaisingMemoryReactor, StringTransport

FACTORY = Factory.forProtocol(Protocol)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def reactor():
    return MemoryReactorClock()


class TestServer:
    def test_listen(self, reactor):
        endpoint = UNIXServerEndpoint(reactor, "/run/x")
        assert verifyObject(IStreamServerEndpoint, endpoint)
        [port] = results(endpoint.listen(FACTORY))
        assert reactor.unixServers == [("/run/x", FACTORY, 50, 0o666, 0)]
        assert port.getHost() == UNIXAddress("/run/x")
        assert repr(endpoint) == "<UNIXServerEndpoint '/run/x'>"

    def test_options(self, reactor):
        UNIXServerEndpoint(reactor, b"/run/x", 5, 0o600, True).listen(FACTORY)
        assert reactor.unixServers == [(b"/run/x", FACTORY, 5, 0o600, True)]

    def test_failure(self):
        problem = CannotListenError(None, "/run/x", OSError("in use"))
        endpoint = UNIXServerEndpoint(RaisingMemoryReactor(listenException=problem), "/run/x")
        [failure] = results(endpoint.listen(FACTORY))
        assert failure.value is problem


class TestClient:
    def test_connect(self, reactor):
        endpoint = UNIXClientEndpoint(reactor, "/run/x")
        assert verifyObject(IStreamClientEndpoint, endpoint)
        found = results(endpoint.connect(FACTORY))
        [(path, factory, timeout, check)] = reactor.unixClients
        assert (path, timeout, check) == ("/run/x", 30, 0)
        factory.buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)
        assert repr(endpoint) == "<UNIXClientEndpoint '/run/x'>"

    def test_options(self, reactor):
        UNIXClientEndpoint(reactor, "/run/x", timeout=7, checkPID=True).connect(FACTORY)
        [client] = reactor.unixClients
        assert (client[0], *client[2:]) == ("/run/x", 7, True)

    def test_failure(self):
        problem = ConnectError(string="no")
        endpoint = UNIXClientEndpoint(RaisingMemoryReactor(connectException=problem), "/run/x")
        [failure] = results(endpoint.connect(FACTORY))
        assert failure.value is problem

    def test_cancelled(self, reactor):
        connecting = UNIXClientEndpoint(reactor, "/run/x").connect(FACTORY)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert found[0].value.address == UNIXAddress("/run/x")
        assert reactor.connectors[0].stoppedConnecting
