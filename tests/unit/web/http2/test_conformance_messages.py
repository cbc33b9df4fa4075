"""Requests that are right, and requests that are wrong, as RFC 9113, 8 and RFC 7541 (and h2spec) list them: see the module for frames."""

from __future__ import annotations

import pytest

pytest.importorskip("h2")

from unit.web.http2.raw import (
    COMPRESSION,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PROTOCOL,
    STREAM_CLOSED,
    Raw,
    asking,
    block,
    frame,
    get,
    outcome,
    post,
)

BODY = frame(DATA, END_STREAM, 1, b"abcd")
PART = frame(DATA, 0, 1, b"abcd")
WRONG = f"goaway {PROTOCOL}"


def head(*fields: tuple[bytes, bytes]) -> list[bytes]:
    return [frame(HEADERS, END_STREAM | END_HEADERS, 1, block(fields))]


def trailers(*fields: tuple[bytes, bytes], flags: int = END_STREAM) -> bytes:
    return frame(HEADERS, END_HEADERS | flags, 1, block(fields))


M, S, P, A = (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"h")

_LONG = asking(path=b"/" + b"x" * 16_384)
LONG = frame(HEADERS, END_STREAM, 1, _LONG[:9000]) + frame(CONTINUATION, END_HEADERS, 1, _LONG[9000:])

MESSAGES = {
    # --- requests: 8.1
    "8.1 GET": ([get()], "200"),
    "8.1 HEAD": ([get(method=b"HEAD")], "200"),
    "8.1 POST": ([post(), BODY], "200"),
    "8.1 trailers": ([post(), PART, trailers((b"x-sum", b"1"))], "200"),
    "8.1 a second head amid the body": ([post(), PART, trailers((b"x", b"y"), flags=0)], WRONG),
    "8.1 trailers after the end": ([post(), BODY, trailers((b"x", b"y"))], f"goaway {STREAM_CLOSED}"),
    "8.1 a status in trailers": ([post(), PART, trailers((b":status", b"200"))], WRONG),
    "8.1 a path in trailers": ([post(), PART, trailers((b":path", b"/"))], WRONG),
    # --- fields: 8.2
    "8.2.1 upper case": ([get(1, (b"X-Name", b"1"))], WRONG),
    "8.2.1 a space in a name": ([get(1, (b"x name", b"1"))], WRONG),
    "8.2.1 a colon in a name": ([get(1, (b"x:name", b"1"))], WRONG),
    "8.2.1 no name": ([get(1, (b"", b"1"))], WRONG),
    "8.2.1 a line end in a value": ([get(1, (b"x", b"1\r\ny: 2"))], WRONG),
    "8.2.1 a null byte in a value": ([get(1, (b"x", b"1\x002"))], WRONG),
    "8.2.1 space around a value": ([get(1, (b"x", b" 1"))], WRONG),
    "8.2.2 connection": ([get(1, (b"connection", b"keep-alive"))], WRONG),
    "8.2.2 keep-alive": ([get(1, (b"keep-alive", b"5"))], WRONG),
    "8.2.2 proxy-connection": ([get(1, (b"proxy-connection", b"close"))], WRONG),
    "8.2.2 transfer-encoding": ([post(1, (b"transfer-encoding", b"chunked")), BODY], WRONG),
    "8.2.2 upgrade": ([get(1, (b"upgrade", b"h2c"))], WRONG),
    "8.2.2 te": ([get(1, (b"te", b"gzip"))], WRONG),
    "8.2.2 te: trailers": ([get(1, (b"te", b"trailers"))], "200"),
    # --- fields with a colon: 8.3
    "8.3 an unknown one": (head(M, S, P, A, (b":test", b"1")), WRONG),
    "8.3 a status": (head(M, S, P, A, (b":status", b"200")), WRONG),
    "8.3 behind others": (head(M, S, P, (b"x", b"1"), A), WRONG),
    "8.3 a protocol, which is not allowed": (head(M, S, P, A, (b":protocol", b"websocket")), WRONG),
    "8.3.1 an empty path": (head(M, S, (b":path", b""), A), WRONG),
    "8.3.1 no method": (head(S, P, A), WRONG),
    "8.3.1 no scheme": (head(M, P, A), WRONG),
    "8.3.1 no path": (head(M, S, A), WRONG),
    "8.3.1 no host at all": (head(M, S, P), WRONG),
    "8.3.1 two methods": (head(M, M, S, P, A), WRONG),
    "8.3.1 two schemes": (head(M, S, S, P, A), WRONG),
    "8.3.1 two paths": (head(M, S, P, P, A), WRONG),
    "8.3.1 two authorities": (head(M, S, P, A, A), WRONG),
    "8.3.1 a host instead": (head(M, S, P, (b"host", b"h")), "200"),
    "8.3.1 a host that is the same": (head(M, S, P, A, (b"host", b"h")), "200"),
    "8.3.1 a host that is another": (head(M, S, P, A, (b"host", b"i")), WRONG),
    "8.3.1 two hosts": (head(M, S, P, A, (b"host", b"h"), (b"host", b"i")), WRONG),
    # --- the length of bodies: 8.1.1
    "8.1.1 as long as it says": ([post(1, (b"content-length", b"8")), PART, BODY], "200"),
    "8.1.1 shorter": ([post(1, (b"content-length", b"5")), BODY], WRONG),
    "8.1.1 longer": ([post(1, (b"content-length", b"3")), BODY], WRONG),
    "8.1.1 longer, in pieces": ([post(1, (b"content-length", b"7")), PART, BODY], WRONG),
    "8.1.1 a length, and no body": ([get(1, (b"content-length", b"7"))], "400"),
    "8.1.1 no length": ([post(1, (b"content-length", b"x")), BODY], WRONG),
    "8.1.1 a signed length": ([post(1, (b"content-length", b"+4")), BODY], WRONG),
    "8.1.1 two lengths": ([post(1, (b"content-length", b"4"), (b"content-length", b"4"))], "reset 1 0, 400"),
    "8.1.1 a length of 5,000 digits": ([post(1, (b"content-length", b"1" * 5000)), BODY], WRONG),
    "8.1.1 a length of 20 digits": ([post(1, (b"content-length", b"1" * 20))], "reset 1 0, 400"),
    # --- what we refuse besides
    "8.5 CONNECT": (head((b":method", b"CONNECT"), (b":authority", b"h:1")), "501"),
    "9 too many fields": ([get(1, *[(b"x", b"1")] * 200)], "431"),
    "9 a long path": ([LONG[:9000], LONG[9000:]], "414"),
}  # fmt: skip

STATIC = b"\x82\x86\x84"  # GET, http, /
HOST = b"\x01\x01h"  # :authority, not indexed

BLOCKS = {
    # --- all the ways to write a field: RFC 7541, 6
    "6.1 indexed": (STATIC + HOST, "200"),
    "6.2.1 indexed from now on, by a known name": (STATIC + HOST + b"\x7a\x01x", "200"),
    "6.2.1 the same, Huffman": (STATIC + HOST + b"\x7a\x81\xf3", "200"),
    "6.2.1 indexed from now on, by a new name": (STATIC + HOST + b"\x40\x01x\x01y", "200"),
    "6.2.1 and used": (STATIC + HOST + b"\x40\x01x\x01y\xbe", "200"),
    "6.2.2 not indexed, by a known name": (STATIC + HOST + b"\x0f\x2b\x01x", "200"),
    "6.2.2 not indexed, by a new name": (STATIC + HOST + b"\x00\x01x\x01y", "200"),
    "6.2.2 the same, Huffman": (STATIC + HOST + b"\x00\x81\xf3\x81\xf5", "200"),
    "6.2.3 never indexed, by a known name": (STATIC + HOST + b"\x1f\x2b\x01x", "200"),
    "6.2.3 never indexed, by a new name": (STATIC + HOST + b"\x10\x01x\x01y", "200"),
    "6.3 a new size of the table": (b"\x20" + STATIC + HOST, "200"),
    "6.3 two new sizes": (b"\x20\x3f\x61" + STATIC + HOST, "200"),
    # --- and what is none
    "2.3.3 an index that does not exist": (STATIC + HOST + b"\xff\x00", None),
    "2.3.3 a name by an index that does not exist": (STATIC + HOST + b"\x7f\x50\x01x", None),
    "4.2 a new size at the end": (STATIC + HOST + b"\x20", None),
    "5.1 a number that does not end": (STATIC + HOST + b"\xff\xff\xff", None),
    "5.1 a number that is too large": (STATIC + HOST + b"\xff" + b"\xff" * 20 + b"\x01", None),
    "5.2 a text that is longer than the block": (STATIC + HOST + b"\x00\x7e\x01x", None),
    "5.2 Huffman, padded by more than 7 bits": (STATIC + HOST + b"\x00\x01x\x82\xf3\xff", None),
    "5.2 Huffman, padded by zeros": (STATIC + HOST + b"\x00\x01x\x81\xf2", None),
    "5.2 Huffman, with the end of the text": (STATIC + HOST + b"\x00\x01x\x84\xff\xff\xff\xff", None),
    "6.1 the index 0": (STATIC + HOST + b"\x80", None),
    "6.3 a size above what we allow": (b"\x3f\xe2\x1f" + STATIC + HOST, None),
}


@pytest.mark.parametrize(("sent", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_messages(sent: list[bytes], expected: str) -> None:
    raw = Raw()
    assert outcome(raw, raw.send(*sent)) == expected


@pytest.mark.parametrize(("sent", "expected"), BLOCKS.values(), ids=BLOCKS)
def test_blocks(sent: bytes, expected: str | None) -> None:
    raw = Raw()
    found = raw.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, sent))
    assert outcome(raw, found) == (expected or f"goaway {COMPRESSION}")
