"""Paths: their names, what is there, and what is done to it."""

from __future__ import annotations

import errno
import os
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.python.filepath import FilePath, IFilePath, InsecurePath, LinkError, Permissions, UnlistableError

posix = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links, or POSIX permissions")


@pytest.fixture
def root(tmp_path):
    """A directory with files and directories: a, sub/b, sub/c.txt, sub/deep/d."""
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "a").write_bytes(b"A")
    (tmp_path / "sub" / "b").write_bytes(b"B")
    (tmp_path / "sub" / "c.txt").write_bytes(b"C")
    (tmp_path / "sub" / "deep" / "d").write_bytes(b"D")
    return FilePath(str(tmp_path))


def names(paths, root):
    return sorted("/".join(path.segmentsFrom(root)) for path in paths)


# --- what a path is ---------------------------------------------------------------------------------------------------


def test_it_is_absolute_and_as_it_was_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert FilePath("x/../y").path == str(tmp_path / "y")
    assert FilePath(b"y").path == os.fsencode(tmp_path / "y")
    assert FilePath(tmp_path).path == str(tmp_path)
    assert FilePath("y").isabs()
    assert verifyObject(IFilePath, FilePath("y"))


def test_other_functions_take_it(root):
    with open(root.child("a"), "rb") as file:
        assert file.read() == b"A"
    assert repr(FilePath(b"/x")) == f"FilePath({os.path.abspath(b'/x')!r})"


def test_comparing():
    a, b = FilePath("/a"), FilePath("/b")
    assert a == FilePath("/a")
    assert a != b
    assert a != "/a"
    assert a < b <= FilePath("/b")
    assert b > a >= FilePath("/a")
    assert len({a, FilePath("/a"), "/a"}) == 2
    for compare in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
        assert getattr(a, compare)("/a") is NotImplemented


def test_pickled_without_what_was_remembered(root):
    path = root.child("a")
    assert path.exists()
    copied = pickle.loads(pickle.dumps(path))
    assert copied == path
    os.remove(path.path)
    assert not copied.exists()


def test_text_and_bytes(tmp_path):
    path = FilePath(str(tmp_path / "naïve"))
    assert path.asTextMode() is path
    assert path.asBytesMode().asBytesMode().path == os.fsencode(path.path)
    assert path.asBytesMode().asTextMode() == path
    assert path.asBytesMode("utf-16-le").path.decode("utf-16-le") == path.path
    with pytest.raises(UnicodeError):
        path.asBytesMode("ascii")
    with pytest.raises(UnicodeError):
        FilePath(b"/\xff").asTextMode("utf-8")
    assert path.sep == os.sep
    assert path.asBytesMode().sep == os.fsencode(os.sep)


@posix
def test_names_that_are_no_text_survive(tmp_path):
    path = FilePath(os.fsencode(tmp_path)).child(b"\xff\xfe")
    path.setContent(b"x")
    assert path.asTextMode().getContent() == b"x"
    assert [each.basename() for each in FilePath(str(tmp_path)).children()] == [os.fsdecode(b"\xff\xfe")]


# --- names beneath: what strangers may send ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../x",
        "../../etc/passwd",
        "/etc/passwd",
        "x/../..",
        "x/../../y",
        "a/b",
        "sub/deep",
        "./a/b",
        "nul\0byte",
        "\0",
        "\ud800",
    ],
)
def test_what_is_no_child(root, name):
    with pytest.raises(InsecurePath):
        root.child(name)
    with pytest.raises(InsecurePath):
        root.descendant(["sub", name])


def test_what_is_no_child_in_bytes(root):
    for name in (b"..", b"/etc", b"a/b", b"\0"):
        with pytest.raises(InsecurePath):
            root.child(name)


def test_children(root):
    assert root.child("a").getContent() == b"A"
    assert root.child("...").basename() == "..."
    assert root.child("..x").basename() == "..x"
    assert root.child(".") == root
    assert root.child("") == root
    assert root.child("sub/") == root.child("sub")
    assert root.child("sub/../a") == root.child("a")
    assert isinstance(root.child(b"a").path, bytes)
    assert root.descendant(["sub", "deep", "d"]).getContent() == b"D"
    assert FilePath("/").child("x").path == os.path.abspath("/x")


@given(st.text(max_size=8, alphabet="ab./\\\0:~ \ud800é") | st.binary(max_size=8))
def test_no_name_leads_out(name):
    folder = FilePath("/some/folder")
    try:
        child = folder.child(name)
    except InsecurePath:
        return
    assert child.asTextMode() == folder or child.parent().asTextMode() == folder


@given(st.text(max_size=12, alphabet="ab./\0") | st.binary(max_size=12))
def test_no_preauthorised_name_leads_out(name):
    folder = FilePath("/some/folder")
    try:
        found = folder.preauthChild(name)
    except InsecurePath:
        return
    assert found.asTextMode() == folder or folder in set(found.asTextMode().parents())


def test_preauthorised_children(root):
    assert root.preauthChild("sub/deep/d").getContent() == b"D"
    for name in ("..", "/etc", "sub/../../x", "nul\0"):
        with pytest.raises(InsecurePath):
            root.preauthChild(name)
    # A sibling whose name begins as ours does is no child.
    with pytest.raises(InsecurePath):
        root.child("sub").preauthChild("../subway")
    assert root.childSearchPreauth("nothing", "sub/b", "a") == root.preauthChild("sub/b")
    assert root.childSearchPreauth("nothing") is None


@posix
def test_child_looks_at_names_alone_and_isInside_at_the_disk(root, tmp_path_factory):
    outside = FilePath(str(tmp_path_factory.mktemp("outside")))
    outside.child("secret").setContent(b"!")
    outside.linkTo(root.child("link"))
    leaked = root.child("link").child("secret")
    assert leaked.exists()
    assert not leaked.isInside(root)
    assert not root.child("link").isInside(root)
    # Whatever comes after a link is seen from where it leads.
    os.symlink(os.path.join("..", ".."), root.child("sub").child("up").path)
    assert not root.child("sub").child("up").isInside(root)
    assert root.child("sub").child("b").isInside(root)
    assert root.child("not there").isInside(root)
    assert root.isInside(root)
    root.child("sub").linkTo(root.child("inner"))
    assert root.child("inner").child("b").isInside(root)
    assert not FilePath(root.path + "-beside").isInside(root)


def test_patterns(root):
    assert names(root.child("sub").globChildren("*.txt"), root) == ["sub/c.txt"]
    assert isinstance(root.globChildren(b"*")[0].path, bytes)
    # What is in the directory's own name is no pattern.
    odd = root.child("[ab]")
    odd.createDirectory()
    odd.child("x").touch()
    assert names(odd.globChildren("*"), root) == ["[ab]/x"]


# --- names beside and above -------------------------------------------------------------------------------------------


def test_neighbours(root):
    b = root.descendant(["sub", "b"])
    assert b.sibling("c.txt").exists()
    assert b.parent().parent() == root
    assert (b.basename(), b.dirname()) == ("b", root.child("sub").path)
    assert root.descendant(["sub", "c.txt"]).splitext() == (root.child("sub").child("c").path, ".txt")
    assert b.segmentsFrom(root) == ["sub", "b"]
    assert b.segmentsFrom(b) == []
    with pytest.raises(ValueError, match="is not a directory that"):
        root.segmentsFrom(b)
    assert list(b.parents())[:2] == [root.child("sub"), root]
    assert list(b.parents())[-1].path == os.path.abspath(os.sep)
    with pytest.raises(InsecurePath):
        b.sibling("../x")


def test_extensions(root):
    c = root.child("sub").child("c")
    assert c.siblingExtension(".txt").exists()
    assert c.siblingExtensionSearch(".md", ".txt") == c.siblingExtension(".txt")
    assert c.siblingExtensionSearch("*") == c.siblingExtension(".txt")
    assert c.siblingExtensionSearch("") is None
    assert c.siblingExtensionSearch(".md") is None
    assert root.siblingExtensionSearch("") == root
    found = c.siblingExtensionSearch(b"*")
    assert found is not None
    assert isinstance(found.path, bytes)


def test_temporary_siblings_differ(root):
    a = root.child("a")
    first, second = a.temporarySibling(".x"), a.temporarySibling(".x")
    assert first != second
    assert first.parent() == root
    assert first.basename().endswith("a.x")
    assert isinstance(a.temporarySibling().path, str)
    assert isinstance(a.temporarySibling(b"").path, bytes)


# --- what is there ----------------------------------------------------------------------------------------------------


def test_status_is_remembered_until_it_changed(root):
    a = root.child("a")
    assert (a.exists(), a.isfile(), a.isdir(), a.getsize()) == (True, True, False, 1)
    with open(a.path, "ab") as file:
        file.write(b"more")
    assert a.getsize() == 1
    a.changed()
    assert a.getsize() == 5
    os.remove(a.path)
    assert a.exists()
    a.restat(reraise=False)
    assert not a.exists()
    with pytest.raises(FileNotFoundError):
        a.restat()
    with pytest.raises(FileNotFoundError):
        a.getsize()
    a.touch()
    assert a.exists()


def test_a_name_that_no_file_can_have_is_not_there():
    assert not FilePath("/nul\0byte").exists()


def test_times(root):
    a = root.child("a")
    os.utime(a.path, (1000.5, 2000.25))
    assert (a.getAccessTime(), a.getModificationTime()) == (1000.5, 2000.25)
    assert (a.getatime(), a.getmtime(), a.getctime()) == (1000, 2000, int(a.getStatusChangeTime()))


@posix
def test_numbers_and_permissions(root):
    a = root.child("a")
    status = os.stat(a.path)
    assert (a.getInodeNumber(), a.getDevice(), a.getNumberOfHardLinks()) == (status.st_ino, status.st_dev, 1)
    assert (a.getUserID(), a.getGroupID()) == (status.st_uid, status.st_gid)
    a.chmod(0o640)
    assert a.getPermissions() == Permissions(0o640)
    assert not a.isSocket()
    assert not a.isBlockDevice()


def test_what_windows_does_not_tell(root, monkeypatch):
    monkeypatch.setattr("torsion.python.filepath._status.WINDOWS", True)
    with pytest.raises(NotImplementedError):
        root.getInodeNumber()


def test_listing(root):
    assert sorted(root.child("sub").listdir()) == ["b", "c.txt", "deep"]
    assert names(root.children(), root) == ["a", "sub"]
    for path in (root.child("nothing"), root.child("a")):
        with pytest.raises(UnlistableError) as caught:
            path.children()
        assert isinstance(caught.value, OSError)
        assert caught.value.errno == caught.value.originalException.errno
        assert caught.value.filename == path.path


def test_walking(root):
    assert names(root.walk(), root) == ["", "a", "sub", "sub/b", "sub/c.txt", "sub/deep", "sub/deep/d"]
    assert names(root.walk(lambda path: path.basename() != "sub"), root) == ["", "a", "sub"]
    assert list(root.child("a").walk()) == [root.child("a")]
    walked = list(root.walk())
    assert walked.index(root.child("sub")) < walked.index(root.descendant(["sub", "b"]))


def test_walking_is_not_as_deep_as_the_tree(root):
    path = root
    for _ in range(250):
        path = path.child("d")
        path.createDirectory()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        assert sum(1 for _ in root.walk()) == 250 + 7
    finally:
        sys.setrecursionlimit(limit)


@posix
def test_links_that_lead_back(root):
    deep = root.descendant(["sub", "deep"])
    root.child("sub").linkTo(deep.child("loop"))
    with pytest.raises(LinkError, match="loop"):
        list(root.walk())
    assert "sub/deep/loop" in names(root.walk(lambda path: not path.islink()), root)
    one, two = root.child("one"), root.child("two")
    one.linkTo(two)
    two.linkTo(one)
    with pytest.raises(LinkError):
        one.realpath()
    assert not one.exists()
    assert one.islink()
    assert deep.child("loop").realpath() == root.child("sub").realpath()


# --- what is done -----------------------------------------------------------------------------------------------------


def test_opening(root):
    a = root.child("a")
    with a.open("r+") as file:
        assert file.read() == b"A"
        file.write(b"!")
    assert a.getContent() == b"A!"
    with a.open("a") as file:
        file.write(b"?")
    with a.open("wb") as file:
        file.write(b"\r\n")
    assert a.getContent() == b"\r\n"
    with pytest.raises(FileNotFoundError):
        root.child("nothing").open()


def test_always_anew(root):
    new = FilePath(root.child("new").path, alwaysCreate=True)
    with new.open("w") as file:
        file.write(b"x")
    with pytest.raises(FileExistsError):
        new.open("w")
    with pytest.raises(ValueError, match="cannot be appended to"):
        new.open("a")
    new.requireCreate(False)
    assert new.getContent() == b"x"


@posix
def test_a_link_that_leads_nowhere_is_not_created_through(root):
    root.child("target").linkTo(root.child("link"))
    with pytest.raises(FileExistsError):
        root.child("link").create()
    assert not root.child("target").exists()


def test_directories(root):
    new = root.descendant(["x", "y", "z"])
    assert not new.exists()
    new.makedirs()
    assert new.isdir()
    with pytest.raises(FileExistsError):
        new.makedirs()
    new.makedirs(ignoreExistingDirectory=True)
    with pytest.raises(FileExistsError):
        root.child("a").makedirs(ignoreExistingDirectory=True)
    with pytest.raises(FileNotFoundError):
        root.descendant(["p", "q"]).createDirectory()


@posix
def test_removing(root):
    root.child("sub").linkTo(root.child("link"))
    root.child("link").remove()
    assert root.child("sub").isdir()
    root.child("sub").remove()
    root.child("a").remove()
    assert root.listdir() == []
    with pytest.raises(FileNotFoundError):
        root.child("a").remove()


# --- replacing content at once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [False, True])
def test_content_is_replaced(root, durable):
    a = root.child("a")
    assert a.getsize() == 1
    a.setContent(b"twelve bytes", durable=durable)
    assert a.getContent() == b"twelve bytes"
    assert a.getsize() == 12
    assert names(root.children(), root) == ["a", "sub"]


def test_whoever_has_it_open_sees_the_old_content(root):
    with root.child("a").open() as file:
        root.child("a").setContent(b"new", ".tmp")
        assert file.read() == b"A"


def test_content_that_cannot_be_written_changes_nothing(root, monkeypatch):
    class Full(FilePath):
        def clonePath(self, path, alwaysCreate=False):
            return Full(path, alwaysCreate)

        def open(self, mode="r"):
            file = super().open(mode)
            monkeypatch.setattr(os, "replace", None)  # not to be reached

            class Wrapped:
                def __enter__(self):
                    return self

                def __exit__(self, *reason):
                    file.close()

                def write(self, data):
                    file.write(data[:1])
                    raise OSError(errno.ENOSPC, "no space left")

            return Wrapped()

    path = Full(root.child("a").path)
    with pytest.raises(OSError, match="no space left"):
        path.setContent(b"new")
    assert FilePath(path.path).getContent() == b"A"
    assert names(root.children(), root) == ["a", "sub"]


def test_a_name_that_cannot_be_taken_leaves_nothing_behind(root):
    with pytest.raises(OSError):
        root.child("sub").setContent(b"a file in a directory's place")
    assert names(root.children(), root) == ["a", "sub"]
    assert root.child("sub").isdir()
