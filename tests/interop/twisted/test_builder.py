"""Twisted's own tests of reactors: what passes on its epoll reactor passes on torsion's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "twisted.internet.epollreactor",
    reason="needs Twisted and epoll, of the dependency group 'interop'",
    exc_type=ImportError,
)
pytest.importorskip("hamcrest", reason="Twisted's tests need PyHamcrest, which `nox -s twisted` installs")

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]


def outcomes(reactor: str, folder: Path) -> dict[str, str]:
    """Return how each test ended on *reactor*, in a process of its own."""
    told = folder / "outcomes.json"
    folder.mkdir()
    command = [sys.executable, str(Path(__file__).with_name("builder.py")), reactor, str(told)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(told.read_text())
    return found


def test_what_passes_on_twisteds_epoll_reactor_passes_here(tmp_path) -> None:
    theirs = outcomes("twisted.internet.epollreactor.EPollReactor", tmp_path / "theirs")
    ours = outcomes("torsion.interop.twisted.TorsionReactor", tmp_path / "ours")
    passing = {test for test, outcome in theirs.items() if outcome == "passed"}
    assert len(passing) > 250  # else they were not found
    assert {test: ours.get(test) for test in passing if ours.get(test) != "passed"} == {}
