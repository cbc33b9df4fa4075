"""What callers of fetch say wrongly is told by its name."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import Any

import pytest

from torsion.internet.task import Clock
from torsion.python.failure import Failure
from torsion.web.client import URI, ResponseFailed, ResponseNeverReceived, Timeouts
from torsion.web.client.body import BytesProducer
from torsion.web.error import PageRedirect, SchemeNotSupported
from torsion.web.fetch import Client
from torsion.web.fetch.asking import basic, limits_of, put, to_uri, with_params, without_login
from torsion.web.fetch.bodies import body_of
from torsion.web.fetch.explaining import explained
from torsion.web.fetch.multipart import MultipartProducer
from torsion.web.http_headers import Headers
from torsion.web.iweb import UNKNOWN_LENGTH


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("HTTP://Example.com", b"http://example.com/"),
        (" http://a/b c?d e#f ", b"http://a/b%20c?d%20e"),
        ("https://[::1]:8443/x", b"https://[::1]:8443/x"),
        ("http://\N{LATIN SMALL LETTER U WITH DIAERESIS}.example/\N{SNOWMAN}", b"http://xn--tda.example/%E2%98%83"),
        ("http://a/%41%2f", b"http://a/%41%2f"),
    ],
)
def test_urls(url: str, sent: bytes) -> None:
    pytest.importorskip("idna")
    assert to_uri(url) == (sent, None)
    assert URI.fromBytes(sent).host


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("", SchemeNotSupported, "does not begin with 'https://'"),
        ("example.com", SchemeNotSupported, "'example.com' does not begin"),
        ("ftp://x/", SchemeNotSupported, "'ftp'"),
        ("file:///etc/passwd", SchemeNotSupported, "'file'"),
        ("http://", ValueError, "names no host"),
        ("http://a b/", ValueError, "'a b'"),
        ("http://[::1", ValueError, "is no URL"),
        ("http://a\\@b/", ValueError, "backslash"),
        ("http://b\\a/", ValueError, "backslash"),
        ("http://x:99999/", ValueError, "is no URL: Port"),
        ("http://x:abc/", ValueError, "is no URL: Port"),
        ("http://exa\nmple/", ValueError, "control characters"),
        (b"http://x/", TypeError, "not bytes: decode it first"),
        (None, TypeError, "not NoneType"),
    ],
)
def test_what_is_no_url(url: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        to_uri(url)


def test_logins() -> None:
    assert to_uri("http://me:a%20b@h/")[1] == basic("me", "a b") == b"Basic bWU6YSBi"
    assert without_login("http://me:a%20b@h/x@y") == "http://h/x@y"
    with pytest.raises(ValueError, match="colon"):
        basic("a:b", "c")
    with pytest.raises(TypeError, match="a pair"):
        basic("a", None)


@pytest.mark.parametrize("headers", ["a", [("a", "b")], {"a": 1}, {"a": b"x"}, {b"a": "x"}])
def test_what_are_no_headers(headers: Any) -> None:
    with pytest.raises(TypeError, match="headers"):
        put(Headers(), headers)


def test_headers_of_both_kinds() -> None:
    made = put(put(Headers(), {"A": "b"}), Headers({"C": ["d", "e"]}))
    assert list(made.getAllRawHeaders()) == [(b"A", [b"b"]), (b"C", [b"d", b"e"])]
    with pytest.raises(ValueError, match="line end"):
        put(Headers(), {"A": "b\nc"})


def test_params() -> None:
    assert with_params(b"http://a/", [("b", "c d"), ("b", 1)]) == b"http://a/?b=c+d&b=1"
    assert with_params(b"http://a/?x", {"b": ["c", "d"]}) == b"http://a/?x&b=c&b=d"
    for wrong in ("a=b", 5, [1], [("a",)]):
        with pytest.raises(TypeError, match="params is a mapping"):
            with_params(b"http://a/", wrong)


def test_time() -> None:
    assert limits_of(2.5) == Timeouts(total=2.5)
    assert limits_of(3600) == Timeouts(head=3600, idle=3600, total=3600)  # no phase is shorter than what was allowed
    assert limits_of(None) == Timeouts(head=None, idle=None)
    for wrong in ("5", True, [1]):
        with pytest.raises(TypeError, match="number of seconds"):
            limits_of(wrong)
    with pytest.raises(ValueError, match="above 0"):
        limits_of(0)


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"method": b"GET"}, TypeError, "the method is text"),
        ({"json": float("nan")}, ValueError, "JSON"),
        ({"method": "G\N{LATIN CAPITAL LETTER E WITH ACUTE}T"}, ValueError, "not ASCII"),
        ({"method": "GET /"}, ValueError, "method"),
        ({"redirects": -1}, ValueError, "how many to follow"),
        ({"redirects": True}, ValueError, "how many to follow"),
        ({"body": {"a": 1}}, TypeError, "as json, or as form"),
        ({"body": StringIO("x")}, TypeError, "open it as binary"),
        ({"body": "a", "files": {}}, TypeError, "one body"),
        ({"form": "a"}, TypeError, "form is a mapping"),
        ({"files": {"a": StringIO("x")}}, TypeError, "opened as binary"),
        ({"files": {"a": ("b",)}}, TypeError, "name, content"),
        ({"auth": "me"}, TypeError, "a pair"),
    ],
)
def test_arguments(more: Any, error: type[Exception], words: str) -> None:
    client = Client(reactor=Clock(), http2=False)
    with pytest.raises(error, match=words):
        client.fetch("http://a/", **more).send(None)


@pytest.mark.parametrize(
    ("more", "error"), [({"perHost": 0}, ValueError), ({"agent": 5}, TypeError), ({"policy": 5}, TypeError), ({"timeout": "x"}, TypeError),
                        ({"http2": "yes"}, ValueError), ({"headers": "x"}, TypeError)],
)  # fmt: skip
def test_clients(more: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Client(reactor=Clock(), **more)._agent(Timeouts(), 0)


def test_errors_name_the_request_and_no_password() -> None:
    from torsion.internet.error import ConnectionDone

    error = explained(ConnectionDone(), ResponseNeverReceived([Failure(ConnectionDone())]), "GET", "http://me:x@h/")
    assert error.__notes__ == [
        "GET http://h/: the server has closed the connection without an answer; if it is one of https, ask with https://"
    ]
    assert explained(error, error, "GET", "http://h/").__notes__[0] == error.__notes__[0]
    plain = explained(PageRedirect(302, location=b"http://b/"), ResponseFailed([]), "GET", "https://h/")
    assert "no redirect is followed" in plain.__notes__[0]


# --- bodies --------------------------------------------------------------------------------------------------------------


class Consumer:
    """Takes what is produced, and pauses after each piece if it is told to."""

    def __init__(self, producer: Any = None) -> None:
        self.got: list[bytes] = []
        self.producer = producer

    def write(self, data: bytes) -> None:
        self.got.append(data)
        if self.producer is not None:
            self.producer.pauseProducing()


def test_a_form_with_files() -> None:
    file = BytesIO(b"z" * 100_000)
    file.name = "/pictures/photo.png"  # type: ignore[misc]  # as files have one
    made = MultipartProducer({"a": b"bytes", "b": ('q"\r\n.txt', "text"), "c": file}, {"d": ["e", 1]})
    consumer = Consumer(made)
    done: list[Any] = []
    made.startProducing(consumer).addBoth(done.append)
    while not done:
        made.resumeProducing()
    body = b"".join(consumer.got)
    assert len(body) == made.length
    from email.parser import BytesParser

    read = BytesParser().parsebytes(b"Content-Type: " + made.kind + b"\r\n\r\n" + body)
    parts = [(each.get_param("name", header="content-disposition"), each.get_filename(), each.get_content_type()) for each in read.get_payload()]  # fmt: skip
    assert parts == [
        ("d", None, "text/plain"),
        ("d", None, "text/plain"),
        ("a", "a", "application/octet-stream"),
        ("b", "q%22%0D%0A.txt", "text/plain"),
        ("c", "photo.png", "image/png"),
    ]
    assert [each.get_payload(decode=True) for each in read.get_payload()] == [
        b"e",
        b"1",
        b"bytes",
        b"text",
        b"z" * 100_000,
    ]
    assert file.closed


def test_a_file_that_cannot_tell_its_length() -> None:
    class Pipe:
        def read(self, size: int) -> bytes:
            return b""

    assert MultipartProducer({"a": Pipe()}).length is UNKNOWN_LENGTH
    with pytest.raises(ValueError, match="line end"):
        MultipartProducer({"a": ("b", b"c", "text/plain\r\nx: y")})


def test_to_stop_closes_the_files() -> None:
    file = BytesIO(b"x" * 200_000)
    made = MultipartProducer([("a", file)])
    done: list[Any] = []
    made.startProducing(Consumer(made)).addBoth(done.append)
    made.stopProducing()
    assert file.closed
    assert not done


def test_pieces_that_are_no_bytes() -> None:
    producer, _ = body_of([b"a", "b"], None, None)
    failures: list[Any] = []
    producer.startProducing(Consumer()).addErrback(failures.append)
    assert failures[0].check(TypeError)
    assert "not str: 'b'" in str(failures[0].value)
    assert isinstance(body_of("x", None, None)[0], BytesProducer)
