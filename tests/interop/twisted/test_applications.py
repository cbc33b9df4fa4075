"""Applications that come with Twisted, started as one starts them, on torsion's reactor; with clients of Python's own."""

from __future__ import annotations

import ftplib
import io
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]
# More than sockets' buffers hold.
CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "served"
    place.mkdir()
    (place / "index.html").write_text("<h1>hello</h1>")
    (place / "big.bin").write_bytes(CONTENT)
    return place


@contextmanager
def started(*application: str, cwd):
    """Run an application by twistd; yield the port that its log names, and end it as a terminal does."""
    run = "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()"
    program = [sys.executable, "-c", run, "--reactor=torsion", "--nodaemon", "--pidfile=", *application]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd) as running:
        said, port = [], None
        for line in running.stdout:
            said.append(line)
            if found := re.search(r"starting on (\d+)", line):
                port = int(found[1])
                break
        try:
            assert port, "".join(said)
            yield port
        finally:
            running.send_signal(signal.SIGINT)
            rest, _ = running.communicate(timeout=20)
        everything = "".join(said) + rest
        assert "reactor class: torsion.interop.twisted.TorsionReactor" in everything
        assert "Server Shut Down" in everything
        assert "Traceback" not in everything


def get(port: int, path: str, **headers: str) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read()


def test_a_web_server_for_files(folder, tmp_path) -> None:
    with started("web", "--listen", "tcp:0:interface=127.0.0.1", "--path", str(folder), cwd=tmp_path) as port:
        assert get(port, "") == b"<h1>hello</h1>"
        assert get(port, "big.bin") == CONTENT
        assert get(port, "big.bin", Range="bytes=1000-1999") == CONTENT[1000:2000]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(port, "none")


def test_an_ftp_server_in_both_modes(folder, tmp_path) -> None:
    with started("ftp", "--port", "0", "--root", str(folder), cwd=tmp_path) as port, ftplib.FTP() as client:
        client.connect("127.0.0.1", port, timeout=20)
        client.login()
        assert sorted(client.nlst(".")) == ["big.bin", "index.html"]
        for passive in (True, False):
            client.set_pasv(passive)
            got = io.BytesIO()
            client.retrbinary("RETR big.bin", got.write)
            assert got.getvalue() == CONTENT


def test_a_forwarded_port(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as behind:
        behind.settimeout(20)
        to = str(behind.getsockname()[1])
        where = ("--port", "tcp:0:interface=127.0.0.1", "--host", "127.0.0.1", "--dest_port", to)
        with (
            started("portforward", *where, cwd=tmp_path) as port,
            socket.create_connection(("127.0.0.1", port), timeout=20) as client,
        ):
            server, _ = behind.accept()
            with server:
                server.settimeout(20)
                client.sendall(b"there")
                assert server.recv(5, socket.MSG_WAITALL) == b"there"
                server.sendall(b"and back")
                assert client.recv(8, socket.MSG_WAITALL) == b"and back"
