"""Frames that are right, and frames that are wrong, as the sections of RFC 9113 (and of h2spec) list them.

A case is: what is sent after the greetings, and what is answered, see ``raw.outcome``.  RFC 9113, 5.4 lets a server end the
connection where a stream would do: h2, which reads for us, does so for all that is malformed.
"""

from __future__ import annotations

import pytest

pytest.importorskip("h2")

from unit.web.http2.raw import (
    ACK,
    CANCEL,
    COMPRESSION,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW,
    FRAME_SIZE,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITISED,
    PRIORITY,
    PROTOCOL,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    Raw,
    asking,
    frame,
    get,
    outcome,
    post,
    reset,
    settings,
    window,
)

OPEN = post(1)
ENDED = frame(DATA, END_STREAM, 1, b"abc")
BLOCK = asking()
MORE = asking((b"x-more", b"1"))
PINGED = frame(PING, 0, 0, b"12345678")
UNDER_WAY = frame(HEADERS, END_STREAM, 1, BLOCK)
MOST = 2**31 - 1


def error(code: int) -> str:
    return f"goaway {code}"


def priority(on: int = 0, weight: int = 0) -> bytes:
    return on.to_bytes(4, "big") + bytes((weight,))


CASES = {
    # --- the connection begins: 3.4
    "3.4 settings come first": ([settings((0x3, 100)), PINGED], "ack, pong"),
    "3.4 a ping comes at once": ([PINGED], "pong"),
    # --- the format of frames: 4.1
    "4.1 an unknown kind": ([frame(0x16, 0, 0, b"x"), PINGED], "pong"),
    "4.1 flags that have no meaning": ([frame(PING, 0x16, 0, b"12345678")], "pong"),
    "4.1 the reserved bit": ([frame(PING, 0, 2**31, b"12345678")], "pong"),
    # --- the size of frames: 4.2
    "4.2 data of 2^14": ([OPEN, frame(DATA, END_STREAM, 1, bytes(2**14))], "200"),
    "4.2 data of 2^14 + 1": ([OPEN, frame(DATA, END_STREAM, 1, bytes(2**14 + 1))], error(FRAME_SIZE)),
    "4.2 headers of 2^14 + 1": ([get(1, *[(b"x", bytes(4200).replace(b"\0", b"x"))] * 4)], error(FRAME_SIZE)),
    # --- blocks of headers: 4.3
    "4.3 no block of headers": ([frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff")], error(COMPRESSION)),
    "4.3 a priority within a block": ([UNDER_WAY, frame(PRIORITY, 0, 1, priority())], error(PROTOCOL)),
    "4.3 headers of another stream within a block": ([UNDER_WAY, get(3)], error(PROTOCOL)),
    # --- the states of streams: 5.1
    "5.1 idle: data": ([ENDED], error(PROTOCOL)),
    "5.1 idle: a reset": ([reset(1)], error(PROTOCOL)),
    "5.1 idle: a window": ([window(1, 100)], error(PROTOCOL)),
    "5.1 idle: a continuation": ([frame(CONTINUATION, END_HEADERS, 1, BLOCK)], error(PROTOCOL)),
    "5.1 idle: a priority": ([frame(PRIORITY, 0, 1, priority()), PINGED], "pong"),
    "5.1 half closed: data": ([get(path=b"/later"), ENDED], f"reset 1 {STREAM_CLOSED}"),
    "5.1 half closed: headers": ([get(path=b"/later"), get()], f"reset 1 {STREAM_CLOSED}"),
    "5.1 half closed: a continuation": ([get(path=b"/later"), frame(CONTINUATION, END_HEADERS, 1, BLOCK)], error(PROTOCOL)),
    "5.1 half closed: a priority": ([get(path=b"/later"), frame(PRIORITY, 0, 1, priority()), PINGED], "pong"),
    "5.1 half closed: a window": ([settings((0x4, 0)), get(), window(1, 5)], "200, ack"),
    "5.1 half closed: a reset": ([get(path=b"/later"), reset(1), PINGED], "pong"),
    "5.1 reset: data": ([OPEN, reset(1), ENDED], f"reset 1 {STREAM_CLOSED}"),
    "5.1 reset: headers": ([OPEN, reset(1), get()], f"reset 1 {STREAM_CLOSED}"),
    "5.1 reset: a continuation": ([OPEN, reset(1), frame(CONTINUATION, END_HEADERS, 1, BLOCK)], error(PROTOCOL)),
    "5.1 reset: a window": ([OPEN, reset(1), window(1, 5), PINGED], "pong"),
    "5.1 reset: a reset": ([OPEN, reset(1), reset(1), PINGED], "pong"),
    "5.1 closed: data": ([get(), ENDED], f"reset 1 {STREAM_CLOSED}, 200"),
    "5.1 closed: headers": ([get(), get()], error(STREAM_CLOSED)),
    "5.1 closed: a continuation": ([get(), frame(CONTINUATION, END_HEADERS, 1, BLOCK)], error(PROTOCOL)),
    "5.1 closed: a priority": ([get(), frame(PRIORITY, 0, 1, priority()), PINGED], "200, pong"),
    "5.1 closed: a window": ([get(), window(1, 5), PINGED], "200, pong"),
    # --- the numbers of streams: 5.1.1
    "5.1.1 an even number": ([get(2)], error(PROTOCOL)),
    "5.1.1 a smaller number": ([get(5), get(3)], error(PROTOCOL)),
    "5.1.1 numbers left out": ([get(1), get(9)], "200, 200"),
    # --- priorities, which are obsolete: 5.3
    "5.3 headers that depend on themselves": (
        [frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, priority(1) + BLOCK)], error(PROTOCOL)
    ),
    "5.3 a priority that depends on itself": ([frame(PRIORITY, 0, 1, priority(1))], error(PROTOCOL)),
    # --- extensions: 5.5
    "5.5 an unknown kind within a block": ([UNDER_WAY, frame(0x16, 0, 0, b"x")], error(PROTOCOL)),
    "5.5 a flood's worth of unknown frames is none yet": ([frame(0x16, 0, 0, b"x") * 100, PINGED], "pong"),
    # --- DATA: 6.1
    "6.1 a body": ([OPEN, ENDED], "200"),
    "6.1 a body in pieces": ([OPEN, frame(DATA, 0, 1, b"abc"), ENDED], "200"),
    "6.1 a padded body": ([OPEN, frame(DATA, END_STREAM | PADDED, 1, b"\3abc\0\0\0")], "200"),
    "6.1 data of no stream": ([frame(DATA, 0, 0, b"abc")], error(PROTOCOL)),
    "6.1 more padding than data": ([OPEN, frame(DATA, END_STREAM | PADDED, 1, b"\x09abc")], error(PROTOCOL)),
    # --- HEADERS: 6.2
    "6.2 a request": ([get()], "200"),
    "6.2 a padded request": ([frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\2" + BLOCK + b"\0\0")], "200"),
    "6.2 a request with a priority": (
        [frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, priority() + BLOCK)], "200"
    ),
    "6.2 headers of no stream": ([get(0)], error(PROTOCOL)),
    "6.2 more padding than headers": (
        [frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\xff" + BLOCK)], error(PROTOCOL)
    ),
    # --- PRIORITY: 6.3
    "6.3 of weight 1": ([frame(PRIORITY, 0, 1, priority()), get()], "200"),
    "6.3 of weight 256": ([frame(PRIORITY, 0, 1, priority(0, 255)), get()], "200"),
    "6.3 on another stream": ([frame(PRIORITY, 0, 3, priority(1)), get(3)], "200"),
    "6.3 exclusive": ([frame(PRIORITY, 0, 3, priority(2**31 + 1)), get(3)], "200"),
    "6.3 of a stream to come, and a lower one": ([frame(PRIORITY, 0, 5, priority()), get(3)], "200"),
    "6.3 of no stream": ([frame(PRIORITY, 0, 0, priority())], error(PROTOCOL)),
    "6.3 of four bytes": ([frame(PRIORITY, 0, 1, bytes(4))], error(FRAME_SIZE)),
    # --- RST_STREAM: 6.4
    "6.4 of an open stream": ([OPEN, reset(1), PINGED], "pong"),
    "6.4 of no stream": ([reset(0)], error(PROTOCOL)),
    "6.4 of three bytes": ([OPEN, frame(RST_STREAM, 0, 1, bytes(3))], error(FRAME_SIZE)),
    # --- SETTINGS: 6.5
    "6.5 settings": ([settings((0x3, 100))], "ack"),
    "6.5 an acknowledgement that says something": ([settings((0x3, 100), flags=ACK)], error(FRAME_SIZE)),
    "6.5 of a stream": ([frame(SETTINGS, 0, 1, b"")], error(PROTOCOL)),
    "6.5 of three bytes": ([frame(SETTINGS, 0, 0, b"abc")], error(FRAME_SIZE)),
    "6.5.2 push, neither 0 nor 1": ([settings((0x2, 2))], error(PROTOCOL)),
    "6.5.2 a window above all windows": ([settings((0x4, 2**31))], error(FLOW)),
    "6.5.2 frames too small": ([settings((0x5, 2**14 - 1))], error(PROTOCOL)),
    "6.5.2 frames too large": ([settings((0x5, 2**24))], error(PROTOCOL)),
    "6.5.2 what nobody knows": ([settings((0xFF, 1)), PINGED], "ack, pong"),
    "6.5.3 one window, then another": ([settings((0x4, 100), (0x4, 5)), get(path=b"/hello")], "200, ack"),
    # --- PUSH_PROMISE: 6.6 and 8.4
    "8.4 a client that pushes": ([frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3) + b"\2" + BLOCK)], error(PROTOCOL)),
    # --- PING: 6.7
    "6.7 a ping": ([PINGED], "pong"),
    "6.7 an answer that was not asked for": ([frame(PING, ACK, 0, b"abcdefgh"), PINGED], "pong"),
    "6.7 of a stream": ([frame(PING, 0, 1, b"12345678")], error(PROTOCOL)),
    "6.7 of six bytes": ([frame(PING, 0, 0, b"123456")], error(FRAME_SIZE)),
    # --- GOAWAY: 6.8, see test_drain.py, too
    "6.8 a farewell": ([frame(GOAWAY, 0, 0, bytes(8)), PINGED], "pong"),
    "6.8 with a word": ([frame(GOAWAY, 0, 0, bytes(8) + b"good bye"), PINGED], "pong"),
    "6.8 of a stream": ([frame(GOAWAY, 0, 1, bytes(8))], error(PROTOCOL)),
    "6.8 of seven bytes": ([frame(GOAWAY, 0, 0, bytes(7))], error(FRAME_SIZE)),
    "6.8 within a block": ([UNDER_WAY, frame(GOAWAY, 0, 0, bytes(8))], error(PROTOCOL)),
    # --- WINDOW_UPDATE: 6.9
    "6.9 of the connection": ([window(0, 100), PINGED], "pong"),
    "6.9 of a stream": ([OPEN, window(1, 100), ENDED], "200"),
    "6.9 by nothing": ([window(0, 0)], error(PROTOCOL)),
    "6.9 by nothing, of a stream": ([OPEN, window(1, 0)], error(PROTOCOL)),
    "6.9 of three bytes": ([frame(WINDOW_UPDATE, 0, 0, bytes(3))], error(FRAME_SIZE)),
    "6.9.1 above 2^31 - 1": ([window(0, MOST), window(0, MOST)], error(FLOW)),
    "6.9.1 above 2^31 - 1, of a stream": ([OPEN, window(1, MOST), window(1, MOST)], f"reset 1 {FLOW}"),
    "6.9.2 above 2^31 - 1, by settings": ([OPEN, window(1, MOST - 65535), settings((0x4, 65536))], error(FLOW)),
    # --- CONTINUATION: 6.10
    "6.10 one": ([UNDER_WAY, frame(CONTINUATION, END_HEADERS, 1)], "200"),
    "6.10 more": (
        [frame(HEADERS, END_STREAM, 1, MORE[:9]), frame(CONTINUATION, 0, 1, MORE[9:20]),
         frame(CONTINUATION, END_HEADERS, 1, MORE[20:])], "200"
    ),
    "6.10 and something else": ([UNDER_WAY, frame(CONTINUATION, 0, 1), frame(DATA, 0, 1, b"x")], error(PROTOCOL)),
    "6.10 of no stream": ([UNDER_WAY, frame(CONTINUATION, END_HEADERS, 0)], error(PROTOCOL)),
    "6.10 of another stream": ([UNDER_WAY, frame(CONTINUATION, END_HEADERS, 3)], error(PROTOCOL)),
    "6.10 after whole headers": ([OPEN, frame(CONTINUATION, END_HEADERS, 1)], error(PROTOCOL)),
    "6.10 after a last one": (
        [frame(HEADERS, 0, 1, BLOCK), frame(CONTINUATION, END_HEADERS, 1), frame(CONTINUATION, END_HEADERS, 1)],
        error(PROTOCOL),
    ),
    "6.10 after data": ([OPEN, frame(DATA, 0, 1, b"x"), frame(CONTINUATION, END_HEADERS, 1)], error(PROTOCOL)),
    # --- error codes: 7
    "7 a farewell with a code that nobody knows": ([frame(GOAWAY, 0, 0, bytes(4) + b"\0\0\0\xff")], "closed"),
    "7 a reset with a code that nobody knows": ([OPEN, reset(1, 0xFF), PINGED], "pong"),
    "7 a reset with a code that is known": ([OPEN, reset(1, CANCEL), PINGED], "pong"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), CASES.values(), ids=CASES)
def test_frames(sent: list[bytes], expected: str) -> None:
    raw = Raw()
    found = raw.send(*sent)
    if expected == "closed":
        assert raw.closed
    else:
        assert outcome(raw, found) == expected


TOGETHER = {name: case for name, case in CASES.items() if name != "5.1 closed: headers"}  # it is not closed yet


@pytest.mark.parametrize(("sent", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_frames_that_come_together(sent: list[bytes], expected: str) -> None:
    raw = Raw()
    found = raw.send(b"".join(sent))
    if expected == "closed" or expected.startswith("goaway"):
        assert raw.closed
        assert expected == "closed" or outcome(raw, found) == expected
    elif not expected.startswith("reset"):  # else it is broken off before it is answered
        assert outcome(raw, found) == expected


def test_a_wrong_preface_is_a_wrong_request_of_http_1() -> None:
    raw = Raw(greet=False)
    raw.channel.dataReceived(b"INVALID CONNECTION PREFACE\r\n\r\n")
    assert raw.transport.value().startswith(b"HTTP/1.1 400 ")
    assert raw.closed


def test_a_preface_that_is_not_followed_by_settings() -> None:
    raw = Raw(greet=False)
    assert outcome(raw, raw.send(PREFACE + PINGED)) == error(PROTOCOL)


def test_windows_that_settings_change() -> None:
    raw = Raw()
    raw.send(settings((0x4, 0)), get(path=b"/long"))
    assert raw.bodies[1] == b""
    raw.send(settings((0x4, 1)))
    assert raw.bodies[1] == b"x"
    raw.send(settings((0x4, 3)))
    assert len(raw.bodies[1]) == 3
    raw.send(settings((0x4, 2)), window(1, 1))  # below zero by one, then at zero: 6.9.2
    assert len(raw.bodies[1]) == 3
    raw.send(window(1, 2))
    assert len(raw.bodies[1]) == 5
    raw.send(window(1, 10_000))
    assert len(raw.bodies[1]) == 5000
    assert raw.ended == {1}


def test_more_requests_at_once_than_are_allowed() -> None:
    raw = Raw()
    found = raw.send(*(post(number) for number in range(1, 201, 2)), PINGED)
    assert outcome(raw, found) == "pong"
    assert outcome(raw, raw.send(post(201))) == error(PROTOCOL)
