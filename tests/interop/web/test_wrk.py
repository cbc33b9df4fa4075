"""Load generators find no fault: each request is answered, and well."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contract.faultkit import needs_posix
from interop.web.sites import site

pytestmark = needs_posix


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.parametrize("target", ["/", "/stream", "/files/file"])
def test_wrk(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_bytes(bytes(20_000))
    with site(tmp_path) as server:
        said = run("wrk", "-t1", "-c32", "-d1s", f"http://127.0.0.1:{server.port}{target}")
    assert "Socket errors" not in said
    assert "Non-2xx" not in said
    requests = re.search(r"(\d+) requests in", said)
    assert requests is not None
    assert int(requests[1]) > 50  # it answers some thousands of them


@pytest.mark.skipif(shutil.which("ab") is None, reason="ab is not installed")
@pytest.mark.parametrize("options", [[], ["-k"]], ids=["closed", "kept"])
def test_ab_speaks_http_1_0(tmp_path: Path, options: list[str]) -> None:
    # Connections of HTTP/1.0 are closed behind a response, whatever they ask for: RFC 9112 lets a server choose.
    with site(tmp_path) as server:
        said = run("ab", "-n", "2000", "-c", "16", *options, f"http://127.0.0.1:{server.port}/")
    assert re.search(r"Complete requests: +2000\n", said)
    assert re.search(r"Failed requests: +0\n", said)
