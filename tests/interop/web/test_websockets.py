"""WebSockets with the library websockets at the other end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("wsproto")
websockets = pytest.importorskip("websockets")
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

pytestmark = pytest.mark.interop

SERVER = """
from torsion.internet import reactor
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.websocket import Settings, WebSocketResource

class Echo:
    def negotiationStarted(self, transport):
        self.transport = transport
    def negotiationFinished(self):
        pass
    def textMessageReceived(self, message):
        if message == "fail":
            raise RuntimeError("as asked")
        self.transport.sendTextMessage(message)
    def bytesMessageReceived(self, data):
        self.transport.sendBytesMessage(data)
    def pongReceived(self, payload):
        pass
    def connectionLost(self, reason):
        print("lost", reason.value.code, flush=True)

class Echoes:
    def buildProtocol(self, request):
        return Echo()

root = Resource()
root.putChild(b"echo", WebSocketResource(Echoes(), Settings(subprotocols=("chat",), maxMessageSize=300_000)))
port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""

CLIENT = """
import sys
from torsion.internet.defer import Deferred
from torsion.internet.task import react
from torsion.web.websocket import Settings, WebSocketClientEndpoint

class Talk:
    def __init__(self):
        self.lost = Deferred()
    def negotiationStarted(self, transport):
        self.transport = transport
    def negotiationFinished(self):
        pass
    def textMessageReceived(self, message):
        self.answer.callback(message)
    bytesMessageReceived = textMessageReceived
    def pongReceived(self, payload):
        self.answer.callback(payload)
    def connectionLost(self, reason):
        self.lost.callback(reason.value)
    async def ask(self, send, message):
        self.answer = Deferred()
        send(message)
        return await self.answer

class Talks:
    def buildProtocol(self, url):
        return Talk()

async def main(reactor):
    settings = Settings(subprotocols=("chat",))
    talk = await WebSocketClientEndpoint.new(reactor, sys.argv[1], settings=settings).connect(Talks())
    transport = talk.transport
    print(transport.subprotocol)
    for text in ("", "Gr\\u00fc\\u00dfe", "x" * 200_000):
        assert await talk.ask(transport.sendTextMessage, text) == text
    for data in (b"", bytes(range(256)) * 1000):
        assert await talk.ask(transport.sendBytesMessage, data) == data
    assert await talk.ask(transport.ping, b"there?") == b"there?"
    transport.loseConnection()
    print(type(await talk.lost).__name__, (await talk.lost).code)

react(main)
"""


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, Any]]:
    program = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield f"127.0.0.1:{int(program.stdout.readline())}", program.stdout
    finally:
        program.kill()
        program.communicate(timeout=10)


@pytest.mark.parametrize("compression", ["deflate", None])
def test_websockets_asks_us(compression: str | None) -> None:
    with serving() as (address, output):
        with connect(f"ws://{address}/echo", compression=compression, subprotocols=["x", "chat"]) as socket:  # type: ignore[arg-type]  # text is its Subprotocol
            assert socket.subprotocol == "chat"
            for message in ("", "Grüße", b"", b"\0\xff" * 5000, "x" * 200_000, "y"):
                socket.send(message)
                assert socket.recv(timeout=10) == message
            socket.send(["in ", "some ", "parts"])
            assert socket.recv(timeout=10) == "in some parts"
            assert socket.ping().wait(10)
        assert output.readline() == "lost 1000\n"
        with connect(f"ws://{address}/echo", compression=compression) as socket:
            socket.send("z" * 300_001)
            with pytest.raises(ConnectionClosedError) as caught:
                socket.recv(timeout=10)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1009
        assert output.readline() == "lost 1009\n"
        with connect(f"ws://{address}/echo", compression=compression) as socket:
            socket.send("fail")
            with pytest.raises(ConnectionClosedError) as caught:
                socket.recv(timeout=10)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1011
        with pytest.raises(InvalidStatus, match="404"):
            connect(f"ws://{address}/nothing")


@pytest.mark.parametrize("compression", ["deflate", None])
def test_we_ask_websockets(compression: str | None) -> None:
    ended: list[Any] = []

    def echo(socket: Any) -> None:
        for message in socket:
            socket.send(message)
        ended.append(socket.close_code)

    with serve(echo, "127.0.0.1", 0, compression=compression, subprotocols=["chat"]) as server:  # type: ignore[list-item]  # text is its Subprotocol
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.socket.getsockname()[1]
            run = subprocess.run(
                [sys.executable, "-c", CLIENT, f"ws://127.0.0.1:{port}/"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        finally:
            server.shutdown()
            thread.join()
    assert run.stdout == "chat\nWebSocketClosed 1000\n", run.stderr
    assert ended == [1000]
