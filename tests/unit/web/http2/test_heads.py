"""Heads of requests, as h2 unpacks them: what would be something else as a line of HTTP/1.1 is refused, whatever h2 lets pass."""

from __future__ import annotations

import pytest

from torsion.web.http2.heads import Head, ImproperError, read_head

FIRST = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a?b"), (b":authority", b"here:80")]


def head(*more: tuple[bytes, bytes], whole: bool = False, line: int = 100, most: int = 10) -> Head:
    return read_head([*FIRST, *more], whole, line, most)


def test_what_it_has() -> None:
    found = head((b"cookie", b"a=1"), (b"x", b"1"), (b"content-length", b"12"), (b"cookie", b"b=2"))
    assert (found.method, found.target, found.version, found.length) == (b"POST", b"/a?b", b"HTTP/2", 12)
    assert found.fields == [
        (b"host", b"here:80"), (b"x", b"1"), (b"content-length", b"12"), (b"cookie", b"a=1; b=2"),
    ]  # fmt: skip
    assert head().length is None
    assert head(whole=True).length == 0
    assert head((b"host", b"here:80")).fields == [(b"host", b"here:80")]


@pytest.mark.parametrize(
    ("more", "whole", "code"),
    [
        ((b"x", b"a\r\ny: b"), False, 400),
        ((b"x", b"a\nb"), False, 400),
        ((b"x", b"a\0b"), False, 400),
        ((b"cookie", b"a\r\nb"), False, 400),
        ((b"x y", b"a"), False, 400),
        ((b"x:", b"a"), False, 400),
        ((b"X", b"a"), False, 400),
        ((b":method", b"GET /"), False, 400),
        ((b":path", b"/a b"), False, 400),
        ((b":path", b"/a\r\nb"), False, 400),
        ((b":authority", b"there"), False, 400),
        ((b"host", b"there"), False, 400),
        ((b"host", b"here:80/"), False, 400),
        ((b"content-length", b"+1"), False, 400),
        ((b"content-length", b"1" * 19), False, 400),
        ((b"content-length", b"1"), True, 400),
        ((b":path", b"/" * 101), False, 414),
        ((b":method", b"CONNECT"), False, 501),
    ],
)
def test_what_cannot_be(more: tuple[bytes, bytes], whole: bool, code: int) -> None:
    with pytest.raises(ImproperError) as refused:
        head(more, whole=whole)
    assert refused.value.args == (code,)


def test_two_lengths_are_none_and_too_many_fields_are_too_many() -> None:
    with pytest.raises(ImproperError, match="400"):
        head((b"content-length", b"1"), (b"content-length", b"1"))
    assert len(head(*[(b"x", b"")] * 10).fields) == 11
    with pytest.raises(ImproperError, match="431"):
        head(*[(b"x", b"")] * 11)
