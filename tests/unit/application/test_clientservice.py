"""A client service and its connection, over an endpoint that does as it is told, and over a network in memory."""

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from torsion.application.clientservice import ClientService
from torsion.application.service import IService
from torsion.application.watched import Watched, WatchingFactory
from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.error import ConnectionDone, ConnectionLost, NoProtocol
from torsion.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
    IProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IStreamClientEndpoint,
)
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.logger import formatEvent, globalLogPublisher
from torsion.python.failure import Failure

LONG = 100.0
"""Seconds in which there is another attempt, in any case."""


@implementer(IStreamClientEndpoint)
class Endpoint:
    """Lets a test decide what becomes of each attempt."""

    def __init__(self):
        self.attempts = []
        self.cancelled = []
        self.cancel = self.cancelled.append
        self.raises = None

    def connect(self, factory):
        if self.raises is not None:
            raise self.raises
        attempt = Deferred(self.cancel)
        attempt.factory = factory
        self.attempts.append(attempt)
        return attempt

    def succeed(self):
        """Let the latest attempt succeed, and return the protocol as the transport sees it."""
        attempt = self.attempts[-1]
        protocol = attempt.factory.buildProtocol(None)
        if protocol is None:
            attempt.errback(NoProtocol("none"))
            return None
        protocol.makeConnection(StringTransport())
        attempt.callback(protocol)
        return protocol

    def fail(self, error=None):
        failure = Failure(error or ConnectionLost("no"))
        self.attempts[-1].errback(failure)
        return failure


def lose(protocol, error=None):
    protocol.connectionLost(Failure(error or ConnectionDone()))


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def is_cancelled(found):
    [failure] = found
    return failure.check(CancelledError) is not None


class Kept(Protocol):
    """Remembers its end."""

    lost = None

    def connectionLost(self, reason):
        self.lost = reason.value


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


class Setting:
    """A service with its endpoint and its clock."""

    def __init__(self, **settings):
        self.endpoint = Endpoint()
        self.clock = Clock()
        self.factory = settings.pop("factory", None) or Factory.forProtocol(Kept)
        self.factory.noisy = False
        settings.setdefault("retryPolicy", lambda failures: 10.0)
        self.service = ClientService(self.endpoint, self.factory, clock=self.clock, **settings)

    def connected(self):
        """Start, connect, and return the transport's view of the protocol."""
        self.service.startService()
        return self.endpoint.succeed()

    def now(self):
        """Return what somebody gets who asks for the protocol at this moment."""
        return results(self.service.whenConnected())


def test_is_a_service():
    assert verifyObject(IService, Setting().service)
    assert verifyClass(IProtocol, Watched)
    assert verifyClass(IProtocolFactory, WatchingFactory)


class TestConnecting:
    def test_an_attempt_when_it_is_started(self):
        it = Setting()
        assert it.endpoint.attempts == []
        it.service.startService()
        assert len(it.endpoint.attempts) == 1
        assert it.service.running

    def test_who_asks_gets_the_protocol_of_the_factory(self):
        it = Setting()
        before = it.now()
        it.service.startService()
        during, soon = it.now(), results(it.service.whenConnected(failAfterFailures=1))
        assert before == during == soon == []
        facing = it.endpoint.succeed()
        assert isinstance(facing.protocol, Kept)
        assert before == during == soon == it.now() == [facing.protocol]
        assert facing.protocol.transport is facing.transport
        assert it.clock.getDelayedCalls() == []

    def test_again_after_a_failure(self):
        it = Setting()
        it.service.startService()
        waiting = it.now()
        it.endpoint.fail()
        assert len(it.endpoint.attempts) == 1
        it.clock.advance(9.9)
        assert len(it.endpoint.attempts) == 1
        it.clock.advance(0.1)
        assert len(it.endpoint.attempts) == 2
        facing = it.endpoint.succeed()
        assert waiting == [facing.protocol]

    def test_again_after_a_loss(self):
        it = Setting()
        first = it.connected()
        lose(first)
        assert isinstance(first.protocol.lost, ConnectionDone)
        waiting = it.now()
        assert waiting == []
        it.clock.advance(10)
        second = it.endpoint.succeed()
        assert waiting == [second.protocol]
        assert second.protocol is not first.protocol

    def test_who_asks_while_the_protocol_is_told_of_its_loss_gets_the_next(self):
        asked = []

        class Asking(Protocol):
            def connectionLost(self, reason):
                asked.append(it.now())

        it = Setting(factory=Factory.forProtocol(Asking))
        lose(it.connected())
        assert asked == [[]]
        it.clock.advance(10)
        assert asked == [[it.endpoint.succeed().protocol]]

    def test_an_endpoint_that_raises(self):
        it = Setting()
        it.endpoint.raises = ValueError("nowhere")
        it.service.startService()
        it.endpoint.raises = None
        it.clock.advance(10)
        assert it.endpoint.succeed() is not None

    def test_a_factory_that_makes_no_protocol(self):
        it = Setting()
        protocols = [None, Kept()]
        it.factory.buildProtocol = lambda addr: protocols.pop(0)
        it.service.startService()
        assert it.endpoint.succeed() is None
        it.clock.advance(10)
        assert it.now() == []
        facing = it.endpoint.succeed()
        assert it.now() == [facing.protocol]

    def test_an_endpoint_that_asks_for_no_protocol(self):
        it = Setting()
        it.service.startService()
        waiting = results(it.service.whenConnected(1))
        it.endpoint.attempts[-1].callback("something else")
        assert waiting[0].check(NoProtocol)

    def test_an_endpoint_that_fires_with_something_of_its_own(self):
        it = Setting()
        it.service.startService()
        facing = it.endpoint.attempts[-1].factory.buildProtocol(None)
        facing.makeConnection(StringTransport())
        it.endpoint.attempts[-1].callback("a wrapper")
        assert it.now() == [facing.protocol]

    def test_lost_before_the_endpoint_says_that_it_is_made(self):
        it = Setting()
        it.service.startService()
        waiting = results(it.service.whenConnected(failAfterFailures=1))
        facing = it.endpoint.attempts[-1].factory.buildProtocol(None)
        facing.makeConnection(StringTransport())
        lose(facing)
        it.endpoint.attempts[-1].callback(facing)
        assert waiting[0].check(ConnectionDone)
        it.clock.advance(10)
        assert len(it.endpoint.attempts) == 2

    def test_a_second_start_is_told_of(self, logged):
        it = Setting()
        it.service.startService()
        it.service.startService()
        assert len(it.endpoint.attempts) == 1
        assert ["Duplicate" in formatEvent(event) for event in logged] == [True]


class TestPolicy:
    def test_is_given_the_failures_in_a_row(self):
        asked = []
        it = Setting(retryPolicy=lambda failures: asked.append(failures) or 1.0)
        it.service.startService()
        for _ in range(3):
            it.endpoint.fail()
            it.clock.advance(1)
        lose(it.endpoint.succeed())
        assert asked == [1, 2, 3, 1]

    def test_begins_anew_with_the_service(self):
        asked = []
        it = Setting(retryPolicy=lambda failures: asked.append(failures) or 1.0)
        it.service.startService()
        it.endpoint.fail()
        it.service.stopService()
        it.service.startService()
        it.endpoint.fail()
        assert asked == [1, 1]

    def test_the_usual_one(self):
        it = Setting(retryPolicy=None)
        it.service.startService()
        it.endpoint.fail()
        [call] = it.clock.getDelayedCalls()
        assert 1.5 <= call.getTime() < 2.5

    @pytest.mark.parametrize("given", [-1.0, float("nan"), float("inf"), "soon", None, ValueError("no")])
    def test_one_that_fails_does_not_end_it(self, given, logged):
        def policy(failures):
            if isinstance(given, Exception):
                raise given
            return given

        it = Setting(retryPolicy=policy)
        it.service.startService()
        it.endpoint.fail()
        it.clock.advance(LONG)
        assert len(it.endpoint.attempts) == 2
        assert [event["log_level"].name for event in logged] == ["critical"]

    def test_waits_are_told_of(self, logged):
        it = Setting()
        it.factory.noisy = True
        it.service.startService()
        it.endpoint.fail(ConnectionLost("the cable"))
        assert "attempt 1 to connect follows in 10.0 seconds" in formatEvent(logged[-1])
        assert "the cable" in formatEvent(logged[-1])


class TestFailing:
    def test_after_so_many_failures(self):
        it = Setting()
        it.service.startService()
        waiting = {number: results(it.service.whenConnected(number)) for number in (None, 1, 2, 3)}
        first = it.endpoint.fail()
        assert waiting == {None: [], 1: [first], 2: [], 3: []}
        it.clock.advance(10)
        second = it.endpoint.fail()
        assert waiting == {None: [], 1: [first], 2: [second], 3: []}
        it.clock.advance(10)
        facing = it.endpoint.succeed()
        assert waiting == {None: [facing.protocol], 1: [first], 2: [second], 3: [facing.protocol]}

    def test_failures_count_from_when_it_was_asked(self):
        it = Setting()
        it.service.startService()
        it.endpoint.fail()
        late = results(it.service.whenConnected(1))
        it.clock.advance(10)
        assert late == []
        failure = it.endpoint.fail()
        assert late == [failure]

    def test_who_asks_again_on_failure_waits_for_the_next(self):
        it = Setting()
        it.service.startService()
        again = []
        it.service.whenConnected(1).addErrback(lambda _: again.append(results(it.service.whenConnected(1))) and None)
        it.endpoint.fail()
        assert again == [[]]

    @pytest.mark.parametrize("number", [0, -1])
    def test_not_even_one(self, number):
        with pytest.raises(ValueError, match="at least 1"):
            Setting().service.whenConnected(failAfterFailures=number)

    def test_who_does_not_want_it_any_more(self):
        it = Setting()
        it.service.startService()
        wanted = it.service.whenConnected()
        found = results(wanted)
        wanted.cancel()
        assert is_cancelled(found)
        it.endpoint.succeed()


class TestStopping:
    def test_before_it_was_started(self):
        it = Setting()
        waiting = it.now()
        assert results(it.service.stopService()) == [None]
        assert is_cancelled(waiting)
        assert is_cancelled(it.now())

    def test_while_connecting(self):
        it = Setting()
        it.service.startService()
        waiting = it.now()
        assert results(it.service.stopService()) == [None]
        assert it.endpoint.cancelled == it.endpoint.attempts
        assert is_cancelled(waiting)
        assert is_cancelled(it.now())
        assert it.clock.getDelayedCalls() == []

    def test_an_attempt_that_takes_being_cancelled_badly(self, logged):
        it = Setting()
        it.endpoint.cancel = lambda attempt: attempt.errback(ValueError("no"))
        it.service.startService()
        assert results(it.service.stopService()) == [None]
        assert it.clock.getDelayedCalls() == []
        assert [event["log_level"].name for event in logged] == ["debug"]

    def test_while_waiting(self):
        it = Setting()
        it.service.startService()
        it.endpoint.fail()
        waiting = it.now()
        assert results(it.service.stopService()) == [None]
        assert it.clock.getDelayedCalls() == []
        assert is_cancelled(waiting)

    def test_while_connected(self):
        it = Setting()
        facing = it.connected()
        stopped, again = results(it.service.stopService()), results(it.service.stopService())
        assert not it.service.running
        assert facing.transport.disconnecting
        waiting = it.now()
        assert stopped == again == waiting == []
        lose(facing)
        assert stopped == again == [None]
        assert is_cancelled(waiting)
        assert it.clock.getDelayedCalls() == []

    def test_twice(self):
        it = Setting()
        it.service.startService()
        assert results(it.service.stopService()) == results(it.service.stopService()) == [None]

    def test_started_again_at_once(self):
        it = Setting()
        first = it.connected()
        stopped = results(it.service.stopService())
        waiting = it.now()
        it.service.startService()
        assert len(it.endpoint.attempts) == 1
        lose(first)
        assert stopped == [None]
        assert len(it.endpoint.attempts) == 2
        second = it.endpoint.succeed()
        assert waiting == [second.protocol]

    def test_started_again_and_stopped_again(self):
        it = Setting()
        first = it.connected()
        stopped = results(it.service.stopService())
        it.service.startService()
        again = results(it.service.stopService())
        lose(first)
        assert stopped == again == [None]
        assert len(it.endpoint.attempts) == 1

    def test_started_again_later(self):
        it = Setting()
        it.service.startService()
        it.service.stopService()
        it.service.startService()
        facing = it.endpoint.succeed()
        assert it.now() == [facing.protocol]


class TestPreparing:
    def test_nobody_gets_the_protocol_before(self):
        prepared, given = Deferred(), []
        it = Setting(prepareConnection=lambda protocol: given.append(protocol) or prepared)
        facing = it.connected()
        waiting = it.now()
        assert given == [facing.protocol]
        assert waiting == []
        prepared.callback("anything")
        assert waiting == it.now() == [facing.protocol]

    def test_each_connection(self):
        given = []
        it = Setting(prepareConnection=given.append)
        first = it.connected()
        lose(first)
        it.clock.advance(10)
        second = it.endpoint.succeed()
        assert given == [first.protocol, second.protocol]

    def test_one_that_fails_is_a_failed_attempt(self):
        problems = [ValueError("no")]

        def prepare(protocol):
            if problems:
                raise problems.pop()

        it = Setting(prepareConnection=prepare)
        it.service.startService()
        waiting = results(it.service.whenConnected(1))
        first = it.endpoint.succeed()
        assert waiting[0].check(ValueError)
        assert first.transport.disconnecting
        lose(first)  # which changes nothing any more
        [call] = it.clock.getDelayedCalls()
        assert call.getTime() == 10
        it.clock.advance(10)
        second = it.endpoint.succeed()
        assert it.now() == [second.protocol]

    def test_lost_meanwhile(self):
        cancelled = []
        it = Setting(prepareConnection=lambda _: Deferred(cancelled.append))
        it.service.startService()
        waiting = results(it.service.whenConnected(1))
        lose(it.endpoint.succeed())
        assert len(cancelled) == 1
        assert waiting[0].check(ConnectionDone)
        it.clock.advance(10)
        assert len(it.endpoint.attempts) == 2

    def test_stopped_meanwhile(self):
        cancelled = []
        it = Setting(prepareConnection=lambda _: Deferred(cancelled.append))
        facing = it.connected()
        waiting = it.now()
        stopped = results(it.service.stopService())
        assert len(cancelled) == 1
        assert facing.transport.disconnecting
        assert is_cancelled(waiting)
        assert stopped == []
        lose(facing)
        assert stopped == [None]
        assert it.clock.getDelayedCalls() == []

    def test_that_does_not_care_for_being_cancelled(self):
        preparing = Deferred(lambda self: self.callback("done"))
        it = Setting(prepareConnection=lambda _: preparing)
        facing = it.connected()
        stopped = results(it.service.stopService())
        assert stopped == []
        lose(facing)
        assert stopped == [None]
        assert is_cancelled(it.now())


class TestWatched:
    def test_is_told_all_that_the_protocol_wants_to_know(self):
        told = []

        @implementer(IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener)
        class Fancy(Protocol):
            def __getattribute__(self, name):
                if name in ("readConnectionLost", "writeConnectionLost", "handshakeCompleted"):
                    return lambda: told.append(name)
                if name == "fileDescriptorReceived":
                    return told.append
                return super().__getattribute__(name)

        it = Setting(factory=Factory.forProtocol(Fancy))
        facing = it.connected()
        for interface in (IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener, ILoggingContext):
            assert interface.providedBy(facing)
        facing.readConnectionLost()
        facing.writeConnectionLost()
        facing.handshakeCompleted()
        facing.fileDescriptorReceived(7)
        assert told == ["readConnectionLost", "writeConnectionLost", "handshakeCompleted", 7]
        assert facing.logPrefix() == "Fancy"

    def test_is_told_no_more_than_that(self):
        facing = Setting().connected()
        for interface in (IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener):
            assert not interface.providedBy(facing)

    def test_one_that_raises_at_its_end_is_gone_all_the_same(self):
        class Raising(Protocol):
            def connectionLost(self, reason):
                raise ValueError("no")

        it = Setting(factory=Factory.forProtocol(Raising))
        facing = it.connected()
        with pytest.raises(ValueError):
            lose(facing)
        it.clock.advance(10)
        assert len(it.endpoint.attempts) == 2

    def test_the_factory_is_asked(self):
        @implementer(IProtocolNegotiationFactory)
        class Chooser(Factory):
            protocol = Kept

            def acceptableProtocols(self):
                return [b"h2"]

        it = Setting(factory=Chooser())
        it.service.startService()
        facing = it.endpoint.attempts[-1].factory
        assert IProtocolNegotiationFactory.providedBy(facing)
        assert facing.acceptableProtocols() == [b"h2"]
        assert facing.noisy is False
        assert facing.logPrefix() == "Chooser"
        facing.doStart()
        assert it.factory.numPorts == 1
        facing.doStop()
        assert it.factory.numPorts == 0
        assert "Chooser" in repr(facing)
        assert "Kept" in repr(it.endpoint.succeed())
