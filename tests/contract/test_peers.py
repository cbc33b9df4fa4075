"""Peers that do not behave, addresses that cannot be used, and what is asked of a connection that has ended."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

import pytest
from zope.interface import implementer

from contract import faultkit
from contract.faultkit import Echo, Loop, Maker
from contract.flavours import needs
from torsion.internet import error
from torsion.internet.endpoints import clientFromString, serverFromString
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import ClientFactory, Factory
from torsion.internet.reactors.resolver import GAIResolver

pytestmark = needs("IReactorTCP", "engine")

loop = faultkit.loop


@implementer(IHalfCloseableProtocol)
class HalfEcho(Echo):
    """An echo that knows of half-closed connections."""

    def __init__(self):
        super().__init__()
        self.halves = []

    def readConnectionLost(self):
        self.halves.append("read")

    def writeConnectionLost(self):
        self.halves.append("write")


# --- peers -------------------------------------------------------------------------------------------------------------


def test_a_reset(loop: Loop):
    factory = Maker()
    port = loop.listen(factory)
    bystander, victim = loop.peer(port), loop.peer(port)
    assert bystander.answers()
    assert victim.answers()
    victim.reset()
    loop.until(lambda: factory.made[1].reasons)
    (reason,) = factory.made[1].reasons
    assert reason.type is error.ConnectionLost
    assert reason.value.args[0].errno == errno.ECONNRESET
    assert bystander.answers()


def test_a_reset_while_much_waits_to_be_sent(loop: Loop):
    factory = Maker()
    victim = loop.peer(loop.listen(factory))
    assert victim.answers()
    (protocol,) = factory.made
    protocol.transport.write(b"x" * 20_000_000)
    loop.turn()
    assert protocol.transport.statistics()["bytes_queued"] > 0
    victim.reset()
    loop.until(lambda: protocol.reasons)
    assert protocol.reasons[0].type is error.ConnectionLost
    assert protocol.transport.statistics()["bytes_queued"] == 0


def test_a_reset_is_told_of_after_a_pause(loop: Loop):
    factory = Maker()
    victim = loop.peer(loop.listen(factory))
    assert victim.answers()
    (protocol,) = factory.made
    protocol.transport.pauseProducing()
    victim.reset()
    loop.turn()
    protocol.transport.resumeProducing()
    loop.until(lambda: protocol.reasons)
    assert protocol.reasons[0].type is error.ConnectionLost


def test_a_half_close_ends_a_connection_that_knows_of_none(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    peer.send(b"last words")
    peer.half_close()
    assert peer.receive(100) == b"last words"
    loop.until(lambda: factory.made[0].reasons)
    assert factory.made[0].reasons[0].type is error.ConnectionDone


def test_a_half_close_leaves_the_other_half(loop: Loop):
    factory = Maker(HalfEcho)
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    peer.half_close()
    (protocol,) = factory.made
    loop.until(lambda: protocol.halves)
    protocol.transport.write(b"still here")
    assert peer.receive(10) == b"still here"
    assert protocol.reasons == []
    protocol.transport.loseConnection()
    assert peer.ended()
    loop.until(lambda: protocol.reasons)
    assert protocol.reasons[0].type is error.ConnectionDone
    assert protocol.halves == ["read"]


@pytest.mark.parametrize("ours_first", [True, False])
def test_two_half_closes_make_a_whole(loop: Loop, ours_first):
    factory = Maker(HalfEcho)
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    (protocol,) = factory.made
    closes = [protocol.transport.loseWriteConnection, peer.half_close]
    for number, close in enumerate(closes if ours_first else closes[::-1], 1):
        close()
        loop.until(lambda n=number: len(protocol.halves) == n)
    assert protocol.halves == (["write", "read"] if ours_first else ["read", "write"])
    loop.until(lambda: protocol.reasons)
    assert protocol.reasons[0].type is error.ConnectionDone


def test_a_half_closed_peer_may_still_reset(loop: Loop):
    factory = Maker(HalfEcho)
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    peer.half_close()
    (protocol,) = factory.made
    loop.until(lambda: protocol.halves)
    peer.reset()

    def noticed():
        protocol.transport.write(b"x")
        return protocol.reasons

    loop.until(noticed)
    assert protocol.reasons[0].type is error.ConnectionLost


def test_one_byte_at_a_time(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    message = bytes(range(256)) * 8
    answer = b""
    for number in range(len(message)):
        peer.send(message[number : number + 1])
        loop.turn(1)
        with suppress(BlockingIOError):
            answer += peer.socket.recv(4096)
    answer += peer.receive(len(message) - len(answer))
    assert answer == message == factory.made[0].received


def test_those_that_come_and_go(loop: Loop):
    """However a peer leaves before it was served: each protocol that was made is told once that it is over."""
    factory = Maker()
    port = loop.listen(factory, backlog=128)
    for _ in range(20):
        loop.peer(port).close()
        loop.peer(port).reset()
        silent = loop.peer(port)
        silent.half_close()
        speaker = loop.peer(port)
        speaker.send(b"hello")
        speaker.close()
    assert loop.peer(port).answers()
    loop.until(lambda: sum(len(protocol.reasons) for protocol in factory.made) == len(factory.made) - 1)
    loop.turn()
    assert [len(protocol.reasons) for protocol in factory.made] == [1] * (len(factory.made) - 1) + [0]
    assert sum(protocol.received == b"hello" for protocol in factory.made) == 20
    assert loop.reactor.engine.statistics()["descriptors"] == 2  # the port's and the last one's


# --- addresses ---------------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_named(loop: Loop):
    taken = loop.listen(Maker()).getHost().port
    factory = Maker()
    with pytest.raises(error.CannotListenError) as caught:
        loop.reactor.listenTCP(taken, factory, interface="127.0.0.1")
    assert (caught.value.interface, caught.value.port) == ("127.0.0.1", taken)
    assert caught.value.socketError.errno == errno.EADDRINUSE
    assert f"127.0.0.1:{taken}" in str(caught.value)
    assert factory.numPorts == 0
    assert len(loop.reactor.open_handles) == 1


@pytest.mark.parametrize("interface", ["203.0.113.77", "2001:db8::77", "fe80::1%nowhere", "no such name\0"])
def test_an_interface_that_is_not_ours(loop: Loop, interface):
    with pytest.raises(error.CannotListenError) as caught:
        loop.reactor.listenTCP(0, Maker(), interface=interface)
    assert (caught.value.interface, caught.value.port) == (interface, 0)
    assert not loop.reactor.open_handles


@pytest.mark.parametrize("number", [-1, 65536, 10**30])
def test_a_port_that_there_cannot_be(loop: Loop, number):
    with pytest.raises(error.CannotListenError) as caught:
        loop.reactor.listenTCP(number, Maker(), interface="127.0.0.1")
    assert caught.value.port == number
    failure = attempt(loop, "127.0.0.1", number)
    assert failure.check(error.ConnectError)
    assert str(number) in str(failure.value)


class Attempt(ClientFactory):
    noisy = False

    def __init__(self):
        self.failures = []

    def clientConnectionFailed(self, connector, reason):
        self.failures.append(reason)


def attempt(loop, host, port, **options):
    """Connect in vain; return why."""
    factory = Attempt()
    connector = loop.reactor.connectTCP(host, port, factory, **options)
    assert factory.failures == [], "not before connectTCP returns"
    loop.until(lambda: factory.failures)
    (failure,) = factory.failures
    assert connector.state == "disconnected"
    assert not loop.reactor.open_handles
    assert [call for call in loop.reactor.getDelayedCalls() if call.getTime() > loop.reactor.seconds() + 5] == []
    return failure


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_refused_connection(loop: Loop):
    failure = attempt(loop, "127.0.0.1", unused_port())
    assert failure.check(error.ConnectionRefusedError)
    assert failure.value.osError == errno.ECONNREFUSED


def test_an_endpoint_that_is_refused(loop: Loop):
    endpoint = clientFromString(loop.reactor, f"tcp:127.0.0.1:{unused_port()}")
    assert loop.result(endpoint.connect(Factory.forProtocol(Echo))).check(error.ConnectionRefusedError)


def test_an_endpoint_whose_port_is_taken(loop: Loop):
    taken = loop.listen(Maker()).getHost().port
    endpoint = serverFromString(loop.reactor, f"tcp:{taken}:interface=127.0.0.1")
    assert loop.result(endpoint.listen(Maker())).check(error.CannotListenError)


def test_an_address_to_bind_that_is_not_ours(loop: Loop):
    failure = attempt(loop, "127.0.0.1", unused_port(), bindAddress=("203.0.113.77", 0))
    assert failure.check(error.ConnectBindError)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (socket.gaierror, (socket.EAI_NONAME, "Name or service not known")),
        (socket.gaierror, (socket.EAI_AGAIN, "Temporary failure in name resolution")),
        (UnicodeError, ("label too long",)),
    ],
)
def test_a_host_without_an_address(loop: Loop, logged, kind, arguments):
    def getaddrinfo(*args):
        raise kind(*arguments)

    loop.reactor.installNameResolver(GAIResolver(loop.reactor, loop.reactor.getThreadPool, getaddrinfo))
    failure = attempt(loop, "nowhere.example", 80)
    assert failure.check(error.DNSLookupError)
    assert "nowhere.example" in str(failure.value)
    assert loop.result(loop.reactor.resolve("nowhere.example")).check(error.DNSLookupError)
    endpoint = clientFromString(loop.reactor, "tcp:nowhere.example:80")
    assert loop.result(endpoint.connect(Factory.forProtocol(Echo))).check(error.DNSLookupError)
    logged.take(UnicodeError)


@pytest.mark.parametrize("host", ["", "a" * 64 + ".example", "with space.invalid\0"])
def test_hosts_that_cannot_be(loop: Loop, logged, host):
    failure = attempt(loop, host, unused_port())
    assert failure.check(error.DNSLookupError, error.ConnectError)
    logged.take(UnicodeError, ValueError)


@pytest.mark.parametrize("exception", [ValueError, SystemExit])
def test_a_resolver_that_raises_costs_the_attempt(loop: Loop, exception):
    class Broken:
        def getHostByName(self, name, timeout=()):
            raise exception(name)

    loop.reactor.installResolver(Broken())
    failure = attempt(loop, "nowhere.example", 80)
    assert failure.check(exception)


# --- after the end -------------------------------------------------------------------------------------------------------


class Stoppable:
    """A producer that tells whether it was stopped."""

    def __init__(self):
        self.stopped = 0

    def stopProducing(self):
        self.stopped += 1

    def resumeProducing(self):
        raise AssertionError("asked for bytes that nobody wants")

    pauseProducing = resumeProducing


def use(transport):
    """Do all that a protocol may do with its transport, as if it were still connected."""
    transport.write(b"x")
    transport.write(bytearray(b"x"))
    transport.writeSequence([b"x", b"y"])
    transport.loseWriteConnection()
    transport.loseConnection()
    transport.abortConnection()
    transport.pauseProducing()
    transport.resumeProducing()
    transport.stopProducing()
    for streaming in (True, False):
        producer = Stoppable()
        transport.registerProducer(producer, streaming)
        transport.unregisterProducer()
        assert producer.stopped == 1
    with pytest.raises(TypeError, match="bytes"):
        transport.write("text")
    with pytest.raises(OSError, match="closed"):
        transport.setTcpNoDelay(True)
    with pytest.raises(OSError, match="descriptor"):
        transport.getHandle()
    assert transport.fileno() == -1
    assert transport.getPeer().host == transport.getHost().host == "127.0.0.1"
    assert transport.disconnected
    assert not transport.connected
    assert "closed" in repr(transport)


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection", "reset", "close"])
def test_a_connection_that_has_ended_ignores_what_is_asked_of_it(loop: Loop, how):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    (protocol,) = factory.made
    transport = protocol.transport
    getattr(peer if how in {"reset", "close"} else transport, how)()
    loop.until(lambda: protocol.reasons)
    use(transport)
    loop.turn()
    use(transport)
    assert len(protocol.reasons) == 1


def test_a_connection_may_be_used_in_connectionLost(loop: Loop):
    class Clinging(Echo):
        def connectionLost(self, reason):
            use(self.transport)
            super().connectionLost(reason)

    factory = Maker(Clinging)
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    peer.close()
    loop.until(lambda: factory.made[0].reasons)
    loop.turn()
    assert len(factory.made[0].reasons) == 1


def test_a_connection_outlives_its_reactors_run(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    loop.reactor.stop()
    loop.reactor.mainLoop()
    (protocol,) = factory.made
    assert [reason.type for reason in protocol.reasons] == [error.ConnectionLost]
    use(protocol.transport)
    assert peer.ended()


def test_what_is_written_after_loseConnection_is_still_sent(loop: Loop):
    """As in Twisted: only the end of the connection ends writing."""
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers()
    transport = factory.made[0].transport
    transport.write(b"one")
    transport.loseConnection()
    transport.write(b"two")
    assert transport.disconnecting
    assert peer.receive(10) == b"onetwo"
    loop.until(lambda: factory.made[0].reasons)
    assert factory.made[0].reasons[0].type is error.ConnectionDone


def test_nothing_is_sent_or_received_after_abortConnection(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers(b"x")
    (protocol,) = factory.made
    peer.send(b"too late")
    protocol.transport.write(b"never")
    protocol.transport.abortConnection()
    protocol.transport.write(b"never")
    assert protocol.reasons == [], "not from within the call"
    assert peer.ended()
    loop.until(lambda: protocol.reasons)
    assert protocol.reasons[0].type is error.ConnectionAborted
    assert protocol.received == b"x"


def test_nothing_is_received_after_loseConnection(loop: Loop):
    factory = Maker()
    peer = loop.peer(loop.listen(factory))
    assert peer.answers(b"x")
    (protocol,) = factory.made
    protocol.transport.loseConnection()
    peer.send(b"too late")
    loop.until(lambda: protocol.reasons)
    assert protocol.received == b"x"
