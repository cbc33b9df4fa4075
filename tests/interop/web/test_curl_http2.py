"""Real clients ask our server over HTTP/2, with TLS and without: curl, nghttp, h2load, httpx."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("h2")

from interop.web.fronts import OPENSSL, certificate

SERVER = r"""
import sys
from torsion.internet import endpoints, reactor, ssl
from torsion.internet.protocol import Factory
from torsion.internet.tls import TLSMemoryBIOFactory
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.static import File

class Page(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"x" * 3_000_000 if request.path == b"/large" else request.clientproto
    def render_POST(self, request):
        return b"%d" % len(request.content.read())

way, folder = sys.argv[1:]
root = Resource()
root.putChild(b"files", File(folder))
for name in (b"", b"large", *(b"%d" % number for number in range(1, 21))):
    root.putChild(name, Page())
site = Site(root)
key, cert = folder + "/key.pem", folder + "/cert.pem"
endpoint = {
    "plain": "tcp:0:interface=127.0.0.1",
    "ssl:": f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={cert}",
    "tls:": f"tls:{folder}/names:0:interface=\\:\\:1",
}.get(way)
if endpoint is not None:
    listening = endpoints.serverFromString(reactor, endpoint).listen(site)
    listening.addCallback(lambda port: print(port.getHost().port, flush=True))
    listening.addErrback(lambda failure: print(failure.getErrorMessage(), flush=True))
else:
    options = ssl.DefaultOpenSSLContextFactory(key, cert) if way == "old" else ssl.PrivateCertificate.loadPEM(
        open(cert).read() + open(key).read()).options()
    if way == "wrapped":
        port = reactor.listenTCP(0, TLSMemoryBIOFactory(options, False, site), interface="127.0.0.1")
    else:
        port = reactor.listenSSL(0, site, options, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
reactor.run()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    (made / "body").write_bytes(bytes(1_000_000))
    if OPENSSL is not None:
        certificate(made)
        (made / "names").mkdir()
        (made / "names" / "localhost.pem").write_bytes(
            (made / "cert.pem").read_bytes() + (made / "key.pem").read_bytes()
        )
    return made


@contextmanager
def serving(way: str, folder: Path) -> Iterator[int]:
    if way != "plain" and not (folder / "cert.pem").exists():
        pytest.skip("openssl is not installed")
    program = subprocess.Popen([sys.executable, "-c", SERVER, way, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield int(program.stdout.readline())
    finally:
        program.kill()
        program.communicate(timeout=10)


def asker(name: str, *options: str) -> Callable[..., str]:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")

    def ask(*arguments: str) -> str:
        run = [name, *options, *arguments]
        ran = subprocess.run(run, capture_output=True, text=True, check=False, timeout=100)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return ask


@pytest.mark.parametrize("way", ["plain", "ssl:", "tls:", "listenSSL", "old", "wrapped"])
def test_curl(folder: Path, way: str) -> None:
    how = ["--http2-prior-knowledge"] if way == "plain" else ["--http2", "--cacert", f"{folder}/cert.pem"]
    curl = asker("curl", "-sS", "--max-time", "20", *how)
    with serving(way, folder) as port:
        host = "localhost" if way == "tls:" else "127.0.0.1"  # a certificate by its name
        base = f"http{'' if way == 'plain' else 's'}://{host}:{port}"
        assert curl(base + "/") == "HTTP/2"
        assert curl("-I", base + "/").startswith("HTTP/2 200")
        assert curl("--http1.1", base + "/") == "HTTP/1.1"
        if way not in ("plain", "tls:"):
            return
        out = "%{http_version} %{http_code} %{size_download}\n"
        assert curl("-o", "/dev/null", "-w", out, base + "/large") == "2 200 3000000\n"
        assert curl("-o", "/dev/null", "-w", out, base + "/files/body") == "2 200 1000000\n"
        assert curl("-o", "/dev/null", "-w", out, "-r", "5-9", base + "/files/body") == "2 206 5\n"
        assert curl("--data-binary", f"@{folder}/body", base + "/") == "1000000"
        assert curl("--data-binary", f"@{folder}/body", "-H", "Expect: 100-continue", base + "/") == "1000000"
        many = curl("--parallel", "--parallel-immediate", "-o", "/dev/null", "-w", out, base + "/[1-20]")
        assert many == "2 200 6\n" * 20


def test_curl_asks_for_an_upgrade_that_is_ignored(folder: Path) -> None:
    curl = asker("curl", "-sS", "--max-time", "20", "--http2")
    with serving("plain", folder) as port:
        assert curl(f"http://127.0.0.1:{port}/") == "HTTP/1.1"


def test_nghttp(folder: Path) -> None:
    nghttp = asker("nghttp", "-v", "-t", "20")
    with serving("plain", folder) as port:
        base = f"http://127.0.0.1:{port}"
        said = nghttp("-n", base + "/", base + "/large", base + "/files/body", base + "/missing")
        assert said.count(":status: 200") == 3
        assert said.count(":status: 404") == 1
        assert "RST_STREAM" not in said
        said = nghttp("-d", f"{folder}/body", "--trailer", "x-sum: 1", "--expect-continue", base + "/")
        assert ":status: 100" in said
        assert "1000000" in said
        assert "--hexdump" not in said


@pytest.mark.parametrize("way", ["plain", "ssl:"])
def test_h2load(folder: Path, way: str) -> None:
    h2load = asker("h2load", "-c", "2", "-m", "100")
    with serving(way, folder) as port:
        base = f"http{'' if way == 'plain' else 's'}://127.0.0.1:{port}"
        many = 10_000 if way == "plain" else 1_000
        assert f"{many} succeeded, 0 failed, 0 errored, 0 timeout" in h2load("-n", f"{many}", base + "/")
        said = h2load("-n", "50", base + "/large")  # far more than is kept for a client
        assert "50 succeeded, 0 failed, 0 errored, 0 timeout" in said
        said = h2load("-n", "50", "-d", f"{folder}/body", base + "/")
        assert "50 succeeded, 0 failed, 0 errored, 0 timeout" in said


@pytest.mark.interop
def test_httpx(folder: Path) -> None:
    httpx = pytest.importorskip("httpx")
    with serving("ssl:", folder) as port:
        context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        with httpx.Client(http2=True, verify=context, base_url=f"https://127.0.0.1:{port}", timeout=20) as client:
            for _ in range(3):
                answer = client.get("/")
                assert (answer.http_version, answer.text) == ("HTTP/2", "HTTP/2")
            assert len(client.get("/large").content) == 3_000_000
            assert client.post("/", content=(bytes(1000) for _ in range(300))).text == "300000"
            assert client.head("/large").headers["content-length"] == "3000000"
            assert client.get("/missing").status_code == 404
