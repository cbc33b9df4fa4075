"""The stub of the native module says what the binary has."""

from __future__ import annotations

import subprocess
import sys

import pytest

import torsion._native as border
from house.tree import ROOT


def test_stub_and_binary_agree() -> None:
    pytest.importorskip("mypy.stubtest", reason="mypy is in the dependency group 'types'")
    run = subprocess.run(
        [
            sys.executable, "-m", "mypy.stubtest", "torsion._native",
            "--mypy-config-file", "tests/house/stubtest.ini",
            "--allowlist", "tests/house/stubtest-allowlist.txt", "--ignore-unused-allowlist",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_border_is_listed() -> None:
    assert [name for name in border.__all__ if name.startswith("_") or not hasattr(border, name)] == []


def test_native_classes_say_where_they_are_to_be_found() -> None:
    classes = {name: each for name in border.__all__ if isinstance(each := getattr(border, name), type)}
    # A Deferred takes the place of the one in Python, also in logs and pickles.
    expected = dict.fromkeys(classes, "torsion._native") | {"Deferred": "torsion.internet.defer"}
    assert {name: each.__module__ for name, each in classes.items()} == expected
