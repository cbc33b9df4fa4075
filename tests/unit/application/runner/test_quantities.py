"""Numbers that options take."""

from __future__ import annotations

import pytest

from torsion.application.runner.quantities import LONGEST, seconds, whole
from torsion.scripts.command import Command


@pytest.mark.parametrize(("text", "number"), [("0", 0.0), ("2.5", 2.5), (7, 7.0), ("1e9", LONGEST)])
def test_seconds(text, number):
    assert seconds()(text) == number


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1", "-0.001", "1e10"])
def test_what_is_no_number_of_seconds(text):
    with pytest.raises(ValueError, match=r"^it takes a number of seconds, at least 0$"):
        seconds()(text)


def test_limits_of_seconds():
    taken = seconds(0.1, 3600.0)
    assert (taken("0.1"), taken("3600")) == (0.1, 3600.0)
    for text in "0.09", "3601", "many":
        with pytest.raises(ValueError, match=r"^it takes a number of seconds, between 0\.1 and 3600$"):
            taken(text)


@pytest.mark.parametrize("text", ["0", "9", "-1", "1.5", "x", ""])
def test_limits_of_whole_numbers(text):
    taken = whole(1, 8, ", or auto")
    assert (taken("1"), taken("8")) == (1, 8)
    with pytest.raises(ValueError, match=r"^it takes a number between 1 and 8, or auto$"):
        taken(text)


def test_the_commands_options_say_everything_once():
    for text in Command().docs.values():
        assert "seconds" not in text.partition("[default")[2]
        assert ". A number of seconds" not in text
