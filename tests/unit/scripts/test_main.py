"""The command ``torsion``, in processes of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

import torsion
from torsion.__main__ import main

COMMAND = [sys.executable, "-m", "torsion"]


def command(*arguments):
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)


class Server:
    """A server in a process of its own."""

    def __init__(self, *arguments, ports=1):
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = [self.process.stdout.readline() for _ in range(ports)]
        self.ports = [int(re.search(r"listening on .*:(\d+)$", line)[1]) for line in lines]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def connect(self, number=0):
        return socket.create_connection(("127.0.0.1", self.ports[number]), timeout=20)

    def end(self, number=signal.SIGTERM):
        """Send a signal; return the exit status and what was printed on standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["echo", "--help"], ["chat", "--help"]])
def test_told_about_itself(arguments):
    done = command(*arguments)
    assert done.returncode == 0
    assert ("torsion " + torsion.__version__ if arguments == ["--version"] else "usage: torsion") in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["echo"], "--listen"),
        (["echo", "--listen", "bogus"], "unknown type 'bogus'"),
        (["echo", "--listen", "tcp:70000"], "70000"),
        (["chat", "--listen", "tcp:0", "--listen", "tcp:0:interface=192.0.2.1"], "192.0.2.1"),
        (["echo", "--listen", "tcp:0", "--drain", "long"], "long"),
        (["echo", "--listen", "tcp:0", "--drain", "-1"], "-1"),
    ],
)
def test_bad_arguments(arguments, complaint):
    done = command(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_of_reactors():
    done = command("--help-reactors")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^native +yes  torsion's own loop", done.stdout, re.MULTILINE)
    assert re.search(r"^hosted-asyncio +(yes|no) ", done.stdout, re.MULTILINE)


def test_no_such_reactor():
    done = command("--reactor", "tea", "echo", "--listen", "tcp:0")
    assert done.returncode == 2
    assert "there is no reactor called 'tea'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is hosted there")
def test_another_reactor():
    with Server("-r", "hosted-asyncio", "echo", "--listen", "tcp:0:interface=127.0.0.1") as server:
        with server.connect() as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end() == (0, "")


def test_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        done = command("echo", "--listen", f"tcp:{number}:interface=127.0.0.1")
    assert done.returncode == 2
    assert f"127.0.0.1:{number}" in done.stderr


def test_main_returns_the_status(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["dance"])
    assert caught.value.code == 2
    assert "dance" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals are sent by other means elsewhere")
class TestServing:
    def test_echo(self):
        with Server("echo", "--listen", "tcp:0:interface=127.0.0.1") as server, server.connect() as connection:
            connection.sendall(b"x" * 1000)
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection) == b"x" * 1000
            assert server.end() == (0, "")

    def test_chat(self):
        with Server("chat", "--listen", "tcp:0:interface=127.0.0.1") as server, server.connect() as connection:
            assert b"guest1" in connection.recv(1000)
            connection.sendall(b"/quit\n")
            assert read_all(connection) == b""
            assert server.end() == (0, "")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_with_its_connections(self, number):
        with Server("echo", "--listen", "tcp:0", "--listen", "tcp:0", ports=2) as server:
            with server.connect(0) as one, server.connect(1) as two:
                one.sendall(b"x")
                assert one.recv(1) == b"x"
                assert server.end(number) == (0, "")
                assert read_all(one) == read_all(two) == b""
            with pytest.raises(ConnectionRefusedError):
                server.connect(0)

    def test_a_peer_that_does_not_read_is_not_waited_for_long(self):
        arguments = ("echo", "--listen", "tcp:0:interface=127.0.0.1", "--drain", "0.05")
        with Server(*arguments) as server, server.connect() as connection:
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    connection.send(b"x" * 65536)
            assert server.end() == (0, "")

    def test_nobody_reads_what_it_says(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            number = probe.getsockname()[1]
        nobody = unread()
        with subprocess.Popen(
            [*COMMAND, "echo", "--listen", f"tcp:{number}:interface=127.0.0.1"], stdout=nobody
        ) as server:
            os.close(nobody)
            try:
                with connected(number, server) as connection:
                    connection.sendall(b"x")
                    assert connection.recv(1) == b"x"
                server.send_signal(signal.SIGTERM)
                assert server.wait(timeout=20) == 0
            finally:
                server.kill()

    def test_nobody_reads_its_complaint(self):
        nobody = unread()
        arguments = ["echo", "--listen", "tcp:0", "--listen", "tcp:0:interface=192.0.2.1"]
        with subprocess.Popen([*COMMAND, *arguments], stdout=nobody, stderr=nobody) as server:
            os.close(nobody)
            try:
                assert server.wait(timeout=20) == 2
            finally:
                server.kill()


def unread():
    """Return the descriptor of a pipe that is closed at the other end."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def connected(number, server):
    """Connect to *server* as soon as it listens."""
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", number), timeout=20)
        except ConnectionRefusedError:
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < until, "nobody listens"
