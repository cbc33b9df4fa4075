"""WebSockets as coroutines use them: at a server in memory, and from end to end over sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("wsproto")

from contract.faultkit import needs_posix
from contract.harness import run_scenario
from torsion.internet.defer import CancelledError, Deferred, gatherResults
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.reactors.native import NativeReactor
from torsion.python.failure import Failure
from torsion.web.client import ProxyRefused
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.websocket import (
    ConnectionRejected,
    Settings,
    WebSocket,
    WebSocketBroken,
    WebSocketClosed,
    WebSocketResource,
    connect,
)
from torsion.web.websocket.coroutines import Handlers
from torsion.web.websocket.dialling import SAID
from torsion.web.websocket.inbox import EACH, KEPT
from unit.web.websocket.peer import Server, frame


def serve(handler: Callable[[WebSocket], Awaitable[object]], settings: Settings | None = None) -> Server:
    server = Server(settings, Handlers(handler))
    assert server.ask().startswith("HTTP/1.1 101 ")
    return server


def run(coroutine: Any) -> list[Any]:
    """Start a coroutine; return a list that its result will be in."""
    results: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    return results


# --- a handler -------------------------------------------------------------------------------------------------------


def test_a_handler_gets_messages_and_sends_them() -> None:
    async def echo(socket: WebSocket) -> None:
        async for message in socket:
            await socket.send(message)
        ends.append(socket.end)

    ends: list[Any] = []
    server = serve(echo)
    server.channel.dataReceived(frame(1, b"text") + frame(2, b"\xff"))
    assert server.take() == b"\x81\x04text\x82\x01\xff"
    server.channel.dataReceived(frame(8, b"\x0f\xa0bye"))
    (end,) = ends
    assert (type(end), end.code, end.reason) == (WebSocketClosed, 4000, "bye")


@pytest.mark.parametrize(
    ("raises", "code"), [(None, 1000), (LookupError("on purpose"), 1011), (WebSocketClosed(1), 1011)]
)
def test_the_end_of_a_handler_is_that_of_the_websocket(
    raises: Any, code: int, flush_errors: Callable[..., Any]
) -> None:
    async def handler(socket: WebSocket) -> None:
        if raises is not None:
            raise raises

    server = serve(handler)
    assert server.rest[:4] == b"\x88\x02" + code.to_bytes(2, "big")
    if raises is not None:
        assert [failure.value for failure in flush_errors(Exception)] == [raises]


def test_a_handler_need_not_expect_the_end() -> None:
    ended: list[str] = []

    async def receives(socket: WebSocket) -> None:
        try:
            await socket.receive()
        finally:
            ended.append("received")

    async def sends(socket: WebSocket) -> None:
        await socket.whenClosed()
        ended.append("closed")
        await socket.send("late")

    for handler in (receives, sends):
        server = serve(handler)
        server.transport.loseConnection()  # and nothing is logged
    assert ended == ["received", "closed"]


def test_what_was_said_before_the_end_is_received() -> None:
    go_on: Deferred[None] = Deferred()

    async def handler(socket: WebSocket) -> None:
        await go_on
        got.extend([message async for message in socket])
        with pytest.raises(WebSocketClosed):
            await socket.receive()
        await socket.close()  # it is: nothing happens
        got.append("end")

    got: list[Any] = []
    server = serve(handler)
    server.channel.dataReceived(frame(1, b"a") + frame(1, b"b") + frame(8))
    go_on.callback(None)
    assert got == ["a", "b", "end"]


def test_a_websocket_that_breaks_is_no_end_of_an_iteration() -> None:
    async def handler(socket: WebSocket) -> None:
        with pytest.raises(WebSocketBroken, match="1006"):
            async for _ in socket:
                pass
        ended.append(type(socket.end))

    ended: list[Any] = []
    server = serve(handler)
    server.transport.loseConnection()
    assert ended == [WebSocketBroken]


def test_who_sends_waits_for_room() -> None:
    async def handler(socket: WebSocket) -> None:
        await socket.receive()
        waiting.append(run(socket.send("one")))
        waiting.append(run(socket.send(memoryview(b"two"))))
        await socket.whenClosed()

    waiting: list[Any] = []
    server = serve(handler)
    server.transport.producer.pauseProducing()
    server.channel.dataReceived(frame(1, b"go"))
    assert waiting == [[], []]
    assert server.take()[:5] == b"\x81\x03one"
    server.transport.producer.resumeProducing()
    assert waiting == [[None], [None]]


def test_a_program_that_does_not_wait_is_bounded() -> None:
    """One that sends to many, and waits for none of them: who takes nothing must not fill the memory."""

    async def handler(socket: WebSocket) -> None:
        sockets.append(socket)
        await socket.whenClosed()

    sockets: list[WebSocket] = []
    server = serve(handler, Settings(maxBacklog=1000, pingInterval=None))
    socket = sockets[0]
    assert run(socket.send(bytes(5000))) == [None]
    server.take()
    assert not socket.congested
    server.transport.producer.pauseProducing()
    assert socket.congested
    waiting = [run(socket.send(bytes(size))) for size in (900, 5000)]
    assert waiting == [[], []], "a large one may be the last"
    assert server.transport.connected
    run(socket.send(b"and more"))
    assert isinstance(socket.end, WebSocketBroken)
    assert "1000 bytes" in str(socket.end)
    assert waiting == [[None], [None]]
    assert not server.transport.connected
    assert len(server.take()) < 6000


def test_who_takes_again_begins_anew() -> None:
    async def handler(socket: WebSocket) -> None:
        sockets.append(socket)
        await socket.whenClosed()

    sockets: list[WebSocket] = []
    server = serve(handler, Settings(maxBacklog=1000, pingInterval=None))
    for _ in range(3):
        server.transport.producer.pauseProducing()
        run(sockets[0].send(bytes(2000)))
        server.transport.producer.resumeProducing()
    assert sockets[0].end is None


def test_a_peer_that_takes_nothing_for_long_is_left() -> None:
    async def handler(socket: WebSocket) -> None:
        sockets.append(socket)
        await socket.whenClosed()

    sockets: list[WebSocket] = []
    server = serve(handler, Settings(stallTimeout=5, pingInterval=None))
    server.transport.producer.pauseProducing()
    server.clock.advance(5)
    assert isinstance(sockets[0].end, WebSocketBroken)
    assert "take" in sockets[0].end.reason


def test_who_does_not_receive_is_not_sent_more() -> None:
    async def handler(socket: WebSocket) -> None:
        await go_on
        while True:
            got.append(await socket.receive())

    go_on: Deferred[None] = Deferred()
    got: list[Any] = []
    server = serve(handler)
    few = KEPT // (1000 + EACH)
    server.channel.dataReceived(frame(2, bytes(1000)) * few)
    assert server.transport.producerState == "producing"
    server.channel.dataReceived(frame(2, bytes(1000)) * 5)
    assert server.transport.producerState == "paused"
    go_on.callback(None)
    assert server.transport.producerState == "producing"
    assert len(got) == few + 5


def test_who_has_returned_does_not_hold_the_end_back() -> None:
    async def handler(socket: WebSocket) -> None:
        sockets.append(socket)
        await go_on

    go_on: Deferred[None] = Deferred()
    sockets: list[WebSocket] = []
    server = serve(handler)
    server.channel.dataReceived(frame(2, bytes(1000)) * 100 + frame(8, b"\x03\xe8"))
    assert server.transport.producerState == "paused"
    go_on.callback(None)
    assert isinstance(sockets[0].end, WebSocketClosed)


def test_only_one_receives() -> None:
    async def handler(socket: WebSocket) -> None:
        first = Deferred.fromCoroutine(socket.receive())
        with pytest.raises(RuntimeError, match="another coroutine"):
            await socket.receive()
        first.addErrback(lambda failure: told.append(failure.type))
        first.cancel()
        told.append(await socket.receive())

    told: list[Any] = []
    server = serve(handler)
    server.channel.dataReceived(frame(1, b"text"))
    assert told == [CancelledError, "text"]


def test_pings() -> None:
    async def handler(socket: WebSocket) -> None:
        waiting.extend(
            [run(socket.ping(b"1")), run(socket.ping(b"2")), run(socket.ping()), run(socket.ping(bytes(126)))]
        )
        await socket.whenClosed()
        with pytest.raises(WebSocketClosed):
            await socket.ping()

    waiting: list[Any] = []
    server = serve(handler)
    assert server.rest[:6] == b"\x89\x011\x89\x012"
    assert isinstance(waiting[3][0].value, ValueError)
    server.channel.dataReceived(frame(10, b"unasked") + frame(10, b"2"))
    assert waiting[:3] == [[None], [None], []], "a peer may leave out all but the last"
    server.channel.dataReceived(frame(8))
    assert isinstance(waiting[2][0].value, WebSocketClosed)


@pytest.mark.parametrize("wrong", [None, 5, ["text"]])
def test_what_is_no_message(wrong: Any) -> None:
    async def handler(socket: WebSocket) -> None:
        with pytest.raises(TypeError, match=r"str or bytes"):
            await socket.send(wrong)
        await socket.send("good")

    assert serve(handler).rest.startswith(b"\x81\x04good")


# --- from end to end -------------------------------------------------------------------------------------------------


class Where:
    """A server, and how to get there."""

    def __init__(self, reactor: Any, port: int) -> None:
        self.reactor = reactor
        self.port = port

    def connect(self, path: str = "echo", **more: Any) -> Any:
        return connect(f"ws://127.0.0.1:{self.port}/{path}", reactor=self.reactor, **more)


class Words(Resource):
    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        request.setResponseCode(402)
        return b"Pay first. " * 1000


def scenario(talk: Callable[[Where], Awaitable[Any]], handler: Any = None) -> Any:
    """Run *talk* with a server of WebSockets."""
    reactor: Any = NativeReactor()

    async def echo(socket: WebSocket) -> None:
        async for message in socket:
            await socket.send(message)

    async def all_of_it() -> Any:
        root = Resource()
        settings = Settings(subprotocols=("chat",))
        root.putChild(b"echo", WebSocketResource.of(handler or echo, settings, origins=["http://good.example"]))
        root.putChild(b"words", Words())
        port = reactor.listenTCP(0, Site(root, reactor=reactor), interface="127.0.0.1")
        try:
            return await talk(Where(reactor, port.getHost().port))
        finally:
            await port.stopListening()

    return run_scenario(reactor, all_of_it)


@needs_posix
def test_messages_come_and_go() -> None:
    async def talk(where: Where) -> None:
        async with await where.connect(
            subprotocols=["other", "chat"], headers={"Origin": "http://good.example"}
        ) as socket:
            assert socket.subprotocol == "chat"
            for message in ("", "Gr\u00fc\u00dfe", b"", b"\0\xff" * 100_000):
                await socket.send(message)
                assert await socket.receive() == message
            await socket.ping()
            await gatherResults([Deferred.fromCoroutine(socket.send("x" * 100_000)) for _ in range(20)])
            for _ in range(20):
                assert len(await socket.receive()) == 100_000
        assert isinstance(socket.end, WebSocketClosed)
        assert socket.end.code == 1000
        with pytest.raises(WebSocketClosed):
            await socket.send("late")

    scenario(talk)


@needs_posix
def test_who_fails_within_a_websocket_says_so() -> None:
    ends: list[Any] = []

    async def handler(socket: WebSocket) -> None:
        await socket.whenClosed()
        ends.append(socket.end)

    async def talk(where: Where) -> None:
        with pytest.raises(LookupError):
            async with await where.connect():
                raise LookupError("on purpose")

    scenario(talk, handler)
    assert ends[0].code == 1011


@needs_posix
def test_who_is_refused_is_told_why() -> None:
    async def talk(where: Where) -> None:
        with pytest.raises(ConnectionRejected, match=r"answered 402 Payment Required: Pay first\. Pay") as caught:
            await where.connect("words")
        assert len(caught.value.body) == SAID
        with pytest.raises(ConnectionRejected, match="answered 403 Forbidden: websocket") as caught:
            await where.connect(headers={"Origin": "http://evil.example"})
        with pytest.raises(ConnectionRejected, match="answered 404"):
            await where.connect("nothing")

    scenario(talk)


class Tunnel(Protocol):
    """A proxy that knows CONNECT and no more."""

    data = b""
    other: Any = None

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)
            return
        self.data += data
        if not self.data.endswith(b"\r\n\r\n"):
            return
        method, target, _ = self.data.split(b"\r\n")[0].split(b" ")
        assert method == b"CONNECT"
        if target.endswith(b":1"):
            self.transport.write(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
            return
        from torsion.internet.endpoints import TCP4ClientEndpoint

        host, _, port = target.decode().rpartition(":")
        there = TCP4ClientEndpoint(self.factory.reactor, host, int(port))
        there.connect(Factory.forProtocol(Tunnel)).addCallback(self._reached)

    def _reached(self, other: Any) -> None:
        self.other, other.other = other, self
        self.transport.write(b"HTTP/1.1 200 Connected\r\n\r\n")

    def connectionLost(self, reason: Failure | None = None) -> None:
        if self.other is not None:
            self.other.transport.loseConnection()


@needs_posix
def test_a_proxy_may_be_between() -> None:
    async def talk(where: Where) -> None:
        factory: Any = Factory.forProtocol(Tunnel)
        factory.reactor = where.reactor
        port = where.reactor.listenTCP(0, factory, interface="127.0.0.1")
        proxy = f"http://127.0.0.1:{port.getHost().port}"
        try:
            async with await where.connect(proxy=proxy) as socket:
                await socket.send("through")
                assert await socket.receive() == "through"
            with pytest.raises(ProxyRefused, match="407"):
                await connect("ws://127.0.0.1:1/", proxy=proxy, reactor=where.reactor)
        finally:
            await port.stopListening()
        with pytest.raises(ValueError, match="proxy's URL"):
            await where.connect(proxy="socks5://127.0.0.1")

    scenario(talk)


@needs_posix
def test_who_gives_up_connecting_leaves_nothing() -> None:
    asked: Deferred[Any] = Deferred()

    class Silent(Protocol):
        def dataReceived(self, data: bytes) -> None:
            if not asked.called:
                asked.callback(self)

        def connectionLost(self, reason: Failure | None = None) -> None:
            gone.callback(None)

    gone: Deferred[None] = Deferred()

    async def talk(where: Where) -> None:
        port = where.reactor.listenTCP(0, Factory.forProtocol(Silent), interface="127.0.0.1")
        connecting = Deferred.fromCoroutine(connect(f"ws://127.0.0.1:{port.getHost().port}/", reactor=where.reactor))
        await asked
        connecting.cancel()
        with pytest.raises(CancelledError):
            await connecting
        await gone
        await port.stopListening()

    scenario(talk)


@needs_posix
@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("proxied", [False, True])
def test_over_tls(http2: bool, proxied: bool) -> None:
    pytest.importorskip("OpenSSL")
    pytest.importorskip("service_identity")
    from torsion.internet.ssl import KeyPair, trustRootFromCertificates
    from torsion.web.client import BrowserLikePolicyForHTTPS

    certificate = KeyPair.generate().selfSignedCert(1, CN="localhost")
    trusted = BrowserLikePolicyForHTTPS(trustRootFromCertificates([certificate]))
    reactor: Any = NativeReactor()

    async def echo(socket: WebSocket) -> None:
        assert socket.request.isSecure()
        async for message in socket:
            await socket.send(message)

    async def talk() -> None:
        site = Site(WebSocketResource.of(echo), reactor=reactor)
        if http2:  # a client that speaks it, too, would be given HTTP/2 by this site; a WebSocket's does not ask for it
            from torsion.web.http2 import HTTP2Connection

            site.http2 = HTTP2Connection
        factory: Any = Factory.forProtocol(Tunnel)
        factory.reactor = reactor
        proxy = reactor.listenTCP(0, factory, interface="127.0.0.1")
        port = reactor.listenSSL(0, site, certificate.options(), interface="127.0.0.1")
        more = {"proxy": f"http://127.0.0.1:{proxy.getHost().port}"} if proxied else {}
        url = f"wss://localhost:{port.getHost().port}/"
        async with await connect(url, tlsPolicy=trusted, reactor=reactor, **more) as socket:
            for message in ("secret", b"x" * 300_000):
                await socket.send(message)
                assert await socket.receive() == message
        with pytest.raises(Exception, match="certificate"):
            await connect(url, reactor=reactor)
        await port.stopListening()
        await proxy.stopListening()

    run_scenario(reactor, talk)
