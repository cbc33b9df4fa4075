"""The reactor that writes down what it is asked for."""

import socket

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.error import UnsupportedAddressFamily
from torsion.internet.interfaces import (
    IConnector,
    IListeningPort,
    IReactorCore,
    IReactorFDSet,
    IReactorPluggableNameResolver,
    IReactorSocket,
    IReactorSSL,
    IReactorTCP,
    IReactorTime,
    IReactorUNIX,
)
from torsion.internet.protocol import ClientFactory, Factory
from torsion.internet.testing import MemoryReactor, MemoryReactorClock


class Noting(ClientFactory):
    """Notes which connectors were started."""

    def __init__(self):
        self.started = []

    def startedConnecting(self, connector):
        self.started.append(connector)


@pytest.fixture
def reactor():
    return MemoryReactor()


@pytest.mark.parametrize(
    "interface",
    [
        IReactorCore,
        IReactorTCP,
        IReactorSSL,
        IReactorUNIX,
        IReactorSocket,
        IReactorFDSet,
        IReactorPluggableNameResolver,
    ],
)
def test_interfaces(interface):
    verifyObject(interface, MemoryReactor())
    verifyObject(interface, MemoryReactorClock())


@pytest.mark.parametrize(
    ("method", "given", "where", "noted", "address"),
    [
        ("connectTCP", ("h", 1), "tcpClients", ("h", 1, "factory", 30, None), IPv4Address("TCP", "h", 1)),
        ("connectSSL", ("h", 1), "sslClients", ("h", 1, "factory", "context", 30, None), IPv4Address("TCP", "h", 1)),
        ("connectUNIX", ("/x",), "unixClients", ("/x", "factory", 30, False), UNIXAddress("/x")),
    ],
)
def test_clients(reactor, method, given, where, noted, address):
    factory = Noting()
    context = ("context",) if method == "connectSSL" else ()
    connector = getattr(reactor, method)(*given, factory, *context)
    assert getattr(reactor, where) == [tuple(factory if each == "factory" else each for each in noted)]
    assert reactor.connectors == factory.started == [connector]
    verifyObject(IConnector, connector)
    assert connector.getDestination() == address


@pytest.mark.parametrize(
    ("method", "given", "where", "noted", "address"),
    [
        ("listenTCP", (80, "f"), "tcpServers", (80, "f", 50, ""), IPv4Address("TCP", "0.0.0.0", 80)),
        ("listenTCP", (80, "f", 5, "::1"), "tcpServers", (80, "f", 5, "::1"), IPv6Address("TCP", "::1", 80)),
        (
            "listenTCP",
            (80, "f", 5, "127.0.0.1"),
            "tcpServers",
            (80, "f", 5, "127.0.0.1"),
            IPv4Address("TCP", "127.0.0.1", 80),
        ),
        ("listenSSL", (80, "f", "c"), "sslServers", (80, "f", "c", 50, ""), IPv4Address("TCP", "0.0.0.0", 80)),
        ("listenUNIX", ("/x", "f"), "unixServers", ("/x", "f", 50, 0o666, False), UNIXAddress("/x")),
        (
            "adoptStreamPort",
            (3, socket.AF_INET, "f"),
            "adoptedPorts",
            (3, socket.AF_INET, "f"),
            IPv4Address("TCP", "0.0.0.0", 1234),
        ),
        (
            "adoptStreamPort",
            (3, socket.AF_INET6, "f"),
            "adoptedPorts",
            (3, socket.AF_INET6, "f"),
            IPv6Address("TCP", "::", 1234),
        ),
        (
            "adoptDatagramPort",
            (3, socket.AF_INET, "p"),
            "adoptedPorts",
            (3, socket.AF_INET, "p", 8192),
            IPv4Address("UDP", "0.0.0.0", 1234),
        ),
    ],
)
def test_servers(reactor, method, given, where, noted, address):
    port = getattr(reactor, method)(*given)
    assert getattr(reactor, where) == [noted]
    verifyObject(IListeningPort, port)
    assert port.getHost() == address


@pytest.mark.parametrize("method", ["adoptStreamPort", "adoptDatagramPort"])
def test_strange_families(reactor, method):
    with pytest.raises(UnsupportedAddressFamily, match="999"):
        getattr(reactor, method)(3, 999, Factory())
    assert reactor.adoptedPorts == []


def test_adopted_connections(reactor):
    factory = Factory()
    reactor.adoptStreamConnection(3, socket.AF_INET, factory)
    assert reactor.adoptedStreamConnections == [(3, socket.AF_INET, factory)]


def test_life(reactor):
    reactor.install()
    assert reactor.hasInstalled
    running = []
    reactor.callWhenRunning(running.append, 1)
    reactor.callWhenRunning(lambda: running.append(reactor.running))
    assert running == []
    assert not reactor.hasRun
    reactor.run()
    assert running == [1, True]
    assert (reactor.hasRun, reactor.running, reactor.hasStopped, reactor.hasCrashed) == (True, False, True, False)
    reactor.callWhenRunning(running.append, 2)
    assert running[-1] == 2
    reactor.crash()
    assert reactor.hasCrashed


def test_triggers(reactor):
    called = []

    def note(word):
        called.append(word)

    reactor.addSystemEventTrigger("after", "shutdown", called.append, "after")
    token = reactor.addSystemEventTrigger("before", "shutdown", called.append, "removed")
    reactor.addSystemEventTrigger("before", "shutdown", note, word="before")
    reactor.addSystemEventTrigger("before", "startup", called.append, "startup")
    assert reactor.triggers["after"]["shutdown"] == [(called.append, ("after",), {})]
    reactor.removeSystemEventTrigger(token)
    with pytest.raises(ValueError, match="not in list"):
        reactor.removeSystemEventTrigger(token)
    reactor.fireSystemEvent("shutdown")
    assert called == ["before", "after"]


def test_what_it_cannot_do(reactor):
    with pytest.raises(NotImplementedError, match="nameResolver"):
        reactor.resolve("example.org")
    with pytest.raises(NotImplementedError, match="MemoryReactorClock"):
        reactor.iterate()


def test_descriptors(reactor):
    reader, writer = object(), object()
    reactor.addReader(reader)
    reactor.addReader(reader)
    reactor.addWriter(writer)
    assert reactor.getReaders() == [reader]
    assert reactor.getWriters() == [writer]
    reactor.removeReader(writer)
    assert {*reactor.removeAll()} == {reader, writer}
    assert reactor.getReaders() == reactor.getWriters() == []
    reactor.addReader(reader)
    reactor.addWriter(writer)
    reactor.removeReader(reader)
    reactor.removeWriter(writer)
    assert reactor.removeAll() == []


def test_resolver(reactor):
    first, second = reactor.nameResolver, object()
    assert reactor.installNameResolver(second) is first
    assert reactor.nameResolver is second


def test_clock():
    reactor, called = MemoryReactorClock(), []
    verifyObject(IReactorTime, reactor)
    reactor.callLater(1, called.append, "due")
    reactor.advance(0.5)
    assert called == []
    reactor.advance(0.5)
    assert called == ["due"]
    assert reactor.tcpClients == []
