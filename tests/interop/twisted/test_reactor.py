"""torsion's engine under stock Twisted's applications: they are unchanged, and see Twisted's own words everywhere."""

from __future__ import annotations

import socket
import sys

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import defer, error, interfaces, protocol
from twisted.internet.address import IPv4Address
from twisted.python import context, log
from twisted.python.failure import Failure

from torsion.interop.twisted import TorsionReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]
TIMEOUT = 8


@pytest.fixture
def reactor():
    made = TorsionReactor()
    yield made
    made.disconnectAll()
    for reader in list(made._internalReaders):
        made.removeReader(reader)
        reader.connectionLost(None)


@pytest.fixture
def logged():
    events: list[dict] = []
    log.addObserver(events.append)
    yield events
    log.removeObserver(events.append)


def run(reactor, start=None) -> None:
    """Run until something stops the reactor."""
    late: list[bool] = []
    giving_up = reactor.callLater(TIMEOUT, lambda: (late.append(True), reactor.stop()))
    if start is not None:
        reactor.callWhenRunning(start)
    reactor.run(installSignalHandlers=False)
    if giving_up.active():
        giving_up.cancel()
    assert not late


class Recorder(protocol.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: Failure | None = None
        self.ended: defer.Deferred[None] = defer.Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self.lost = reason
        self.ended.callback(None)


class Echo(Recorder):
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)


def serving(reactor, server):
    factory = protocol.Factory()
    factory.buildProtocol = lambda address: server
    return reactor.listenTCP(0, factory, interface="127.0.0.1")


def calling(reactor, client, port):
    factory = protocol.ClientFactory()
    factory.noisy = False
    factory.buildProtocol = lambda address: client
    return reactor.connectTCP("127.0.0.1", port.getHost().port, factory)


# --- time and threads ------------------------------------------------------------------------------------------------


def test_calls_to_come_speak_twisted(reactor) -> None:
    call = reactor.callLater(60, lambda: None)
    assert interfaces.IDelayedCall.providedBy(call)
    assert reactor.getDelayedCalls() == [call]
    call.cancel()
    with pytest.raises(error.AlreadyCancelled):
        call.cancel()
    done = reactor.callLater(0, lambda: None)
    reactor.callLater(0, reactor.stop)
    run(reactor)
    with pytest.raises(error.AlreadyCalled):
        done.reset(1)
    with pytest.raises(error.AlreadyCalled):
        done.delay(1)


def test_what_a_call_raises_is_logged_and_the_loop_goes_on(reactor, logged) -> None:
    reactor.callLater(0, lambda: 1 / 0)
    reactor.callLater(0, reactor.stop)
    run(reactor)
    [event] = [event for event in logged if event["isError"]]
    assert event["failure"].check(ZeroDivisionError)


def test_threads_reach_the_reactor(reactor) -> None:
    reactor.callWhenRunning(reactor.callInThread, lambda: reactor.callFromThread(reactor.stop))
    run(reactor)


def test_events_of_starting_and_stopping_come_in_order(reactor) -> None:
    seen: list[str] = []
    for phase in ("before", "during", "after"):
        for event in ("startup", "shutdown"):
            reactor.addSystemEventTrigger(phase, event, seen.append, f"{phase} {event}")
    held: defer.Deferred[None] = defer.Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: (reactor.callLater(0, held.callback, None), held)[1])
    run(reactor, reactor.stop)
    assert seen == [f"{phase} {event}" for event in ("startup", "shutdown") for phase in ("before", "during", "after")]
    with pytest.raises(error.ReactorNotRunning):
        reactor.stop()


# --- TCP -------------------------------------------------------------------------------------------------------------


def test_connections_are_native_and_provide_twisteds_interfaces(reactor) -> None:
    server, client = Echo(), Recorder()
    port = serving(reactor, server)
    assert interfaces.IListeningPort.providedBy(port)
    assert type(port.getHost()) is IPv4Address
    connector = calling(reactor, client, port)
    assert interfaces.IConnector.providedBy(connector)

    def made() -> None:
        transport = client.transport
        for interface in (
            "ITCPTransport",
            "ITLSTransport",
            "IConsumer",
            "IPushProducer",
            "ISystemHandle",
            "ILoggingContext",
        ):
            assert getattr(interfaces, interface).providedBy(transport), interface
        assert type(transport).__module__.startswith("torsion.")
        assert type(transport.getPeer()) is IPv4Address
        assert transport.getPeer() == port.getHost()
        assert transport.getHandle().getsockname()[1] == transport.getHost().port
        assert transport in reactor.getReaders()
        transport.write(b"hello")

    client.connectionMade = made

    def back(data: bytes) -> None:
        client.data += data
        client.transport.loseConnection()

    client.dataReceived = back
    both = defer.DeferredList([client.ended, server.ended])
    both.addCallback(lambda _: port.stopListening()).addCallback(lambda _: reactor.stop())
    run(reactor)
    assert (client.data, server.data) == (b"hello", b"hello")
    for end in (client, server):
        assert type(end.lost) is Failure
        assert end.lost.check(error.ConnectionDone)


def test_a_refused_connection_is_told_in_twisteds_words(reactor) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        number = unused.getsockname()[1]
    failed: list[Failure] = []
    factory = protocol.ClientFactory()
    factory.clientConnectionFailed = lambda connector, reason: (failed.append(reason), reactor.stop())
    reactor.connectTCP("127.0.0.1", number, factory)
    run(reactor)
    assert type(failed[0]) is Failure
    assert failed[0].check(error.ConnectionRefusedError)


def test_a_taken_port_is_told_in_twisteds_words(reactor) -> None:
    port = serving(reactor, Recorder())
    with pytest.raises(error.CannotListenError):
        reactor.listenTCP(port.getHost().port, protocol.Factory(), interface="127.0.0.1")


def test_a_hook_that_raises_loses_its_connection_only(reactor, logged) -> None:
    server, client = Recorder(), Recorder()

    def fails(data: bytes) -> None:
        raise RuntimeError("on purpose")

    server.dataReceived = fails
    port = serving(reactor, server)
    calling(reactor, client, port)
    client.connectionMade = lambda: client.transport.write(b"x")
    defer.DeferredList([client.ended, server.ended]).addCallback(lambda _: reactor.stop())
    run(reactor)
    assert server.lost is not None
    assert server.lost.check(RuntimeError)
    assert [event["failure"].type for event in logged if event["isError"]] == [RuntimeError]


def test_reasons_are_not_shared_between_connections(reactor) -> None:
    reasons = []
    for _ in range(2):
        server, client = Recorder(), Recorder()
        port = serving(reactor, server)
        calling(reactor, client, port)
        client.connectionMade = (
            client.transport.loseConnection if client.transport else lambda c=client: c.transport.loseConnection()
        )
        reasons.append((server, client))
    ends = [end for pair in reasons for end in pair]
    defer.DeferredList([end.ended for end in ends]).addCallback(lambda _: reactor.stop())
    run(reactor)
    assert len({id(end.lost) for end in ends}) == 4
    assert len({id(end.lost.value) for end in ends if end.lost is not None}) == 4


def test_log_events_bear_the_prefix_of_what_is_served(reactor) -> None:
    systems: list[str] = []
    server, client = Recorder(), Recorder()

    def received(data: bytes) -> None:
        systems.append(context.get(log.ILogContext)["system"])
        systems.append(dict(context.get(log.ILogContext))["system"])
        reactor.callLater(0, later)

    def later() -> None:
        systems.append(context.get(log.ILogContext)["system"])
        reactor.stop()

    server.dataReceived = received
    port = serving(reactor, server)
    calling(reactor, client, port)
    client.connectionMade = lambda: client.transport.write(b"x")
    run(reactor)
    assert systems == ["Recorder,0,127.0.0.1", "Recorder,0,127.0.0.1", "-"]


def test_log_events_bear_the_prefix_of_descriptors_that_programs_bring_along(reactor) -> None:
    """Also within another one's hook, and where that cannot say its name."""
    systems: list[str] = []

    def system() -> None:
        systems.append(context.get(log.ILogContext)["system"])

    class Reads:
        def __init__(self, name: str, then) -> None:
            self.ours, self.theirs = socket.socketpair()
            self.name, self.then = name, then
            self.fileno = self.ours.fileno
            self.theirs.send(b"x")
            reactor.addReader(self)

        def logPrefix(self) -> str:
            return self.name or 1 / 0

        def doRead(self) -> None:
            self.ours.recv(1)
            reactor.removeReader(self)
            system()
            self.then()
            system()
            self.ours.close()
            self.theirs.close()

        def connectionLost(self, reason: Failure) -> None:
            raise AssertionError(reason)

    def first() -> None:
        Reads("second", system)
        while len(systems) < 4:
            reactor.iterate(0.01)
        Reads("", reactor.stop)

    Reads("first", first)
    run(reactor)
    assert systems == ["first", "second", "second", "second", "first", "Reads", "Reads"]


def test_producers_are_paused_beyond_the_size_that_a_program_sets(reactor) -> None:
    server, client = Recorder(), Recorder()
    told: list[str] = []

    class Producer:
        pauseProducing = staticmethod(lambda: told.append("pause"))

        def resumeProducing(self) -> None:
            told.append("resume")
            client.transport.unregisterProducer()
            reactor.stop()

        stopProducing = staticmethod(lambda: told.append("stop"))

    def made() -> None:
        client.transport.bufferSize = 100
        assert client.transport.bufferSize == 100
        client.transport.registerProducer(Producer(), True)
        client.transport.write(b"x" * 100)
        assert told == []
        client.transport.write(b"x")
        assert told == ["pause"]

    client.connectionMade = made
    calling(reactor, client, serving(reactor, server))
    run(reactor)
    assert told == ["pause", "resume"]


def test_a_connection_can_be_handed_on(reactor) -> None:
    """As programs do it: take it from the reactor, duplicate its socket, close that; the peer notices nothing."""
    first, second, client = Recorder(), Echo(), Recorder()

    def made() -> None:
        transport = first.transport
        reactor.removeReader(transport)
        reactor.removeWriter(transport)
        factory = protocol.Factory()
        factory.buildProtocol = lambda address: second
        reactor.adoptStreamConnection(transport.fileno(), socket.AF_INET, factory)
        transport.socket.close()
        assert transport.fileno() == -1

    def back(data: bytes) -> None:
        client.data += data
        reactor.stop()

    first.connectionMade = made
    client.connectionMade = lambda: client.transport.write(b"to the second")
    client.dataReceived = back
    calling(reactor, client, serving(reactor, first))
    run(reactor)
    assert client.data == b"to the second"
    assert first.lost is None


def test_sockets_that_are_lent_end_with_their_connection(reactor) -> None:
    server, client = Recorder(), Recorder()
    lent: list[socket.socket] = []

    def made() -> None:
        lent.append(client.transport.getHandle())
        assert client.transport.getHandle() is lent[0]
        lent[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.transport.loseConnection()

    client.connectionMade = made
    client.ended.addCallback(lambda _: reactor.stop())
    calling(reactor, client, serving(reactor, server))
    run(reactor)
    assert lent[0].fileno() == -1


def test_removing_all_returns_what_a_test_has_left_behind(reactor) -> None:
    server, client = Recorder(), Recorder()
    port = serving(reactor, server)
    calling(reactor, client, port)
    server.connectionMade = lambda: reactor.callLater(0, reactor.crash)
    run(reactor)
    left = reactor.removeAll()
    assert {id(each) for each in left} >= {id(port), id(server.transport), id(client.transport)}
    for each in left:
        each.connectionLost(Failure(error.ConnectionLost()))
    assert reactor.removeAll() == []
    assert server.lost is not None
    assert server.lost.check(error.ConnectionLost)


# --- the other transports --------------------------------------------------------------------------------------------


def test_unix_sockets_are_native(reactor, tmp_path) -> None:
    server, client = Echo(), Recorder()
    factory = protocol.Factory()
    factory.buildProtocol = lambda address: server
    port = reactor.listenUNIX(str(tmp_path / "s"), factory)
    clients = protocol.ClientFactory()
    clients.buildProtocol = lambda address: client
    reactor.connectUNIX(str(tmp_path / "s"), clients)

    def made() -> None:
        assert interfaces.IUNIXTransport.providedBy(client.transport)
        client.transport.write(b"unix")

    client.connectionMade = made
    client.dataReceived = lambda data: (Recorder.dataReceived(client, data), reactor.stop())
    run(reactor)
    assert client.data == b"unix"
    assert port.getHost().name == str(tmp_path / "s").encode()


def test_datagrams_and_processes_work_over_the_descriptors(reactor) -> None:
    received: list[bytes] = []

    class Datagrams(protocol.DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
            received.append(datagram)
            done.callback(None)

    class Child(protocol.ProcessProtocol):
        def outReceived(self, data: bytes) -> None:
            received.append(data)

        def processEnded(self, reason: Failure) -> None:
            ended.callback(None)

    done: defer.Deferred[None] = defer.Deferred()
    ended: defer.Deferred[None] = defer.Deferred()

    def start() -> None:
        port = reactor.listenUDP(0, Datagrams(), interface="127.0.0.1")
        port.write(b"datagram", ("127.0.0.1", port.getHost().port))
        reactor.spawnProcess(Child(), sys.executable, [sys.executable, "-c", "print('child')"], env=None)
        defer.DeferredList([done, ended]).addCallback(lambda _: reactor.stop())

    late = reactor.callLater(TIMEOUT, reactor.stop)
    reactor.callWhenRunning(start)
    reactor.run()  # with signal handlers: SIGCHLD tells of processes
    assert late.active()
    late.cancel()
    assert b"datagram" in received
    assert b"".join(each for each in received if each != b"datagram") == b"child\n"
