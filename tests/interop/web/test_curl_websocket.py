"""curl opens a WebSocket: by itself where it knows them, else by the fields of its request."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from contract.faultkit import needs_posix
from interop.web.served import serving

pytestmark = [needs_posix, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]

SERVER = """
from torsion.internet import reactor
from torsion.web.server import Site
from torsion.web.websocket import WebSocketResource

async def greet(socket):
    await socket.send("hello")
    await socket.receive()

site = Site(WebSocketResource.of(greet))
site.resource.isLeaf = True
port = reactor.listenTCP(0, site, interface="127.0.0.1")
reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
reactor.run()
"""

# The key and its answer are those of RFC 6455, section 1.3.
FIELDS = (
    *("-H", "Connection: Upgrade", "-H", "Upgrade: websocket"),
    *("-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
)


def heard(*arguments: str, size: int) -> bytes:
    """Return the first bytes of what curl says."""
    with subprocess.Popen(["curl", "-s", "-N", "--max-time", "10", *arguments], stdout=subprocess.PIPE) as curl:
        try:
            assert curl.stdout is not None
            return curl.stdout.read(size)
        finally:
            curl.kill()


def test_by_its_fields() -> None:
    pytest.importorskip("wsproto")
    with serving(SERVER) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert heard("--http1.1", *FIELDS, url, size=7) == b"\x81\x05hello"  # a whole text, not masked
        head = heard("--http1.1", "-i", *FIELDS, url, size=190)
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n" in head.lower()


def test_by_its_scheme() -> None:
    pytest.importorskip("wsproto")
    protocols = subprocess.run(["curl", "-V"], capture_output=True, text=True, check=True).stdout
    if " ws" not in protocols:
        pytest.skip("this curl knows no WebSockets")
    with serving(SERVER) as server:
        assert heard(f"ws://127.0.0.1:{server.port}/", size=5) == b"hello"
