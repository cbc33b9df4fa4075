"""Draining: services one after the other, factories with all their connections, and what is said of those that do not."""

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyClass

from torsion.application import draining
from torsion.application.draining import (
    MOST_TURNS,
    QUIET_TURNS,
    DrainError,
    DrainingFactory,
    IDrainingFactory,
    IDrains,
    IListens,
    closeListeners,
    describe,
    drainServices,
)
from torsion.application.service import MultiService, Service
from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.interfaces import IReactorInspection
from torsion.internet.protocol import Protocol
from torsion.internet.testing import StringTransport
from torsion.logger import formatEvent, globalLogPublisher


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def texts(events):
    return [formatEvent(each) for each in events]


@implementer(IDrains, IListens)
class Pump(Service):
    """Drains and closes as it is told to."""

    def __init__(self, name, order=None, does=lambda: None):
        self.setName(name)
        self.order = [] if order is None else order
        self.does = does

    def drain(self):
        self.order.append(self.name)
        return self.does()

    stopListening = drain


def fails():
    raise ValueError("clogged")


def outcome(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def test_one_after_the_other():
    order, first = [], Deferred()
    done = outcome(drainServices([Pump("b", order, lambda: first), Service(), Pump("a", order)]))
    assert order == ["b"]
    first.callback("whatever")
    assert order == ["b", "a"]
    assert done == [None]


def test_a_failure_is_told_by_name_and_keeps_none_from_draining(logged):
    order = []
    [failure] = outcome(drainServices([Pump("b", order, fails), Pump("a", order)]))
    assert order == ["b", "a"]
    assert failure.check(DrainError)
    assert failure.value.services == ["b (Pump)"]
    assert texts(logged) == ["The service b (Pump) could not be drained"]
    assert logged[0]["log_failure"].check(ValueError)


def test_failures_within_collections_are_told_once(logged):
    inner = MultiService()
    Pump("deep", does=fails).setServiceParent(inner)
    [failure] = outcome(drainServices([inner]))
    assert failure.value.services == ["deep (Pump)"]
    assert len(logged) == 1


def test_when_the_time_is_over_those_that_have_not_drained_are_told_by_name(logged):
    inner = MultiService()
    Pump("last").setServiceParent(inner)
    Pump("endless", does=Deferred).setServiceParent(inner)
    task = drainServices([inner, Pump("far")])
    done = outcome(task)
    assert done == []
    task.cancel()
    assert done[0].check(CancelledError)
    assert texts(logged) == [
        "The service endless (Pump) has not drained in time",
        "The service last (Pump) has not drained: the time was over before its turn",
        "The service far (Pump) has not drained: the time was over before its turn",
    ]


def test_who_was_cancelled_by_somebody_else_has_failed(logged):
    def cancelled():
        raise CancelledError

    order = []
    [failure] = outcome(drainServices([Pump("b", order, cancelled), Pump("a", order)]))
    assert failure.check(DrainError)
    assert order == ["b", "a"]
    assert len(logged) == 1


def test_listeners_close_all_at_once_and_a_failure_is_told(logged):
    order, root = [], MultiService()
    for name, does in ("a", lambda: None), ("b", Deferred), ("c", fails):
        Pump(name, order, does).setServiceParent(root)
    assert outcome(closeListeners(root)) == []
    assert order == ["c", "b", "a"]
    assert "c" in texts(logged)[0]


def test_names():
    assert describe(Service()) == "Service"
    assert describe(Pump("x")) == "x (Pump)"


# --- factories ------------------------------------------------------------------------------------------------------------


class Talker(Protocol):
    finished = False

    def connectionMade(self):
        self.factory.opened(self)

    def connectionLost(self, reason=None):
        self.factory.closed(self)

    def finish(self):
        self.finished = True
        self.transport.loseConnection()


@pytest.fixture
def factory():
    factory = DrainingFactory()
    factory.protocol = Talker
    return factory


def connect(factory):
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(StringTransport())
    return protocol


def test_a_factory_without_connections_has_drained(factory):
    assert verifyClass(IDrainingFactory, DrainingFactory)
    assert outcome(factory.drain()) == [None]


def test_a_factory_has_drained_when_the_last_connection_is_gone(factory):
    talkers = [connect(factory) for _ in range(2)]
    done, again = outcome(factory.drain()), outcome(factory.drain())
    assert all(each.finished for each in talkers)
    talkers[0].connectionLost()
    assert done == again == []
    talkers[1].connectionLost()
    assert done == again == [None]


def test_who_comes_late_is_finished_at_once(factory):
    connect(factory)
    factory.drain()
    assert connect(factory).finished


def test_one_that_cannot_be_finished_is_aborted(factory, logged):
    bad, good = connect(factory), connect(factory)
    bad.finish = fails
    factory.drain()
    assert bad.transport.disconnected
    assert good.finished
    assert "could not be finished" in texts(logged)[0]


def test_draining_may_be_given_up(factory):
    talker = connect(factory)
    task = factory.drain()
    done = outcome(task)
    task.cancel()
    assert done[0].check(CancelledError)
    factory.abort()
    assert talker.transport.disconnected
    talker.connectionLost()


class Seen:
    """What a reactor tells of a connection."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.bytesRead = 0


@implementer(IReactorInspection)
class Turning:
    """A reactor that tells of the connections in its ``seen``, and takes a turn when it is told to."""

    def __init__(self):
        self.seen = []
        self.calls = []

    def connections(self):
        return self.seen

    def callLater(self, delay, function, *arguments):
        assert delay == 0
        self.calls.append((function, arguments))

    def turn(self):
        calls, self.calls = self.calls, []
        for function, arguments in calls:
            function(*arguments)


@pytest.fixture
def reactor(monkeypatch):
    reactor = Turning()
    monkeypatch.setattr(draining, "current_reactor", lambda: reactor)
    return reactor


def test_a_connection_is_finished_once_nothing_has_come_for_some_turns(factory, reactor):
    talker = connect(factory)
    reactor.seen = [seen] = [Seen(talker)]
    factory.drain()
    for _ in range(3):
        seen.bytesRead += 1
        reactor.turn()
    for _ in range(QUIET_TURNS):
        assert not talker.finished
        reactor.turn()
    assert talker.finished
    assert reactor.calls == []


def test_a_connection_that_is_never_quiet_is_finished_all_the_same(factory, reactor):
    talker = connect(factory)
    reactor.seen = [seen] = [Seen(talker)]
    factory.drain()
    for _ in range(MOST_TURNS + 1):
        assert not talker.finished
        seen.bytesRead += 1
        reactor.turn()
    assert talker.finished


def test_who_comes_late_is_read_from_as_well_and_who_goes_is_forgotten(factory, reactor):
    early = connect(factory)
    reactor.seen = [Seen(early)]
    factory.drain()
    late = factory.buildProtocol(None)
    reactor.seen.append(Seen(late))
    late.makeConnection(StringTransport())
    early.connectionLost()
    for _ in range(QUIET_TURNS):
        assert not late.finished
        reactor.turn()
    assert late.finished
    assert not early.finished
