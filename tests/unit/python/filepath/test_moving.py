"""Copying and moving."""

from __future__ import annotations

import errno
import os

import pytest

from torsion.python.filepath import FilePath, LinkError

posix = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "from" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "a").write_bytes(b"A" * 300_000)
    (tmp_path / "from" / "deep" / "b").write_bytes(b"B")
    return FilePath(str(tmp_path))


def content(path):
    return {"/".join(each.segmentsFrom(path)): each.getContent() for each in path.walk() if each.isfile()}


@pytest.fixture
def far(monkeypatch):
    """Have the first rename meet another file system."""
    rename, calls = os.rename, []

    def refused(source, destination):
        calls.append((source, destination))
        if len(calls) == 1:
            raise OSError(errno.EXDEV, "another file system")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", refused)
    return calls


def test_copies_are_alike(root):
    source, copy = root.child("from"), root.child("to")
    assert not copy.exists()
    source.copyTo(copy)
    assert content(copy) == content(source)
    copy.child("more").touch()
    source.child("a").setContent(b"changed")
    source.copyTo(copy)
    assert copy.child("a").getContent() == b"changed"
    assert copy.child("more").exists()


def test_what_cannot_be_copied(root):
    with pytest.raises(FileNotFoundError, match="nothing to copy"):
        root.child("nothing").copyTo(root.child("to"))
    with pytest.raises(OSError):
        root.child("from").copyTo(root.child("from").child("a"))
    with pytest.raises(OSError, match="into itself"):
        root.child("from").copyTo(root.descendant(["from", "deep", "new"]))
    assert not root.descendant(["from", "deep", "new"]).exists()


@posix
def test_no_more_than_files_and_directories(root):
    os.mkfifo(root.child("pipe").path)
    with pytest.raises(NotImplementedError, match="pipe"):
        root.child("pipe").copyTo(root.child("to"))


@posix
def test_links_are_followed_or_copied(root):
    source = root.child("from")
    os.symlink("deep", source.child("link").path)
    source.copyTo(root.child("followed"))
    assert root.child("followed").child("link").child("b").getContent() == b"B"
    assert not root.child("followed").child("link").islink()
    source.copyTo(root.child("linked"), followLinks=False)
    assert os.readlink(root.child("linked").child("link").path) == "deep"


@posix
def test_links_that_lead_back(root):
    root.child("from").linkTo(root.descendant(["from", "deep", "loop"]))
    with pytest.raises(LinkError, match="loop"):
        root.child("from").copyTo(root.child("to"))


@posix
def test_into_itself_by_a_link(root):
    root.child("from").linkTo(root.child("alias"))
    with pytest.raises(OSError, match="into itself"):
        root.child("from").copyTo(root.child("alias").child("new"))


@pytest.mark.parametrize("name", ["from", "from/a"])
def test_moving(root, name):
    source, target = root.preauthChild(name), root.child("to")
    before = content(source)
    assert source.exists()
    assert not target.exists()
    source.moveTo(target)
    assert not source.exists()
    assert content(target) == before


def test_moving_between_file_systems(root, far):
    source, target = root.child("from"), root.child("to")
    before = content(source)
    source.moveTo(target)
    assert far
    assert not source.exists()
    assert content(target) == before
    assert root.listdir() == ["to"]


@posix
def test_moving_links_between_file_systems(root, far):
    os.symlink("from", root.child("link").path)
    root.child("link").moveTo(root.child("moved"), followLinks=False)
    assert os.readlink(root.child("moved").path) == "from"


def test_half_a_move_between_file_systems_is_undone(root, far, monkeypatch):
    def fails(self, destination, followLinks=True):
        destination.setContent(b"half")
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(FilePath, "copyTo", fails)
    with pytest.raises(OSError, match="no space left"):
        root.child("from").moveTo(root.child("to"))
    assert root.listdir() == ["from"]


def test_other_errors_of_moving_are_told(root):
    with pytest.raises(FileNotFoundError):
        root.child("nothing").moveTo(root.child("to"))
    with pytest.raises(OSError):
        root.child("from").moveTo(root.child("from").child("inside"))
