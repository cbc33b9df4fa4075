"""The options of ``torsion web``, each through the real command."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import sys
import threading

import pytest

from operating.command import PATIENCE, Command, run
from operating.pages import get

HERE = "tcp:0:interface=127.0.0.1"

SHOP = """\
import asyncio

from torsion.web.resource import Resource

awake = False


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi " + environ["PATH_INFO"].encode()]


async def asgi(scope, receive, send):
    global awake
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            awake = message["type"] == "lifespan.startup"
            print(message["type"], asyncio.get_running_loop() is not None, flush=True)
            await send({"type": message["type"] + ".complete"})
            if not awake:
                return
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        said = await receive()
        await send({"type": "websocket.send", "text": said["text"].upper()})
        await send({"type": "websocket.close"})
    else:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"asgi %d " % awake + body})


class Page(Resource):
    isLeaf = True

    def render_GET(self, request):
        if request.path == b"/fails":
            raise LookupError("no such tea")
        return b"page " + request.path

    def render_POST(self, request):
        return b"%d" % len(request.content.read())


class Upper(Resource):
    isLeaf = True

    def __init__(self, path, registry):
        super().__init__()
        self.path = path

    def render_GET(self, request):
        with open(self.path, "rb") as file:
            return file.read().upper()


def line(timestamp, request):
    return f"mine {request.method.decode()} {request.code}"


number = 5
"""


class Broken:
    pass


@pytest.fixture
def folder(tmp_path):
    """A folder with modules, and a site in it."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "faulty.py").write_text("import json\n\njson.nothing\n")
    (tmp_path / "lacks.py").write_text("import a_package_that_is_not_there\n")
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    (site / ".env").write_text("secret")
    (site / "a.html").write_text("<p>a")
    (site / "a.tea").write_text("tea")
    (site / "notes").write_text("Grüße", encoding="utf-8")
    (site / "sub" / "start.htm").write_text("start")
    (tmp_path / "outside").write_text("outside")
    (site / "link").symlink_to(tmp_path / "outside")
    return tmp_path


def web(folder, *options, listen=HERE, before=()):
    """Start it; ``url`` is where it is."""
    listening = ("--listen", listen) if listen else ()
    server = Command(*before, "web", *listening, *options, cwd=folder, env={"PYTHONDONTWRITEBYTECODE": "1"})
    try:
        server.url = "http://127.0.0.1:" + str(server.port())
    except BaseException:
        server.kill()
        raise
    return server


def asked(server, path="/", **keywords):
    """Return status and body of an answer."""
    status, _, body = get(server.url, path, **keywords)
    return status, body


def test_a_folder_as_the_options_say(folder):
    options = ["--path", "site", "--index", "start.htm", "--mime-type", "text/x-tea", "--ignore-ext", "html"]
    options += ["--processor", "tea=shop.Upper", "--add-header", "X-One: 1", "--add-header", "X-Two: 2"]
    with web(folder, *options) as server:
        assert asked(server, "/sub/") == (200, b"start")
        assert asked(server, "/a") == (200, b"<p>a")
        assert asked(server, "/a.tea") == (200, b"TEA")
        status, fields, _ = get(server.url, "/notes")
        assert (status, fields["Content-Type"], fields["X-One"], fields["X-Two"]) == (200, "text/x-tea", "1", "2")
        assert asked(server, "/.env")[0] == asked(server, "/.git/config")[0] == asked(server, "/link")[0] == 404
        listing = asked(server, "/")[1].decode()
        assert "notes" in listing
        assert not re.search(r"\.git|\.env|>link<", listing)
        assert server.end() == 0


def test_hidden_files_and_links_if_they_are_wanted(folder):
    with web(folder, "--path", "site", "--hidden", "--follow-links") as server:
        assert asked(server, "/.env") == asked(server, "/.git/config") == (200, b"secret")
        assert asked(server, "/link") == (200, b"outside")
        listing = asked(server, "/")[1].decode()
        assert ".git" in listing
        assert 'href="link"' in listing
        assert get(server.url, "/notes")[1]["Content-Type"] == "text/plain; charset=utf-8"


def test_a_class_with_a_limit_of_bodies(folder):
    with web(folder, "--class", "shop.Page", "--max-body", "1K", "--display-tracebacks") as server:
        assert asked(server, "/x") == (200, b"page /x")
        assert "no such tea" in asked(server, "/fails")[1].decode()
        for length, status in ((1024, 200), (1025, 413)):
            connection = http.client.HTTPConnection(server.url.partition("//")[2], timeout=PATIENCE)
            connection.request("POST", "/", b"x" * length)
            assert connection.getresponse().status == status
            connection.close()


def test_failures_are_not_shown_unless_it_is_said(folder):
    with web(folder, "--class", "shop.Page", "--notracebacks") as server:
        status, body = asked(server, "/fails")
        assert (status, b"no such tea" in body) == (500, False)
        server.wait_for("LookupError: no such tea")


def test_wsgi_and_lines_of_ones_own(folder):
    with web(folder, "--wsgi", "shop:wsgi", "--log-format", "shop.line") as server:
        assert asked(server, "/a/b") == (200, b"wsgi /a/b")
        server.wait_for(r"#info\] mine GET 200$")
        assert server.end() == 0


def test_asgi_with_its_lifespan_and_bodies(folder):
    with web(folder, "--asgi", "shop:asgi", "--no-access-log") as server:
        connection = http.client.HTTPConnection(server.url.partition("//")[2], timeout=PATIENCE)
        connection.request("POST", "/", b"x" * 300_000)
        answer = connection.getresponse()
        assert answer.read() == b"asgi 1 " + b"x" * 300_000
        connection.close()
        assert server.end() == 0
        assert re.search("lifespan.startup True.*lifespan.shutdown True", server.out, re.DOTALL)
        assert "POST" not in server.out


@pytest.mark.interop
def test_websockets_of_asgi(folder):
    pytest.importorskip("wsproto", reason="WebSockets need the extra websocket")
    client = pytest.importorskip("websockets.sync.client", reason="websockets is the client")
    with (
        web(folder, "--asgi", "shop.asgi") as server,
        client.connect(server.url.replace("http", "ws"), open_timeout=PATIENCE) as connection,
    ):
        connection.send("tea")
        assert connection.recv(timeout=PATIENCE) == "TEA"


def test_a_script_of_a_resource(folder):
    (folder / "it.rpy").write_text("import shop\n\nresource = shop.Page()\n")
    with web(folder, "--resource-script", "it.rpy") as server:
        assert asked(server, "/") == (200, b"page /")


def test_proxies_before_a_folder(folder):
    with web(folder, "--class", "shop.Page") as one, web(folder, "--wsgi", "shop.wsgi") as two:
        options = ["--path", "site", "--proxy", f"/one={one.url}/base/", "--proxy", f"/one/two={two.url}"]
        with web(folder, *options) as server:
            assert asked(server, "/one/x") == (200, b"page /base/x")
            assert asked(server, "/one/two/x") == (200, b"wsgi /x")
            assert asked(server, "/a.html") == (200, b"<p>a")
        with web(folder, "--proxy", one.url) as server:
            assert asked(server, "/y") == (200, b"page /y")
            one.end()
            assert asked(server, "/y")[0] == 502


def test_several_places_one_of_them_secure(folder):
    tls = pytest.importorskip("torsion.internet.ssl", reason="TLS needs the extra tls")
    key = tls.KeyPair.generate(size=2048)
    certificate = key.selfSignedCert(1, CN="localhost")
    (folder / "certificates").mkdir()
    (folder / "certificates" / "localhost.pem").write_bytes(key.dump(1) + certificate.dumpPEM())
    path = folder / "web.sock"
    options = ["--listen", "tls:certificates:0:interface=127.0.0.1", "--listen", f"unix:{path}"]
    with web(folder, "--path", "site", *options) as server:
        secure = server.wait_for(r"listening on https://127.0.0.1:(\d+)$")[1]
        server.wait_for(f"listening on {path}$")
        assert get(str(path), "/a.html")[::2] == (200, b"<p>a")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("localhost", int(secure), context=context, timeout=PATIENCE)
        connection.request("GET", "/a.html")
        assert connection.getresponse().read() == b"<p>a"
        connection.close()
        assert server.end() == 0
        assert not path.exists()


def test_twisted_s_way_to_say_https(folder):
    tls = pytest.importorskip("torsion.internet.ssl", reason="TLS needs the extra tls")
    key = tls.KeyPair.generate(size=2048)
    (folder / "server.pem").write_bytes(key.dump(1) + key.selfSignedCert(1, CN="localhost").dumpPEM())
    with Command("web", "--https", "0", "--path", "site", cwd=folder) as server:
        assert server.wait_for(r"listening on https://\S+:\d+$")
        assert server.end() == 0


@pytest.mark.parametrize("option", [(), ("--no-http2",)])
def test_http2_where_it_is_installed(folder, option):
    pytest.importorskip("h2", reason="HTTP/2 needs the extra http2")
    with (
        web(folder, "--path", "site", *option) as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), PATIENCE) as connection,
    ):
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        first = connection.recv(9)
        assert (first[3:4] == b"\4", first.startswith(b"HTTP/1.1")) == ((False, True) if option else (True, False))


def test_workers_with_one_log(folder):
    options = ["--path", "site", "--logfile", "access.log", "--log-format", "json"]
    with web(folder, *options, before=("--workers", "2", "--status", "tcp:0")) as server:
        server.wait_for(r"\[torsion.application.runner#info\] Ready")
        threads = [threading.Thread(target=asked, args=(server, f"/a.html?{number}")) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert server.end() == 0
    lines = [json.loads(line) for line in (folder / "access.log").read_text().splitlines()]
    assert sorted(line["uri"] for line in lines) == sorted(f"/a.html?{number}" for number in range(40))


def test_another_folder_to_run_in(folder):
    """Names of files are those of the folder in which the command is called."""
    (folder / "run").mkdir()
    with web(folder, "--path", "site", "--logfile", "access.log", before=("--rundir", "run")) as server:
        assert asked(server, "/a.html") == (200, b"<p>a")
        assert server.end() == 0
    assert "GET /a.html" in (folder / "access.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--path /no/such/folder", "there is no file or folder '/no/such/folder' for --path"),
        ("--wsgi shop.number", "--wsgi 'shop.number' is no application, which would be called, but 5"),
        ("--max-body lots", "option --max-body does not take 'lots': it takes a number of bytes, such as 65536"),
        ("site", "it takes options only, not 'site': did you mean --path site?"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(folder, arguments, said):
    """The other cases are in tests/unit/web/tap."""
    ran = run("web", *arguments.split(" "), cwd=folder)
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("torsion web: ")
    assert ran.process.returncode == 2


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("faulty", r'faulty.py", line 3.*AttributeError: module .json. has no attribute .nothing.'),
        ("lacks", r'lacks.py", line 1.*ModuleNotFoundError: No module named .a_package_that_is_not_there.'),
    ],
)
def test_errors_of_ones_own_are_shown_as_they_are(folder, module, said):
    ran = run("web", "--wsgi", f"{module}.application", cwd=folder)
    assert re.search(said, ran.err, re.DOTALL)
    assert "No such" not in ran.err
    assert "torsion/web/tap" not in ran.err
    assert ran.process.returncode == 1


def test_a_port_that_is_taken(folder):
    with web(folder) as server:
        port = server.url.rpartition(":")[2]
        ran = run("web", "--listen", f"tcp:{port}:interface=127.0.0.1", cwd=folder)
    assert ran.err == (
        f"torsion web: cannot listen on 127.0.0.1, port {port}: another program does. "
        f"Say where else: --listen tcp:{int(port) + 1}:interface=127.0.0.1\n"
    )
    assert ran.process.returncode == 1


def test_a_log_that_cannot_be_opened(folder):
    ran = run("web", "--listen", HERE, "--logfile", "/no/such/access.log", cwd=folder)
    assert ran.err == (
        "torsion web: cannot log requests to /no/such/access.log: No such file or directory; name another file with --logfile\n"
    )
    assert ran.process.returncode == 1


def test_the_help_names_all_options():
    helped = run("web", "--help")
    options = set(re.findall(r"(--[a-z][a-z0-9-]+)", helped.out))
    for each in ("path", "wsgi", "asgi", "class", "listen", "resource-script", "add-header", "logfile", "log-format"):
        assert f"--{each}" in options
    assert {"--hidden", "--max-body", "--no-http2", "--proxy", "--drain", "--index", "--mime-type"} <= options
    assert max(map(len, helped.out.splitlines()[1:])) <= 80


@pytest.fixture
def bare(tmp_path):
    """What starts the command as a bare ``pip install`` leaves it: without TLS, HTTP/2, WebSockets."""
    absent = ["cryptography", "OpenSSL", "h2", "wsproto", "multipart", "defusedxml", "rich"]
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); from torsion.scripts.main import main; sys.exit(main())"
    return [sys.executable, "-c", code]


def test_nothing_but_the_base_is_needed(tmp_path, bare):
    (tmp_path / "a.txt").write_bytes(b"0123456789" * 100_000)
    with Command("web", "--listen", HERE, cwd=tmp_path, command=bare) as server:
        server.url = f"http://127.0.0.1:{server.port()}"
        assert asked(server, "/a.txt") == (200, b"0123456789" * 100_000)
        assert asked(server, "/a.txt", headers={"Range": "bytes=5-8"}) == (206, b"5678")
        assert asked(server, "/a.txt", headers={"Range": "bytes=0-1,100000-900000"})[0] == 206
        assert b'href="a.txt"' in asked(server, "/")[1]
        with Command("web", "--listen", HERE, "--proxy", server.url, cwd=tmp_path, command=bare) as proxy:
            proxy.url = f"http://127.0.0.1:{proxy.port()}"
            assert asked(proxy, "/a.txt") == (200, b"0123456789" * 100_000)
        assert server.end() == 0
        assert server.err == ""
        assert "#critical" not in server.out


def test_tls_says_what_it_needs(tmp_path, bare):
    ran = run("web", "--listen", f"tls:{tmp_path}:0", command=bare)
    assert ran.err == f"torsion web: --listen tls:{tmp_path}:0: TLS needs cryptography: pip install torsion[tls]\n"
    assert ran.process.returncode == 2
