"""TCP endpoints for one address."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv6Address
from torsion.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, TCP6ClientEndpoint, TCP6ServerEndpoint
from torsion.internet.error import CannotListenError, ConnectingCancelledError, DNSLookupError
from torsion.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactorClock, RaisingMemoryReactor, StringTransport

FACTORY = Factory.forProtocol(Protocol)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


class Resolver:
    def __init__(self, *addresses):
        self.addresses = addresses
        self.cancelled = False

    def resolveHostName(self, resolutionReceiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        self.asked = hostName, portNumber, addressTypes
        self.receiver = resolutionReceiver
        resolutionReceiver.resolutionBegan(self)
        return self

    def answer(self):
        for address in self.addresses:
            self.receiver.addressResolved(address)
        self.receiver.resolutionComplete()

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def reactor():
    return MemoryReactorClock()


@pytest.mark.parametrize(("kind", "everywhere"), [(TCP4ServerEndpoint, ""), (TCP6ServerEndpoint, "::")])
class TestServers:
    def test_listen(self, reactor, kind, everywhere):
        endpoint = kind(reactor, 80)
        assert verifyObject(IStreamServerEndpoint, endpoint)
        [port] = results(endpoint.listen(FACTORY))
        assert reactor.tcpServers == [(80, FACTORY, 50, everywhere)]
        assert port.getHost().port == 80

    def test_options(self, reactor, kind, everywhere):
        kind(reactor, 80, backlog=5, interface="lo").listen(FACTORY)
        assert reactor.tcpServers == [(80, FACTORY, 5, "lo")]

    def test_failure(self, kind, everywhere):
        problem = CannotListenError("", 80, OSError("in use"))
        [failure] = results(kind(RaisingMemoryReactor(listenException=problem), 80).listen(FACTORY))
        assert failure.value is problem

    def test_representation(self, reactor, kind, everywhere):
        assert repr(kind(reactor, 80, interface="1.2.3.4")) == f"<{kind.__name__} 1.2.3.4:80>"


@pytest.mark.parametrize(("kind", "host"), [(TCP4ClientEndpoint, "192.0.2.1"), (TCP6ClientEndpoint, "2001:db8::1")])
class TestClients:
    def test_connect(self, reactor, kind, host):
        endpoint = kind(reactor, host, 80)
        assert verifyObject(IStreamClientEndpoint, endpoint)
        found = results(endpoint.connect(FACTORY))
        [(to, port, factory, timeout, bind)] = reactor.tcpClients
        assert (to, port, timeout, bind) == (host, 80, 30, None)
        factory.buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)

    def test_options(self, reactor, kind, host):
        kind(reactor, host, 80, timeout=7, bindAddress="lo").connect(FACTORY)
        kind(reactor, host, 80, bindAddress=("lo", 7)).connect(FACTORY)
        assert [client[3:] for client in reactor.tcpClients] == [(7, ("lo", 0)), (30, ("lo", 7))]

    def test_what_connecting_raises(self, kind, host):
        endpoint = kind(RaisingMemoryReactor(connectException=ZeroDivisionError()), host, 80)
        assert results(endpoint.connect(FACTORY))[0].check(ZeroDivisionError)

    def test_representation(self, reactor, kind, host):
        assert repr(kind(reactor, host, 80)) == f"<{kind.__name__} {host}:80>"


def test_names_over_ipv4_are_the_reactors(reactor):
    TCP4ClientEndpoint(reactor, "host.example", 80).connect(FACTORY)
    assert reactor.tcpClients[0][0] == "host.example"


class TestNamesOverIPv6:
    def connect(self, reactor, *addresses):
        self.resolver = Resolver(*addresses)
        reactor.installNameResolver(self.resolver)
        return TCP6ClientEndpoint(reactor, "host.example", 80).connect(FACTORY)

    def test_found(self, reactor):
        found = results(
            self.connect(reactor, IPv6Address("TCP", "2001:db8::1", 80), IPv6Address("TCP", "2001:db8::2", 80))
        )
        assert self.resolver.asked == ("host.example", 80, [IPv6Address])
        assert reactor.tcpClients == []
        self.resolver.answer()
        assert [client[0] for client in reactor.tcpClients] == ["2001:db8::1"]
        reactor.tcpClients[0][2].buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)

    def test_not_found(self, reactor):
        found = results(self.connect(reactor))
        self.resolver.answer()
        assert found[0].check(DNSLookupError)
        assert "host.example" in str(found[0].value)

    def test_cancelled_while_looking_up(self, reactor):
        connecting = self.connect(reactor)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert self.resolver.cancelled

    def test_cancelled_while_connecting(self, reactor):
        connecting = self.connect(reactor, IPv6Address("TCP", "2001:db8::1", 80))
        self.resolver.answer()
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert reactor.connectors[0].stoppedConnecting
