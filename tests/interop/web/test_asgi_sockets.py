"""WebSockets of Starlette's, FastAPI's and Channels' applications, with the library websockets at the other end."""

from __future__ import annotations

from typing import Any

import pytest

from contract.faultkit import needs_posix
from interop.web.served import ASGI, HOSTED, serving

pytest.importorskip("wsproto")
pytest.importorskip("websockets")
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytestmark = [
    needs_posix,
    pytest.mark.interop,
    pytest.mark.parametrize("install", ["", HOSTED], ids=["native", "hosted"]),
]

FASTAPI = """
import asyncio, anyio
from fastapi import FastAPI, Header, WebSocket, WebSocketDisconnect, WebSocketException
from starlette.responses import JSONResponse

application = FastAPI()

@application.websocket("/echo/{name}")
async def echo(socket: WebSocket, name: str):
    await socket.accept(subprotocol="chat", headers=[(b"x-name", name.encode())])
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"], message.get("reason"))
            await socket.send({**message, "type": "websocket.send"})
    except WebSocketDisconnect as left:
        print("left", left.code, left.reason, flush=True)

@application.websocket("/json")
async def json(socket: WebSocket):
    await socket.accept()
    await socket.send_json({"heard": await socket.receive_json()})
    await socket.close(3001, "enough")

@application.websocket("/ticks")
async def ticks(socket: WebSocket):
    await socket.accept()
    async with anyio.create_task_group() as group:
        async def tick(text):
            for _ in range(3):
                await anyio.sleep(0.001)
                await socket.send_text(text)
        group.start_soon(tick, "a")
        group.start_soon(tick, "b")

@application.websocket("/private")
async def private(socket: WebSocket, authorization: str | None = Header(None)):
    if authorization is None:
        raise WebSocketException(1008)
    await socket.send_denial_response(JSONResponse({"no": authorization}, 401, {"www-authenticate": "Basic"}))

@application.websocket("/fails")
async def fails(socket: WebSocket):
    await socket.accept()
    raise RuntimeError("on purpose")

@application.websocket("/flood")
async def flood(socket: WebSocket):
    await socket.accept()
    try:
        while True:
            await asyncio.wait_for(socket.send_bytes(bytes(1 << 20)), 0.3)
    except TimeoutError:
        print("held back", flush=True)
    await socket.receive()
"""

CHANNELS = """
from django.conf import settings
settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__)
import django
django.setup()
from channels.generic.websocket import AsyncJsonWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

class Json(AsyncJsonWebsocketConsumer):
    async def receive_json(self, value):
        await self.send_json({"heard": value, "of": self.scope["url_route"]["kwargs"]["name"]})

class Threads(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=text_data, bytes_data=bytes_data)
    def disconnect(self, code):
        print("left", code, flush=True)

urlpatterns = [path("page", lambda request: HttpResponse("page"))]
application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": AllowedHostsOriginValidator(URLRouter([path("json/<name>", Json.as_asgi()), path("threads", Threads.as_asgi())])),
})
"""


def said(connection: Any) -> Any:
    return connection.recv(timeout=10)


def end(connection: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            connection.recv(timeout=10)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def refused(url: str, **headers: str) -> None:
    with connect(url, additional_headers=headers):
        raise AssertionError("it was not refused")


def test_fastapi(install: str) -> None:
    pytest.importorskip("fastapi")
    chat: Any = ["other", "chat"]
    with serving(ASGI.format(install=install, application=FASTAPI)) as server:
        base = f"ws://127.0.0.1:{server.port}"
        out = server.program.stdout
        assert out is not None
        with connect(base + "/echo/some", subprotocols=chat, max_size=None) as peer:
            assert peer.subprotocol == "chat"
            assert peer.response is not None
            assert peer.response.headers["x-name"] == "some"
            for message in ("", "Gr\u00fc\u00dfe", b"", bytes(range(256)) * 1000, "x" * 1_000_000):
                peer.send(message)
                assert said(peer) == message
            peer.close(4001, "bye")
        assert out.readline() == "left 4001 bye\n"
        with connect(base + "/json") as peer:
            peer.send('{"a": 1}')
            assert said(peer) == '{"heard":{"a":1}}'
            assert end(peer) == (3001, "enough")
        with connect(base + "/ticks") as peer:
            assert sorted(said(peer) for _ in range(6)) == ["a"] * 3 + ["b"] * 3
            assert end(peer) == (1000, "")
        with pytest.raises(InvalidStatus) as caught:
            refused(base + "/private")
        assert caught.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as caught:
            refused(base + "/private", Authorization="x")
        assert (caught.value.response.status_code, caught.value.response.body) == (401, b'{"no":"x"}')
        with pytest.raises(InvalidStatus) as caught:
            refused(base + "/nothing")
        assert caught.value.response.status_code == 403
        with connect(base + "/fails") as peer:
            assert end(peer)[0] == 1011
        with connect(base + "/flood", max_size=None, max_queue=1, compression=None, close_timeout=0.1):
            line = out.readline()
            while line not in ("held back\n", ""):  # the traceback of what failed comes before
                assert "Timeout" not in line
                line = out.readline()
            assert line
        with connect(base + "/echo/last", subprotocols=chat) as peer:
            server.program.send_signal(2)
            assert end(peer)[0] == 1001
            rest, _ = server.program.communicate(timeout=20)
        assert rest == "left 1001 \n"
        assert server.program.returncode == 0


def test_channels(install: str) -> None:
    pytest.importorskip("channels")
    with serving(ASGI.format(install=install, application=CHANNELS)) as server:
        base = f"ws://127.0.0.1:{server.port}"
        origin: Any = f"http://127.0.0.1:{server.port}"
        assert server.ask("/page") == (200, b"page")
        with connect(base + "/json/some", origin=origin) as peer:
            peer.send("[1]")
            assert said(peer) == '{"heard": [1], "of": "some"}'
        with connect(base + "/threads", origin=origin) as peer:
            for message in ("text", b"bytes"):
                peer.send(message)
                assert said(peer) == message
        assert server.program.stdout is not None
        assert server.program.stdout.readline() == "left 1000\n"
        with pytest.raises(InvalidStatus, match="403"):
            refused(base + "/threads", Origin="http://elsewhere.example")
        server.stop()
