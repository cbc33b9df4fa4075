"""The cases of Autobahn's group 7, of our own making: how it ends, with all codes and reasons."""

from __future__ import annotations

import pytest

pytest.importorskip("wsproto")
from torsion.web.websocket import WebSocketClosed
from unit.web.websocket.ends import CLOSE, PING, TEXT, End, Frame

pytestmark = pytest.mark.parametrize("client", [False, True], ids=["server", "client"])

GOOD = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]
LATER = 1014
"""IANA has it for gateways since 2017; it can be said, and wsproto takes it for one that may not be."""
BAD = [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


def close(code: int, reason: bytes = b"") -> Frame:
    return Frame(CLOSE, code.to_bytes(2, "big") + reason)


def ended(end: End) -> tuple[int, str]:
    """Return what the program was told, once both have said their last word."""
    if end.client:
        assert end.lost is None, "the server closes the connection"
        end.clock.advance(20)
    assert isinstance(end.lost, WebSocketClosed)
    return end.lost.code, end.lost.reason


@pytest.mark.parametrize("code", GOOD)
@pytest.mark.parametrize("reason", [b"", b"reason", "Gr\u00fc\u00dfe".encode(), b"*" * 123])
def test_codes_that_may_be_said_are_said_back(client: bool, code: int, reason: bytes) -> None:
    end = End(client)
    (last,) = end.say(close(code, reason))
    assert (last.opcode, last.payload[:2]) == (CLOSE, code.to_bytes(2, "big"))
    assert ended(end) == (code, reason.decode())


@pytest.mark.parametrize("code", BAD)
@pytest.mark.parametrize("reason", [b"", b"reason"])
def test_codes_that_may_not_be_said(client: bool, code: int, reason: bytes) -> None:
    End(client).fails(close(code, reason), code=1002)


def test_a_last_word_without_a_code(client: bool) -> None:
    end = End(client)
    (last,) = end.say(Frame(CLOSE))
    assert last in (Frame(CLOSE), close(1000))
    assert ended(end) == (1005, "")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(CLOSE, b"\x03"), 1002),
        (close(1000, b"*" * 124), 1002),
        (close(1000, b"\xce\xba\xff"), 1007),
        (close(1000, b"\xed\xa0\x80"), 1007),
        (close(1000, b"cut \xc3"), 1007),
    ],
    ids=["half a code", "too long", "no text", "a surrogate", "cut text"],
)
def test_last_words_that_are_none(client: bool, frame: Frame, code: int) -> None:
    End(client).fails(frame, code=code)


@pytest.mark.parametrize("step", [None, 1], ids=["whole", "bytes"])
def test_nothing_counts_behind_the_last_word(client: bool, step: int | None) -> None:
    end = End(client)
    behind = (close(3000), Frame(PING), Frame(TEXT, b"behind"), Frame(3), Frame(0))
    answers = end.say(Frame(TEXT, b"before"), close(1000), *behind, step=step)
    assert [each.opcode for each in answers] == [TEXT, CLOSE]
    assert end.heard == ["before"]
    assert ended(end) == (1000, "")


def test_a_message_that_is_cut_off_by_the_last_word(client: bool) -> None:
    end = End(client)
    assert [each.opcode for each in end.say(Frame(TEXT, b"some", fin=False), close(1000))] == [CLOSE]
    assert end.heard == []
    assert ended(end) == (1000, "")


def test_a_large_message_before_the_last_word(client: bool) -> None:
    end = End(client)
    large = Frame(TEXT, b"BAsd7&jh23" * 26_000)
    assert [each.opcode for each in end.say(large, close(1000))] == [TEXT, CLOSE]
    assert end.heard == [large.payload.decode()]


@pytest.mark.parametrize("code", [*GOOD, LATER])
def test_we_say_it_first(client: bool, code: int) -> None:
    end = End(client)
    end.connection.loseConnection(code, "\u00e9" * 62)
    (last,) = end.say(Frame(TEXT, b"crossing"), Frame(PING))
    assert last == close(code, "\u00e9".encode() * 61), "the reason is cut between characters"
    assert end.heard == []
    answer = 1000 if code == LATER else code
    assert end.say(close(answer)) == []
    assert ended(end) == (answer, "")


@pytest.mark.parametrize("code", BAD)
def test_we_say_no_codes_that_may_not_be_said(client: bool, code: int) -> None:
    end = End(client)
    with pytest.raises(ValueError, match=f"the code {code}:"):
        end.connection.loseConnection(code)
    assert end.say() == []
