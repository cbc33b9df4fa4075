"""A client that asks much at once: the others have their turns in between."""

from __future__ import annotations

import pytest

from torsion.web.http import INTERNAL_SERVER_ERROR
from unit.web.http.wire import GET, Wire, post, say

pytestmark = pytest.mark.usefixtures("way")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n"
IN_A_TURN = 32


def turn(wire: Wire) -> None:
    wire.clock.advance(0)  # what is put off then is due as well: all of it happens, as in several turns of a reactor


def test_so_many_are_answered_in_a_turn_and_the_others_in_the_next() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (2 * IN_A_TURN + 3))
    assert wire.take() == OK * IN_A_TURN
    turn(wire)
    assert wire.take() == OK * (IN_A_TURN + 3)
    wire.send(GET)
    assert wire.take() == OK


def test_no_turn_is_waited_for_where_nothing_is_left() -> None:
    wire = Wire(say(b"ok"))
    for _ in range(3):
        wire.send(GET * IN_A_TURN)
        assert wire.take() == OK * IN_A_TURN
        assert wire.transport.producerState == "producing"


@pytest.mark.parametrize("kinds", [GET + HEAD, HEAD, post(b"body"), post(b"a=1", b"Content-Type: text/form") + GET])
def test_all_kinds_count(kinds: bytes) -> None:
    wire = Wire(say(b"ok"))
    wire.send(kinds * 2 * IN_A_TURN)
    assert len(wire.asked) == IN_A_TURN


def test_the_client_is_not_read_from_meanwhile() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (IN_A_TURN + 1))
    assert wire.transport.producerState == "paused"
    wire.send(GET)  # what TLS had already
    assert len(wire.asked) == IN_A_TURN
    turn(wire)
    assert len(wire.asked) == IN_A_TURN + 2
    assert wire.transport.producerState == "producing"


def test_a_client_that_takes_nothing_has_no_turn() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (IN_A_TURN + 1))
    wire.channel.pauseProducing()
    turn(wire)
    assert len(wire.asked) == IN_A_TURN
    wire.channel.resumeProducing()
    assert len(wire.asked) == IN_A_TURN + 1
    assert wire.transport.producerState == "producing"


def test_who_takes_again_before_its_turn_has_it_then() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (IN_A_TURN + 1))
    wire.channel.pauseProducing()
    wire.channel.resumeProducing()
    assert len(wire.asked) == IN_A_TURN
    assert wire.transport.producerState == "paused"
    turn(wire)
    assert len(wire.asked) == IN_A_TURN + 1
    assert wire.transport.producerState == "producing"


def test_one_that_is_answered_later_needs_no_turn() -> None:
    wire = Wire(lambda request: say(b"ok")(request) if len(wire.asked) != IN_A_TURN else None)
    wire.send(GET * (2 * IN_A_TURN))
    say(b"ok")(wire.asked[-1])
    assert len(wire.asked) == 2 * IN_A_TURN


def test_a_client_that_leaves_before_its_turn() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (IN_A_TURN + 1))
    wire.leave()
    assert wire.clock.getDelayedCalls() == []


def test_what_is_wrong_behind_is_found_in_its_turn() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * IN_A_TURN + b"wrong\r\n\r\n")
    assert wire.take() == OK * IN_A_TURN
    turn(wire)
    assert wire.take().startswith(b"HTTP/1.1 400 ")
    assert wire.closed


def test_who_is_to_end_says_so_to_the_next() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * (IN_A_TURN + 5))
    wire.take()
    wire.channel.finish()
    assert not wire.closed
    turn(wire)
    assert wire.take() == OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
    assert wire.closed


def test_who_is_to_end_and_has_half_a_request() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * IN_A_TURN + GET[:9])
    wire.channel.finish()
    turn(wire)
    assert wire.closed


def test_the_last_one_may_fail() -> None:
    def fail(_: object) -> None:
        if len(wire.asked) == IN_A_TURN:
            raise ValueError("on purpose")
        say(b"ok")(wire.asked[-1])

    wire = Wire(fail)
    wire.send(GET * (IN_A_TURN + 5))
    assert wire.take() == OK * (IN_A_TURN - 1) + b"HTTP/1.1 %d Internal Server Error\r\n\r\n" % INTERNAL_SERVER_ERROR
    turn(wire)
    assert len(wire.asked) == IN_A_TURN


@pytest.mark.parametrize("many", [1, IN_A_TURN, 3 * IN_A_TURN])
def test_heads_that_end_and_begin_in_the_middle_of_what_is_read_are_not_slow(many: int) -> None:
    wire = Wire(say(b"ok"), timeOut=60, headerTimeout=30)
    half = len(GET) // 2
    wire.send(GET[:half])
    for _ in range(20):
        wire.clock.advance(5)
        wire.send(GET[half:] + GET * (many - 1) + GET[:half])
    assert not wire.closed
    turn(wire)
    wire.clock.advance(30)
    assert wire.closed  # this head is


def test_an_idle_connection_ends_after_many_turns_too() -> None:
    wire = Wire(say(b"ok"), timeOut=60)
    wire.send(GET * (3 * IN_A_TURN))
    turn(wire)
    assert len(wire.asked) == 3 * IN_A_TURN
    wire.clock.advance(59)
    assert not wire.closed
    wire.clock.advance(1)
    assert wire.closed
