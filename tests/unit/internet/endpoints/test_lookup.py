"""All addresses of a host."""

from __future__ import annotations

from torsion.internet.address import IPv4Address
from torsion.internet.endpoints.lookup import addresses_of, name_resolver_of
from torsion.internet.reactors.resolver import GAIResolver
from torsion.internet.testing import MemoryReactorClock


class Resolver:
    cancelled = False

    def resolveHostName(self, resolutionReceiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        self.asked = hostName, portNumber, addressTypes
        self.receiver = resolutionReceiver
        resolutionReceiver.resolutionBegan(self)
        return self

    def cancel(self):
        self.cancelled = True


def test_the_reactors_own_resolver():
    reactor = MemoryReactorClock()
    assert name_resolver_of(reactor) is reactor.nameResolver


def test_a_reactor_without_one():
    class Reactor:
        def getThreadPool(self): ...

    assert isinstance(name_resolver_of(Reactor()), GAIResolver)


def test_addresses():
    reactor = MemoryReactorClock()
    reactor.installNameResolver(resolver := Resolver())
    found = []
    addresses_of(reactor, "host.example", 80, [IPv4Address]).addCallback(found.append)
    assert resolver.asked == ("host.example", 80, [IPv4Address])
    address = IPv4Address("TCP", "192.0.2.1", 80)
    resolver.receiver.addressResolved(address)
    assert found == []
    resolver.receiver.resolutionComplete()
    assert found == [[address]]


def test_cancelled():
    reactor = MemoryReactorClock()
    reactor.installNameResolver(resolver := Resolver())
    looking = addresses_of(reactor, "host.example", 80)
    looking.addErrback(lambda _: None)
    looking.cancel()
    assert resolver.cancelled


def test_a_resolver_that_raises():
    class Raising:
        def resolveHostName(self, *_, **__):
            raise ZeroDivisionError

    reactor = MemoryReactorClock()
    reactor.installNameResolver(Raising())
    found = []
    addresses_of(reactor, "host.example", 80).addErrback(found.append)
    assert found[0].check(ZeroDivisionError)
