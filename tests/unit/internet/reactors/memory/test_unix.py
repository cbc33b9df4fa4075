"""Unix sockets in memory: names that reactors of one computer share."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import UNIXAddress
from torsion.internet.error import CannotListenError, ConnectionDone, ConnectionLost
from torsion.internet.interfaces import IListeningPort, IReactorUNIX, ITCPTransport, IUNIXTransport
from torsion.internet.reactors.memory import Conditions, MemoryReactor, Network
from unit.internet.reactors.memory.kit import Makes


@pytest.fixture
def reactor(tmp_path, monkeypatch):
    """A reactor, in an empty folder that is to stay empty."""
    monkeypatch.chdir(tmp_path)
    reactor = MemoryReactor()
    yield reactor
    reactor.disconnectAll()
    assert list(tmp_path.iterdir()) == []


def join(reactor, name="socket", **options):
    server, client = Makes(reactor), Makes(reactor)
    port = reactor.listenUNIX(name, server, **options)
    reactor.connectUNIX(name, client)
    reactor.settle()
    return server.made[0], client.made[0], port


def test_bytes_go_both_ways(reactor):
    server, client, port = join(reactor, wantPID=True)
    assert verifyObject(IReactorUNIX, reactor)
    assert verifyObject(IListeningPort, port)
    assert verifyObject(ITCPTransport, client.transport)
    client.transport.write(b"hello")
    server.transport.write(b"you, too")
    reactor.settle()
    assert (server.data, client.data) == (b"hello", b"you, too")
    assert port.getHost() == client.transport.getPeer() == server.transport.getHost() == UNIXAddress("socket")
    assert client.transport.getHost() == UNIXAddress(None)
    server.transport.loseConnection()
    reactor.settle()
    assert isinstance(client.reason, ConnectionDone)


def test_an_end_may_break(reactor):
    server, client, _ = join(reactor)
    server.transport.abortConnection()
    reactor.settle()
    assert isinstance(client.reason, ConnectionLost)


def test_names_are_one_computers():
    network = Network()
    here, there = MemoryReactor(network, network.machine("10.0.0.1")), MemoryReactor(network)
    here.listenUNIX("socket", Makes(here))
    there.listenUNIX("socket", Makes(there))
    with pytest.raises(CannotListenError, match="socket"):
        MemoryReactor(network).listenUNIX("socket", Makes(there))


def test_a_name_is_free_again(reactor):
    _, _, port = join(reactor)
    port.stopListening()
    reactor.settle()
    join(reactor)


@pytest.mark.parametrize(
    ("name", "number"), [("x" * 108, errno.ENAMETOOLONG), ("", errno.EINVAL), ("a\0b", errno.EINVAL)]
)
def test_what_could_be_no_path(reactor, name, number):
    with pytest.raises(CannotListenError) as caught:
        reactor.listenUNIX(name, Makes(reactor))
    assert caught.value.socketError.errno == number


@pytest.mark.parametrize(("name", "number"), [("nobody", errno.ENOENT), ("\0nobody", errno.ECONNREFUSED)])
def test_nobody_there(reactor, name, number):
    client = Makes(reactor)
    reactor.connectUNIX(name, client, checkPID=True)
    reactor.settle()
    [(_, failure)] = client.failures
    assert failure.osError == number


def test_a_full_backlog_is_waited_for(reactor):
    server, client = Makes(reactor), Makes(reactor)
    port = reactor.listenUNIX("socket", server, backlog=0)
    port._listener.pause()
    for _ in range(2):
        reactor.connectUNIX("socket", client, timeout=0.5)
    reactor.advance(1)
    assert [type(failure).__name__ for _, failure in client.failures] == ["TimeoutError"]


def test_files_cannot_be_sent(reactor):
    _, client, _ = join(reactor)
    assert not IUNIXTransport.providedBy(client.transport)
    with pytest.raises(OSError, match="in memory"):
        client.transport.sendFileDescriptor(0)


def test_conditions_hold_here_as_well():
    reactor = MemoryReactor(Network(conditions=Conditions(latency=1)))
    server, client = Makes(reactor), Makes(reactor)
    reactor.listenUNIX(Path("socket"), server)
    reactor.connectUNIX(Path("socket"), client)
    reactor.advance(2)
    client.made[0].transport.write(b"x")
    reactor.advance(1)
    assert server.made[0].received == [(3, b"x")]
