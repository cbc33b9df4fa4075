"""The client's HTTP/2, in memory, with h2 as its server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("h2")

from h2.errors import ErrorCodes
from h2.events import StreamEnded, StreamReset, TrailersReceived
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from torsion.internet.defer import CancelledError
from torsion.internet.error import ConnectionDone
from torsion.internet.protocol import Protocol
from torsion.internet.task import Clock
from torsion.web.client import (
    Agent,
    BadResponse,
    HTTPConnectionPool,
    PoolIsFull,
    RequestGenerationFailed,
    RequestNotSent,
    RequestTimedOut,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
    WrongBodyLength,
)
from torsion.web.client.http2.connection import HTTP2ClientProtocol
from torsion.web.client.http2.limits import HEADERS, KEPT, STREAMS, WINDOW
from torsion.web.client.timeouts import EXPECT_PATIENCE, MOST_INTERIM
from torsion.web.http_headers import Headers
from torsion.web.iweb import UNKNOWN_LENGTH
from torsion.web.multiplex.counting import CONTROL
from unit.web.client.http2world import World2
from unit.web.client.test_protocol import Producer
from unit.web.client.world import Asked, read


def test_requests_share_a_connection_and_are_answered_side_by_side() -> None:
    world = World2()
    first = world.get(
        b"http://a/x?y", headers=Headers({"Cookie": ["c"], "TE": ["trailers", "gzip"], "Connection": ["x"]})
    )
    second = world.get(b"http://a/z", b"HEAD")
    assert len(world.wires) == 1
    server = world.server
    assert server.asked[0] == {
        ":method": "GET", ":scheme": "http", ":authority": "a", ":path": "/x?y", "cookie": "c", "te": "trailers",
    }  # fmt: skip
    server.answer(3, content_length="5", x_y="z")
    assert second.response.length == 5
    assert second.response.version == (b"HTTP", 2, 0)
    assert list(second.response.headers.getAllRawHeaders()) == [(b"Content-Length", [b"5"]), (b"X-Y", [b"z"])]
    assert (read(second.response).got, first.answered) == (b"", False)
    server.answer(1, b"body", 404)
    assert (first.response.code, first.response.phrase) == (404, b"Not Found")
    assert first.response.length is UNKNOWN_LENGTH
    body = read(first.response)
    assert (body.got, type(body.end)) == (b"body", ResponseDone)
    world.clock.advance(world.pool.cachedConnectionTimeout)
    assert not world.wire.open
    assert world.clock.getDelayedCalls() == []
    assert not world.pool._places


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Proxy-Authorization"])
def test_secrets_are_not_put_into_the_table_of_the_compression(name: str) -> None:
    """What is in the table can be guessed by the lengths of other requests: RFC 7541, 7.1."""
    secret = "a secret that is too long for h2 to take it for one"
    world = World2()
    for _ in range(2):
        world.get(headers=Headers({name: [secret], "X-Public": ["known to all"]}))
    server = world.server
    assert [asked[name.lower()] for asked in server.asked] == [secret] * 2
    assert [asked["x-public"] for asked in server.asked] == ["known to all"] * 2
    table = [value for _, value in server.h2.decoder.header_table.dynamic_entries]
    assert b"known to all" in table
    assert secret.encode() not in table


def test_the_server_is_told_how_long_headers_may_be() -> None:
    world = World2()
    world.get()
    server = world.server
    assert server.h2.remote_settings.max_header_list_size == HEADERS
    assert server.h2.remote_settings.enable_push == 0
    assert server.h2.remote_settings.initial_window_size == WINDOW


def test_no_more_requests_at_a_time_than_the_server_allows() -> None:
    world = World2(MAX_CONCURRENT_STREAMS=2)
    world.pool.maxQueuedPerHost = 2
    asked = [world.get()]
    world.server.flush()  # it says how many
    asked += [world.get() for _ in range(4)]
    assert len(world.server.asked) == 2
    assert isinstance(asked[4].error, PoolIsFull)
    world.server.answer(1)
    assert len(world.server.asked) == 3
    asked[3].deferred.cancel()
    assert isinstance(asked[3].error, CancelledError)
    world.server.answer(3)
    world.server.answer(5)
    assert [each.response.code for each in asked[:3]] == [200, 200, 200]
    assert len(world.server.asked) == 3


def test_who_waits_too_long_for_a_turn() -> None:
    world = World2(MAX_CONCURRENT_STREAMS=1)
    world.get()
    world.server.flush()
    late = world.get()
    world.clock.advance(60)
    assert isinstance(late.error, RequestTimedOut)
    world.server.answer(1)
    assert len(world.server.asked) == 1
    for _ in range(STREAMS + 5):
        world.get()
    assert len(world.server.asked) == 2


def test_our_own_limit_of_requests_at_a_time() -> None:
    world = World2(MAX_CONCURRENT_STREAMS=10 * STREAMS)
    for _ in range(STREAMS + 5):
        world.get()
    assert len(world.server.asked) == STREAMS


def test_a_reader_that_pauses_stops_the_window() -> None:
    world = World2(INITIAL_WINDOW_SIZE=10)
    slow, quick = world.get(), world.get()
    server = world.server
    server.answer(1, b"x" * 1000, end=False)
    reader = read(slow.response)
    reader.transport.pauseProducing()
    while size := min(server.h2.local_flow_control_window(1), 16384):
        server.h2.send_data(1, b"x" * size)
        server.flush()
    assert server.h2.local_flow_control_window(3) == WINDOW, "the other one is held up"
    server.answer(3, b"y")
    assert read(quick.response).got == b"y"
    assert len(reader.got) <= 1000
    reader.transport.resumeProducing()
    server.flush()
    assert server.h2.local_flow_control_window(1) > WINDOW // 2
    assert len(reader.got) == WINDOW
    reader.transport.stopProducing()
    assert [event.error_code for event in server.of(StreamReset)] == [ErrorCodes.CANCEL]
    assert isinstance(reader.end, ResponseFailed)
    assert world.wire.open, "the others' connection was closed"


def test_an_upload_waits_for_the_window() -> None:
    world = World2(INITIAL_WINDOW_SIZE=1000)
    world.get()
    world.server.flush()
    producer = Producer(KEPT * 2)
    asked = world.get(method=b"POST", body=producer)
    producer.consumer.write(b"x" * (KEPT + 1000))
    assert producer.calls == ["pause"]
    assert len(world.server.body) == 1000
    world.server.h2.increment_flow_control_window(KEPT, 3)
    world.server.h2.increment_flow_control_window(KEPT)
    assert len(world.server.body) == KEPT + 1000
    assert producer.calls == ["pause", "resume"]
    world.wire.producer.pauseProducing()
    assert producer.calls[-1] == "pause"
    world.wire.producer.resumeProducing()
    assert producer.calls[-1] == "resume"
    producer.consumer.write(b"x" * (KEPT - 1000))
    producer.done.callback(None)
    world.server.h2.increment_flow_control_window(KEPT, 3)
    world.server.h2.increment_flow_control_window(KEPT)
    assert len(world.server.body) == 2 * KEPT
    assert [event.stream_id for event in world.server.of(StreamEnded)] == [1, 3]
    assert world.server.asked[1]["content-length"] == str(2 * KEPT)
    world.server.answer(3)
    assert asked.response.code == 200


@pytest.mark.parametrize("written", [b"x", b"xxx"])
def test_a_body_of_another_length(written: bytes) -> None:
    world = World2()
    producer = Producer(2)
    asked = world.get(method=b"PUT", body=producer)
    producer.consumer.write(written)
    if len(written) < 2:
        producer.done.callback(None)
    assert isinstance(asked.error, RequestGenerationFailed)
    assert asked.error.reasons[0].check(WrongBodyLength)
    assert [event.stream_id for event in world.server.of(StreamReset)] == [1]
    assert not world.get().answered
    assert world.wire.open


def test_an_answer_before_the_body_was_sent() -> None:
    world = World2()
    producer = Producer(UNKNOWN_LENGTH)
    asked = world.get(method=b"POST", body=producer)
    world.server.answer(1, b"no", 413)
    assert read(asked.response).got == b"no"
    assert producer.calls == ["stop"]
    assert len(world.server.of(StreamReset)) == 1


def test_expecting_to_continue() -> None:
    world = World2()
    producers = [Producer(1), Producer(1), Producer(1)]
    asked = [world.get(method=b"POST", body=each, headers=Headers({"Expect": ["100-continue"]})) for each in producers]
    server = world.server
    server.h2.send_headers(1, [(":status", "100")])
    server.answer(3, status=417)
    server.flush()
    assert [each.consumer is not None for each in producers] == [True, False, False]
    assert asked[1].response.code == 417
    world.clock.advance(EXPECT_PATIENCE)
    assert [each.consumer is not None for each in producers] == [True, False, True]
    assert not asked[0].answered


def test_trailers_and_interim_responses() -> None:
    world = World2()
    asked = world.get()
    server = world.server
    for _ in range(2):
        server.h2.send_headers(1, [(":status", "103"), ("link", "x")])
    server.answer(1, b"body", end=False)
    server.h2.send_headers(1, [("x-sum", "1")], end_stream=True)
    server.flush()
    assert (read(asked.response).got, asked.response.trailers) == (b"body", [(b"x-sum", b"1")])
    endless = world.get()
    server.flush()
    for _ in range(MOST_INTERIM + 1):
        server.h2.send_headers(3, [(":status", "103")])
    server.flush()
    assert endless.error.reasons[0].check(BadResponse)
    assert world.wire.open
    assert not server.of(TrailersReceived)


# --- refusals, and the end -----------------------------------------------------------------------------------------------


def test_what_the_server_has_not_looked_at_goes_to_another_connection() -> None:
    world = World2()
    kept, post, body = world.get(), world.get(method=b"POST"), world.get(method=b"POST", body=Producer(1))
    first = world.server
    first.raw(GoAwayFrame(0, last_stream_id=1, error_code=0))
    world.meet()
    assert len(world.wires) == 2
    assert isinstance(body.error, RequestTransmissionFailed), "a body that was begun cannot be sent again"
    first.answer(1, b"still answered")
    assert read(kept.response).got == b"still answered"
    assert not world.wires[0].open
    assert world.server.asked[0][":method"] == "POST"
    world.server.answer(1)
    assert post.response.code == 200
    assert len(world.get().results) == 0
    assert len(world.wires) == 2


def test_a_farewell_to_those_that_wait() -> None:
    world = World2(MAX_CONCURRENT_STREAMS=1)
    world.get()
    world.server.flush()
    waits = world.get()
    world.server.raw(GoAwayFrame(0, last_stream_id=1, error_code=0, additional_data=b"bye"))
    assert len(world.wires) == 2
    world.server.answer(1)
    assert waits.response.code == 200


def test_connections_that_serve_one_request_each() -> None:
    world = World2()
    asked = [world.get() for _ in range(8)]
    for number in range(8):
        server = world.server
        server.answer(1)
        server.raw(GoAwayFrame(0, last_stream_id=1, error_code=0))
        world.meet()
        assert sum(each.answered for each in asked) == number + 1
    assert [each.response.code for each in asked] == [200] * 8


def test_connections_that_serve_none() -> None:
    world = World2()
    asked = world.get()
    for _ in range(3):
        assert not asked.answered
        world.server.raw(GoAwayFrame(0, last_stream_id=0, error_code=0))
        world.meet()
    assert isinstance(asked.error, RequestNotSent)
    assert len(world.wires) == 3


def test_a_server_that_refuses_everything_is_not_asked_for_ever() -> None:
    world = World2()
    asked = world.get()
    for number in (1, 3, 5):
        assert not asked.answered
        world.server.h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
        world.server.flush()
    assert isinstance(asked.error, RequestNotSent)
    assert len(world.server.asked) == 3


def test_without_retries() -> None:
    world = World2()
    world.pool.retryAutomatically = False
    asked = world.get()
    world.server.h2.reset_stream(1, ErrorCodes.REFUSED_STREAM)
    world.server.flush()
    assert isinstance(asked.error, RequestNotSent)


@pytest.mark.parametrize("code", [ErrorCodes.INTERNAL_ERROR, ErrorCodes.HTTP_1_1_REQUIRED])
def test_what_the_server_breaks_off(code: Any) -> None:
    world = World2()
    asked, begun = world.get(), world.get()
    world.server.answer(3, b"a part", end=False)
    reader = read(begun.response)
    for number in (1, 3):
        world.server.h2.reset_stream(number, code)
    world.server.flush()
    assert asked.error.reasons[0].check(BadResponse)
    assert ("HTTP/1.1" in str(asked.error.reasons[0].value)) is (code == ErrorCodes.HTTP_1_1_REQUIRED)
    assert (reader.got, type(reader.end)) == (b"a part", ResponseFailed)
    assert world.wire.open


def test_the_connection_is_lost() -> None:
    world = World2()
    used = world.get()
    world.server.answer(1)
    asked = [world.get(method=b"POST"), world.get(method=b"PUT", body=Producer(1)), world.get(), world.get()]
    server = world.server
    server.answer(9, b"a part", end=False)
    reader = read(asked[3].response)
    world.wire.lose(ConnectionDone())
    assert isinstance(asked[0].error, ResponseNeverReceived)
    assert isinstance(asked[1].error, RequestTransmissionFailed)
    assert not asked[2].answered, "a GET on a connection that was used before is made again"
    assert isinstance(reader.end, ResponseFailed)
    world.server.answer(1)
    assert asked[2].response.code == used.response.code == 200
    assert len(world.wires) == 2


def test_the_first_request_of_a_connection_is_not_made_again() -> None:
    world = World2()
    asked = world.get()
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, ResponseNeverReceived)
    assert len(world.wires) == 1


def test_to_cancel_leaves_the_others_alone() -> None:
    world = World2()
    gone, stays = world.get(), world.get()
    gone.deferred.cancel()
    assert isinstance(gone.error, ResponseNeverReceived)
    assert gone.error.reasons[0].check(CancelledError)
    world.server.answer(3)
    assert stays.response.code == 200
    assert [event.error_code for event in world.server.of(StreamReset)] == [ErrorCodes.CANCEL]


def test_connections_are_not_shared_without_a_pool() -> None:
    world = World2(persistent=False)
    asked = [world.get(), world.get()]
    assert len(world.wires) == 2
    for server in world.servers:
        server.answer(1)
    assert [each.response.code for each in asked] == [200, 200]
    assert not any(wire.open for wire in world.wires)


def test_a_pool_that_is_closed() -> None:
    world = World2()
    world.get()
    world.server.answer(1)
    done = Asked(world.pool.closeCachedConnections())
    assert done.results == [None]
    assert not world.wire.open
    busy = world.get()
    Asked(world.pool.closeCachedConnections())
    world.get()
    assert len(world.wires) == 3
    world.servers[1].answer(1)
    assert busy.response.code == 200
    assert not world.wires[1].open


def test_what_raises_costs_one_request(flush_errors: Callable[..., list[Any]]) -> None:
    class Raises(Protocol):
        def dataReceived(self, data: bytes) -> None:
            raise RuntimeError("as asked")

        connectionLost = dataReceived  # type: ignore[assignment]  # raises as well

    class BadProducer(Producer):
        def stopProducing(self) -> None:
            raise RuntimeError("as asked")

        pauseProducing = stopProducing

    world = World2()
    asked = [world.get(), world.get(), world.get(), world.get(method=b"POST", body=BadProducer())]
    server = world.server
    for number in (1, 3):
        server.answer(number, b"a part", end=False)
    server.answer(5, b"all of it", end=False)
    with pytest.raises(RuntimeError):
        asked[0].response.deliverBody(Raises())
    reader = read(asked[2].response)
    server.h2.send_data(1, b"more")
    server.h2.send_data(5, b", really", end_stream=True)
    server.flush()
    assert (reader.got, type(reader.end)) == (b"all of it, really", ResponseDone)
    world.wire.producer.pauseProducing()
    assert isinstance(asked[3].error, RequestGenerationFailed)
    assert world.wire.open
    assert len(flush_errors(RuntimeError)) >= 2


def test_windows_of_what_was_broken_off_at_once() -> None:
    world = World2(INITIAL_WINDOW_SIZE=10)
    world.get()
    world.server.flush()
    producer = Producer(1000)
    asked, other = world.get(method=b"POST", body=producer), world.get()
    producer.consumer.write(b"x" * 500)
    server = world.server
    server.h2.increment_flow_control_window(100, 3)
    server.h2.increment_flow_control_window(100)
    server.h2.reset_stream(3, ErrorCodes.INTERNAL_ERROR)
    server.answer(5)
    assert isinstance(asked.error, ResponseFailed)
    assert producer.calls == ["stop"]
    assert other.response.code == 200
    assert world.wire.open


def test_a_request_that_is_made_while_a_response_is_read() -> None:
    """h2 forgets the response's request then, if all of it has come: its bytes are given back all the same."""
    world = World2()
    asked = world.get()
    world.server.answer(1, b"x", end=False)
    made: list[Asked] = []

    class Asking(Protocol):
        def dataReceived(self, data: bytes) -> None:
            made.append(world.get())

    asked.response.deliverBody(Asking())
    server = world.server
    parts = b"".join(DataFrame(1, bytes(16_384)).serialize() for _ in range(WINDOW // 16_384 - 1))
    world.wire.say(parts + DataFrame(1, b"x", flags=["END_STREAM"]).serialize())
    assert world.wire.open
    assert len(made) == WINDOW // 16_384 + 1
    assert server


# --- servers that mean harm ----------------------------------------------------------------------------------------------


class Unknown(PingFrame):
    def serialize(self) -> bytes:
        return b"\0\0\1\x55\0\0\0\0\0x"


def broken(world: World2, asked: Asked) -> str:
    assert not world.wire.open
    assert isinstance(asked.error, ResponseNeverReceived | ResponseFailed)
    return str(asked.error.reasons[0].value)


@pytest.mark.parametrize(
    "frame",
    [
        PingFrame(0, b"12345678"),
        SettingsFrame(0, {0x4: 70_000}),
        WindowUpdateFrame(0, 1),
        Unknown(0),
        GoAwayFrame(0, last_stream_id=1),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_floods_end_it(frame: Any) -> None:
    world = World2()
    asked = world.get()
    world.server.flush()
    world.wire.say(frame.serialize() * (CONTROL - 10))
    assert world.wire.open
    world.wire.say(frame.serialize() * 20)
    assert "too many frames" in broken(world, asked)


def test_empty_data_is_a_flood_as_well() -> None:
    world = World2()
    asked = world.get()
    world.server.answer(1, b"x", end=False)
    world.wire.say(DataFrame(1, b"").serialize() * (CONTROL + 10))
    assert not world.wire.open
    assert isinstance(read(asked.response).end, ResponseFailed)


def test_a_bomb_of_headers_is_not_unpacked() -> None:
    world = World2()
    asked = world.get()
    encoder = world.server.h2.encoder
    bomb = encoder.encode([(":status", "200"), ("x", "y" * 3900)]) + encoder.encode([("x", "y" * 3900)]) * 1000
    world.wire.say(HeadersFrame(1, bomb, flags=["END_HEADERS"]).serialize())
    broken(world, asked)


@pytest.mark.parametrize(
    "sent", [b"\0\0\1\6\0\0\0\0\1x", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\1\1\5\0\0\0\1\xff"]
)
def test_what_is_no_http2_ends_it(sent: bytes) -> None:
    world = World2()
    asked = world.get()
    world.server.flush()
    world.wire.say(sent)
    assert "HTTP/2" in broken(world, asked)


@pytest.mark.parametrize("status", ["", "2", "20x", "2000"])
def test_a_status_that_is_none(status: str) -> None:
    world = World2()
    asked = world.get()
    server = world.server
    server.h2.config.validate_outbound_headers = False
    server.h2.send_headers(1, [(":status", status)], end_stream=True)
    server.flush()
    assert isinstance(asked.error, ResponseFailed)


@pytest.mark.parametrize("uri", [b"http://a/b c", b"http://a/\r\n"])
def test_what_cannot_be_sent(uri: bytes) -> None:
    world = World2()
    with pytest.raises(ValueError, match="URI"):
        world.get(b"http://a/ b" if uri.endswith(b"\n") else uri)
    asked = world.get(method=b"CONNECT")
    assert isinstance(asked.error, RequestGenerationFailed)
    asked = world.get(headers=Headers({"Transfer-Encoding": ["chunked"]}))
    assert isinstance(asked.error, RequestGenerationFailed)
    assert not world.server.asked


def test_asking_for_it() -> None:
    with pytest.raises(ValueError, match="prior-knowledge"):
        Agent(Clock(), http2="yes")
    pool = HTTPConnectionPool(Clock())
    assert repr(HTTP2ClientProtocol(clock=Clock())).startswith("<HTTP2ClientProtocol QUIESCENT")
    assert Agent(Clock(), pool=pool, http2=True)
