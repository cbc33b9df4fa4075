"""Resolvers, with a pool that runs when it is told to."""

from __future__ import annotations

import socket

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import CancelledError, Deferred, fail, succeed
from torsion.internet.error import DNSLookupError
from torsion.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IResolverSimple,
)
from torsion.internet.reactors.resolver import (
    BlockingResolver,
    ComplexResolverSimplifier,
    FirstAddress,
    GAIResolver,
    HostResolution,
    SimpleResolverComplexifier,
    ThreadedResolver,
    numeric_address,
)
from torsion.internet.task import Clock
from torsion.logger import globalLogPublisher
from torsion.python.failure import Failure


class Pool:
    """Keeps work until :meth:`work` does it."""

    def __init__(self):
        self.jobs = []

    def callInThreadWithCallback(self, onResult, function, *args):
        self.jobs.append((onResult, function, args))

    def work(self):
        jobs, self.jobs = self.jobs, []
        for onResult, function, args in jobs:
            try:
                result = function(*args)
            except BaseException:
                onResult(False, Failure())
            else:
                onResult(True, result)


class Reactor(Clock):
    """A clock with a pool, whose calls from threads are made at once."""

    def __init__(self):
        super().__init__()
        self.pool = Pool()

    def getThreadPool(self):
        return self.pool

    def callFromThread(self, function, *args):
        function(*args)


class Receiver:
    def __init__(self, on_address=None):
        self.events = []
        self.on_address = on_address

    def resolutionBegan(self, resolutionInProgress):
        self.resolution = resolutionInProgress
        self.events.append("began")

    def addressResolved(self, address):
        self.events.append(address)
        if self.on_address:
            self.on_address(self)

    def resolutionComplete(self):
        self.events.append("complete")


@pytest.fixture
def reactor():
    return Reactor()


FOUND = [
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80)),
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 80, 0, 3)),
    (999, socket.SOCK_STREAM, 6, "", ("what is this", 80)),
]
ADDRESSES = [IPv4Address("TCP", "192.0.2.1", 80), IPv6Address("TCP", "2001:db8::1", 80, 0, 3)]


class TestGAIResolver:
    def resolver(self, reactor, found=FOUND):
        self.asked = []

        def getaddrinfo(*args):
            self.asked.append(args)
            if isinstance(found, BaseException):
                raise found
            return found

        return GAIResolver(reactor, getaddrinfo=getaddrinfo)

    def test_interface(self, reactor):
        assert verifyObject(IHostnameResolver, GAIResolver(reactor))

    def test_all_addresses(self, reactor):
        receiver = Receiver()
        resolution = self.resolver(reactor).resolveHostName(receiver, "host.example", 80)
        assert verifyObject(IHostResolution, resolution)
        assert receiver.resolution is resolution
        assert receiver.events == ["began"]
        reactor.pool.work()
        assert receiver.events == ["began", *ADDRESSES, "complete"]
        assert self.asked == [("host.example", 80, socket.AF_UNSPEC, socket.SOCK_STREAM)]

    @pytest.mark.parametrize(
        ("kinds", "family", "expected"),
        [
            ([IPv4Address], socket.AF_INET, ADDRESSES[:1]),
            ((IPv6Address,), socket.AF_INET6, ADDRESSES[1:]),
            ([IPv6Address, IPv4Address], socket.AF_UNSPEC, ADDRESSES),
            ([], socket.AF_UNSPEC, []),
            ([str], socket.AF_UNSPEC, []),
        ],
    )
    def test_wanted_kinds(self, reactor, kinds, family, expected):
        receiver = Receiver()
        self.resolver(reactor).resolveHostName(receiver, "host.example", 80, kinds)
        reactor.pool.work()
        assert receiver.events == ["began", *expected, "complete"]
        assert self.asked[0][2] == family

    def test_datagrams(self, reactor):
        receiver = Receiver()
        self.resolver(reactor).resolveHostName(receiver, "host.example", transportSemantics="UDP")
        reactor.pool.work()
        assert receiver.events[1] == IPv4Address("UDP", "192.0.2.1", 80)
        assert self.asked == [("host.example", 0, socket.AF_UNSPEC, socket.SOCK_DGRAM)]

    @pytest.mark.parametrize("problem", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
    def test_not_found(self, reactor, problem):
        receiver = Receiver()
        self.resolver(reactor, problem).resolveHostName(receiver, "host.example")
        reactor.pool.work()
        assert receiver.events == ["began", "complete"]

    @pytest.mark.parametrize("found", [None, [()], [(socket.AF_INET, 1, 6, "", 7)]])
    def test_nonsense(self, reactor, found):
        receiver = Receiver()
        GAIResolver(reactor, getaddrinfo=lambda *_: found).resolveHostName(receiver, "host.example")
        reactor.pool.work()
        assert receiver.events == ["began", "complete"]

    def test_unforeseen_problem(self, reactor):
        receiver = Receiver()
        self.resolver(reactor, ZeroDivisionError()).resolveHostName(receiver, "host.example")
        reactor.pool.work()
        assert receiver.events == ["began", "complete"]

    def test_numeric_without_the_pool(self, reactor):
        receiver = Receiver()
        self.resolver(reactor).resolveHostName(receiver, "192.0.2.9", 1)
        assert receiver.events == ["began", IPv4Address("TCP", "192.0.2.9", 1), "complete"]
        assert reactor.pool.jobs == []

    def test_cancelled(self, reactor):
        receiver = Receiver()
        self.resolver(reactor).resolveHostName(receiver, "host.example").cancel()
        reactor.pool.work()
        assert receiver.events == ["began"]

    def test_cancelled_when_an_address_is_told(self, reactor):
        receiver = Receiver(lambda receiver: receiver.resolution.cancel())
        self.resolver(reactor).resolveHostName(receiver, "host.example", 80)
        reactor.pool.work()
        assert receiver.events == ["began", ADDRESSES[0]]

    def test_pool_of_its_own(self, reactor):
        pool = Pool()
        GAIResolver(reactor, lambda: pool).resolveHostName(Receiver(), "host.example")
        assert len(pool.jobs) == 1
        assert reactor.pool.jobs == []


def test_numeric_address():
    assert numeric_address("192.0.2.1", 7, "TCP") == IPv4Address("TCP", "192.0.2.1", 7)
    assert numeric_address("2001:db8::1", 7, "UDP") == IPv6Address("UDP", "2001:db8::1", 7)
    for host in ("localhost", "", "fe80::1%lo", "1.2.3", "::g"):
        assert numeric_address(host, 7, "TCP") is None


class Names:
    """A resolver for host names that does what a test wants, when it wants."""

    def resolveHostName(self, resolutionReceiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        self.asked = hostName, addressTypes
        self.receiver = resolutionReceiver
        self.resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(self.resolution)
        return self.resolution


class TestSimplifier:
    @pytest.fixture
    def names(self):
        return Names()

    @pytest.fixture
    def simple(self, names, reactor):
        return ComplexResolverSimplifier(names, reactor)

    def results(self, deferred):
        found = []
        deferred.addBoth(found.append)
        return found

    def test_interface(self, simple):
        assert verifyObject(IResolverSimple, simple)
        assert verifyObject(IResolutionReceiver, FirstAddress(Deferred(), "x"))

    def test_the_first_address(self, simple, names, reactor):
        found = self.results(simple.getHostByName("host.example", (1, 2)))
        assert names.asked == ("host.example", [IPv4Address])
        assert len(reactor.getDelayedCalls()) == 1
        for address in ("192.0.2.1", "192.0.2.2"):
            names.receiver.addressResolved(IPv4Address("TCP", address, 0))
        names.receiver.resolutionComplete()
        assert found == ["192.0.2.1"]
        assert list(reactor.getDelayedCalls()) == []

    def test_none(self, simple, names, reactor):
        found = self.results(simple.getHostByName("host.example", (1, 2)))
        names.receiver.resolutionComplete()
        assert found[0].check(DNSLookupError)
        assert "host.example" in str(found[0].value)
        assert list(reactor.getDelayedCalls()) == []

    def test_timeout(self, simple, names, reactor):
        found = self.results(simple.getHostByName("host.example", (1, 2)))
        reactor.advance(2.9)
        assert found == []
        reactor.advance(0.2)
        assert found[0].check(DNSLookupError)
        assert "host.example" in str(found[0].value)
        assert not names.resolution.active
        names.receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
        names.receiver.resolutionComplete()
        assert len(found) == 1

    def test_no_timeout(self, simple, reactor):
        simple.getHostByName("host.example")
        assert list(reactor.getDelayedCalls()) == []

    def test_no_clock(self, names):
        found = self.results(ComplexResolverSimplifier(names).getHostByName("host.example", (1,)))
        assert found == []

    def test_cancelled(self, simple, names, reactor):
        deferred = simple.getHostByName("host.example", (1, 2))
        found = self.results(deferred)
        deferred.cancel()
        assert found[0].check(CancelledError)
        assert not names.resolution.active
        assert list(reactor.getDelayedCalls()) == []

    def test_answered_at_once_needs_no_timer(self, reactor):
        class Quick(Names):
            def resolveHostName(self, resolutionReceiver, hostName, *_, **__):
                resolutionReceiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
                resolutionReceiver.resolutionComplete()
                return HostResolution(hostName)

        assert self.results(ComplexResolverSimplifier(Quick(), reactor).getHostByName("x", (1,))) == ["192.0.2.1"]
        assert list(reactor.getDelayedCalls()) == []


class TestSimplifyingOddResolvers:
    def results(self, reactor, names):
        found = []
        deferred = ComplexResolverSimplifier(names, reactor).getHostByName("host.example", (1, 2))
        deferred.addBoth(found.append)
        return deferred, found

    def test_twice_and_late(self, reactor):
        _, found = self.results(reactor, names := Names())
        for _ in range(2):
            names.receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
            names.receiver.resolutionComplete()
        assert found == ["192.0.2.1"]

    def test_raises(self, reactor):
        class Raising(Names):
            def resolveHostName(self, *args, **kwargs):
                super().resolveHostName(*args, **kwargs)
                raise ZeroDivisionError

        _, found = self.results(reactor, names := Raising())
        assert found[0].check(ZeroDivisionError)
        names.receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
        assert list(reactor.getDelayedCalls()) == []

    def test_raises_after_its_answer(self, reactor, logged):
        class Raising:
            def resolveHostName(self, receiver, *_, **__):
                receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 0))
                raise ZeroDivisionError

        _, found = self.results(reactor, Raising())
        assert found == ["192.0.2.1"]
        assert logged() == [ZeroDivisionError]

    @pytest.mark.parametrize("how", ["cancelled", "timed out"])
    def test_cancelling_raises(self, reactor, logged, how):
        deferred, found = self.results(reactor, names := Names())
        names.resolution.cancel = lambda: 1 / 0
        if how == "cancelled":
            deferred.cancel()
        else:
            reactor.advance(3)
        assert found[0].check(CancelledError, DNSLookupError)
        assert logged() == [ZeroDivisionError]


@pytest.fixture
def logged():
    """Gives the classes of the failures that were logged."""
    events = []
    globalLogPublisher.addObserver(events.append)
    yield lambda: [event["log_failure"].type for event in events if "log_failure" in event]
    globalLogPublisher.removeObserver(events.append)


class TestComplexifier:
    def resolve(self, answer, name="host.example", kinds=None):
        class Simple:
            def getHostByName(self, name, timeout=()):
                asked.append(name)
                return answer

        asked = self.asked = []
        receiver = Receiver()
        self.resolution = SimpleResolverComplexifier(Simple()).resolveHostName(receiver, name, 5, kinds, "UDP")
        return receiver.events

    def test_interface(self):
        assert verifyObject(IHostnameResolver, SimpleResolverComplexifier(None))

    def test_address(self):
        assert self.resolve(succeed("192.0.2.1")) == ["began", IPv4Address("UDP", "192.0.2.1", 5), "complete"]
        assert self.asked == ["host.example"]

    def test_unwanted(self):
        assert self.resolve(succeed("192.0.2.1"), kinds=[IPv6Address]) == ["began", "complete"]

    def test_nonsense(self):
        for answer in (succeed("no address"), succeed(None), succeed(b"192.0.2.1"), None):
            assert self.resolve(answer) == ["began", "complete"]

    def test_undeferred(self):
        assert self.resolve("192.0.2.1") == ["began", IPv4Address("UDP", "192.0.2.1", 5), "complete"]

    def test_raises(self):
        class Simple:
            def getHostByName(self, name, timeout=()):
                raise ZeroDivisionError

        receiver = Receiver()
        SimpleResolverComplexifier(Simple()).resolveHostName(receiver, "host.example")
        assert receiver.events == ["began", "complete"]

    def test_failure(self):
        assert self.resolve(fail(DNSLookupError("host.example"))) == ["began", "complete"]
        assert self.resolve(fail(ZeroDivisionError())) == ["began", "complete"]

    def test_cancelled(self):
        cancelled = []
        answer = Deferred(cancelled.append)
        events = self.resolve(answer)
        self.resolution.cancel()
        self.resolution.cancel()
        assert cancelled == [answer]
        assert events == ["began"]

    def test_cancelled_but_answered(self, logged):
        answer = Deferred(lambda answer: answer.callback("192.0.2.1"))
        events = self.resolve(answer)
        self.resolution.cancel()
        assert events == ["began"]
        assert logged() == []

    def test_encoded(self):
        self.resolve(Deferred(), "bücher.example")
        assert self.asked == ["xn--bcher-kva.example"]

    def test_not_encodable(self):
        with pytest.raises(ValueError):
            self.resolve(Deferred(), "ü" * 70)


class TestThreadedResolver:
    def test_found(self, reactor, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: FOUND)
        resolver = ThreadedResolver(reactor)
        assert verifyObject(IResolverSimple, resolver)
        found = []
        resolver.getHostByName("host.example").addCallback(found.append)
        reactor.pool.work()
        assert found == ["192.0.2.1"]
        assert list(reactor.getDelayedCalls()) == []

    def test_timeout(self, reactor):
        found = []
        ThreadedResolver(reactor).getHostByName("host.example").addErrback(found.append)
        reactor.advance(61)
        assert found[0].check(DNSLookupError)


class TestBlockingResolver:
    def test_found(self, monkeypatch):
        monkeypatch.setattr(socket, "gethostbyname", {"host.example": "192.0.2.1"}.__getitem__)
        assert verifyObject(IResolverSimple, BlockingResolver())
        found = []
        BlockingResolver().getHostByName("host.example").addCallback(found.append)
        assert found == ["192.0.2.1"]

    @pytest.mark.parametrize("problem", [OSError("gone"), UnicodeError("odd"), ValueError("NUL")])
    def test_not_found(self, monkeypatch, problem):
        def fails(name):
            raise problem

        monkeypatch.setattr(socket, "gethostbyname", fails)
        found = []
        BlockingResolver().getHostByName("host.example").addErrback(found.append)
        assert found[0].check(DNSLookupError)
        assert "host.example" in str(found[0].value)
