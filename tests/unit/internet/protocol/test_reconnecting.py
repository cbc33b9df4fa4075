"""When a reconnecting factory tries again, and when it does not."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet._current import enter, leave
from torsion.internet.error import NotConnectingError
from torsion.internet.protocol import ClientFactory, Protocol, ReconnectingClientFactory, connectionDone
from torsion.internet.task import Clock
from torsion.logger import formatEvent, globalLogPublisher


class Connector:
    """Counts its attempts."""

    def __init__(self, connecting=True):
        self.attempts = 0
        self.connecting = connecting
        self.stopped = 0

    def connect(self):
        self.attempts += 1

    def stopConnecting(self):
        if not self.connecting:
            raise NotConnectingError
        self.stopped += 1

    def __repr__(self):
        return "<connector>"


def regular(**settings):
    """Make a factory that leaves nothing to chance, and its clock."""
    factory = ReconnectingClientFactory.forProtocol(Protocol)
    factory.clock = clock = Clock()
    factory.jitter = None
    factory.noisy = False
    vars(factory).update(settings)
    return factory, clock


def waits(factory, clock, connector, count):
    """Fail *count* times, and return how long the factory waits each time."""
    found = []
    for _ in range(count):
        before = connector.attempts
        factory.clientConnectionFailed(connector, connectionDone)
        (call,) = clock.getDelayedCalls()
        found.append(call.getTime() - clock.seconds())
        clock.advance(found[-1])
        assert connector.attempts == before + 1
    return found


def test_it_is_a_client_factory():
    assert issubclass(ReconnectingClientFactory, ClientFactory)


@pytest.mark.parametrize("how", ["clientConnectionFailed", "clientConnectionLost"])
def test_it_tries_again_after_the_first_wait(how):
    factory, clock = regular()
    connector = Connector()
    getattr(factory, how)(connector, connectionDone)
    assert factory.connector is connector
    clock.advance(0.99)
    assert connector.attempts == 0
    clock.advance(0.01)
    assert connector.attempts == 1
    assert clock.getDelayedCalls() == []


def test_waits_grow_up_to_a_limit():
    factory, clock = regular(factor=2.0, maxDelay=10)
    assert waits(factory, clock, Connector(), 6) == pytest.approx([1, 2, 4, 8, 10, 10])
    assert factory.retries == 6


def test_reset():
    factory, clock = regular(factor=2.0)
    connector = Connector()
    waits(factory, clock, connector, 3)
    factory.resetDelay()
    assert factory.retries == 0
    assert waits(factory, clock, connector, 2) == pytest.approx([1, 2])


def test_initial_delay_of_a_subclass():
    class Patient(ReconnectingClientFactory):
        initialDelay = 30.0
        factor = 2.0

    class Odd(Patient):
        initialDelay = 5.0
        delay = 7.0

    assert Patient().delay == 30.0
    assert Odd().delay == 7.0
    assert ReconnectingClientFactory().delay == 1.0


def test_initial_delay_of_an_instance():
    factory, clock = regular(initialDelay=30.0)
    factory.resetDelay()
    assert waits(factory, clock, Connector(), 1) == pytest.approx([30])


def test_retries_are_limited():
    factory, clock = regular(maxRetries=2)
    connector = Connector()
    waits(factory, clock, connector, 2)
    factory.clientConnectionFailed(connector, connectionDone)
    assert clock.getDelayedCalls() == []
    assert factory.retries == 2


def test_no_retries():
    factory, clock = regular(maxRetries=0)
    factory.clientConnectionFailed(Connector(), connectionDone)
    assert clock.getDelayedCalls() == []


def test_stop_while_waiting():
    factory, clock = regular()
    connector = Connector(connecting=False)
    factory.clientConnectionFailed(connector, connectionDone)
    factory.stopTrying()
    assert clock.getDelayedCalls() == []
    clock.advance(10)
    assert connector.attempts == 0


def test_stop_while_connecting():
    factory, clock = regular()
    connector = Connector()
    waits(factory, clock, connector, 1)
    factory.stopTrying()
    assert connector.stopped == 1
    factory.clientConnectionFailed(connector, connectionDone)
    assert clock.getDelayedCalls() == []


def test_stop_while_connected():
    factory, clock = regular()
    factory.buildProtocol(None)
    factory.stopTrying()
    factory.clientConnectionLost(Connector(), connectionDone)
    assert clock.getDelayedCalls() == []


def test_stop_whose_failure_comes_at_once():
    factory, clock = regular()

    class Prompt(Connector):
        def stopConnecting(self):
            factory.clientConnectionFailed(self, connectionDone)

    factory.connector = connector = Prompt()
    factory.stopTrying()
    assert clock.getDelayedCalls() == []
    assert connector.attempts == 0


def test_stop_of_two_that_wait():
    factory, clock = regular()
    one, other = Connector(), Connector()
    factory.retry(one)
    factory.retry(other)
    assert len(clock.getDelayedCalls()) == 2
    factory.stopTrying()
    assert clock.getDelayedCalls() == []


def test_start_again_after_a_stop():
    factory, clock = regular()
    factory.stopTrying()
    factory.resetDelay()
    assert waits(factory, clock, Connector(), 1) == pytest.approx([1])


def test_retry_by_hand():
    factory, clock = regular()
    connector = Connector()
    factory.retry(connector)
    clock.advance(1)
    assert connector.attempts == 1


def test_retry_without_a_connector():
    factory, _ = regular()
    with pytest.raises(ValueError, match="no connector to retry"):
        factory.retry()


@given(st.integers(0, 2**32), st.floats(0.01, 3.0), st.integers(1, 12))
def test_chance_keeps_within_the_limits(seed, jitter, count):
    import random

    random.seed(seed)
    factory, clock = regular(jitter=jitter, maxDelay=20.0, factor=3.0)
    for wait in waits(factory, clock, Connector(), count):
        assert 0 <= wait <= 20.0


def test_chance_makes_a_difference():
    factory, clock = regular(jitter=0.1, factor=1.0)
    assert len(set(waits(factory, clock, Connector(), 5))) == 5


def test_the_reactor_is_the_clock_where_none_is_given():
    factory, _ = regular(clock=None)
    reactor = Clock()
    enter(reactor)
    factory.clientConnectionFailed(Connector(), connectionDone)
    leave(reactor)
    assert len(reactor.getDelayedCalls()) == 1
    assert factory.clock is None


def test_log():
    texts = []

    def observe(event):
        texts.append(formatEvent(event))

    factory, clock = regular(noisy=True, maxRetries=1)
    connector = Connector()
    globalLogPublisher.addObserver(observe)
    try:
        waits(factory, clock, connector, 1)
        factory.clientConnectionFailed(connector, connectionDone)
        factory.stopTrying()
        factory.retry()
        factory.noisy = False
        factory.retry()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert texts == [
        "<connector> will retry in 1.0 seconds",
        "Abandoning <connector> after 1 retries",
        "Abandoning <connector> on explicit request",
    ]


def test_pickling_an_unused_one():
    factory = ReconnectingClientFactory()
    assert vars(pickle.loads(pickle.dumps(factory))) == vars(factory)


def test_pickling_keeps_the_settings_only():
    factory, _ = regular(factor=2.0, maxRetries=5)
    factory.clientConnectionFailed(Connector(), connectionDone)
    factory.stopTrying()
    again = pickle.loads(pickle.dumps(factory))
    assert again.factor == 2.0
    assert again.maxRetries == 5
    assert again.connector is None
    assert again.clock is None
    assert again.retries == 0
    assert again.delay == again.initialDelay
    assert again.continueTrying
