"""Which files of a project are looked at, and how they are written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from torsion.porting import replace, walk
from torsion.porting.requirements import requirements


def tree(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")


def found(*paths: Path, root: Path) -> list[str]:
    return [each.path.relative_to(root).as_posix() for each in walk(paths)]


def test_modules_and_what_tells_of_requirements_are_looked_at_in_order(tmp_path) -> None:
    tree(
        tmp_path,
        "b.py",
        "a/c.pyi",
        "a/d.txt",
        "setup.cfg",
        "pyproject.toml",
        "app.tac",
        "requirements-dev.txt",
        "setup.py",
    )
    assert [(each.path.relative_to(tmp_path).as_posix(), each.python, each.requirements) for each in walk([tmp_path])] == [
        ("app.tac", True, False),
        ("b.py", True, False),
        ("pyproject.toml", False, True),
        ("requirements-dev.txt", False, True),
        ("setup.cfg", False, True),
        ("setup.py", True, True),
        ("a/c.pyi", True, False),
    ]  # fmt: skip


def test_what_is_not_the_project_s_own_is_left_alone(tmp_path) -> None:
    tree(
        tmp_path,
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        ".git/x.py",
        ".x.py/y.py",
        "__pycache__/x.py",
        "a/site-packages/x.py",
        "ours.py",
    )
    (tmp_path / "link.py").symlink_to(tmp_path / "ours.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert found(tmp_path, root=tmp_path) == ["ours.py"]


def test_what_is_named_is_looked_at_whatever_it_is_called_and_once(tmp_path) -> None:
    tree(tmp_path, "script", "a.py")
    link = tmp_path / "link.py"
    link.symlink_to(tmp_path / "a.py")
    assert found(tmp_path / "script", tmp_path, link, root=tmp_path) == ["script", "a.py"]
    assert found(link, root=tmp_path) == ["link.py"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.getuid() == 0, reason="whoever may read everything is refused nothing"
)
def test_a_folder_that_cannot_be_read_is_told(tmp_path) -> None:
    tree(tmp_path, "closed/a.py")
    (tmp_path / "closed").chmod(0)
    problems: list[OSError] = []
    assert list(walk([tmp_path], problems.append)) == []
    (tmp_path / "closed").chmod(0o700)
    assert [problem.filename for problem in problems] == [str(tmp_path / "closed")]


def test_what_is_written_keeps_its_permissions_and_links(tmp_path) -> None:
    tree(tmp_path, "a.py")
    real = tmp_path / "a.py"
    real.chmod(0o755)
    link = tmp_path / "link.py"
    link.symlink_to(real)
    replace(link, b"new\n")
    assert (link.is_symlink(), real.read_bytes(), real.stat().st_mode & 0o777) == (True, b"new\n", 0o755)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "link.py"]


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="only root gives files away")
def test_what_is_written_keeps_its_owner(tmp_path) -> None:
    tree(tmp_path, "a.py")
    os.chown(tmp_path / "a.py", 1234, 4321)
    (tmp_path / "a.py").chmod(0o4755)
    replace(tmp_path / "a.py", b"new\n")
    now = (tmp_path / "a.py").stat()
    assert (now.st_uid, now.st_gid, now.st_mode & 0o7777) == (1234, 4321, 0o4755)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such owners there")
def test_a_file_that_cannot_be_given_back_is_written_all_the_same(tmp_path, monkeypatch) -> None:
    tree(tmp_path, "a.py")

    def refuse(path, uid, gid):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    before = Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda self, **kw: os.stat_result((*before(self, **kw)[:4], 1234, *before(self, **kw)[5:]))
        if self.name == "a.py"
        else before(self, **kw)
    )  # fmt: skip
    replace(tmp_path / "a.py", b"new\n")
    assert (tmp_path / "a.py").read_bytes() == b"new\n"


def test_what_cannot_be_written_stays_as_it_is(tmp_path, monkeypatch) -> None:
    tree(tmp_path, "a.py")

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace(tmp_path / "a.py", b"new\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.py", "x\n")]


@pytest.mark.parametrize(
    "line",
    [
        "twisted",
        "Twisted[tls]>=24",
        "    \"twisted >= 22.10 ; python_version > '3'\",",
        "  Twisted>=18",
        "deps = twisted",
        "    - twisted=22",
        '[project.entry-points."twisted.plugins"]',
    ],
)
def test_lines_that_depend_on_twisted(line: str) -> None:
    assert list(requirements(f"x\n{line}\n")) == [(line.strip(), 2)]


@pytest.mark.parametrize(
    "line", ["pytest-twisted", "# about twisted things", "twistedchecker", 'name = "my-twisted"', "txtwisted"]
)
def test_lines_that_do_not(line: str) -> None:
    assert list(requirements(line)) == []
