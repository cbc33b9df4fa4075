"""Names: the system's, and resolvers that a program installs."""

from __future__ import annotations

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import pause, until
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.error import DNSLookupError
from torsion.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IResolverSimple,
)

pytestmark = needs("IReactorPluggableNameResolver")


@implementer(IResolutionReceiver)
class Receiver:
    def __init__(self):
        self.addresses = []
        self.resolution = None
        self.complete = False

    def resolutionBegan(self, resolutionInProgress):
        self.resolution = resolutionInProgress

    def addressResolved(self, address):
        assert not self.complete
        self.addresses.append(address)

    def resolutionComplete(self):
        assert not self.complete
        self.complete = True


@implementer(IResolverSimple)
class Simple:
    def __init__(self, answer=None):
        self.answer = answer
        self.asked = []

    def getHostByName(self, name, timeout=()):
        self.asked.append((name, tuple(timeout)))
        return self.answer() if self.answer else fail(DNSLookupError(name))


@implementer(IHostnameResolver)
class Names:
    """Finds the same for every name."""

    def __init__(self, *hosts):
        self.hosts = hosts
        self.asked = []

    def resolveHostName(self, resolutionReceiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        self.asked.append(hostName)
        resolutionReceiver.resolutionBegan(Receiver())
        for host in self.hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            if addressTypes is None or kind in addressTypes:
                resolutionReceiver.addressResolved(kind(transportSemantics, host, portNumber))
        resolutionReceiver.resolutionComplete()
        return Receiver()


@pytest.mark.parametrize(("name", "address"), [("", "0.0.0.0"), ("127.0.0.1", "127.0.0.1"), ("10.1.2.3", "10.1.2.3")])
def test_without_a_look_up(reactor, name, address):
    reactor.installResolver(Simple())
    found = []
    reactor.resolve(name).addCallback(found.append)
    assert found == [address]


def test_localhost(reactor, run):
    async def scenario():
        assert await reactor.resolve("localhost") == "127.0.0.1"

    run(scenario)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "x" * 300, "no such host", "..", "256.256.256.256"])
@needs("IReactorPluggableNameResolver", "engine")
def test_unresolvable(reactor, run, name):
    async def scenario():
        with pytest.raises(DNSLookupError):
            await reactor.resolve(name)

    run(scenario)


@needs("IReactorPluggableNameResolver", "engine")
def test_timeout(reactor, run):
    async def scenario():
        with pytest.raises(DNSLookupError, match="slow"):
            await reactor.resolve("slow.invalid", (0.005, 0.005))
        await pause(reactor, 0.01)

    class Silent(Names):
        def resolveHostName(self, resolutionReceiver, *_, **__):
            resolutionReceiver.resolutionBegan(Cancellable())

    class Cancellable:
        def cancel(self):
            cancelled.append(1)

    cancelled = []
    reactor.installNameResolver(Silent())
    run(scenario)
    assert cancelled == [1]


def test_name_resolver(reactor, run):
    async def scenario():
        assert verifyObject(IHostnameResolver, reactor.nameResolver)
        receiver = Receiver()
        resolution = reactor.nameResolver.resolveHostName(receiver, "localhost", 80)
        assert verifyObject(IHostResolution, resolution)
        assert resolution.name == "localhost"
        assert receiver.resolution is resolution
        await until(reactor, lambda: receiver.complete)
        assert IPv4Address("TCP", "127.0.0.1", 80) in receiver.addresses
        assert len(receiver.addresses) == len(set(receiver.addresses))

    run(scenario)


@pytest.mark.parametrize(
    ("host", "kinds", "found"),
    [
        ("127.0.0.1", None, [IPv4Address("UDP", "127.0.0.1", 7)]),
        ("::1", None, [IPv6Address("UDP", "::1", 7)]),
        ("::1", [IPv4Address], []),
        ("::1", [IPv4Address, IPv6Address], [IPv6Address("UDP", "::1", 7)]),
    ],
)
@needs("IReactorPluggableNameResolver", "engine")
def test_numeric_addresses_need_no_thread(reactor, host, kinds, found):
    receiver = Receiver()
    reactor.nameResolver.resolveHostName(receiver, host, 7, kinds, "UDP")
    assert receiver.complete
    assert receiver.addresses == found
    assert reactor.threadpool is None


def test_only_the_wanted_family(reactor, run):
    async def scenario():
        receiver = Receiver()
        reactor.nameResolver.resolveHostName(receiver, "localhost", 80, [IPv4Address])
        await until(reactor, lambda: receiver.complete)
        assert {type(address) for address in receiver.addresses} == {IPv4Address}

    run(scenario)


def test_a_name_that_is_not_found_completes_without_addresses(reactor, run):
    async def scenario():
        receiver = Receiver()
        reactor.nameResolver.resolveHostName(receiver, "no-such-host.invalid")
        await until(reactor, lambda: receiver.complete)
        assert receiver.addresses == []

    run(scenario)


@needs("IReactorPluggableNameResolver", "engine")
def test_cancelled(reactor, run):
    async def scenario():
        receiver = Receiver()
        reactor.nameResolver.resolveHostName(receiver, "localhost").cancel()
        await reactor.resolve("localhost")
        await pause(reactor, 0.01)
        assert receiver.addresses == []
        assert not receiver.complete

    run(scenario)


def test_installed_simple_resolver_serves_both(reactor):
    default = reactor.resolver
    simple = Simple(lambda: succeed("192.0.2.7"))
    assert reactor.installResolver(simple) is default
    found = []
    reactor.resolve("anywhere", (1, 2)).addCallback(found.append)
    assert found == ["192.0.2.7"]
    assert simple.asked == [("anywhere", (1, 2))]
    receiver = Receiver()
    reactor.nameResolver.resolveHostName(receiver, "anywhere", 5)
    assert receiver.addresses == [IPv4Address("TCP", "192.0.2.7", 5)]
    assert receiver.complete
    assert reactor.installResolver(default) is simple


@pytest.mark.parametrize("problem", [DNSLookupError("anywhere"), ZeroDivisionError()])
@needs("IReactorPluggableNameResolver", "engine")
def test_installed_simple_resolver_that_fails(reactor, logged, problem):
    reactor.installResolver(Simple(lambda: fail(problem)))
    receiver = Receiver()
    reactor.nameResolver.resolveHostName(receiver, "anywhere")
    assert receiver.complete
    assert receiver.addresses == []
    assert len(logged.take(ZeroDivisionError)) == isinstance(problem, ZeroDivisionError)


def test_installed_simple_resolver_is_asked_in_ascii(reactor):
    simple = Simple(Deferred)
    reactor.installResolver(simple)
    reactor.nameResolver.resolveHostName(Receiver(), "bücher.example")
    assert simple.asked == [("xn--bcher-kva.example", ())]


@needs("IReactorPluggableNameResolver", "engine")
def test_names_may_be_bytes(reactor):
    simple = Simple(Deferred)
    reactor.installResolver(simple)
    reactor.resolve(b"torsion.example")
    assert simple.asked[0][0] == "torsion.example"
    found = []
    reactor.resolve(b"192.0.2.1").addCallback(found.append)
    assert found == ["192.0.2.1"]


@needs("IReactorPluggableNameResolver", "engine")
def test_installed_name_resolver_serves_both(reactor):
    default = reactor.nameResolver
    names = Names("2001:db8::1", "192.0.2.7", "192.0.2.8")
    assert reactor.installNameResolver(names) is default
    found = []
    reactor.resolve("anywhere").addCallback(found.append)
    assert found == ["192.0.2.7"]
    assert names.asked == ["anywhere"]
    assert reactor.nameResolver is names
    reactor.installNameResolver(Names("2001:db8::1"))
    reactor.resolve("anywhere").addErrback(lambda failure: found.append(failure.type))
    assert found[1:] == [DNSLookupError]
    assert list(reactor.getDelayedCalls()) == []
