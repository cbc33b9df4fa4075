"""Requests and responses on one connection."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.error import ConnectionDone, ConnectionLost
from torsion.web.client import (
    BadResponse,
    PotentialDataLoss,
    RequestGenerationFailed,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
    Timeouts,
    WrongBodyLength,
    readBody,
)
from torsion.web.client.protocol import EXPECT_PATIENCE, MOST_INTERIM
from torsion.web.client.response import MOST_AHEAD
from torsion.web.error import UnsupportedSpecialHeader
from torsion.web.http_headers import Headers
from torsion.web.iweb import UNKNOWN_LENGTH
from unit.web.client.world import OK, World, read


class Producer:
    """A body that the test writes."""

    def __init__(self, length: Any = UNKNOWN_LENGTH) -> None:
        self.length = length
        self.consumer: Any = None
        self.done: Deferred[None] = Deferred()
        self.calls: list[str] = []

    def startProducing(self, consumer: Any) -> Deferred[None]:
        self.consumer = consumer
        return self.done

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


def test_a_request_and_its_response() -> None:
    world = World()
    asked = world.get(b"http://host:8080/path;p?q#f", headers=Headers({"X-One": ["a", "b"]}))
    assert world.wire.take() == b"GET /path;p?q HTTP/1.1\r\nHost: host:8080\r\nX-One: a\r\nX-One: b\r\n\r\n"
    world.wire.say(b"HTTP/1.0 404 Not here\r\nContent-Length: 3\r\nX-Two: c\r\nx-two: d\r\n\r\nabc", 1)
    response = asked.response
    assert (response.version, response.code, response.phrase) == ((b"HTTP", 1, 0), 404, b"Not here")
    assert response.headers.getRawHeaders("X-Two") == ["c", "d"]
    assert response.length == 3
    assert response.request.absoluteURI == b"http://host:8080/path;p?q#f"
    reader = read(response)
    assert reader.got == b"abc"
    assert isinstance(reader.end, ResponseDone)
    with pytest.raises(RuntimeError, match="once"):
        response.deliverBody(reader)


@pytest.mark.parametrize(
    ("method", "head", "length"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5),
        (b"GET", b"HTTP/1.1 204 No", 0),
        (b"GET", b"HTTP/1.1 304 No\r\nContent-Length: 5", 0),
    ],
)
def test_responses_without_a_body(method: bytes, head: bytes, length: int) -> None:
    world = World()
    asked = world.get(method=method)
    world.wire.say(head + b"\r\n\r\n")
    assert asked.response.length == length
    assert read(asked.response).got == b""
    world.get()
    assert len(world.wires) == 1, "the connection was not kept"


def test_chunks_and_trailers() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nSum: 4\r\n\r\n", 3)
    assert asked.response.length is UNKNOWN_LENGTH
    assert read(asked.response).got == b"abcd"
    assert list(asked.response.trailers) == [(b"Sum", b"4")]


def test_fields_of_the_connection_are_not_the_programs() -> None:
    of_it = b"Connection: x\r\nKeep-Alive: timeout=9\r\nTE: x\r\nTrailers: x\r\nUpgrade: x\r\nProxy-Connection: x\r\n"
    for body in b"Content-Length: 2\r\n\r\nhi", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n":
        world = World()
        asked = world.get()
        world.wire.say(b"HTTP/1.1 200 OK\r\nX-One: 1\r\n" + of_it + body)
        assert list(asked.response.headers.getAllRawHeaders()) == [(b"X-One", [b"1"])]
        assert read(asked.response).got == b"hi"
    asked = world.get(method=b"HEAD")
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + of_it + b"\r\n")
    assert list(asked.response.headers.getAllRawHeaders()) == [(b"Content-Length", [b"2"])]


def test_a_body_that_ends_with_the_connection_may_have_been_longer() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\n\r\nabc")
    reader = read(asked.response)
    world.wire.lose(ConnectionDone())
    assert reader.got == b"abc"
    assert isinstance(reader.end, PotentialDataLoss)


def test_a_body_that_is_cut_off() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
    reader = read(asked.response)
    world.wire.lose(ConnectionDone())
    assert reader.got == b"abc"
    assert isinstance(reader.end, ResponseFailed)
    assert reader.end.response is asked.response
    assert [each.type for each in reader.end.reasons] == [ConnectionDone, BadResponse]


def test_interim_responses_are_passed_over() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 3 + OK)
    assert asked.response.code == 200
    asked = world.get()
    world.wire.say(b"HTTP/1.1 102 Processing\r\n\r\n" * (MOST_INTERIM + 1))
    assert isinstance(asked.error, ResponseFailed)
    assert not world.wire.open


@pytest.mark.parametrize(
    "said",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
    ],
)
def test_what_is_no_response_fails(said: bytes) -> None:
    world = World()
    asked = world.get()
    world.wire.say(said)
    assert isinstance(asked.error, ResponseFailed)
    assert asked.error.reasons[0].check(BadResponse)
    assert not world.wire.open


def test_nothing_is_kept_that_was_not_asked_for() -> None:
    """What comes behind a response, or before a request, could be taken for the next response."""
    world = World()
    asked = world.get()
    world.wire.say(OK + OK)
    assert read(asked.response).got == b"ok"
    assert not world.wire.open
    world.get()
    world.wire.say(OK)
    world.wire.say(OK)
    assert not world.wire.open


@pytest.mark.parametrize(
    ("before", "kind"),
    [(b"", ResponseNeverReceived), (b"HTTP/1.1 2", ResponseFailed)],
)
def test_a_connection_that_is_lost_before_the_response(before: bytes, kind: type) -> None:
    world = World()
    asked = world.get()
    if before:
        world.wire.say(before)
    world.wire.lose(ConnectionLost())
    assert type(asked.error) is kind
    assert asked.error.reasons[0].check(ConnectionLost)


def test_cancelling_aborts() -> None:
    world = World()
    asked = world.get()
    asked.deferred.cancel()
    assert isinstance(asked.error, ResponseNeverReceived)
    assert asked.error.reasons[0].check(CancelledError)
    assert not world.wire.open


# --- bodies that are sent ------------------------------------------------------------------------------------------------


def test_a_body_of_known_length_is_sent_as_it_is_produced() -> None:
    world = World()
    producer = Producer(5)
    asked = world.get(method=b"PUT", body=producer, headers=Headers({"Content-Length": ["9"]}))
    assert world.wire.take() == b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    producer.consumer.write(b"abc")
    assert world.wire.take() == b"abc"
    world.wire.producer.pauseProducing()
    world.wire.producer.resumeProducing()
    assert producer.calls == ["pause", "resume"]
    producer.consumer.write(b"de")
    producer.done.callback(None)
    assert world.wire.producer is None
    world.wire.say(OK)
    assert asked.response.code == 200


def test_a_body_of_unknown_length_is_sent_in_chunks() -> None:
    world = World()
    producer = Producer()
    world.get(method=b"POST", body=producer)
    assert b"Transfer-Encoding: chunked\r\n" in world.wire.take()
    producer.consumer.write(b"abc")
    producer.consumer.write(b"")
    producer.done.callback(None)
    assert world.wire.take() == b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize("written", [b"", b"ab", b"abcd"])
def test_a_producer_that_does_not_keep_its_word(written: bytes) -> None:
    world = World()
    producer = Producer(3)
    asked = world.get(method=b"POST", body=producer)
    producer.consumer.write(written)
    if len(written) < 3:
        producer.done.callback(None)
    assert isinstance(asked.error, RequestGenerationFailed)
    assert asked.error.reasons[0].check(WrongBodyLength)
    assert not world.wire.open


def test_a_producer_that_fails() -> None:
    world = World()
    producer = Producer(3)
    asked = world.get(method=b"POST", body=producer)
    producer.done.errback(ZeroDivisionError())
    assert asked.error.reasons[0].check(ZeroDivisionError)
    assert not world.wire.open


def test_a_connection_that_is_lost_while_a_body_is_sent_stops_its_producer() -> None:
    world = World()
    producer = Producer(3)
    asked = world.get(method=b"POST", body=producer)
    world.wire.lose(ConnectionLost())
    assert isinstance(asked.error, RequestTransmissionFailed)
    assert producer.calls == ["stop"]
    producer.consumer.write(b"too late")


def test_a_response_that_comes_before_the_whole_body() -> None:
    world = World()
    producer = Producer(3)
    asked = world.get(method=b"POST", body=producer)
    world.wire.say(b"HTTP/1.1 413 Too much\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert asked.response.code == 413
    assert producer.calls == ["stop"]
    assert not world.wire.open

    producer = Producer(3)
    asked = world.get(method=b"POST", body=producer)
    world.wire.say(OK)
    assert read(asked.response).got == b"ok"
    world.get()
    assert len(world.wires) == 3, "the connection was used while a body was sent on it"
    producer.consumer.write(b"abc")
    producer.done.callback(None)
    assert len(world.pool._connections[(b"http", b"a", 80)]) == 1

    world = World()
    world.get(method=b"POST", body=Producer(3))
    world.wire.say(OK)
    world.wire.say(OK)
    assert not world.wire.open, "a second response to one request was taken"


def test_expect_waits_for_leave_to_send() -> None:
    headers = Headers({"Expect": ["100-continue"]})
    world = World()
    producer = Producer(1)
    world.get(method=b"POST", body=producer, headers=headers)
    assert producer.consumer is None
    world.wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert producer.consumer is not None

    producer = Producer(1)
    world.get(method=b"POST", body=producer, headers=headers)
    world.clock.advance(EXPECT_PATIENCE)
    assert producer.consumer is not None

    producer = Producer(1)
    asked = world.get(method=b"POST", body=producer, headers=headers)
    world.wire.say(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
    assert asked.response.code == 417
    assert producer.consumer is None
    assert not world.wire.open
    assert world.clock.getDelayedCalls() == []


# --- what is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [b"GET\r\nX: y", b"G T", b"", b"GET\x00", b"G\xc3\xa9T"])
def test_methods_that_are_none(method: bytes) -> None:
    with pytest.raises(ValueError, match=r"^Invalid method"):
        World().get(method=method)


@given(st.binary())
def test_no_uri_can_begin_another_line(path: bytes) -> None:
    world = World()
    uri = b"http://a/" + path
    try:
        world.get(uri)
    except ValueError:
        assert not world.wires
    else:
        first, *lines = world.wire.take().split(b"\r\n")
        assert first.startswith(b"GET /")
        assert first.endswith(b" HTTP/1.1")
        assert lines == [b"Host: a", b"", b""]


def test_headers_that_would_begin_others() -> None:
    headers = Headers({"X": ["a\r\nY: b"]})
    world = World()
    world.get(headers=headers)
    assert world.wire.take() == b"GET / HTTP/1.1\r\nHost: a\r\nX: a Y: b\r\n\r\n"
    headers = Headers({"X": ["a\0b"]})
    asked = world.get(headers=headers)
    assert isinstance(asked.error, RequestGenerationFailed)
    assert not world.wire.open


def test_how_a_body_is_framed_is_not_the_programs_to_say() -> None:
    asked = World().get(headers=Headers({"Transfer-Encoding": ["chunked"]}))
    assert asked.error.reasons[0].check(UnsupportedSpecialHeader)
    asked = World().get(headers=Headers({"Host": ["a", "b"]}))
    assert asked.error.reasons[0].check(ValueError)


# --- pressure ------------------------------------------------------------------------------------------------------------


def test_a_body_that_nobody_asked_for_waits_at_the_server() -> None:
    world = World()
    asked = world.get()
    size = MOST_AHEAD * 2
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * (MOST_AHEAD - 1))
    assert not world.wire.paused
    world.wire.say(b"x")
    assert world.wire.paused
    reader = read(asked.response)
    assert len(reader.got) == MOST_AHEAD
    assert not world.wire.paused
    world.wire.say(b"x" * MOST_AHEAD)
    assert isinstance(reader.end, ResponseDone)


def test_a_reader_that_pauses_is_given_nothing() -> None:
    world = World()
    asked = world.get()
    reader = read(asked.response) if asked.answered else None
    assert reader is None
    world.wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    reader = read(asked.response)
    reader.transport.pauseProducing()
    assert world.wire.paused
    world.wire.say(b"1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")
    assert (reader.got, reader.end) == (b"a", None)
    reader.transport.resumeProducing()
    assert reader.got == b"abc"
    assert isinstance(reader.end, ResponseDone)
    assert not world.wire.paused


def test_what_came_before_the_end_is_not_lost_to_who_pauses() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\n\r\na")
    reader = read(asked.response)
    reader.transport.pauseProducing()
    world.wire.say(b"b")
    world.wire.lose(ConnectionDone())
    assert (reader.got, reader.end) == (b"a", None)
    reader.transport.resumeProducing()
    assert reader.got == b"ab"
    assert isinstance(reader.end, PotentialDataLoss)


def test_who_stops_reading_closes_the_connection() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    reader = read(asked.response)
    reader.transport.stopProducing()
    assert isinstance(reader.end, ResponseFailed)
    assert not world.wire.open


def test_cancelling_readBody_closes_the_connection() -> None:
    world = World()
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    reading = readBody(asked.response)
    errors: list[Any] = []
    reading.addErrback(errors.append)
    reading.cancel()
    assert len(errors) == 1
    assert not world.wire.open


# --- time-outs -----------------------------------------------------------------------------------------------------------

LIMITS = Timeouts(head=10, idle=5)


def test_a_server_that_says_nothing() -> None:
    world = World(timeouts=LIMITS)
    asked = world.get()
    world.clock.advance(9.9)
    assert not asked.answered
    world.clock.advance(0.2)
    assert isinstance(asked.error, ResponseNeverReceived)
    assert asked.error.reasons[0].check(RequestTimedOut)
    assert not world.wire.open
    assert len(world.wires) == 1, "what timed out was made again"


def test_a_body_that_stops() -> None:
    world = World(timeouts=LIMITS)
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nab")
    reader = read(asked.response)
    for _ in range(4):
        world.clock.advance(4)
        world.wire.say(b"x")
    assert reader.end is None
    world.clock.pump([5, 5])
    assert reader.end.reasons[0].value.phase == "a part of the response's body"
    assert not world.wire.open


def test_who_pauses_is_not_counted_against_the_server() -> None:
    world = World(timeouts=LIMITS)
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
    reader = read(asked.response)
    reader.transport.pauseProducing()
    world.clock.pump([5] * 10)
    assert reader.end is None
    reader.transport.resumeProducing()
    world.wire.say(b"c")
    assert isinstance(reader.end, ResponseDone)


def test_an_upload_that_stops() -> None:
    world = World(timeouts=LIMITS)
    producer = Producer(10)
    asked = world.get(method=b"POST", body=producer)
    world.clock.advance(4)
    producer.consumer.write(b"x")
    world.clock.advance(4)
    assert not asked.answered
    world.clock.pump([5, 5])
    assert asked.error.reasons[0].value.phase == "the body of the request"
    assert producer.calls == ["stop"]


def test_no_timer_is_left_behind() -> None:
    world = World(timeouts=LIMITS, persistent=False)
    asked = world.get()
    world.wire.say(OK)
    read(asked.response)
    assert world.clock.getDelayedCalls() == []


def test_times_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Timeouts(head=0)
