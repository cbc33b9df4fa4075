"""From a path to a resource, and from a resource to a response."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from zope.interface import Interface, alsoProvides
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.defer import Deferred
from torsion.internet.interfaces import ISSLTransport
from torsion.logger import LogLevel, capturedLogs
from torsion.python.components import registerAdapter
from torsion.web.error import UnsupportedMethod
from torsion.web.iweb import IRequest
from torsion.web.resource import Resource, getChildForRequest
from torsion.web.server import NOT_DONE_YET, Request, Session, Site
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


# Where it is


def request_for(target: str, **keywords: Any) -> Request:
    seen: list[Request] = []
    root = Tree()
    root.isLeaf = True
    root.render_GET = lambda request: seen.append(request) or b""  # type: ignore[method-assign]
    Talk(root, **keywords).ask(target)
    return seen[0]


def test_a_request_is_what_it_says() -> None:
    assert verifyObject(IRequest, request_for("/"))


@pytest.mark.parametrize(
    ("segments", "left", "child", "sibling"),
    [
        ([b"foo", b"bar"], [], b"bar/x", b"x"),
        ([b"foo", b""], [], b"x", b"x"),
        ([b"foo"], [b"bar"], b"x", b"../x"),
        ([], [b"a", b"b", b"c"], b"../../x", b"../../../x"),
    ],
)
def test_links(segments: list[bytes], left: list[bytes], child: bytes, sibling: bytes) -> None:
    request = request_for("/")
    request.prepath, request.postpath = segments, left
    assert (request.childLink(b"x"), request.sibLink(b"x")) == (child, sibling)


def test_the_url_of_a_resource() -> None:
    request = request_for("/")
    request.prepath = [b"a b", b"c/d"]
    request.setHost(b"example.com", 80)
    assert request.prePathURL() == b"http://example.com/a%20b/c%2Fd"
    assert str(request.URLPath()) == "http://example.com/a%20b/c%2Fd"
    request.setHost(b"example.com", 8080)
    assert request.prePathURL() == b"http://example.com:8080/a%20b/c%2Fd"
    request.setHost(b"example.com", 443, ssl=True)
    assert request.prePathURL() == b"https://example.com/a%20b/c%2Fd"


def test_the_url_of_an_address_in_brackets() -> None:
    request = request_for("/")
    request.requestHeaders.setRawHeaders(b"host", [b"[::1]:8080"])
    assert request.prePathURL() == b"http://[::1]:8080/"


def test_the_url_of_a_request_without_a_host() -> None:
    request = request_for("/")
    request.requestHeaders.removeHeader(b"host")
    for address, url in (
        (IPv4Address("TCP", "192.0.2.1", 80), b"http://192.0.2.1/"),
        (IPv4Address("TCP", "192.0.2.1", 81), b"http://192.0.2.1:81/"),
        (IPv6Address("TCP", "::1", 81), b"http://[::1]:81/"),
        (UNIXAddress("/socket"), b"http:///"),
    ):
        request.host = address
        assert request.prePathURL() == url


def test_where_the_application_begins() -> None:
    request = request_for("/")
    assert request.getRootURL() is None
    request.prepath = [b"app", b"page"]
    request.setHost(b"example.com", 80)
    request.rememberRootURL()
    assert request.getRootURL() == b"http://example.com/app"


# Sessions


class ICart(Interface):
    pass


class Cart:
    def __init__(self, session: Session) -> None:
        self.things: list[str] = []


registerAdapter(Cart, Session, ICart)


def cart(request: Any) -> bytes:
    things = request.getSession(ICart).things
    things.append("thing")
    return str(len(things)).encode()


def test_a_session_lasts_from_request_to_request() -> None:
    talk = Talk(Fixed(cart))
    first = talk.ask()
    cookie = first.one("set-cookie")
    assert cookie.startswith("TWISTED_SESSION=")
    assert "HttpOnly" in cookie
    assert "Secure" not in cookie
    name = cookie.partition(";")[0]
    again = talk.ask(headers={"Cookie": name})
    assert (first.body, again.body) == (b"1", b"2")
    assert "set-cookie" not in again.headers
    assert talk.ask().body == b"1", "another client"
    assert talk.ask(headers={"Cookie": "TWISTED_SESSION=chosen"}).body == b"1", "a name is never the client's choice"


def test_a_session_ends() -> None:
    talk = Talk(Fixed(cart))
    name = talk.ask().one("set-cookie").partition(";")[0]
    talk.clock.advance(899)
    talk.connect()
    assert talk.ask(headers={"Cookie": name}).body == b"2"
    talk.clock.advance(899)
    assert len(talk.site.sessions) == 1
    talk.clock.advance(2)
    assert len(talk.site.sessions) == 0
    talk.connect()
    assert talk.ask(headers={"Cookie": name}).body == b"1"


def test_a_session_that_ends_while_the_request_lasts() -> None:
    request = request_for("/")
    first = request.getSession()
    assert request.session is first
    first.expire()
    assert request.getSession() is not first


def test_sessions_over_tls_are_others() -> None:
    def render(request: Any) -> bytes:
        secure, plain = request.getSession(), request.getSession(forceNotSecure=True)
        assert secure is not plain
        assert request.session is secure
        assert request.getSession() is secure
        return b""

    talk = Talk(Fixed(render))
    alsoProvides(talk.transport, ISSLTransport)
    cookies = talk.ask().headers["set-cookie"]
    assert [cookie.partition("=")[0] for cookie in cookies] == ["TWISTED_SECURE_SESSION", "TWISTED_SESSION"]
    assert ["Secure" in cookie for cookie in cookies] == [True, False]


def test_the_site_is_asked_for_a_file_for_the_body(tmp_path: Any) -> None:
    lengths: list[Any] = []

    def file(length: int | None) -> Any:
        lengths.append(length)
        return (tmp_path / "body").open("w+b")

    class Echo(Resource):
        isLeaf = True

        def render_POST(self, request: Any) -> bytes:
            assert request.content.name == str(tmp_path / "body")
            return request.content.read()

    talk = Talk(Echo())
    talk.site.getContentFile = file
    assert talk.ask(method="POST", body=b"12345").body == b"12345"
    assert lengths == [5]


def test_forms_are_read_unless_the_site_says_otherwise() -> None:
    class Form(Resource):
        isLeaf = True

        def render_POST(self, request: Any) -> bytes:
            return repr(request.args).encode()

    said = {"Content-Type": "application/x-www-form-urlencoded"}
    assert Talk(Form()).ask(method="POST", headers=said, body=b"a=1").body == b"{b'a': [b'1']}"
    assert Talk(Form(), parsePOSTFormSubmission=False).ask(method="POST", headers=said, body=b"a=1").body == b"{}"


class Streaming(Resource):
    isLeaf = True
    streamsBody = True

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    async def render_POST(self, request: Any) -> bytes:
        async for part in request.streamBody():
            self.parts.append(part)
        return b"all"


def post(talk: Talk, *parts: bytes) -> None:
    length = sum(map(len, parts))
    head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length
    for part in (head, *parts):
        talk.channel.dataReceived(part)


def test_a_resource_has_the_body_as_it_comes() -> None:
    leaf = Streaming()
    talk = Talk(leaf)
    talk.site.streamsBodies = True
    talk.channel.dataReceived(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for count, part in enumerate((b"one", b"two"), 1):
        assert talk.written() == b""
        talk.channel.dataReceived(part)
        assert len(leaf.parts) == count
    assert talk.answer().body == b"all"
    assert leaf.parts == [b"one", b"two"]


def test_a_resource_has_the_body_at_once_if_the_site_does_not_look_early() -> None:
    leaf = Streaming()
    talk = Talk(leaf)
    post(talk, b"one", b"two")
    assert (talk.answer().body, b"".join(leaf.parts)) == (b"all", b"onetwo")


def test_other_resources_are_looked_for_once() -> None:
    looked: list[bytes] = []

    class Root(Resource):
        def getChild(self, path: bytes, request: Any) -> Resource:
            looked.append(path)
            return Stored()

    class Stored(Resource):
        def render_POST(self, request: Any) -> bytes:
            return request.content.read()

    talk = Talk(Root())
    talk.site.streamsBodies = True
    post(talk, b"one", b"two")
    assert (talk.answer().body, looked) == (b"onetwo", [b"a"])
    post(talk)
    assert talk.answer().body == b""


def test_what_fails_before_the_body_has_come(flush_errors: Any) -> None:
    class Root(Resource):
        def getChild(self, path: bytes, request: Any) -> Resource:
            raise KeyError

    talk = Talk(Root())
    talk.site.streamsBodies = True
    post(talk, b"one", b"two")
    assert talk.answer().code == 500
    flush_errors(KeyError)
    post(talk, b"three")
    assert talk.answer().code == 500, "the connection goes on"
    flush_errors(KeyError)


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


def test_the_function_goes_on_from_where_it_is_told() -> None:
    request = request_for("/")
    request.prepath, request.postpath = [], [b"a"]
    root, child = Resource(), Resource()
    root.putChild(b"a", child)
    assert getChildForRequest(root, request) is child


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
