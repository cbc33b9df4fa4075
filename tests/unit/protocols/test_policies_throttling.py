"""Limits to the bytes a second, by a clock that the tests turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.protocols.policies import ThrottlingFactory


class Throttling(ThrottlingFactory):
    def __init__(self, *args, **kwargs):
        super().__init__(Factory.forProtocol(Protocol), *args, **kwargs)
        self.clock = Clock()

    def callLater(self, period, func):
        return self.clock.callLater(period, func)

    def turn(self, seconds=1.0):
        """Let time pass, a 32nd of a second at a time: a clock that jumps makes the calls in between late."""
        self.clock.pump([1 / 32] * round(seconds * 32))


class Producer:
    def __init__(self):
        self.calls = []

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")

    def stopProducing(self):
        self.calls.append("stop")


def connect(factory):
    wrapper = factory.buildProtocol(None)
    transport = StringTransport()
    wrapper.makeConnection(transport)
    return wrapper, transport


# --- the number of connections -------------------------------------------------------------------------------------------


def test_connections_beyond_the_number_get_no_protocol():
    factory = Throttling(2)
    first, _ = connect(factory)
    connect(factory)
    assert factory.buildProtocol(None) is None
    assert factory.connectionCount == 2
    first.connectionLost(connectionDone)
    assert factory.buildProtocol(None) is not None


def test_a_factory_that_makes_none_takes_up_no_room():
    factory = Throttling(1)
    factory.wrappedFactory.buildProtocol = lambda addr: None
    for _ in range(3):
        assert factory.buildProtocol(None) is None
    assert factory.connectionCount == 0


def test_without_limits_there_is_nothing_to_look_after():
    factory = Throttling()
    wrapper, _ = connect(factory)
    wrapper.dataReceived(b"x" * 10**6)
    wrapper.write(b"x" * 10**6)
    assert factory.clock.getDelayedCalls() == []


def test_the_clock_is_left_alone_while_there_are_no_connections():
    factory = Throttling(readLimit=10, writeLimit=10)
    assert factory.clock.getDelayedCalls() == []
    for _ in range(2):
        first, _ = connect(factory)
        second, _ = connect(factory)
        assert len(factory.clock.getDelayedCalls()) == 2
        first.dataReceived(b"x" * 100)
        first.write(b"x" * 100)
        factory.turn()
        first.connectionLost(connectionDone)
        second.connectionLost(connectionDone)
        assert factory.clock.getDelayedCalls() == []


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
@pytest.mark.parametrize("name", ["readLimit", "writeLimit"])
def test_limits_that_let_nothing_through_are_refused(name, limit):
    with pytest.raises(ValueError, match=f"{name} .*above 0"):
        ThrottlingFactory(Factory(), **{name: limit})


# --- reading -------------------------------------------------------------------------------------------------------------


def test_nothing_is_held_within_the_limit():
    factory = Throttling(readLimit=10)
    wrapper, transport = connect(factory)
    for _ in range(5):
        wrapper.dataReceived(b"x" * 10)
        factory.turn()
        assert transport.producerState == "producing"


def test_what_was_too_much_is_waited_out_by_all():
    factory = Throttling(readLimit=10)
    wrapper, one = connect(factory)
    _, other = connect(factory)
    wrapper.dataReceived(b"x" * 15)
    factory.turn(0.875)
    assert one.producerState == other.producerState == "producing"
    factory.turn(0.125)
    assert one.producerState == other.producerState == "paused"
    factory.turn(0.375)
    assert one.producerState == "paused"
    factory.turn(0.125)
    assert one.producerState == other.producerState == "producing"


def test_a_burst_is_held_at_once_and_new_connections_with_it():
    factory = Throttling(readLimit=10)
    wrapper, transport = connect(factory)
    wrapper.dataReceived(b"x" * 20)
    assert transport.producerState == "producing"
    wrapper.dataReceived(b"x")
    assert transport.producerState == "paused"
    _, new = connect(factory)
    assert new.producerState == "paused"
    factory.turn(2.0625)  # 21 bytes take 2.1 seconds
    assert transport.producerState == "paused"
    factory.turn(0.0625)
    assert transport.producerState == new.producerState == "producing"


def test_a_debt_is_not_forgiven_by_the_second_in_which_it_was_paid():
    factory = Throttling(readLimit=10)
    wrapper, transport = connect(factory)
    wrapper.dataReceived(b"x" * 15)
    factory.turn()  # owes 5 bytes: free again at 1.5
    factory.turn(0.5)
    assert transport.producerState == "producing"
    wrapper.dataReceived(b"x" * 15)
    factory.turn(0.5)  # at 2, 5 + 15 - 10 bytes are owed
    assert transport.producerState == "paused"
    factory.turn(0.9375)
    assert transport.producerState == "paused"
    factory.turn(0.0625)
    assert transport.producerState == "producing"


def test_a_protocol_that_pauses_itself_is_not_resumed_and_one_that_resumes_is_held():
    factory = Throttling(readLimit=10)
    wrapper, transport = connect(factory)
    protocol = wrapper.wrappedProtocol
    protocol.transport.pauseProducing()
    factory.throttleReads()
    factory.unthrottleReads()
    assert transport.producerState == "paused"
    factory.throttleReads()
    protocol.transport.resumeProducing()
    assert transport.producerState == "paused"
    factory.unthrottleReads()
    assert transport.producerState == "producing"


def test_a_connection_that_closes_is_left_alone():
    factory = Throttling(readLimit=10)
    wrapper, transport = connect(factory)
    wrapper.loseConnection()  # from here on, a StringTransport raises when it is paused
    factory.throttleReads()
    factory.unthrottleReads()
    wrapper, transport = connect(factory)
    factory.throttleReads()
    wrapper.loseConnection()
    factory.unthrottleReads()
    assert transport.producerState == "paused"


@given(amounts=st.lists(st.integers(0, 40), min_size=1, max_size=60), limit=st.integers(1, 20))
def test_over_any_time_no_more_goes_through_than_the_limit_and_a_burst(amounts, limit):
    """However much there is to read, and whenever: what passes until t seconds is at most limit * t and one burst."""
    factory = Throttling(readLimit=limit)
    wrapper, transport = connect(factory)
    passed = 0
    for amount in amounts:
        if amount and transport.producerState == "producing":
            wrapper.dataReceived(b"x" * amount)
            passed += amount
        assert passed <= limit * (factory.clock.seconds() + 3) + 40  # a burst, a second, and what was read last
        factory.turn(0.25)
    factory.turn(passed / limit + 1)
    assert transport.producerState == "producing"


# --- writing -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def writing():
    factory = Throttling(writeLimit=10)
    wrapper, transport = connect(factory)
    return factory, wrapper, transport


def test_what_is_written_is_counted(writing):
    factory, wrapper, transport = writing
    wrapper.write(b"abc")
    wrapper.writeSequence(piece for piece in (b"de", b"f"))
    assert (factory.writtenThisSecond, transport.value()) == (6, b"abcdef")


def test_what_no_producer_writes_is_not_held(writing):
    factory, wrapper, transport = writing
    wrapper.write(b"x" * 100)
    factory.turn()
    wrapper.write(b"y")
    assert transport.value() == b"x" * 100 + b"y"


def test_a_push_producer_waits_until_what_was_too_much_is_paid(writing):
    factory, wrapper, transport = writing
    producer = Producer()
    wrapper.wrappedProtocol.transport.registerProducer(producer, True)
    assert transport.streaming
    wrapper.write(b"x" * 15)
    factory.turn()
    assert producer.calls == ["pause"]
    factory.turn(0.5)
    assert producer.calls == ["pause", "resume"]


def test_a_push_producer_goes_on_only_if_the_transport_has_room_too(writing):
    factory, wrapper, transport = writing
    producer = Producer()
    wrapper.registerProducer(producer, True)
    gate = transport.producer
    factory.throttleWrites()
    gate.pauseProducing()
    factory.unthrottleWrites()
    assert producer.calls == ["pause"]
    factory.throttleWrites()
    gate.resumeProducing()
    assert producer.calls == ["pause"]
    factory.unthrottleWrites()
    assert producer.calls == ["pause", "resume"]
    gate.pauseProducing()
    gate.resumeProducing()
    gate.stopProducing()
    assert producer.calls == ["pause", "resume", "pause", "resume", "stop"]


def test_a_pull_producer_is_asked_when_it_may_write(writing):
    factory, wrapper, transport = writing
    producer = Producer()
    wrapper.registerProducer(producer, False)
    gate = transport.producer
    gate.resumeProducing()
    assert producer.calls == ["resume"]
    factory.throttleWrites()
    factory.unthrottleWrites()
    assert producer.calls == ["resume"]  # it is still sending
    factory.throttleWrites()
    gate.resumeProducing()
    assert producer.calls == ["resume"]
    factory.unthrottleWrites()
    factory.throttleWrites()
    factory.unthrottleWrites()
    assert producer.calls == ["resume", "resume"]


def test_a_producer_that_comes_while_all_wait_waits_too(writing):
    factory, wrapper, _ = writing
    factory.throttleWrites()
    producer = Producer()
    wrapper.registerProducer(producer, True)
    assert producer.calls == ["pause"]
    factory.unthrottleWrites()
    assert producer.calls == ["pause", "resume"]


def test_so_does_that_of_a_connection_that_comes(writing):
    factory, *_ = writing
    factory.throttleWrites()
    wrapper, _ = connect(factory)
    producer = Producer()
    wrapper.registerProducer(producer, True)
    assert producer.calls == ["pause"]


def test_a_producer_that_has_gone_is_not_called(writing):
    factory, wrapper, transport = writing
    producer = Producer()
    wrapper.registerProducer(producer, True)
    wrapper.unregisterProducer()
    assert transport.producer is None
    factory.throttleWrites()
    factory.unthrottleWrites()
    assert producer.calls == []


def test_there_is_one_producer_at_a_time(writing):
    _, wrapper, _ = writing
    first = Producer()
    wrapper.registerProducer(first, True)
    with pytest.raises(RuntimeError, match="unregister it first"):
        wrapper.registerProducer(Producer(), True)
    assert wrapper.producer is first


def test_a_burst_of_writing_is_held_at_once(writing):
    factory, wrapper, _ = writing
    producer = Producer()
    wrapper.registerProducer(producer, True)
    wrapper.write(b"x" * 21)
    wrapper.write(b"x" * 21)
    assert producer.calls == ["pause"]
    factory.turn(4.125)
    assert producer.calls == ["pause"]
    factory.turn(0.125)
    assert producer.calls == ["pause", "resume"]
