"""curl asks our server over HTTP/2, with TLS and without."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("h2")
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

SERVER = """
import sys
from torsion.internet import endpoints, reactor
from torsion.web.http2 import HTTP2Connection
from torsion.web.resource import Resource
from torsion.web.server import Site

class Page(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"x" * 3_000_000 if request.path == b"/large" else request.clientproto
    def render_POST(self, request):
        return b"%d" % len(request.content.read())

site = Site(Page())
site.http2 = HTTP2Connection
endpoint = endpoints.serverFromString(reactor, sys.argv[1])
endpoint.listen(site).addCallback(lambda port: print(port.getHost().port, flush=True))
reactor.run()
"""


def certificate(folder: Path) -> str:
    run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*run, *names], cwd=folder, check=True, capture_output=True, timeout=30)
    return f"ssl:0:interface=127.0.0.1:privateKey={folder}/key.pem:certKey={folder}/cert.pem"


@pytest.mark.parametrize("secure", [False, True], ids=["prior-knowledge", "alpn"])
def test_curl(tmp_path: Path, secure: bool) -> None:
    if secure and shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    where = certificate(tmp_path) if secure else "tcp:0:interface=127.0.0.1"
    (tmp_path / "body").write_bytes(bytes(1_000_000))
    program = subprocess.Popen([sys.executable, "-c", SERVER, where], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        port = int(program.stdout.readline())
        base = f"http{'s' if secure else ''}://127.0.0.1:{port}"
        options = ["--http2", "--cacert", f"{tmp_path}/cert.pem"] if secure else ["--http2-prior-knowledge"]

        def curl(*arguments: str) -> str:
            ran = subprocess.run(
                ["curl", "-sS", "--max-time", "20", *options, *arguments], capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, ran.stderr
            return ran.stdout

        assert curl(base + "/") == "HTTP/2"
        assert curl("-I", base + "/").startswith("HTTP/2 200")
        out = "%{http_version} %{http_code} %{size_download}\n"
        assert curl("-o", "/dev/null", "-w", out, base + "/large") == "2 200 3000000\n"
        assert curl("--data-binary", f"@{tmp_path}/body", base + "/") == "1000000"
        many = curl("--parallel", "--parallel-immediate", "-o", "/dev/null", "-w", out, base + "/[1-20]")
        assert many == "2 200 6\n" * 20
        assert curl("--http1.1", base + "/") == "HTTP/1.1"
    finally:
        program.kill()
        program.communicate(timeout=10)
