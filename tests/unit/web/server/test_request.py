"""From a path to a resource, and from a resource to a response."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from torsion.internet.defer import Deferred
from torsion.logger import LogLevel, capturedLogs
from torsion.web.error import UnsupportedMethod
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Request, Site
from torsion.web.util import DeferredResource
from unit.web.talk import Fixed, Talk


class Tree(Resource):
    """Says how it was found."""

    def getChild(self, path: bytes, request: Any) -> Resource:
        return Tree()

    def render_GET(self, request: Any) -> bytes:
        return repr((request.prepath, request.postpath)).encode()


@pytest.mark.parametrize(
    ("target", "segments"),
    [
        ("/", [b""]),
        ("/a", [b"a"]),
        ("/a/", [b"a", b""]),
        ("/a//b", [b"a", b"", b"b"]),
        ("/a%2Fb/c%20d?e=/f", [b"a/b", b"c d"]),
        ("/%", [b"%"]),
        ("/%ff%00", [b"\xff\x00"]),
        ("/../x", [b"..", b"x"]),
    ],
)
def test_a_path_is_segments(target: str, segments: list[bytes]) -> None:
    assert Talk(Tree()).ask(target).body == repr((segments, [])).encode()


def test_a_leaf_has_what_is_left() -> None:
    root = Resource()
    leaf = Tree()
    leaf.isLeaf = True
    root.putChild(b"leaf", leaf)
    assert Talk(root).ask("/leaf/a/b").body == repr(([b"leaf"], [b"a", b"b"])).encode()


def test_bytes_are_the_whole_response() -> None:
    answer = Talk(Fixed(b"hello")).ask()
    assert (answer.code, answer.body, answer.complete) == (200, b"hello", True)
    assert answer.one("content-length") == "5"
    assert answer.one("content-type") == "text/html"
    assert answer.one("server") == "Torsion/0.1.0"
    assert answer.one("date").endswith(" GMT")


def test_a_resource_can_say_less_of_the_server() -> None:
    def render(request: Any) -> bytes:
        request.responseHeaders.removeHeader(b"server")
        request.setHeader(b"content-type", b"text/plain")
        return b""

    answer = Talk(Fixed(render)).ask()
    assert "server" not in answer.headers
    assert answer.one("content-type") == "text/plain"
    assert answer.one("content-length") == "0"


def test_an_empty_response_has_no_type() -> None:
    assert "content-type" not in Talk(Fixed(b"")).ask().headers


def test_a_request_class_may_have_no_type_by_default() -> None:
    class Plain(Request):
        defaultContentType = None

    answer = Talk(Site(Fixed(b"hello"), Plain, reactor=Talk(Resource()).clock)).ask()
    assert "content-type" not in answer.headers


def test_no_content_has_no_type_and_no_body() -> None:
    def render(request: Any) -> bytes:
        request.setResponseCode(204)
        return b""

    answer = Talk(Fixed(render)).ask()
    assert answer.code == 204
    assert "content-type" not in answer.headers


def test_head_is_get_without_its_body() -> None:
    talk = Talk(Fixed(b"hello"))
    answer = talk.ask(method="HEAD")
    assert (answer.code, answer.one("content-length"), answer.one("content-type")) == (200, "5", "text/html")
    assert talk.ask().body == b"hello"


def test_bodies_for_head_are_told_of_once() -> None:
    class Wasting(Fixed):
        pass

    talk = Talk(Wasting(b"hello"))
    with capturedLogs() as events:
        talk.ask(method="HEAD")
        talk.ask(method="HEAD")
        Talk(Wasting(b"")).ask(method="HEAD")
    [event] = events
    assert event["kind"].endswith("Wasting")


class OnlyGet:
    """A resource of somebody who does not know HEAD."""

    isLeaf = True

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.methods: list[bytes] = []

    def render(self, request: Any) -> Any:
        self.methods.append(request.method)
        if request.method != b"GET":
            raise UnsupportedMethod([b"GET"])
        return self.answer(request)


def test_head_of_who_does_not_know_it() -> None:
    resource = OnlyGet(lambda request: b"hello")
    with capturedLogs() as events:
        answer = Talk(resource).ask(method="HEAD")
    assert (answer.code, answer.one("content-length")) == (200, "5")
    assert resource.methods == [b"HEAD", b"GET"]
    assert [event["log_format"] for event in events if event["log_level"] is LogLevel.info] == [
        "Using GET to fake a HEAD request for {resrc}"
    ]


def test_head_of_who_does_not_know_it_and_writes() -> None:
    def render(request: Any) -> int:
        request.write(b"hel")
        request.write(b"lo")
        request.finish()
        return NOT_DONE_YET

    answer = Talk(OnlyGet(render)).ask(method="HEAD")
    assert answer.code == 200


def test_a_method_that_is_not_allowed() -> None:
    answer = Talk(Fixed(b"")).ask("/<b>", method="POST")
    assert (answer.code, answer.one("allow")) == (405, "GET, HEAD")
    assert b"<b>" not in answer.body


def test_a_method_that_nobody_knows() -> None:
    answer = Talk(Fixed(b"")).ask(method="BREW")
    assert answer.code == 501
    assert b"BREW" in answer.body


@pytest.mark.parametrize(("method", "code", "allow"), [("OPTIONS", 200, None), ("GET", 405, "OPTIONS")])
@pytest.mark.parametrize("body", [b"", b"x"])
def test_the_server_as_a_whole(method: str, code: int, allow: str | None, body: bytes) -> None:
    talk = Talk(Tree())
    talk.site.streamsBodies = True
    answer = talk.ask("*", method=method, body=body)
    assert (answer.code, answer.one("allow"), answer.one("content-length")) == (code, allow, "0")


# What goes wrong


def fails(request: Any) -> bytes:
    raise KeyError("secret")


def test_a_renderer_that_raises(flush_errors: Any) -> None:
    talk = Talk(Fixed(fails))
    answer = talk.ask()
    assert (answer.code, answer.one("content-type")) == (500, "text/html")
    assert b"secret" not in answer.body
    assert [failure.type for failure in flush_errors(KeyError)] == [KeyError]
    assert talk.ask().code == 500, "the connection goes on"
    flush_errors(KeyError)


def test_tracebacks_are_shown_if_that_is_wanted(flush_errors: Any) -> None:
    talk = Talk(Fixed(fails))
    talk.site.displayTracebacks = True
    answer = talk.ask()
    assert answer.code == 500
    assert b"KeyError" in answer.body
    assert b"secret" in answer.body
    flush_errors(KeyError)


def test_a_renderer_that_raises_what_is_no_exception(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        raise SystemExit(3)

    assert Talk(Fixed(render)).ask().code == 500
    flush_errors(SystemExit)


def test_a_child_that_is_not_there_for_a_mistake(flush_errors: Any) -> None:
    class Broken(Resource):
        def getChild(self, path: bytes, request: Any) -> Any:
            raise ZeroDivisionError

    assert Talk(Broken()).ask("/x").code == 500
    flush_errors(ZeroDivisionError)


@pytest.mark.parametrize("target", ["/x", "/x%20y", "http://example.com/x"])
@pytest.mark.parametrize("early", [False, True])
def test_a_child_that_is_none(target: str, early: bool, flush_errors: Any) -> None:
    class Forgetful(Resource):
        def getChild(self, path: bytes, request: Any) -> None:
            return None

    talk = Talk(Forgetful())
    talk.site.streamsBodies = early
    assert talk.ask(target, "POST", body=b"x").code == 500
    [failure] = flush_errors(TypeError)
    assert "getChild returned None" in str(failure.value)


def test_what_told_of_another_body_goes(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        request.setHeader(b"content-encoding", b"br")
        request.setHeader(b"x-mine", b"1")
        request.setETag(b'"1"')
        request.setLastModified(1)
        return fails(request)

    answer = Talk(Fixed(render)).ask()
    assert answer.code == 500
    assert answer.one("x-mine") == "1"
    assert not {"content-encoding", "etag", "last-modified"} & set(answer.headers)
    flush_errors(KeyError)


def test_a_renderer_that_raises_amid_its_response(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        request.write(b"some")
        return fails(request)

    talk = Talk(Fixed(render))
    talk.send()
    answer = talk.answer()
    assert (answer.code, answer.body, answer.complete) == (200, b"some", False)
    assert not talk.transport.connected, "the client sees that something is missing"
    flush_errors(KeyError)


def test_an_old_client_sees_that_something_is_missing(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        request.write(b"some")
        return fails(request)

    talk = Talk(Fixed(render))
    talk.channel.dataReceived(b"GET / HTTP/1.0\r\n\r\n")
    assert talk.transport.disconnected, "the end of the connection would be that of the response"
    flush_errors(KeyError)


@pytest.mark.parametrize("answer", [b"late", "late", KeyError()])
def test_a_client_that_has_left_before_the_resource_is_there(answer: Any, flush_errors: Any) -> None:
    def render(request: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    later: Deferred[Any] = Deferred()
    talk = Talk(DeferredResource(later))
    talk.send()
    talk.leave()
    later.callback(Fixed(render))
    assert talk.written() == b""
    if isinstance(answer, Exception):
        flush_errors(KeyError)


def test_a_renderer_that_raises_after_its_response(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        request.write(b"all")
        request.finish()
        return fails(request)

    talk = Talk(Fixed(render))
    answer = talk.ask()
    assert (answer.body, answer.complete, talk.transport.connected) == (b"all", True, True)
    flush_errors(KeyError)


def test_bytes_after_the_end(flush_errors: Any) -> None:
    def render(request: Any) -> bytes:
        request.write(b"all")
        request.finish()
        return b"more"

    answer = Talk(Fixed(render)).ask()
    assert (answer.body, answer.complete) == (b"all", True)
    [failure] = flush_errors(RuntimeError)
    assert "after Request.finish" in str(failure.value)


@pytest.mark.parametrize("value", ["text", None, 200, bytearray(b"x")])
def test_what_is_no_answer(value: object, flush_errors: Any) -> None:
    with capturedLogs() as events:
        answer = Talk(Fixed(value)).ask()
    assert answer.code == 500
    assert b"did not return bytes" in answer.body
    [event] = [event for event in events if event["log_level"] is LogLevel.error]
    assert event["value"] is value


def test_text_that_is_written_is_told_of_before_the_head(flush_errors: Any) -> None:
    answer = Talk(Fixed(lambda request: request.write("text"))).ask()
    assert answer.code == 500
    [failure] = flush_errors(TypeError)
    assert "must be bytes, not str ('text')" in str(failure.value)


def test_what_is_no_answer_amid_a_response() -> None:
    def render(request: Any) -> None:
        request.write(b"some")

    talk = Talk(Fixed(render))
    talk.send()
    assert not talk.answer().complete
    assert not talk.transport.connected


def test_the_page_of_what_is_no_answer_is_escaped() -> None:
    class Evil:
        def __repr__(self) -> str:
            return "<script>"

    assert b"<script>" not in Talk(Fixed(lambda request: Evil())).ask().body


@pytest.mark.parametrize(
    ("target", "segments", "host"),
    [
        ("http://other.example/a/b?c", [b"a", b"b"], b"other.example"),
        ("HTTP://u:p@other.example:81", [b""], b"other.example:81"),
        ("http://other.example/", [b""], b"other.example"),
    ],
)
def test_a_target_that_is_a_whole_url(target: str, segments: list[bytes], host: bytes) -> None:
    class Said(Tree):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return repr((request.postpath, request.getHeader(b"host"))).encode()

    assert Talk(Said()).ask(target).body == repr((segments, host)).encode()


@pytest.mark.parametrize(
    "target",
    ["a", "xleaf", "leaf/", ".leaf", "*leaf", "?/leaf", "%2fleaf", "http:///leaf", "://a/leaf", "a:80", "http:/leaf"],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_target_that_is_none(target: str, early: bool) -> None:
    root = Resource()
    root.putChild(b"leaf", Fixed(b"secret"))
    root.putChild(b"", root)
    talk = Talk(root)
    talk.site.streamsBodies = early
    assert talk.ask(target).code == 400


def test_how_many_calls_a_request_costs() -> None:
    """A request is to cost 3 µs in all, and each call of a function in Python some 50 ns of them."""

    class Hello(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            return b"hello"

    root = Resource()
    root.putChild(b"", Hello())
    talk = Talk(root)
    talk.ask()
    calls: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        talk.send()
    finally:
        sys.setprofile(None)
    first, last = calls.index("process"), calls.index("render_GET")
    assert calls[first : last + 1] == [
        "process", "getResourceFor", "getChildForRequest", "getChildWithDefault", "render", "render", "render_GET"
    ]  # fmt: skip
