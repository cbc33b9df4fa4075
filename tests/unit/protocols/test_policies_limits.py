"""Limits to the number of connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.internet.testing import StringTransport
from torsion.protocols.policies import LimitConnectionsByPeer, LimitTotalConnectionsFactory


class Other(Protocol):
    pass


def connect(factory, addr=None):
    protocol = factory.buildProtocol(addr)
    if protocol is not None:
        protocol.makeConnection(StringTransport())
    return protocol


# --- in all --------------------------------------------------------------------------------------------------------------


def total(limit=None, overflow=None):
    factory = LimitTotalConnectionsFactory.forProtocol(Protocol)
    factory.connectionLimit, factory.overflowProtocol = limit, overflow
    return factory


def test_without_a_limit_all_are_let_in_and_counted():
    factory = total()
    for count in range(1, 20):
        assert connect(factory).wrappedProtocol.factory is factory
        assert factory.connectionCount == count


def test_beyond_the_limit_there_is_no_protocol():
    factory = total(2)
    first, _ = connect(factory), connect(factory)
    assert connect(factory) is None
    assert factory.connectionCount == 2
    first.connectionLost(connectionDone)
    assert connect(factory) is not None


def test_beyond_the_limit_there_is_another_protocol():
    factory = total(0, Other)
    over = connect(factory)
    assert isinstance(over.wrappedProtocol, Other)
    assert over.wrappedProtocol.factory is factory
    assert factory.connectionCount == 1
    over.connectionLost(connectionDone)
    assert factory.connectionCount == 0


def test_a_factory_without_a_protocol_says_so():
    with pytest.raises(RuntimeError, match="'protocol'"):
        LimitTotalConnectionsFactory().buildProtocol(None)


# --- by peer -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_peer():
    factory = LimitConnectionsByPeer(Factory.forProtocol(Protocol))
    factory.startFactory()
    return factory


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (IPv4Address("TCP", "10.0.0.1", 1), IPv4Address("TCP", "10.0.0.1", 2), IPv4Address("TCP", "10.0.0.2", 1)),
        (IPv6Address("TCP", "::1", 1), IPv6Address("TCP", "::1", 2), IPv6Address("TCP", "::2", 1)),
        (("10.0.0.1", 1), ("10.0.0.1", 2), ("10.0.0.2", 1)),
        (UNIXAddress("/a"), UNIXAddress("/a"), UNIXAddress("/b")),
        (None, None, IPv4Address("TCP", "10.0.0.1", 1)),
    ],
)
def test_peers_are_told_apart(by_peer, one, same, other):
    by_peer.maxConnectionsPerPeer = 1
    first = connect(by_peer, one)
    assert connect(by_peer, same) is None
    assert connect(by_peer, other) is not None
    first.connectionLost(connectionDone)
    assert connect(by_peer, same) is not None


def test_five_are_enough(by_peer):
    address = IPv4Address("TCP", "10.0.0.1", 1)
    made = [connect(by_peer, address) for _ in range(6)]
    assert made.pop() is None
    assert by_peer.peerConnections == {"10.0.0.1": 5}
    for protocol in made:
        protocol.connectionLost(connectionDone)
    assert by_peer.peerConnections == {}


def test_no_protocol_does_not_count(by_peer):
    by_peer.wrappedFactory.buildProtocol = lambda addr: None
    assert connect(by_peer) is None
    assert by_peer.peerConnections == {}


def test_a_start_does_not_forget_connections_that_live_on(by_peer):
    by_peer.maxConnectionsPerPeer = 1
    first = connect(by_peer)
    by_peer.doStart()
    assert connect(by_peer) is None
    first.connectionLost(connectionDone)
    assert connect(by_peer) is not None


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=40))
def test_the_count_is_that_of_the_connections(steps):
    factory = LimitConnectionsByPeer(Factory.forProtocol(Protocol))
    factory.maxConnectionsPerPeer = 3
    standing = {host: [] for host in "012"}
    for coming, number in steps:
        host = str(number)
        if coming:
            protocol = connect(factory, IPv4Address("TCP", host, 1))
            assert (protocol is None) == (len(standing[host]) == 3)
            if protocol is not None:
                standing[host].append(protocol)
        elif standing[host]:
            standing[host].pop().connectionLost(connectionDone)
        assert factory.peerConnections == {host: len(those) for host, those in standing.items() if those}
