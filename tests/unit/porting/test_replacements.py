"""What is said of names that torsion lacks."""

from __future__ import annotations

import pytest

from torsion.porting import Available
from torsion.porting.replacements import _table, moved, replacement


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("twisted.internet.wxreactor", "torsion.internet.reactors.hosted"),
        ("twisted.internet.wxreactor.install", "torsion.internet.reactors.hosted"),
        ("twisted.trial.runner.TrialRunner", "pytest"),
        ("twisted.internet._sslverify.Anything", "torsion.internet.ssl"),
        ("twisted.internet._nought", "private to Twisted"),
        ("twisted.internet.defer._private", "private to Twisted"),
        ("twisted.internet.nought", "torsion does not have it"),
    ],
)
def test_the_nearest_entry_counts(name: str, advice: str) -> None:
    assert advice in replacement(name)


def test_modules_that_have_moved_are_where_the_table_says() -> None:
    available = Available()
    for old, new in _table()["moves"].items():
        assert available.module(new.split(".")[1:])
        assert moved(old) == new
    assert moved("twisted.internet.defer") is None


def test_every_entry_is_about_twisted_and_every_advice_a_line() -> None:
    for name, advice in _table()["replacements"].items():
        assert name.startswith("twisted.")
        assert advice.strip() == advice != ""
        assert "\n" not in advice
