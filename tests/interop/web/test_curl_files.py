"""curl asks for parts of files, for what has changed, and for files that are compressed already."""

from __future__ import annotations

import email.parser
import email.policy
import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.faultkit import needs_posix
from interop.web.served import Server
from interop.web.sites import site

pytestmark = [needs_posix, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]

DATA = bytes(range(256)) * 400
PAGE = b"<p>some page</p>" * 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "file.bin").write_bytes(DATA)
    (folder / "page.html").write_bytes(PAGE)
    (folder / "page.html.gz").write_bytes(gzip.compress(PAGE))
    for file in folder.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))  # what changed just now has weak tags
    with site(folder) as server:
        yield server


def curl(server: Server, target: str, *options: str, code: int = 0) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the fields and the body of an answer."""
    command = ["curl", "-s", "-D", "-", "--max-time", "10", *options, f"http://127.0.0.1:{server.port}/files/{target}"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert done.returncode == code, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in fields}, body


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("10-99", 10, 100), ("102300-", 102300, 102400), ("-5", 102395, 102400), ("5-999999", 5, 102400)],
)
def test_a_range(server: Server, asked: str, start: int, end: int) -> None:
    status, fields, body = curl(server, "file.bin", "--range", asked)
    assert (status, body) == (206, DATA[start:end])
    assert fields["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"


def test_several_ranges(server: Server) -> None:
    status, fields, body = curl(server, "file.bin", "--range", "0-9,100-199,-1")
    assert status == 206
    assert int(fields["content-length"]) == len(body)
    head = f"Content-Type: {fields['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = [(part["content-range"], part.get_payload(decode=True)) for part in message.iter_parts()]
    assert parts == [
        ("bytes 0-9/102400", DATA[:10]),
        ("bytes 100-199/102400", DATA[100:200]),
        ("bytes 102399-102399/102400", DATA[-1:]),
    ]


def test_a_range_that_is_not_there(server: Server) -> None:
    status, fields, _ = curl(server, "file.bin", "--range", "200000-")
    assert (status, fields["content-range"]) == (416, f"bytes */{len(DATA)}")


def test_what_is_left(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA[:70_000])
    curl(server, "file.bin", "--continue-at", "-", "--output", str(file))
    assert file.read_bytes() == DATA


def test_only_if_it_has_changed(server: Server, tmp_path: Path) -> None:
    tags = str(tmp_path / "tags")
    status, fields, _ = curl(server, "file.bin", "--etag-save", tags)
    assert status == 200
    status, again, body = curl(server, "file.bin", "--etag-compare", tags)
    assert (status, body) == (304, b"")
    assert again["etag"] == fields["etag"]
    modified = fields["last-modified"]
    assert curl(server, "file.bin", "--time-cond", modified)[0] == 304
    assert curl(server, "file.bin", "--time-cond", f"-{modified}")[0] == 200  # If-Unmodified-Since
    assert curl(server, "file.bin", "--header", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT")[0] == 412
    assert curl(server, "file.bin", "--header", 'If-Match: "other"')[0] == 412
    assert curl(server, "file.bin", "--range", "0-9", "--header", 'If-Range: "other"')[::2] == (200, DATA)
    assert curl(server, "file.bin", "--range", "0-9", "--header", f"If-Range: {fields['etag']}")[::2] == (
        206,
        DATA[:10],
    )


def test_compressed_already(server: Server) -> None:
    status, fields, body = curl(server, "page.html", "--compressed")
    assert (status, body, fields["content-encoding"]) == (200, PAGE, "gzip")
    assert int(fields["content-length"]) == len(gzip.compress(PAGE))
    assert fields["content-type"].startswith("text/html")
    assert "accept-encoding" in fields["vary"].lower()
    status, plain, body = curl(server, "page.html")
    assert (status, body, plain.get("content-encoding")) == (200, PAGE, None)
    assert "accept-encoding" in plain["vary"].lower()
    assert plain["etag"] != fields["etag"]
