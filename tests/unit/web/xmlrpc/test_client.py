"""Calls by XML-RPC."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.error import ConnectionDone, ConnectionRefusedError
from torsion.internet.testing import MemoryReactor, StringTransport
from torsion.python.failure import Failure
from torsion.web.xmlrpc import Fault, Proxy, QueryFactory
from torsion.web.xmlrpc.reading import MAX_LENGTH, TooLong

ANSWER = xmlrpc.client.dumps((5,), methodresponse=True).encode()


def failure_of(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addErrback(found.append)
    [failure] = found
    return failure.value


class Call:
    """A call to a server that is played by the test."""

    def __init__(self, url: bytes = b"http://host/RPC2", **settings: Any) -> None:
        self.reactor = MemoryReactor()
        self.results: list[Any] = []
        self.deferred = Proxy(url, reactor=self.reactor, **settings).callRemote("add", 2, "\N{SNOWMAN}")
        self.deferred.addBoth(self.results.append)
        self.factory = self.reactor.tcpClients[0][2]
        self.transport = StringTransport()
        self.protocol = self.factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    @property
    def head(self) -> list[bytes]:
        head: bytes = self.transport.value().split(b"\r\n\r\n")[0]
        return head.split(b"\r\n")

    def answer(self, data: bytes) -> None:
        for start in range(0, len(data), 7):
            self.protocol.dataReceived(data[start : start + 7])

    def close(self) -> None:
        reason = Failure(ConnectionDone())
        self.protocol.connectionLost(reason)
        self.factory.clientConnectionLost(None, reason)

    @property
    def error(self) -> Any:
        [failure] = self.results
        assert isinstance(failure, Failure)
        return failure.value


def test_what_is_sent() -> None:
    sent = Call(b"http://user:p%40ss@host:81/path?query#fragment")
    assert sent.reactor.tcpClients[0][:2] == ("host", 81)
    body = sent.transport.value().split(b"\r\n\r\n", 1)[1]
    assert sent.head == [
        b"POST /path?query HTTP/1.0",
        b"User-Agent: Twisted/XMLRPClib",
        b"Host: host",
        b"Content-type: text/xml; charset=utf-8",
        b"Content-length: %d" % len(body),
        b"Authorization: Basic dXNlcjpwQHNz",
    ]
    assert xmlrpc.client.loads(body) == ((2, "\N{SNOWMAN}"), "add")


def test_explicit_credentials_win_and_are_sent_on_one_line() -> None:
    sent = Call(b"http://a:b@host", user=b"u" * 100, password=b"p" * 100)
    assert sent.head[-1].startswith(b"Authorization: Basic dXV1")
    assert len(sent.head) == 6


def test_names_of_methods_are_escaped() -> None:
    payload = QueryFactory(b"/", b"h", "a</methodName>").payload
    assert xmlrpc.client.loads(payload)[1] == "a</methodName>"


@pytest.mark.parametrize("length", [b"", b"Content-Length: %d\r\n" % len(ANSWER)])
def test_what_comes_back(length: bytes) -> None:
    sent = Call()
    sent.answer(b"HTTP/1.0 200 OK\r\nX: y\r\n z\r\n" + length + b"\r\n" + ANSWER)
    assert sent.transport.disconnecting == bool(length)
    assert sent.results == []  # until the connection is closed
    sent.close()
    assert sent.results == [5]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (b"", ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\n", ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n" + ANSWER, ConnectionDone, ""),
        (b"HTTP/1.0 404 Not Found\r\n\r\n" + ANSWER, ValueError, "404"),
        (b"HTTP/1.0 200 OK\r\n\r\njunk", Exception, "syntax error"),
        (b"HTTP/1.0 200 OK\r\n\r\n", Exception, "no element found"),
        (b"HTTP/1.0 200 OK\r\n\r\n<methodResponse><params/></methodResponse>", IndexError, ""),
        (b"HTTP/1.0 200 OK\r\n\r\n" + xmlrpc.client.dumps(Fault(3, "no")).encode(), Fault, "no"),
        (b"SSH-2.0\r\n", ConnectionDone, ""),
        (b"HTTP/1.0 2000 OK\r\n", ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n" + ANSWER, ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n" + ANSWER, ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\nnone\r\n\r\n" + ANSWER, ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 501, ConnectionDone, ""),
        (b"HTTP/1.0 200 OK\r\na: b\r\n" + b" " + b"c" * 9000 + b"\r\n c" + b"c" * 9000 + b"\r\n", ConnectionDone, ""),
    ],
)
def test_what_goes_wrong(answer: bytes, kind: type[Exception], said: str) -> None:
    sent = Call()
    sent.answer(answer)
    sent.close()
    assert isinstance(sent.error, kind)
    assert said in str(sent.error)


def test_a_response_has_a_size() -> None:
    sent = Call()
    sent.protocol.dataReceived(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in range(MAX_LENGTH // 65536):
        sent.protocol.dataReceived(b" " * 65536)
    assert not sent.results
    sent.protocol.dataReceived(b" ")
    assert isinstance(sent.error, TooLong)
    assert sent.transport.disconnected
    sent.close()


def test_no_connection() -> None:
    sent = Call()
    sent.factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
    assert isinstance(sent.error, ConnectionRefusedError)


def test_cancelling_closes_the_connection() -> None:
    sent = Call()
    [connector] = sent.reactor.connectors
    sent.deferred.cancel()
    assert isinstance(sent.error, CancelledError)
    assert connector._disconnected
    sent.close()


def test_it_is_safe_to_tell_a_call_twice() -> None:
    factory = QueryFactory(b"/", b"h", "m")
    results: list[Any] = []
    assert factory.deferred is not None
    factory.deferred.addBoth(lambda result: factory.clientConnectionLost(None, Failure(ConnectionDone()))).addBoth(
        results.append
    )
    factory.badStatus(b"500", b"x")
    factory.parseResponse(ANSWER)
    assert results == [None]


def test_time_outs_and_tls() -> None:
    pytest.importorskip("cryptography")
    reactor = MemoryReactor()
    Proxy("http://127.0.0.1", connectTimeout=2.0, reactor=reactor).callRemote("a")
    assert reactor.tcpClients[0][:2] + reactor.tcpClients[0][3:4] == ("127.0.0.1", 80, 2.0)
    Proxy(b"https://127.0.0.1", connectTimeout=3.0, reactor=reactor).callRemote("a")
    host, port, _, options, timeout, _ = reactor.sslClients[0]
    assert (host, port, timeout) == ("127.0.0.1", 443, 3.0)
    assert type(options).__name__ == "ClientTLSOptions"  # which verifies


@pytest.mark.parametrize("url", [b"", b"host", b"ftp://host/", b"http:///path", "https:"])
def test_what_is_no_url(url: Any) -> None:
    with pytest.raises(ValueError, match="begins with http:// or https:// and its name"):
        Proxy(url)


@pytest.mark.parametrize("value", [object(), {1: 2}, None])
def test_what_cannot_be_sent(value: Any) -> None:
    with pytest.raises(TypeError):
        Proxy(b"http://host", reactor=MemoryReactor()).callRemote("a", value)


@given(st.binary(), st.booleans())
def test_law_whatever_a_server_says_the_call_ends(answer: bytes, head: bool) -> None:
    sent = Call()
    sent.answer((b"HTTP/1.0 200 OK\r\n\r\n" if head else b"") + answer)
    sent.close()
    assert len(sent.results) == 1
