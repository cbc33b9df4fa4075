"""What Twisted's guides to its web teach does the same on both, with nothing but the prefix changed."""

from __future__ import annotations

import base64
import email.message
import http.client
import re
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.faultkit import needs_posix

pytest.importorskip("twisted.internet")
pytestmark = [needs_posix, pytest.mark.interop]

PROGRAM = Path(__file__).with_name("situations.py")
PACKAGES = ["torsion", "twisted"]

RPY = """
from {package}.web import resource
class Script(resource.Resource):
    def render_GET(self, request):
        return b"a script at " + request.path
resource = Script()
"""
CGI = """#!{python}
import os, sys
print("Content-Type: text/plain")
print("Status: 202 Accepted")
print("X-Own: yes")
print()
print([os.environ.get(name) for name in ("REQUEST_METHOD", "SCRIPT_NAME", "QUERY_STRING", "HTTP_X_A")])
print(os.environ.get("CONTENT_LENGTH") or "0")
print(sys.stdin.read())
"""


class Running:
    """One of the two."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder = folder
        self.port, self.short, self.front = ports

    def ask(
        self, target: str, method: str = "GET", body: Any = None, headers: Any = (), port: int | None = None
    ) -> tuple[int, str, email.message.Message, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request(method, target, body, {"Host": f"some.example:{port or self.port}", **dict(headers)})
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.msg, answer.read()
        finally:
            connection.close()


@contextmanager
def running(package: str, folder: Path) -> Iterator[Running]:
    folder.mkdir()
    (folder / "start.txt").write_text("the start")
    (folder / "page.html").write_text("<p>page")
    (folder / "thing.odd").write_text("odd")
    (folder / "nothing").write_text("0123456789")
    (folder / "script.rpy").write_text(RPY.format(package=package))
    (folder / "script.cgi").write_text(CGI.format(python=sys.executable))
    (folder / "script.cgi").chmod(0o755)
    (folder / "below").mkdir()
    command = [sys.executable, "-W", "ignore", str(PROGRAM), package, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Running(folder, [int(port) for port in process.stdout.readline().split()])
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    folder = tmp_path_factory.mktemp("both")
    with ExitStack() as stack:
        yield [stack.enter_context(running(package, folder / package)) for package in PACKAGES]


FIELDS = [
    "Content-Type", "Content-Encoding", "Content-Range", "Location", "WWW-Authenticate", "Set-Cookie", "Allow", "X-B", "X-Own",
]  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\ndata\r\n--x--\r\n'
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
WRONG = {"Authorization": "Basic " + base64.b64encode(b"me:wrong").decode()}

SAME: dict[str, tuple[Any, ...]] = {
    "the root": ("/",),
    "a resource that makes its children": ("/calendar/2026",),
    "its own page": ("/calendar/",),
    "without the slash": ("/calendar",),
    "an unlikely child": ("/calendar/<b>x",),
    "nothing there": ("/nowhere/at/all",),
    "the way to a leaf": ("/path/a/b%2Fc//d?x=1&x=2&y=&z=%20",),
    "later": ("/later",),
    "cookies": ("/cookies", "GET", None, {"Cookie": "a=1; b=2"}),
    "a code": ("/codes?code=201",),
    "a code with a reason": ("/codes?code=404&say=Gone%20Fishing",),
    "no body": ("/codes?code=204",),
    "not in the cache": ("/cached",),
    "in the cache by its tag": ("/cached", "GET", None, {"If-None-Match": '"one"'}),
    "in the cache by its time": ("/cached", "GET", None, {"If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 GMT"}),
    "moved": ("/moved",),
    "redirected": ("/redirect",),
    "to its parent": ("/parent",),
    "a form": ("/form", "POST", "a=1&b=%C3%A9&a=2&c=", FORM),
    "a form with a file": ("/form", "POST", PART, MULTIPART),
    "a body": ("/form", "POST", b"\0\1", {"Content-Type": "application/x-b"}),
    "HEAD": ("/calendar/", "HEAD"),
    "a method that nobody has": ("/calendar/", "BREW"),
    "a method that it has not": ("/calendar/", "POST", ""),
    "an element": ("/element",),
    "flattened": ("/flat",),
    "WSGI": ("/wsgi/a%20b/c?d=e", "GET", None, {"X-A": "1"}),
    "a body by WSGI": ("/wsgi", "POST", b"some body", {"Content-Type": "text/x"}),
    "CGI": ("/cgi?d=e", "GET", None, {"X-A": "1"}),
    "a body by CGI": ("/cgi", "POST", b"some body"),
    "CGI in a folder": ("/files/script.cgi",),
    "a script": ("/files/script.rpy",),
    "an index": ("/files/",),
    "a folder without the slash": ("/files/below",),
    "a type of one's own": ("/files/thing.odd",),
    "a type by default": ("/files/nothing",),
    "without its extension": ("/files/page",),
    "a part": ("/files/nothing", "GET", None, {"Range": "bytes=2-4"}),
    "a part that is not there": ("/files/nothing", "GET", None, {"Range": "bytes=20-"}),
    "not in the folder": ("/files/none",),
    "out of the folder": ("/files/..%2f..%2fx",),
    "a host": ("/hosts", "GET", None, {"Host": "one.example"}),
    "another host": ("/hosts", "GET", None, {"Host": "two.example"}),
    "nobody": ("/home",),
    "somebody": ("/home", "GET", None, LOGIN),
    "somebody else": ("/home", "GET", None, WRONG),
    "forbidden": ("/forbidden",),
    "an error": ("/error/and/below",),
    "deferred": ("/deferred",),
    "compressed": ("/zipped", "HEAD", None, {"Accept-Encoding": "gzip"}),
    "not compressed": ("/zipped",),
    "rewritten": ("/old/2026",),
    "as another host": ("/vhost/http/other.example:81/moved",),
    "a failure": ("/fails",),
    "not XML": ("/rpc", "POST", "nonsense"),
}


def seen(answer: tuple[int, str, email.message.Message, bytes], port: int) -> tuple[Any, ...]:
    """Return what is to be the same of an answer: no server's name, no date, no look of pages that say that something is wrong."""
    status, reason, fields, body = answer
    text = re.sub(rb"torsion|twisted|Torsion|TwistedWeb|Twisted", b"PACKAGE", body)
    own = {name: sorted(", ".join(fields.get_all(name)).split(", ")) for name in FIELDS if name in fields}
    if status >= 300:
        own.pop("Content-Type", None)
        text = b""
    own = {name: [value.replace(str(port), "PORT") for value in values] for name, values in own.items()}
    return status, reason, own, text.replace(b"%d" % port, b"PORT")


@pytest.mark.parametrize("name", SAME)
def test_same(both: list[Running], name: str) -> None:
    ours, twisted = (seen(each.ask(*SAME[name]), each.port) for each in both)
    assert ours == twisted


def session(one: Running) -> list[Any]:
    _, _, fields, first = one.ask("/counts")
    cookie = {"Cookie": fields["Set-Cookie"].partition(";")[0]}
    assert re.fullmatch(r"\w+_SESSION=[0-9a-f]+; Path=/(; HttpOnly)?(; SameSite=\w+)?", fields["Set-Cookie"])
    return [first, *(one.ask(target, headers=cookie)[3] for target in ("/counts", "/counts?end=1", "/counts", "/told"))]


def test_sessions(both: list[Running]) -> None:
    ours, twisted = map(session, both)
    assert ours == twisted
    assert ours[:3] == [b"1 1", b"2 1", b"3 0"]


def test_sessions_end_by_themselves(both: list[Running]) -> None:
    for one in both:
        one.ask("/told")
        assert one.ask("/counts", port=one.short)[3] == b"1 1"
        while (told := one.ask("/told")[3]) == b"[]":
            pass
        assert told == b"['expired']"


def calls(one: Running) -> list[Any]:
    said: list[Any] = []
    with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{one.port}/rpc") as remote:
        for name, arguments in (
            ("add", (1, 2)), ("sub.add", (1, 2)), ("soon", ({"a": [1.5, True, "é"]},)), ("method", ("x",)), ("fault", ()), ("fails", ()),
            ("none", ()), ("add", (1,)), ("system.listMethods", ()), ("system.methodHelp", ("add",)), ("system.methodSignature", ("add",)),
        ):  # fmt: skip
            try:
                said.append((name, getattr(remote, name)(*arguments)))
            except xmlrpc.client.Fault as fault:
                said.append((name, fault.faultCode))
    return said


def test_calls(both: list[Running]) -> None:
    ours, twisted = map(calls, both)
    assert ours == twisted
    assert dict(ours)["soon"] == {"a": [1.5, True, "é"]}


def test_through_a_proxy(both: list[Running]) -> None:
    for target in ("/calendar/2026", "/path?a=1", "/nowhere"):
        ours, twisted = (seen(each.ask(target, port=each.front), each.front) for each in both)
        assert ours == twisted


def test_a_client_that_leaves(both: list[Running]) -> None:
    for one in both:
        connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
        connection.request("GET", "/left")
        answer = connection.getresponse()
        assert answer.read(10) == b"x" * 10
        answer.close()
        connection.close()
        while (told := one.ask("/told")[3]) == b"[]":
            pass
        assert told == b"['ConnectionDone']"


def logged(one: Running, pattern: bytes) -> bytes:
    """Return a line of the access log, which is written soon."""
    while (found := re.search(pattern, (one.folder / "access.log").read_bytes())) is None:
        one.ask("/told")
    return found[0]


def test_the_access_log(both: list[Running]) -> None:
    for one in both:
        one.ask("/calendar/?logged", headers={"Referer": "http://there", "User-Agent": "me"})
    ours, twisted = (logged(one, rb'.*"GET /calendar/\?logged.*\n') for one in both)
    assert re.sub(rb"\[.*?\]", b"[]", ours) == re.sub(rb"\[.*?\]", b"[]", twisted)


def test_clients(both: list[Running]) -> None:
    port = both[0].port
    command = [sys.executable, "-W", "ignore", str(PROGRAM.with_name("askers.py"))]
    said = [
        subprocess.run([*command, package, str(port)], capture_output=True, text=True, timeout=30, check=True).stdout
        for package in PACKAGES
    ]
    assert "all asked" in said[0]
    assert said[0].splitlines() == said[1].splitlines()
