"""Slow clients: each wait has an end."""

from __future__ import annotations

from typing import Any

import pytest

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
    wire = Wire(timeOut=60)
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
