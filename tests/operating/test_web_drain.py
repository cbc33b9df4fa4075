"""``torsion web`` at its end, and at its renewal: what has begun is finished, and clients notice nothing."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import threading

import pytest

from operating.command import PATIENCE, Command, alive, wait_for_end

LARGE = 24 * 1024 * 1024
"""Bytes, more than sockets hold: so a download is in the middle while its client has not read it."""

APP = """\
import hashlib

from torsion.web.resource import Resource


class Sum(Resource):
    isLeaf = True

    def render_POST(self, request):
        return hashlib.sha256(request.content.read()).hexdigest().encode()
"""


def web(folder, *options, before=()):
    (folder / "app.py").write_text(APP)
    where = ["--listen", "tcp:0:interface=127.0.0.1"]
    return Command(*before, "web", *where, *options, cwd=folder, env={"PYTHONDONTWRITEBYTECODE": "1"})


def refused(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE):
            return False
    except ConnectionRefusedError:
        return True


def test_a_download_and_an_upload_end_before_the_server_does(tmp_path):
    data = os.urandom(LARGE)
    (tmp_path / "large").write_bytes(data)
    with (
        web(tmp_path, "--class", "app.Sum", before=("--grace", str(PATIENCE))) as up,
        web(tmp_path, "--path", ".", before=("--grace", str(PATIENCE))) as down,
    ):
        ports = [up.port(), down.port()]
        upload, download, idle = up.connect(), down.connect(), down.connect()
        with upload, download, idle:
            idle.sendall(b"GET /app.py HTTP/1.1\r\nHost: here\r\n\r\n")
            answers = idle.makefile("rb")
            while answers.readline().strip():
                pass
            assert answers.read(len(APP)) == APP.encode()
            upload.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % LARGE + data[:100_000])
            download.sendall(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
            got = download.recv(1000)
            for server, port in zip((up, down), ports, strict=True):
                server.send(signal.SIGTERM)
                server.wait_for("shutting down")
                server.wait_for("Port .* Closed")
                assert refused(port)
            assert answers.read() == b"", "a connection that waits for nothing is closed"
            upload.sendall(data[100_000:])
            with upload.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in head.lower()
            assert body == hashlib.sha256(data).hexdigest().encode()
            with download.makefile("rb") as rest:
                got += rest.read()
            assert got.partition(b"\r\n\r\n")[2] == data
        assert up.wait() == down.wait() == 0


def test_what_takes_longer_than_drain_is_cut(tmp_path):
    (tmp_path / "large").write_bytes(bytes(LARGE))
    with web(tmp_path, "--path", ".", "--drain", "0.1", before=("--grace", str(PATIENCE))) as server:
        server.port()
        with server.connect() as download:
            download.sendall(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
            download.recv(1000)
            assert server.end() == 0
            with contextlib.suppress(ConnectionResetError), download.makefile("rb") as rest:
                assert len(rest.read()) < LARGE


class Load:
    """Clients that ask for a file again and again, in threads: each on a connection that stays, and on others that do not."""

    def __init__(self, port, expected, clients=4):
        self._port, self._expected = port, expected
        self.faults = []
        self.answers = 0
        self._ending = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for each in self._threads:
            each.start()
        self.go_on()
        return self

    def __exit__(self, *_):
        self._ending = True
        for each in self._threads:
            each.join(PATIENCE)
            assert not each.is_alive()

    def go_on(self, answers=100):
        """Wait for more answers, all of them as they should be."""
        with self._changed:
            wanted = self.answers + answers
            assert self._changed.wait_for(lambda: self.faults or self.answers >= wanted, PATIENCE), self.answers
        assert self.faults == []

    def _run(self):
        stays = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        while not self._ending:
            fleeting = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            for connection in (stays, fleeting):
                try:
                    connection.request("GET", "/a.txt")
                    answer = connection.getresponse()
                    good = (answer.status, answer.read()) == (200, self._expected)
                    fault = None if good else f"answered with {answer.status}"
                except (OSError, http.client.HTTPException) as problem:
                    fault = repr(problem)
                with self._changed:
                    self.answers += 1
                    if fault is not None:
                        self.faults.append(fault)
                    self._changed.notify_all()
            fleeting.close()
        stays.close()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_reload_and_restart_under_load(tmp_path, options):
    (tmp_path / "a.txt").write_bytes(b"x" * 20_000)
    successors = []
    with web(tmp_path, "--logfile", "access.log", before=options) as server:
        try:
            port = server.port()
            server.wait_for(r"\[torsion.application.runner#info\] Ready")
            with Load(port, b"x" * 20_000) as load:
                server.send(signal.SIGHUP)
                server.wait_for("reloaded in")
                load.go_on()
                server.send(signal.SIGUSR2)
                if options:
                    server.wait_for("All 2 workers have been replaced")
                else:
                    successors.append(int(server.wait_for(r"Process (\d+) has taken the place")[1]))
                load.go_on()
            assert load.faults == []
            if not options:
                wait_for_end(server.pid)
                os.kill(successors[0], signal.SIGTERM)
                wait_for_end(successors[0])
            else:
                assert server.end() == 0
        finally:
            for pid in successors:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert len(lines) >= load.answers
    assert all('"GET /a.txt HTTP/1.1" 200 20000 "-"' in line for line in lines)
