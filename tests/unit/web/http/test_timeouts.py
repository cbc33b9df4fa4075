"""Slow clients: each wait has an end."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.web.http import Request
from unit.web.http.wire import GET, Wire, post, say

pytestmark = pytest.mark.usefixtures("way")


def test_an_idle_connection() -> None:
    wire = Wire(timeOut=60)
    wire.clock.advance(59)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.closed
    assert wire.take() == b""


def test_each_request_begins_the_wait_anew() -> None:
    wire = Wire(say(b"ok"), timeOut=60)
    for _ in range(3):
        wire.clock.advance(59)
        wire.send(GET)
    assert not wire.closed
    wire.clock.advance(60)
    assert wire.closed


def test_nobody_waits_for_a_client_that_waits_for_us() -> None:
    wire = Wire(timeOut=60)
    wire.send(GET)
    wire.clock.advance(10_000)
    assert not wire.closed
    say(b"ok")(wire.asked[0])
    wire.clock.advance(59)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.closed


def test_a_head_that_drips() -> None:
    wire = Wire(timeOut=60, headerTimeout=30)
    wire.clock.advance(50)
    for at in range(29):
        wire.send(GET[at : at + 1])
        wire.clock.advance(1)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.take().startswith(b"HTTP/1.1 408 ")
    assert wire.closed


def test_a_second_head_that_drips() -> None:
    wire = Wire(say(b"ok"), timeOut=60, headerTimeout=30)
    wire.send(GET + GET[:5])
    wire.take()
    wire.clock.advance(20)
    wire.send(GET[5:9])
    wire.clock.advance(10)
    assert wire.take().startswith(b"HTTP/1.1 408 ")


def test_a_body_that_stops() -> None:
    wire = Wire(timeOut=60, minBodyRate=None)
    wire.send(post(b"0123456789")[:-5])
    wire.clock.advance(59)
    wire.send(b"5")
    wire.clock.advance(59)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.take().startswith(b"HTTP/1.1 408 ")
    assert wire.asked == []


def test_a_request_as_a_whole() -> None:
    wire = Wire(timeOut=None, requestTimeout=100)
    wire.send(GET)
    told: list[Any] = []
    wire.asked[0].notifyFinish().addBoth(told.append)
    wire.clock.advance(100)
    assert wire.take().startswith(b"HTTP/1.1 503 ")
    assert wire.closed
    assert told != [None]


def test_a_request_as_a_whole_that_has_begun_to_answer() -> None:
    wire = Wire(lambda request: request.write(b"some"), timeOut=None, requestTimeout=100)
    wire.send(GET)
    wire.clock.advance(100)
    assert wire.transport.disconnected


def test_it_ends_with_the_answer() -> None:
    wire = Wire(say(b"ok"), timeOut=None, requestTimeout=100)
    wire.send(GET)
    wire.clock.advance(1000)
    assert not wire.closed
    assert wire.clock.getDelayedCalls() == []


def test_a_client_that_takes_nothing() -> None:
    """A transport that is full pauses its producer, the channel; after a while it has never emptied."""
    wire = Wire(timeOut=60)
    wire.send(GET)
    wire.asked[0].write(b"much")
    wire.channel.pauseProducing()
    wire.clock.advance(59)
    wire.channel.resumeProducing()
    wire.clock.advance(1000)
    assert not wire.closed, "it has taken something"
    wire.channel.pauseProducing()
    wire.clock.advance(60)
    assert wire.closed


def test_what_does_not_close_is_aborted() -> None:
    wire = Wire(timeOut=60)
    wire.clock.advance(60)
    assert not wire.transport.disconnected
    wire.clock.advance(15)
    assert wire.transport.disconnected


def test_what_has_closed_is_left_alone() -> None:
    wire = Wire(timeOut=60)
    wire.clock.advance(60)
    wire.leave()
    assert wire.clock.getDelayedCalls() == []


def test_no_time_out_at_all() -> None:
    wire = Wire(say(b"ok"), timeOut=None, headerTimeout=None)
    wire.send(GET + GET[:5])
    wire.clock.advance(10**6)
    assert not wire.closed
    assert wire.clock.getDelayedCalls() == []


def begin(size: int = 10**6, **settings: Any) -> Wire:
    """Return a wire on which a body has begun."""
    wire = Wire(timeOut=None, **settings)
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
    return wire


def test_a_body_that_drips() -> None:
    wire = begin()
    for _ in range(19):
        wire.clock.advance(1)
        wire.send(b"x" * 499)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.take().startswith(b"HTTP/1.1 408 ")
    assert wire.closed
    assert wire.asked == []


def test_a_body_that_is_fast_enough_and_then_drips() -> None:
    wire = begin()
    for _ in range(60):
        wire.send(b"x" * 500)
        wire.clock.advance(1)
    assert not wire.closed
    wire.clock.advance(19)
    assert not wire.closed, "what came in this period counts, and each period begins anew"
    wire.clock.advance(1)
    assert wire.closed


def test_a_body_may_be_as_slow_as_it_likes_if_that_is_said() -> None:
    wire = begin(minBodyRate=None)
    wire.clock.advance(10_000)
    assert not wire.closed
    assert wire.clock.getDelayedCalls() == []


def test_the_rate_is_an_attribute() -> None:
    wire = begin(minBodyRate=100_000)
    wire.send(b"x" * 999_999)
    wire.clock.advance(20)
    assert wire.closed


def test_a_body_that_a_program_streams_may_drip() -> None:
    class Streaming(Request):
        def headReceived(self) -> None:
            self.streamBody()

    wire = Wire(request=Streaming, timeOut=60)
    wire.send(post(b"x" * 1000)[:-1000])
    for _ in range(10):
        wire.clock.advance(59)
        wire.send(b"x")
    assert not wire.closed
    wire.clock.advance(60)
    assert wire.closed, "it may be slow, but not stop"


def test_a_body_is_not_slow_that_is_not_read() -> None:
    wire = begin()
    wire.clock.advance(10)
    wire.channel.pauseProducing()
    for _ in range(10):
        wire.clock.advance(10)
    assert not wire.closed
    wire.channel.resumeProducing()
    wire.clock.advance(20)
    assert not wire.closed, "the period in which it went on"
    wire.clock.advance(20)
    assert wire.closed


def test_a_program_that_reads_slowly_is_not_the_clients_fault() -> None:
    wire = begin()
    wire.send(b"x" * 20_000)
    wire.clock.advance(10)
    wire.channel.pauseBody()
    wire.clock.advance(1000)
    wire.channel.resumeBody()
    wire.clock.advance(20)
    assert not wire.closed, "the period in which it went on"
    wire.clock.advance(20)
    assert wire.closed


def test_a_body_that_has_come_is_not_waited_for() -> None:
    wire = Wire(say(b"ok"), timeOut=None)
    whole = post(b"0123456789")
    wire.send(whole[:-5])
    assert wire.clock.getDelayedCalls() != []
    wire.send(whole[-5:])
    assert wire.clock.getDelayedCalls() == []
    wire.send(whole[:-5])
    wire.leave()
    assert wire.clock.getDelayedCalls() == []


def test_a_body_that_drips_behind_its_answer() -> None:
    wire = Wire(timeOut=None)
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    request = wire.channel.requests[0]
    request._take(b"POST", b"/", b"HTTP/1.1")
    say(b"ok")(request)
    assert wire.take().endswith(b"ok")
    wire.clock.advance(20)
    assert wire.closed
    assert wire.take() == b""


@pytest.mark.parametrize("end", ["the server closes", "the client takes nothing", "the client leaves"])
def test_a_producer_is_stopped_once_whoever_ends_the_connection(end: str) -> None:
    told: list[str] = []

    class Producer:
        def pauseProducing(self) -> None:
            pass

        resumeProducing = pauseProducing

        def stopProducing(self) -> None:
            told.append("stopped")

    def process(request: Any) -> None:
        request.write(b"x")
        request.registerProducer(Producer(), True)
        request.notifyFinish().addErrback(lambda _: told.append("told"))

    wire = Wire(process)
    wire.send(GET)
    if end == "the server closes":
        wire.channel.loseConnection()
    elif end == "the client takes nothing":
        wire.channel.pauseProducing()
        wire.clock.advance(100)
    else:
        wire.transport.producer.stopProducing()  # which is what transports do
    wire.leave()
    assert told == ["stopped", "told"]
