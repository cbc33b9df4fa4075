"""A site that speaks HTTP/2, in memory, with h2 as its client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("h2")

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes
from hyperframe.frame import HeadersFrame, PingFrame, SettingsFrame

from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransportWithDisconnection
from torsion.python.failure import Failure
from torsion.web.http2 import HTTP2Connection
from torsion.web.http2.limits import CONTROL, RESETS
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Site


class Answers(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.ends: list[Any] = []

    def render_GET(self, request: Any) -> Any:
        self.requests.append(request)
        match request.path:
            case b"/later":
                request.notifyFinish().addBoth(self.ends.append)
                return NOT_DONE_YET
            case b"/raise":
                raise RuntimeError("as asked")
            case b"/large":
                return b"x" * 200_000
            case b"/huge":
                return b"x" * 24_000_000
        return b"%b of %b" % (request.path, request.getHeader(b"host"))

    def render_POST(self, request: Any) -> bytes:
        return b"%d" % len(request.content.read())


class Client:
    """A client, and a site."""

    def __init__(self, window: int | None = None) -> None:
        self.answers = Answers()
        self.clock = Clock()
        self.site = Site(self.answers, reactor=self.clock)
        self.site.http2 = HTTP2Connection
        self.channel = self.site.buildProtocol(None)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)
        self.h2 = H2Connection(config=H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.events = self.flush()

    def flush(self) -> list[Any]:
        """Carry bytes both ways until there are none; return what the client was told."""
        found: list[Any] = []
        while data := self.h2.data_to_send():
            self.channel.dataReceived(data)
            found += self.take()
        return found + self.take()

    def take(self) -> list[Any]:
        written = self.transport.value()
        self.transport.clear()
        return self.h2.receive_data(written) if written else []

    def ask(self, path: str = "/", method: str = "GET", end: bool = True, **more: str) -> int:
        number: int = self.h2.get_next_available_stream_id()
        headers = {":method": method, ":scheme": "http", ":authority": "example.com", ":path": path, **more}
        self.h2.send_headers(number, list(headers.items()), end_stream=end)
        return number

    def answer(self, number: int, events: list[Any]) -> tuple[str, bytes, bool]:
        mine = [event for event in events if getattr(event, "stream_id", None) == number]
        codes = [dict(event.headers)[":status"] for event in mine if isinstance(event, ResponseReceived)]
        body = b"".join(event.data for event in mine if isinstance(event, DataReceived))
        return codes[0], body, any(isinstance(event, StreamEnded) for event in mine)


def told_to_calm_down(events: list[Any]) -> bool:
    return [e.error_code for e in events if isinstance(e, ConnectionTerminated)] == [ErrorCodes.ENHANCE_YOUR_CALM]


def test_requests_are_answered_side_by_side() -> None:
    client = Client()
    later, quick = client.ask("/later"), client.ask("/quick")
    events = client.flush()
    assert client.answer(quick, events) == ("200", b"/quick of example.com", True)
    request = client.answers.requests[0]
    assert request.clientproto == b"HTTP/2"
    request.setHeader(b"Connection", b"close")  # means nothing here, and must not be sent
    request.write(b"a")
    request.finish()
    assert client.answer(later, client.take()) == ("200", b"a", True)
    assert client.answers.ends == [None]
    missing = client.ask("/", "BREW")
    assert client.answer(missing, client.flush())[0] == "501"


def test_bodies_and_cookies() -> None:
    client = Client()
    number = client.ask("/", "POST", end=False)
    for _ in range(20):
        client.h2.send_data(number, b"x" * 10_000)
        client.flush()  # the window is given back
    client.h2.send_data(number, b"", end_stream=True)
    assert client.answer(number, client.flush()) == ("200", b"200000", True)
    client.channel.maxBodySize = 5
    number = client.ask("/", "POST", end=False)
    client.h2.send_data(number, b"x" * 6)
    assert client.answer(number, client.flush()) == ("413", b"", True)


def test_a_response_waits_for_the_window() -> None:
    client = Client(window=10)
    number = client.ask("/large")
    assert client.answer(number, client.flush()) == ("200", b"x" * 10, False)
    client.h2.increment_flow_control_window(200_000, number)
    client.h2.increment_flow_control_window(200_000)
    body = b"".join(event.data for event in client.flush() if isinstance(event, DataReceived))
    assert len(body) == 200_000 - 10


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


def test_a_producer_is_paused_for_the_window_and_for_the_transport() -> None:
    client = Client(window=0)
    number = client.ask("/later")
    client.flush()
    request, producer = client.answers.requests[0], Producer()
    request.registerProducer(producer, True)
    request.write(b"x" * 60_000)
    assert producer.told == []
    request.write(b"x" * 10_000)
    assert producer.told == ["pause"]
    client.take()
    client.h2.increment_flow_control_window(100_000, number)
    client.h2.increment_flow_control_window(100_000)
    client.flush()
    assert producer.told == ["pause", "resume"]
    client.transport.producer.pauseProducing()
    assert producer.told == ["pause", "resume", "pause"]
    client.transport.producer.resumeProducing()
    assert producer.told == ["pause", "resume", "pause", "resume"]
    request.unregisterProducer()


def test_a_window_that_stays_shut() -> None:
    client = Client(window=0)
    number = client.ask("/large")
    client.flush()
    client.clock.advance(60)
    resets = [event for event in client.take() if isinstance(event, StreamReset)]
    assert [event.stream_id for event in resets] == [number]
    client.clock.advance(60)
    assert not client.transport.connected


def test_an_idle_connection_is_closed() -> None:
    client = Client()
    client.clock.advance(30)
    client.ask("/")
    client.flush()
    client.clock.advance(30)
    assert client.transport.connected
    client.clock.advance(30)
    assert not client.transport.connected
    assert client.clock.getDelayedCalls() == []


def test_a_program_that_fails(flush_errors: Callable[..., list[Any]]) -> None:
    client = Client()
    assert client.answer(client.ask("/raise"), client.flush())[0] == "500"
    assert flush_errors(RuntimeError)


def test_who_leaves_is_told_of() -> None:
    client = Client()
    number = client.ask("/later")
    client.flush()
    client.h2.reset_stream(number, ErrorCodes.CANCEL)
    client.flush()
    client.ask("/later")
    client.flush()
    client.channel.connectionLost(Failure(ConnectionDone()))
    assert len(client.answers.ends) == 2
    assert all(isinstance(end, Failure) for end in client.answers.ends)


def test_rapid_resets_end_it() -> None:
    client = Client()
    for _ in range(RESETS):
        client.h2.reset_stream(client.ask("/later"), ErrorCodes.CANCEL)
    assert not told_to_calm_down(client.flush())
    client.h2.reset_stream(client.ask("/later"), ErrorCodes.CANCEL)
    assert told_to_calm_down(client.flush())
    assert not client.transport.connected


@pytest.mark.parametrize("frame", [PingFrame(0, b"12345678"), SettingsFrame(0, {0x4: 70_000})])
def test_floods_end_it(frame: Any) -> None:
    client = Client()
    client.channel.dataReceived(frame.serialize() * (CONTROL - 10))
    assert client.transport.connected
    client.channel.dataReceived(frame.serialize() * 20)
    assert not client.transport.connected


def test_a_bomb_of_headers_is_not_unpacked() -> None:
    client = Client()
    pieces = client.h2.encoder.encode([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("x", "y" * 3900)])
    bomb = pieces + client.h2.encoder.encode([("x", "y" * 3900)]) * 1000  # one byte each
    frame = HeadersFrame(1, bomb, flags=["END_HEADERS", "END_STREAM"])
    client.channel.dataReceived(frame.serialize())
    assert not client.transport.connected
    assert client.answers.requests == []


@pytest.mark.parametrize("sent", [b"\0\0\1\6\0\0\0\0\1x", b"\0\0\4\4\1\0\0\0\0abcd", b"\0\0\1\1\5\0\0\0\1\xff"])
def test_what_is_no_http2_ends_it(sent: bytes) -> None:
    client = Client()
    client.channel.dataReceived(sent)
    assert any(isinstance(event, ConnectionTerminated) for event in client.take())
    assert not client.transport.connected


def test_a_client_of_http1_is_served_as_before() -> None:
    site = Site(Answers(), reactor=Clock())
    site.http2 = HTTP2Connection
    assert site.acceptableProtocols() == [b"h2", b"http/1.1"]
    channel, transport = site.buildProtocol(None), StringTransportWithDisconnection()
    channel.makeConnection(transport)
    channel.dataReceived(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
    assert transport.value().endswith(b"/x of h")


def test_a_client_may_open_its_windows_at_each_frame_of_a_large_response() -> None:
    client = Client()
    number = client.ask("/huge")
    events = client.flush()
    size = 0
    while parts := [event for event in events if isinstance(event, DataReceived)]:
        for part in parts:
            size += len(part.data)
            if part.stream_ended is None and size < 24_000_000:
                client.h2.increment_flow_control_window(len(part.data), number)
                client.h2.increment_flow_control_window(len(part.data))
        events = client.flush()
        assert not told_to_calm_down(events)
    assert size == 24_000_000


def test_who_opens_a_window_by_single_bytes_is_told_to_calm_down() -> None:
    client = Client(window=0)
    number = client.ask("/large")
    events = client.flush()
    for _ in range(CONTROL + 10):
        if told_to_calm_down(events):
            break
        client.h2.increment_flow_control_window(1, number)
        events = client.flush()
    assert told_to_calm_down(events)


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize(
    "wrong",
    [
        {":method": "GE T"},
        {":path": "/a b"},
        {":path": "a"},
        {":path": "http://a/"},
        {":authority": "a/b"},
        {":authority": "u@a"},
    ],
    ids=str,
)
def test_what_http_1_1_would_not_let_pass_is_refused(wrong: dict[str, str], end: bool) -> None:
    client = Client()
    client.h2.config.validate_outbound_headers = False
    headers = {":method": "GET", ":scheme": "http", ":authority": "example.com", ":path": "/", **wrong}
    client.h2.send_headers(1, list(headers.items()), end_stream=end)
    assert client.answer(1, client.flush()) == ("400", b"", True)
    assert client.answers.requests == []
    assert client.answer(number := client.ask("/next"), client.flush())[0] == "200"
    assert number == 3
