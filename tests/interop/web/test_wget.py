"""wget asks our server: files, what is left of files, whole folders, and what has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.faultkit import needs_posix
from interop.web.served import Server
from interop.web.sites import site

pytestmark = [needs_posix, pytest.mark.skipif(shutil.which("wget") is None, reason="wget is not installed")]

LARGE = bytes(range(256)) * 4_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    (folder / "large.bin").write_bytes(LARGE)
    (folder / "a b & ü.txt").write_text("strange name")
    (folder / "below" / "deeper").mkdir(parents=True)
    (folder / "below" / "one.txt").write_text("one")
    (folder / "below" / "deeper" / "two.txt").write_text("two")
    os.utime(folder / "below" / "one.txt", (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with site(folder) as server:
        yield server


def wget(server: Server, where: Path, target: str, *options: str) -> str:
    """Run wget in the folder *where*; return what it says, the heads of responses among it."""
    url = f"http://127.0.0.1:{server.port}{target}"
    command = ["wget", "--no-config", "--no-proxy", "--tries=1", "--timeout=10", "--server-response", *options, url]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=30, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_file(server: Server, tmp_path: Path) -> None:
    wget(server, tmp_path, "/files/large.bin")
    assert (tmp_path / "large.bin").read_bytes() == LARGE


def test_what_is_left_of_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(LARGE[:300_000])
    said = wget(server, tmp_path, "/files/large.bin", "--continue")
    assert "206 Partial Content" in said
    assert f"Content-Range: bytes 300000-{len(LARGE) - 1}/{len(LARGE)}" in said
    assert (tmp_path / "large.bin").read_bytes() == LARGE


def test_nothing_is_left_of_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(LARGE)
    said = wget(server, tmp_path, "/files/large.bin", "--continue")
    assert "416 " in said
    assert f"Content-Range: bytes */{len(LARGE)}" in said
    assert (tmp_path / "large.bin").read_bytes() == LARGE


def test_a_folder_by_its_listing(server: Server, folder: Path, tmp_path: Path) -> None:
    wget(server, tmp_path, "/files/", "--recursive", "--no-parent", "--no-host-directories", "--cut-dirs=1")

    def files(folder: Path) -> dict[str, bytes]:
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    got = files(tmp_path)
    assert {name: data for name, data in got.items() if not name.rpartition("/")[2].startswith("index.html")} == files(
        folder
    )


def test_only_what_has_changed(server: Server, folder: Path, tmp_path: Path) -> None:
    wget(server, tmp_path, "/files/below/one.txt", "--timestamping")
    got = tmp_path / "one.txt"
    assert got.stat().st_mtime == 1_700_000_000  # from Last-Modified
    assert "304 Not Modified" in wget(server, tmp_path, "/files/below/one.txt", "--timestamping")
    os.utime(got, (1_000_000_000, 1_000_000_000))
    assert "200 OK" in wget(server, tmp_path, "/files/below/one.txt", "--timestamping")


def test_one_connection_serves_several(server: Server, tmp_path: Path) -> None:
    said = wget(server, tmp_path, "/files/below/one.txt", f"http://127.0.0.1:{server.port}/files/large.bin")
    assert "Reusing existing connection" in said


def test_an_upload(server: Server, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(LARGE)
    wget(server, tmp_path, "/body", "--method=PUT", f"--body-file={tmp_path / 'body'}", "--output-document=answer")
    assert (tmp_path / "answer").read_text().startswith(f"[{len(LARGE)}, ")
