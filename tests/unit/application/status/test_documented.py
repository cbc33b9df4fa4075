"""The page of documentation names all that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import is_typeddict

import pytest

from torsion.application.runner.slow import Slow
from torsion.application.runner.status import Status
from torsion.application.status import shape
from torsion.application.status.merge import merge
from torsion.application.status.metrics import metrics
from torsion.application.status.requests import MAX_FIELDS, MAX_HEAD, MAX_TARGET
from torsion.application.status.site import PATHS
from unit.application.status.sample import sample

PAGE = Path(__file__).parents[4] / "docs" / "status.md"

if not PAGE.exists():
    pytest.skip("the documentation is not there", allow_module_level=True)

TEXT = PAGE.read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([\w./-]+)`", TEXT))


def test_the_figures():
    for name in shape.__all__:
        kind = getattr(shape, name)
        if is_typeddict(kind):
            assert kind.__annotations__.keys() <= NAMES, name


def test_the_metrics():
    text = metrics(merge([sample("0")], master=sample()))
    told = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert told == {each for each in NAMES if each.startswith(("torsion_", "process_", "python_"))}


def test_the_paths_and_options():
    assert set(PATHS) <= NAMES
    for option in [*Status.optParameters, *Slow.optParameters]:
        assert f"--{option[0]}" in TEXT


def test_the_limits():
    assert (MAX_TARGET, MAX_HEAD, MAX_FIELDS) == (2 * 1024, 16 * 1024, 100)
    assert "2 KiB of target, 16 KiB in all, 100 fields" in TEXT
