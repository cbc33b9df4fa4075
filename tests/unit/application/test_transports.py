"""Services named after transports: what they call, and when; and connections that end, on a network in memory."""

import copy

import pytest

from torsion.application import internet
from torsion.application.draining import IDrains, IListens
from torsion.application.internet import (
    MulticastServer,
    SSLClient,
    SSLServer,
    TCPClient,
    TCPServer,
    UDPServer,
    UNIXClient,
    UNIXDatagramClient,
    UNIXDatagramServer,
    UNIXServer,
)
from torsion.internet._current import enter, leave
from torsion.internet.defer import Deferred
from torsion.internet.error import CannotListenError
from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.internet.reactors.memory import MemoryReactor

SERVERS = [TCPServer, SSLServer, UNIXServer, UDPServer, MulticastServer, UNIXDatagramServer]
CLIENTS = [TCPClient, SSLClient, UNIXClient, UNIXDatagramClient]


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


class Handle:
    """A port, or a connector."""

    def __init__(self):
        self.told = []
        self.stopping = Deferred()

    def stopListening(self):
        self.told.append("stopListening")
        return self.stopping

    def disconnect(self):
        self.told.append("disconnect")


class Recorder:
    """A reactor that writes down its calls."""

    def __init__(self):
        self.calls = []
        self.handles = []

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            self.handles.append(Handle())
            return self.handles[-1]

        return call


class TestServers:
    @pytest.mark.parametrize("kind", SERVERS)
    def test_listens_once(self, kind):
        reactor = Recorder()
        service = kind(1, "factory", key=2, reactor=reactor)
        assert reactor.calls == []
        service.privilegedStartService()
        assert not service.running
        service.startService()
        assert service.running
        assert reactor.calls == [("listen" + kind.method, (1, "factory"), {"key": 2})]
        stopped = results(service.stopService())
        assert not service.running
        assert stopped == []
        reactor.handles[0].stopping.callback(None)
        assert stopped == [None]
        assert service.stopService() is None
        assert reactor.handles[0].told == ["stopListening"]

    @pytest.mark.parametrize("kind", SERVERS)
    def test_again_after_a_stop(self, kind):
        reactor = Recorder()
        service = kind(1, "factory", reactor=reactor)
        service.startService()
        service.stopService()
        service.startService()
        assert len(reactor.calls) == 2

    def test_a_copy_does_not_listen(self):
        service = TCPServer(1, "factory", reactor=Recorder())
        service.startService()
        other = copy.copy(service)
        assert not other.running
        assert other.stopService() is None

    def test_those_of_streams_drain(self):
        assert [kind for kind in SERVERS if IDrains.implementedBy(kind)] == [TCPServer, SSLServer, UNIXServer]
        assert [kind for kind in SERVERS if IListens.implementedBy(kind)] == [TCPServer, SSLServer, UNIXServer]


class TestClients:
    @pytest.mark.parametrize("kind", CLIENTS)
    def test_connects_once(self, kind):
        reactor = Recorder()
        service = kind(1, "factory", key=2, reactor=reactor)
        service.privilegedStartService()
        assert reactor.calls == []
        service.startService()
        service.startService()
        assert reactor.calls == [("connect" + kind.method, (1, "factory"), {"key": 2})]
        service.stopService()
        service.stopService()
        assert not service.running
        expected = "stopListening" if kind is UNIXDatagramClient else "disconnect"
        assert reactor.handles[0].told == [expected]

    def test_a_copy_is_not_connected(self):
        reactor = Recorder()
        service = TCPClient("host", 1, "factory", reactor=reactor)
        service.startService()
        copy.copy(service).stopService()
        assert reactor.handles[0].told == []


@pytest.fixture
def reactor():
    reactor = MemoryReactor()
    enter(reactor)
    yield reactor
    leave(reactor)


class Client(ClientFactory):
    noisy = False

    def buildProtocol(self, addr):
        self.made = Protocol()
        return self.made


class TestOverANetwork:
    """With the reactor that runs, as none is given."""

    def test_from_start_to_end(self, reactor):
        factory, client = Factory.forProtocol(Protocol), Client()
        server, connection = TCPServer(4000, factory), TCPClient("127.0.0.1", 4000, client)
        server.startService()
        connection.startService()
        reactor.advance(1)
        assert client.made.connected
        deaf = results(server.stopListening())
        reactor.advance(1)
        assert len(deaf) == 1
        assert reactor.listeners() == []
        drained = results(server.drain())
        reactor.advance(1)
        assert drained == []
        connection.stopService()
        reactor.advance(1)
        assert len(drained) == 1
        assert server.stopService() is None

    def test_draining_what_never_listened(self, reactor):
        server = TCPServer(4000, Factory())
        assert server.stopListening() is None
        assert len(results(server.drain())) == 1

    def test_a_port_in_use(self, reactor):
        TCPServer(4000, Factory()).startService()
        with pytest.raises(CannotListenError, match="4000"):
            TCPServer(4000, Factory()).privilegedStartService()


def test_all_names_are_there():
    assert all(hasattr(internet, name) for name in internet.__all__)


def test_they_say_where_they_are_to_be_imported_from():
    from torsion.application import internet

    assert {getattr(internet, name).__module__ for name in internet.__all__} == {"torsion.application.internet"}
