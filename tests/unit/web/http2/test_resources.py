"""Resources are the same over HTTP/2: what they are told, how bodies come to them, and what they answer."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("h2")

from hyperframe.frame import RstStreamFrame, WindowUpdateFrame

from torsion._native import HTTPHead
from torsion.internet.defer import Deferred
from torsion.internet.testing import MemoryReactorClock, StringTransport
from torsion.web.asgi import ASGIResource
from torsion.web.http.body import MOST_IN_STREAM
from torsion.web.http2 import limits
from torsion.web.http2.heads import read_head
from torsion.web.proxy import ReverseProxyResource
from torsion.web.resource import EncodingResourceWrapper, Resource
from torsion.web.server import NOT_DONE_YET, GzipEncoderFactory
from torsion.web.wsgi import WSGIResource
from unit.web.http2.raw import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INTERNAL,
    Raw,
    block,
    frame,
    get,
    outcome,
    post,
    reset,
    settings,
    window,
)


class Fixed(Resource):
    """Answers by a function."""

    isLeaf = True

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        super().__init__()
        self.answer = answer

    def render(self, request: Any) -> Any:
        return self.answer(request)


class Streamed(Fixed):
    streamsBody = True


def data(content: bytes, number: int = 1, end: bool = False) -> bytes:
    return frame(DATA, END_STREAM if end else 0, number, content)


# --- the head ----------------------------------------------------------------------------------------------------------


def test_a_head_is_used_as_one_of_http_1() -> None:
    head = read_head([(b":method", b"GET"), (b":path", b"/"), (b"range", b"bytes=1-")], True, 100, 10)
    assert {name for name in dir(HTTPHead) if name[0] != "_"} <= set(dir(head))
    assert head.lower_fields == head.fields == [(b"range", b"bytes=1-")]
    assert head.conditional
    assert not read_head([(b":method", b"GET"), (b":path", b"/"), (b"x", b"y")], True, 100, 10).conditional


def test_what_a_resource_is_told() -> None:
    seen: list[Any] = []

    def answer(request: Any) -> bytes:
        seen.append((request.method, request.uri, request.path, request.args, request.clientproto))
        seen.append((request.getHeader(b"Host"), request.getRequestHostname(), request.received_cookies))
        seen.append((request.requestHeaders.getRawHeaders(b"x"), request.isSecure(), request.prePathURL()))
        return b""

    fields = [(b"x", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x", b"2")]
    Raw(Fixed(answer)).send(get(1, *fields, path=b"/p?q=1", host=b"example.com:8"))
    assert seen == [
        (b"GET", b"/p?q=1", b"/p", {b"q": [b"1"]}, b"HTTP/2"),
        (b"example.com:8", b"example.com", {b"a": b"1", b"b": b"2"}),
        ([b"1", b"2"], False, b"http://example.com:8/"),
    ]


@pytest.mark.parametrize(("method", "code"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_answers_without_a_body(method: bytes, code: int) -> None:
    def answer(request: Any) -> bytes:
        request.setResponseCode(code)
        return b"body" if code == 200 else b""

    raw = Raw(Fixed(answer))
    found = raw.send(get(method=method))
    assert raw.status() == b"%d" % code
    assert raw.bodies[1] == b""
    assert [type(each).__name__ for each in found] == ["HeadersFrame"]  # which is the end


def test_an_answer_is_as_short_as_it_can_be() -> None:
    found = Raw(Fixed(lambda _: b"hello")).send(get())
    assert [type(each).__name__ for each in found] == ["HeadersFrame", "DataFrame"]


def test_headers_that_mean_nothing_here_are_not_sent() -> None:
    def answer(request: Any) -> bytes:
        for name in (b"Connection", b"Keep-Alive", b"Upgrade", b"Transfer-Encoding"):
            request.setHeader(name, b"x")
        request.setHeader(b"X-Line", b"a\r\nb")
        request.addCookie(b"c", b"1")
        return b""

    raw = Raw(Fixed(answer))
    raw.send(get())
    (head,) = raw.heads[1]
    assert {*head} >= {b":status", b"server", b"date", b"content-length", b"x-line", b"set-cookie"}
    assert not {*head} & {b"connection", b"keep-alive", b"upgrade", b"transfer-encoding"}
    assert head[b"x-line"] == b"a b"


def test_an_answer_that_is_shorter_than_it_says_does_not_look_complete() -> None:
    def answer(request: Any) -> Any:
        request.setHeader(b"content-length", b"10")
        request.write(b"short")
        request.finish()
        return NOT_DONE_YET

    raw = Raw(Fixed(answer))
    assert outcome(raw, raw.send(get())) == f"reset 1 {INTERNAL}"


# --- bodies of requests ------------------------------------------------------------------------------------------------


def test_a_body_is_stored_and_has_its_trailers() -> None:
    def answer(request: Any) -> bytes:
        return b"%d %r" % (len(request.content.read()), request.trailers)

    raw = Raw(Fixed(answer))
    raw.send(post(), *(data(bytes(16_000)) for _ in range(20)))
    raw.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, block([(b"x-sum", b"1")])))
    assert raw.bodies[1] == b"320000 [(b'x-sum', b'1')]"


@pytest.mark.parametrize("written", [b"", b"one", bytes(100_000)])
def test_fields_behind_the_body_of_a_response(written: bytes) -> None:
    def answer(request: Any) -> Any:
        request.write(written)
        request.addTrailer(b"X-Took", b"3 ms")
        request.finish()
        return NOT_DONE_YET

    raw = Raw(Fixed(answer))
    raw.send(get(1), window(0, 100_000), window(1, 100_000))
    assert raw.bodies[1] == written
    assert [head.get(b"x-took") for head in raw.heads[1]] == [None, b"3 ms"]


def test_a_form() -> None:
    raw = Raw(Fixed(lambda request: request.args[b"a"][0]))
    raw.send(post(1, (b"content-type", b"application/x-www-form-urlencoded")), data(b"a=tea", end=True))
    assert raw.bodies[1] == b"tea"


@pytest.mark.parametrize("streams", [False, True])
def test_the_client_is_told_to_go_on(streams: bool) -> None:
    raw = Raw(Streamed(lambda request: request.path), streamsBodies=streams)
    raw.send(post(1, (b"expect", b"100-continue")))
    assert raw.status(1) == (b"200" if streams else b"100")  # one that answers at once has no use for the body
    if not streams:
        raw.send(data(b"x", end=True))
    assert [head[b":status"] for head in raw.heads[1]] == ([b"200"] if streams else [b"100", b"200"])
    raw = Raw(maxBodySize=5)
    raw.send(post(1, (b"expect", b"100-continue"), (b"content-length", b"6")))
    assert [head[b":status"] for head in raw.heads[1]] == [b"413"]
    raw = Raw()
    raw.send(get(1, (b"expect", b"100-continue")))
    assert [head[b":status"] for head in raw.heads[1]] == [b"200"]


def test_a_body_is_read_as_it_comes() -> None:
    parts: list[bytes] = []

    async def answer(request: Any) -> bytes:
        stream = request.streamBody()
        async for part in stream:
            parts.append(part)  # noqa: PERF401 - each is looked for when it has come
        return b"%r" % (stream.trailers,)

    raw = Raw(Streamed(answer), streamsBodies=True)
    raw.send(post(), data(b"a"))
    assert parts == [b"a"]
    raw.send(data(b"b"), frame(HEADERS, END_STREAM | END_HEADERS, 1, block([(b"x", b"y")])))
    assert parts == [b"a", b"b"]
    assert raw.bodies[1] == b"[(b'x', b'y')]"


class Taker:
    """Takes a body, and may hold it back."""

    def __init__(self) -> None:
        self.size = 0
        self.told: list[Any] = []

    def bodyDataReceived(self, part: bytes) -> None:
        self.size += len(part)

    def bodyFinished(self, trailers: Any) -> None:
        self.told.append(trailers)

    def bodyFailed(self, reason: Any) -> None:
        self.told.append(reason.type.__name__)


def test_a_slow_resource_has_the_client_wait() -> None:
    taker, streams = Taker(), []

    def answer(request: Any) -> Any:
        stream = request.streamBody()
        stream.deliverTo(taker)
        stream.pauseProducing()
        streams.append(stream)
        return NOT_DONE_YET

    raw = Raw(Streamed(answer), streamsBodies=True)
    raw.send(post())
    left, granted = limits.WINDOW, 0
    while left:
        size = min(left, 16_384)
        granted += sum(getattr(each, "window_increment", 0) for each in raw.send(data(bytes(size))) if each.stream_id)
        left -= size
    assert granted == 0
    raw.clock.advance(50)
    assert outcome(raw, raw.send(post(3), data(b"x", 3))) == "nothing"  # others have a window of their own
    streams[0].resumeProducing()
    found = raw.take()
    assert {each.stream_id: each.window_increment for each in found} == {1: limits.WINDOW}
    raw.send(data(b"", end=True))
    assert (taker.size, taker.told) == (limits.WINDOW + 1, [()])


def test_bodies_that_are_paused_hold_no_others_up() -> None:
    streams: list[Any] = []

    def answer(request: Any) -> Any:
        streams.append(request.streamBody())
        streams[-1].deliverTo(Taker())
        streams[-1].pauseProducing()
        return NOT_DONE_YET

    raw = Raw(Streamed(answer), streamsBodies=True)
    number, may = 1, limits.WINDOW_OF_ALL
    while may >= limits.WINDOW:  # as a client does that keeps to the windows
        raw.send(post(number))
        for _ in range(limits.WINDOW // 16_384):
            found = [each for each in raw.send(data(bytes(16_384), number)) if isinstance(each, WindowUpdateFrame)]
            assert {each.stream_id for each in found} <= {0}
            may += sum(each.window_increment for each in found) - 16_384
        number += 2
    sent = len(streams) * limits.WINDOW
    assert limits.HELD_IN_ALL < sent <= limits.HELD_IN_ALL + limits.WINDOW_OF_ALL
    assert raw.connection.held <= limits.HELD_IN_ALL
    raw.send(*(reset(each) for each in range(3, number, 2)))
    assert raw.connection.held == limits.WINDOW
    streams[0].resumeProducing()
    assert raw.connection.held == 0
    found = [each for each in raw.take() if isinstance(each, WindowUpdateFrame)]
    assert {each.stream_id: each.window_increment for each in found} == {1: limits.WINDOW}
    assert not raw.closed


def test_who_reads_nothing_has_no_more_than_a_window() -> None:
    raw = Raw(Streamed(lambda request: request.streamBody() and NOT_DONE_YET), streamsBodies=True)
    size = 0
    while not raw.closed and size < 2**24:  # a client that keeps to no window
        raw.send(post() if not size else data(bytes(16_384)))
        size += 16_384
    assert limits.WINDOW < size <= limits.WINDOW + MOST_IN_STREAM + 3 * 16_384


def test_a_body_that_is_broken_off() -> None:
    taker = Taker()

    def answer(request: Any) -> Any:
        request.streamBody().deliverTo(taker)
        return NOT_DONE_YET

    raw = Raw(Streamed(answer), streamsBodies=True)
    raw.send(post(), data(b"abc"), reset(1))
    assert taker.told == ["ConnectionAborted"]


def test_an_answer_before_the_body_has_come_tells_that_the_rest_is_not_wanted() -> None:
    raw = Raw(Streamed(lambda request: b"enough"), streamsBodies=True)
    found = raw.send(post())
    assert (raw.status(), raw.bodies[1], raw.ended) == (b"200", b"enough", {1})
    assert [(each.stream_id, each.error_code) for each in found if isinstance(each, RstStreamFrame)] == [(1, 0)]
    assert not raw.closed


@pytest.mark.parametrize("method", ["write", "seek"])
def test_a_body_that_cannot_be_stored(flush_errors: Callable[..., list[Any]], method: str) -> None:
    def fail(*_: Any) -> int:
        raise OSError("the disk is full")

    raw = Raw(getContentFile=lambda _: type("Full", (io.BytesIO,), {method: fail})())
    raw.send(post(), data(b"abc"), data(b"", end=True))
    assert raw.status() == b"507"
    assert len(flush_errors(OSError)) == 1


@pytest.mark.parametrize(
    ("wrong", "code"), [(OSError("the disk is full"), b"507"), (KeyError("a mistake"), b"500")], ids=repr
)
def test_a_site_that_has_no_place_for_a_body(
    flush_errors: Callable[..., list[Any]], wrong: Exception, code: bytes
) -> None:
    def file(length: int | None) -> Any:
        if length is None:
            raise wrong
        return io.BytesIO()

    raw = Raw(getContentFile=file)
    raw.send(post(), data(b"abc"), data(b"", end=True))
    assert raw.status() == code
    assert len(flush_errors(type(wrong))) == 1
    raw.send(get(3))
    assert raw.status(3) == b"200"
    assert raw.connection.streams == {}


def test_a_body_that_drips_to_a_program() -> None:
    taker = Taker()

    def answer(request: Any) -> Any:
        request.streamBody().deliverTo(taker)
        return NOT_DONE_YET

    raw = Raw(Streamed(answer), streamsBodies=True, timeout=60)
    raw.send(post())
    for _ in range(10):
        raw.clock.advance(40)
        raw.send(data(b"x"))
    assert (taker.size, taker.told) == (10, [])
    raw.clock.advance(60)
    assert taker.told == ["ConnectionAborted"], "it may be slow, but not stop"


# --- answers, as fast as the client takes them -------------------------------------------------------------------------


def test_an_iterator_is_asked_for_what_the_client_takes() -> None:
    made: list[int] = []

    async def parts() -> Any:
        for number in range(100):
            made.append(number)
            yield bytes(10_000)

    raw = Raw(Fixed(lambda _: parts()))
    raw.send(settings((0x4, 0)), get())
    raw.clock.pump([0.01] * 200)
    assert len(made) <= limits.KEPT // 10_000 + 2
    raw.send(window(1, 2**30), window(0, 2**30))
    raw.clock.pump([0.01] * 500)
    raw.take()
    assert len(raw.bodies[1]) == 1_000_000
    assert raw.ended == {1}


def test_producers_whose_client_has_left_are_stopped() -> None:
    stopped: list[Any] = []

    class Producer:
        def resumeProducing(self) -> None:
            pass

        def stopProducing(self) -> None:
            stopped.append(self)

    def answer(request: Any) -> Any:
        request.registerProducer(Producer(), False)
        return NOT_DONE_YET

    raw = Raw(Fixed(answer))
    raw.send(get(1), get(3), reset(1))
    assert len(stopped) == 1
    raw.transport.loseConnection()
    assert len(stopped) == 2


def test_a_producer_that_fails_costs_its_request_only(flush_errors: Callable[..., list[Any]]) -> None:
    class Failing:
        def pauseProducing(self) -> None:
            raise LookupError("as asked")

        def stopProducing(self) -> None:
            pass

    def answer(request: Any) -> Any:
        if request.path == b"/good":
            return b"good"
        request.registerProducer(Failing(), True)
        request.write(bytes(2 * limits.KEPT))
        return NOT_DONE_YET

    raw = Raw(Fixed(answer))
    assert outcome(raw, raw.send(settings((0x4, 10)), get(1) + get(3, path=b"/good"))) == "reset 1 8, 200, ack"
    assert flush_errors(LookupError)


def test_large_answers_take_turns() -> None:
    raw = Raw(Fixed(lambda _: bytes(60_000)))
    raw.send(settings((0x4, 2**20)), get(1), get(3))
    assert len(raw.bodies[1]) == 60_000
    assert len(raw.bodies[3]) == 5_535
    raw = Raw(Fixed(lambda _: bytes(100_000)))
    raw.send(settings((0x4, 2**20)), get(1), get(3))
    order = [each.stream_id for each in raw.send(window(0, 100_000))]
    assert order[:4] in ([1, 3, 1, 3], [3, 1, 3, 1])


def test_who_leaves_is_told_of() -> None:
    told: list[Any] = []

    def answer(request: Any) -> Any:
        request.notifyFinish().addBoth(told.append)
        return NOT_DONE_YET

    raw = Raw(Fixed(answer))
    raw.send(get(), reset(1))
    assert [each.type.__name__ for each in told] == ["ConnectionAborted"]
    raw.send(get(3))
    raw.transport.loseConnection()
    assert [each.type.__name__ for each in told] == ["ConnectionAborted", "ConnectionDone"]


def test_an_answer_that_waits_for_a_deferred() -> None:
    later: Deferred[bytes] = Deferred()

    async def answer(request: Any) -> bytes:
        return await later

    raw = Raw(Fixed(answer))
    raw.send(get())
    later.callback(b"at last")
    raw.take()
    assert raw.bodies[1] == b"at last"


@pytest.mark.parametrize("begun", [False, True])
def test_renderers_that_raise(begun: bool, flush_errors: Callable[..., list[Any]]) -> None:
    def answer(request: Any) -> Any:
        if begun:
            request.write(b"begun")
        raise LookupError("as asked")

    raw = Raw(Fixed(answer))
    found = raw.send(get())
    assert flush_errors(LookupError)
    assert outcome(raw, found).startswith("reset 1 " if begun else "500")
    raw.site.resource = Fixed(lambda _: b"others go on")
    raw.send(get(3))
    assert raw.bodies[3] == b"others go on"


# --- what stands on requests -------------------------------------------------------------------------------------------


def test_gzip() -> None:
    raw = Raw(EncodingResourceWrapper(Fixed(lambda _: b"a" * 5000), [GzipEncoderFactory()]))
    raw.send(get(1, (b"accept-encoding", b"gzip")))
    assert raw.heads[1][0][b"content-encoding"] == b"gzip"
    assert gzip.decompress(raw.bodies[1]) == b"a" * 5000


def test_sessions() -> None:
    raw = Raw(Fixed(lambda request: request.getSession().uid))
    raw.send(get())
    cookie = raw.heads[1][0][b"set-cookie"].split(b";")[0]
    raw.send(get(3, (b"cookie", cookie)))
    assert raw.bodies[1] == raw.bodies[3]
    for session in list(raw.site.sessions.values()):
        session.expire()


def test_the_access_log() -> None:
    raw = Raw()
    raw.site.logFile = log = io.StringIO()
    raw.send(get(path=b"/tea"))
    assert '"GET /tea HTTP/2.0" 200 5 ' in log.getvalue()


class Runner:
    """Runs coroutines as ours are run."""

    def start(self, coroutine: Any, done: Callable[[BaseException | None], object] | None = None) -> Any:
        running = Deferred.fromCoroutine(coroutine)
        if done is not None:
            running.addCallbacks(lambda _: done(None), lambda failure: done(failure.value))
        return running

    def wait(self) -> tuple[Any, Callable[[], object]]:
        waiting: Deferred[None] = Deferred()
        return waiting, lambda: waiting.called or waiting.callback(None)


def test_asgi() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        message, size = await receive(), 0
        while True:
            size += len(message["body"])
            if not message.get("more_body"):
                break
            message = await receive()
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"%d" % size})

    raw = Raw(ASGIResource(application, Runner(), MemoryReactorClock(), lifespan=False), streamsBodies=True)
    raw.send(post(1, path=b"/a%20b?c"), data(b"abc"), data(b"def", end=True))
    assert (raw.status(), raw.bodies[1], raw.heads[1][0][b"x"]) == (b"201", b"6", b"y")
    (scope,) = scopes
    assert (scope["http_version"], scope["path"], scope["query_string"]) == ("2", "/a b", b"c")
    assert scope["headers"][0] == (b"host", b"h")


class Here:
    """A reactor and a pool whose only thread is this one."""

    def callFromThread(self, function: Any, *args: Any) -> None:
        function(*args)

    callInThread = callFromThread


def test_wsgi() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("202 Accepted", [("X", "y")])
        return [environ["SERVER_PROTOCOL"].encode(), b" ", environ["wsgi.input"].read()]

    raw = Raw(WSGIResource(Here(), Here(), application))
    raw.send(post(), data(b"abc", end=True))
    assert (raw.status(), raw.bodies[1]) == (b"202", b"HTTP/2 abc")


def test_a_reverse_proxy() -> None:
    reactor = MemoryReactorClock()
    raw = Raw(ReverseProxyResource("behind", 80, b"", reactor))
    raw.send(get(path=b"/tea"))
    *_, factory, _, _ = reactor.tcpClients[0]
    client, transport = factory.buildProtocol(None), StringTransport()
    client.makeConnection(transport)
    line, _, fields = transport.value().partition(b"\r\n")
    assert line.startswith(b"GET /tea HTTP/1.")
    assert b"\r\n\r\n" in fields
    client.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntea")
    raw.take()
    assert (raw.status(), raw.bodies[1], raw.ended) == (b"200", b"tea", {1})
    assert b"connection" not in raw.heads[1][0]


def test_websockets_are_of_http_1() -> None:
    raw = Raw()
    asks = block(
        [
            (b":method", b"CONNECT"),
            (b":protocol", b"websocket"),
            (b":scheme", b"http"),
            (b":path", b"/"),
            (b":authority", b"h"),
        ]
    )
    assert outcome(raw, raw.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, asks))) == "501"
