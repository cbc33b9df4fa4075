"""Nothing in the project tells of the machine that it was made on."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from house.tree import ROOT

FORBIDDEN = {
    "a path of somebody's machine": r"/(?:wo[r]k|fa[r]m|ro[o]t|ho[m]e/\w+)/",
    "a package registry's host": r"\b(?:pypi\.[o]rg|index\.c[r]ates\.io|static\.c[r]ates\.io|proxy\.g[o]lang\.org)\b",
    "work put off without an issue": r"\b(?:FI[X]ME|X[X]X|HA[C]K)\b",
}


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Return the names of the files that git keeps, lock files aside."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if not name.endswith(".lock") and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_traces(tracked: list[str], what: str) -> None:
    found = []
    for name in tracked:
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {line.strip()}" for line in text.splitlines() if re.search(FORBIDDEN[what], line)]
    assert found == []


def test_nothing_built_is_tracked(tracked: list[str]) -> None:
    assert [name for name in tracked if re.search(r"\.(?:so|pyd|dylib|whl|pyc|o|a)$|^target/", name)] == []
