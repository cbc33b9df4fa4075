"""Connectors: how attempts end, and what a client factory is told."""

from __future__ import annotations

import socket

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Client, Recorder, Server, after, in_memory, nothing_left_open, pause, until
from torsion.internet import error, task
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.interfaces import IConnector
from torsion.internet.interfaces.binding import Binding

pytestmark = needs("IReactorTCP", "engine")


@pytest.fixture
def unused():
    """The number of a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def silent(reactor):
    """The number of a port at which connections wait for ever."""
    if in_memory(reactor):
        listening = reactor.machine.listen(("127.0.0.1", 0), 0)
        reactor.network.dial(listening.address)  # the one that may wait
        yield listening.address[1]
        listening.close()
        return
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = []
        for _ in range(4):  # the backlog and a little more
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        yield server.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_hooks_in_order(reactor, run):
    async def scenario():
        states = []
        client = Client(do={"clientConnectionLost": lambda connector: states.append(connector.state)})
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        connector = reactor.connectTCP("127.0.0.1", port.port, client)
        assert verifyObject(IConnector, connector)
        assert connector.state == "connecting"
        assert client.events == ["doStart", "startedConnecting"]
        await client.one.made
        assert connector.state == "connected"
        assert connector.transport is client.one.transport
        assert client.address == port.getHost()
        client.one.do["connectionLost"] = lambda _: client.events.append("connectionLost")
        connector.disconnect()
        assert (await after(reactor, client.lost)).__class__ is error.ConnectionDone
        assert states == ["disconnected"]
        assert connector.transport is None
        assert client.events == [
            "doStart", "startedConnecting", "buildProtocol", "connectionLost", "clientConnectionLost", "doStop",
        ]  # fmt: skip
        connector.disconnect()  # nothing to do

    run(scenario)


def test_refused(reactor, run, unused):
    async def scenario():
        client = Client()
        connector = reactor.connectTCP("127.0.0.1", unused, client)
        assert "clientConnectionFailed" not in client.events  # never before connectTCP returns
        problem = await after(reactor, client.failed)
        assert isinstance(problem, error.ConnectionRefusedError)
        assert isinstance(problem.osError, int)
        assert client.events == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]
        assert connector.state == "disconnected"
        assert list(reactor.getDelayedCalls()) == [guard]

    guard = None

    async def with_guard():
        nonlocal guard
        [guard] = reactor.getDelayedCalls()
        await scenario()

    with nothing_left_open():
        run(with_guard)


def test_unresolvable(reactor, run):
    async def scenario():
        client = Client()
        reactor.connectTCP("no-such-host.invalid", 80, client)
        problem = await after(reactor, client.failed)
        assert isinstance(problem, error.DNSLookupError)
        assert "no-such-host.invalid" in str(problem)
        assert client.events == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]

    run(scenario)


def test_timeout(reactor, run, silent):
    async def scenario():
        client = Client()
        reactor.connectTCP("127.0.0.1", silent, client, timeout=0.05)
        problem = await after(reactor, client.failed)
        assert isinstance(problem, error.TimeoutError)
        assert "127.0.0.1" in str(problem)

    with nothing_left_open():
        run(scenario)


def test_timeout_of_the_look_up(reactor, run):
    class Never:
        def getHostByName(self, name, timeout=()):
            return Deferred(cancelled.append)

    async def scenario():
        client = Client()
        reactor.connectTCP("host.invalid", 80, client, timeout=0.01)
        assert isinstance(await after(reactor, client.failed), error.TimeoutError)
        assert len(cancelled) == 1

    cancelled = []
    reactor.installResolver(Never())
    run(scenario)


@pytest.mark.parametrize("timeout", [0, None])
def test_no_timeout(reactor, run, timeout, silent):
    async def scenario():
        before = len(reactor.getDelayedCalls())
        connector = reactor.connectTCP("127.0.0.1", silent, Client(), timeout=timeout)
        assert len(reactor.getDelayedCalls()) == before
        connector.stopConnecting()

    run(scenario)


def test_stop_connecting(reactor, run, silent):
    async def scenario():
        client = Client()
        connector = reactor.connectTCP("127.0.0.1", silent, client)
        connector.stopConnecting()
        assert isinstance(await after(reactor, client.failed), error.UserError)
        assert connector.state == "disconnected"
        with pytest.raises(error.NotConnectingError):
            connector.stopConnecting()
        await pause(reactor, 0.01)
        assert client.events.count("clientConnectionFailed") == 1

    with nothing_left_open():
        run(scenario)


def test_stop_connecting_from_started_connecting(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        client = Client(do={"startedConnecting": lambda connector: connector.stopConnecting()})
        reactor.connectTCP("127.0.0.1", port.port, client)
        assert isinstance(await after(reactor, client.failed), error.UserError)
        await pause(reactor, 0.01)
        assert "buildProtocol" not in client.events

    run(scenario)


def test_disconnect_while_connecting(reactor, run, silent):
    async def scenario():
        client = Client()
        reactor.connectTCP("127.0.0.1", silent, client).disconnect()
        assert isinstance(await after(reactor, client.failed), error.UserError)

    run(scenario)


def test_stop_connecting_when_connected(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        other = Client()
        connector = reactor.connectTCP("127.0.0.1", port.port, other)
        await other.one.made
        with pytest.raises(error.NotConnectingError):
            connector.stopConnecting()
        with pytest.raises(RuntimeError, match="connected"):
            connector.connect()

    run(scenario)


def test_connect_while_connecting(reactor, run, silent):
    async def scenario():
        connector = reactor.connectTCP("127.0.0.1", silent, Client())
        with pytest.raises(RuntimeError, match="connecting"):
            connector.connect()

    run(scenario)


@pytest.mark.parametrize("hook", ["clientConnectionLost", "clientConnectionFailed"])
def test_connect_again_from_a_hook(reactor, run, hook, unused):
    async def scenario():
        def again(connector):
            if client.events.count(hook) < 3:
                client.one = Recorder()
                client.one.do["connectionMade"] = leave
                connector.connect()
            else:
                over.callback(None)

        def leave(protocol):
            protocol.transport.loseConnection()

        over = Deferred()
        client = Client(do={hook: again})
        client.one.do["connectionMade"] = leave
        number = unused
        if hook == "clientConnectionLost":
            number = reactor.listenTCP(0, Server(), interface="127.0.0.1").port
        reactor.connectTCP("127.0.0.1", number, client)
        await over
        await pause(reactor)
        assert client.events.count("startedConnecting") == 3
        assert client.events.count("doStart") == client.events.count("doStop") == 1
        assert client.events[-1] == "doStop"

    run(scenario)


def test_connect_again_later(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        client = Client()
        connector = reactor.connectTCP("127.0.0.1", port.port, client)
        await client.one.made
        connector.disconnect()
        await after(reactor, client.lost)
        client.one = Recorder()
        connector.connect()
        await client.one.made
        assert client.events.count("doStart") == 2

    run(scenario)


def test_a_factory_that_wants_no_connection(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        client = Client(do={"buildProtocol": lambda _: None})
        reactor.connectTCP("127.0.0.1", port.port, client)
        assert (await after(reactor, client.lost)).__class__ is error.ConnectionDone
        assert client.events[-2:] == ["clientConnectionLost", "doStop"]
        await until(reactor, lambda: factory.protocols and factory.protocols[0].reason)

    run(scenario)


def test_bind_address(reactor, run):
    async def scenario():
        factory = Server()
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        for bind in (("127.0.0.2", 0), Binding("127.0.0.2")):
            client = Client()
            reactor.connectTCP("127.0.0.1", port.port, client, bindAddress=bind)
            await client.one.made
            assert client.one.transport.getHost().host == "127.0.0.2"

    try:
        socket.create_server(("127.0.0.2", 0)).close()
    except OSError:
        pytest.skip("this system has one loopback address only")
    run(scenario)


def test_bind_address_that_is_taken(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        client = Client()
        reactor.connectTCP("127.0.0.1", port.port, client, bindAddress=("127.0.0.1", port.port))
        assert isinstance(await after(reactor, client.failed), error.ConnectBindError)

    run(scenario)


@pytest.mark.parametrize("bind", [("192.0.2.1", 0), ("no-such-host.invalid", 0), ("", 70000), ("\udcff", 0)])
def test_bad_bind_address(reactor, run, bind, unused):
    async def scenario():
        client = Client()
        reactor.connectTCP("127.0.0.1", unused, client, bindAddress=bind)
        assert isinstance(await after(reactor, client.failed), error.ConnectBindError)

    run(scenario)


@pytest.mark.parametrize(
    ("wrong", "exception"),
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": float("inf")}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"timeout": "x"}, TypeError),
        ({"bindAddress": "x"}, TypeError),
        ({"bindAddress": ("127.0.0.1",)}, TypeError),
        ({"bindAddress": ("127.0.0.1", "0")}, TypeError),
        ({"host": None}, TypeError),
        ({"host": b"127.0.0.1"}, TypeError),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_cannot_be_used_is_refused_at_once(reactor, host, wrong, exception):
    client = Client()
    with nothing_left_open(), pytest.raises(exception) as caught:
        reactor.connectTCP(**{"host": host, "port": 1, "factory": client, **wrong})
    [value] = wrong.values()
    assert repr(value) in str(caught.value)
    assert client.events == []
    assert not reactor.open_handles
    assert list(reactor.getDelayedCalls()) == []


@pytest.mark.parametrize("broken", ["callLater", "engine", "callFromThread"])
def test_a_connect_that_raises_leaves_nothing_behind(reactor, unused, monkeypatch, broken):
    """Whatever it is that fails in the middle of it."""

    class Broken:
        def __getattr__(self, name):
            return fails if name == "connect" else getattr(engine, name)

    def fails(*args, **kwargs):
        raise ZeroDivisionError

    engine = reactor.engine
    client = Client()
    monkeypatch.setattr(reactor, broken, Broken() if broken == "engine" else fails)
    # The engine's is connecting, for callLater it is before that, and callFromThread is what tells of a failure.
    bind = ("127.0.0.1", 70000) if broken == "callFromThread" else None
    with nothing_left_open(), pytest.raises(ZeroDivisionError):
        reactor.connectTCP("127.0.0.1", unused, client, bindAddress=bind)
    assert client.events == ["doStart", "doStop"]
    assert not reactor.open_handles
    assert list(reactor.getDelayedCalls()) == []


def test_a_connect_again_that_raises_in_a_hook(reactor, run, unused, logged):
    async def scenario():
        def again(connector):
            connector.timeout = "x"
            connector.connect()

        client = Client(do={"clientConnectionFailed": again})
        connector = reactor.connectTCP("127.0.0.1", unused, client)
        await until(reactor, lambda: "doStop" in client.events)
        assert client.events == ["doStart", "startedConnecting", "clientConnectionFailed", "doStop"]
        assert connector.state == "disconnected"
        assert len(logged.take(TypeError)) == 1
        connector.timeout = 30
        del client.do["clientConnectionFailed"]
        connector.connect()
        assert isinstance(await after(reactor, client.failed), error.ConnectionRefusedError)

    run(scenario)


@pytest.mark.parametrize("number", [-1, 65536, True, None])
def test_impossible_port_numbers(reactor, run, number):
    async def scenario():
        client = Client()
        reactor.connectTCP("127.0.0.1", number, client)
        problem = await after(reactor, client.failed)
        assert isinstance(problem, error.ConnectError)
        assert str(number) in str(problem)

    run(scenario)


def test_port_by_the_name_of_a_service(reactor, monkeypatch):
    monkeypatch.setattr(socket, "getservbyname", lambda name, kind: {"http": 80}[name])
    connector = reactor.connectTCP("127.0.0.1", "http", Client())
    assert connector.getDestination() == IPv4Address("TCP", "127.0.0.1", 80)


def test_unknown_service(reactor):
    with pytest.raises(error.ServiceNameUnknownError, match="no-such-service"):
        reactor.connectTCP("127.0.0.1", "no-such-service", Client())


def test_destination_is_as_asked_for(reactor):
    host = reactor.connectTCP("host.invalid", 80, Client())
    assert host.getDestination() == IPv4Address("TCP", "host.invalid", 80)
    assert "host.invalid" in repr(host)
    assert "connecting" in repr(host)
    assert reactor.connectTCP("::1", 80, Client()).getDestination() == IPv6Address("TCP", "::1", 80)


class Names:
    """A simple resolver with few names."""

    def __init__(self, **names):
        self.names = names

    def getHostByName(self, name, timeout=()):
        found = self.names.get(name)
        return succeed(found) if found else fail(error.DNSLookupError(name))


def test_installed_resolver(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        client = Client()
        reactor.connectTCP("here", port.port, client)
        await client.one.made
        other = Client()
        reactor.connectTCP("elsewhere", port.port, other)
        assert "clientConnectionFailed" not in other.events  # though the resolver fails at once
        assert isinstance(await after(reactor, other.failed), error.DNSLookupError)

    reactor.installResolver(Names(here="127.0.0.1"))
    run(scenario)


@pytest.mark.parametrize(
    "answer", ["\udcff", "x" * 64 + ".invalid", "no such address", "fe80::1%\udcff", None, 7, b"127.0.0.1"], ids=repr
)
def test_installed_resolver_that_answers_nonsense(reactor, run, answer):
    class Nonsense:
        def getHostByName(self, name, timeout=()):
            return answers[name]()

    async def scenario():
        for name in answers:
            client = Client()
            reactor.connectTCP(name, 80, client, timeout=None)
            assert isinstance(await after(reactor, client.failed), error.ConnectError)
            assert client.events[-2:] == ["clientConnectionFailed", "doStop"]

    later = lambda: task.deferLater(reactor, 0, lambda: answer)
    answers = {"soon": later, "now": lambda: succeed(answer), "undeferred": lambda: answer}
    reactor.installResolver(Nonsense())
    with nothing_left_open():
        run(scenario)


@pytest.mark.parametrize("host", [None, 7, b"127.0.0.1"])
def test_installed_name_resolver_that_answers_nonsense(reactor, run, host):
    class Nonsense:
        def resolveHostName(self, receiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
            address = object() if host is None else IPv4Address("TCP", host, portNumber)
            reactor.callLater(0, receiver.addressResolved, address)

    async def scenario():
        client = Client()
        reactor.connectTCP("anywhere", 80, client, timeout=None)
        problem = await after(reactor, client.failed)
        assert isinstance(problem, error.DNSLookupError)
        assert "'anywhere'" in str(problem)

    reactor.installNameResolver(Nonsense())
    run(scenario)


@pytest.mark.parametrize("host", ["\udcff", "x" * 64 + ".invalid", "a\0b.invalid", "bü" * 40 + ".invalid"], ids=repr)
def test_hosts_that_cannot_be_names(reactor, run, host):
    async def scenario():
        client = Client()
        reactor.connectTCP(host, 80, client, timeout=None)
        assert isinstance(await after(reactor, client.failed), error.DNSLookupError)

    run(scenario)


def test_a_look_up_that_cannot_be_cancelled(reactor, run, logged):
    def refuse(_):
        raise ZeroDivisionError

    class Stubborn:
        def getHostByName(self, name, timeout=()):
            return Deferred(refuse)

    async def scenario():
        client = Client()
        reactor.connectTCP("anywhere", 80, client, timeout=0.001)
        assert isinstance(await after(reactor, client.failed), error.TimeoutError)
        assert client.events[-2:] == ["clientConnectionFailed", "doStop"]
        assert len(logged.take(ZeroDivisionError)) == 1

    reactor.installResolver(Stubborn())
    run(scenario)


def test_localhost(reactor, run):
    async def scenario():
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        client = Client()
        reactor.connectTCP("localhost", port.port, client)
        await client.one.made

    run(scenario)


def test_stop_the_reactor_from_client_hooks(reactor_factory, unused):
    for hook in ("startedConnecting", "clientConnectionFailed", "clientConnectionLost", "buildProtocol"):
        reactor = reactor_factory()
        client = Client(do={hook: lambda *_, reactor=reactor: reactor.stop()})
        client.one.do["connectionMade"] = lambda protocol: protocol.transport.loseConnection()
        number = reactor.listenTCP(0, Server(), interface="127.0.0.1").port
        if hook == "clientConnectionFailed":
            number = unused
        reactor.callWhenRunning(reactor.connectTCP, "127.0.0.1", number, client)
        reactor.run(installSignalHandlers=False)
        assert client.events[-1] == "doStop", hook


def test_a_factory_that_always_connects_again_does_not_keep_the_reactor(reactor, silent):
    client = Client(do={"clientConnectionFailed": lambda connector: connector.connect()})
    reactor.callWhenRunning(reactor.connectTCP, "127.0.0.1", silent, client)
    reactor.callLater(0.01, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert "clientConnectionFailed" in client.events
