"""Connections in memory: how they are carried, and what goes wrong with them."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.error import (
    CannotListenError,
    ConnectBindError,
    ConnectionDone,
    ConnectionLost,
    NoRouteError,
    TimeoutError,
)
from torsion.internet.error import ConnectionRefusedError as Refused
from torsion.internet.reactors.memory import Conditions, MemoryReactor, Network
from unit.internet.reactors.memory.kit import Makes, joined


def made(**conditions):
    """Return a reactor whose network has these conditions."""
    return MemoryReactor(Network(seed=7, conditions=Conditions(**conditions)))


def test_what_is_sent_takes_its_time():
    reactor = made(latency=0.25)
    server, client, _ = joined(reactor)
    began = reactor.seconds()
    client.transport.write(b"hello")
    reactor.advance(1)
    assert [(at - began, data) for at, data in server.received] == [(0.25, b"hello")]


def test_a_connection_takes_there_and_back():
    reactor = made(latency=0.25)
    server = Makes(reactor)
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    client = Makes(reactor)
    reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    reactor.advance(0.25)
    assert (len(server.made), len(client.made)) == (1, 0)
    reactor.advance(0.25)
    assert client.made[0].made


def test_streams_stay_in_order_whatever_is_drawn():
    reactor = made(latency=(0.001, 0.5))
    server, client, _ = joined(reactor)
    for number in range(50):
        client.transport.write(b"%d " % number)
        reactor.advance(0.001)
    client.transport.loseConnection()
    reactor.advance(60)
    assert server.data == b"".join(b"%d " % number for number in range(50))
    assert isinstance(server.reason, ConnectionDone)


def test_bytes_come_in_pieces():
    reactor = made(fragment=3)
    server, client, _ = joined(reactor)
    client.transport.write(b"abcdefghijklmnopqrstuvwxyz")
    reactor.settle()
    assert server.data == b"abcdefghijklmnopqrstuvwxyz"
    assert {len(data) for _, data in server.received} <= {1, 2, 3}
    assert len(server.received) > 8


def test_without_fragments_what_has_come_is_read_together():
    reactor = MemoryReactor()
    server, client, _ = joined(reactor)
    server.transport.pauseProducing()
    for _ in range(3):
        client.transport.write(b"abc")
        reactor.settle()
    server.transport.resumeProducing()
    reactor.settle()
    assert [data for _, data in server.received] == [b"abcabcabc"]


@given(st.integers(0, 1000), st.lists(st.binary(max_size=300)), st.integers(1, 50), st.floats(0, 1))
def test_the_same_seed_gives_the_same_again(seed, pieces, fragment, latency):
    """And every byte arrives, once and in order."""

    def run():
        reactor = MemoryReactor(
            Network(seed, Conditions(fragment=fragment, latency=(0.0, latency), capacity=64 + fragment))
        )
        server, client, _ = joined(reactor)
        for piece in pieces:
            client.transport.write(piece)
        client.transport.loseConnection()
        reactor.advance(10_000)
        assert server.data == b"".join(pieces)
        assert isinstance(server.reason, ConnectionDone)
        return server.received, server.lost_at

    assert run() == run()


def test_a_reader_that_pauses_holds_the_writer_up():
    reactor = made(capacity=1000)
    server, client, _ = joined(reactor)
    told = []

    class Producer:
        def pauseProducing(self):
            told.append("pause")

        def resumeProducing(self):
            told.append("resume")

        def stopProducing(self):
            told.append("stop")

    server.transport.pauseProducing()
    client.transport.registerProducer(Producer(), True)
    client.transport.write(bytes(100_000))
    reactor.advance(1)
    assert told == ["pause"]
    assert client.transport.statistics() == {"bytes_read": 0, "bytes_written": 1000, "bytes_queued": 99_000}
    server.transport.resumeProducing()
    reactor.advance(1)
    assert told == ["pause", "resume"]
    assert len(server.data) == 100_000


def test_connections_are_reset():
    reactor = made(latency=0.1)
    server, client, _ = joined(reactor)
    client.transport.write(b"lost on the way")
    reactor.iterate()
    assert reactor.network.reset("127.0.0.1") == 2
    reactor.advance(1)
    for end in (server, client):
        assert isinstance(end.reason, ConnectionLost)
        assert end.reason.args[0].errno == errno.ECONNRESET
    assert server.data == b""
    assert reactor.network.reset("127.0.0.1") == 0


def test_connections_of_one_pair_are_reset():
    network = Network()
    here, there = MemoryReactor(network), MemoryReactor(network, network.machine("10.0.0.2", name="there"))
    local = joined(here)
    remote = joined(there, MemoryReactor(network, network.machine("10.0.0.1")), "10.0.0.2")
    assert network.reset("10.0.0.1", "10.0.0.2", errno.ETIMEDOUT) == 2
    network.settle()
    assert [end.reason for end in local[:2]] == [None, None]
    assert [end.reason.args[0].errno for end in remote[:2]] == [errno.ETIMEDOUT] * 2


def test_nobody_listens():
    reactor = made(latency=0.5)
    client = Makes(reactor)
    reactor.connectTCP("127.0.0.1", 7, client)
    reactor.advance(5)
    [(at, failure)] = client.failures
    assert (at, type(failure)) == (1.0, Refused)


def test_a_full_backlog_is_asked_again():
    reactor = MemoryReactor()
    server, clients = Makes(reactor), [Makes(reactor) for _ in range(3)]
    port = reactor.listenTCP(0, server, backlog=1, interface="127.0.0.1")
    port._listener.pause()
    for client in clients:
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    reactor.advance(0.5)
    assert [len(client.made) for client in clients] == [1, 1, 0]
    port._listener.resume()
    reactor.advance(0.4)
    assert (len(server.made), len(clients[2].made)) == (2, 0)
    reactor.advance(0.1)
    assert (len(server.made), len(clients[2].made)) == (3, 1)


def test_attempts_time_out_while_the_way_is_cut_and_succeed_later():
    network = Network()
    here, there = (MemoryReactor(network, network.machine(host)) for host in ("10.0.0.1", "10.0.0.2"))
    server, client, patient = Makes(there), Makes(here), Makes(here)
    there.listenTCP(80, server)
    network.cut("10.0.0.1", "10.0.0.2")
    here.connectTCP("10.0.0.2", 80, client, timeout=10)
    here.connectTCP("10.0.0.2", 80, patient, timeout=100)
    here.advance(12)
    assert [type(failure) for _, failure in client.failures] == [TimeoutError]
    network.heal()
    here.advance(4)
    assert (len(server.made), patient.made[0].made) == (1, True)


def test_streams_stall_while_the_way_is_cut():
    network = Network()
    here, there = (MemoryReactor(network, network.machine(host)) for host in ("10.0.0.1", "10.0.0.2"))
    server, client, _ = joined(there, here, "10.0.0.2")
    network.cut("10.0.0.2", "10.0.0.1")
    client.transport.write(b"patience")
    client.transport.loseConnection()
    network.advance(60)
    assert (server.data, server.reason) == (b"", None)
    network.heal()
    network.settle()
    assert server.data == b"patience"
    assert isinstance(server.reason, ConnectionDone)


def test_computers_have_ports_of_their_own():
    network = Network()
    here, there = (MemoryReactor(network, network.machine(host, name=host[-1])) for host in ("10.0.0.1", "10.0.0.2"))
    for reactor in (here, there):
        reactor.listenTCP(80, Makes(reactor))
    with pytest.raises(CannotListenError):
        here.listenTCP(80, Makes(here), interface="127.0.0.1")
    with pytest.raises(CannotListenError):
        here.listenTCP(81, Makes(here), interface="10.0.0.2")
    client = Makes(here)
    here.connectTCP("2", 80, client)
    network.settle()
    assert client.made[0].transport.getPeer().host == "10.0.0.2"
    assert client.made[0].transport.getHost().host == "10.0.0.1"
    assert here.listenTCP(80, Makes(here), interface="::").getHost().host == "::"


def test_reactors_of_one_computer_are_its_processes():
    network = Network()
    one, other = MemoryReactor(network), MemoryReactor(network)
    server, client, port = joined(one, other)
    assert client.transport.getPeer() == port.getHost()
    assert server.transport.getPeer() == client.transport.getHost()
    with pytest.raises(CannotListenError):
        other.listenTCP(port.getHost().port, Makes(other))


def test_no_way_at_all():
    network = Network()
    here = MemoryReactor(network, network.machine("10.0.0.1"))
    client = Makes(here)
    here.connectTCP("10.9.9.9", 80, client)
    here.connectTCP("2001:db8::1", 80, client)
    here.connectTCP("10.0.0.1", 80, client, bindAddress=("10.0.0.77", 0))
    network.settle()
    kinds = [type(failure) for _, failure in client.failures]
    assert sorted(kind.__name__ for kind in kinds) == ["ConnectBindError", "ConnectError", "NoRouteError"]
    assert {ConnectBindError, NoRouteError} <= set(kinds)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1"])
def test_an_address_is_one_computers(address):
    network = Network()
    network.machine("10.0.0.1")
    with pytest.raises(ValueError, match=address):
        network.machine(address)
    with pytest.raises(ValueError, match="has an address"):
        network.machine()


def test_conditions_between_two():
    network = Network()
    reactors = [MemoryReactor(network, network.machine(f"10.0.0.{number}")) for number in (1, 2, 3)]
    network.between("10.0.0.1", "10.0.0.2", Conditions(latency=1))
    ends = [joined(reactors[0], other, "10.0.0.1") for other in reactors[1:]]
    began = network.clock.seconds()
    for server, _, _ in ends:
        server.transport.write(b"x")
    network.advance(5)
    assert [client.received[0][0] - began for _, client, _ in ends] == [1, 0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("latency", -1),
        ("latency", (2, 1)),
        ("latency", float("inf")),
        ("fragment", 0),
        ("capacity", 0),
        ("largest", -1),
        ("loss", 1.5),
        ("duplicate", -0.1),
        ("reorder", 2),
    ],
)
def test_impossible_conditions_are_named(setting, value):
    with pytest.raises(ValueError, match=setting):
        Conditions(**{setting: value})


class TestDialling:
    def test_a_bare_end(self):
        reactor = MemoryReactor()
        server = Makes(reactor)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        end = reactor.network.dial(("127.0.0.1", port.getHost().port))
        end.write(b"hello")
        reactor.settle()
        assert server.made[0].data == b"hello"
        server.made[0].transport.write(b"you, too")
        reactor.settle()
        assert end.read(3) + end.read(100) == b"you, too"
        with pytest.raises(BlockingIOError):
            end.read(1)
        end.close(reset=True)
        reactor.settle()
        assert server.made[0].reason.args[0].errno == errno.ECONNRESET

    def test_nobody_there(self):
        with pytest.raises(ConnectionRefusedError):
            MemoryReactor().network.dial(("127.0.0.1", 1))

    def test_what_is_written_to_a_closed_end_is_answered_by_a_reset(self):
        reactor = MemoryReactor()
        server = Makes(reactor)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        end = reactor.network.dial(("127.0.0.1", port.getHost().port))
        reactor.settle()
        server.made[0].transport.write(b"unread")
        reactor.settle()
        end.close()  # with unread data, which is a reset
        reactor.settle()
        assert server.made[0].reason.args[0].errno == errno.ECONNRESET
        with pytest.raises(BrokenPipeError):
            end.write(b"x")

    def test_accepting_fails(self, caplog):
        reactor = MemoryReactor()
        server = Makes(reactor)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        port._listener.fail(errno.EMFILE)
        end = reactor.network.dial(("127.0.0.1", port.getHost().port))
        reactor.settle()
        assert (server.made, end.read(1)) == ([], b"")
        reactor.network.dial(("127.0.0.1", port.getHost().port))
        reactor.settle()
        assert len(server.made) == 1
