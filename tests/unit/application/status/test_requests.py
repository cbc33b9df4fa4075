"""Requests are read in one way only, however they come in, and whatever it is that comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.application.status.requests import (
    MAX_FIELDS,
    MAX_HEAD,
    MAX_TARGET,
    Refusal,
    Request,
    RequestReader,
)


def read(*pieces):
    """Return all that a reader makes of *pieces*."""
    reader = RequestReader()
    found = []
    for piece in pieces:
        reader.receive(piece)
        while (each := reader.next()) is not None:
            found.append(each)
    return found


def one(head):
    """Return what a head is read as."""
    (found,) = read(head.encode("latin-1"))
    return found


def test_a_request():
    head = "GET /metrics?x=1 HTTP/1.1\r\nHost: LocalHost:9000\r\nAccept: text/plain\r\naccept: */*\r\n\r\n"
    assert one(head) == Request("GET", "/metrics", "localhost", "text/plain, */*", True)


@pytest.mark.parametrize(
    ("lines", "persistent"),
    [
        ("HTTP/1.1\r\nHost: a", True),
        ("HTTP/1.1\r\nHost: a\r\nConnection: close", False),
        ("HTTP/1.1\r\nHost: a\r\nConnection: upgrade,\tClose", False),
        ("HTTP/1.0", False),
        ("HTTP/1.0\r\nConnection: keep-alive", False),
        ("HTTP/1.2\r\nHost: a", True),
    ],
)
def test_persistence(lines, persistent):
    assert one(f"HEAD / {lines}\r\n\r\n").persistent is persistent


@pytest.mark.parametrize(
    ("target", "field", "host", "path"),
    [
        ("/", "a.example:80", "a.example", "/"),
        ("/x%2F?q", "[::1]:9000", "::1", "/x%2F"),
        ("http://b.example:1/y?z", "a.example", "b.example", "/y"),
        ("HTTP://b.example", "a.example", "b.example", "/"),
        ("http://b.example?q", "a.example", "b.example", "/"),
        ("/", "", "", "/"),
    ],
)
def test_where_it_goes(target, field, host, path):
    request = one(f"GET {target} HTTP/1.1\r\nHost: {field}\r\n\r\n")
    assert (request.host, request.path) == (host, path)


def test_older_requests_need_no_host():
    assert one("GET / HTTP/1.0\r\n\r\n").host is None


def test_empty_lines_before_a_request_are_passed_over():
    assert one("\r\n\r\nGET / HTTP/1.0\r\n\r\n").method == "GET"


def test_one_after_the_other():
    head = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    assert [each.path for each in read(head + head.replace(b"/a", b"/b") + head[:9])] == ["/a", "/b"]


H = "Host: a\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET / HTTP/2.0\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\n", 505),
        ("GET /\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /ü HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET status HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Content-Length: 0\r\nContent-Length: 5\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Content-Length: 0, 5\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Content-Length: +0\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Content-Length:\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}transfer-encoding: identity\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H} folded: x\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}Name : x\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}no colon\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}: x\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}X: a\rb\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{H}X: a\x00b\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (f"GET /{'x' * MAX_TARGET} HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (f"GET /{'x' * 5000}", 414),
        (f"GET / HTTP/1.1\r\n{'X: y' * 1}\r\n" * 1 + "X: y\r\n" * MAX_FIELDS + "\r\n", 431),
        (f"GET / HTTP/1.1\r\nX: {'y' * MAX_HEAD}", 431),
        ("GET / HTTP/1.1\r\n" + f"X: {'y' * 400}\r\n" * 50, 431),
    ],
)
def test_refusals(head, status):
    refusal = one(head)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert refusal.reason.endswith(".")


def test_an_empty_body_may_be_announced():
    assert one(f"GET / HTTP/1.1\r\n{H}Content-Length: 0\r\n\r\n").path == "/"


def test_the_limits_are_what_they_say():
    assert one(f"GET /{'x' * (MAX_TARGET - 1)} HTTP/1.1\r\n{H}\r\n").method == "GET"
    assert one(f"GET / HTTP/1.1\r\n{H}" + "X: y\r\n" * (MAX_FIELDS - 1) + "\r\n").method == "GET"
    start = f"GET / HTTP/1.1\r\n{H}X: "
    assert one(start + "y" * (MAX_HEAD - len(start) - 4) + "\r\n\r\n").method == "GET"
    assert one(start + "y" * (MAX_HEAD - len(start) - 3) + "\r\n\r\n").status == 431


def test_a_refused_head_request_is_known_as_one():
    assert one("HEAD / HTTP/1.1\r\n\r\n").head
    assert not one("GET / HTTP/1.1\r\n\r\n").head


def test_nothing_is_read_behind_a_refusal():
    reader = RequestReader()
    reader.receive(b"BAD\r\n\r\n")
    assert isinstance(reader.next(), Refusal)
    reader.receive(b"GET / HTTP/1.0\r\n\r\n" * 1000)
    assert reader.next() is None
    assert not reader.begun


LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"HEAD /ready HTTP/1.0",
        b"Host: a",
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"",
        b"X: y",
        b"abc",
    ]
)
STREAMS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.tuples(LINES, st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])), max_size=20).map(
        lambda lines: b"".join(line + end for line, end in lines)
    ),
)


@given(STREAMS, st.data())
def test_any_bytes_in_any_pieces(stream, data):
    """What is read does not depend on the pieces; at most the last thing is a refusal; little is held."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = read(stream)
    assert read(*pieces) == whole
    assert read(*[stream[i : i + 1] for i in range(len(stream))]) == whole
    assert not any(isinstance(each, Refusal) for each in whole[:-1])
    for each in whole:
        if isinstance(each, Request):
            assert each.method in {"GET", "HEAD"}
            assert each.path.startswith("/")


@given(st.binary(min_size=1, max_size=50))
def test_what_goes_on_for_ever_is_not_kept(piece):
    stream = piece * (2 * MAX_HEAD // len(piece))
    reader = RequestReader()
    held = 0
    for start in range(0, len(stream), 1000):
        reader.receive(stream[start : start + 1000])
        while reader.next() is not None:
            pass
        held = max(held, len(reader._buffer) + sum(map(len, reader._lines)))
    assert held <= MAX_HEAD + 1000
