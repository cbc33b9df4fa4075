"""Applications of ASGI as resources, run here by Deferreds: which library runs them is the runner's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.task import Clock
from torsion.web.asgi import ASGIResource, RunnerMaker, findRunner
from torsion.web.asgi.conversation import MOST_KEPT, ClientDisconnected
from torsion.web.resource import IResource, Resource
from torsion.web.server import Site
from unit.web.talk import Talk, read_answer


class Reactor(Clock):
    """A clock that begins and ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.triggers: list[Any] = []
        self.begin: list[Any] = []

    def callWhenRunning(self, function: Any) -> None:
        self.begin.append(function)

    def addSystemEventTrigger(self, phase: str, event: str, function: Any) -> None:
        assert (phase, event) == ("before", "shutdown")
        self.triggers.append(function)


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


def talk(application: Any, streams: bool = True, above: tuple[bytes, ...] = ()) -> Talk:
    root: Any = ASGIResource(application, Runner(), Reactor(), lifespan=False)
    for segment in reversed(above):
        parent = Resource()
        parent.putChild(segment, root)
        root = parent
    site = Site(root, reactor=Clock())
    site.streamsBodies = streams
    return Talk(site)


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def read(receive: Any) -> bytes:
    data = b""
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        data += message["body"]
        if not message["more_body"]:
            return data


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send(start(200, (b"content-type", b"text/plain")))
    await send(body(b"hello"))


# --- requests --------------------------------------------------------------------------------------------------------


def test_the_scope_tells_of_the_request() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await hello(scope, receive, send)

    raw = b"gET /a/b%20%C3%A9%FF/?x=%20 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
    talk(application, above=(b"a",)).channel.dataReceived(raw)
    (scope,) = scopes
    host = scope.pop("server")
    assert isinstance(host, tuple)
    assert isinstance(scope.pop("client"), tuple)
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a/b \u00e9\ufffd/",
        "raw_path": b"/a/b%20%C3%A9%FF/",
        "query_string": b"x=%20",
        "root_path": "/a",
        "headers": [(b"host", b"h"), (b"x-a", b"1"), (b"x-a", b"2")],
        "extensions": {},
    }


def test_an_answer_has_its_length_or_is_chunked() -> None:
    answer = talk(hello).ask()
    assert (answer.code, answer.body, answer.one("content-length")) == (200, b"hello", "5")
    assert answer.one("content-type") == "text/plain"

    async def parts(scope: Any, receive: Any, send: Any) -> None:
        await send(
            start(201, (b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"server", b"mine"), (b"transfer-encoding", b"x"))
        )
        await send(body(b"a", more=True))
        await send(body(b"b", more=True))
        await send({"type": "http.response.body"})

    answer = talk(parts).ask()
    assert (answer.code, answer.body, answer.complete) == (201, b"ab", True)
    assert answer.headers["set-cookie"] == ["a", "b"]
    assert (answer.one("server"), answer.one("transfer-encoding"), answer.one("content-type")) == (
        "mine",
        "chunked",
        None,
    )


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        await send(start(status))
        await send(body())

    answer = talk(nothing).ask()
    assert (answer.code, answer.one("content-length")) == (status, None)
    head = talk(hello).ask(method="HEAD")
    assert (head.code, head.body) == (200, b"")


@pytest.mark.parametrize("streams", [False, True])
def test_a_body_is_read(streams: bool) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        data = await read(receive)
        await send(start())
        await send(body(b"%d" % len(data)))
        assert await receive() == {"type": "http.disconnect"}

    connection = talk(application, streams)
    for size in (0, 4, 300_000):
        assert connection.ask("/", "POST", (), bytes(size)).body == b"%d" % size


def test_a_body_is_read_while_it_comes_and_not_faster_than_the_application() -> None:
    got: list[int] = []
    go_on: list[Deferred[None]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            got.append(len(message["body"]))
            more = message["more_body"]
            if len(got) == 1:
                go_on.append(Deferred())
                await go_on[0]
        await send(start())
        await send(body())

    connection = talk(application)
    size = 3 * MOST_KEPT
    connection.channel.dataReceived(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nabc" % size)
    assert got == [3]
    connection.channel.dataReceived(bytes(MOST_KEPT))
    assert connection.transport.producerState == "producing"
    connection.channel.dataReceived(bytes(100))
    assert connection.transport.producerState == "paused"
    go_on[0].callback(None)
    assert connection.transport.producerState == "producing"
    connection.channel.dataReceived(bytes(size - MOST_KEPT - 103))
    assert sum(got) == size
    assert connection.answer().code == 200


def test_a_slow_client_holds_the_application_back() -> None:
    sent: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        connection.channel.pauseProducing()
        await send(start())
        for number in range(5):
            await send(body(b"part", more=True))
            sent.append(number)
        await send(body())

    connection = talk(application)
    connection.send()
    assert sent == []
    connection.channel.resumeProducing()
    assert sent == [0, 1, 2, 3, 4]
    assert connection.answer().body == b"part" * 5


@pytest.mark.parametrize("goes_on", ["the client takes more", "the client leaves", "another task ends the response"])
def test_all_tasks_that_wait_are_told(goes_on: str) -> None:
    """Several tasks of one application may send, and wait for the client, at a time."""
    told: list[Any] = []
    tasks: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def sends() -> None:
            await send(body(b"part", more=True))
            told.append("sent")

        async def receives() -> None:
            told.append((await receive())["type"])

        await read(receive)
        connection.channel.pauseProducing()
        await send(start())
        tasks.extend(Deferred.fromCoroutine(each()) for each in (sends, sends, sends, receives, receives))
        assert told == []
        if goes_on == "another task ends the response":
            await send(body())
        elif goes_on == "the client takes more":
            connection.channel.resumeProducing()
            assert told == ["sent"] * 3
            await send(body())
        else:
            connection.leave()

    connection = talk(application)
    connection.send()
    assert sorted(told) == ["http.disconnect", "http.disconnect", "sent", "sent", "sent"]


def test_a_client_that_leaves_is_told_of_and_cannot_be_sent_to(flush_errors: Any) -> None:
    ends: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await read(receive)
        await send(start())
        await send(body(b"a", more=True))
        ends.append(await receive())
        await send(body(b"b", more=True))

    connection = talk(application)
    connection.send()
    connection.leave()  # and nothing is logged: that a client leaves is no failure
    assert ends == [{"type": "http.disconnect"}]

    async def waits_for_room(scope: Any, receive: Any, send: Any) -> None:
        connection.channel.pauseProducing()
        await send(start())
        with pytest.raises(ClientDisconnected):
            while True:
                await send(body(b"a", more=True))
        ends.append("left")

    connection = talk(waits_for_room)
    connection.send()
    connection.leave()
    assert ends[1:] == ["left"]


def test_a_client_that_leaves_amid_its_body_is_told_of() -> None:
    ends: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        ends.append(await receive())
        ends.append(await receive())

    connection = talk(application)
    connection.channel.dataReceived(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    connection.leave()
    assert ends == [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]


# --- applications that fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], RuntimeError),
        ([start()], RuntimeError),
        ([body(b"first")], RuntimeError),
        ([start(), start()], RuntimeError),
        ([start(99), body()], ValueError),
        ([{"type": "http.response.start", "status": "200"}], ValueError),
        ([start(200, (b"a", b"b\r\nc: d")), body()], ValueError),
        ([start(200, (b"a\r\nb", b"c")), body()], ValueError),
        ([start(200, (b"content-length", b"x")), body()], ValueError),
        ([{"type": "websocket.accept"}], RuntimeError),
        (None, ZeroDivisionError),
    ],
)
def test_what_is_no_response_is_answered_with_500(messages: Any, error: Any, flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if messages is None:
            raise ZeroDivisionError
        for message in messages:
            await send(message)

    connection = talk(application)
    assert connection.ask().code == 500
    assert connection.ask().code == 500  # the connection goes on
    flush_errors(error)


def test_what_fails_amid_a_response_breaks_it_off(flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"begun", more=True))
        raise ZeroDivisionError

    connection = talk(application)
    connection.send()
    answer = connection.answer()
    assert (answer.body, answer.complete, connection.transport.connected) == (b"begun", False, False)
    flush_errors(ZeroDivisionError)


def test_what_fails_after_a_response_is_logged(flush_errors: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await hello(scope, receive, send)
        with pytest.raises(RuntimeError, match="after the response"):
            await send(body())
        raise ZeroDivisionError

    assert talk(application).ask().body == b"hello"
    flush_errors(ZeroDivisionError)


# --- and the rest ----------------------------------------------------------------------------------------------------


def test_runners_are_found_among_the_plugins() -> None:
    reactor = NativeReactor()
    runner: Any = findRunner(reactor)
    runner.loop.close()
    reactor.fireSystemEvent("shutdown")
    assert RunnerMaker("mine", "builtins.repr").runnerFor(7) == "7"  # type: ignore[comparison-overlap]  # a runner for this test
    with pytest.raises(LookupError, match="trio"):
        findRunner(reactor, "trio")


def test_it_is_a_leaf() -> None:
    resource = ASGIResource(hello, Runner(), Reactor())
    assert IResource.providedBy(resource)
    with pytest.raises(RuntimeError, match="leaf"):
        resource.getChildWithDefault(b"a", None)
    with pytest.raises(RuntimeError, match="beside"):
        resource.putChild(b"a", Resource())


def test_pipelined_requests_are_answered_in_order() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(scope["path"].encode()))

    connection = talk(application)
    connection.channel.dataReceived(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(3)))
    rest = connection.written()
    for number in range(3):
        answer, rest = read_answer(rest)
        assert answer.body == b"/%d" % number
    assert rest == b""


def test_the_host_of_a_whole_url_counts() -> None:
    hosts: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        hosts.extend(value for name, value in scope["headers"] if name == b"host")
        await send(start())
        await send(body())

    connection = talk(application)
    connection.channel.dataReceived(b"GET http://here.example/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
    assert hosts == [b"here.example"]


def test_a_request_that_cannot_be_begun_does_not_hold_the_end_up(
    monkeypatch: pytest.MonkeyPatch, flush_errors: Any
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})

    def fails(*_: Any) -> Any:
        raise LookupError("a fault of the server's own")

    reactor = Reactor()
    root = ASGIResource(application, Runner(), reactor)
    reactor.begin[0]()
    monkeypatch.setattr("torsion.web.asgi.conversation.make_scope", fails)
    assert Talk(Site(root, reactor=Clock())).ask("/").code == 500
    assert len(flush_errors(LookupError)) == 1
    assert reactor.triggers[0]().called
