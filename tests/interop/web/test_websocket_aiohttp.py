"""WebSockets with aiohttp at the other end, which has a codec of its own: its client, and its server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

pytest.importorskip("wsproto")
aiohttp = pytest.importorskip("aiohttp")
from aiohttp import WSMsgType, web

pytestmark = pytest.mark.interop

MESSAGES: list[str | bytes] = ["", "Gr\u00fc\u00dfe", b"", b"\0\xff" * 5000, "x" * 1_000_000, bytes(range(256)) * 4000]

SERVER = """
from torsion.internet import reactor
from torsion.web.server import Site
from torsion.web.websocket import Settings, WebSocketResource

async def echo(socket):
    async for message in socket:
        if message == "close":
            await socket.close(4002, "as asked")
        else:
            await socket.send(message)
    print("ended", socket.end.code, socket.end.reason, flush=True)

root = WebSocketResource.of(echo, Settings(subprotocols=("chat",), maxMessageSize=2_000_000))
port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""

CLIENT = """
import sys
from torsion.internet.task import react
from torsion.web.websocket import ConnectionRejected, Settings, connect

MESSAGES = ["", "Gr\\u00fc\\u00dfe", b"", b"\\0\\xff" * 5000, "x" * 1_000_000, bytes(range(256)) * 4000]

async def main(reactor):
    settings = Settings(compression=sys.argv[2] == "True", maxMessageSize=2_000_000)
    async with await connect(sys.argv[1], subprotocols=["other", "chat"], settings=settings) as socket:
        print(socket.subprotocol)
        for message in MESSAGES:
            await socket.send(message)
            assert await socket.receive() == message
        await socket.ping(b"there?")
        await socket.send("close")
        async for message in socket:
            raise AssertionError(message)
        print(socket.end.code, socket.end.reason)
    try:
        await connect(sys.argv[1] + "nothing")
    except ConnectionRejected as error:
        print(error)

react(main)
"""


@pytest.mark.parametrize("compress", [0, 9, 15])
def test_aiohttp_asks_us(compress: int) -> None:
    async def talk(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url, protocols=["other", "chat"], compress=compress, max_msg_size=0) as peer:
                assert peer.protocol == "chat"
                assert bool(peer.compress) is bool(compress)
                for message in MESSAGES:
                    await (peer.send_str(message) if isinstance(message, str) else peer.send_bytes(message))
                    assert (await peer.receive(10)).data == message
                await peer.ping(b"there?")
                await peer.send_str("close")
                end = await peer.receive(10)
                assert (end.type, end.data, end.extra) == (WSMsgType.CLOSE, 4002, "as asked")
            async with session.ws_connect(url, compress=compress) as peer:
                await peer.close(code=3001, message=b"bye")
            async with session.ws_connect(url, compress=compress) as peer:
                await peer.send_bytes(bytes(2_000_001))
                assert (await peer.receive(10)).data == 1009

    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            asyncio.run(talk(f"ws://127.0.0.1:{int(server.stdout.readline())}/"))
            said = [server.stdout.readline() for _ in range(2)]
            assert said == ["ended 1000 \n", "ended 3001 bye\n"]  # it answers with a code of its own
        finally:
            server.kill()


@pytest.mark.parametrize("compression", [False, True])
def test_we_ask_aiohttp(compression: bool) -> None:
    seen: list[Any] = []

    async def echo(request: web.Request) -> web.WebSocketResponse:
        peer = web.WebSocketResponse(protocols=["chat"], max_msg_size=0)
        await peer.prepare(request)
        seen.append(bool(peer.compress))
        async for message in peer:
            if message.data == "close":
                await peer.close(code=4002, message=b"as asked")
            elif message.type is WSMsgType.TEXT:
                await peer.send_str(message.data)
            else:
                await peer.send_bytes(message.data)
        return peer

    async def serve() -> None:
        application = web.Application()
        application.router.add_get("/", echo)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        ready.set()
        await ending.wait()
        await runner.cleanup()

    def in_thread() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())

    ports: list[int] = []
    ready, ending, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=in_thread)
    thread.start()
    try:
        assert ready.wait(10)
        command = [sys.executable, "-c", CLIENT, f"ws://127.0.0.1:{ports[0]}/", str(compression)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
        loop.close()
    said = "the server has no WebSocket there: it answered 404 Not Found: 404: Not Found"
    assert run.stdout == f"chat\n4002 as asked\n{said}\n", run.stderr
    assert seen == [compression]
