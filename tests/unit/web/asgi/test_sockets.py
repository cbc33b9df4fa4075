"""WebSockets of applications of ASGI: in memory, with frames of one's own making and wsproto at the other end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("wsproto")
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.python.failure import Failure
from torsion.web.asgi import ASGIResource
from torsion.web.asgi.conversation import ClientDisconnected
from torsion.web.server import Site
from torsion.web.websocket import Settings
from torsion.web.websocket.inbox import EACH, KEPT
from unit.web.asgi.test_asgi import Reactor, Runner
from unit.web.talk import read_answer
from unit.web.websocket.peer import ASKED, Transport, frame


class World:
    """A site whose application is under test, and a client."""

    def __init__(self, application: Any, settings: Settings | None = None, lifespan: bool = False) -> None:
        self.reactor = Reactor()
        self.resource = ASGIResource(application, Runner(), self.reactor, lifespan, sockets=settings)
        for begin in self.reactor.begin:
            begin()
        self.site = Site(self.resource, reactor=Clock())
        self.site.streamsBodies = True
        self.channel = self.site.buildProtocol(None)
        self.transport = Transport()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)
        self.peer = Connection(ConnectionType.CLIENT)

    def ask(self, target: str = "/a%20b?x=1", data: bytes = b"", **changed: str | None) -> str:
        headers = {**ASKED, **{name.replace("_", "-"): value for name, value in changed.items()}}
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.channel.dataReceived("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode() + data)
        head, _, self.rest = self.take().partition(b"\r\n\r\n")
        return head.decode()

    def take(self) -> bytes:
        data = self.transport.value()
        self.transport.clear()
        return data

    def say(self, *frames: bytes) -> list[Any]:
        """Send frames, and return the events that come of them."""
        self.channel.dataReceived(b"".join(frames))
        return self.events()

    def events(self) -> list[Any]:
        self.peer.receive_data(self.rest + self.take())
        self.rest = b""
        return list(self.peer.events())

    def leave(self) -> None:
        self.transport.connected = False
        self.channel.connectionLost(Failure(ConnectionDone()))


def connect(application: Any, settings: Settings | None = None, **changed: str | None) -> World:
    world = World(application, settings)
    assert world.ask(**changed).startswith("HTTP/1.1 101 Switching Protocols\r\n")
    return world


async def accepted(receive: Any, send: Any, **more: Any) -> None:
    assert await receive() == {"type": "websocket.connect"}
    await send({"type": "websocket.accept", **more})


class Echo:
    """Accepts, and sends what it gets, until the client is gone."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.told: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await accepted(receive, send)
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        self.told.append(message)


# --- the handshake ---------------------------------------------------------------------------------------------------


def test_the_scope_tells_of_the_request() -> None:
    echo = Echo()
    connect(echo, Sec_WebSocket_Protocol="chat, other")
    (scope,) = echo.scopes
    assert isinstance(scope.pop("server"), tuple)
    assert isinstance(scope.pop("client"), tuple)
    headers = scope.pop("headers")
    assert (b"sec-websocket-version", b"13") in headers
    assert scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=1",
        "root_path": "",
        "subprotocols": ["chat", "other"],
        "extensions": {"websocket.http.response": {}},
    }


def test_the_application_accepts_with_a_subprotocol_and_headers() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"connection", b"close")]
        await accepted(receive, send, subprotocol="other", headers=headers)
        await receive()

    head = World(application).ask(Sec_WebSocket_Protocol="chat, other")
    assert head.lower().split("\r\n")[0].startswith("http/1.1 101 ")
    lines = sorted(line.lower() for line in head.split("\r\n")[1:])
    wanted = [
        "connection: upgrade",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol: other",
    ]
    assert [line for line in lines if line.startswith(("connection", "sec-"))] == wanted
    assert [line for line in lines if line.startswith("set-cookie")] == ["set-cookie: a=1", "set-cookie: b=2"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"subprotocol": "other"}, "not offered"),
        ({"headers": [(b"sec-websocket-protocol", b"chat")]}, "is the server's"),
        ({"headers": [(b"x", b"a\r\nb: c")]}, "one line"),
        ({"headers": [(b"x y", b"a")]}, "token"),
    ],
)
def test_what_cannot_be_accepted_is_answered_with_500(more: Any, why: str, flush_errors: Callable[..., Any]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send, **more)

    assert World(application).ask(Sec_WebSocket_Protocol="chat").startswith("HTTP/1.1 500 ")
    (failure,) = flush_errors(ValueError)
    assert why in failure.getErrorMessage()


def test_the_application_refuses() -> None:
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 4000})
        told.append(await receive())

    head = World(application).ask()
    assert head.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert "connection: close" in head.lower(), "who got no WebSocket often waits for that"
    assert told == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


def test_the_application_refuses_with_a_response_of_its_own() -> None:
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        head = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Basic")]}
        await send(head)
        await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
        with pytest.raises(RuntimeError, match="body was expected"):
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.http.response.body", "body": b"are you?"})
        told.append(await receive())
        with pytest.raises(RuntimeError, match="complete"):
            await send({"type": "websocket.http.response.body"})

    world = World(application)
    head = world.ask()
    answer, _ = read_answer(head.encode() + b"\r\n\r\n" + world.rest)
    assert (answer.code, answer.one("www-authenticate"), answer.body) == (401, "Basic", b"who are you?")
    assert told == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    assert answer.one("connection") == "close"
    assert not world.transport.connected


def test_a_refusal_that_breaks_off(flush_errors: Callable[..., Any]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
        raise LookupError("on purpose")

    world = World(application)
    assert world.ask().startswith("HTTP/1.1 401 ")
    assert not world.transport.connected
    assert len(flush_errors(LookupError)) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Sec_WebSocket_Version": "12"}, 426),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Content_Length": "2"}, 400),
    ],
)
def test_handshakes_that_are_none_do_not_reach_the_application(changed: Any, code: int) -> None:
    echo = Echo()
    world = World(echo)
    head = world.ask(**changed)
    assert head.startswith(f"HTTP/1.1 {code} ")
    assert ("sec-websocket-version: 13" in head.lower()) is (code == 426)
    assert "connection: close" in head.lower()
    assert echo.scopes == []


def test_other_protocols_are_requests_like_others() -> None:
    kinds: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        kinds.append(scope["type"])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    assert World(application).ask(Upgrade="h2c").startswith("HTTP/1.1 200 ")
    assert World(application).ask(Upgrade=None, Connection=None).startswith("HTTP/1.1 200 ")
    assert kinds == ["http", "http"]


@pytest.mark.parametrize("raises", [False, True])
def test_an_application_that_says_nothing_is_answered_with_500(raises: bool, flush_errors: Callable[..., Any]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if raises:
            raise RuntimeError("on purpose")

    assert World(application).ask().startswith("HTTP/1.1 500 ")
    (failure,) = flush_errors(RuntimeError)
    assert ("on purpose" if raises else "neither accepted") in failure.getErrorMessage()


def test_a_client_that_leaves_before_it_is_accepted() -> None:
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        told.append(await receive())
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.accept"})  # and nothing is logged

    world = World(application)
    world.ask()
    world.leave()
    assert told == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


# --- messages --------------------------------------------------------------------------------------------------------


def test_messages_come_and_go() -> None:
    echo = Echo()
    world = connect(echo)
    text, data = world.say(frame(1, "Gr\u00fc\u00dfe".encode()), frame(2, b"\0\xff"))
    assert (type(text), text.data) == (TextMessage, "Gr\u00fc\u00dfe")
    assert (type(data), data.data) == (BytesMessage, b"\0\xff")
    (end,) = world.say(frame(8, b"\x0f\xa1bye"))
    assert (end.code, end.reason) == (4001, "bye")
    world.leave()
    assert echo.told == [{"type": "websocket.disconnect", "code": 4001, "reason": "bye"}]


def test_messages_behind_the_handshake_are_not_lost() -> None:
    echo = Echo()
    world = World(echo)
    assert world.ask(data=frame(1, b"early")).startswith("HTTP/1.1 101 ")
    (message,) = world.events()
    assert message.data == "early"


def test_a_client_that_leaves_without_a_word() -> None:
    echo = Echo()
    world = connect(echo)
    world.leave()
    (end,) = echo.told
    assert (end["type"], end["code"]) == ("websocket.disconnect", 1006)


def test_who_breaks_a_rule_is_told_of_and_so_is_the_application() -> None:
    echo = Echo()
    world = connect(echo, Settings(maxMessageSize=10))
    (end,) = world.say(frame(1, b"x" * 11))
    assert end.code == 1009
    world.leave()
    assert echo.told[0]["code"] == 1009
    echo = Echo()
    world = connect(echo)
    (end,) = world.say(frame(1, b"x", masked=False))
    assert end.code == 1002
    world.leave()
    assert echo.told[0]["code"] == 1002


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [({}, 1000, None), ({"code": None, "reason": None}, 1000, None), ({"code": 3000, "reason": "off"}, 3000, "off")],
)
def test_the_application_closes(message: Any, code: int, reason: str | None) -> None:
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        await send({"type": "websocket.close", **message})
        with pytest.raises(RuntimeError, match="after the WebSocket was closed"):
            await send({"type": "websocket.send", "text": "late"})
        told.append(await receive())

    world = connect(application)
    (end,) = world.events()
    assert (type(end), end.code, end.reason or None) == (CloseConnection, code, reason)
    world.say(frame(1, b"crossing"), frame(8, code.to_bytes(2, "big")))
    world.leave()
    assert told == [{"type": "websocket.disconnect", "code": code, "reason": ""}]


def test_the_end_of_the_application_is_that_of_the_websocket(flush_errors: Callable[..., Any]) -> None:
    async def returns(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        raise LookupError("on purpose")

    for application, code in ((returns, 1000), (fails, 1011)):
        world = connect(application)
        (end,) = world.events()
        assert end.code == code
        assert world.resource._active == set()
    assert len(flush_errors(LookupError)) == 1


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"type": "websocket.send"}, ValueError),
        ({"type": "websocket.send", "text": "a", "bytes": b"b"}, ValueError),
        ({"type": "websocket.send", "text": b"a"}, TypeError),
        ({"type": "websocket.send", "bytes": "b"}, TypeError),
        ({"type": "websocket.send", "bytes": 5}, TypeError),
        ({"type": "websocket.accept"}, RuntimeError),
        ({"type": "websocket.close", "code": 1005}, ValueError),
        ({"type": "http.response.start", "status": 200}, RuntimeError),
    ],
)
def test_messages_that_are_none(message: Any, error: Any) -> None:
    caught: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        with pytest.raises(error):
            await send(message)
        caught.append(message)
        await send({"type": "websocket.send", "bytes": bytearray(b"good")})
        await receive()

    world = connect(application)
    (event,) = world.events()
    assert event.data == b"good"
    assert caught == [message]


def test_messages_before_the_websocket_is_accepted(flush_errors: Callable[..., Any]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.send", "text": "early"})

    assert World(application).ask().startswith("HTTP/1.1 500 ")
    (failure,) = flush_errors(RuntimeError)
    assert "before websocket.send" in failure.getErrorMessage()


# --- pressure --------------------------------------------------------------------------------------------------------


def test_a_client_that_takes_nothing_holds_the_application_back() -> None:
    sent: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        await receive()
        for number in range(5):
            await send({"type": "websocket.send", "text": "x"})
            sent.append(number)
        await receive()

    world = connect(application)
    world.transport.producer.pauseProducing()
    world.say(frame(1, b"go"))
    assert sent == []
    world.transport.producer.resumeProducing()
    assert sent == [0, 1, 2, 3, 4]


def test_several_tasks_wait_for_room() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        await receive()
        for number in range(3):
            sending = Deferred.fromCoroutine(send({"type": "websocket.send", "text": "x"}))
            sending.addCallback(lambda _, number=number: sent.append(number))
        await receive()

    sent: list[int] = []
    world = connect(application)
    world.transport.producer.pauseProducing()
    world.say(frame(1, b"go"))
    assert sent == []
    world.transport.producer.resumeProducing()
    assert sent == [0, 1, 2]


def test_who_waits_for_room_learns_that_the_client_has_left() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        await receive()
        with pytest.raises(ClientDisconnected):
            while True:
                await send({"type": "websocket.send", "text": "x"})
        ends.append("left")

    ends: list[str] = []
    world = connect(application)
    world.transport.producer.pauseProducing()
    world.say(frame(1, b"go"))
    world.leave()
    assert ends == ["left"]


def test_a_client_that_takes_nothing_for_long_is_left() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        await send({"type": "websocket.send", "text": "x"})
        ends.append(await receive())

    ends: list[Any] = []
    world = connect(application, Settings(stallTimeout=60, pingInterval=None))
    world.transport.producer.pauseProducing()
    world.reactor.advance(30)
    world.transport.producer.resumeProducing()
    world.transport.producer.pauseProducing()
    world.reactor.advance(59)
    assert ends == []
    world.reactor.advance(1)
    assert (ends[0]["code"], ends[0]["reason"]) == (1006, "the peer did not take what was sent")


@pytest.mark.parametrize("size", [0, 20_000])
def test_who_says_more_than_the_application_asks_for_is_not_read_from(size: int) -> None:
    got: list[int] = []
    go_on: list[Deferred[None]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await accepted(receive, send)
        go_on.append(Deferred())
        await go_on[0]
        while (message := await receive())["type"] == "websocket.receive":
            got.append(len(message["text"]))

    world = connect(application)
    few = KEPT // (size + EACH)
    world.say(*[frame(1, b"x" * size)] * few)
    assert world.transport.producerState == "producing"
    world.say(frame(1, b"x" * size), frame(1, b"x" * size), frame(8))
    assert world.transport.producerState == "paused"
    go_on[0].callback(None)
    assert world.transport.producerState == "producing"
    assert got == [size] * (few + 2)


# --- the end of the server -------------------------------------------------------------------------------------------


async def alive(receive: Any, send: Any) -> None:
    for event in ("startup", "shutdown"):
        assert await receive() == {"type": f"lifespan.{event}"}
        await send({"type": f"lifespan.{event}.complete"})


def test_websockets_are_closed_when_the_server_ends() -> None:
    echo = Echo()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await (alive(receive, send) if scope["type"] == "lifespan" else echo(scope, receive, send))

    world = World(application, lifespan=True)
    assert world.ask().startswith("HTTP/1.1 101 ")
    (trigger,) = world.reactor.triggers
    done: list[Any] = []
    trigger().addBoth(done.append)
    (end,) = world.events()
    assert (end.code, done) == (1001, [])
    world.say(frame(8, b"\x03\xe9"))
    world.leave()
    assert done == [None]
    assert [end["code"] for end in echo.told] == [1001]


def test_who_is_accepted_when_the_server_ends_is_closed_at_once() -> None:
    go_on: Deferred[None] = Deferred()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await alive(receive, send)
        else:
            await go_on
            await accepted(receive, send)
            await receive()

    world = World(application, lifespan=True)
    world.ask()
    (trigger,) = world.reactor.triggers
    trigger()
    go_on.callback(None)
    head, _, world.rest = world.take().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    (end,) = world.events()
    assert end.code == 1001


def test_a_drain_says_that_the_server_goes_away() -> None:
    world = connect(Echo())
    world.channel.finish()
    (end,) = world.events()
    assert end.code == 1001
