"""Responses that are compressed on their way."""

from __future__ import annotations

import gzip
import random
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.web.iweb import _IRequestEncoderFactory
from torsion.web.resource import EncodingResourceWrapper, IResource
from torsion.web.server import NOT_DONE_YET, GzipEncoderFactory
from torsion.web.server.gzip import acceptsGzip
from unit.web.talk import Fixed, Talk


def talk(answer: Any) -> Talk:
    return Talk(EncodingResourceWrapper(Fixed(answer), [GzipEncoderFactory()]))


@pytest.mark.parametrize(
    ("fields", "accepts"),
    [
        ([], False),
        ([b"gzip"], True),
        ([b"GZip;Q=0.5"], True),
        ([b"deflate , x-gzip"], True),
        ([b"br", b"gzip"], True),
        ([b"gzip;q=0"], False),
        ([b"gzip;q=0.000, *"], False),
        ([b"*"], True),
        ([b"*;q=0"], False),
        ([b"identity"], False),
        ([b"gzipped"], False),
        ([b"gzip;q=much"], False),
    ],
)
def test_who_accepts_it(fields: list[bytes], accepts: bool) -> None:
    assert acceptsGzip(fields) is accepts


def test_it_is_compressed_for_who_accepts_it() -> None:
    answer = talk(b"hello" * 100).ask(headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == b"hello" * 100
    assert (answer.one("content-encoding"), answer.one("vary")) == ("gzip", "Accept-Encoding")
    assert answer.headers["transfer-encoding"] == ["chunked"]
    assert "content-length" not in answer.headers


def test_it_is_as_it_is_for_others() -> None:
    answer = talk(b"hello").ask()
    assert (answer.body, answer.one("content-length"), answer.one("vary")) == (b"hello", "5", "Accept-Encoding")
    assert "content-encoding" not in answer.headers


def test_part_by_part() -> None:
    data = random.Random(1).randbytes(100_000)

    def render(request: Any) -> int:
        for start in range(0, len(data), 1000):
            request.write(data[start : start + 1000])
        request.finish()
        return NOT_DONE_YET

    assert gzip.decompress(talk(render).ask(headers={"Accept-Encoding": "gzip"}).body) == data


def test_what_was_encoded_before_is_said_first() -> None:
    def render(request: Any) -> bytes:
        return b"x"

    class Wrapped(EncodingResourceWrapper):
        def getEncoder(self, request: Any) -> Any:
            request.responseHeaders.setRawHeaders(b"content-encoding", [b"foo", b"bar"])
            return super().getEncoder(request)

    answer = Talk(Wrapped(Fixed(render), [GzipEncoderFactory()])).ask(headers={"Accept-Encoding": "gzip"})
    assert answer.one("content-encoding") == "foo,bar,gzip"


@pytest.mark.parametrize("code", [206, 204, 304])
def test_what_is_not_compressed(code: int) -> None:
    def render(request: Any) -> bytes:
        request.setResponseCode(code)
        return b"part" if code == 206 else b""

    answer = talk(render).ask(headers={"Accept-Encoding": "gzip"})
    assert (answer.code, answer.body) == (code, b"part" if code == 206 else b"")
    assert "content-encoding" not in answer.headers


def test_an_error_page_is_not_compressed(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        raise KeyError

    answer = talk(render).ask(headers={"Accept-Encoding": "gzip"})
    assert (answer.code, b"Failed" in answer.body) == (500, True)
    flush_errors(KeyError)


def test_the_head_of_it() -> None:
    answer = talk(b"hello").ask(method="HEAD", headers={"Accept-Encoding": "gzip"})
    assert answer.one("content-encoding") == "gzip"
    assert "content-length" not in answer.headers, "that of what is compressed is not known"


def test_the_first_that_can_encode_is_taken() -> None:
    class Never:
        def encoderForRequest(self, request: Any) -> None:
            return None

    wrapper = EncodingResourceWrapper(Fixed(b"x"), [Never(), GzipEncoderFactory(), Never()])
    assert Talk(wrapper).ask(headers={"Accept-Encoding": "gzip"}).one("content-encoding") == "gzip"
    assert IResource.providedBy(wrapper)
    assert verifyObject(_IRequestEncoderFactory, GzipEncoderFactory())
