"""curl asks sites: logins, programs behind CGI, proxies, compressed and slow responses."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.faultkit import Program, needs_posix

pytestmark = [needs_posix, pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")]

SERVER = r"""
import sys, hashlib
from torsion.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from torsion.cred.portal import Portal
from torsion.internet import reactor
from torsion.internet.task import deferLater
from torsion.web import proxy, resource, server, twcgi, util, vhost
from torsion.web.guard import BasicCredentialFactory, DigestCredentialFactory, HTTPAuthSessionWrapper
from torsion.web.http import HTTPFactory

class Page(resource.Resource):
    isLeaf = True
    def __init__(self, render):
        super().__init__()
        self.render_GET = render

class Upload(resource.Resource):
    isLeaf = True
    def render_POST(self, request):
        return hashlib.sha256(request.content.read()).hexdigest().encode()

class Perl(twcgi.FilteredScript):
    filter = sys.executable

async def slow(request):
    for number in range(3):
        await deferLater(reactor, 0.01)
        yield b"%d\n" % number

async def large(request):
    for _ in range(1600):
        yield bytes(10_000)

def fails(request):
    request.write(b"some")
    raise KeyError("oh")

def visits(request):
    session = request.getSession()
    session.visits = getattr(session, "visits", 0) + 1
    return str(session.visits).encode()

class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces):
        return resource.IResource, Page(lambda request: b"home of " + avatarId), lambda: None

checker = InMemoryUsernamePasswordDatabaseDontUse()
checker.addUser(b"me", b"secret")
portal = Portal(Realm(), [checker])
root = resource.Resource()
root.putChild(b"basic", HTTPAuthSessionWrapper(portal, [BasicCredentialFactory("here")]))
for algorithm in (b"md5", b"sha-256"):
    root.putChild(algorithm, HTTPAuthSessionWrapper(portal, [DigestCredentialFactory(algorithm, b"here")]))
root.putChild(b"cgi", Perl(sys.argv[1]))
root.putChild(b"waits", Perl(sys.argv[2]))
root.putChild(b"slow", Page(slow))
root.putChild(b"large", Page(large))
root.putChild(b"fails", Page(fails))
root.putChild(b"visits", Page(visits))
root.putChild(b"upload", Upload())
root.putChild(b"there", util.Redirect(b"/visits"))
root.putChild(b"zipped", resource.EncodingResourceWrapper(Page(lambda request: b"zip " * 1000), [server.GzipEncoderFactory()]))
port = reactor.listenTCP(0, server.Site(root), interface="127.0.0.1")
outer = resource.Resource()
outer.putChild(b"inner", proxy.ReverseProxyResource("127.0.0.1", port.getHost().port, b""))
front = reactor.listenTCP(0, server.Site(outer), interface="127.0.0.1")
factory = HTTPFactory()
factory.protocol = proxy.Proxy
forward = reactor.listenTCP(0, factory, interface="127.0.0.1")
print(port.getHost().port, front.getHost().port, forward.getHost().port, flush=True)
reactor.run()
"""

CGI = """
import os, sys
body = sys.stdin.buffer.read()
print("Content-Type: text/x")
print("Status: 201 Made")
print()
print(os.environ["REQUEST_METHOD"], os.environ.get("PATH_INFO"), len(body), sys.argv[1:])
"""

WAITS = """
import os, sys, time
print("Content-Type: text/plain")
print()
print(os.getpid(), flush=True)
os.read(os.open(sys.argv[0] + ".fifo", os.O_RDONLY), 1)
"""


class Sites:
    def __init__(self, program: Program, folder: Path) -> None:
        self.folder = folder
        self.inner, self.front, self.forward = (f"http://127.0.0.1:{port}" for port in program.line().split())

    def curl(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "none", "--max-time", "15", *arguments],
            capture_output=True, check=False, timeout=20, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == status, done
        return done.stdout.decode()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    folder = tmp_path_factory.mktemp("sites")
    (folder / "cgi.py").write_text(CGI)
    (folder / "waits.py").write_text(WAITS)
    os.mkfifo(folder / "waits.py.fifo")
    with Program("-c", SERVER, str(folder / "cgi.py"), str(folder / "waits.py")) as program:
        yield Sites(program, folder)
        program.signal(signal.SIGTERM)
        status, _, errors = program.finish()
    assert status in (0, -signal.SIGTERM), errors


@pytest.mark.parametrize(("scheme", "path"), [("--basic", "/basic"), ("--digest", "/md5"), ("--digest", "/sha-256")])
@pytest.mark.parametrize(("password", "said"), [("secret", "home of me"), ("wrong", "Unauthorized")])
def test_logins(sites: Sites, scheme: str, path: str, password: str, said: str) -> None:
    assert sites.curl(scheme, "--user", f"me:{password}", sites.inner + path + "/page?a=b") == said


def test_a_login_through_a_proxy(sites: Sites) -> None:
    assert sites.curl("--basic", "--user", "me:secret", sites.front + "/inner/basic") == "home of me"


@pytest.mark.parametrize("size", [0, 5, 1_000_000])
def test_a_program_behind_cgi(sites: Sites, size: int) -> None:
    (sites.folder / "body").write_bytes(bytes(size))
    said = sites.curl(
        "--data-binary", "@body", "--write-out", "%{http_code} %{content_type}", sites.inner + "/cgi/a%20b?word"
    )
    assert said == f"POST /a b {size} ['word']\n201 text/x"


def test_a_program_whose_client_leaves(sites: Sites) -> None:
    with subprocess.Popen(["curl", "-sN", sites.inner + "/waits"], stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        pid = int(curl.stdout.readline())
        watched = os.pidfd_open(pid)
        try:
            curl.terminate()
            curl.wait(10)
            import select

            assert select.select([watched], [], [], 10)[0], "the program goes on though nobody listens"
        finally:
            os.close(watched)


def test_parts_come_as_they_are_made(sites: Sites) -> None:
    assert sites.curl("--no-buffer", sites.inner + "/slow") == "0\n1\n2\n"
    assert sites.curl(sites.front + "/inner/slow") == "0\n1\n2\n"


def test_a_large_response_to_a_slow_reader(sites: Sites) -> None:
    size = sites.curl(
        "--limit-rate", "40M", "--output", os.devnull, "--write-out", "%{size_download}", sites.front + "/inner/large"
    )
    assert size == "16000000"


@pytest.mark.parametrize("prefix", ["inner", "front"])
def test_a_response_that_breaks_off_is_seen_to(sites: Sites, prefix: str) -> None:
    base = sites.inner if prefix == "inner" else sites.front + "/inner"
    assert sites.curl(base + "/fails", status=18) == "some"  # 18: the transfer is partial


def test_sessions(sites: Sites) -> None:
    said = [sites.curl("--cookie", "jar", "--cookie-jar", "jar", sites.inner + "/visits") for _ in range(3)]
    assert said == ["1", "2", "3"]
    assert sites.curl("--location", "--cookie", "jar", sites.inner + "/there") == "4"


def test_compressed(sites: Sites) -> None:
    assert sites.curl("--compressed", sites.inner + "/zipped") == "zip " * 1000
    assert sites.curl("--compressed", sites.front + "/inner/zipped") == "zip " * 1000
    assert (
        int(
            sites.curl(
                "-H", "Accept-Encoding: gzip", "-o", os.devnull, "-w", "%{size_download}", sites.inner + "/zipped"
            )
        )
        < 200
    )


@pytest.mark.parametrize(
    "how", [["--data-binary", "@upload"], ["--data-binary", "@upload", "-H", "Transfer-Encoding: chunked"]]
)
@pytest.mark.parametrize("where", ["inner", "front", "forward"])
def test_uploads(sites: Sites, how: list[str], where: str) -> None:
    data = bytes(range(256)) * 8000
    (sites.folder / "upload").write_bytes(data)
    url = sites.inner + "/upload"
    if where == "front":
        url = sites.front + "/inner/upload"
    elif where == "forward":
        how = [*how, "--proxy", sites.forward]
    how = [*how, "-H", "Content-Type: application/octet-stream"]  # curl says that it is a form
    assert sites.curl(*how, url) == hashlib.sha256(data).hexdigest()


def test_a_server_that_is_not_there(sites: Sites) -> None:
    assert (
        sites.curl(
            "--proxy", sites.forward, "--output", os.devnull, "--write-out", "%{http_code}", "http://127.0.0.1:1/"
        )
        == "502"
    )
