"""``--threads``: several reactors in one process; with a GIL as well, by a switch that is for tests only."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import pytest

from operating.command import Command, run

APP = Path(__file__).with_name("threads_app.py")
SWITCH = {"TORSION_THREADS_WITH_GIL": "1"}
OTHERS = {f"torsion-reactor-{number}" for number in (1, 2)}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sockets are shared as with workers")


def asked(number):
    with socket.create_connection(("127.0.0.1", number), timeout=20) as connection:
        connection.sendall(b"?\n")
        return connection.makefile("rb").readline().decode().strip()


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has no GIL: threads do help here"
)
def test_with_a_gil_they_are_refused():
    command = run("--threads", 2, "-y", APP)
    assert command.process.returncode == 2
    assert re.fullmatch(r"torsion: --threads does not help here: .*GIL.*; use --workers\n", command.err)


@pytest.mark.parametrize("options", [(), ("--workers", 1)])
def test_connections_are_spread_over_all_threads(options):
    with Command(*options, "--grace", 0.3, "--threads", 3, "-y", APP, env=SWITCH) as command:
        ports = {int(command.wait_for(r"starting on (\d+)")[1]) for _ in range(3)}
        command.wait_for("Ready|is ready")
        (number,) = ports
        answers = {asked(number) for _ in range(60)}
        assert answers == {*OTHERS, "MainThread"}
        with socket.create_connection(("127.0.0.1", number), timeout=20):
            assert command.end() == 0
        with pytest.raises(ConnectionRefusedError):
            asked(number)
    assert command.err == ""


def test_a_thread_that_cannot_start_ends_the_start():
    command = run("--threads", 3, "-y", APP, env={**SWITCH, "APP_BROKEN": "torsion-reactor-2"})
    assert command.process.returncode == 1
    assert "no luck in this thread" in command.err
