"""Connections: requests in turn, what is refused, how they end."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.internet.error import ConnectionDone, ConnectionLost
from torsion.web.http import HTTPChannel, Request
from unit.web.http.wire import GET, Wire, post, say

pytestmark = pytest.mark.usefixtures("way")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_requests_are_answered_in_turn() -> None:
    wire = Wire()
    wire.send(GET.replace(b"/ ", b"/1 ") + post(b"body", target=b"/2") + GET.replace(b"/ ", b"/3 "))
    assert [request.uri for request in wire.asked] == [b"/1"]
    say(b"1")(wire.asked[0])
    assert [request.uri for request in wire.asked] == [b"/1", b"/2"]
    assert wire.asked[1].content.read() == b"body"
    say(b"2")(wire.asked[1])
    say(b"3")(wire.asked[2])
    assert [answer[-1:] for answer in wire.take().split(b"HTTP/1.1 200 OK")[1:]] == [b"1", b"2", b"3"]
    assert not wire.closed


def test_a_thousand_at_once_need_no_deep_stack() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET * 1000)
    wire.clock.advance(0)  # the turns of the others
    assert wire.take() == OK * 1000


@pytest.mark.parametrize("size", [1, 7, 100])
def test_bytes_come_as_they_like(size: int) -> None:
    wire = Wire(lambda request: say(request.content.read())(request))
    sent = (post(b"abc") + GET) * 2
    wire.send(*(sent[at : at + size] for at in range(0, len(sent), size)))
    assert wire.take().count(b"\r\n\r\nabc") == 2
    assert len(wire.asked) == 4


def test_what_is_sent_ahead_is_bounded() -> None:
    wire = Wire()
    wire.send(GET)
    ahead = wire.channel._optimisticEagerReadSize // len(GET)
    for _ in range(ahead):
        wire.send(GET)
    assert wire.transport.producerState == "producing"
    wire.send(GET)
    assert wire.transport.producerState == "paused"
    while len(wire.asked) < ahead + 2:
        say(b"ok")(wire.asked[-1])
    assert wire.transport.producerState == "producing"


# Each could be read by somebody else as another number of requests: request smuggling.
SMUGGLED = {
    "CL.TE": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "TE.CL": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nG\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "same lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "list of lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
    "plus": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    "minus": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
    "hexadecimal": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na",
    "underscore": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789",
    "huge length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\na",
    "TE.TE": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "TE identity": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
    "TE xchunked": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "TE chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "TE and 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "obs-fold": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "folded TE": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "LF in the first line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "space before colon": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na",
    "tab before colon": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "space before name": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad Host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "chunk size 0x": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "chunk size -": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
    "chunk size space": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n",
    "chunk size empty": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\na\r\n0\r\n\r\n",
    "chunk size huge": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\na\r\n",
    "chunk ends wrong": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "chunk line LF": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
    "extension LF": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n",
    "extensions without end": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 5000,
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "NUL in method": b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    wire = Wire(say(b"ok"))
    wire.send(SMUGGLED[name] + GET)
    assert wire.asked == []
    written = wire.take()
    assert written.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ", b"HTTP/1.1 505 ")), written
    assert written.count(b"HTTP/1.1") == 1
    assert wire.closed


@pytest.mark.parametrize("name", SMUGGLED)
def test_it_is_refused_behind_a_good_request_too_and_byte_by_byte(name: str) -> None:
    wire = Wire(say(b"ok"))
    sent = GET + SMUGGLED[name] + GET
    wire.send(*(sent[at : at + 1] for at in range(len(sent))))
    assert len(wire.asked) == 1
    assert wire.take().startswith(OK + b"HTTP/1.1 ")
    assert wire.closed


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET /" + b"a" * 70_000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_endless_heads_are_refused(sent: bytes, code: int) -> None:
    wire = Wire()
    wire.send(sent)
    assert wire.take().startswith(b"HTTP/1.1 %d " % code)
    assert wire.closed


def test_limits_are_attributes() -> None:
    class Small(HTTPChannel):
        totalHeadersSize = 200

    wire = Wire(protocol=Small)
    wire.send(GET[:-2] + b"X: " + b"a" * 300)
    assert wire.take().startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "framed", [b"Content-Length: 11\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n"]
)
def test_bodies_that_are_too_large(framed: bytes) -> None:
    wire = Wire(say(b"ok"), maxBodySize=10)
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framed + b"01234567890")
    assert wire.take().startswith(b"HTTP/1.1 413 ")
    assert wire.asked == []
    assert wire.closed


@pytest.mark.parametrize("length", [b"1073741825", b"99999999999999"])
def test_bodies_that_are_stored_have_a_bound(length: bytes) -> None:
    wire = Wire(say(b"ok"))
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " + length + b"\r\n\r\n")
    assert wire.take() == b"HTTP/1.1 413 Request Entity Too Large\r\n\r\n"
    assert wire.closed
    wire = Wire(say(b"ok"))
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n")
    assert not wire.closed
    wire.leave()


def test_it_may_be_taken_away() -> None:
    wire = Wire(say(b"ok"), maxBodySize=None)
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
    assert not wire.closed
    wire.leave()


class Streaming(Request):
    """Takes its body as it comes."""

    def headReceived(self) -> None:
        self.streamBody()


def test_bodies_that_are_streamed_have_none_of_their_own() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"
    wire = Wire(request=Streaming)
    wire.send(head)
    assert len(wire.asked) == 1
    assert not wire.closed
    wire.channel._received = 1 << 30
    wire.send(b"x")
    assert not wire.closed
    wire.leave()
    wire = Wire(request=Streaming, maxBodySize=1000)
    wire.send(head)
    assert wire.take().startswith(b"HTTP/1.1 413 ")
    assert wire.asked == []


def test_a_connection_that_is_not_to_go_on() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    assert len(wire.asked) == 1
    assert b"Connection: close\r\n" in wire.take()
    assert wire.closed


def test_http_1_0_is_answered_once_and_without_chunks() -> None:
    def process(request: Any) -> None:
        request.write(b"a")
        request.write(b"b")
        request.finish()

    wire = Wire(process)
    wire.send(b"GET / HTTP/1.0\r\n\r\n" + GET)
    assert wire.take() == b"HTTP/1.0 200 OK\r\n\r\nab"
    assert wire.closed


def test_the_client_is_told_to_go_on_in_its_turn() -> None:
    wire = Wire()
    wire.send(GET, b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert wire.take() == b""
    say(b"ok")(wire.asked[0])
    assert wire.take() == OK + b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"hi")
    assert wire.asked[1].content.read() == b"hi"


def test_trailers() -> None:
    wire = Wire(say(b"ok"))
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nSum: 7\r\n\r\n")
    assert wire.asked[0].trailers == [(b"Sum", b"7")]


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_a_renderer_that_raises(when: str) -> None:
    def process(request: Any) -> None:
        if when != "before":
            request.write(b"some")
        if when == "after":
            request.finish()
        raise ArithmeticError(when)

    from torsion.logger import capturedLogs

    with capturedLogs() as events:
        wire = Wire(process)
        wire.send(GET)
    assert any("could not be answered" in str(event.get("log_format")) for event in events)
    written = wire.take()
    if when == "before":
        assert written.startswith(b"HTTP/1.1 500 ")
        assert wire.closed
    elif when == "between":
        assert not written.endswith(b"0\r\n\r\n"), "it must not look complete"
        assert wire.transport.disconnected
    else:
        assert written.endswith(b"4\r\nsome\r\n0\r\n\r\n")
        assert not wire.closed


def test_a_client_that_leaves_is_told_of() -> None:
    wire = Wire()
    wire.send(GET)
    [request] = wire.asked
    told: list[Any] = []
    request.notifyFinish().addBoth(told.append)
    request.write(b"a part")
    wire.leave()
    told[0].trap(ConnectionDone)
    request.write(b"more")  # for nobody
    with pytest.raises(RuntimeError, match="connection was lost"):
        request.finish()


def test_draining_ends_what_is_idle_at_once() -> None:
    wire = Wire()
    wire.channel.finish()
    assert wire.closed


def test_draining_lets_what_has_begun_end() -> None:
    wire = Wire()
    wire.send(GET + GET)
    wire.channel.finish()
    assert not wire.closed
    say(b"ok")(wire.asked[0])
    assert b"Connection: close\r\n" in wire.take()
    assert wire.closed
    assert len(wire.asked) == 1


def test_draining_within_a_request_that_is_answered() -> None:
    def process(request: Any) -> None:
        say(b"ok")(request)
        wire.channel.finish()

    wire = Wire(process)
    wire.send(GET + GET)
    assert wire.closed
    assert len(wire.asked) == 1


def test_who_takes_nothing_gets_no_more() -> None:
    def process(request: Any) -> None:
        say(b"ok")(request)
        if len(wire.asked) == 2:
            wire.channel.pauseProducing()  # as the transport does when it has too much to send

    wire = Wire(process)
    wire.send(GET * 5)
    assert len(wire.asked) == 2
    wire.clock.advance(wire.channel.headerTimeout + 1)  # what is kept is whole, and not slow
    assert not wire.closed
    wire.channel.resumeProducing()
    assert len(wire.asked) == 5
    assert wire.take().count(b"ok") == 5
    assert wire.transport.producerState == "producing"


def test_a_factory_knows_its_connections() -> None:
    wire = Wire()
    assert wire.factory.connections == {wire.channel}
    wire.leave()
    assert wire.factory.connections == set()


def test_another_protocol_takes_over() -> None:
    class Taker:
        got = b""
        lost = None

        def makeConnection(self, transport: Any) -> None:
            transport.write(b"hello")

        def dataReceived(self, data: bytes) -> None:
            self.got += data

        def connectionLost(self, reason: Any) -> None:
            self.lost = reason

    taker = Taker()
    wire = Wire(lambda request: request.channel.switchProtocol(taker))
    wire.send(GET[:-2] + b"Upgrade: x\r\nConnection: upgrade\r\n\r\nfirst", b" second")
    assert (wire.take(), taker.got) == (b"hello", b"first second")
    wire.leave()
    assert taker.lost is not None


def test_an_upgrade_that_is_not_granted_is_a_request_like_others() -> None:
    wire = Wire(say(b"ok"))
    wire.send(GET[:-2] + b"Upgrade: x\r\nConnection: upgrade\r\n\r\n" + GET)
    assert wire.take() == OK * 2


def test_http_2_by_its_preface() -> None:
    made: list[Any] = []

    class H2:
        got = b""

        def makeConnection(self, transport: Any) -> None:
            pass

        def dataReceived(self, data: bytes) -> None:
            self.got += data

    def make(channel: Any) -> Any:
        made.append(channel)
        return protocol

    protocol = H2()
    wire = Wire(http2=make)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    wire.send(*(preface[at : at + 1] for at in range(len(preface))), b"frames")
    assert protocol.got == preface + b"frames"
    assert made == [wire.channel]


def test_methods_that_begin_like_the_preface() -> None:
    wire = Wire(say(b"ok"))
    wire.send(b"P", b"R", b"I", b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert wire.asked[0].method == b"PRI"


def test_the_reason_of_a_loss_is_passed_on() -> None:
    from torsion.python.failure import Failure

    wire = Wire()
    wire.send(GET)
    finished = wire.asked[0].notifyFinish()
    wire.channel.connectionLost(Failure(ConnectionLost("gone")))
    caught: list[Any] = []
    finished.addErrback(caught.append)
    assert caught[0].check(ConnectionLost)


def test_hooks_of_channels() -> None:
    told: list[Any] = []

    class Told(HTTPChannel):
        def headerReceived(self, line: bytes) -> bool:
            told.append(line)
            return line != b"X: bad"

        def allHeadersReceived(self) -> None:
            told.append(self.requests[-1].getHeader(b"host"))

        def allContentReceived(self) -> None:
            told.append("complete")
            super().allContentReceived()

    wire = Wire(say(b"ok"), protocol=Told)
    for line in GET.split(b"\r\n")[:-1]:
        wire.channel.lineReceived(line)
    assert told == [b"Host: example.com", b"example.com", "complete"]
    assert wire.take() == OK
    wire.channel.rawDataReceived(GET[:-2] + b"X: bad\r\n\r\n")
    assert wire.take() == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert wire.closed


def test_what_ends_the_program_is_not_caught() -> None:
    def process(request: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Wire(process).send(GET)


def test_what_a_log_raises_costs_the_connection_and_no_more() -> None:
    from torsion.logger import capturedLogs

    def fail(request: Any) -> None:
        raise ValueError("no space left")

    def process(request: Any) -> None:
        if not request._answerAtOnce(b"ok"):
            say(b"ok")(request)

    with capturedLogs() as events:
        wire = Wire(process, log=fail)
        wire.factory.buildProtocol(None)
        wire.send(GET)
    assert any("could not be answered" in str(event.get("log_format")) for event in events)


def test_a_connection_may_be_closed_twice() -> None:
    wire = Wire()
    wire.send(GET)
    wire.asked[0].loseConnection()
    wire.asked[0].loseConnection()
    wire.channel.loseConnection()
    assert wire.closed
