"""Producers with TLS in between."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IPushProducer
from torsion.internet.protocol import producers
from torsion.internet.protocol.producers import ProducerMembrane, PullToPush
from torsion.internet.task import Clock, Cooperator
from torsion.internet.testing import NonStreamingProducer, StringTransport
from torsion.logger import capturedLogs
from unit.internet.tls.kit import Pair, authority, client_and_server_options, server_certificate


class Push:
    def __init__(self):
        self.calls: list[str] = []

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")

    def stopProducing(self):
        self.calls.append("stop")


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Have pull producers asked when the clock says so."""
    made = Clock()
    cooperator = Cooperator(scheduler=lambda call: made.callLater(0.01, call))
    monkeypatch.setattr(producers, "cooperate", cooperator.cooperate)
    return made


def test_a_membrane_leaves_out_what_repeats_itself():
    push = Push()
    membrane = ProducerMembrane(push)
    assert verifyObject(IPushProducer, membrane)
    for name in ("resume", "pause", "pause", "resume", "resume", "pause"):
        getattr(membrane, f"{name}Producing")()
    membrane.stopProducing()
    assert push.calls == ["pause", "resume", "pause", "stop"]


def test_a_pull_producer_is_asked_until_it_has_no_more(clock):
    consumer = StringTransport()
    pull = NonStreamingProducer(consumer)
    streaming = PullToPush(pull, consumer)
    assert verifyObject(IPushProducer, streaming)
    consumer.registerProducer(streaming, True)
    plain = consumer.unregisterProducer

    def unregister():
        plain()
        streaming.stopStreaming()

    consumer.unregisterProducer = unregister
    streaming.startStreaming()
    clock.advance(0.01)
    streaming.pauseProducing()
    before = consumer.value()
    clock.pump([0.01] * 20)
    assert consumer.value() == before
    streaming.resumeProducing()
    clock.pump([0.01] * 20)
    assert consumer.value() == b"0123456789"
    assert clock.calls == []
    streaming.pauseProducing()
    streaming.resumeProducing()
    streaming.stopStreaming()


def test_a_pull_producer_is_stopped(clock):
    consumer = StringTransport()
    pull = NonStreamingProducer(consumer)
    streaming = PullToPush(pull, consumer)
    streaming.startStreaming()
    clock.advance(0.01)
    streaming.stopProducing()
    clock.pump([0.01] * 20)
    assert pull.stopped
    assert clock.calls == []


@pytest.mark.parametrize("also_consumer", [False, True])
def test_a_pull_producer_that_raises(clock, also_consumer):
    class Bad(NonStreamingProducer):
        def resumeProducing(self):
            raise ZeroDivisionError

    class Consumer(StringTransport):
        def unregisterProducer(self):
            if also_consumer:
                raise KeyError
            super().unregisterProducer()

    consumer = Consumer()
    streaming = PullToPush(Bad(consumer), consumer)
    consumer.registerProducer(streaming, True)
    with capturedLogs() as events:
        streaming.startStreaming()
        clock.pump([0.01] * 5)
    assert [event["log_failure"].type for event in events] == [ZeroDivisionError] + [KeyError] * also_consumer
    assert clock.calls == []


def talk() -> Pair:
    return Pair(*client_and_server_options(server_certificate(), authority().root))


def test_a_producer_pauses_for_the_handshake_and_for_the_transport():
    pair = talk()
    push = Push()
    pair.client.registerProducer(push, True)
    assert pair.ends[0].producer is not None
    pair.client.write(b"x" * 100_000)
    assert push.calls == ["pause"]
    pair.run()
    assert push.calls == ["pause", "resume"]
    assert pair.s.data == b"x" * 100_000
    pair.ends[0].producer.pauseProducing()
    pair.ends[0].producer.resumeProducing()
    assert push.calls == ["pause", "resume"] * 2
    with pytest.raises(RuntimeError, match="registered"):
        pair.client.registerProducer(Push(), True)
    pair.client.unregisterProducer()
    pair.client.unregisterProducer()
    assert pair.ends[0].producer is None


def test_closing_waits_for_the_producer():
    pair = talk().run()
    push = Push()
    pair.client.registerProducer(push, True)
    pair.client.write(b"some")
    pair.client.loseConnection()
    pair.run()
    assert pair.c.reason is None
    pair.client.write(b" more")
    pair.client.unregisterProducer()
    pair.client.write(b" never")
    pair.run()
    assert pair.s.data == b"some more"
    assert pair.c.reason is not None
    assert "stop" not in push.calls


def test_a_producer_that_comes_too_late_is_stopped():
    pair = talk().run()
    pair.client.loseConnection()
    pair.run()
    push = Push()
    pair.client.registerProducer(push, True)
    assert push.calls == ["stop"]


def test_a_pull_producer_through_tls(clock):
    pair = talk()
    pull = NonStreamingProducer(pair.client)
    pair.client.registerProducer(pull, False)
    for _ in range(30):
        clock.advance(0.01)
        pair.run()
    assert pair.s.data == b"0123456789"
    assert pair.ends[0].producer is None


def test_a_pull_producer_whose_connection_is_lost(clock):
    pair = talk().run()
    pull = NonStreamingProducer(pair.client)
    pair.client.registerProducer(pull, False)
    pair.ends[0].end()
    clock.pump([0.01] * 5)
    assert clock.calls == []


def test_a_consumer_that_is_done():
    pair = talk().run()
    pair.client.registerProducer(Push(), True)
    pair.client.stopConsuming()
    pair.run()
    assert pair.c.reason is not None


def test_aborting_stops_the_producer():
    pair = talk().run()
    push = Push()
    pair.client.registerProducer(push, True)
    pair.client.abortConnection()
    assert push.calls == ["stop"]
