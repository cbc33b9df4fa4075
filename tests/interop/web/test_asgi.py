"""Starlette's, FastAPI's and Django's applications, on a reactor with a loop inside and on one inside a loop."""

from __future__ import annotations

import socket

import pytest

from contract.faultkit import needs_posix
from interop.web.served import ASGI, HOSTED, Server, serving

pytestmark = [
    needs_posix,
    pytest.mark.interop,
    pytest.mark.parametrize("install", ["", HOSTED], ids=["native", "hosted"]),
]

STARLETTE = """
import asyncio, contextlib
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

@contextlib.asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(asyncio.sleep(1000))
    yield {"database": "open"}
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    print("closed", flush=True)

async def hello(request):
    await asyncio.sleep(0)
    return PlainTextResponse(f"hello, {request.path_params['name']}, {request.state.database}")

async def length(request):
    size = 0
    async for part in request.stream():
        size += len(part)
    return JSONResponse(size)

def in_a_thread(request):
    return PlainTextResponse(__import__("threading").current_thread().name)

async def stream(request):
    async def parts():
        for n in range(1000):
            yield b"%d\\n" % n
    return StreamingResponse(parts(), background=BackgroundTask(lambda: print("after", flush=True)))

async def endless(request):
    async def parts():
        try:
            yield b"begun\\n"
            await asyncio.Event().wait()
        finally:
            print("left", flush=True)
    return StreamingResponse(parts())

async def fails(request):
    raise RuntimeError("on purpose")

application = Starlette(lifespan=lifespan, routes=[
    Route("/hello/{name}", hello), Route("/length", length, methods=["POST"]), Route("/thread", in_a_thread),
    Route("/stream", stream), Route("/endless", endless), Route("/fails", fails),
    Mount("/below", routes=[Route("/file", lambda request: FileResponse(sys.executable))]),
])
"""

FASTAPI = """
import anyio, sniffio
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

class Item(BaseModel):
    name: str
    price: float = 1.5

async def library():
    await anyio.sleep(0)
    yield sniffio.current_async_library()

application = FastAPI()

@application.get("/library")
async def get_library(name: Annotated[str, Depends(library)]):
    return name

@application.post("/items/{number}")
async def make(number: int, item: Item):
    return {"number": number, **item.model_dump()}

@application.get("/sync")
def in_a_thread(q: int = 1):
    if q > 5:
        raise HTTPException(418)
    return q
"""

DJANGO = """
import asyncio
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(DEBUG=False, SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)

async def hello(request, name):
    await asyncio.sleep(0.001)
    return HttpResponse(f"hello, {name}")

urlpatterns = [
    path("hello/<str:name>", hello),
    path("length", csrf_exempt(lambda request: JsonResponse(len(request.body), safe=False))),
]
application = get_asgi_application()
"""


def leave_amid(server: Server, target: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target.encode())
        data = b""
        while b"begun" not in data:
            data += connection.recv(1000)


def test_starlette(install: str) -> None:
    pytest.importorskip("starlette")
    with serving(ASGI.format(install=install, application=STARLETTE)) as server:
        assert server.program.stdout is not None
        assert server.ask("/hello/d%C3%A9j%C3%A0") == (200, "hello, déjà, open".encode())
        assert server.ask("/length", "POST", bytes(1_000_000)) == (200, b"1000000")
        assert server.ask("/length", "POST", b"5\r\nabcde\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}) == (
            200,
            b"5",
        )
        assert server.ask("/thread")[1] not in (b"MainThread", b"")
        assert server.ask("/stream") == (200, b"".join(b"%d\n" % n for n in range(1000)))
        assert server.program.stdout.readline() == "after\n"
        leave_amid(server, "/endless")
        assert server.program.stdout.readline() == "left\n"
        status, body = server.ask("/below/file")
        assert (status, body[:4]) == (200, b"\x7fELF")
        assert server.ask("/nothing")[0] == 404
        assert server.ask("/fails")[0] == 500
        out = server.stop()
        assert out.endswith("closed\n")
        assert out.count("Traceback") == 1  # that of what failed on purpose


def test_fastapi(install: str) -> None:
    pytest.importorskip("fastapi")
    with serving(ASGI.format(install=install, application=FASTAPI)) as server:
        assert server.json("/library") == "asyncio"
        assert server.json("/items/3", "POST", {"name": "n"}) == {"number": 3, "name": "n", "price": 1.5}
        assert server.ask("/items/x", "POST", b"{}")[0] == 422
        assert server.json("/sync?q=5") == 5
        assert server.ask("/sync?q=6")[0] == 418
        assert "/items/{number}" in server.json("/openapi.json")["paths"]
        server.stop()


def test_django(install: str) -> None:
    pytest.importorskip("django")
    with serving(ASGI.format(install=install, application=DJANGO)) as server:
        assert server.ask("/hello/you") == (200, b"hello, you")
        assert server.ask("/length", "POST", bytes(150_000)) == (200, b"150000")
        assert server.ask("/nothing")[0] == 404
        server.stop()
