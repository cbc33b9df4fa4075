"""curl asks our server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.faultkit import needs_posix
from contract.harness import in_thread, run_scenario
from torsion.internet.defer import Deferred
from torsion.internet.reactors.native import NativeReactor
from torsion.web.http import HTTPFactory, Request

pytestmark = [needs_posix, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]


class Echo(Request):
    """Answers with what it was asked."""

    def process(self) -> None:
        self.setHeader(b"x-method", self.method)
        self.setHeader(b"x-uri", self.uri)
        for part in (self.content.read(70_000), self.content.read()):
            self.write(part)
        self.finish()


class Streaming(Request):
    """Counts a body as it comes."""

    def headReceived(self) -> None:
        self.streamBody()

    def process(self) -> None:
        async def count() -> None:
            size = 0
            async for part in self.streamBody():
                size += len(part)
            self.setHeader(b"content-type", b"text/plain")
            self.write(b"%d" % size)
            self.finish()

        Deferred.fromCoroutine(count())


@pytest.fixture
def curl() -> Callable[..., bytes]:
    """Ask a server whose requests are of a class, as curl's arguments say."""

    def ask(kind: type[Request], *arguments: str, target: str = "/") -> bytes:
        reactor: Any = NativeReactor()

        async def scenario() -> Any:
            factory = HTTPFactory(reactor=reactor)
            factory.requestFactory = kind
            port = reactor.listenTCP(0, factory, interface="127.0.0.1")
            url = f"http://127.0.0.1:{port.getHost().port}{target}"
            command = ["curl", "--silent", "--show-error", "--max-time", "8", *arguments, url]
            try:
                return await in_thread(reactor, lambda: subprocess.run(command, capture_output=True, check=False))
            finally:
                await port.stopListening()

        done = run_scenario(reactor, scenario)
        assert done.returncode == 0, done.stderr
        output: bytes = done.stdout
        return output

    return ask


def test_get(curl: Callable[..., bytes]) -> None:
    got = curl(Echo, "--include", "--user-agent", "x", target="/some/path?a=b")
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Uri: /some/path?a=b\r\n" in got


def test_head(curl: Callable[..., bytes]) -> None:
    assert b"X-Method: HEAD\r\n" in curl(Echo, "--head")


def test_http_1_0(curl: Callable[..., bytes]) -> None:
    assert curl(Echo, "--include", "--http1.0", "--data", "hello").endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    "header", [[], ["--header", "Transfer-Encoding: chunked"], ["--header", "Expect: 100-continue"]]
)
@pytest.mark.parametrize("size", [10, 300_000])
def test_post(curl: Callable[..., bytes], tmp_path: Path, header: list[str], size: int) -> None:
    body = (b"%d," * (size // 4) % tuple(range(size // 4)))[:size]
    (tmp_path / "body").write_bytes(body)
    assert curl(Echo, *header, "--data-binary", f"@{tmp_path / 'body'}") == body


def test_streaming(curl: Callable[..., bytes], tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 5_000_000)
    assert curl(Streaming, "--upload-file", str(tmp_path / "body"), target="/up") == b"5000000"
