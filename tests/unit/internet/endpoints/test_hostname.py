"""Hosts by name, over whichever address answers first, by a virtual clock."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.endpoints.hostname import RESOLUTION_DELAY, HostnameEndpoint
from torsion.internet.endpoints.racing import ATTEMPT_DELAY
from torsion.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from torsion.internet.interfaces import IStreamClientEndpoint
from torsion.internet.interfaces.binding import Binding
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactorClock, StringTransport
from torsion.python.failure import Failure


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def four(number):
    return IPv4Address("TCP", f"192.0.2.{number}", 80)


def six(number):
    return IPv6Address("TCP", f"2001:db8::{number}", 80)


class Resolver:
    """Finds these addresses, when told to or at once."""

    def __init__(self, *addresses, late=False):
        self.addresses = addresses
        self.late = late
        self.cancelled = False

    def resolveHostName(self, resolutionReceiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        self.asked = hostName, portNumber
        self.receiver = resolutionReceiver
        resolutionReceiver.resolutionBegan(self)
        if not self.late:
            self.answer()
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


FACTORY = Factory.forProtocol(Protocol)


class TestHostnameEndpoint:
    def test_addresses_in_turn(self, reactor):
        reactor.installNameResolver(resolver := Resolver(four(1), six(1)))
        found = results(HostnameEndpoint(reactor, "host.example", 80, timeout=7).connect(FACTORY))
        assert resolver.asked == ("host.example", 80)
        assert len(reactor.tcpClients) == 1
        reactor.advance(ATTEMPT_DELAY)
        assert [client[:2] for client in reactor.tcpClients] == [("192.0.2.1", 80), ("2001:db8::1", 80)]
        assert [client[3] for client in reactor.tcpClients] == [7, 7]
        reactor.tcpClients[1][2].buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)
        assert reactor.connectors[0].stoppedConnecting
        assert list(reactor.getDelayedCalls()) == []

    def test_failure(self, reactor):
        reactor.installNameResolver(Resolver(four(1)))
        found = results(HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY))
        reason = Failure(ConnectError(string="no"))
        reactor.tcpClients[0][2].clientConnectionFailed(None, reason)
        assert found == [reason]

    def test_no_address(self, reactor):
        reactor.installNameResolver(Resolver())
        found = results(HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY))
        assert found[0].check(DNSLookupError)
        assert "host.example" in str(found[0].value)

    def test_delay_of_ones_own(self, reactor):
        reactor.installNameResolver(Resolver(four(1), four(2)))
        HostnameEndpoint(reactor, "host.example", 80, attemptDelay=12.5).connect(FACTORY)
        reactor.advance(12)
        assert len(reactor.tcpClients) == 1
        reactor.advance(1)
        assert len(reactor.tcpClients) == 2

    def test_cancelled_while_looking_up(self, reactor):
        reactor.installNameResolver(resolver := Resolver(four(1), late=True))
        connecting = HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert found[0].value.address == HostnameAddress(b"host.example", 80)
        assert resolver.cancelled
        assert reactor.tcpClients == []

    def test_cancelled_while_connecting(self, reactor):
        reactor.installNameResolver(Resolver(four(1), four(2)))
        connecting = HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY)
        found = results(connecting)
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert reactor.connectors[0].stoppedConnecting
        assert list(reactor.getDelayedCalls()) == []

    @pytest.mark.parametrize(
        ("given", "used"),
        [
            (None, None),
            ("127.0.0.2", ("127.0.0.2", 0)),
            (b"127.0.0.2", ("127.0.0.2", 0)),
            (("127.0.0.2", 7), ("127.0.0.2", 7)),
            ((b"127.0.0.2", 7), ("127.0.0.2", 7)),
            (Binding("127.0.0.2", 7), Binding("127.0.0.2", 7)),
        ],
    )
    def test_bind_address(self, reactor, given, used):
        reactor.installNameResolver(Resolver(four(1)))
        HostnameEndpoint(reactor, "host.example", 80, bindAddress=given).connect(FACTORY)
        assert reactor.tcpClients[0][4] == used

    @pytest.mark.parametrize(
        ("host", "asked"),
        [
            ("host.example", "host.example"),
            (b"host.example", "host.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("::1", "::1"),
        ],
    )
    def test_encoding(self, reactor, host, asked):
        reactor.installNameResolver(resolver := Resolver(four(1)))
        HostnameEndpoint(reactor, host, 80).connect(FACTORY)
        assert resolver.asked == (asked, 80)

    @pytest.mark.parametrize(
        ("host", "shown"),
        [("ü" * 70, "\\xfc" * 70), (b"\xff.example", "\\xff.example"), ("\u2ff0.example", "\\u2ff0.example")],
    )
    def test_names_that_cannot_be(self, reactor, host, shown):
        endpoint = HostnameEndpoint(reactor, host, 80)
        found = results(endpoint.connect(FACTORY))
        assert found[0].check(ValueError)
        assert f"invalid host name {shown}: " in str(found[0].value)
        assert repr(endpoint) == f"<HostnameEndpoint {shown}:80>"

    @pytest.mark.parametrize(
        ("host", "shown"),
        [("host.example", "host.example:80"), ("::1", "[::1]:80"), ("bücher.example", "xn--bcher-kva")],
    )
    def test_representation(self, reactor, host, shown):
        assert shown in repr(HostnameEndpoint(reactor, host, 80))

    @pytest.mark.parametrize("delay", [0.25])
    def test_the_delay_of_rfc_8305(self, delay):
        assert delay == ATTEMPT_DELAY
        assert RESOLUTION_DELAY == 0.05

    def test_interface(self, reactor):
        assert verifyObject(IStreamClientEndpoint, HostnameEndpoint(reactor, "host.example", 80))

    def test_other_addresses_are_passed_over(self, reactor):
        reactor.installNameResolver(Resolver(UNIXAddress("/x"), object(), four(1), four(1)))
        HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY)
        reactor.advance(10)
        assert hosts(reactor) == ["192.0.2.1"]


def hosts(reactor):
    return [client[0] for client in reactor.tcpClients]


def fails(reactor, index, error):
    reactor.tcpClients[index][2].clientConnectionFailed(None, Failure(error))


class TestFailures:
    def connect(self, reactor, *addresses):
        reactor.installNameResolver(Resolver(*addresses))
        return results(HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY))

    def test_all_are_told(self, reactor):
        found = self.connect(reactor, six(1), four(1), four(2))
        fails(reactor, 0, TimeoutError(string="no connection"))
        fails(reactor, 1, ConnectError(101, "unreachable"))
        fails(reactor, 2, ConnectionRefusedError(111, "refused"))
        [failure] = found
        assert failure.check(ConnectionRefusedError)  # the last one's class
        assert failure.value.osError == 111
        assert [(address.host, type(each.value)) for address, each in failure.value.attempts] == [
            ("2001:db8::1", TimeoutError),
            ("192.0.2.1", ConnectError),
            ("192.0.2.2", ConnectionRefusedError),
        ]
        text = str(failure.value)
        assert "none of the 3 addresses of 'host.example' could be reached" in text
        for part in ("2001:db8::1: ", "no connection", "192.0.2.1: ", "unreachable", "192.0.2.2: ", "refused"):
            assert part in text

    def test_a_class_of_somebodys_own(self, reactor):
        class Special(ConnectError):
            def __init__(self):
                super().__init__(1)

        found = self.connect(reactor, four(1), four(2))
        fails(reactor, 0, ConnectError())
        fails(reactor, 1, problem := Special())
        assert found[0].value is problem

    def test_what_a_factory_raises(self, reactor):
        class Raising(Factory):
            def buildProtocol(self, addr):
                raise ZeroDivisionError

        reactor.installNameResolver(Resolver(four(1)))
        found = results(HostnameEndpoint(reactor, "host.example", 80).connect(Raising()))
        assert reactor.tcpClients[0][2].buildProtocol(None) is None
        assert found[0].check(ZeroDivisionError)


class TestResolutionDelay:
    """What happens while a resolver is still at it."""

    @pytest.fixture
    def resolver(self, reactor):
        reactor.installNameResolver(resolver := Resolver(late=True))
        return resolver

    @pytest.fixture
    def found(self, reactor, resolver):
        return results(HostnameEndpoint(reactor, "host.example", 80, timeout=30).connect(FACTORY))

    def test_ipv4_waits_a_little(self, reactor, found, resolver):
        resolver.receiver.addressResolved(four(1))
        reactor.advance(RESOLUTION_DELAY - 0.01)
        resolver.receiver.addressResolved(four(2))  # which does not make it wait again
        assert hosts(reactor) == []
        reactor.advance(0.01)
        assert hosts(reactor) == ["192.0.2.1"]

    def test_ipv6_goes_first(self, reactor, found, resolver):
        resolver.receiver.addressResolved(four(1))
        reactor.advance(RESOLUTION_DELAY / 2)
        resolver.receiver.addressResolved(six(1))
        assert hosts(reactor) == []
        reactor.advance(0)
        assert hosts(reactor) == ["2001:db8::1"]
        reactor.advance(ATTEMPT_DELAY)
        assert hosts(reactor) == ["2001:db8::1", "192.0.2.1"]

    def test_a_whole_answer_is_in_order(self, reactor, found, resolver):
        for address in (four(1), six(1), four(2)):
            resolver.receiver.addressResolved(address)
        resolver.receiver.resolutionComplete()
        reactor.pump([ATTEMPT_DELAY] * 3)
        assert hosts(reactor) == ["192.0.2.1", "2001:db8::1", "192.0.2.2"]

    def test_an_address_that_comes_later(self, reactor, found, resolver):
        resolver.receiver.addressResolved(six(1))
        reactor.advance(0)
        fails(reactor, 0, ConnectError())
        assert found == []  # there may be more
        resolver.receiver.addressResolved(four(1))
        assert hosts(reactor) == ["2001:db8::1", "192.0.2.1"]
        fails(reactor, 1, ConnectError())
        assert found == []
        resolver.receiver.resolutionComplete()
        assert found[0].check(ConnectError)
        assert list(reactor.getDelayedCalls()) == []

    def test_a_winner_ends_the_look_up(self, reactor, found, resolver):
        resolver.receiver.addressResolved(six(1))
        reactor.advance(0)
        reactor.tcpClients[0][2].buildProtocol(None).makeConnection(StringTransport())
        assert isinstance(found[0], Protocol)
        assert resolver.cancelled
        assert list(reactor.getDelayedCalls()) == []
        resolver.receiver.addressResolved(four(1))
        resolver.receiver.resolutionComplete()
        reactor.advance(10)
        assert hosts(reactor) == ["2001:db8::1"]

    def test_a_resolver_that_never_ends(self, reactor, found, resolver):
        resolver.receiver.addressResolved(four(1))
        reactor.advance(1)
        fails(reactor, 0, ConnectionRefusedError())
        assert found == []
        reactor.advance(29)
        assert found[0].check(ConnectionRefusedError)
        assert resolver.cancelled
        assert list(reactor.getDelayedCalls()) == []

    def test_a_resolver_that_never_answers(self, reactor, found, resolver):
        reactor.advance(30)
        assert found[0].check(DNSLookupError)
        assert "no answer for 'host.example' after 30 seconds" in str(found[0].value)
        assert resolver.cancelled
        resolver.receiver.addressResolved(four(1))  # late
        resolver.receiver.resolutionComplete()
        reactor.advance(10)
        assert reactor.tcpClients == []

    def test_without_patience(self, reactor, resolver):
        found = results(HostnameEndpoint(reactor, "host.example", 80, timeout=0).connect(FACTORY))
        reactor.advance(1e9)
        assert found == []

    def test_it_says_so_twice(self, reactor, found, resolver):
        resolver.receiver.addressResolved(four(1))
        resolver.receiver.resolutionComplete()
        resolver.receiver.resolutionComplete()
        resolver.receiver.addressResolved(four(2))
        reactor.advance(10)
        assert hosts(reactor) == ["192.0.2.1"]

    def test_cancelled_between_address_and_attempt(self, reactor, resolver):
        connecting = HostnameEndpoint(reactor, "host.example", 80).connect(FACTORY)
        found = results(connecting)
        resolver.receiver.addressResolved(four(1))
        connecting.cancel()
        assert found[0].check(ConnectingCancelledError)
        assert list(reactor.getDelayedCalls()) == []
        reactor.advance(10)
        assert reactor.tcpClients == []
