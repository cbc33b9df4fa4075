"""Warnings about what will go."""

# ruff: noqa: PT030, PT031 - what a warning says, and that each use has one, is looked at in full

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from torsion.python import deprecate
from torsion.python.deprecate import (
    deprecated,
    deprecatedKeywordParameter,
    deprecatedModuleAttribute,
    deprecatedProperty,
    getDeprecationWarningString,
    warnAboutFunction,
)
from torsion.python.versions import Version

SINCE = Version("p", 1, 2, 3)


@deprecated(SINCE)
def short(x: int) -> int:
    """Return *x*."""
    return x


@deprecated(SINCE, "other.thing")
def long() -> None:
    """Do nothing.

    And take one's time.
        Indented.
    """


@deprecated(SINCE, short)
class Class:
    def __init__(self, x: int) -> None:
        self.x = x


class Derived(Class):
    pass


class Properties:
    @deprecatedProperty(SINCE, "new")
    def old(self) -> int:
        """The old one."""
        return self._value

    @old.setter
    def old(self, value: int) -> None:
        self._value = value

    @deprecatedProperty(SINCE)
    def fixed(self) -> int:
        return 1


@deprecatedKeywordParameter(SINCE, "b", "c")
def keyword(a: int, b: int = 1, *, c: int = 2) -> int:
    """Add."""
    return a + b + c


@deprecatedKeywordParameter(SINCE, "late")
def keyword_only(*args: int, late: int = 0) -> int:
    return sum(args) + late


def test_functions_warn_their_caller() -> None:
    with pytest.warns(DeprecationWarning) as warned:
        assert short(3) == 3
    assert str(warned[0].message) == f"{__name__}.short was deprecated in p 1.2.3"
    assert warned[0].filename == __file__
    assert short.__name__ == "short"
    assert short.deprecatedVersion == SINCE


def test_docstrings_say_so() -> None:
    assert short.__doc__ == "Return *x*.\n\nDeprecated in p 1.2.3.\n"
    assert long.__doc__ == (
        "Do nothing.\n\nAnd take one's time.\n    Indented.\n\nDeprecated in p 1.2.3; please use other.thing instead.\n"
    )
    assert Class.__doc__ == f"Deprecated in p 1.2.3; please use {__name__}.short instead."
    assert keyword.__doc__ == "Add.\n\nThe 'b' parameter was deprecated in p 1.2.3; please use c instead.\n"


def test_classes_warn_when_made_but_not_for_subclasses() -> None:
    with pytest.warns(DeprecationWarning, match=r"\.Class was deprecated in p 1.2.3; please use .*\.short instead"):
        assert Class(3).x == 3
    assert Derived(4).x == 4


def test_properties_warn_when_read_and_set() -> None:
    thing = Properties()
    with pytest.warns(DeprecationWarning, match="old was deprecated in p 1.2.3; please use new instead") as warned:
        thing.old = 3
        assert thing.old == 3
    assert [warning.filename for warning in warned] == [__file__] * 2
    assert isinstance(Properties.old, property)
    assert "Deprecated in p 1.2.3" in (Properties.old.__doc__ or "")
    with pytest.warns(DeprecationWarning), pytest.raises(AttributeError):
        thing.fixed = 2


def test_parameters_warn_when_given() -> None:
    assert keyword(1, c=5) == 7
    for arguments in [((1, 2), {}), ((1,), {"b": 2})]:
        with pytest.warns(DeprecationWarning, match=r"The 'b' parameter to .*keyword was deprecated"):
            keyword(*arguments[0], **arguments[1])
    assert keyword_only(1, 2, 3) == 6
    with pytest.warns(DeprecationWarning, match="'late'"):
        keyword_only(late=1)


def test_the_text_may_be_given() -> None:
    text = getDeprecationWarningString(short, SINCE, "%(fqpn)s, %(version)s", "x.y")
    assert text == f"{__name__}.short, p 1.2.3; please use x.y instead"


def test_warnings_may_be_sent_elsewhere() -> None:
    seen: list[Any] = []
    before = deprecate.getWarningMethod()
    deprecate.setWarningMethod(lambda message, category, stacklevel=1: seen.append((message, category)))
    try:
        short(1)
    finally:
        deprecate.setWarningMethod(before)
    assert seen == [(f"{__name__}.short was deprecated in p 1.2.3", DeprecationWarning)]


@pytest.fixture
def module() -> Iterator[Any]:
    made: Any = types.ModuleType("torsion_test_module")
    made.old, made.older, made.new = 1, 0, 2
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def test_module_attributes_warn_each_time(module: Any) -> None:
    deprecatedModuleAttribute(SINCE, "use new", module.__name__, "old")
    deprecatedModuleAttribute(SINCE, "use new", module.__name__, "older")
    assert module.new == 2
    for _ in range(2):
        with pytest.warns(DeprecationWarning) as warned:
            from torsion_test_module import old
        assert old == 1
        assert [str(warning.message) for warning in warned] == [
            "torsion_test_module.old was deprecated in p 1.2.3: use new"
        ]
    with pytest.warns(DeprecationWarning, match="older"):
        assert module.older == 0


def test_a_users_function_is_warned_about_where_it_stands() -> None:
    def hook() -> int:
        value = 1
        return value + 1

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warnAboutFunction(hook, "return something else")
    assert str(warned[0].message) == "return something else"
    assert Path(warned[0].filename) == Path(__file__)
    assert warned[0].lineno == hook.__code__.co_firstlineno + 2
