"""UDP, multicast and Unix datagrams are native under Twisted's applications, and speak Twisted."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import defer, error, interfaces, protocol
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.python import context, log
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from contract.test_multicast import GROUP, GROUP6, joinable, loopback
from interop.twisted.kit import run, spin

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]
HOST = "127.0.0.1"


class Post(protocol.DatagramProtocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.waiting: list[tuple[int, defer.Deferred[list[Any]]]] = []

    def note(self, event: Any) -> None:
        self.events.append(event)
        for count, deferred in self.waiting[:]:
            if len(self.events) >= count:
                self.waiting.remove((count, deferred))
                deferred.callback(self.events)

    def got(self, count: int) -> defer.Deferred[list[Any]]:
        """Return a Deferred that fires with all events once there are *count*."""
        if len(self.events) >= count:
            return defer.succeed(self.events)
        deferred: defer.Deferred[list[Any]] = defer.Deferred()
        self.waiting.append((count, deferred))
        return deferred

    def startProtocol(self) -> None:
        self.note("started")

    def stopProtocol(self) -> None:
        self.note("stopped")

    def datagramReceived(self, datagram: bytes, addr: Any = None) -> None:
        self.note((datagram, addr))

    def connectionRefused(self) -> None:
        self.note("refused")

    def connectionFailed(self, failure: Failure) -> None:
        self.note(failure)


def address(port: Any) -> tuple[str, int]:
    host = port.getHost()
    return host.host, host.port


# --- UDP -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interface", "kind"), [(HOST, IPv4Address), ("::1", IPv6Address)])
def test_udp_ports_are_native_and_provide_twisteds_interfaces(reactor, interface, kind) -> None:
    post, other = Post(), Post()
    port = reactor.listenUDP(0, post, interface=interface)
    second = reactor.listenUDP(0, other, interface=interface)
    assert type(port).__module__.startswith("torsion.")
    for each in (interfaces.IListeningPort, interfaces.IUDPTransport, interfaces.ILoggingContext):
        assert verifyObject(each, port)
    assert interfaces.ISystemHandle.providedBy(port)
    assert type(port.getHost()) is kind
    assert port in reactor.getReaders()
    assert port.getHandle().getsockname()[1] == port.getHost().port
    assert port.logPrefix() == "Post (UDP)"

    async def scenario() -> None:
        port.write(b"one", address(second))
        [_, (datagram, sender)] = await other.got(2)
        assert (datagram, sender) == (b"one", address(port))
        other.datagramReceived = lambda datagram, addr: second.write(datagram * 2, addr)
        port.write(b"two", address(second))
        assert (await post.got(2))[1] == (b"twotwo", address(second))
        assert await port.stopListening() is None
        assert port not in reactor.getReaders()

    run(reactor, scenario)
    assert post.events[-1] == "stopped"
    assert other.events[-1] == "stopped"  # by the reactor's end


def test_a_connected_port_hears_its_peer_alone_and_is_refused(reactor) -> None:
    post, peer, stranger = Post(), Post(), Post()

    async def scenario() -> None:
        port, there, other = (reactor.listenUDP(0, each, interface=HOST) for each in (post, peer, stranger))
        port.connect(*address(there))
        port.write(b"to the peer")
        assert (await peer.got(2))[1] == (b"to the peer", address(port))
        other.write(b"from a stranger", address(port))
        there.write(b"from the peer", address(port))
        assert (await post.got(2))[1] == (b"from the peer", address(there))
        with pytest.raises(RuntimeError):
            port.connect(*address(other))
        await there.stopListening()
        port.write(b"nobody is there")
        assert (await post.got(3))[2] == "refused"

    run(reactor, scenario)


def test_broadcasting_is_to_be_allowed_first(reactor) -> None:
    port = reactor.listenUDP(0, Post())
    assert not port.getBroadcastAllowed()
    with pytest.raises(OSError, match="ermission denied"):
        port.write(b"x", ("<broadcast>", 9))
    port.setBroadcastAllowed(True)
    assert port.getBroadcastAllowed()
    assert port.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)


def test_reading_can_be_stopped_for_a_while(reactor) -> None:
    post = Post()

    async def scenario() -> None:
        port = reactor.listenUDP(0, post, interface=HOST)
        reactor.removeReader(port)
        port.write(b"later", address(port))
        await spin(reactor)
        assert post.events == ["started"]
        assert port not in reactor.getReaders()
        reactor.addReader(port)
        assert (await post.got(2))[1] == (b"later", address(port))

    run(reactor, scenario)


def test_log_events_bear_the_prefix_of_the_port(reactor) -> None:
    systems: list[str] = []
    post = Post()
    post.datagramReceived = lambda *_: (systems.append(context.get(log.ILogContext)["system"]), reactor.stop())
    port = reactor.listenUDP(0, post, interface=HOST)
    port.write(b"x", address(port))
    run(reactor)
    assert systems == ["Post (UDP)"]


def test_a_datagram_that_is_longer_than_the_port_wants_is_cut(reactor) -> None:
    post = Post()

    async def scenario() -> None:
        port = reactor.listenUDP(0, post, interface=HOST, maxPacketSize=3)
        port.write(b"12345", address(port))
        assert (await post.got(2))[1] == (b"123", address(port))

    run(reactor, scenario)


# --- hooks that raise ------------------------------------------------------------------------------------------------


def fails(*_: object) -> None:
    raise ZeroDivisionError("on purpose")


def test_a_protocol_that_does_not_start_raises_and_leaves_nothing(reactor) -> None:
    post = Post()
    post.startProtocol = fails
    with pytest.raises(ZeroDivisionError):
        reactor.listenUDP(0, post, interface=HOST)

    assert all(not isinstance(each, type(post.transport)) for each in reactor.getReaders())


@pytest.mark.parametrize("hook", ["datagramReceived", "connectionRefused"])
def test_what_a_hook_raises_is_logged_and_the_port_goes_on(reactor, logged, hook) -> None:
    post = Post()
    failed: defer.Deferred[None] = defer.Deferred()

    def fails_once(*_: object) -> None:
        delattr(post, hook)
        reactor.callLater(0, failed.callback, None)
        raise ZeroDivisionError("on purpose")

    async def scenario() -> None:
        port = reactor.listenUDP(0, post, interface=HOST)
        if hook == "connectionRefused":
            gone = reactor.listenUDP(0, Post(), interface=HOST)
            port.connect(*address(gone))
            await gone.stopListening()
        else:
            port.connect(*address(port))
        setattr(post, hook, fails_once)
        port.write(b"first")
        await failed
        port.write(b"second")
        await post.got(2)

    run(reactor, scenario)
    [event] = [event for event in logged if event["isError"]]
    assert event["failure"].check(ZeroDivisionError)


def test_what_stopping_raises_is_told_to_who_waits(reactor) -> None:
    post = Post()
    post.stopProtocol = fails

    async def scenario() -> None:
        port = reactor.listenUDP(0, post, interface=HOST)
        with pytest.raises(ZeroDivisionError):
            await port.stopListening()

    run(reactor, scenario)


def test_a_socket_that_is_closed_behind_the_ports_back_ends_it_in_order(reactor) -> None:
    post = Post()

    async def scenario() -> None:
        port = reactor.listenUDP(0, post, interface=HOST)
        port.getHandle().close()
        await spin(reactor)
        await port.stopListening()
        assert post.events == ["started", "stopped"]

    run(reactor, scenario)


# --- multicast -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "interface", "family"), [(GROUP, "", socket.AF_INET), (GROUP6, "::", socket.AF_INET6)]
)
def test_members_of_a_group_hear_what_is_sent_to_it(reactor, group, interface, family) -> None:
    if not joinable(family, group):
        pytest.skip("this computer's network has no such groups")
    post = Post()

    async def scenario() -> None:
        member = reactor.listenMulticast(0, post, interface=interface)
        speaker = reactor.listenMulticast(0, Post(), interface=interface)
        assert verifyObject(interfaces.IMulticastTransport, member)
        number = member.getHost().port
        assert await member.joinGroup(group) is None
        speaker.setTTL(0)
        assert speaker.getTTL() == 0
        speaker.write(b"heard", (group, number))
        assert (await post.got(2))[1][0] == b"heard"
        speaker.setLoopbackMode(False)
        assert not speaker.getLoopbackMode()
        await member.leaveGroup(group)
        speaker.setLoopbackMode(True)
        speaker.write(b"not heard", (group, number))
        await spin(reactor)
        assert len(post.events) == 2

    run(reactor, scenario)


@pytest.mark.parametrize(("interface", "where"), [("", "127.0.0.1"), ("::", loopback())])
def test_the_interface_for_sending_can_be_chosen(reactor, interface, where) -> None:
    port = reactor.listenMulticast(0, Post(), interface=interface)
    done: list[object] = []
    port.setOutgoingInterface(where).addCallback(done.append)
    assert done == [1]
    assert port.getOutgoingInterface() == where


def test_ports_can_share_a_number_if_all_say_so(reactor) -> None:
    first = reactor.listenMulticast(0, Post(), listenMultiple=True)
    reactor.listenMulticast(first.getHost().port, Post(), listenMultiple=True)
    with pytest.raises(error.CannotListenError):
        reactor.listenMulticast(first.getHost().port, Post())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("10.0.0.1",), error.MulticastJoinError),
        (("ff02::1",), error.MulticastJoinError),
        (("225.0.0.1", 5), error.MulticastJoinError),
        ((None,), TypeError),
        ((b"225.0.0.1",), TypeError),
        (("225.0.0.1", b"127.0.0.1"), TypeError),
    ],
)
def test_groups_that_cannot_be_joined_fail_a_deferred_of_twisteds(reactor, arguments, problem) -> None:
    port = reactor.listenMulticast(0, Post())
    for change in (port.joinGroup, port.leaveGroup):
        failures: list[Failure] = []
        change(*arguments).addErrback(failures.append)
        assert type(failures[0]) is Failure
        assert failures[0].check(problem), failures


# --- Unix ------------------------------------------------------------------------------------------------------------


def test_unix_datagrams_are_native(reactor, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    post, peer = Post(), Post()

    async def scenario() -> None:
        port = reactor.listenUNIXDatagram("server", post, mode=0o600)
        client = reactor.connectUNIXDatagram("server", peer, bindAddress="client")
        assert verifyObject(interfaces.IListeningPort, port)
        assert verifyObject(interfaces.IUNIXDatagramTransport, port)
        assert verifyObject(interfaces.IUNIXDatagramConnectedTransport, client)
        assert type(port).__module__.startswith("torsion.")
        assert os.stat("server").st_mode & 0o777 == 0o600
        assert port.getHost() == client.getPeer() == UNIXAddress("server")
        assert client.getHost() == UNIXAddress("client")
        assert {port, client} <= set(reactor.getReaders())
        client.write(b"there")
        assert (await post.got(2))[1] == (b"there", "client")
        port.write(b"back", "client")
        assert (await peer.got(2))[1] == (b"back", None)
        await port.stopListening()
        os.unlink("server")
        client.write(b"nobody")
        assert (await peer.got(3))[2] == "refused"
        await client.stopListening()

    run(reactor, scenario)
    assert post.events[-1] == peer.events[-1] == "stopped"


def test_a_unix_peer_that_is_not_there_is_told_of(reactor, tmp_path) -> None:
    post = Post()
    reactor.connectUNIXDatagram(str(tmp_path / "nobody"), post)
    assert type(post.events[0]) is Failure
    assert post.events[0].check(FileNotFoundError)
