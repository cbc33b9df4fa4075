"""All addresses of a host."""

from __future__ import annotations

import pytest

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import CancelledError
from torsion.internet.endpoints.lookup import addresses_of, name_resolver_of
from torsion.internet.error import DNSLookupError
from torsion.internet.reactors.resolver import GAIResolver
from torsion.internet.testing import MemoryReactor, MemoryReactorClock
from torsion.logger import globalLogPublisher

ADDRESS = IPv4Address("TCP", "192.0.2.1", 80)


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


class TestResolversOfTheProgramsOwn:
    @pytest.fixture
    def reactor(self):
        return MemoryReactorClock()

    def look_up(self, reactor, resolver, patience=0):
        reactor.installNameResolver(resolver)
        found = []
        looking = addresses_of(reactor, "host.example", 80, patience=patience)
        looking.addBoth(found.append)
        return looking, found

    def test_twice(self, reactor):
        _, found = self.look_up(reactor, resolver := Resolver())
        for _ in range(2):
            resolver.receiver.addressResolved(ADDRESS)
            resolver.receiver.resolutionComplete()
        assert found == [[ADDRESS]]

    def test_after_it_was_cancelled(self, reactor):
        looking, found = self.look_up(reactor, resolver := Resolver())
        looking.cancel()
        resolver.receiver.addressResolved(ADDRESS)
        resolver.receiver.resolutionComplete()
        resolver.receiver.resolutionBegan(late := Resolver())
        assert late.cancelled
        assert found[0].check(CancelledError)

    def test_never(self, reactor):
        _, found = self.look_up(reactor, resolver := Resolver(), patience=7)
        reactor.advance(7)
        assert found[0].check(DNSLookupError)
        assert str(found[0].value) == "DNS lookup failed: no answer for 'host.example' after 7 seconds."
        assert resolver.cancelled

    def test_never_to_the_end(self, reactor):
        _, found = self.look_up(reactor, resolver := Resolver(), patience=7)
        resolver.receiver.addressResolved(ADDRESS)
        reactor.advance(7)
        assert found == [[ADDRESS]]

    def test_in_time(self, reactor):
        _, found = self.look_up(reactor, resolver := Resolver(), patience=7)
        resolver.receiver.resolutionComplete()
        assert found == [[]]
        assert list(reactor.getDelayedCalls()) == []

    def test_of_other_kinds(self, reactor):
        reactor.installNameResolver(resolver := Resolver())
        found = []
        addresses_of(reactor, "host.example", 80, [IPv6Address]).addCallback(found.append)
        resolver.receiver.addressResolved(ADDRESS)
        resolver.receiver.resolutionComplete()
        assert found == [[]]

    def test_no_clock(self):
        reactor = MemoryReactor()
        _, found = self.look_up(reactor, resolver := Resolver(), patience=7)
        resolver.receiver.resolutionComplete()
        assert found == [[]]

    def test_cancelling_raises(self, reactor):
        resolver = Resolver()
        resolver.cancel = lambda: 1 / 0
        looking, found = self.look_up(reactor, resolver)
        logged = []
        globalLogPublisher.addObserver(logged.append)
        try:
            looking.cancel()
        finally:
            globalLogPublisher.removeObserver(logged.append)
        assert found[0].check(CancelledError)
        assert [event["log_failure"].type for event in logged] == [ZeroDivisionError]

    def test_over_when_it_is_cancelled(self, reactor):
        class Ending(Resolver):
            def cancel(self):
                super().cancel()
                self.receiver.resolutionComplete()

        _, found = self.look_up(reactor, resolver := Ending(), patience=7)
        reactor.advance(7)
        assert resolver.cancelled
        assert found[0].check(DNSLookupError)

    def test_raises_after_its_end(self, reactor):
        class Raising(Resolver):
            def resolveHostName(self, receiver, *_, **__):
                receiver.resolutionComplete()
                raise ZeroDivisionError

        looking, found = self.look_up(reactor, Raising())
        assert found == [[]]
        looking.cancel()
        assert found == [[]]

    def test_never_and_nothing_to_cancel(self, reactor):
        class Mute(Resolver):
            def resolveHostName(self, receiver, *_, **__):
                pass

        _, found = self.look_up(reactor, Mute(), patience=7)
        reactor.advance(7)
        assert found[0].check(DNSLookupError)

    def test_raises_after_an_answer(self, reactor):
        class Raising(Resolver):
            def resolveHostName(self, receiver, *_, **__):
                receiver.addressResolved(ADDRESS)
                raise ZeroDivisionError

        _, found = self.look_up(reactor, Raising())
        assert found == [[ADDRESS]]


def test_a_resolver_that_raises():
    class Raising:
        def resolveHostName(self, *_, **__):
            raise ZeroDivisionError

    reactor = MemoryReactorClock()
    reactor.installNameResolver(Raising())
    found = []
    addresses_of(reactor, "host.example", 80).addErrback(found.append)
    assert found[0].check(ZeroDivisionError)
