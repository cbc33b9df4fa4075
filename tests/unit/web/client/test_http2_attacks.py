"""Servers that attack: what they send costs their own requests, and neither memory nor time without end."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

pytest.importorskip("h2")

from torsion.internet.error import ConnectionDone
from torsion.web.client import Agent, BadResponse
from torsion.web.multiplex.counting import CONTROL
from unit.web.client.http2world import World2
from unit.web.client.world import World, read
from unit.web.http2.raw import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    asking,
    block,
    frame,
    reset,
    settings,
    window,
)

OK = (b":status", b"200")
LONG = b"9" * 5000


def head(stream: int, *fields: tuple[bytes, bytes], flags: int = END_HEADERS) -> bytes:
    """Return the frame of a response's head."""
    return frame(HEADERS, flags, stream, block(fields))


def say(world: World2, *frames: bytes) -> None:
    """Have the server say this, whatever sense it makes."""
    world.server.flush()
    for each in frames:
        if world.wires[0].open and each:
            world.wires[0].say(each)


@pytest.mark.parametrize(
    "fields",
    [
        ((b"x(y", b"1"),),
        ((b"x{", b"1"),),
        ((b"content-length", LONG),),
    ],
)
def test_a_head_that_cannot_be_costs_its_own_request(fields: Any) -> None:
    world = World2()
    asked, other = world.get(method=b"HEAD"), world.get()
    say(world, head(1, OK, *fields, flags=END_HEADERS | END_STREAM))
    assert asked.error.reasons[0].check(BadResponse)
    assert world.wires[0].open
    world.server.answer(3, b"answered")
    assert read(other.response).got == b"answered"


ENDED = head(1, OK, flags=END_HEADERS | END_STREAM)


@pytest.mark.parametrize(
    ("before", "flood"),
    [
        pytest.param(ENDED, reset(1), id="resets of what has ended"),
        pytest.param(ENDED, window(1, 1), id="windows of what has ended"),
        pytest.param(ENDED, frame(DATA, 0, 1), id="data of what has ended"),
        pytest.param(ENDED, frame(DATA, 0, 1, b"x"), id="bytes of what has ended"),
        pytest.param(head(1, OK), frame(DATA, PADDED, 1, b"\xff" + bytes(255)), id="padding"),
        pytest.param(b"", settings(flags=ACK), id="acknowledgements"),
        pytest.param(b"", frame(PING, ACK, 0, bytes(8)), id="pongs"),
        pytest.param(b"", frame(PRIORITY, 0, 101, b"\0\0\0\3\1"), id="priorities"),
        pytest.param(b"", frame(GOAWAY, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0"), id="farewells"),
    ],
)
def test_floods_that_h2_does_not_tell_of(before: bytes, flood: bytes) -> None:
    world = World2()
    world.get()
    say(world, before, *[flood] * (CONTROL - 10))
    assert world.wires[0].open
    say(world, *[flood] * 20)
    assert not world.wires[0].open


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([head(1, OK, (b"content-length", b"2")), frame(DATA, END_STREAM, 1, b"123")], id="too long"),
        pytest.param([head(1, OK, (b"content-length", b"2")), frame(DATA, END_STREAM, 1, b"1")], id="too short"),
        pytest.param([head(1, OK), head(1, OK, flags=END_HEADERS | END_STREAM)], id="a status in trailers"),
        pytest.param([frame(PUSH_PROMISE, END_HEADERS, 1, bytes((0, 0, 0, 2)) + asking())], id="a push"),
        pytest.param([head(2, OK, flags=END_HEADERS | END_STREAM)], id="an answer that was not asked for"),
        pytest.param([head(1, (b":status", b"103"), flags=END_HEADERS | END_STREAM)], id="the end before the response"),
        pytest.param([head(1, OK), *[frame(DATA, 0, 1, bytes(16384))] * 65], id="more than the window"),
        pytest.param([window(0, 2**31 - 1)], id="a window that overflows"),
        pytest.param([frame(HEADERS, 0, 1, block([OK])), *[frame(CONTINUATION, 0, 1)] * 100], id="endless fields"),
        pytest.param([frame(HEADERS, 0, 1), *[frame(CONTINUATION, 0, 1, bytes(16384))] * 5], id="endless large fields"),
        pytest.param([head(1, OK, (b"x", b"a\r\nb: c"))], id="a line end in a value"),
    ],
)
def test_what_breaks_the_rules_ends_the_connection(frames: list[bytes]) -> None:
    world = World2()
    asked = world.get()
    say(world, *frames)
    assert not world.wires[0].open
    reason = read(asked.response).end if not hasattr(asked.results[0], "value") else asked.error
    assert reason.reasons[0].check(BadResponse)


def test_settings_come_first() -> None:
    world = World()
    world.agent = Agent.usingEndpointFactory(world.clock, world, world.pool, http2="prior-knowledge")
    asked = world.get()
    world.wire.say(frame(PING, 0, 0, bytes(8)))
    assert not world.wire.open
    assert asked.error.reasons[0].check(BadResponse)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_sent_no_error_escapes_and_no_request_is_forgotten(seed: int) -> None:
    chance = Random(seed)
    frames = [
        settings((4, 1000)),
        head(1, OK, (b"content-length", b"5")),
        frame(DATA, 0, 1, b"123"),
        window(0, 5),
        window(3, 9),
        frame(PING, 0, 0, bytes(8)),
        frame(DATA, END_STREAM, 1, b"45"),
        head(3, OK),
        head(3, (b"x", b"y"), flags=END_HEADERS | END_STREAM),
        reset(3),
        frame(GOAWAY, 0, 0, b"\0\0\0\3\0\0\0\0"),
        frame(DATA, PADDED, 3, b"\2ab\0\0"),
    ]
    for _ in range(100):
        world = World2()
        world.pool.retryAutomatically = False
        asked = [world.get(), world.get(method=b"POST")]
        world.server.flush()
        sent = bytearray(b"".join(chance.choice(frames) if chance.random() < 0.5 else each for each in frames))
        for _ in range(chance.randrange(6)):
            sent[chance.randrange(len(sent))] = chance.choice((0, 1, 2, 3, 4, 5, 8, 255, chance.randrange(256)))
        step = chance.choice((len(sent), 1, 7))
        for at in range(0, len(sent), step):
            if world.wire.open:
                world.wire.say(bytes(sent[at : at + step]))
        world.wire.lose(ConnectionDone())
        world.clock.advance(0)
        assert all(each.answered for each in asked)
        assert not world.pool._places
        assert not world.clock.getDelayedCalls()
