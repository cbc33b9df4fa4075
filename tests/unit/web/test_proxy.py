"""Proxies: what passes and what does not, and what happens when either side stops."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from torsion.internet.error import ConnectionDone, ConnectionRefusedError
from torsion.internet.testing import StringTransportWithDisconnection
from torsion.python.failure import Failure
from torsion.web.http import HTTPFactory
from torsion.web.proxy import (
    Proxy,
    ProxyClient,
    ProxyClientFactory,
    ReverseProxy,
    ReverseProxyRequest,
    ReverseProxyResource,
)
from torsion.web.proxy.passing import MOST_IN_MEMORY
from torsion.web.resource import Resource
from unit.web.talk import Answer, Talk, read_answer


class Reactor:
    """Connects to nothing, and remembers where to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, Any]] = []

    def connectTCP(self, host: str, port: int, factory: Any) -> None:
        self.asked.append((host, port, factory))


class Behind:
    """The other server's end of a connection."""

    def __init__(self, factory: Any) -> None:
        self.client: ProxyClient = factory.buildProtocol(None)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.client
        self.client.makeConnection(self.transport)

    @property
    def asked(self) -> bytes:
        return self.transport.value()

    def fields(self) -> dict[str, str]:
        lines = self.asked.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines)
        return fields

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.client.dataReceived(part)

    def close(self) -> None:
        self.transport.connected = False
        self.client.connectionLost(Failure(ConnectionDone()))


class Meeting:
    """A client, a reverse proxy at ``/app``, and the server behind it."""

    def __init__(self, path: bytes = b"/base", port: int = 8080) -> None:
        self.reactor = Reactor()
        root = Resource()
        root.putChild(b"app", ReverseProxyResource("inner.example", port, path, self.reactor))
        self.talk = Talk(root)

    def ask(self, *args: Any, **keywords: Any) -> Behind:
        self.talk.send(*args, **keywords)
        return self.behind()

    def behind(self) -> Behind:
        return Behind(self.reactor.asked[-1][2])


@pytest.mark.parametrize(
    ("target", "rest"),
    [
        ("/app", b"/base"),
        ("/app/", b"/base/"),
        ("/app/a/b?c=d&e=%20", b"/base/a/b?c=d&e=%20"),
        ("/app/a%2Fb%20c", b"/base/a%2Fb%20c"),
        ("/app?", b"/base?"),
        ("/app/%0d%0aX:y", b"/base/%0D%0AX%3Ay"),
    ],
)
def test_the_target_behind(target: str, rest: bytes) -> None:
    meeting = Meeting()
    behind = meeting.ask(target)
    assert behind.asked.startswith(b"GET " + rest + b" HTTP/1.1\r\n")
    assert meeting.reactor.asked[0][:2] == ("inner.example", 8080)


def test_the_root_behind() -> None:
    assert Meeting(path=b"").ask("/app").asked.startswith(b"GET / HTTP/1.1\r\n")


def test_the_response_comes_back() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(
        b"HTTP/1.1 404 Not he", b"re\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\nServer: inner\r\n\r\nhel", b"lo"
    )
    answer = meeting.talk.answer()
    assert (answer.code, answer.body, answer.complete) == (404, b"hello", True)
    assert answer.headers["x-a"] == ["1", "2"]
    assert answer.one("server") == "inner"
    assert "content-type" in answer.headers, "what the site says by default, where the other says nothing"
    assert not behind.transport.connected
    assert meeting.talk.transport.connected


def test_chunks_come_back_as_chunks() -> None:
    meeting = Meeting()
    meeting.ask("/app").say(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    answer = meeting.talk.answer()
    assert (answer.body, answer.headers["transfer-encoding"]) == (b"abcde", ["chunked"])


def test_a_body_that_ends_with_the_connection() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    assert not read_answer(meeting.talk.written())[0].complete
    behind.close()
    answer = meeting.talk.answer()
    assert (answer.body, answer.complete) == (b"all of it", True)


def test_only_the_last_of_several_heads_counts() -> None:
    meeting = Meeting()
    meeting.ask("/app").say(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
    )
    assert meeting.talk.answer().body == b"x"


def test_a_head_has_no_body() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app", method="HEAD")
    assert behind.asked.startswith(b"HEAD /base")
    behind.say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    assert meeting.talk.answer(head=True).one("content-length") == "500"


# What passes


def test_what_is_for_one_connection_stays_there() -> None:
    behind = Meeting().ask(
        "/app",
        headers={
            "Connection": "keep-alive, X-Secret, Content-Length, Cookie, Host",
            "Keep-Alive": "timeout=5",
            "Proxy-Authorization": "Basic eDp5",
            "Proxy-Connection": "keep-alive",
            "TE": "trailers",
            "X-Secret": "1",
            "X-Kept": "1",
            "Cookie": "a=b",
            "Upgrade-Insecure-Requests": "1",
        },
    )
    assert behind.fields() == {
        "host": "inner.example:8080",
        "x-kept": "1",
        "cookie": "a=b",
        "upgrade-insecure-requests": "1",
        "connection": "close",
        "via": "1.1 torsion",
        "x-forwarded-for": "192.168.1.1",
        "x-forwarded-host": "example.com",
        "x-forwarded-proto": "http",
    }


def test_the_same_for_what_comes_back() -> None:
    meeting = Meeting()
    meeting.ask("/app").say(
        b"HTTP/1.1 200 OK\r\nConnection: close, X-Mine, Set-Cookie\r\nX-Mine: 1\r\nX-Kept: 1\r\nKeep-Alive: 5\r\n"
        b"Upgrade: h2c\r\nContent-Length: 0\r\n\r\n"
    )
    answer = meeting.talk.answer()
    assert answer.one("x-kept") == "1"
    assert not {"connection", "x-mine", "keep-alive", "upgrade"} & set(answer.headers)


def test_a_proxy_before_this_one_is_named() -> None:
    assert Meeting().ask("/app", headers={"Via": "1.0 fred"}).fields()["via"] == "1.0 fred, 1.1 torsion"


def test_fields_that_are_there_twice_are_joined() -> None:
    meeting = Meeting()
    meeting.talk.channel.dataReceived(
        b"GET /app HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    )
    fields = meeting.behind().fields()
    assert (fields["x-a"], fields["cookie"]) == ("1, 2", "a=1; b=2")


def test_a_body_has_one_length_however_it_came() -> None:
    meeting = Meeting()
    meeting.talk.channel.dataReceived(
        b"POST /app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    behind = meeting.behind()
    assert behind.fields()["content-length"] == "5"
    assert "transfer-encoding" not in behind.fields()
    assert behind.asked.endswith(b"\r\n\r\nabcde")
    meeting.talk.leave()


def test_an_old_client_has_an_old_answer() -> None:
    meeting = Meeting()
    meeting.talk.channel.dataReceived(b"GET /app HTTP/1.0\r\n\r\n")
    behind = meeting.behind()
    assert behind.asked.startswith(b"GET /base HTTP/1.0\r\n")
    assert behind.fields()["via"] == "1.0 torsion"


def test_a_large_body_is_read_as_it_is_taken() -> None:
    body = b"0123456789" * (MOST_IN_MEMORY // 5)
    meeting = Meeting()
    behind = meeting.ask("/app", method="POST", body=body)
    assert not isinstance(behind.client.data, bytes)
    producer = behind.transport.producer
    sent = -1
    while behind.transport.producer is not None:
        assert len(behind.asked) > sent, "nothing was written"
        sent = len(behind.asked)
        producer.resumeProducing()
    assert behind.asked.partition(b"\r\n\r\n")[2] == body
    meeting.talk.leave()


def test_an_answer_before_the_whole_body_is_sent() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app", method="POST", body=bytes(MOST_IN_MEMORY + 1))
    assert behind.transport.producer is not None
    behind.say(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n")
    assert meeting.talk.answer().code == 413
    assert behind.transport.producer is None


# What goes wrong


@pytest.mark.parametrize(
    "said",
    [
        b"220 welcome\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\x00\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: " + b"b" * 100_000,
    ],
)
def test_what_is_no_response(said: bytes) -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(said)
    answer = meeting.talk.answer()
    assert (answer.code, answer.complete) == (502, True)
    assert not behind.transport.connected


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-"])
def test_a_server_that_stops_before_its_head(said: bytes) -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    if said:
        behind.say(said)
    behind.close()
    assert meeting.talk.answer().code == 502


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_a_server_that_stops_amid_its_body(said: bytes) -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(said)
    behind.close()
    answer = meeting.talk.answer()
    assert (answer.body, answer.complete) == (b"hello", False)
    assert not meeting.talk.transport.connected, "the client sees that something is missing"


def test_a_server_that_cannot_be_reached() -> None:
    meeting = Meeting()
    meeting.talk.send("/app")
    meeting.reactor.asked[0][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert meeting.talk.answer().code == 502


def test_a_server_that_cannot_be_reached_and_a_client_that_has_left() -> None:
    meeting = Meeting()
    meeting.talk.send("/app")
    meeting.talk.leave()
    meeting.reactor.asked[0][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert meeting.talk.written() == b""


def test_a_client_that_leaves() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    meeting.talk.leave()
    assert behind.transport.disconnecting or not behind.transport.connected
    behind.client.dataReceived(b"more")


def test_a_client_that_leaves_while_the_server_is_connected_to() -> None:
    meeting = Meeting()
    meeting.talk.send("/app")
    meeting.talk.leave()
    behind = meeting.behind()
    assert behind.asked == b""
    assert not behind.transport.connected


def test_an_old_client_sees_that_something_is_missing() -> None:
    meeting = Meeting()
    meeting.talk.channel.dataReceived(b"GET /app HTTP/1.0\r\n\r\n")
    behind = meeting.behind()
    behind.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    behind.close()
    assert meeting.talk.transport.disconnected, "the end of the connection would be that of the response"


def test_a_slow_client_holds_the_server_back() -> None:
    meeting = Meeting()
    behind = meeting.ask("/app")
    behind.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    meeting.talk.channel.pauseProducing()
    assert behind.transport.producerState == "paused"
    meeting.talk.channel.resumeProducing()
    assert behind.transport.producerState == "producing"


def test_a_request_that_cannot_be_passed_on() -> None:
    meeting = Meeting(path=b"/with space")
    behind = meeting.ask("/app")
    assert behind.asked == b""
    assert meeting.talk.answer().code == 400


# Forward


class Forward:
    """A client and a forward proxy."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        factory = HTTPFactory(reactor=Talk(Resource()).clock)
        factory.protocol = Proxy
        self.channel = factory.buildProtocol(None)
        made = self.channel.requestFactory
        self.channel.requestFactory = lambda channel, queued=False: made(channel, queued, self.reactor)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)

    def ask(self, target: bytes, host: bytes = b"other.example") -> None:
        self.channel.dataReceived(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    def answer(self) -> Answer:
        return read_answer(self.transport.value())[0]


@pytest.mark.parametrize(
    ("target", "host", "port", "rest", "named"),
    [
        (b"http://example.com/a?b", "example.com", 80, b"/a?b", "example.com"),
        (b"http://example.com:8080", "example.com", 8080, b"/", "example.com:8080"),
        (b"HTTP://example.com/", "example.com", 80, b"/", "example.com"),
        (b"http://u:p@example.com/", "example.com", 80, b"/", "example.com"),
        (b"http://[::1]:81/x", "::1", 81, b"/x", "[::1]:81"),
    ],
)
def test_a_forward_proxy(target: bytes, host: str, port: int, rest: bytes, named: str) -> None:
    proxy = Forward()
    proxy.ask(target)
    assert proxy.reactor.asked[0][:2] == (host, port)
    behind = Behind(proxy.reactor.asked[0][2])
    assert behind.asked.startswith(b"GET " + rest + b" HTTP/1.1\r\n")
    assert behind.fields()["host"] == named, "the URL says it, whatever the field says"
    behind.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert proxy.answer().body == b"ok"


@pytest.mark.parametrize(
    "target", [b"/", b"ftp://example.com/", b"http:///x", b"http://example.com:x/", b"http://[::1/"]
)
def test_what_a_forward_proxy_does_not_know(target: bytes) -> None:
    proxy = Forward()
    proxy.ask(target)
    assert (proxy.reactor.asked, proxy.answer().code) == ([], 400)


def test_a_reverse_proxy_for_a_whole_port() -> None:
    class Factory(HTTPFactory):
        host, port = "inner.example", 8080

    reactor = Reactor()
    channel = ReverseProxy()
    channel.factory = Factory(reactor=Talk(Resource()).clock)
    channel.callLater = channel.factory.reactor.callLater
    channel.requestFactory = lambda channel, queued=False: ReverseProxyRequest(channel, queued, reactor)
    transport = StringTransportWithDisconnection()
    transport.protocol = channel
    channel.makeConnection(transport)
    channel.dataReceived(b"GET /a?b HTTP/1.1\r\nHost: outer\r\n\r\n")
    assert reactor.asked[0][:2] == ("inner.example", 8080)
    behind = Behind(reactor.asked[0][2])
    assert behind.asked.startswith(b"GET /a?b HTTP/1.1\r\n")
    assert behind.fields()["host"] == "inner.example"


def test_a_subclass_sees_what_comes() -> None:
    class Shouting(ProxyClient):
        def handleResponsePart(self, buffer: bytes) -> None:
            super().handleResponsePart(buffer.upper())

    class Factory(ProxyClientFactory):
        protocol = Shouting

    meeting = Meeting()
    meeting.talk.site.resource.children[b"app"].proxyClientFactoryClass = Factory
    meeting.ask("/app").say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert meeting.talk.answer().body == b"OK"


def test_a_file_is_sent_from_its_beginning() -> None:
    file = BytesIO(bytes(MOST_IN_MEMORY + 1))
    file.seek(7)
    client = ProxyClient(b"PUT", b"/", b"HTTP/1.1", {b"host": b"a"}, file, None)
    transport = StringTransportWithDisconnection()
    transport.protocol = client
    client.makeConnection(transport)
    assert b"content-length: %d" % (MOST_IN_MEMORY + 1) in transport.value()
