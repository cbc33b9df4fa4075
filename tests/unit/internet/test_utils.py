"""Functions run without their warnings; what runs programs is tried in the contract."""

from __future__ import annotations

import warnings

import pytest

from torsion.internet.defer import Deferred
from torsion.internet.utils import runWithWarningsSuppressed, suppressWarnings

IGNORE = (("ignore", "foo.*"), {})


def test_only_what_matches_is_ignored():
    def work() -> str:
        warnings.warn("foo here", stacklevel=1)
        warnings.warn("bar here", stacklevel=1)
        return "done"

    with pytest.warns(UserWarning, match="bar") as caught:
        assert runWithWarningsSuppressed([IGNORE], work) == "done"
    assert len(caught) == 1


def test_until_the_deferred_fires():
    deferred: Deferred[int] = Deferred()
    before = list(warnings.filters)
    result = runWithWarningsSuppressed([IGNORE], lambda: deferred)
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("foo here", stacklevel=1)
    assert caught == []
    deferred.callback(3)
    assert result.result == 3
    assert list(warnings.filters) == before


def test_filters_are_as_before_when_it_raises():
    before = list(warnings.filters)

    def fail() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        runWithWarningsSuppressed([IGNORE], fail)
    assert list(warnings.filters) == before


def test_as_a_wrapper():
    @suppressWarnings
    def loud(x: int) -> int:
        return x

    assert loud(2) == 2

    def work(message: str) -> str:
        """Its words."""
        warnings.warn(message, stacklevel=1)
        return message

    quiet = suppressWarnings(work, IGNORE)
    assert quiet("foo") == "foo"
    assert quiet.__doc__ == "Its words."
    with pytest.warns(UserWarning, match="bar"):
        quiet("bar")
