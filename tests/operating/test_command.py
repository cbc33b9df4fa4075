"""The command ``torsion``: services in the foreground."""

from __future__ import annotations

import signal

import pytest

from operating.command import Command, run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_echo(number):
    with Command("echo", "--listen", "tcp:0:interface=127.0.0.1") as server:
        server.port()
        with server.connect() as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert server.end(number) == 0
        assert server.err == ""


def test_unknown_command():
    done = run("dance")
    assert done.process.returncode == 2
    assert "dance" in done.err
