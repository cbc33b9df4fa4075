"""``torsion web``: the real command, and curl."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess

import pytest

from operating.command import PATIENCE, Command, run

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is the client")

HERE = "tcp:0:interface=127.0.0.1"


def curl(server, target, *options):
    """Return the code and the body of an answer."""
    url = f"http://127.0.0.1:{server._ports[-1]}{target}"
    command = ["curl", "-s", "--path-as-is", "-w", "\n%{http_code}", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    body, _, code = done.stdout.rpartition("\n")
    return int(code), body


def test_the_current_folder_is_served_and_requests_are_logged(tmp_path):
    (tmp_path / "a.txt").write_text("0123456789")
    with Command("web", "--listen", HERE, cwd=tmp_path) as server:
        server.port()
        assert curl(server, "/a.txt") == (200, "0123456789")
        assert curl(server, "/a.txt", "-r", "2-4") == (206, "234")
        assert curl(server, "/..%2f..%2fetc%2fpasswd")[0] == 404
        code, page = curl(server, "/")
        assert (code, 'href="a.txt"' in page) == (200, True)
        server.wait_for(r'\] 127.0.0.1 - - .*"GET /a.txt HTTP/1.1" 200 10 "-" "curl')
        assert server.end() == 0


def test_headers_types_and_indexes(tmp_path):
    (tmp_path / "start.html").write_text("start")
    (tmp_path / "README").write_text("read me")
    options = ["--path", tmp_path, "--index", "start.html", "--mime-type", "text/x-plain", "--add-header", "X-A: b"]
    with Command("web", "--listen", HERE, *options) as server:
        server.port()
        assert curl(server, "/") == (200, "start")
        assert "x-a: b\r\n" in curl(server, "/README", "-D", "-", "-o", "-")[1].lower().replace("\n", "\r\n")
        assert server.end() == 0


def test_a_reload_opens_the_access_log_anew(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    log, aside = tmp_path / "access.log", tmp_path / "access.log.1"
    options = ["--path", tmp_path, "--logfile", log, "--log-format", "json"]
    with Command("web", "--listen", HERE, *options) as server:
        server.port()
        server.wait_for("Ready")
        curl(server, "/a.txt")
        log.rename(aside)
        server.send(signal.SIGHUP)
        server.wait_for("reloaded")
        curl(server, "/none")
        assert server.end() == 0
    assert [json.loads(line)["status"] for line in aside.read_text().splitlines()] == [200]
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [404]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--path", "/no/such/folder"], "/no/such/folder"),
        (["--listen", "nowhere:1"], "nowhere"),
        (["--add-header", "nonsense"], "nonsense"),
        (["--proxy", "ftp://host"], "ftp://host"),
        (["--wsgi", "no.such.thing"], "No such WSGI application: 'no.such.thing'"),
        (["--log-format", "xml"], "xml"),
        (["--personal"], "Perspective Broker"),
    ],
)
def test_what_cannot_be_is_told(arguments, said):
    ran = run("web", *arguments)
    assert ran.process.returncode == 2
    assert said in ran.err
