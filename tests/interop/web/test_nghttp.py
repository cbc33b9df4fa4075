"""nghttp and h2load ask our server over HTTP/2, without TLS."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contract.faultkit import needs_posix
from interop.web.sites import site

pytest.importorskip("h2")
pytestmark = needs_posix


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("nghttp") is None, reason="nghttp is not installed")
def test_nghttp(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789" * 30_000)
    with site(tmp_path) as server:
        base = f"http://127.0.0.1:{server.port}"
        several = [f"{base}/", f"{base}/stream", f"{base}/files/file", f"{base}/nowhere"]
        said = re.sub(r"\x1b\[[0-9;]*m", "", run("nghttp", "--null-out", "--verbose", "--stat", *several))
        assert said.count(":status: 200") == 3
        assert said.count(":status: 404") == 1
        assert "recv RST_STREAM" not in said
        assert "recv GOAWAY" not in said
        assert run("nghttp", f"{base}/files/file") == "0123456789" * 30_000
        upload = ("nghttp", "-H", ":method: PUT", f"--data={tmp_path / 'file'}", f"{base}/body")
        assert run(*upload).startswith("[300000, ")
        assert run(*upload[:1], "--window-bits=10", "--connection-window-bits=10", f"{base}/files/file").endswith("789")


@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
@pytest.mark.parametrize(("target", "count"), [("/", 3_000), ("/stream", 300), ("/files/file", 500)])
def test_h2load(tmp_path: Path, target: str, count: int) -> None:
    (tmp_path / "file").write_bytes(bytes(50_000))
    with site(tmp_path) as server:
        said = run("h2load", f"-n{count}", "-c8", "-m20", f"http://127.0.0.1:{server.port}{target}")
    assert f"{count} succeeded, 0 failed, 0 errored, 0 timeout" in said
    assert f"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx" in said
