"""Hosts by name, over whichever address answers first, by a virtual clock."""

from __future__ import annotations

import pytest

from torsion.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.endpoints.racing import ATTEMPT_DELAY, HostnameEndpoint, Race, interleave
from torsion.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from torsion.internet.interfaces.binding import Binding
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import Clock
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


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([four(1)], [four(1)]),
        ([six(1), six(2), four(1), four(2)], [six(1), four(1), six(2), four(2)]),
        ([four(1), six(1), six(2), six(3)], [four(1), six(1), six(2), six(3)]),
        ([UNIXAddress("/x"), four(1), object()], [four(1)]),
    ],
)
def test_interleave(given, expected):
    assert interleave(given) == expected


class TestRace:
    @pytest.fixture
    def clock(self):
        return Clock()

    def race(self, clock, number=3):
        self.attempts = []

        def attempt():
            self.attempts.append(Deferred())
            return self.attempts[-1]

        race = Race(clock, 1.0, [attempt] * number)
        race.start()
        return race.won

    def test_one_after_the_other(self, clock):
        self.race(clock)
        assert len(self.attempts) == 1
        clock.advance(0.9)
        assert len(self.attempts) == 1
        clock.advance(0.1)
        assert len(self.attempts) == 2
        clock.pump([1, 1, 1])
        assert len(self.attempts) == 3
        assert list(clock.getDelayedCalls()) == []

    def test_the_first_success_wins(self, clock):
        won = results(self.race(clock))
        clock.advance(1)
        self.attempts[1].callback("second")
        assert won == ["second"]
        assert len(self.attempts) == 2
        assert list(clock.getDelayedCalls()) == []
        assert self.attempts[0].called  # since it was cancelled

    def test_after_a_failure_the_next_at_once(self, clock):
        won = results(self.race(clock))
        self.attempts[0].errback(ConnectError(string="first"))
        assert len(self.attempts) == 2
        clock.advance(0.9)
        assert len(self.attempts) == 2  # the clock starts anew with each attempt
        clock.advance(0.1)
        assert len(self.attempts) == 3
        assert won == []

    def test_the_last_failure_is_the_races(self, clock):
        won = results(self.race(clock))
        clock.pump([1, 1])
        for number in (1, 0, 2):
            assert won == []
            self.attempts[number].errback(ConnectError(string=str(number)))
        assert won[0].value.args == ("2",)
        assert list(clock.getDelayedCalls()) == []

    def test_cancelled(self, clock):
        race = self.race(clock)
        won = results(race)
        clock.advance(1)
        race.cancel()
        assert isinstance(won[0], Failure)
        assert all(attempt.called for attempt in self.attempts)
        assert list(clock.getDelayedCalls()) == []
        clock.advance(10)
        assert len(self.attempts) == 2

    def test_attempts_that_are_over_at_once(self, clock):
        outcomes = iter([fail(ConnectError()), fail(ConnectError()), succeed("third")])
        race = Race(clock, 1.0, [lambda: next(outcomes)] * 3)
        race.start()
        assert results(race.won) == ["third"]
        assert list(clock.getDelayedCalls()) == []

    def test_all_fail_at_once(self, clock):
        race = Race(clock, 1.0, [lambda: fail(ConnectError())] * 3)
        race.start()
        assert results(race.won)[0].check(ConnectError)
        assert list(clock.getDelayedCalls()) == []


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

    @pytest.mark.parametrize("host", ["ü" * 70, b"\xff.example"])
    def test_names_that_cannot_be(self, reactor, host):
        endpoint = HostnameEndpoint(reactor, host, 80)
        found = results(endpoint.connect(FACTORY))
        assert found[0].check(ValueError)
        assert repr(host) in str(found[0].value)
        assert repr(endpoint)

    @pytest.mark.parametrize(
        ("host", "shown"),
        [("host.example", "host.example:80"), ("::1", "[::1]:80"), ("bücher.example", "xn--bcher-kva")],
    )
    def test_representation(self, reactor, host, shown):
        assert shown in repr(HostnameEndpoint(reactor, host, 80))
