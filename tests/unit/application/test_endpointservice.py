"""A service that listens, at an endpoint that does as it is told, and on a network in memory."""

import pytest
from zope.interface import implementer

from torsion.application import strports
from torsion.application.draining import IDrainingFactory, IDrains, IListens
from torsion.application.internet import StreamServerEndpointService
from torsion.internet._current import enter, leave
from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.endpoints import TCP4ServerEndpoint
from torsion.internet.error import CannotListenError
from torsion.internet.interfaces import IListeningPort, IStreamServerEndpoint
from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.internet.reactors.memory import MemoryReactor
from torsion.logger import globalLogPublisher
from torsion.python.failure import Failure


@implementer(IListeningPort)
class Port:
    def __init__(self):
        self.stopping = Deferred()
        self.stops = 0

    def stopListening(self):
        self.stops += 1
        return self.stopping


@implementer(IStreamServerEndpoint)
class Endpoint:
    """Listens when a test has it do so."""

    result = None
    cancelled = None

    def __init__(self, result=None):
        self.result = result
        self.listening = []

    def listen(self, factory):
        listening = Deferred(self.cancelled)
        listening.factory = factory
        self.listening.append(listening)
        if isinstance(self.result, Exception):
            listening.errback(self.result)
        elif self.result is not None:
            listening.callback(self.result)
        return listening


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


@pytest.fixture
def failures():
    """What is logged as failed."""
    found = []

    def observe(event):
        if "log_failure" in event:
            found.append(event["log_failure"].type)

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


class TestListening:
    def test_once_with_its_factory(self):
        endpoint, factory = Endpoint(), Factory()
        service = StreamServerEndpointService(endpoint, factory)
        assert (service.endpoint, service.factory) == (endpoint, factory)
        service.privilegedStartService()
        assert not service.running
        service.startService()
        assert service.running
        assert [each.factory for each in endpoint.listening] == [factory]

    def test_who_asks_is_told_of_the_port(self):
        endpoint = Endpoint()
        service = StreamServerEndpointService(endpoint, Factory())
        before = results(service.whenListening())
        service.startService()
        during = results(service.whenListening())
        assert before == during == []
        port = Port()
        endpoint.listening[0].callback(port)
        assert before == during == results(service.whenListening()) == [port]

    def test_who_does_not_want_it_any_more(self):
        endpoint = Endpoint()
        service = StreamServerEndpointService(endpoint, Factory())
        waiting = service.whenListening()
        found = results(waiting)
        waiting.cancel()
        service.startService()
        endpoint.listening[0].callback(Port())
        assert found[0].check(CancelledError)

    @pytest.mark.parametrize("start", ["privilegedStartService", "startService"])
    @pytest.mark.parametrize("result", [ValueError("no"), None])
    def test_a_failure_is_logged(self, start, result, failures):
        endpoint = Endpoint(result)
        service = StreamServerEndpointService(endpoint, Factory())
        waiting = results(service.whenListening())
        getattr(service, start)()
        if result is None:
            endpoint.listening[0].errback(ValueError("later"))
        assert failures == [ValueError]
        assert waiting[0].check(ValueError)
        assert results(service.whenListening())[0].check(ValueError)
        assert results(service.stopService()) == [None]

    @pytest.mark.parametrize("start", ["privilegedStartService", "startService"])
    def test_or_raised_if_it_is_known_at_once(self, start, failures):
        endpoint = Endpoint(ValueError("no"))
        service = StreamServerEndpointService(endpoint, Factory())
        service._raiseSynchronously = True
        with pytest.raises(ValueError, match="no"):
            getattr(service, start)()
        assert failures == []
        endpoint.result = Port()
        service.startService()  # which tries again
        assert results(service.whenListening()) == [endpoint.result]

    def test_but_a_later_one_is_logged(self, failures):
        endpoint = Endpoint()
        service = StreamServerEndpointService(endpoint, Factory())
        service._raiseSynchronously = True
        service.startService()
        endpoint.listening[0].errback(ValueError("later"))
        assert failures == [ValueError]


class TestStopping:
    def test_the_port_is_waited_for(self):
        port = Port()
        service = StreamServerEndpointService(Endpoint(port), Factory())
        service.startService()
        stopped = results(service.stopService())
        assert not service.running
        assert stopped == []
        port.stopping.callback(None)
        assert stopped == [None]

    def test_one_that_never_ran(self):
        assert results(StreamServerEndpointService(Endpoint(), Factory()).stopService()) == [None]

    def test_before_it_listens(self, failures):
        endpoint = Endpoint()
        service = StreamServerEndpointService(endpoint, Factory())
        service.startService()
        waiting = results(service.whenListening())
        assert results(service.stopService()) == [None]
        assert waiting[0].check(CancelledError)
        assert failures == []

    def test_an_endpoint_that_takes_being_cancelled_badly(self, failures):
        endpoint = Endpoint()
        endpoint.cancelled = lambda listening: listening.errback(ValueError("no"))
        service = StreamServerEndpointService(endpoint, Factory())
        service.startService()
        assert results(service.stopService()) == [None]
        assert failures == [ValueError]

    def test_an_endpoint_that_listens_all_the_same(self):
        endpoint, port = Endpoint(), Port()
        endpoint.cancelled = lambda listening: listening.callback(port)
        service = StreamServerEndpointService(endpoint, Factory())
        service.startService()
        stopped = results(service.stopService())
        assert port.stops == 1
        port.stopping.callback(None)
        assert len(stopped) == 1

    def test_what_is_a_connection_and_no_port(self):
        class Connection:
            lost = 0

            def loseConnection(self):
                self.lost += 1

        connection = Connection()
        service = StreamServerEndpointService(Endpoint(connection), Factory())
        service.startService()
        assert results(service.stopService()) == [None]
        assert connection.lost == 1

    def test_and_started_again(self):
        endpoint = Endpoint(Port())
        service = StreamServerEndpointService(endpoint, Factory())
        service.startService()
        service.stopService()
        service.startService()
        assert len(endpoint.listening) == 2


class Client(ClientFactory):
    noisy = False

    def buildProtocol(self, addr):
        self.made = Protocol()
        return self.made


class TestDraining:
    """On a network in memory."""

    @pytest.fixture
    def reactor(self):
        reactor = MemoryReactor()
        enter(reactor)
        yield reactor
        leave(reactor)

    def served(self, reactor, factory):
        service = StreamServerEndpointService(TCP4ServerEndpoint(reactor, 0), factory)
        service.startService()
        [port] = results(service.whenListening())
        client = Client()
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        reactor.advance(1)
        assert client.made.connected
        return service, client

    def test_it_says_so(self):
        service = StreamServerEndpointService(Endpoint(), Factory())
        assert IDrains.providedBy(service)
        assert IListens.providedBy(service)

    def test_connections_are_waited_for(self, reactor):
        service, client = self.served(reactor, Factory.forProtocol(Protocol))
        deaf = results(service.stopListening())
        reactor.advance(1)
        assert len(deaf) == 1
        assert client.made.connected
        drained = results(service.drain())
        reactor.advance(1000)
        assert drained == []
        client.made.transport.loseConnection()
        reactor.advance(1)
        assert len(drained) == 1
        stopped = results(service.stopService())
        reactor.advance(1)
        assert len(stopped) == 1

    def test_without_a_word_before(self, reactor):
        service, client = self.served(reactor, Factory.forProtocol(Protocol))
        drained = results(service.drain())
        reactor.advance(1)
        assert reactor.listeners() == []
        assert drained == []
        client.made.transport.loseConnection()
        reactor.advance(1)
        assert len(drained) == 1

    def test_the_factory_does_it_if_it_can(self, reactor):
        finishing = Deferred()

        @implementer(IDrainingFactory)
        class Draining(Factory):
            protocol = Protocol

            def drain(self):
                return finishing

        service, _ = self.served(reactor, Draining())
        drained = results(service.drain())
        reactor.advance(1)
        assert drained == []
        finishing.callback(None)
        assert len(drained) == 1

    def test_nothing_to_be_done(self, reactor):
        service = StreamServerEndpointService(TCP4ServerEndpoint(reactor, 0), Factory())
        assert len(results(service.drain())) == 1
        service.startService()
        drained = results(service.drain())
        reactor.advance(1)
        assert len(drained) == 1

    def test_ports_of_somebody_elses_making(self, reactor):
        other = StreamServerEndpointService(Endpoint(Port()), Factory())  # of the reactor that runs
        other.startService()
        other._port.stopping.callback(None)
        assert len(results(other.drain())) == 1
        strange = StreamServerEndpointService(Endpoint(Port()), Factory())
        strange.startService()
        strange._port.stopping.callback(None)
        strange._port.reactor = object()  # which does not tell of its connections
        assert len(results(strange.drain())) == 1

    def test_while_it_does_not_listen_yet(self):
        endpoint = Endpoint()
        service = StreamServerEndpointService(endpoint, Factory())
        service.startService()
        waiting = results(service.whenListening())
        assert results(service.stopListening()) == [None]
        assert waiting[0].check(CancelledError)
        assert results(service.stopService()) == [None]


class TestStrports:
    @pytest.fixture
    def reactor(self):
        reactor = MemoryReactor()
        enter(reactor)
        yield reactor
        leave(reactor)

    def test_a_service(self, reactor):
        factory = Factory()
        service = strports.service("tcp:4000", factory)
        service.startService()
        [listener] = reactor.listeners()
        assert (listener.address.port, listener.factory) == (4000, factory)

    def test_of_another_reactor(self):
        reactor = MemoryReactor()
        service = strports.service("tcp:4000", Factory(), reactor=reactor)
        service.privilegedStartService()
        assert len(reactor.listeners()) == 1

    def test_a_port_in_use_is_raised(self, reactor):
        strports.service("tcp:4000", Factory()).startService()
        with pytest.raises(CannotListenError, match="4000"):
            strports.service("tcp:4000", Factory()).privilegedStartService()

    def test_what_cannot_be_understood(self, reactor):
        with pytest.raises(ValueError, match="tpc"):
            strports.service("tpc:4000", Factory())

    def test_listen(self, reactor):
        port = strports.listen("tcp:4000", Factory())
        assert port.getHost().port == 4000
        with pytest.raises(CannotListenError, match="4000"):
            strports.listen("tcp:4000", Factory())

    def test_listen_where_that_takes_time(self, monkeypatch):
        endpoint = Endpoint()
        monkeypatch.setattr(strports, "serverFromString", lambda reactor, description: endpoint)
        with pytest.raises(RuntimeError, match=r"strports\.service"):
            strports.listen("slow:", Factory())
        assert endpoint.listening[0].called


def test_failures_have_their_traceback():
    service = StreamServerEndpointService(Endpoint(), Factory())
    service._raiseSynchronously = True

    def listen(factory):
        raise ValueError("inside")

    service.endpoint.listen = listen
    with pytest.raises(ValueError) as raised:
        service.startService()
    assert "listen" in Failure(raised.value).getTraceback()
