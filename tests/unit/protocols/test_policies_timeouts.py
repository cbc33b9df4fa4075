"""Timeouts, by a clock that the tests turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport, StringTransportWithDisconnection
from torsion.protocols.policies import TimeoutFactory, TimeoutMixin


class Timed(TimeoutMixin, Protocol):
    def __init__(self, clock):
        self.callLater = clock.callLater
        self.times = []
        self.clock = clock

    def timeoutConnection(self):
        self.times.append(self.clock.seconds())


@pytest.fixture
def clock():
    return Clock()


# --- the mixin -----------------------------------------------------------------------------------------------------------


def test_there_is_no_timeout_until_one_is_set(clock):
    protocol = Timed(clock)
    protocol.timeOut = 3
    protocol.makeConnection(StringTransport())
    protocol.resetTimeout()
    assert clock.getDelayedCalls() == []


def test_it_fires_once_so_many_seconds_after_it_was_set(clock):
    protocol = Timed(clock)
    assert protocol.setTimeout(3) is None
    clock.advance(2.9)
    assert protocol.times == []
    clock.advance(0.1)
    assert protocol.times == [3]
    clock.advance(100)
    protocol.resetTimeout()
    assert (protocol.times, clock.getDelayedCalls()) == ([3], [])


def test_it_can_be_set_again_after_it_fired(clock):
    protocol = Timed(clock)
    protocol.setTimeout(1)
    clock.advance(1)
    assert protocol.setTimeout(2) == 1
    clock.advance(2)
    assert protocol.times == [1, 3]


def test_it_can_be_set_by_what_it_calls(clock):
    protocol = Timed(clock)
    protocol.timeoutConnection = lambda: protocol.setTimeout(2)
    protocol.setTimeout(1)
    clock.advance(1)
    [call] = clock.getDelayedCalls()
    assert call.getTime() == 3


@given(steps=st.lists(st.one_of(st.sampled_from(["reset", None]), st.integers(0, 5)), max_size=20))
def test_there_is_never_more_than_one_call_and_it_is_due_as_many_seconds_after_the_last_sign_of_life(steps):
    clock = Clock()
    protocol = Timed(clock)
    due = None
    for step in steps:
        if step == "reset":
            protocol.resetTimeout()
            due = None if due is None else clock.seconds() + protocol.timeOut
        else:
            protocol.setTimeout(step)
            assert protocol.timeOut == step
            due = None if step is None else clock.seconds() + step
        assert [call.getTime() for call in clock.getDelayedCalls()] == ([] if due is None else [due])
        clock.advance(1)
        if due is not None and due <= clock.seconds():
            assert protocol.times.pop() == clock.seconds()
            due = None
        assert protocol.times == []


def test_a_call_that_somebody_else_cancelled_does_no_harm(clock):
    protocol = Timed(clock)
    for period in (None, 5):
        protocol.setTimeout(3)
        clock.getDelayedCalls()[0].cancel()
        protocol.setTimeout(period)
    [call] = clock.getDelayedCalls()
    assert call.getTime() == 5


def test_by_itself_it_closes_the_connection(clock):
    class Plain(TimeoutMixin, Protocol):
        callLater = staticmethod(clock.callLater)

    protocol = Plain()
    transport = StringTransport()
    protocol.makeConnection(transport)
    protocol.setTimeout(1)
    clock.advance(1)
    assert transport.disconnecting


# --- the wrapper ---------------------------------------------------------------------------------------------------------


def wrapped(clock, period=3, protocol=Protocol):
    factory = TimeoutFactory(Factory.forProtocol(protocol), period)
    factory.callLater = clock.callLater
    wrapper = factory.buildProtocol(None)
    transport = StringTransportWithDisconnection()
    transport.protocol = wrapper
    wrapper.makeConnection(transport)
    return wrapper, transport


@pytest.mark.parametrize(
    "sign",
    [
        lambda wrapper: wrapper.dataReceived(b"x"),
        lambda wrapper: wrapper.write(b"x"),
        lambda wrapper: wrapper.writeSequence([b"x", b"y"]),
        lambda wrapper: wrapper.resetTimeout(),
    ],
)
def test_every_sign_of_life_counts(clock, sign):
    wrapper, transport = wrapped(clock)
    for _ in range(4):
        clock.advance(2)
        sign(wrapper)
    assert transport.connected
    clock.advance(3)
    assert not transport.connected
    assert clock.getDelayedCalls() == []


def test_what_is_read_and_written_goes_through(clock):
    class Echo(Protocol):
        def dataReceived(self, data):
            self.transport.writeSequence([data, data])
            self.transport.write(b"!")

    wrapper, transport = wrapped(clock, protocol=Echo)
    wrapper.dataReceived(b"ho")
    assert transport.value() == b"hoho!"


def test_no_timeout_at_first(clock):
    wrapper, transport = wrapped(clock, None)
    wrapper.setTimeout()
    wrapper.resetTimeout()
    wrapper.cancelTimeout()
    assert clock.getDelayedCalls() == []
    wrapper.setTimeout(2)
    assert wrapper.timeoutPeriod == 2
    clock.advance(2)
    assert not transport.connected


def test_the_period_is_kept_when_it_is_set_without_one(clock):
    wrapper, transport = wrapped(clock, 4)
    clock.advance(3)
    wrapper.setTimeout()
    clock.advance(3)
    assert transport.connected
    clock.advance(1)
    assert not transport.connected


def test_a_cancelled_timeout_stays_so_through_signs_of_life(clock):
    wrapper, transport = wrapped(clock)
    wrapper.cancelTimeout()
    wrapper.dataReceived(b"x")
    clock.advance(100)
    assert transport.connected
    assert wrapper.timeoutCall is None


def test_a_lost_connection_leaves_no_call_behind(clock):
    _, transport = wrapped(clock)
    transport.loseConnection()
    assert clock.getDelayedCalls() == []


def test_a_call_of_the_wrapper_that_somebody_else_cancelled_does_no_harm(clock):
    wrapper, transport = wrapped(clock)
    wrapper.timeoutCall.cancel()
    wrapper.write(b"x")
    wrapper.cancelTimeout()
    wrapper.setTimeout()
    clock.advance(3)
    assert not transport.connected


def test_what_happens_then_can_be_overridden(clock):
    wrapper, transport = wrapped(clock)
    wrapper.timeoutFunc = lambda: wrapper.setTimeout(1)
    clock.advance(3)
    assert transport.connected
    assert [call.getTime() for call in clock.getDelayedCalls()] == [4]


def test_the_factory_has_half_an_hour_of_patience():
    assert TimeoutFactory(Factory()).timeoutPeriod == 1800


def test_no_protocol_no_timeout(clock):
    class Refusing(Factory):
        def buildProtocol(self, addr):
            return None

    factory = TimeoutFactory(Refusing(), 3)
    factory.callLater = clock.callLater
    assert factory.buildProtocol(None) is None
    assert clock.getDelayedCalls() == []
