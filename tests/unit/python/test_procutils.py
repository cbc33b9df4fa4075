"""Programs on the path."""

from __future__ import annotations

import os

import pytest

from torsion.python.procutils import which


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name, mode in (("one/tool", 0o755), ("two/tool", 0o755), ("two/data", 0o644), ("two/tool.exe", 0o755)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(mode)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "none"), str(tmp_path / "two")]))
    monkeypatch.delenv("PATHEXT", raising=False)
    return tmp_path


def test_all_of_them_in_order(folders):
    assert which("tool") == [str(folders / "one" / "tool"), str(folders / "two" / "tool")]
    assert which("nothing") == []


@pytest.mark.skipif(os.name != "posix", reason="everything may be run there")
def test_what_must_be_allowed(folders):
    assert which("data") == []
    assert which("data", os.R_OK) == [str(folders / "two" / "data")]


def test_extensions(folders, monkeypatch):
    monkeypatch.setenv("PATHEXT", os.pathsep.join(["", ".exe", ".bat"]))
    assert which("tool")[-1] == str(folders / "two" / "tool.exe")


def test_no_path(monkeypatch):
    monkeypatch.delenv("PATH")
    assert which("tool") == []
