"""Connections to the page of status: one answer after the other, each in its time, and an end to everything."""

from __future__ import annotations

import pytest

from torsion.application.status.answers import TEXT, Answer
from torsion.application.status.protocol import (
    ANSWER_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    MAX_CONNECTIONS,
    SEND_SECONDS,
    StatusFactory,
)
from torsion.internet.defer import Deferred
from torsion.internet.protocol import ClientFactory, Protocol
from torsion.internet.reactors.memory import MemoryReactor
from torsion.logger import capturedLogs

GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"


class Peer(Protocol):
    """Keeps what it is told."""

    def __init__(self):
        self.data = b""
        self.lost = False

    def dataReceived(self, data):
        self.data += data

    def connectionLost(self, reason=None):
        self.lost = True

    def send(self, data):
        self.transport.write(data)
        reactor = self.factory.reactor
        reactor.advance(0)

    @property
    def statuses(self):
        return [int(part.split()[0]) for part in self.data.split(b"HTTP/1.1 ")[1:]]

    @property
    def bodies(self):
        return [part.partition(b"\r\n\r\n")[2] for part in self.data.split(b"HTTP/1.1 ")[1:]]


class Server:
    """A status server in memory."""

    def __init__(self, answer=None, ending=lambda: False):
        self.reactor = MemoryReactor()
        self.asked = []
        self.waiting = []
        self.given_up = []
        self.factory = StatusFactory(self.reactor, answer or self.answer, ending)
        self.port = self.reactor.listenTCP(9000, self.factory)

    def answer(self, request):
        self.asked.append(request.path)
        if request.path == "/later":
            self.waiting.append(Deferred(self.given_up.append))
            return self.waiting[-1]
        if request.path == "/large":
            return Answer(200, TEXT, b"x" * 5_000_000)
        return Answer(200, TEXT, request.path.encode())

    def peer(self, kind=Peer):
        factory = ClientFactory.forProtocol(kind)
        factory.reactor = self.reactor
        made = []
        build = factory.buildProtocol
        factory.buildProtocol = lambda address: made.append(build(address)) or made[0]
        self.reactor.connectTCP("127.0.0.1", 9000, factory)
        self.reactor.advance(0)
        return made[0]


@pytest.fixture
def server():
    return Server()


def test_requests_are_answered_in_order(server):
    peer = server.peer()
    peer.send(GET % b"a" + GET % b"later" + GET % b"b")
    assert peer.bodies == [b"/a"]
    assert server.asked == ["/a", "/later"]
    server.waiting[0].callback(Answer(200, TEXT, b"at last"))
    server.reactor.advance(0)
    assert peer.bodies == [b"/a", b"at last", b"/b"]
    assert not peer.lost


def test_a_head_request_gets_no_body(server):
    peer = server.peer()
    peer.send((GET % b"a").replace(b"GET", b"HEAD"))
    assert peer.statuses == [200]
    assert b"Content-Length: 2\r\n" in peer.data
    assert peer.bodies == [b""]


def test_every_answer_keeps_browsers_from_doing_more_with_it(server):
    peer = server.peer()
    peer.send(GET % b"a" + b"bad\r\n\r\n")
    for answer in peer.data.split(b"HTTP/1.1 ")[1:]:
        for field in (
            b"Cache-Control: no-store",
            b"X-Content-Type-Options: nosniff",
            b"X-Frame-Options: DENY",
            b"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            b"Cross-Origin-Resource-Policy: same-origin",
            b"Referrer-Policy: no-referrer",
        ):
            assert field + b"\r\n" in answer


def test_a_refusal_ends_the_connection(server):
    peer = server.peer()
    peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
    assert peer.statuses == [405]
    assert b"Allow: GET, HEAD\r\n" in peer.data
    assert b"Connection: close\r\n" in peer.data
    peer.send(GET % b"smuggled")  # what would have been the body is nobody's request
    assert server.asked == []
    server.reactor.advance(LINGER_SECONDS)
    assert peer.lost
    assert peer.statuses == [405]


@pytest.mark.parametrize(
    "asked", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]
)
def test_the_last_request_of_a_connection(server, asked):
    peer = server.peer()
    peer.send(asked + GET % b"more")
    assert server.asked == ["/"]
    server.reactor.advance(LINGER_SECONDS)
    assert peer.lost


def test_a_peer_that_sends_no_more_gets_its_answers(server):
    peer = server.peer()
    peer.transport.write(GET % b"a" + GET % b"later")
    peer.transport.loseWriteConnection()
    server.reactor.advance(0)
    server.waiting[0].callback(Answer(200, TEXT, b"at last"))
    server.reactor.advance(0)
    assert peer.bodies == [b"/a", b"at last"]
    assert peer.lost


def test_half_a_request_is_not_waited_for_when_no_more_comes(server):
    peer = server.peer()
    peer.transport.write(b"GET / HT")
    peer.transport.loseWriteConnection()
    server.reactor.advance(0)
    assert peer.lost
    assert peer.data == b""


# --- time


def test_a_peer_that_says_nothing(server):
    peer = server.peer()
    server.reactor.advance(HEAD_SECONDS - 0.1)
    assert not peer.data
    server.reactor.advance(0.2)
    assert peer.statuses == [408]
    server.reactor.advance(LINGER_SECONDS)
    assert peer.lost


def test_a_peer_that_dribbles(server):
    peer = server.peer()
    for letter in b"GET /dribble HTTP":
        peer.send(bytes([letter]))
        server.reactor.advance(1)
    assert peer.statuses == [408]


def test_a_connection_may_wait_for_a_while(server):
    peer = server.peer()
    peer.send(GET % b"a")
    server.reactor.advance(IDLE_SECONDS - 1)
    peer.send(GET % b"b")
    assert peer.bodies == [b"/a", b"/b"]
    server.reactor.advance(IDLE_SECONDS + 1)
    assert peer.lost
    assert peer.statuses == [200, 200]  # it is closed without a word: nothing was asked


def test_the_next_request_has_its_own_time(server):
    peer = server.peer()
    peer.send(GET % b"a")
    server.reactor.advance(IDLE_SECONDS - 1)
    peer.send(b"GET")
    server.reactor.advance(HEAD_SECONDS + 0.1)
    assert peer.statuses == [200, 408]


def test_an_answer_that_takes_too_long(server):
    peer = server.peer()
    peer.send(GET % b"later")
    server.reactor.advance(ANSWER_SECONDS + 0.1)
    assert peer.statuses == [503]
    assert b"Retry-After: 1\r\n" in peer.data
    peer.send(GET % b"a")
    assert peer.statuses == [503, 200]


def test_what_nobody_waits_for_is_given_up(server):
    peer = server.peer()
    peer.send(GET % b"later")
    peer.transport.abortConnection()
    server.reactor.advance(1)  # it does not read while it answers
    server.reactor.advance(ANSWER_SECONDS)
    assert server.given_up == server.waiting
    assert server.factory._connections == set()


def test_a_peer_that_does_not_read(server):
    class Deaf(Peer):
        def connectionMade(self):
            self.transport.pauseProducing()

    peer = server.peer(Deaf)
    peer.send(GET % b"large" + GET % b"a")
    assert server.asked == ["/large"]
    server.reactor.advance(SEND_SECONDS + 0.1)
    assert server.factory._connections == set()
    peer.transport.resumeProducing()
    server.reactor.advance(1)
    assert peer.lost
    assert server.asked == ["/large"]


def test_a_peer_that_reads_slowly_is_served_on(server):
    class Slow(Peer):
        def connectionMade(self):
            self.transport.pauseProducing()

    peer = server.peer(Slow)
    peer.send(GET % b"large" + GET % b"a")
    server.reactor.advance(SEND_SECONDS - 1)
    peer.transport.resumeProducing()
    server.reactor.advance(1)
    assert peer.statuses == [200, 200]
    assert len(peer.bodies[0]) == 5_000_000


def test_no_timer_is_left(server):
    peer = server.peer()
    peer.send(GET % b"a")
    peer.transport.loseConnection()
    server.reactor.advance(1)
    server.port.stopListening()
    server.reactor.advance(0)
    assert server.reactor.getDelayedCalls() == []


# --- faults and ends


def test_an_answer_that_fails(server):
    def fail(request):
        raise ValueError("out of figures")

    server = Server(fail)
    peer = server.peer()
    with capturedLogs() as events:
        peer.send(GET % b"a")
    assert peer.statuses == [500]
    assert b"out of figures" not in peer.data
    assert [event["log_failure"].type for event in events if "log_failure" in event] == [ValueError]


def test_too_many_connections(server, monkeypatch):
    peers = [server.peer() for _ in range(MAX_CONNECTIONS)]
    late = server.peer()
    assert late.statuses == [503]
    server.reactor.advance(LINGER_SECONDS)
    assert late.lost
    peers[0].transport.loseConnection()
    server.reactor.advance(0)
    again = server.peer()
    again.send(GET % b"a")
    assert again.statuses == [200]


def test_connections_end_with_the_process():
    ending = []
    server = Server(ending=lambda: bool(ending))
    peer = server.peer()
    peer.send(GET % b"a")
    ending.append(True)
    peer.send(GET % b"b")
    assert b"Connection: close" in peer.data
    server.reactor.advance(LINGER_SECONDS)
    assert peer.lost


def test_connections_end_with_the_port(server):
    idle, busy = server.peer(), server.peer()
    busy.send(GET % b"later")
    server.port.stopListening()
    server.reactor.advance(0)
    assert idle.lost
    server.waiting[0].callback(Answer(200, TEXT, b"at last"))
    server.reactor.advance(LINGER_SECONDS)
    assert busy.bodies == [b"at last"]
    assert busy.lost
