"""The access log of ``torsion web`` where it cannot be written: responses are sent all the same, and what is lost is told."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from operating.command import COMMAND, PATIENCE, Command

HERE = ["--listen", "tcp:0:interface=127.0.0.1"]

REQUESTS = 600
"""So many, with a name of 1000 bytes each, are far more than what a pipe holds: 64 KiB, or 1 MiB where pages are large."""


def ask(port, count):
    """Ask for a file so many times; each must be answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    for _ in range(count):
        connection.request("GET", "/a.txt", headers={"User-Agent": "x" * 4000})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"a")
    connection.close()


def test_a_reader_of_the_log_that_has_stopped_holds_no_response_up(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    reader, theirs = os.pipe()
    program = subprocess.Popen(
        [*COMMAND, "web", *HERE], stdout=theirs, stderr=subprocess.DEVNULL, cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    os.close(theirs)
    try:
        said = b""
        while (found := re.search(rb"listening on http://127.0.0.1:(\d+)\n.*Ready", said, re.DOTALL)) is None:
            said += os.read(reader, 65536)
        ask(int(found[1]), REQUESTS)
        program.send_signal(signal.SIGTERM)
        while more := os.read(reader, 65536):  # it is read again
            said += more
        assert program.wait(PATIENCE) == 0
        assert said.count(b"GET /a.txt") == REQUESTS
    finally:
        program.kill()
        program.wait()
        os.close(reader)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_a_full_disk_loses_lines_and_they_are_counted(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with Command("web", *HERE, "--logfile", "/dev/full", cwd=tmp_path) as server:
        ask(server.port(), 50)
        server.wait_for("The access log /dev/full cannot be written to: its lines are lost")
        assert server.end() == 0
    assert "The access log /dev/full has lost lines: 50" in server.out


@pytest.mark.parametrize("format", ["combined", "json"])
def test_clients_cannot_forge_lines(tmp_path, format):
    (tmp_path / "a.txt").write_text("a")
    log = tmp_path / "access.log"
    with Command("web", *HERE, "--logfile", log, "--log-format", format, cwd=tmp_path) as server:
        port = server.port()
        for target in (b'/a.txt?"x"\\', b"/a.txt?\xff\xfe", b"/a.txt?\x1b[2J"):
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                head = b'Host: here\r\nConnection: close\r\nUser-Agent: "\\\xc3\xa9\t\r\nReferer: a" 1 "\r\n\r\n'
                connection.sendall(b"GET %s HTTP/1.1\r\n" % target + head)
                while connection.recv(65536):
                    pass
        assert server.end() == 0
    written = log.read_bytes()
    assert written.isascii()
    lines = written.decode().split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    assert 1 <= len(lines) <= 3  # requests that are none are refused, and have no line
    if format == "combined":
        for line in lines:
            assert re.fullmatch(
                r'127\.0\.0\.1 - - \[[^]]+\] ("(\\.|[^"\\])*") \d+ (\d+|-) ("(\\.|[^"\\])*") ("(\\.|[^"\\])*")', line
            )


def test_a_bare_program_has_a_log_that_it_may_exchange(tmp_path):
    """``Site(logPath=...)`` without the command: all lines are there at its end."""
    program = """
from torsion.internet import reactor, task
from torsion.web.fetch import fetch
from torsion.web.server import Site
from torsion.web.static import File

async def main(reactor):
    port = reactor.listenTCP(0, Site(File("."), logPath="access.log"), interface="127.0.0.1")
    for _ in range(20):
        assert (await fetch(f"http://127.0.0.1:{port.getHost().port}/a.txt")).status == 200
    await port.stopListening()

task.react(main)
"""
    (tmp_path / "a.txt").write_text("a")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert len(lines) == 20
