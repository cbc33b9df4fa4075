"""The cases of Autobahn's groups 1 to 5, of our own making: lengths, pings, reserved bits, opcodes, fragments."""

from __future__ import annotations

import pytest

pytest.importorskip("wsproto")
from unit.web.websocket.ends import DATA, PING, PONG, TEXT, End, Frame

pytestmark = pytest.mark.parametrize("client", [False, True], ids=["server", "client"])

HELLO = Frame(TEXT, b"hello")
STEPS = pytest.mark.parametrize("step", [None, 1], ids=["whole", "bytes"])


# --- 1: lengths ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, DATA])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536, 65537])
@pytest.mark.parametrize("step", [None, 997])
def test_lengths(client: bool, opcode: int, size: int, step: int | None) -> None:
    message = Frame(opcode, (b"*" if opcode == TEXT else b"\xfe") * size)
    end = End(client)
    assert end.say(message, step=step) == [message]
    assert len(end.heard) == 1


def test_lengths_in_more_bytes_than_needed_are_refused(client: bool) -> None:
    bit = 0 if client else 0x80
    for head in (bytes([0x82, bit | 126, 0, 125]), bytes([0x82, bit | 127, 0, 0, 0, 0, 0, 0, 255, 255])):
        (last,) = End(client).take(head)
        assert last.payload[:2] == (1002).to_bytes(2, "big")


def test_a_length_beyond_all_bounds_is_refused(client: bool) -> None:
    (last,) = End(client).take(bytes([0x82, (0 if client else 0x80) | 127]) + b"\xff" * 8)
    assert last.payload[:2] in ((1002).to_bytes(2, "big"), (1009).to_bytes(2, "big"))


def test_the_wrong_end_masks(client: bool) -> None:
    (last,) = End(client).take(HELLO.encode(mask=client))
    assert last.payload[:2] == (1002).to_bytes(2, "big")


# --- 2: pings and pongs ----------------------------------------------------------------------------------------------


@STEPS
@pytest.mark.parametrize("payload", [b"", b"Hello", b"\x00\xff\xfe\xfd", b"\xfe" * 125])
def test_pings_are_answered(client: bool, payload: bytes, step: int | None) -> None:
    assert End(client).say(Frame(PING, payload), step=step) == [Frame(PONG, payload)]


@STEPS
def test_a_ping_that_is_too_long(client: bool, step: int | None) -> None:
    End(client).fails(Frame(PING, b"\xfe" * 126), code=1002, step=step)


def test_pongs_that_nobody_asked_for_are_not_answered(client: bool) -> None:
    end = End(client)
    pongs = [Frame(PONG), Frame(PONG, b"unasked")]
    assert end.say(*pongs, Frame(PING, b"ping")) == [Frame(PONG, b"ping")]
    assert end.heard == [("pong", b""), ("pong", b"unasked")]


@STEPS
def test_many_pings_are_answered_in_order(client: bool, step: int | None) -> None:
    pings = [Frame(PING, b"%d" % number) for number in range(10)]
    assert End(client).say(*pings, step=step) == [Frame(PONG, ping.payload) for ping in pings]


# --- 3: reserved bits ------------------------------------------------------------------------------------------------


@STEPS
@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, DATA, PING, PONG, 8])
def test_reserved_bits(client: bool, opcode: int, rsv: int, step: int | None) -> None:
    end = End(client)
    assert end.fails(HELLO, Frame(opcode, b"\x03\xe8", rsv=rsv), code=1002, step=step) == [HELLO]
    assert end.heard == ["hello"]


# --- 4: opcodes ------------------------------------------------------------------------------------------------------


@STEPS
@pytest.mark.parametrize("payload", [b"", b"reserved"])
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_opcodes_that_mean_nothing(client: bool, opcode: int, payload: bytes, step: int | None) -> None:
    assert End(client).fails(HELLO, Frame(opcode, payload), code=1002, step=step) == [HELLO]


# --- 5: fragments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [PING, PONG, 8])
def test_what_controls_comes_whole(client: bool, opcode: int) -> None:
    End(client).fails(Frame(opcode, b"\x03\xe8", fin=False), Frame(0, b"more"), code=1002)


@STEPS
@pytest.mark.parametrize("opcode", [TEXT, DATA])
@pytest.mark.parametrize("between", [(), (Frame(PING, b"ping"),), (Frame(PONG),), (Frame(PING, b"a"), Frame(PING))])
def test_fragments(client: bool, opcode: int, between: tuple[Frame, ...], step: int | None) -> None:
    parts = [Frame(opcode, b"one", fin=False), *between, Frame(0, b"", fin=False), *between, Frame(0, b"two")]
    pongs = [Frame(PONG, each.payload) for each in between if each.opcode == PING]
    assert End(client).say(*parts, step=step) == [*pongs, *pongs, Frame(opcode, b"onetwo")]


def test_pings_between_fragments_are_not_kept_back(client: bool) -> None:
    end = End(client)
    assert end.say(Frame(TEXT, b"one", fin=False), Frame(PING, b"now")) == [Frame(PONG, b"now")]
    assert end.say(Frame(0, b"two")) == [Frame(TEXT, b"onetwo")]


@STEPS
@pytest.mark.parametrize("fin", [False, True])
@pytest.mark.parametrize("before", [(), (HELLO,), (Frame(TEXT, b"a", fin=False), Frame(0, b"b"))])
def test_nothing_to_go_on_with(client: bool, before: tuple[Frame, ...], fin: bool, step: int | None) -> None:
    End(client).fails(*before, Frame(0, b"and", fin=fin), Frame(0, b"more"), code=1002, step=step)


@STEPS
@pytest.mark.parametrize("opcode", [TEXT, DATA])
@pytest.mark.parametrize("fin", [False, True])
def test_another_message_within_one(client: bool, opcode: int, fin: bool, step: int | None) -> None:
    end = End(client)
    end.fails(Frame(TEXT, b"one", fin=False), Frame(opcode, b"two", fin=fin), Frame(0, b"three"), code=1002, step=step)
    assert end.heard == []


def test_many_fragments_of_nothing_and_of_a_byte(client: bool) -> None:
    end = End(client)
    parts = [Frame(DATA, b"", fin=False), *[Frame(0, b"x", fin=False), Frame(0, b"", fin=False)] * 1000, Frame(0)]
    assert end.say(*parts) == [Frame(DATA, b"x" * 1000)]
