"""What the tests of Twisted itself and of other projects rely on, and found missing once."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import protocol, tcp, udp, unix

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]


def test_an_attempt_to_connect_has_a_word_for_log_lines(reactor) -> None:
    connector = reactor.connectTCP("127.0.0.1", 1, protocol.ClientFactory())
    assert connector.transport.logstr == connector.transport.logPrefix() == "Uninitialized"
    connector.stopConnecting()


def test_what_is_native_passes_for_twisteds_classes(reactor, tmp_path) -> None:
    path = str(tmp_path / "socket")
    datagrams = [
        reactor.listenUDP(0, protocol.DatagramProtocol()),
        reactor.listenMulticast(0, protocol.DatagramProtocol()),
    ]
    streams = [reactor.listenTCP(0, protocol.Factory()), reactor.listenUNIX(path, protocol.Factory())]
    assert [isinstance(port, tcp.Port) for port in streams + datagrams] == [True, True, False, False]
    assert [isinstance(port, udp.Port) for port in streams + datagrams] == [False, False, True, True]
    assert isinstance(streams[1], unix.Port)
    assert isinstance(datagrams[1], udp.MulticastPort)


def test_connections_among_the_readers_are_known_by_their_classes(reactor) -> None:
    """As programs do that wait until none is left."""
    seen: list[tuple[bool, bool]] = []

    class Client(protocol.Protocol):
        def connectionMade(self) -> None:
            readers = reactor.getReaders()
            seen.append((any(isinstance(each, tcp.Client) for each in readers), isinstance(self.transport, tcp.Server)))
            self.transport.loseConnection()

        def connectionLost(self, reason) -> None:
            seen.append((any(isinstance(each, tcp.Client) for each in reactor.getReaders()), False))
            reactor.stop()

    port = reactor.listenTCP(0, protocol.Factory.forProtocol(protocol.Protocol), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(Client))
    late = reactor.callLater(8, reactor.stop)
    reactor.run(installSignalHandlers=False)
    late.cancel()
    assert seen == [(True, False), (False, False)]


def test_what_was_removed_is_not_found_again(reactor) -> None:
    """As trial looks for what a test left: that is one test's fault, not all the later ones'."""
    port = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
    datagrams = reactor.listenUDP(0, protocol.DatagramProtocol(), interface="127.0.0.1")
    connector = reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory())
    assert set(reactor.removeAll()) == {port, datagrams, connector.transport}
    assert reactor.removeAll() == []
    assert port.fileno() != -1


def test_a_port_that_is_paused_is_closed_with_all_others(reactor) -> None:
    port = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
    datagrams = reactor.listenUDP(0, protocol.DatagramProtocol(), interface="127.0.0.1")
    for each in (port, datagrams):
        each.pauseProducing()
    reactor.disconnectAll()
    assert [port.connected, datagrams.connected] == [False, False]


def test_what_is_due_is_done_on_demand(reactor) -> None:
    """By tests that do not run the reactor."""
    said: list[str] = []
    reactor.callLater(0, said.append, "timer")
    reactor.callFromThread(said.append, "thread")
    reactor.callLater(60, said.append, "late")
    reactor.runUntilCurrent()
    assert sorted(said) == ["thread", "timer"]
    for call in reactor.getDelayedCalls():
        call.cancel()


def test_what_is_due_is_done_on_demand_of_a_call(reactor) -> None:
    said: list[str] = []

    def first() -> None:
        reactor.callLater(0, said.append, "second")
        reactor.runUntilCurrent()
        said.append("first")
        reactor.stop()

    reactor.callLater(0, first)
    reactor.run(installSignalHandlers=False)
    assert said == ["second", "first"]


def test_a_call_tells_what_became_of_it(reactor) -> None:
    """As programs read it from Twisted's calls, without asking whether it is active."""
    seen: list[bool] = []
    made = reactor.callLater(0, lambda: seen.append(made.called))
    dropped = reactor.callLater(60, seen.append, False)
    assert [(call.called, call.cancelled) for call in (made, dropped)] == [(False, False), (False, False)]
    dropped.cancel()
    reactor.runUntilCurrent()
    assert [(call.called, call.cancelled) for call in (made, dropped)] == [(True, False), (False, True)]
    assert seen == [True]


def test_it_is_not_taken_for_the_one_of_windows(reactor) -> None:
    """By programs that count what is open: that reactor has `handles`, all others have readers and writers."""
    assert not hasattr(reactor, "handles")
    readers = set(reactor.getReaders()) - set(reactor._internalReaders)
    assert (readers, reactor.getWriters()) == (set(), [])
