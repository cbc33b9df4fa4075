"""Connections that end in good order: ours, when the server drains, and the client's."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("h2")

from hyperframe.frame import GoAwayFrame, PingFrame

from torsion.web.http2.limits import DRAIN
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET
from unit.web.http2.raw import ACK, CALM, GOAWAY, NO_ERROR, PING, REFUSED, Raw, frame, get, outcome


class Later(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def render_GET(self, request: Any) -> Any:
        self.requests.append(request)
        return NOT_DONE_YET


def last(found: list[Any]) -> list[int]:
    return [each.last_stream_id for each in found if isinstance(each, GoAwayFrame)]


def pong(found: list[Any]) -> bytes:
    (ping,) = (each for each in found if isinstance(each, PingFrame))
    return frame(PING, ACK, 0, ping.opaque_data)


def farewell(code: int) -> bytes:
    return frame(GOAWAY, 0, 0, bytes(4) + code.to_bytes(4, "big"))


def test_what_was_under_way_is_served_and_then_nothing() -> None:
    pages = Later()
    raw = Raw(pages)
    raw.send(get(1))
    raw.channel.finish()
    found = raw.take()
    assert last(found) == [2**31 - 1]
    raw.send(get(3))  # it was sent before the client knew
    assert len(pages.requests) == 2
    assert last(raw.send(pong(found))) == [3]
    assert outcome(raw, raw.send(get(5))) == f"reset 5 {REFUSED}"
    for request in pages.requests:
        assert not raw.closed
        request.write(b"done")
        request.finish()
    raw.take()
    assert raw.bodies == {1: b"done", 3: b"done"}
    assert raw.closed
    assert raw.clock.getDelayedCalls() == []


def test_a_client_that_does_not_answer_the_ping() -> None:
    raw = Raw()
    raw.channel.finish()
    raw.channel.finish()  # once is enough
    assert last(raw.take()) == [2**31 - 1]
    raw.clock.advance(DRAIN)
    assert last(raw.take()) == [0]
    assert raw.closed
    assert raw.clock.getDelayedCalls() == []


def test_who_says_farewell_has_what_it_asked_for() -> None:
    pages = Later()
    raw = Raw(pages)
    raw.send(get(1))
    whole = farewell(NO_ERROR)
    raw.send(*(whole[at : at + 1] for at in range(len(whole))))
    raw.clock.advance(DRAIN)
    assert last(raw.take()) == [1]
    assert outcome(raw, raw.send(frame(PING, 0, 0, b"12345678"))) == "pong"
    pages.requests[0].write(b"done")
    pages.requests[0].finish()
    raw.take()
    assert raw.bodies == {1: b"done"}
    assert raw.closed


def test_a_farewell_amid_other_frames() -> None:
    raw = Raw()
    assert outcome(raw, raw.send(get(1) + farewell(NO_ERROR) + get(3) + farewell(NO_ERROR))) == "200, 200"
    raw.clock.advance(DRAIN)
    assert raw.closed


@pytest.mark.parametrize("code", [CALM, 0xFF])
def test_who_finds_fault_is_not_kept(code: int) -> None:
    pages = Later()
    raw = Raw(pages)
    raw.send(get(1))
    ended = pages.requests[0].notifyFinish()
    told: list[Any] = []
    ended.addErrback(told.append)
    raw.send(farewell(code))
    assert raw.closed
    assert len(told) == 1


def test_a_connection_that_does_not_close_is_aborted() -> None:
    raw = Raw()
    raw.transport.loseConnection = lambda: None
    raw.send(frame(PING, 0, 1, b"12345678"))
    assert not raw.closed
    raw.clock.advance(raw.channel.abortTimeout)
    assert raw.transport.disconnected or raw.closed
