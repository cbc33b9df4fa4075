"""Paths within archives."""

from __future__ import annotations

import os
import zipfile

import pytest
from zope.interface.verify import verifyObject

from torsion.python.filepath import IFilePath, UnlistableError
from torsion.python.zippath import ZipArchive, ZipPath


@pytest.fixture
def archive(tmp_path):
    name = tmp_path / "it.zip"
    with zipfile.ZipFile(name, "w") as made:
        made.writestr(zipfile.ZipInfo("top.txt", (2001, 2, 3, 4, 5, 6)), b"top")
        made.writestr("sub/deep/file", b"deep")
        made.writestr("empty/", b"")
        made.writestr("../outside", b"a name as any other")
    return ZipArchive(str(name))


def test_reading(archive):
    assert verifyObject(IFilePath, archive)
    assert verifyObject(IFilePath, archive.child("top.txt"))
    assert archive.child("top.txt").getContent() == b"top"
    assert archive.child(b"sub").child(b"deep").child(b"file").getContent() == b"deep"
    assert sorted(archive.listdir()) == ["..", "empty", "sub", "top.txt"]
    assert archive.child("..").child("outside").getContent() == b"a name as any other"
    assert archive.child(b"sub").listdir() == [b"deep"]
    assert archive.child("empty").listdir() == []


def test_what_is_there(archive):
    top, sub = archive.child("top.txt"), archive.child("sub")
    assert (top.exists(), top.isfile(), top.isdir(), top.islink()) == (True, True, False, False)
    assert (sub.exists(), sub.isfile(), sub.isdir()) == (True, False, True)
    assert not archive.child("nothing").exists()
    assert archive.exists()
    assert archive.isdir()
    assert top.getsize() == 3
    assert top.getModificationTime() == top.getStatusChangeTime()
    assert top.getAccessTime() == archive.getAccessTime()
    assert archive.getModificationTime() == os.stat(archive.path).st_mtime
    assert archive.getStatusChangeTime() == os.stat(archive.path).st_ctime


def test_neighbours(archive):
    file = archive.descendant(["sub", "deep", "file"])
    assert (file.basename(), file.dirname()) == ("file", os.path.join(archive.path, "sub", "deep"))
    assert file.parent().parent().parent() is archive
    assert archive.parent() is archive
    assert file.sibling("other") == archive.descendant(["sub", "deep", "other"])
    assert archive.child("top.txt").splitext() == (os.path.join(archive.path, "top"), ".txt")
    assert file.segmentsFrom(archive) == ["sub", "deep", "file"]
    assert [each.path for each in file.parents()][-1] == archive.path
    assert len(list(archive.walk())) == 8
    assert (file.sep, archive.child(b"x").sep) == ("/", b"/")


def test_errors(archive):
    top = archive.child("top.txt")
    for path in (top, archive.child("nothing")):
        with pytest.raises(UnlistableError):
            path.children()
    with pytest.raises(FileNotFoundError):
        archive.child("nothing").open()
    with pytest.raises(FileNotFoundError):
        archive.child("nothing").getsize()
    with pytest.raises(OSError, match="can be read only"):
        top.open("w")
    with pytest.raises(FileNotFoundError):
        ZipArchive(archive.path + ".not")


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "x").write_bytes(b"no archive")
    with pytest.raises(zipfile.BadZipFile):
        ZipArchive(str(tmp_path / "x"))


def test_comparing(archive):
    a, b = archive.child("a"), archive.child("b")
    assert a == ZipPath(archive, "a") == archive.child(b"a")
    assert a < b <= archive.child("b")
    assert b > a >= archive.child("a")
    assert len({a, archive.child("a"), b}) == 2
    for compare in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
        assert getattr(a, compare)("a") is NotImplemented
    assert repr(a) == f"ZipPath({os.path.join(archive.path, 'a')!r})"
    assert repr(archive) == f"ZipArchive({archive.path!r})"
    a.changed()
