"""Responses: their heads, what they are framed with, what is not let through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from torsion.internet.testing import NonStreamingProducer, StringTransport
from torsion.web import http
from torsion.web.http import CACHED, Request
from torsion.web.http.limits import MOST_WAITING
from torsion.web.http_headers import InvalidHeaderName
from torsion.web.server import Request as SiteRequest
from unit.web.http.wire import GET, Wire, say

pytestmark = pytest.mark.usefixtures("way")


def answer(process: Callable[[Any], object], sent: bytes = GET) -> bytes:
    wire = Wire(process)
    wire.send(sent)
    return wire.take()


def test_chunks_where_no_length_is_told() -> None:
    def process(request: Any) -> None:
        request.write(b"one")
        request.write(b"")
        request.write(b"three")
        request.finish()

    assert answer(process) == (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"
    )


def test_fields_behind_the_body() -> None:
    def process(request: Any) -> None:
        request.setHeader(b"Trailer", b"Digest")
        request.write(b"one")
        request.addTrailer(b"digest", b"sha-256=x\r\nEvil: y")
        request.addTrailer("X-Took", "3 ms")
        request.finish()

    written = answer(process)
    assert written.endswith(b"\r\n3\r\none\r\n0\r\nDigest: sha-256=x Evil: y\r\nX-Took: 3 ms\r\n\r\n")


@pytest.mark.parametrize("sent", [GET.replace(b"GET", b"HEAD"), b"GET / HTTP/1.0\r\n\r\n"])
def test_where_there_is_no_place_for_fields_behind_the_body(sent: bytes) -> None:
    def process(request: Any) -> None:
        request.addTrailer(b"X-Took", b"3 ms")
        request.write(b"one")
        request.finish()

    assert b"X-Took" not in answer(process, sent)


@pytest.mark.parametrize("name", [b"Content-Length", "transfer-encoding", b"Set-Cookie", b"no name"])
def test_fields_that_cannot_come_behind_the_body(name: bytes | str) -> None:
    def process(request: Any) -> None:
        request.write(b"one")
        with pytest.raises(ValueError, match=r"cannot come behind|no name"):
            request.addTrailer(name, b"1")
        request.finish()
        with pytest.raises(RuntimeError):
            request.addTrailer(b"X-Took", b"3 ms")

    assert answer(process).endswith(b"one\r\n0\r\n\r\n")


@pytest.mark.parametrize("code", [204, 304])
def test_codes_without_a_body(code: int) -> None:
    def process(request: Any) -> None:
        request.setResponseCode(code)
        request.write(b"a body")
        request.finish()

    assert answer(process) == b"HTTP/1.1 %d %b\r\n\r\n" % (code, http.RESPONSES[code])


def test_a_head_has_no_body() -> None:
    assert answer(say(b"hello"), GET.replace(b"GET", b"HEAD")) == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def test_a_head_of_what_has_no_length() -> None:
    def process(request: Any) -> None:
        request.write(b"hello")
        request.finish()

    assert answer(process, GET.replace(b"GET", b"HEAD") + GET).startswith(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n")


INJECTED = b"a\r\nX-Evil: b\r\n\r\n<script>"


@pytest.mark.parametrize("how", ["setHeader", "addRawHeader", "redirect", "cookie", "reason", "etag", "short"])
def test_no_header_is_injected(how: str) -> None:
    def process(request: Any) -> None:
        if how == "setHeader":
            request.setHeader(b"X-A", INJECTED)
        elif how == "addRawHeader":
            request.responseHeaders.addRawHeader(b"X-A", INJECTED.decode())
        elif how == "redirect":
            request.redirect(INJECTED)
        elif how == "cookie":
            request.addCookie(b"a", INJECTED)
        elif how == "reason":
            request.setResponseCode(200, INJECTED)
        elif how == "etag":
            request.setETag(INJECTED)
        if how == "short":
            request.setResponseCode(200, INJECTED)
            if request._answerAtOnce(b"ok"):
                return
        say(b"ok")(request)

    head, _, body = answer(process).partition(b"\r\n\r\n")
    assert body == b"ok"
    assert b"\r\nX-Evil" not in head


@pytest.mark.parametrize("name", [b"X A", b"X\r\nY", b"X:", b"", b"X\0"])
def test_no_header_has_a_name_that_is_none(name: bytes) -> None:
    refused: list[BaseException] = []

    def process(request: Any) -> None:
        try:
            request.setHeader(name, b"value")
        except InvalidHeaderName as error:
            refused.append(error)
        say(b"ok")(request)

    answer(process)
    assert len(refused) == 1


def test_more_than_was_promised_is_not_sent() -> None:
    def process(request: Any) -> None:
        request.setHeader(b"content-length", b"4")
        request.write(b"abcdefgh")
        request.finish()

    wire = Wire(process)
    wire.send(GET + GET)
    assert wire.take().endswith(b"\r\n\r\nabcd")
    assert wire.closed


def test_less_than_was_promised_ends_the_connection() -> None:
    def process(request: Any) -> None:
        request.setHeader(b"content-length", b"4")
        request.write(b"ab")
        request.finish()

    wire = Wire(process)
    wire.send(GET + GET)
    assert wire.take().endswith(b"\r\n\r\nab")
    assert wire.closed


def test_headers_are_what_was_set_last_whoever_looks() -> None:
    def process(request: Any) -> None:
        request.setHeader(b"x-a", b"1")
        request.setHeader(b"X-A", b"2")
        request.setHeader(b"x-b", b"3")
        assert list(request.responseHeaders.getAllRawHeaders()) == [(b"X-A", [b"2"]), (b"X-B", [b"3"])]
        request.setHeader("x-a", "4")
        request.responseHeaders.removeHeader(b"x-b")
        say(b"")(request)

    assert answer(process) == b"HTTP/1.1 200 OK\r\nX-A: 4\r\nContent-Length: 0\r\n\r\n"


def test_other_headers_in_their_place() -> None:
    from torsion.web.http_headers import Headers

    def process(request: Any) -> None:
        request.setHeader(b"x-a", b"1")
        request.responseHeaders = Headers({b"x-b": [b"2"]})
        request.setHeader(b"x-c", b"3")
        say(b"")(request)

    assert b"X-B: 2\r\nX-C: 3\r\n" in answer(process)
    assert b"X-A" not in answer(process)


def test_cookies_and_validators() -> None:
    def process(request: Any) -> None:
        request.addCookie("a", "b; c", path="/", httpOnly=True, sameSite="lax")
        request.setETag(b'"tag"')
        request.setLastModified(0)
        say(b"")(request)

    head = answer(process)
    assert b"Set-Cookie: a=b  c; Path=/; HttpOnly; SameSite=lax\r\n" in head
    assert b'ETag: "tag"\r\n' in head
    assert b"Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n" in head


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (b'If-None-Match: "tag"', 304),
        (b'If-None-Match: "other", "tag"', 304),
        (b"If-None-Match: *", 304),
        (b'If-None-Match: "other"', 200),
        (b"If-Modified-Since: Thu, 01 Jan 1970 00:01:40 GMT", 304),
        (b"If-Modified-Since: Thu, 01 Jan 1970 00:01:39 GMT", 200),
        (b"If-Modified-Since: nonsense", 200),
        (b"If-Modified-Since: \xff", 200),
    ],
)
def test_what_the_client_has_already(field: bytes, code: int) -> None:
    def process(request: Any) -> None:
        cached = [request.setETag(b'"tag"'), request.setLastModified(99.5)]
        assert (CACHED in cached) == (code == 304)
        say(b"")(request)

    assert answer(process, GET[:-2] + field + b"\r\n\r\n").startswith(b"HTTP/1.1 %d " % code)


def test_a_producer_writes_until_it_is_held_back() -> None:
    class Producer:
        def __init__(self) -> None:
            self.told: list[str] = []

        def pauseProducing(self) -> None:
            self.told.append("pause")

        def resumeProducing(self) -> None:
            self.told.append("resume")

        def stopProducing(self) -> None:
            self.told.append("stop")

    producer = Producer()
    wire = Wire(lambda request: request.registerProducer(producer, True))
    wire.send(GET)
    wire.channel.pauseProducing()
    wire.channel.resumeProducing()
    wire.channel.stopProducing()
    assert producer.told == ["pause", "resume", "stop"]
    [request] = wire.asked
    with pytest.raises(ValueError, match="registering producer"):
        request.registerProducer(producer, True)
    request.unregisterProducer()
    request.write(b"done")
    request.finish()
    assert wire.take().endswith(b"4\r\ndone\r\n0\r\n\r\n")


def test_finish_takes_a_forgotten_producer_away() -> None:
    from torsion.logger import capturedLogs

    wire = Wire(lambda request: request.registerProducer(NonStreamingProducer(request), True))
    wire.send(GET)
    with capturedLogs() as events:
        wire.asked[0].finish()
    assert len(events) == 1
    assert wire.channel._requestProducer is None


def test_what_comes_after_the_end() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET)
    [request] = wire.asked
    with pytest.raises(RuntimeError, match=r"after Request\.finish"):
        request.write(b"more")
    with pytest.warns(UserWarning, match="called twice"):
        request.finish()
    assert request.sentLength == 2
    assert request.channel is None


class Short(Request):
    """Answers in the short way, if there is one."""

    serverName = b"test"
    defaultContentType = b"text/plain"


def shorter(request: Any) -> None:
    if not request._answerAtOnce(b"hello"):
        say(b"hello")(request)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("prepare", ["nothing", "status", "header", "cookie", "length", "many", "watched", "close"])
def test_the_short_way_and_the_long_way_lead_to_the_same(prepare: str, later: bool) -> None:
    """What differs may be the order of the headers."""

    def ready(request: Any) -> None:
        if prepare == "status":
            request.setResponseCode(404)
        elif prepare == "header":
            request.setHeader(b"x-some", b"thing")
        elif prepare == "cookie":
            request.addCookie(b"a", b"b")
        elif prepare == "length":
            request.setHeader(b"content-length", b"17")
        elif prepare == "many":
            request.responseHeaders.setRawHeaders(b"x", [b"1", b"2"])
        elif prepare == "watched":
            request.notifyFinish().addCallback(ended.append)

    written = []
    ended: list[Any] = []
    sent = GET if prepare != "close" else GET[:-2] + b"Connection: close\r\n\r\n"
    for way in (shorter, say(b"hello")):

        def process(request: Any, way: Any = way) -> None:
            ready(request)
            if not later:
                way(request)

        wire = Wire(process, request=Short)
        wire.send(sent + GET)
        if later:
            way(wire.asked[0])
            if prepare != "close":
                way(wire.asked[1])
        assert wire.closed == (prepare == "close")
        assert len(wire.asked) == (1 if prepare == "close" else 2)
        head, _, rest = wire.take().partition(b"\r\n\r\n")
        written.append((sorted(head.split(b"\r\n")), rest.count(b"HTTP/1.1 "), rest[:5]))
        assert wire.asked[0].finished
    if prepare == "watched":
        assert ended == [None] * 4
    assert written[0] == written[1]


def test_a_subclass_that_writes_in_its_own_way_is_asked_to() -> None:
    class Own(Short):
        def write(self, data: bytes) -> None:
            super().write(data.upper())

    wire = Wire(shorter, request=Own)
    wire.send(GET)
    assert wire.take().endswith(b"HELLO")


def test_a_site_answers_in_the_short_way() -> None:
    assert not SiteRequest._unusual


def test_as_much_may_wait_as_pages_have() -> None:
    class Roomy(StringTransport):
        most = 0

        def set_high_water(self, size: int) -> None:
            self.most = size

    transport = Roomy()
    Wire().factory.buildProtocol(None).makeConnection(transport)
    assert transport.most == MOST_WAITING
    assert transport.streaming
