"""Levels."""

from __future__ import annotations

import copy
import pickle

import pytest

from torsion.logger import InvalidLogLevelError, LogLevel, PredicateResult


def test_levels_are_ordered() -> None:
    levels = [LogLevel.debug, LogLevel.info, LogLevel.warn, LogLevel.error, LogLevel.critical]
    assert list(LogLevel.iterconstants()) == levels
    assert sorted([*levels[3:], *levels[:3]]) == levels
    assert LogLevel.debug < LogLevel.info <= LogLevel.info < LogLevel.critical
    assert LogLevel.critical > LogLevel.info >= LogLevel.info


def test_families_do_not_compare() -> None:
    for compare in ["__lt__", "__le__", "__gt__", "__ge__"]:
        assert getattr(LogLevel.info, compare)(PredicateResult.no) is NotImplemented
    with pytest.raises(TypeError):
        LogLevel.info < 3


def test_names_lead_to_levels_and_back() -> None:
    for level in LogLevel.iterconstants():
        assert LogLevel.levelWithName(level.name) is level
        assert LogLevel.lookupByName(level.name) is level
        assert getattr(LogLevel, level.name) is level


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidLogLevelError, match="loud") as raised:
        LogLevel.levelWithName("loud")
    assert raised.value.level == "loud"
    with pytest.raises(ValueError, match="loud"):
        LogLevel.lookupByName("loud")


def test_text() -> None:
    assert repr(LogLevel.info) == str(LogLevel.info) == "<LogLevel=info>"
    assert repr(PredicateResult.maybe) == "<PredicateResult=maybe>"


def test_there_is_one_of_each() -> None:
    for level in LogLevel.iterconstants():
        assert pickle.loads(pickle.dumps(level)) is level
        assert copy.deepcopy(level) is level
    assert len({LogLevel.info: 1, LogLevel.warn: 2}) == 2


def test_dir_tells_what_there_is() -> None:
    assert {"info", "levelWithName", "iterconstants"} <= set(dir(LogLevel))
