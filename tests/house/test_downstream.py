"""Each script for another project's tests has the two verbs, and what trial and pytest say at their end is understood."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from house.tree import ROOT, shown

HERE = ROOT / ".github" / "downstream.d"
SCRIPTS = sorted(HERE.glob("*.sh"))


@pytest.fixture(scope="module")
def compare():
    spec = importlib.util.spec_from_file_location("downstream_compare", HERE / "compare.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("script", SCRIPTS, ids=shown)
def test_each_script_has_both_verbs_and_a_reactor(script) -> None:
    text = script.read_text(encoding="utf-8")
    assert "install)" in text
    assert "run)" in text
    assert ("twisted.trial" in text and '--reactor="$REACTOR"' in text) or ("pytest" in text and "-rfE" in text)
    assert text.count("\n") <= 25
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_the_end_of_trial_is_understood(compare) -> None:
    said = (
        f"{'=' * 79}\n[SKIPPED]\nno network\n\na.test.test_x.Tests.test_skipped\n"
        f'{"=" * 79}\n[FAIL]\nTraceback (most recent call last):\n  File "x.py", line 1, in f\n'
        "twisted.trial.unittest.FailTest: not equal\n\na.test.test_x.Tests.test_one\na.test.test_x.Tests.test_two\n"
        f"{'=' * 79}\n[ERROR]\nbuiltins.ValueError: no\n\na.test.test_x.Tests.test_three\n{'-' * 79}\n"
        "Ran 9 tests in 0.1s\n\nFAILED (skips=1, failures=2, errors=1, successes=5)\n"
    )
    assert compare.outcome(said) == compare.Outcome(
        (("errors", 1), ("failures", 2), ("skips", 1), ("successes", 5)),
        frozenset(f"a.test.test_x.Tests.test_{word}" for word in ("one", "two", "three")),
    )
    assert compare.outcome("\nPASSED (successes=7)\n") == compare.Outcome((("successes", 7),), frozenset())


def test_the_end_of_pytest_is_understood(compare) -> None:
    said = (
        "FAILED tests/test_x.py::test_one - ValueError: no\nERROR tests/test_y.py - ImportError\n"
        "==== 1 failed, 20 passed, 3 skipped, 2 deselected, 9 warnings, 1 error in 75.10s (0:01:15) ====\n"
    )
    assert compare.outcome(said) == compare.Outcome(
        (("error", 1), ("failed", 1), ("passed", 20), ("skipped", 3)),
        frozenset({"tests/test_x.py::test_one", "tests/test_y.py"}),
    )
    assert compare.outcome("3 passed in 0.01s\n").counts == (("passed", 3),)


def test_what_is_known_to_differ_may(compare) -> None:
    epoll = compare.Outcome((("errors", 1), ("skips", 2), ("successes", 7)), frozenset({"a.b.c"}))
    ours = compare.Outcome((("errors", 2), ("skips", 2), ("successes", 6)), frozenset({"a.b.c", "a.b.d"}))
    assert not compare.equal(epoll, ours, frozenset())
    assert not compare.equal(epoll, ours, frozenset({"a.b.e"}))
    assert compare.equal(epoll, ours, frozenset({"a.b.d"}))
    assert compare.equal(epoll, epoll, frozenset({"a.b.d"}))
    fewer = compare.Outcome((("errors", 2), ("skips", 2), ("successes", 5)), ours.failed)
    assert not compare.equal(epoll, fewer, frozenset({"a.b.d"}))
    nothing = compare.Outcome((), frozenset())
    assert not compare.equal(nothing, nothing, frozenset())
    broken = compare.Outcome((("error", 3),), frozenset({"tests/test_x.py"}))
    assert not compare.equal(broken, broken, frozenset())


def test_a_run_that_says_nothing_is_no_success(compare) -> None:
    assert compare.outcome("Segmentation fault\n") == compare.Outcome((), frozenset())


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are bash's")
def test_a_run_leaves_nothing_behind(compare, tmp_path) -> None:
    script, held = tmp_path / "project.sh", tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    script.write_text('sleep 600 > held & echo "PASSED (successes=$REACTOR)"\n')
    assert compare.run(script, tmp_path, dict(os.environ), "3") == compare.Outcome((("successes", 3),), frozenset())
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "it is held no more"
    os.close(reader)


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are bash's")
def test_a_run_that_does_not_end_is_ended(compare, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compare, "PATIENCE", 0.1)
    script = tmp_path / "project.sh"
    script.write_text("echo started; sleep 600\n")
    assert compare.run(script, tmp_path, dict(os.environ), "epoll").counts == ()
    assert "not done after" in (tmp_path / "epoll.log").read_text()
