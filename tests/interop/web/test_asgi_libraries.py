"""What is written for asyncio, within an application: clients, streams, subprocesses, threads, task groups."""

from __future__ import annotations

import pytest

from contract.faultkit import needs_posix
from interop.web.served import ASGI, HOSTED, serving

pytest.importorskip("starlette")
pytestmark = [
    needs_posix,
    pytest.mark.interop,
    pytest.mark.parametrize("install", ["", HOSTED], ids=["native", "hosted"]),
]

APPLICATION = """
import asyncio, contextvars, os, signal, socket, ssl, tempfile, threading
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

ROUTES = []

def page(function):
    async def answer(request):
        return PlainTextResponse(str(await function(request)))
    ROUTES.append(Route("/" + function.__name__, answer))

@page
async def hello(request):
    return "hello"

@page
async def httpx(request):
    import httpx
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = await asyncio.gather(*[client.get(str(request.base_url) + "hello") for _ in range(5)])
    return [answer.text for answer in answers]

@page
async def aiohttp(request):
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.get(str(request.base_url) + "hello") as answer:
            return answer.status, await answer.text()

@page
async def streams(request):
    async def echo(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"echo\\n")
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
    return said

@page
async def unix(request):
    with tempfile.TemporaryDirectory() as folder:
        async def echo(reader, writer):
            writer.write(await reader.readline())
            writer.close()
        async with await asyncio.start_unix_server(echo, folder + "/s"):
            reader, writer = await asyncio.open_unix_connection(folder + "/s")
            writer.write(b"unix\\n")
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
    return said

@page
async def subprocess(request):
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read()[::-1]); sys.exit(3)",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await running.communicate(b"abc")
    shell = await asyncio.create_subprocess_shell("exit 4")
    sleeper = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    sleeper.terminate()
    return out, running.returncode, await shell.wait(), await sleeper.wait()

@page
async def datagrams(request):
    loop = asyncio.get_running_loop()
    got = loop.create_future()
    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            got.set_result(data)
    receiver, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
    sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=receiver.get_extra_info("sockname"))
    sender.sendto(b"datagram")
    said = await asyncio.wait_for(got, 5)
    sender.close()
    receiver.close()
    return said

@page
async def sockets(request):
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False), other.setblocking(False)
        receiving = asyncio.create_task(loop.sock_recv(other, 10))
        await loop.sock_sendall(one, b"sockets")
        said = await receiving
        arrived = asyncio.Event()
        loop.add_reader(other, arrived.set)
        one.send(b"more")
        await asyncio.wait_for(arrived.wait(), 5)
        loop.remove_reader(other)
    return said

@page
async def names(request):
    loop = asyncio.get_running_loop()
    (found, *_) = await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    return found[4], (await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV))

number = contextvars.ContextVar("number", default=0)

@page
async def threads(request):
    loop = asyncio.get_running_loop()
    number.set(7)
    main = threading.current_thread()
    a = await asyncio.to_thread(lambda: (threading.current_thread() is main, number.get()))
    b = await loop.run_in_executor(None, lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "back"), loop).result(5))
    return a, b

@page
async def anyio(request):
    import anyio, anyio.from_thread, anyio.to_thread, sniffio
    got = []
    async with anyio.create_task_group() as group:
        send, receive = anyio.create_memory_object_stream(1)
        async def produce():
            async with send:
                for n in range(3):
                    await send.send(n)
        group.start_soon(produce)
        async with receive:
            async for n in receive:
                got.append(n)
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep_forever()
    back = await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(anyio.sleep, 0))
    ran = await anyio.run_process([sys.executable, "-c", "print('ran')"])
    return got, scope.cancelled_caught, back, ran.stdout, sniffio.current_async_library()

@page
async def groups(request):
    try:
        async with asyncio.timeout(0.01):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(asyncio.sleep(0, n)) for n in range(2)]
                tasks.append(group.create_task(asyncio.sleep(100)))
    except TimeoutError:
        return [task.result() for task in tasks[:2]], tasks[2].cancelled()

@page
async def signals(request):
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGUSR1, print)
    except NotImplementedError as error:
        return f"{error}, {loop.remove_signal_handler(signal.SIGUSR1)}"
    loop.remove_signal_handler(signal.SIGUSR1)
    return "yes"

@page
async def running(request):
    loop = asyncio.get_running_loop()
    found = []
    for call in (lambda: loop.run_until_complete(asyncio.Future()), loop.run_forever, loop.close):
        try:
            call()
        except RuntimeError as error:
            found.append(str(error))
    return found

application = Starlette(routes=ROUTES)
"""

ANSWERS = {
    "httpx": ["hello"] * 5,
    "aiohttp": (200, "hello"),
    "streams": b"ECHO\n",
    "unix": b"unix\n",
    "subprocess": (b"cba", 3, 4, -15),
    "datagrams": b"datagram",
    "sockets": b"sockets",
    "names": (("127.0.0.1", 80), ("127.0.0.1", "80")),
    "threads": ((False, 7), "back"),
    "anyio": ([0, 1, 2], True, None, b"ran\n", "asyncio"),
    "groups": ([0, 1], True),
}

SIGNALS = b"signals are the reactor's: use reactor.addSystemEventTrigger, or signal.signal, False"
"""What a loop inside the reactor says; who hosts the reactor has signals of its own."""


def test_what_is_written_for_asyncio_runs(install: str) -> None:
    for library in ("httpx", "aiohttp", "anyio", "sniffio"):
        pytest.importorskip(library)
    with serving(ASGI.format(install=install, application=APPLICATION)) as server:
        found = {name: server.ask("/" + name) for name in ANSWERS}
        assert found == {name: (200, str(answer).encode()) for name, answer in ANSWERS.items()}
        _, signals = server.ask("/signals")
        assert signals == (b"yes" if install else SIGNALS)
        _, running = server.ask("/running")
        assert running.count(b"already running") == 2
        assert b"Cannot close" in running
        assert "Traceback" not in server.stop()
