"""Channels do the same natively as in Python, whatever comes, however it is cut, and whatever the program does."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.python.failure import Failure
from torsion.web import server
from torsion.web.http import HTTPFactory, Request, channel
from torsion.web.resource import Resource

if channel.PURE:
    pytest.skip("this run is of the twins in Python", allow_module_level=True)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Warning! request.finish called twice"),
    # Requests that are forgotten amid a large body close its file only when they are collected: it is not what is compared here.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def act(request: Any, trace: list[Any], later: list[Any]) -> bytes | None:
    """Do what the target says; return what is to be answered at once."""
    what = request.uri.partition(b"?")[0].rpartition(b"/")[2]
    number = len(trace)
    fields = sorted(request.requestHeaders.getAllRawHeaders())
    trace.append((request.method, request.uri, request.path, request.clientproto, fields, request.args))
    if what == b"body":
        return bytes(request.content.read())
    if what == b"told":
        request.notifyFinish().addBoth(lambda result: trace.append((number, "ended", result and result.type)))
    elif what == b"later":
        later.append(request)
        return None
    elif what == b"raise":
        raise ValueError("on purpose")
    elif what == b"parts":
        request.write(b"one")
        request.write(b"two")
        request.finish()
        return None
    elif what == b"half":
        request.write(b"half")
        raise ValueError("on purpose")
    elif what == b"lose":
        request.loseConnection()
    elif what == b"cookie":
        request.addCookie(b"a", b"b")
        request.setResponseCode(404)
    elif what == b"none":
        request.setResponseCode(204)
        return b""
    elif what == b"big":
        return b"big" * 10_000
    elif what == b"finish":
        request.channel.finish()
    elif what == b"pause":
        request.channel.pauseProducing()
    elif what == b"timeout":
        request.channel.requestTimeout = 5
    return b"ok"


class End:
    """A channel, native or not, its client, and what has happened there."""

    def __init__(self, pure: bool, site: bool) -> None:
        self.pure = pure
        self.trace: list[Any] = []
        self.later: list[Any] = []
        self.all: list[Any] = []
        self.clock = Clock()
        end = self
        factory: Any

        class Plain(Request):
            def process(self) -> None:
                end.all.append(self)
                body = act(self, end.trace, end.later)
                if body is not None:
                    self.setHeader(b"content-length", b"%d" % len(body))
                    self.write(body)
                    self.finish()

        class OfSite(server.Request):
            serverName = None  # and no date

        class Root(Resource):
            isLeaf = True

            def render(self, request: Any) -> Any:
                end.all.append(request)
                body = act(request, end.trace, end.later)
                if body is None or request.finished:
                    return server.NOT_DONE_YET
                return body

        if site:
            factory = server.Site(Root(), OfSite, reactor=self.clock)
        else:
            factory = HTTPFactory(reactor=self.clock)
            factory.requestFactory = Plain
        self.transport = StringTransport()
        self.channel = factory.buildProtocol(None)
        self.do(self.channel.makeConnection, self.transport)

    def do(self, call: Any, *args: Any) -> None:
        channel.PURE = self.pure
        try:
            call(*args)
        except Exception as error:  # both are to raise the same
            self.trace.append(repr(error))
        finally:
            channel.PURE = False

    def step(self, step: Any) -> None:
        if isinstance(step, bytes):
            if not self.transport.disconnecting and not self.transport.disconnected:
                self.do(self.channel.dataReceived, step)
        elif isinstance(step, int):
            self.do(self.clock.advance, step)
        elif step == "answer":
            if self.later:
                request = self.later.pop(0)
                self.do(request.write, b"later")
                self.do(request.finish)
        else:
            self.do(getattr(self.channel, step))

    def seen(self) -> Any:
        requests = [
            (bool(each.finished), bool(each.startedWriting), each.sentLength, each.channel is None, each.code)
            for each in self.all
        ]
        calls = sorted(call.getTime() for call in self.clock.getDelayedCalls())
        ends = self.transport.disconnecting, self.transport.disconnected, self.transport.producerState
        return self.transport.value(), self.trace, requests, ends, calls

    def leave(self) -> None:
        self.do(self.channel.connectionLost, Failure(ConnectionDone()))


TARGETS = [b"body", b"told", b"later", b"raise", b"parts", b"half", b"lose", b"cookie", b"none", b"big", b"finish", b"pause", b"timeout", b"a?b=c&b=%20"]  # fmt: skip
FIELDS = [
    b"Host: a", b"Host: b", b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: websocket",
    b"Content-Length: 3", b"Content-Length: 03", b"Content-Length: 4", b"Content-Length: x", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip", b"Expect: 100-continue", b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: multipart/form-data; boundary=x", b"Cookie: a=b", b"A : b", b" folded", b"A: \x00", b"A: \xff", b"A: b\rc",
]  # fmt: skip
HEAD = st.builds(
    lambda method, target, version, fields: (
        b"%b %b %b\r\n" % (method, target, version) + b"".join(field + b"\r\n" for field in fields) + b"\r\n"
    ),
    st.sampled_from([b"GET", b"GET", b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"get"]),
    st.sampled_from(
        [b"/" + target for target in TARGETS] + [b"*", b"http://a/body", b"http://a", b"x", b"/%zz/%00/body"]
    ),
    st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2"]),
    st.lists(st.sampled_from(FIELDS), max_size=3).map(lambda fields: [b"Host: a", *fields])
    | st.lists(st.sampled_from(FIELDS), max_size=2),
)
GET = st.sampled_from(TARGETS).map(lambda target: b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
POST = st.builds(
    lambda target, body: b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (target, len(body), body),
    st.sampled_from(TARGETS),
    st.sampled_from([b"", b"a=b", b"x" * 200, b"x" * 200_000]),
)
BITS = st.sampled_from(
    [
        b"a=b",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"3;x=y\r\nabc\r\n",
        b"-1\r\n",
        b"\r\n",
        b"\n",
        b"abc",
        b"\x16\x03\x01",
    ]
)
BYTES = st.lists(GET | GET | POST | HEAD | BITS | GET.map(lambda get: get * 40), min_size=1, max_size=5).map(b"".join)
STEPS = st.sampled_from([0, 1, 10, 31, 61, "answer", "answer", "pauseProducing", "resumeProducing", "finish"])


@st.composite
def scenarios(draw: st.DrawFn) -> list[Any]:
    """What happens, one after the other: bytes, seconds, or what is done with the channel."""
    steps: list[Any] = []
    for _ in range(draw(st.integers(1, 4))):
        data = draw(BYTES)
        cuts = [0, *sorted(draw(st.lists(st.integers(0, min(len(data), 300)), max_size=3))), len(data)]
        steps += [data[start:end] for start, end in pairwise(cuts) if start < end]
        steps += draw(st.lists(STEPS, max_size=3))
    return steps


@settings(
    max_examples=300,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)
@example(False, [b"".join(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % target for target in (b"timeout", b"later"))])
@example(False, [b"GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "pauseProducing", b"GET"])
@example(False, [b"GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 5, "finish", b"a", 31])
@given(st.booleans(), scenarios())
def test_the_same_happens(site: bool, steps: list[Any]) -> None:
    ends = End(False, site), End(True, site)
    for step in steps:
        for end in ends:
            end.step(step)
        native, pure = (end.seen() for end in ends)
        assert native == pure
    for end in ends:
        end.leave()
    native, pure = (end.seen() for end in ends)
    assert native == pure
    assert native[-1] == [], "nothing is left to be called"
