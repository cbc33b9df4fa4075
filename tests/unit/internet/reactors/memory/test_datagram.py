"""Datagrams in memory: lost, doubled, overtaken, to one and to many."""

from __future__ import annotations

import pytest

from torsion.internet.error import MessageLengthError
from torsion.internet.reactors.memory import Conditions, MemoryReactor, Network
from unit.internet.reactors.memory.kit import Hears


def pair(**conditions):
    """Return a reactor, and the protocols of two ports of it."""
    reactor = MemoryReactor(Network(seed=3, conditions=Conditions(**conditions)))
    one, other = Hears(), Hears()
    for each in (one, other):
        reactor.listenUDP(0, each, interface="127.0.0.1")
    return reactor, one, other


def send(reactor, one, other, count=200):
    """Send numbered datagrams, one each millisecond; return those that came."""
    host = other.transport.getHost()
    for number in range(count):
        one.transport.write(b"%d" % number, (host.host, host.port))
        reactor.advance(0.001)
    reactor.advance(1)
    return [int(datagram) for datagram in other.heard]


def test_all_arrive_in_order_by_themselves():
    reactor, one, other = pair()
    assert send(reactor, one, other) == list(range(200))
    assert other.senders[0] == ("127.0.0.1", one.transport.getHost().port)


def test_some_are_lost():
    found = send(*pair(loss=0.5))
    assert 50 < len(found) < 150
    assert found == sorted(found)
    assert found == send(*pair(loss=0.5))  # the same seed


def test_some_come_twice():
    found = send(*pair(duplicate=0.5))
    assert set(found) == set(range(200))
    assert 250 < len(found) < 350


def test_some_are_overtaken():
    found = send(*pair(reorder=0.2))
    assert sorted(found) == list(range(200))
    assert found != sorted(found)


def test_they_take_their_time():
    reactor, one, other = pair(latency=2)
    host = other.transport.getHost()
    one.transport.write(b"x", (host.host, host.port))
    reactor.advance(1.9)
    assert other.heard == []
    reactor.advance(0.1)
    assert other.heard == [b"x"]


def test_too_long():
    _, one, other = pair(largest=10)
    host = other.transport.getHost()
    with pytest.raises(MessageLengthError, match="11 bytes"):
        one.transport.write(bytes(11), (host.host, host.port))


def test_a_peer_that_is_not_there_refuses():
    reactor, one, other = pair()
    one.transport.connect("127.0.0.1", 9)
    one.transport.write(b"anyone?")
    assert one.refusals == 0
    reactor.settle()
    assert one.refusals == 1
    other.transport.write(b"anyone?", ("127.0.0.1", 9))  # not connected, not told
    reactor.settle()
    assert other.refusals == 0


def test_what_waits_too_long_is_lost(monkeypatch):
    reactor, one, other = pair()
    monkeypatch.setattr("torsion.internet.reactors.memory.datagram.QUEUE", 100)
    other.transport.pauseProducing()
    assert send(reactor, one, other, 10) == []
    host = other.transport.getHost()
    for _ in range(20):
        one.transport.write(bytes(10), (host.host, host.port))
    reactor.settle()
    other.transport.resumeProducing()
    reactor.settle()
    assert sum(map(len, other.heard)) == 100


def test_groups_reach_the_whole_network():
    network = Network()
    members = []
    for number in (1, 2, 3):
        reactor = MemoryReactor(network, network.machine(f"10.0.0.{number}"))
        member = Hears()
        reactor.listenMulticast(5000, member, listenMultiple=True)
        if number != 3:
            member.transport.joinGroup("224.0.0.251")
        members.append(member)
    network.settle()
    members[2].transport.write(b"hello", ("224.0.0.251", 5000))
    network.settle()
    assert [member.heard for member in members] == [[b"hello"], [b"hello"], []]
    assert members[0].senders == [("10.0.0.3", 5000)]
    members[0].transport.leaveGroup("224.0.0.251")
    members[1].transport.setLoopbackMode(False)
    network.settle()
    members[1].transport.write(b"me?", ("224.0.0.251", 5000))
    network.settle()
    assert [member.heard for member in members] == [[b"hello"], [b"hello"], []]


def test_broadcasts_reach_the_whole_network():
    network = Network()
    hearers = []
    for number in (1, 2):
        hearers.append(Hears())
        MemoryReactor(network, network.machine(f"10.0.0.{number}")).listenUDP(5000, hearers[-1])
    with pytest.raises(PermissionError):
        hearers[0].transport.write(b"x", ("<broadcast>", 5000))
    hearers[0].transport.setBroadcastAllowed(True)
    hearers[0].transport.write(b"hello", ("<broadcast>", 5000))
    network.settle()
    assert [hearer.heard for hearer in hearers] == [[b"hello"], [b"hello"]]


def test_nothing_passes_a_cut():
    network = Network()
    one, other = Hears(), Hears()
    for number, hearer in ((1, one), (2, other)):
        MemoryReactor(network, network.machine(f"10.0.0.{number}")).listenUDP(5000, hearer)
    network.cut("10.0.0.1", "10.0.0.2")
    one.transport.write(b"lost", ("10.0.0.2", 5000))
    network.settle()
    network.heal()
    one.transport.write(b"found", ("10.0.0.2", 5000))
    network.settle()
    assert other.heard == [b"found"]
