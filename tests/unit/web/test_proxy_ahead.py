"""Proxies: what the server behind is told of the client, how long it may take, and WebSockets through it."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from torsion.internet.error import TimeoutError
from torsion.internet.interfaces import IReactorTime
from torsion.internet.task import Clock
from torsion.internet.testing import MemoryReactorClock
from torsion.python.failure import Failure
from torsion.web.proxy import ReverseProxyResource
from torsion.web.proxy.client import RESPONSE
from torsion.web.proxy.passing import MOST_IN_MEMORY
from unit.web.test_proxy import Behind, Meeting, Reactor

ASKS = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
CONSENT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade, X-Mine\r\nX-Mine: 1\r\n"
    b"Sec-WebSocket-Accept: yes\r\n\r\n"
)


@implementer(IReactorTime)
class TimedReactor(Clock):
    """A reactor that connects to nothing, with a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int, Any]] = []

    connectTCP = Reactor.connectTCP


def timed(**keywords: Any) -> tuple[Meeting, TimedReactor]:
    meeting = Meeting(**keywords)
    reactor = TimedReactor()
    meeting.reactor = reactor  # type: ignore[assignment]  # it is more than the other
    meeting.talk.site.resource.children[b"app"].reactor = reactor
    return meeting, reactor


# --- who asks --------------------------------------------------------------------------------------------------------


def test_the_server_behind_is_told_who_asks_and_how() -> None:
    fields = Meeting().ask("/app").fields()
    assert fields["x-forwarded-for"] == "192.168.1.1"
    assert fields["x-forwarded-host"] == "example.com"
    assert fields["x-forwarded-proto"] == "http"


def test_what_a_client_says_of_itself_does_not_stand() -> None:
    told = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "bank.example"}
    fields = Meeting().ask("/app", headers=told).fields()
    assert fields["x-forwarded-for"] == "10.0.0.1, 192.168.1.1", "the last is what this server has seen"
    assert (fields["x-forwarded-proto"], fields["x-forwarded-host"]) == ("http", "example.com")


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_server_that_does_not_answer_in_time() -> None:
    meeting, reactor = timed()
    behind = meeting.ask("/app")
    reactor.advance(RESPONSE - 1)
    assert meeting.talk.written() == b""
    reactor.advance(1)
    assert meeting.talk.answer().code == 504
    assert not behind.transport.connected
    behind.close()
    assert reactor.getDelayedCalls() == []


def test_a_server_that_has_begun_has_all_the_time() -> None:
    meeting, reactor = timed()
    behind = meeting.ask("/app")
    behind.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    reactor.advance(RESPONSE - 1)
    behind.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
    assert reactor.getDelayedCalls() == []
    reactor.advance(100 * RESPONSE)
    behind.say(b"b")
    assert meeting.talk.answer().body == b"ab"


def test_the_time_begins_behind_the_body() -> None:
    meeting, reactor = timed()
    behind = meeting.ask("/app", method="POST", body=bytes(MOST_IN_MEMORY + 1))
    reactor.advance(RESPONSE - 1)
    behind.transport.producer.resumeProducing()
    reactor.advance(RESPONSE - 1)
    assert meeting.talk.written() == b""
    reactor.advance(1)
    assert meeting.talk.answer().code == 504


@pytest.mark.parametrize("end", ["the client leaves", "the server leaves", "it cannot be read"])
def test_no_time_is_left_running(end: str) -> None:
    meeting, reactor = timed()
    behind = meeting.ask("/app")
    assert len(reactor.getDelayedCalls()) == 1
    if end == "the client leaves":
        meeting.talk.leave()
    elif end == "the server leaves":
        behind.close()
    else:
        behind.say(b"?\r\n\r\n")
    assert reactor.getDelayedCalls() == []


def test_the_time_is_a_setting_of_the_resource_and_all_below() -> None:
    resource = ReverseProxyResource("inner.example", 80, b"", MemoryReactorClock())
    resource.timeout = None
    assert resource.getChild(b"a", None).getChild(b"b", None).timeout is None


def test_a_server_that_cannot_be_reached_in_time() -> None:
    meeting = Meeting()
    meeting.talk.send("/app")
    meeting.reactor.asked[0][2].clientConnectionFailed(None, Failure(TimeoutError()))
    assert meeting.talk.answer().code == 504


# --- WebSockets ------------------------------------------------------------------------------------------------------


def asked() -> tuple[Meeting, Behind]:
    meeting, _ = timed()
    return meeting, meeting.ask("/app", headers=ASKS)


def test_a_websocket_goes_through() -> None:
    meeting, behind = asked()
    fields = behind.fields()
    assert (fields["connection"], fields["upgrade"]) == ("Upgrade", "websocket")
    assert fields["sec-websocket-key"] == ASKS["Sec-WebSocket-Key"]
    log: list[int] = []
    meeting.talk.site.log = lambda request: log.append(request.code)
    behind.say(CONSENT + b"early")
    head, _, rest = meeting.talk.written().partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert first == b"HTTP/1.1 101 Switching Protocols"
    names = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in lines}
    assert names[b"connection"] == b"Upgrade"
    assert names[b"upgrade"] == b"websocket"
    assert names[b"sec-websocket-accept"] == b"yes"
    assert not {b"x-mine", b"content-type", b"content-length", b"transfer-encoding"} & set(names)
    assert rest == b"early"
    behind.transport.clear()
    meeting.talk.channel.dataReceived(b"to the server")
    behind.say(b" and back")
    assert behind.transport.value() == b"to the server"
    assert meeting.talk.written().endswith(b"early and back")
    assert log == [101]
    assert meeting.reactor.getDelayedCalls() == []  # type: ignore[attr-defined]  # it is a clock


@pytest.mark.parametrize("who", ["client", "server"])
def test_the_end_of_one_side_is_that_of_the_other(who: str) -> None:
    meeting, behind = asked()
    behind.say(CONSENT)
    if who == "client":
        meeting.talk.leave()
        assert not behind.transport.connected
    else:
        behind.close()
        assert not meeting.talk.transport.connected


def test_neither_side_is_read_from_faster_than_the_other_reads() -> None:
    meeting, behind = asked()
    behind.say(CONSENT)
    assert meeting.talk.transport.producer is behind.transport
    assert behind.transport.producer is meeting.talk.transport


def test_a_server_that_refuses_answers_as_usual() -> None:
    meeting, behind = asked()
    behind.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    answer = meeting.talk.answer()
    assert (answer.code, answer.body) == (403, b"no")
    assert meeting.talk.transport.connected


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {**ASKS, "Upgrade": "h2c"}),
        ("GET", {**ASKS, "Connection": "keep-alive"}),
        ("POST", ASKS),
        ("GET", {}),
    ],
)
def test_nothing_else_is_changed_to(method: str, headers: dict[str, str]) -> None:
    meeting = Meeting()
    behind = meeting.ask("/app", method=method, headers=headers)
    assert behind.fields()["connection"] == "close"
    assert "upgrade" not in behind.fields()
    behind.say(CONSENT)
    assert meeting.talk.answer().code == 502
