"""Test cases in the style of Twisted's, run by unittest and by pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent / "samples" / "cases.py"
BAD = {
    "test_fails": "'one' != 'two'",
    "test_takes_too_long": "was still running after 0.1 seconds",
    "test_leaves_a_call": "delayed call: ",
    "test_leaves_a_port": "port: <Port of ",
    "test_leaves_a_connection": "connection: <torsion.internet.protocol",
    "test_leaves_a_thread": "thread: <Thread(lingering",
    "test_leaves_an_error": "unhandled error: ValueError: nobody looks",
}
MADE = [
    "test_leaves_a_call",
    "test_leaves_a_port",
    "test_leaves_a_connection",
    "test_leaves_a_thread",
    "test_leaves_an_error",
]


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command, str(SAMPLE)],
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": ""},
        cwd=SAMPLE.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=["unittest", "pytest"])
def told(request: pytest.FixtureRequest) -> str:
    """What the runner says of the sample."""
    if request.param == "unittest":
        return run("-m", "unittest", "-v")
    return run("-m", "pytest", "-v", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(SAMPLE.parent))


def failed(told: str) -> set[str]:
    """Return the tests that did not pass."""
    by_unittest = re.findall(r"^(?:FAIL|ERROR): (\w+)", told, re.MULTILINE)
    return set(by_unittest) | set(re.findall(r"::(\w+) (?:FAILED|ERROR)", told))


def test_good_tests_pass_and_bad_ones_fail(told: str) -> None:
    assert failed(told) == set(BAD), told


def test_marks_are_heeded(told: str) -> None:
    assert "skipped=2" in told or "2 skipped" in told
    assert "expected failures=1" in told or "1 xfailed" in told


def test_it_is_said_why(told: str) -> None:
    assert [why for why in BAD.values() if why not in told] == []


def test_what_was_left_is_named_with_where_it_was_made(told: str) -> None:
    for name in MADE:
        assert re.search(rf'File ".*cases.py", line \d+, in {name}', told), name
