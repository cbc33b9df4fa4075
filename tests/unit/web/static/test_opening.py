"""Files that are opened in a folder which somebody changes meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from torsion.web.static import File
from torsion.web.static.opening import CAN_WALK, open_beneath
from unit.web.talk import Asked

pytestmark = pytest.mark.skipif(not CAN_WALK, reason="this system cannot walk through folders")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    top = tmp_path / "site"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "a").write_bytes(b"a")
    (top / "sub" / "deep" / "b").write_bytes(b"b")
    (tmp_path / "out").mkdir()
    for name in ("a", "b"):
        (tmp_path / "out" / name).write_bytes(b"secret")
    return top


def content(top: Path | None, path: Path) -> bytes:
    descriptor = open_beneath(None if top is None else str(top), str(path))
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)


def test_what_is_in_the_folder_is_opened(top: Path) -> None:
    assert content(top, top / "a") == b"a"
    assert content(top, top / "sub" / "deep" / "b") == b"b"
    assert content(Path("/"), top / "a") == b"a"
    assert content(top / "a", top / "a") == b"a"


def test_links_within_the_folder_are_followed(top: Path) -> None:
    (top / "file").symlink_to("sub/deep/b")
    (top / "folder").symlink_to(top / "sub")
    (top / "up").symlink_to("sub/../a")
    assert content(top, top / "file") == b"b"
    assert content(top, top / "folder" / "deep" / "b") == b"b"
    assert content(top, top / "up") == b"a"


def test_the_folder_itself_may_be_a_link(top: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(top)
    (top / "file").symlink_to("sub/deep/b")
    assert content(tmp_path / "link", tmp_path / "link" / "a") == b"a"
    assert content(tmp_path / "link", tmp_path / "link" / "file") == b"b"


def test_a_link_to_a_neighbour_does_not_lead_to_a_file_of_the_same_name_here(top: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_bytes(b"secret")
    assert len("mine") == len(top.name)
    (top / "link").symlink_to(tmp_path / "mine" / "a")
    with pytest.raises(FileNotFoundError, match="leads out"):
        content(top, top / "link")


@pytest.mark.parametrize("where", ["a", "sub", "sub/deep"])
def test_what_becomes_a_link_leads_nowhere_else(top: Path, tmp_path: Path, where: str) -> None:
    path = top / "a" if where == "a" else top / "sub" / "deep" / "b"
    (top / where).rename(tmp_path / "old")
    (top / where).symlink_to(tmp_path / "out" / "a" if where == "a" else tmp_path / "out")
    if where == "sub":
        (tmp_path / "out" / "deep").mkdir()
        (tmp_path / "out" / "deep" / "b").write_bytes(b"secret")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    with pytest.raises(FileNotFoundError):
        content(top, path)
    if before:
        assert len(os.listdir("/proc/self/fd")) == before
    assert content(None, path) == b"secret"  # who lets links lead anywhere


def test_a_pipe_or_a_device_is_no_file_and_not_waited_for(top: Path, tmp_path: Path) -> None:
    os.mkfifo(top / "pipe")
    (top / "null").symlink_to("/dev/null")
    for path, over in ((top / "pipe", top), (top / "null", None), (top / "sub", top)):
        with pytest.raises(PermissionError):
            content(over, path)
    with pytest.raises(FileNotFoundError):
        content(top, top / "null")


@pytest.mark.parametrize(
    ("name", "number"), [("none", errno.ENOENT), ("a/b", errno.ENOTDIR), ("n" * 300, errno.ENAMETOOLONG)]
)
def test_what_is_not_there(top: Path, name: str, number: int) -> None:
    with pytest.raises(OSError) as caught:
        content(top, top / name)
    assert caught.value.errno in (number, errno.ENOENT)


def test_a_folder_that_becomes_a_link_between_the_look_and_the_opening(top: Path, tmp_path: Path) -> None:
    root = File(str(top))
    folder = root.getChild(b"sub", None).getChild(b"deep", None)
    found = folder.getChild(b"b", None)
    asked = Asked()
    (top / "sub" / "deep").rename(tmp_path / "old")
    (top / "sub" / "deep").symlink_to(tmp_path / "out")
    found.render_GET(asked)
    assert asked.code == 404
