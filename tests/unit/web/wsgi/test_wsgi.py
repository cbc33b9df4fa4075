"""Applications of WSGI as resources: what they are told, what they may say, and what becomes of it."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from torsion.logger import capturedLogs
from torsion.python.threadpool import ThreadPool
from torsion.web.resource import IResource, Resource
from torsion.web.wsgi import WSGIResource
from torsion.web.wsgi.response import MOST_UNDER_WAY, HopByHopHeaderError
from torsion.web.wsgi.streams import ErrorStream, FileWrapper, InputStream
from unit.web.talk import Answer, Talk


class Here:
    """A reactor and a pool whose only thread is this one."""

    def callFromThread(self, function: Any, *args: Any) -> None:
        function(*args)

    def callInThread(self, function: Any, *args: Any) -> None:
        function(*args)


def talk(application: Any) -> Talk:
    return Talk(WSGIResource(Here(), Here(), application))


def hello(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def told(request: Callable[[Talk], None], above: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """Return what an application is told of a request."""
    seen: list[dict[str, Any]] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ | {"body": environ["wsgi.input"].read()})
        return hello(environ, start_response)

    root: Any = WSGIResource(Here(), Here(), application)
    for segment in reversed(above):
        parent = Resource()
        parent.putChild(segment, root)
        root = parent
    request(Talk(root))
    (environ,) = seen
    return environ


# --- the environment -------------------------------------------------------------------------------------------------


def test_the_path_is_cut_where_the_application_begins() -> None:
    environ = told(lambda talk: talk.send("/a/b%20c/d%C3%A9/?x=1&y"), (b"a", b"b c"))
    assert environ["SCRIPT_NAME"] == "/a/b c"
    assert environ["PATH_INFO"] == "/d\u00c3\u00a9/"  # the bytes, as PEP 3333 has them
    assert environ["QUERY_STRING"] == "x=1&y"
    assert type(environ) is dict


def test_headers_are_told_by_names_that_nobody_else_can_take() -> None:
    headers = {"Content-Type": "a/b", "X-One": "1", "X_One": "2", "Proxy": "http://evil", "Cookie": "a=b"}
    environ = told(lambda talk: talk.send("/", "POST", headers, b"body"))
    assert environ["CONTENT_TYPE"] == "a/b"
    assert environ["CONTENT_LENGTH"] == "4"
    assert environ["HTTP_X_ONE"] == "1"
    assert not {"HTTP_PROXY", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)
    assert environ["body"] == b"body"


def test_repeated_headers_are_put_together() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    environ = told(lambda talk: talk.channel.dataReceived(raw))
    assert environ["HTTP_X_A"] == "1,2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_chunked_body_has_a_length() -> None:
    raw = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    environ = told(lambda talk: talk.channel.dataReceived(raw))
    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("5", b"abcde")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_large_body_is_read_from_its_file() -> None:
    body = bytes(range(256)) * 1000
    assert told(lambda talk: talk.send("/", "POST", (), body))["body"] == body


def test_the_input_is_a_file_with_limits() -> None:
    stream = InputStream(io.BytesIO(b"one\ntwo\nthree\nfour"))
    assert stream.read(2) == b"on"
    assert stream.readline() == b"e\n"
    assert stream.readline(1) == b"t"
    assert stream.readlines(3) == [b"wo\n"]
    assert next(iter(stream)) == b"three\n"
    assert (stream.read(None), stream.read()) == (b"four", b"")


def test_errors_go_to_the_log() -> None:
    with capturedLogs() as events:
        ErrorStream().writelines(["a\n", "b\n"])
        ErrorStream().flush()
        with pytest.raises(TypeError, match="must be str, not b'c'"):
            ErrorStream().write(b"c")  # type: ignore[arg-type]  # the mistake that is looked for
    assert [event["said"] for event in events] == ["a\nb"]


# --- the response ----------------------------------------------------------------------------------------------------


def test_the_judge_of_the_stdlib_has_nothing_to_say() -> None:
    def application(environ: Any, start_response: Any) -> Any:
        length = len(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)))
        environ["wsgi.errors"].write("")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % length]

    connection = talk(validator(application))
    assert connection.ask().body == b"0"
    assert connection.ask("/x/y?z", "POST", {"Content-Type": "a/b"}, b"body").body == b"4"
    assert connection.ask(method="HEAD") == Answer(200, connection_headers(connection), b"", True)


def connection_headers(connection: Talk) -> dict[str, list[str]]:
    return connection.ask(method="HEAD").headers


def test_one_part_has_its_length_and_several_are_chunked() -> None:
    assert talk(hello).ask().one("content-length") == "5"

    def parts(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b""
        yield b"a"
        yield b"b"

    answer = talk(parts).ask()
    assert (answer.body, answer.one("transfer-encoding"), answer.one("content-type")) == (b"ab", "chunked", None)


def test_the_function_of_start_response_writes() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("201 Made", [("X-A", "1"), ("X-A", "2"), ("Server", "mine"), ("Date", "now")])
        write(b"a")
        return [b"b"]

    answer = talk(application).ask()
    assert (answer.code, answer.body, answer.headers["x-a"]) == (201, b"ab", ["1", "2"])
    assert answer.one("server") != "mine"


@pytest.mark.parametrize("name", ["Connection", "keep-alive", "Transfer-Encoding", "TE", "Upgrade", "Trailer"])
def test_headers_of_the_connection_are_refused(name: str, flush_errors: Any) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [(name, "x")])
        return []

    assert talk(application).ask().code == 500
    flush_errors(HopByHopHeaderError)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        ("200 OK\r\nX: y", [], ValueError),
        ("OK", [], ValueError),
        (b"200 OK", [], TypeError),
        ("200 OK", [("A", "b\r\nC: d")], ValueError),
        ("200 OK", [("A\r\nB", "c")], ValueError),
        ("200 OK", [("A:", "c")], ValueError),
        ("200 OK", [("A", "\N{SNOWMAN}")], ValueError),
        ("200 OK", [("Content-Length", "-1")], ValueError),
        ("200 OK", [(b"A", "b")], TypeError),
        ("200 OK", ["Ab"], TypeError),
        ("200 OK", "Ab", TypeError),
        ("200 OK", None, TypeError),
    ],
)
def test_heads_that_are_none_are_refused(status: Any, headers: Any, error: Any, flush_errors: Any) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, headers)
        return []

    connection = talk(application)
    assert connection.ask().code == 500
    assert connection.ask().code == 500  # the connection goes on
    flush_errors(error)


def test_a_head_takes_the_place_of_one_that_was_not_sent_and_of_no_other(flush_errors: Any) -> None:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        write = start_response("200 OK", [("A", "b")])
        try:
            raise ZeroDivisionError
        except ZeroDivisionError as error:
            problem = (type(error), error, error.__traceback__)
        start_response("503 Later", [], problem)
        write(b"a")
        with pytest.raises(RuntimeError, match="called again"):
            start_response("200 OK", [])
        start_response("500 Oh", [], problem)
        yield b"never"

    connection = talk(application)
    connection.send()
    assert connection.written().startswith(b"HTTP/1.1 503 Later\r\n")
    assert b"never" not in connection.written()
    assert not connection.transport.connected
    flush_errors(ZeroDivisionError)


@pytest.mark.parametrize("what", ["raises", "returns_nothing", "sends_first", "sends_text", "exits"])
def test_an_application_that_fails_is_answered_with_500(what: str, flush_errors: Any) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        if what == "raises":
            start_response("200 OK", [("A", "b")])
            raise RuntimeError
        if what == "exits":
            raise SystemExit
        if what == "sends_text":
            start_response("200 OK", [])
            return ["text"]
        return None if what == "returns_nothing" else [b"first"]

    answer = talk(application).ask()
    assert (answer.code, answer.one("a")) == (500, None)
    kinds: dict[str, Any] = {"returns_nothing": TypeError, "sends_text": TypeError, "exits": SystemExit}
    flush_errors(kinds.get(what, RuntimeError))


def test_what_fails_after_the_head_breaks_the_response_off(flush_errors: Any) -> None:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        raise RuntimeError

    connection = talk(application)
    connection.send()
    assert not connection.answer().complete
    assert not connection.transport.connected
    flush_errors(RuntimeError)


class Body:
    """A body that knows whether it was closed."""

    closed = 0

    def __init__(self, *parts: Any, problem: BaseException | None = None) -> None:
        self.parts = parts
        self.problem = problem

    def __iter__(self) -> Iterator[Any]:
        for part in self.parts:
            yield part() if callable(part) else part

    def close(self) -> None:
        self.closed += 1
        if self.problem is not None:
            raise self.problem


def answering(body: Body) -> Any:
    def application(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [])
        return body

    return application


def test_a_body_is_closed_whatever_happens(flush_errors: Any) -> None:
    good, bad, worse = Body(b"a"), Body(b"a", lambda: 1 / 0), Body(b"a", problem=RuntimeError())
    assert talk(answering(good)).ask().body == b"a"
    for each in (bad, worse):
        connection = talk(answering(each))
        connection.send()
        assert not connection.answer().complete
    assert (good.closed, bad.closed, worse.closed) == (1, 1, 1)
    flush_errors(ZeroDivisionError)
    flush_errors(RuntimeError)


def test_a_client_that_leaves_ends_the_iteration_and_the_body_is_closed() -> None:
    connections: list[Talk] = []
    body = Body(b"a", lambda: connections[0].leave() or b"b", lambda: pytest.fail("it is asked for more"))
    connections.append(talk(answering(body)))
    connections[0].send()
    assert body.closed == 1


def test_writing_to_a_client_that_has_left_raises() -> None:
    raised: list[BaseException] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"a")
        connection.leave()
        try:
            while True:
                write(b"more")
        except ConnectionResetError as error:
            raised.append(error)
            raise

    connection = talk(application)
    connection.send()
    assert len(raised) == 1  # and nothing is logged: that a client leaves is no failure


def test_files_are_sent_in_blocks_and_closed() -> None:
    file = io.BytesIO(b"abcde")

    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        return environ["wsgi.file_wrapper"](file, 2)

    assert talk(application).ask().body == b"abcde"
    assert file.closed
    assert list(FileWrapper(io.BytesIO(b"abc"), 2)) == [b"ab", b"c"]
    file = io.BytesIO(b"abcde")
    wrapper = FileWrapper(file, 2)
    assert wrapper.seekable()
    wrapper.seek(1)
    parts: Any = iter(wrapper)
    assert (next(parts), wrapper.tell()) == (b"bc", 3)
    parts.close()
    assert file.closed, "who has no more than an iterator can close the file"
    assert not FileWrapper(object()).seekable()


def test_it_is_a_leaf() -> None:
    resource = WSGIResource(Here(), Here(), hello)
    assert IResource.providedBy(resource)
    with pytest.raises(RuntimeError, match="leaf"):
        resource.getChildWithDefault(b"a", None)
    with pytest.raises(RuntimeError, match="beside"):
        resource.putChild(b"a", Resource())


# --- threads ---------------------------------------------------------------------------------------------------------


class Pumped:
    """A reactor whose calls from threads are made when the test says so."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def callFromThread(self, function: Any, *args: Any) -> None:
        self.calls.put((function, args))

    def pump(self, until: Callable[[], object]) -> None:
        while not until():
            function, args = self.calls.get(timeout=10)
            function(*args)


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    pool = ThreadPool(1, 1)
    pool.start()
    yield pool
    pool.stop()


@pytest.mark.parametrize("leaves", [False, True])
def test_a_slow_client_holds_the_application_back(pool: ThreadPool, leaves: bool) -> None:
    reactor, made, done = Pumped(), threading.Semaphore(0), threading.Event()
    part, total = bytes(MOST_UNDER_WAY), 6
    threads: list[int] = []

    class Parts(Body):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(total):
                threads.append(threading.get_ident())
                made.release()
                yield part

        def close(self) -> None:
            super().close()
            done.set()

    body = Parts()
    connection = Talk(WSGIResource(reactor, pool, answering(body)))
    connection.send()
    for _ in range(3):  # one is on its way and so is another; the third waits
        assert made.acquire(timeout=10)
    assert connection.written() == b""
    reactor.pump(lambda: connection.channel._requestProducer is not None)
    connection.channel.pauseProducing()
    if leaves:
        connection.leave()
        assert done.wait(10)
        assert len(threads) < total
    else:
        reactor.pump(lambda: len(connection.written()) > 2 * len(part))
        assert not done.is_set()
        sent = len(connection.written())
        assert sent < 4 * len(part)  # what was under way when the client stopped, and no more
        connection.channel.resumeProducing()
        reactor.pump(lambda: connection.written().endswith(b"0\r\n\r\n"))
        assert len(connection.answer().body) == total * len(part)
        assert done.is_set()
    assert body.closed == 1
    assert set(threads) - {threading.get_ident()}
