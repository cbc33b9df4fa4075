"""Modules that are found, described and loaded."""

from __future__ import annotations

import sys
import zipfile

import pytest

from torsion.python import modules
from torsion.python.filepath import FilePath
from torsion.python.zippath import ZipArchive, ZipPath


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "findme_pkg" / "sub").mkdir(parents=True)
    (tmp_path / "findme_pkg" / "__init__.py").write_text("loaded = True\n")
    (tmp_path / "findme_pkg" / "leaf.py").write_text("x = 123\n")
    (tmp_path / "findme_pkg" / "sub" / "__init__.py").write_text("")
    (tmp_path / "findme_pkg" / "sub" / "deep.py").write_text("")
    (tmp_path / "findme_mod.py").write_text("class A:\n    b = 1\n")
    (tmp_path / "no-module.py").write_text("")
    (tmp_path / "no_package").mkdir()
    return tmp_path


@pytest.fixture(params=["folder", "zip"])
def place(request, folder, tmp_path_factory, monkeypatch):
    """Put the modules on ``sys.path``, and take them from ``sys.modules`` afterwards."""
    if request.param == "zip":
        made = tmp_path_factory.mktemp("zip") / "all.zip"
        with zipfile.ZipFile(made, "w") as archive:
            for file in folder.rglob("*.py"):
                archive.write(file, file.relative_to(folder))
        folder = made
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    yield modules.PythonPath()
    for name in [name for name in sys.modules if name.startswith("findme")]:
        del sys.modules[name]


def test_what_there_is(place):
    assert sorted(each.name for each in place.iterModules()) == ["findme_mod", "findme_pkg"]
    assert [each.name for each in place.walkModules()] == [
        "findme_mod",
        "findme_pkg",
        "findme_pkg.leaf",
        "findme_pkg.sub",
        "findme_pkg.sub.deep",
    ]
    assert not {name for name in sys.modules if name.startswith("findme")}


def test_one_of_them(place):
    package, leaf = place["findme_pkg"], place["findme_pkg.leaf"]
    assert (package.isPackage(), package.isLoaded(), leaf.isPackage()) == (True, False, False)
    assert package["leaf"] == leaf
    assert leaf.filePath == package.parentPath.child("leaf.py")
    assert leaf.filePath.getContent() == b"x = 123\n"
    assert leaf.pathEntry.filePath.path == sys.path[0]
    assert "findme_pkg.leaf" in place
    assert "leaf" in package
    assert "findme_pkg.other" not in place
    with pytest.raises(KeyError):
        place["findme_nothing"]
    assert list(leaf.iterModules()) == []


def test_loading(place):
    leaf = place["findme_pkg.leaf"]
    with pytest.raises(NotImplementedError, match=r"load\(\) it first"):
        leaf.iterAttributes()
    assert leaf.load().x == 123
    assert leaf.isLoaded()
    assert place["findme_pkg.leaf"] == leaf
    assert place["findme_pkg"].filePath.basename() == "__init__.py"
    [x] = [each for each in leaf.iterAttributes() if each.name == "findme_pkg.leaf.x"]
    assert (x.load(), x.isLoaded(), x.onObject) == (123, True, leaf)
    place["findme_mod"].load()
    [a] = [each for each in place["findme_mod"].iterAttributes() if each.name == "findme_mod.A"]
    assert "findme_mod.A.b" in [each.name for each in a.iterAttributes()]


def test_paths_are_of_files_or_of_archives(place):
    path = place["findme_mod"].filePath
    assert isinstance(path, ZipPath if sys.path[0].endswith(".zip") else FilePath)
    [entry] = place.iterEntries()
    assert isinstance(entry.filePath, ZipArchive if sys.path[0].endswith(".zip") else FilePath)
    assert [each.name for each in entry] == ["findme_mod", "findme_pkg"]
    assert repr(entry).startswith("PathEntry<")
    assert repr(path) in repr(place["findme_mod"].filePath)
    assert repr(place["findme_mod"]) == "PythonModule<'findme_mod'>"


def test_a_module_that_fails(folder, monkeypatch):
    (folder / "findme_bad.py").write_text("raise RuntimeError('no')")
    monkeypatch.syspath_prepend(str(folder))
    module = modules.getModule("findme_bad")
    assert module.load(None) is None
    with pytest.raises(RuntimeError):
        module.load()


def test_a_package_whose_modules_are_elsewhere(folder, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "extra.py").write_text("")
    (folder / "findme_pkg" / "__init__.py").write_text(f"__path__.append({str(elsewhere)!r})\n")
    monkeypatch.syspath_prepend(str(folder))
    package = modules.getModule("findme_pkg")
    assert "extra" not in package
    try:
        assert "findme_pkg.extra" in [each.name for each in package.walkModules(importPackages=True)]
        assert "extra" in package
        del sys.modules["findme_pkg"].__path__
        assert list(package.iterModules()) == []
    finally:
        for name in [name for name in sys.modules if name.startswith("findme")]:
            del sys.modules[name]


def test_source_is_preferred(tmp_path):
    for name in ("one.pyc", "one.py", "two.pyc"):
        (tmp_path / name).touch()
    place = modules.PythonPath([str(tmp_path)], moduleDict={})
    assert [each.filePath.basename() for each in place.iterModules()] == ["one.py", "two.pyc"]


def test_places_that_cannot_be_listed(tmp_path):
    (tmp_path / "file").write_text("")
    place = modules.PythonPath([str(tmp_path / "nothing"), str(tmp_path / "file")], moduleDict={})
    assert list(place.walkModules()) == []


def test_modules_without_a_file():
    with pytest.raises(KeyError, match="has no file"):
        modules.getModule("sys")


def test_a_place_that_is_not_imported_from():
    place = modules.PythonPath([], sys.modules, [], {})
    with pytest.warns(UserWarning, match="not in path importer cache"):
        assert place[__name__ if __name__ in sys.modules else "pytest"].isLoaded()


def test_the_functions_ask_python_s_own_path():
    assert modules.getModule("torsion.python.modules").isPackage()
    assert modules.theSystemPath.sysPath is sys.path
    first = next(modules.iterModules())
    assert "." not in first.name
    assert next(modules.walkModules()) == first
    assert repr(modules.PythonPath(["x"], {})) == "PythonPath(['x'],{})"
