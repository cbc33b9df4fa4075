"""Agents around agents: redirects, cookies, content, the whole time."""

from __future__ import annotations

import gzip
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import pytest

from torsion.internet.endpoints import HostnameEndpoint
from torsion.internet.task import Clock
from torsion.logger import capturedLogs
from torsion.python.failure import Failure
from torsion.web.client import (
    URI,
    Agent,
    BrowserLikePolicyForHTTPS,
    BrowserLikeRedirectAgent,
    ContentDecoderAgent,
    CookieAgent,
    DecompressionBomb,
    HostnameCachingHTTPSPolicy,
    RedirectAgent,
    RequestTimedOut,
    ResponseDone,
    ResponseFailed,
    TimeLimitAgent,
    content,
    standardDecoders,
)
from torsion.web.client.content import FREE
from torsion.web.error import InfiniteRedirection, PageRedirect, RedirectWithNoLocation, SchemeNotSupported
from torsion.web.http_headers import Headers
from unit.web.client.test_protocol import Producer
from unit.web.client.world import OK, Asked, World, read

SECRETS = {"Authorization": ["a"], "Cookie": ["b"], "Proxy-Authorization": ["c"], "X-Mine": ["d"], "X-Open": ["e"]}


def found(location: bytes, code: int = 302) -> bytes:
    return b"HTTP/1.1 %d Found\r\nContent-Length: 4\r\nLocation: %b\r\n\r\ngone" % (code, location)


def redirecting(kind: Any = RedirectAgent, **how: Any) -> World:
    world = World()
    world.agent = kind(world.agent, sensitiveHeaderNames=[b"x-mine"], **how)
    return world


# --- redirects -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(code: int) -> None:
    world = redirecting()
    asked = world.get(b"http://a/b/c?d#e", headers=Headers({"Accept": ["x"]}))
    world.wire.take()
    world.wire.say(found(b"../f g?h", code))
    assert world.wire.take() == b"GET /f%20g?h HTTP/1.1\r\nHost: a\r\nAccept: x\r\n\r\n"
    world.wire.say(OK)
    assert asked.response.code == 200
    assert asked.response.previousResponse.code == code
    assert asked.response.request.absoluteURI == b"http://a/f%20g?h#e"
    assert len(world.wires) == 1, "the connection of the redirect was not free"


@pytest.mark.parametrize(
    "target", [b"http://b/", b"https://a/", b"http://a:81/", b"//b/x", b"http://A.b/", b"https://a:80/"]
)
def test_what_is_sensitive_stays_where_it_belongs(target: bytes) -> None:
    world = redirecting()
    world.get(headers=Headers({**SECRETS, "Host": ["named"]}))
    world.wire.say(found(target))
    lines = world.wire.take().split(b"\r\n")
    assert b"X-Open: e" in lines
    assert not [
        line for line in lines if line.split(b": ")[-1] in (b"a", b"b", b"c", b"d", b"named") and b"Host" not in line
    ]
    assert b"Host: named" not in lines


def test_what_is_sensitive_goes_on_to_the_same_server() -> None:
    world = redirecting()
    world.get(headers=Headers(SECRETS))
    world.wire.take()
    world.wire.say(found(b"http://A:80/x"))
    assert world.wire.take().count(b"\r\n") == len(SECRETS) + 3


def test_methods_that_do_something_are_not_made_again_elsewhere() -> None:
    for code in (301, 302, 307, 308):
        asked = (world := redirecting()).get(method=b"POST")
        world.wire.say(found(b"/x", code))
        assert isinstance(asked.error, ResponseFailed)
        assert asked.error.reasons[0].check(PageRedirect)
    for code in (307, 308):
        asked = (world := redirecting(BrowserLikeRedirectAgent)).get(method=b"POST")
        world.wire.say(found(b"/x", code))
        assert asked.error.reasons[0].check(PageRedirect)


@pytest.mark.parametrize(
    ("kind", "code"), [(RedirectAgent, 303), *((BrowserLikeRedirectAgent, c) for c in (301, 302, 303))]
)
def test_some_become_a_get_without_a_body(kind: Any, code: int) -> None:
    world = redirecting(kind)
    producer = Producer(1)
    world.get(method=b"POST", body=producer, headers=Headers({"Content-Type": ["x"]}))
    producer.consumer.write(b"x")
    producer.done.callback(None)
    world.wire.take()
    world.wire.say(found(b"/x", code))
    assert world.wire.take() == b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


def test_loops_end() -> None:
    world = redirecting(redirectLimit=3)
    asked = world.get()
    for _ in range(4):
        assert not asked.answered
        world.wire.say(found(b"/"))
    assert asked.error.reasons[0].check(InfiniteRedirection)
    assert asked.error.response.code == 302


def test_redirects_that_lead_nowhere() -> None:
    asked = (world := redirecting()).get()
    world.wire.say(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
    assert asked.error.reasons[0].check(RedirectWithNoLocation)


def test_downgrades_can_be_refused() -> None:
    asked = (world := redirecting(allowDowngrade=False)).get(b"https://a/")
    world.wire.say(found(b"http://a/"))
    assert asked.error.reasons[0].check(PageRedirect)
    assert len(world.wires) == 1


def test_downgrades_are_told_of() -> None:
    world = redirecting()
    with capturedLogs() as events:
        world.get(b"https://a/x", headers=Headers(SECRETS))
        world.wire.say(found(b"http://a/"))
    assert world.wire.take() == b"GET / HTTP/1.1\r\nHost: a\r\nX-Open: e\r\n\r\n"
    [event] = [event for event in events if "allowDowngrade" in event["log_format"]]
    assert event["log_level"].name == "warn"


def test_who_was_left_once_is_not_told_who_asks_by_a_redirect_back() -> None:
    world = redirecting()
    world.get(headers=Headers(SECRETS))
    world.wire.say(found(b"http://b/"))
    first, second = world.wires
    first.take()
    second.say(found(b"http://a/"))
    assert first.take() == b"GET / HTTP/1.1\r\nHost: a\r\nX-Open: e\r\n\r\n"


def test_a_redirect_cannot_make_us_send_a_name_and_a_password_or_leave_the_web() -> None:
    for location, kind in ((b"http://user:word@a/", ValueError), (b"file:///etc/passwd", SchemeNotSupported)):
        clock: Any = Clock()
        agent = RedirectAgent(Agent(clock))
        answer = World()
        first = answer.get()
        answer.wire.say(found(location))
        response = first.response
        failures: list[Any] = []
        agent._follow(response, b"GET", b"http://a/", None, 0).addErrback(failures.append)
        assert failures[0].check(kind)


# --- cookies -------------------------------------------------------------------------------------------------------------


def test_cookies_go_back_to_where_they_are_from_and_nowhere_else() -> None:
    world = World()
    jar = CookieJar()
    world.agent = CookieAgent(world.agent, jar)
    world.get(b"https://www.example.com/d/e")
    cookies = b"Set-Cookie: a=1; Path=/d\r\nSet-Cookie: s=2; Secure; Path=/\r\nSet-Cookie: x=3; Domain=other.com\r\n"
    world.wire.say(b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 0\r\n\r\n")
    assert sorted(cookie.name for cookie in jar) == ["a", "s"]
    for uri, sent in {
        b"https://www.example.com/": b"s=2",
        b"http://www.example.com/d/f": b"a=1",
        b"http://www.example.com/": None,
        b"http://example.com/d/": None,
        b"http://evil.com/d/": None,
    }.items():
        world.get(uri)
        lines = world.wire.take().split(b"\r\n")
        assert [line for line in lines if line.startswith(b"Cookie")] == ([] if sent is None else [b"Cookie: " + sent])
        world.wire.say(OK)
    world.get(b"http://www.example.com/d/f", headers=Headers({"Cookie": ["mine=1"]}))
    assert b"Cookie: mine=1\r\n" in b"".join(wire.take() for wire in world.wires)


@pytest.mark.parametrize(
    ("uri", "cookie", "to", "sent"),
    [
        (b"http://example.com/", b"a=1", b"http://www.example.com/", False),
        (b"http://www.example.com/", b"a=1; Domain=example.com", b"http://x.example.com/", True),
        (b"http://www.example.com/", b"a=1; Domain=example.com", b"http://badexample.com/", False),
        (b"http://example.com/", b"a=1; Domain=www.example.com", b"http://www.example.com/", False),
        (b"http://example.com/", b"a=1; Domain=com", b"http://example.com/", False),
        (b"http://shop.co.uk/", b"a=1; Domain=co.uk", b"http://other.co.uk/", False),
        (b"http://127.0.0.1/", b"a=1; Domain=0.0.1", b"http://10.0.0.1/", False),
        (b"http://127.0.0.1/", b"a=1", b"http://127.0.0.1/", True),
        (b"http://[::1]/", b"a=1", b"http://[::1]/", True),
        (b"http://a.com/x", b"a=1; Path=/x", b"http://a.com/xy", False),
        (b"http://a.com/x/y", b"a=1", b"http://a.com/x/z", True),
        (b"http://a.com/x/y", b"a=1", b"http://a.com/", False),
        (b"https://a.com/", b"a=1; Secure", b"http://a.com/", False),
        (b"https://a.com/", b"a=1; Secure", b"https://a.com/", True),
        (b"http://a.com/", b"a=1; Secure", b"https://a.com/", False),
        (b"https://a.com/", b"__Secure-a=1", b"https://a.com/", False),
        (b"https://a.com/", b"__Host-a=1; Secure; Path=/; Domain=a.com", b"https://a.com/", False),
        (b"https://a.com/", b"__Host-a=1; Secure; Path=/", b"https://a.com/", True),
        (b"http://a.com/", b"a=1; Max-Age=0", b"http://a.com/", False),
    ],
)
def test_the_scope_of_a_cookie(uri: bytes, cookie: bytes, to: bytes, sent: bool) -> None:
    world = World()
    world.agent = CookieAgent(world.agent, CookieJar())
    world.get(uri)
    world.wire.say(b"HTTP/1.1 200 OK\r\nSet-Cookie: %b\r\nContent-Length: 0\r\n\r\n" % cookie)
    world.wire.take()
    world.get(to)
    assert (b"\r\nCookie: " in world.wire.take()) is sent


def test_who_is_asked_after_a_redirect_sets_no_cookies_for_the_first() -> None:
    world = redirecting()
    jar = CookieJar()
    world.agent = CookieAgent(world.agent, jar)
    world.get(b"http://first.com/")
    world.wire.say(found(b"http://second.com/"))
    world.wire.say(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n")
    assert [(cookie.name, cookie.domain) for cookie in jar] == [("a", "second.com")]


def test_a_policy_of_ones_own_decides() -> None:
    mine = CookieJar()
    policy = DefaultCookiePolicy(blocked_domains=["bad.com"])
    mine.set_policy(policy)
    CookieAgent(World().agent, mine)
    assert policy.strict_ns_domain == 0  # the program may use it elsewhere
    world = World()
    world.agent = CookieAgent(world.agent, mine)
    world.get(b"http://bad.com/")
    world.wire.say(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n")
    assert list(mine) == []

    class Open(DefaultCookiePolicy):
        pass

    theirs = CookieJar(own := Open())
    CookieAgent(World().agent, theirs)
    assert theirs._policy is own


# --- content -------------------------------------------------------------------------------------------------------------


def decoding(coding: bytes, body: bytes, step: int = 0) -> Asked:
    world = World()
    world.agent = ContentDecoderAgent(world.agent, standardDecoders())
    asked = world.get()
    assert b"gzip,deflate\r\n" in world.wire.take()
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body))
    world.wire.say(head + body[:10])
    if not isinstance(asked.results[0], Failure):
        asked.wire = world.wire  # type: ignore[attr-defined]  # for tests that look at it
        asked.reader = read(asked.response)  # type: ignore[attr-defined]  # as above
    if world.wire.open and body[10:]:
        world.wire.say(body[10:], step)
    return asked


TEXT = b"".join(b"%d bottles of beer\n" % number for number in range(2000))
RAW = zlib.compressobj(wbits=-15)
CODED = {
    b"gzip": gzip.compress(TEXT),
    b"GZip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]) + bytes(10),
    b"deflate": zlib.compress(TEXT),
    b"DEFLATE": RAW.compress(TEXT) + RAW.flush(),
    b"deflate, gzip": gzip.compress(zlib.compress(TEXT)),
}


@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("step", [1, 0])
def test_compressed_bodies(coding: bytes, step: int) -> None:
    asked: Any = decoding(coding, CODED[coding], step)
    assert asked.reader.got == TEXT
    assert isinstance(asked.reader.end, ResponseDone)
    assert not asked.response.headers.hasHeader("content-encoding")


@pytest.mark.parametrize(("coding", "package"), [(b"br", "brotli"), (b"zstd", "zstandard")])
def test_other_compressions_where_they_are_installed(
    coding: bytes, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 2**20
    monkeypatch.setattr(content, "FREE", free)
    library = pytest.importorskip(package)
    if coding not in dict(standardDecoders()):
        pytest.skip("this version of the library cannot bound what it makes")
    compress = library.compress if package == "brotli" else library.ZstdCompressor().compress
    for step in (7, 0):
        asked: Any = decoding(coding, compress(TEXT), step)
        assert asked.reader.got == TEXT
        assert isinstance(asked.reader.end, ResponseDone)
    asked = decoding(coding, compress(TEXT)[:-4])
    assert isinstance(asked.reader.end, ResponseFailed)
    asked = decoding(coding, compress(bytes(free - 1)))
    assert asked.reader.got == bytes(free - 1)
    asked = decoding(coding, compress(bytes(free * 3)))
    assert asked.reader.end.reasons[0].check(DecompressionBomb)
    assert len(asked.reader.got) <= free * 2


@pytest.mark.parametrize(
    "body", [b"this is not compressed", gzip.compress(TEXT)[:-9], gzip.compress(TEXT)[:-4] + b"oops"]
)
def test_bodies_that_are_broken(body: bytes) -> None:
    asked: Any = decoding(b"gzip", body)
    assert isinstance(asked.reader.end, ResponseFailed)


def test_bombs_are_not_blown_up(monkeypatch: pytest.MonkeyPatch) -> None:
    free = 2**20
    monkeypatch.setattr(content, "FREE", free)
    body = gzip.compress(bytes(free * 3))
    asked: Any = decoding(b"gzip", body)
    assert asked.reader.end.reasons[0].check(DecompressionBomb)
    assert len(asked.reader.got) <= free + 2**16
    assert not asked.wire.open
    asked = decoding(b", ".join([b"gzip"] * 5), body)
    assert isinstance(asked.error, ResponseFailed)


def test_what_is_small_may_be_compressed_well() -> None:
    asked: Any = decoding(b"gzip", gzip.compress(bytes(FREE - 1)))
    assert isinstance(asked.reader.end, ResponseDone)


def test_codings_that_nobody_knows_are_left() -> None:
    asked = decoding(b"rot13", b"uryyb")
    assert asked.response.headers.getRawHeaders("content-encoding") == ["rot13"]
    assert asked.reader.got == b"uryyb"  # type: ignore[attr-defined]  # set above


def test_a_reader_pauses_in_the_middle_of_what_a_few_bytes_become() -> None:
    world = World()
    world.agent = ContentDecoderAgent(world.agent, standardDecoders())
    asked = world.get()
    body = gzip.compress(bytes(2**20))
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body))
    reader = read(asked.response)
    reader.transport.pauseProducing()
    world.wire.say(body)
    assert (reader.got, reader.end) == (b"", None)
    pieces = 0
    reader.dataReceived = lambda data: reader.transport.pauseProducing()  # type: ignore[method-assign]  # pauses each time
    while reader.end is None:
        reader.transport.resumeProducing()
        pieces += 1
    assert pieces >= 16


# --- time, trust, URIs ---------------------------------------------------------------------------------------------------


def limited(world: World) -> World:
    world.agent = TimeLimitAgent(RedirectAgent(world.agent), world.clock, 10)
    return world


def test_the_whole_time_counts_redirects_and_the_body() -> None:
    world = limited(World())
    asked = world.get()
    world.clock.advance(6)
    world.wire.say(found(b"/x"))
    world.clock.advance(6)
    assert isinstance(asked.error, RequestTimedOut)
    assert not world.wire.open

    world = limited(World())
    asked = world.get()
    world.clock.advance(6)
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    reader = read(asked.response)
    world.clock.advance(6)
    assert reader.end.reasons[0].check(RequestTimedOut)

    world = limited(World(persistent=False))
    asked = world.get()
    world.wire.say(OK)
    assert read(asked.response).got == b"ok"
    assert world.clock.getDelayedCalls() == []


def test_who_is_trusted_for_a_host_is_asked_once() -> None:
    policy = HostnameCachingHTTPSPolicy(BrowserLikePolicyForHTTPS(), cacheSize=2)
    first = policy.creatorForNetloc(b"a", 1)
    policy.creatorForNetloc(b"b", 1)
    assert policy.creatorForNetloc(b"a", 2) is first
    policy.creatorForNetloc(b"c", 1)
    assert policy.creatorForNetloc(b"a", 2) is first
    assert list(policy._cache) == ["c", "a"]


@pytest.mark.parametrize("uri", [b"http:///", b"http://a@b/", b"http://a:99999/", b"http://a:x/", b"http://::1/"])
def test_uris_without_a_server(uri: bytes) -> None:
    asked = Asked(Agent(Clock()).request(b"GET", uri))
    assert isinstance(asked.error, ValueError)


@pytest.mark.parametrize(
    ("more", "words"),
    [((({"A": "b"}),), r"Headers\(\{name: \[value\]\}\)"), ((None, b"body"), r"FileBodyProducer\(BytesIO\(body\)\)")],
)
def test_what_is_forgotten_easily_is_told_at_once(more: Any, words: str) -> None:
    world = World()
    with pytest.raises(TypeError, match=words):
        world.agent.request(b"POST", b"http://host/", *more)
    assert not world.wires


def test_schemes_that_are_not_known() -> None:
    assert isinstance(Asked(Agent(Clock()).request(b"GET", b"mailto:a@b")).error, SchemeNotSupported)
    with pytest.raises(TypeError):
        Agent(Clock()).request("GET", b"http://a/")  # type: ignore[arg-type]  # text is refused


def test_endpoints_are_kept() -> None:
    factory = Agent(Clock(), connectTimeout=7)._endpoints
    plain = factory.endpointForURI(URI.fromBytes(b"http://a/b"))
    assert isinstance(plain, HostnameEndpoint)
    assert factory.endpointForURI(URI.fromBytes(b"http://a/c")) is plain
    assert factory.endpointForURI(URI.fromBytes(b"https://a/c")) is not plain
    for number in range(300):
        factory.endpointForURI(URI.fromBytes(b"http://h%d/" % number))
    assert len(factory._known) == 256


@pytest.mark.parametrize(
    ("uri", "host", "port", "form"),
    [
        (b"http://a.b:81/c;d?e#f", b"a.b", 81, b"/c;d?e"),
        (b" https://[::1]?q ", b"::1", 443, b"/?q"),
        (b"http://[::1]:8080", b"::1", 8080, b"/"),
    ],
)
def test_parts_of_uris(uri: bytes, host: bytes, port: int, form: bytes) -> None:
    parsed = URI.fromBytes(uri)
    assert (parsed.host, parsed.port, parsed.originForm) == (host, port, form)
    assert parsed.toBytes() == uri.strip()
    assert URI.fromBytes(b"http://a/", 5).port == 5
