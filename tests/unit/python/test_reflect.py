"""Names to objects and back."""

from __future__ import annotations

import os.path
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.python import reflect


class Outer:
    class Inner:
        def method(self) -> None:
            pass


def test_qual_is_module_and_bare_name() -> None:
    assert reflect.qual(ValueError) == "builtins.ValueError"
    assert reflect.qual(Outer.Inner) == f"{__name__}.Inner"


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (os.path, os.path.__name__),
        (Outer.Inner, f"{__name__}.Outer.Inner"),
        (Outer.Inner.method, f"{__name__}.Outer.Inner.method"),
        (Outer.Inner().method, f"{__name__}.Outer.Inner.method"),
        (reflect.qual, "torsion.python.reflect.qual"),
        (len, "len"),
        (int, "builtins.int"),
        ([].append, "list.append"),
    ],
)
def test_fully_qualified_names(thing: Any, name: str) -> None:
    assert reflect.fullyQualifiedName(thing) == name


def test_full_function_names_lead_back() -> None:
    assert reflect.fullFuncName(reflect.qual) == "torsion.python.reflect.qual"
    replaced = lambda: None
    replaced.__module__, replaced.__name__ = "os", "getcwd"
    with pytest.raises(LookupError, match=r"os\.getcwd"):
        reflect.fullFuncName(replaced)


def test_named_things() -> None:
    assert reflect.namedModule("os.path") is os.path
    assert reflect.namedObject("os.path.join") is os.path.join
    assert reflect.namedClass("os.PathLike") is os.PathLike
    assert reflect.requireModule("os.path") is os.path
    assert reflect.requireModule("no_such_module_here", "default") == "default"


@pytest.mark.parametrize(
    ("name", "thing"),
    [("os", os), ("os.path", os.path), ("os.path.join", os.path.join), ("os.path.join.__name__", "join")],
)
def test_named_any(name: str, thing: Any) -> None:
    assert reflect.namedAny(name) is thing


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", reflect.InvalidName),
        (".os", reflect.InvalidName),
        ("os.", reflect.InvalidName),
        ("os..path", reflect.InvalidName),
        ("no_such_module_here", reflect.ModuleNotFound),
        ("no_such_module_here.thing", reflect.ObjectNotFound),
        ("os.nothing", AttributeError),
        ("os.path.join.nothing", AttributeError),
    ],
)
def test_named_any_refuses(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        reflect.namedAny(name)


def test_errors_of_modules_go_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torsion_test_divides.py").write_text("1/0")
    (tmp_path / "torsion_test_needs.py").write_text("import torsion_test_which_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        reflect.namedAny("torsion_test_divides.thing")
    with pytest.raises(ModuleNotFoundError, match="which_is_not_there"):
        reflect.namedAny("torsion_test_needs")


def test_file_names_to_module_names(tmp_path: Path) -> None:
    package = tmp_path / "outer" / "inner"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "__init__.py").touch()
    assert reflect.filenameToModuleName(str(package / "thing.py")) == "outer.inner.thing"
    assert reflect.filenameToModuleName(str(package / "__init__.py")) == "outer.inner"
    assert reflect.filenameToModuleName(os.fsencode(tmp_path / "lonely.py")) == "lonely"
    assert reflect.filenameToModuleName(str(tmp_path / "__init__.py")) == tmp_path.name


class Base:
    table: ClassVar = {"a": 1, "b": 1}
    steps: ClassVar = ["base"]

    def do_one(self) -> str:
        return "base"

    def do_two(self) -> str:
        return "two"


class Derived(Base):
    table: ClassVar = {"b": 2}
    steps: ClassVar = ["derived"]
    do_data = 3

    def do_one(self) -> str:
        return "derived"


def test_methods_by_prefix() -> None:
    thing = Derived()
    assert sorted(method() for method in reflect.prefixedMethods(thing, "do_")) == ["derived", "two"]
    found: dict[str, Callable[..., Any]] = {}
    reflect.accumulateMethods(thing, found, "do_", Base)
    assert {name: method() for name, method in found.items()} == {"one": "derived", "two": "two"}
    assert sorted(reflect.prefixedMethodNames(Derived, "do_")) == ["one", "two"]
    names: dict[str, Any] = {}
    reflect.addMethodNamesToDict(Derived, names, "do_", Base)
    assert names == {"one": 1}
    assert reflect.getClass(thing) is Derived


def test_tables_of_bases() -> None:
    table: dict[str, int] = {}
    reflect.accumulateClassDict(Derived, "table", table)
    assert table == {"a": 1, "b": 2}
    steps: list[str] = []
    reflect.accumulateClassList(Derived, "steps", steps)
    assert steps == ["base", "derived"]
    only: dict[str, int] = {}
    reflect.accumulateClassDict(Derived, "table", only, Outer)
    assert only == {"a": 1, "b": 1}


class BrokenMeta(type):
    @property
    def __name__(cls) -> str:
        raise RuntimeError("no name")


class Broken(metaclass=BrokenMeta):
    def __repr__(self) -> str:
        raise RuntimeError("no text")


class BrokenTwice:
    class Error(Exception):
        def __str__(self) -> str:
            raise SystemExit

    def __repr__(self) -> str:
        raise self.Error


class Endless:
    def __repr__(self) -> str:
        return repr(self)


@pytest.mark.parametrize("show", [reflect.safe_repr, reflect.safe_str])
@pytest.mark.parametrize("thing", [Broken(), BrokenTwice(), Endless()], ids=["broken", "twice", "endless"])
def test_text_never_raises(show: Callable[[Any], str], thing: Any) -> None:
    assert "instance at 0x" in show(thing)
    assert "error:" in show(thing)


def test_text_of_what_can_be_shown_is_its_own() -> None:
    assert reflect.safe_repr("x") == "'x'"
    assert reflect.safe_str("x") == "x"
    assert reflect.safe_str("ä".encode()) == "ä"
    assert reflect.safe_str(b"\xff") == r"b'\xff'"
    assert reflect.safe_str(Broken) == str(Broken)


@given(st.text(alphabet="ab.", max_size=8))
def test_named_any_finds_or_says_why(name: str) -> None:
    try:
        reflect.namedAny(name)
    except (reflect.InvalidName, AttributeError):
        pass
    assert "" not in sys.modules
