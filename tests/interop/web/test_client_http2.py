"""Our client asks servers of others over HTTP/2: nghttpd, nginx and Hypercorn."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h2")

from contract.faultkit import needs_posix
from interop.web.fronts import NGINX, OPENSSL, certificate, nginx

pytestmark = [needs_posix, pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")]

NGHTTPD = shutil.which("nghttpd")

CLIENT = """
import json, sys
from torsion.internet.defer import ensureDeferred, gatherResults
from torsion.internet.ssl import Certificate, trustRootFromCertificates
from torsion.internet.task import react
from torsion.web.client import BrowserLikePolicyForHTTPS
from torsion.web.fetch import Client

async def main(reactor, url, certificate):
    trusted = trustRootFromCertificates([Certificate.loadPEM(open(certificate).read())])
    said = {}
    async with Client(policy=BrowserLikePolicyForHTTPS(trusted)) as client:
        async def get(number):
            answer = await client.fetch(url + "/file?" + str(number))
            return answer.status, list(answer.response.version[1:]), len(await answer.read())

        said["one"] = await get(0)
        many = await gatherResults([ensureDeferred(get(number)) for number in range(200)])
        said["many"] = sorted({json.dumps(each) for each in many})
        answer = await client.fetch(url + "/large")
        said["large"] = sum([len(piece) async for piece in answer])
        said["trailers"] = [[name.decode(), value.decode()] for name, value in answer.response.trailers]

        async def pieces():
            for number in range(100):
                yield b"%07d," % number * 2500

        for name, body in ("bytes", b"x" * 2_000_000), ("pieces", pieces()):
            answer = await client.fetch(url + "/echo", body=body)
            said[name] = [answer.status, len(await answer.read())]
    print(json.dumps(said))

react(main, sys.argv[1:])
"""

IN_NGINX = """
  keepalive_requests 7;
  server {{
    listen 127.0.0.1:{listen} ssl http2;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    root {folder}/www;
    location /echo {{ return 201 "taken"; }}
  }}
"""

APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        event = await receive()
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
    assert scope["http_version"] == "2"
    body = {"/file": b"f" * 10, "/large": b"l" * 5_000_000}.get(scope["path"], b"%d" % size)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    """A folder with a certificate, its key, and what is served."""
    made: Path = tmp_path_factory.mktemp("served")
    certificate(made)
    (made / "www").mkdir()
    (made / "www" / "file").write_bytes(b"f" * 10)
    (made / "www" / "large").write_bytes(b"l" * 5_000_000)
    (made / "app.py").write_text(APPLICATION)
    return made


def ask(folder: Path, port: int) -> dict[str, Any]:
    command = [sys.executable, "-c", CLIENT, f"https://127.0.0.1:{port}", str(folder / "cert.pem")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    assert said["one"] == [200, [2, 0], 10]
    assert said["many"] == ["[200, [2, 0], 10]"]
    assert said["large"] == 5_000_000
    return said


@contextmanager
def program(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server, from when it takes connections: it says nothing."""
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                break
            except ConnectionRefusedError:
                with pytest.raises(subprocess.TimeoutExpired):  # else it has ended
                    running.wait(0.02)
        yield
    finally:
        running.kill()
        running.communicate(timeout=10)


@pytest.mark.skipif(NGHTTPD is None, reason="nghttpd is not installed")
def test_nghttpd(folder: Path) -> None:
    """It allows five requests at a time, sends uploads back while they come, and has trailers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["-a", "127.0.0.1", "-d", "www", "-m", "5", "--echo-upload", "--trailer", "x-sum: 42"]
    with program([str(NGHTTPD), *options, str(port), "key.pem", "cert.pem"], port, folder):
        said = ask(folder, port)
    assert said["trailers"] == [["x-sum", "42"]]
    assert said["bytes"] == said["pieces"] == [200, 2_000_000]


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx(folder: Path) -> None:
    """It ends each connection after seven requests (GOAWAY), so that most of what is asked at once has to be asked again."""
    with nginx(folder, IN_NGINX) as port:
        said = ask(folder, port)
    assert said["bytes"] == said["pieces"] == [201, 5]


@pytest.mark.interop
def test_hypercorn(folder: Path) -> None:
    pytest.importorskip("hypercorn")
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        command = [sys.executable, "-m", "hypercorn", "--bind", f"fd://{entrance.fileno()}", "--certfile", "cert.pem"]
        running = subprocess.Popen(
            [*command, "--keyfile", "key.pem", "app:app"],
            cwd=folder,
            pass_fds=[entrance.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            said = ask(folder, entrance.getsockname()[1])  # which waits in the queue until it serves
        finally:
            running.kill()
            running.communicate(timeout=10)
    assert said["bytes"] == said["pieces"] == [200, 7]
