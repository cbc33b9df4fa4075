"""Memory stays flat while large bodies stream, both ways, through servers, applications, proxies and clients."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "benches" / "python" / "streaming.py"
SIZE = 64
"""MiB of each body.  The bench sends 2 GiB, with the same outcome."""

MOST = 10
"""MiB of memory that it may take: buffers, of which there is a fixed number; it takes less than one."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def measured(*ways: str) -> dict[str, float]:
    command = [sys.executable, str(BENCH), "--json", "--mib", str(SIZE), *ways]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize(
    "ways",
    [
        ("up", "up-chunked", "content"),
        ("producer", "iterator", "static"),
        ("proxy-up", "proxy-down"),
        ("asgi-up", "asgi-down", "wsgi-up", "wsgi-down"),
        ("agent-up", "agent-down", "fetch-up", "fetch-down"),
    ],
    ids=["requests", "responses", "proxy", "applications", "clients"],
)
def test_flat(ways: tuple[str, ...]) -> None:
    figures = measured(*ways)
    assert set(figures) == set(ways)
    assert {way: figure for way, figure in figures.items() if figure > MOST} == {}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_flat_over_http_2() -> None:
    assert max(measured("h2-up", "h2-down").values()) < MOST


def test_what_is_not_flat_is_seen() -> None:
    assert measured("whole")["whole"] > SIZE / 2
