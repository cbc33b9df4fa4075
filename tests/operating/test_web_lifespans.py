"""Applications of ASGI that cannot start, still do, or do not end, through the real command."""

from __future__ import annotations

import signal

import pytest

from operating.command import Command, run

HERE = "tcp:0:interface=127.0.0.1"

LIVES = """\
import asyncio


async def cannot(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the tea is out"})


async def starts(scope, receive, send):
    await receive()
    print("it starts", flush=True)
    await asyncio.Event().wait()


async def ends(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.Event().wait()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lives.py").write_text(LIVES)
    return tmp_path


def test_the_command_ends_if_its_application_cannot_start(folder):
    done = run("web", "--asgi", "lives:cannot", "--listen", HERE, cwd=folder)
    assert done.process.returncode == 1
    assert "torsion web: cannot start the application lives:cannot: the tea is out" in done.err
    assert "Ready" not in done.out


def test_an_application_that_still_starts_is_not_waited_for(folder):
    with Command("web", "--asgi", "lives:starts", "--listen", HERE, cwd=folder) as server:
        server.wait_for("it starts")
        assert server.end(patience=4) == 128 + signal.SIGTERM, "less than the grace of 5 seconds; it was not ready"
        assert "Ready" not in server.out
        assert "cannot" not in server.said()


def test_an_application_that_does_not_end_has_the_time_that_the_command_has(folder):
    with Command("--grace", "0.2", "web", "--asgi", "lives:ends", "--listen", HERE, cwd=folder) as server:
        server.wait_for("Ready")
        assert server.end(patience=4) == 0
        assert "An application takes too long to shut down, and is left alone" in server.out
        assert "Traceback" not in server.said()
