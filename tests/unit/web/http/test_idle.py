"""What comes when nothing but a request is waited for: the short way begins there, and ends when anything else does."""

from __future__ import annotations

from typing import Any

import pytest

from torsion.web import server
from torsion.web.resource import Resource
from unit.web.http.wire import GET, Wire, post, say
from unit.web.talk import Talk

pytestmark = pytest.mark.usefixtures("way")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def idle(process: Any = None, **settings: Any) -> Wire:
    """Return a wire on which one request was answered, and whose further ones are given to *process*."""

    def answer(request: Any) -> None:
        (say(b"ok") if process is None or len(wire.asked) == 1 else process)(request)

    wire = Wire(answer, **settings)
    wire.send(GET)
    assert wire.take() == OK
    return wire


def test_a_head_that_comes_in_pieces_has_its_time() -> None:
    wire = idle(timeOut=60, headerTimeout=30)
    wire.clock.advance(50)
    wire.send(GET + GET[:5])
    assert wire.take() == OK
    wire.clock.advance(29)
    wire.send(GET[5:])
    assert wire.take() == OK
    wire.send(GET[:5])
    wire.clock.advance(30)
    assert wire.take().startswith(b"HTTP/1.1 408 ")


def test_what_cannot_be_read() -> None:
    wire = idle()
    wire.send(GET + b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + GET)
    written = wire.take()
    assert written.startswith(OK + b"HTTP/1.1 400 ")
    assert wire.closed


def test_one_that_is_answered_later() -> None:
    wire = idle(lambda _: None, timeOut=60)
    wire.send(GET + GET)
    assert len(wire.asked) == 2
    wire.clock.advance(1000)
    assert not wire.closed
    say(b"ok")(wire.asked[1])
    say(b"ok")(wire.asked[2])
    assert wire.take() == OK * 2
    wire.clock.advance(60)
    assert wire.closed


def test_one_with_a_body_amid_others() -> None:
    wire = idle()
    wire.send(GET + post(b"body") + GET + post(b"x" * 200_000)[:100_000])
    assert wire.take() == OK * 3
    wire.send(b"x" * 200_000 + GET)
    assert len(wire.asked) == 5


def test_another_protocol_takes_over() -> None:
    taken: list[bytes] = []

    class Taker:
        def makeConnection(self, transport: Any) -> None:
            pass

        def dataReceived(self, data: bytes) -> None:
            taken.append(data)

        def connectionLost(self, reason: Any) -> None:
            pass

    wire = idle(lambda request: request.channel.switchProtocol(Taker()))
    wire.send(GET + b"rest")
    wire.send(b"more")
    assert taken == [b"rest", b"more"]


def test_it_is_closed_within() -> None:
    wire = idle(lambda request: request.loseConnection())
    wire.send(GET + GET)
    assert len(wire.asked) == 2
    assert wire.closed


def test_who_is_held_back_within_gets_no_more() -> None:
    def process(request: Any) -> None:
        request.channel.pauseProducing()
        say(b"ok")(request)

    wire = idle(process)
    wire.send(GET + GET)
    assert wire.take() == OK
    wire.channel.resumeProducing()
    assert wire.take() == OK


class Kept(Resource):
    """Keeps its requests."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def render_GET(self, request: Any) -> bytes:
        self.requests.append(request)
        return b"four"


def test_who_keeps_a_request_sees_that_it_is_answered() -> None:
    root = Kept()
    talk = Talk(root)
    for _ in range(2):
        assert talk.ask("/").body == b"four"
    for request in root.requests:
        assert (request.finished, request.startedWriting, request.sentLength, request.channel) == (1, 1, 4, None)
        assert request.getClientIP() == "192.168.1.1"


def test_who_looks_behind_an_answer_sees_it() -> None:
    seen: list[Any] = []

    class Looking(server.Request):
        def process(self) -> None:
            super().process()
            seen.append((self.finished, self.sentLength, self.channel))

    root = Kept()
    talk = Talk(server.Site(root, requestFactory=Looking))
    talk.ask("/")
    talk.ask("/")
    assert seen == [(1, 4, None)] * 2


def test_a_query_with_too_many_fields_is_the_clients_failure() -> None:
    class Asking(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return b"%d" % len(request.args)

    talk = Talk(Asking())
    assert talk.ask("/?a=1" + "&" * 9_999).body == b"1"
    assert talk.ask("/?" + "&" * 10_000).code == 400
