"""Forms that other programs send."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("multipart")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

SERVER = """
import hashlib, sys
from torsion.internet import reactor
from torsion.web.http.uploads import readForm
from torsion.web.resource import Resource
from torsion.web.server import Request, Site

class Upload(Resource):
    isLeaf = True

    async def render_POST(self, request):
        with await readForm(request) as form:
            lines = [b"%s=%s" % (name, value) for name, values in form.fields.items() for value in values]
            for name, uploads in form.files.items():
                for each in uploads:
                    digest = hashlib.file_digest(each.file, "sha256").hexdigest()
                    lines.append(f"{name.decode()}: {each.filename} {each.contentType} {each.size} {digest}".encode())
            return b"\\n".join(lines)

class Streaming(Request):
    def headReceived(self):
        self.streamBody()

factory = Site(Upload(), requestFactory=Streaming) if sys.argv[1] == "streamed" else Site(Upload())
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""


@pytest.fixture(params=["stored", "streamed"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    program = subprocess.Popen([sys.executable, "-c", SERVER, request.param], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield f"http://127.0.0.1:{int(program.stdout.readline())}/"
    finally:
        program.kill()
        program.communicate(timeout=10)


@needs_curl
def test_curl_uploads_files(url: str, tmp_path: Path) -> None:
    large = tmp_path / "large \N{SNOWMAN}.bin"
    large.write_bytes(b"0123456789abcde\n" * 500_000)
    small = tmp_path / "small.txt"
    small.write_bytes(b"")
    command = [
        "curl",
        "--silent",
        "--show-error",
        "-F",
        "a=1",
        "-F",
        "a=\N{SNOWMAN}",
        "-F",
        f"f=@{large}",
        "-F",
        f"g=@{small}",
        url,
    ]
    lines = subprocess.run(command, capture_output=True, timeout=30, check=True).stdout.decode().split("\n")
    digests = [hashlib.sha256(each.read_bytes()).hexdigest() for each in (large, small)]
    assert lines == [
        "a=1",
        "a=\N{SNOWMAN}",
        f"f: large \N{SNOWMAN}.bin application/octet-stream 8000000 {digests[0]}",
        f"g: small.txt text/plain 0 {digests[1]}",
    ]
