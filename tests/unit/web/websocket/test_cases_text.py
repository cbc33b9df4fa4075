"""The cases of Autobahn's group 6, of our own making: text is UTF-8, and what is none is refused at once."""

from __future__ import annotations

import pytest

pytest.importorskip("wsproto")
from unit.web.websocket.ends import PING, TEXT, End, Frame

pytestmark = pytest.mark.parametrize("client", [False, True], ids=["server", "client"])

GOOD = [
    "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!",
    "\u03ba\u1f79\u03c3\u03bc\u03b5",
    "\x00",
    "\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",  # the first and the last of each length
    "\ud7ff\ue000\ufffd\ufeff",  # beside the surrogates, and a mark of byte order
    "\ufdd0\ufdef\ufffe\U0001fffe\U0001ffff\U0010fffe",  # no characters, and yet UTF-8
]

BAD = {
    "continuation": b"\x80",
    "last continuation": b"\xbf",
    "continuations": b"\x80\xbf" * 3,
    "first of two without more": b"\xc3 ",
    "first of three without more": b"\xe1 ",
    "two of three": b"\xe1\x80 ",
    "first of four without more": b"\xf1 ",
    "three of four": b"\xf1\x80\x80 ",
    "byte that never is": b"\xfe",
    "the other that never is": b"\xff",
    "overlong slash of two": b"\xc0\xaf",
    "overlong slash of three": b"\xe0\x80\xaf",
    "overlong slash of four": b"\xf0\x80\x80\xaf",
    "longest overlong of two": b"\xc1\xbf",
    "longest overlong of three": b"\xe0\x9f\xbf",
    "longest overlong of four": b"\xf0\x8f\xbf\xbf",
    "overlong null": b"\xc0\x80",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "beyond the last": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
}
CASES = pytest.mark.parametrize("bad", BAD.values(), ids=[name.replace(" ", "-") for name in BAD])


@pytest.mark.parametrize("step", [None, 1], ids=["whole", "bytes"])
@pytest.mark.parametrize("text", GOOD)
def test_text_is_read(client: bool, text: str, step: int | None) -> None:
    data = text.encode()
    end = End(client)
    assert end.say(Frame(TEXT, data), step=step) == [Frame(TEXT, data)]
    parts = [Frame(TEXT if not at else 0, data[at : at + 1], fin=at == len(data) - 1) for at in range(len(data))]
    assert end.say(*parts, step=step) == [Frame(TEXT, data)], "each byte in a frame of its own"
    assert end.heard == [text, text]


@CASES
@pytest.mark.parametrize("step", [None, 1], ids=["whole", "bytes"])
def test_what_is_no_text_is_refused(client: bool, bad: bytes, step: int | None) -> None:
    end = End(client)
    end.fails(Frame(TEXT, b"before " + bad + b" behind"), code=1007, step=step)
    assert end.heard == []


@CASES
def test_what_is_no_text_is_refused_before_its_message_is_whole(client: bool, bad: bytes) -> None:
    End(client).fails(Frame(TEXT, "k\u00f6sme".encode() + bad, fin=False), code=1007)
    whole = Frame(TEXT, b"x" * 100 + bad + b"x" * 100).encode(not client)
    (last,) = End(client).take(whole[: -100 + 1])
    assert last.payload[:2] == (1007).to_bytes(2, "big"), "within a frame"
    end = End(client)
    assert end.say(Frame(TEXT, bad[:1], fin=False), Frame(PING))[-1].opcode in (8, 10)
    end = End(client)
    *_, last = end.say(Frame(TEXT, bad[:1], fin=False), Frame(0, bad[1:] + b" ", fin=False))
    assert last.payload[:2] == (1007).to_bytes(2, "big"), "in two frames"


@pytest.mark.parametrize("cut", [b"\xc3", b"\xe1\x80", b"\xf1\x80\x80"])
def test_text_that_ends_amid_a_character(client: bool, cut: bytes) -> None:
    End(client).fails(Frame(TEXT, b"x" + cut), code=1007)
    End(client).fails(Frame(TEXT, b"x" + cut, fin=False), Frame(0), code=1007)
