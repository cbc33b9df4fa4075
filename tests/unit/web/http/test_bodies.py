"""Bodies of requests: stored, streamed, in time and too late."""

from __future__ import annotations

import os
from typing import Any

import pytest
from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.web.http import Request
from torsion.web.http.body import MOST_IN_MEMORY, MOST_IN_STREAM, WRITTEN_AT_ONCE, newContent
from torsion.web.iweb import IBodyReceiver
from unit.web.http.wire import GET, Wire, post, say

pytestmark = pytest.mark.usefixtures("way")


def chunked(*parts: bytes) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize("size", [0, 1, MOST_IN_MEMORY - 1, MOST_IN_MEMORY, 3 * MOST_IN_MEMORY])
@pytest.mark.parametrize("how", ["length", "chunks"])
def test_content(size: int, how: str) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    wire = Wire()
    sent = post(body) if how == "length" else chunked(body)
    wire.send(sent[:1000], sent[1000:])
    [request] = wire.asked
    content = request.content
    assert content.read(10) == body[:10]
    assert content.tell() == len(body[:10])
    content.seek(0)
    assert content.read() == body
    say(b"ok")(request)
    assert content.closed


def test_content_of_unknown_length_is_a_file_of_lines() -> None:
    content = newContent(None)
    lines = [b"%d\n" % number for number in range(50_000)]
    for line in lines:
        content.write(line)
    content.seek(0)
    assert content.readline() == b"0\n"
    assert list(content)[-1] == lines[-1]
    content.close()


@pytest.mark.parametrize("length", [10 * MOST_IN_MEMORY, None])
def test_what_goes_to_the_disk_goes_in_large_parts(length: int | None) -> None:
    content = newContent(length)
    content.write(b"x" * MOST_IN_MEMORY)
    written = {os.fstat(content.fileno()).st_size}
    for _ in range(WRITTEN_AT_ONCE // 1000):
        content.write(b"y" * 1000)
        written.add(os.fstat(content.fileno()).st_size)
    assert len(written) <= 2
    content.seek(0)
    assert len(content.read()) == MOST_IN_MEMORY + WRITTEN_AT_ONCE // 1000 * 1000
    content.close()


class Full:
    """A file on a disk that is full: one that keeps what it is to write for a while says so later."""

    def __init__(self, kept: bool) -> None:
        self._kept = kept

    def write(self, data: bytes) -> None:
        if not self._kept:
            self.flush()

    def flush(self, *_: Any) -> None:
        raise OSError(28, "No space left on device")

    seek = close = flush


@pytest.mark.parametrize("kept", [False, True])
def test_a_body_that_cannot_be_stored(monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    from torsion.logger import capturedLogs
    from torsion.web.http import asking

    monkeypatch.setattr(asking, "newContent", lambda length: Full(kept))
    wire = Wire()
    with capturedLogs() as events:
        wire.send(post(b"a" * 2 * MOST_IN_MEMORY))
    assert wire.take().startswith(b"HTTP/1.1 507 ")
    assert wire.closed
    assert wire.asked == []
    assert [event["log_format"] for event in events] == ["the body of a request could not be stored"]


class Streamed(Request):
    """Wants its body as it comes."""

    def headReceived(self) -> None:
        assert self.method == b"POST"
        assert self.getHeader(b"host") is not None
        self.stream = self.streamBody()


@implementer(IBodyReceiver)
class Receiver:
    def __init__(self) -> None:
        self.got: list[Any] = []

    def bodyDataReceived(self, data: bytes) -> None:
        self.got.append(data)

    def bodyFinished(self, trailers: Any) -> None:
        self.got.append(list(trailers))

    def bodyFailed(self, reason: Any) -> None:
        self.got.append(reason.type.__name__)


def test_a_receiver_is_given_what_comes_when_it_comes() -> None:
    wire = Wire(request=Streamed)
    sent = chunked(b"one", b"two")[:-2] + b"Sum: 1\r\n\r\n"
    rest = sent[sent.index(b"\r\n3\r\ntwo") :]
    wire.send(sent[: -len(rest)])
    [request] = wire.asked
    receiver = Receiver()
    request.stream.deliverTo(receiver)
    assert b"".join(receiver.got) == b"one"
    wire.send(rest)
    assert receiver.got[1:] == [b"two", [(b"Sum", b"1")]]
    say(b"ok")(request)
    wire.send(GET)
    assert len(wire.asked) == 2


def test_a_receiver_learns_that_the_client_has_left() -> None:
    wire = Wire(request=Streamed)
    wire.send(post(b"0123456789")[:-5])
    receiver = Receiver()
    wire.asked[0].stream.deliverTo(receiver)
    wire.leave()
    assert receiver.got == [b"01234", "ConnectionDone"]


def test_a_receiver_learns_of_what_cannot_be_read() -> None:
    wire = Wire(request=Streamed)
    wire.send(chunked(b"abc")[:-5] + b"no size\r\n")
    receiver = Receiver()
    wire.asked[0].stream.deliverTo(receiver)
    assert receiver.got[-1] == "ConnectionAborted"
    assert wire.take().startswith(b"HTTP/1.1 400 ")


def test_a_slow_reader_holds_the_client_back() -> None:
    """However much is sent, no more than the limit and one read is kept."""
    wire = Wire(request=Streamed)
    part = b"x" * 32 * 1024
    wire.send(post(part * 100)[: -99 * len(part)])
    sent = 1
    while wire.transport.producerState == "producing":
        wire.send(part)
        sent += 1
    assert sent * len(part) <= MOST_IN_STREAM + 2 * len(part)
    got: list[bytes] = []

    async def read() -> None:
        got.extend([each async for each in wire.asked[0].stream])

    done = Deferred.fromCoroutine(read())
    while sent < 100:
        assert wire.transport.producerState == "producing"
        wire.send(part)
        sent += 1
    assert done.called
    assert b"".join(got) == part * 100


def test_an_iteration_fails_with_the_connection() -> None:
    wire = Wire(request=Streamed)
    wire.send(post(b"0123456789")[:-5])

    async def read() -> bytes:
        return b"".join([part async for part in wire.asked[0].stream])

    done = Deferred.fromCoroutine(read())
    caught: list[Any] = []
    done.addErrback(caught.append)
    wire.leave()
    assert caught[0].type.__name__ == "ConnectionDone"


def test_a_stored_body_can_be_read_in_this_way_too() -> None:
    wire = Wire()
    wire.send(post(b"hello"))

    async def read() -> bytes:
        return b"".join([part async for part in wire.asked[0].streamBody()])

    got: list[Any] = []
    Deferred.fromCoroutine(read()).addBoth(got.append)
    assert got == [b"hello"]


class Refusing(Request):
    """Answers at the head."""

    def headReceived(self) -> None:
        self.setResponseCode(403)
        say(b"no")(self)


def test_an_answer_before_the_body() -> None:
    wire = Wire(request=Refusing)
    wire.send(post(b"0123456789") + post(b"0123456789"))
    assert wire.take().count(b"HTTP/1.1 403 ") == 2
    assert not wire.closed
    assert wire.asked == []


def test_an_answer_before_a_body_that_is_long_ends_the_connection() -> None:
    wire = Wire(request=Refusing)
    wire.send(post(b"x" * 100_000)[:2000])
    assert wire.take().startswith(b"HTTP/1.1 403 ")
    assert wire.closed


def test_who_is_refused_at_the_head_is_not_told_to_go_on() -> None:
    wire = Wire(request=Refusing)
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert wire.take().startswith(b"HTTP/1.1 403 ")
    assert wire.closed, "whether the body comes now nobody knows"


def test_forms() -> None:
    wire = Wire()
    wire.send(post(b"a=1&b=&a=%32+x", b"Content-Type: application/x-www-form-urlencoded", target=b"/?a=0&c"))
    [request] = wire.asked
    assert request.args == {b"a": [b"0", b"1", b"2 x"], b"b": [b""], b"c": [b""]}
    assert request.content.read() == b"a=1&b=&a=%32+x"


def test_a_form_of_too_many_fields_is_refused() -> None:
    wire = Wire()
    wire.send(post(b"a=1&" * 20_000, b"Content-Type: application/x-www-form-urlencoded"))
    assert wire.take().startswith(b"HTTP/1.1 400 ")
    assert wire.asked == []


def test_a_body_whose_length_is_not_known_is_a_file_to_who_asks_for_one() -> None:
    body = newContent(None)
    body.write(b"abc")
    os.fstat(body.fileno())
    body.write(b"d")
    body.seek(0)
    assert body.read() == b"abcd"
    body.close()
