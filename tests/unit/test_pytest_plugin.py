"""The plugin for pytest, in pytests of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent / "testing" / "samples" / "plugged.py"


def run(folder: Path, *options: str, sample: str | None = None, code: str | None = None) -> tuple[int, str]:
    """Run pytest with the plugin on a sample."""
    path = folder / "test_sample.py"
    if sample is None:
        shutil.copy(SAMPLE, path)
    else:
        path.write_text(sample, encoding="utf-8")
    start = ["-m", "pytest"] if code is None else ["-c", code]
    done = subprocess.run(
        [sys.executable, *start, "-p", "torsion.pytest_plugin", "-v", "-p", "no:cacheprovider", *options, str(path)],
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(told: str) -> dict[str, str]:
    """Return how each test ended; an error at its end counts as that."""
    return dict(re.findall(r"::(\w+(?:\[\d\])?) (PASSED|FAILED|ERROR)", told))


@pytest.mark.parametrize("flavour", [None, "memory", "hosted-asyncio"])
def test_tests_run_and_leave_nothing_behind(tmp_path: Path, flavour: str | None) -> None:
    options = [] if flavour is None else [f"--torsion-reactor={flavour}"]
    code, told = run(tmp_path, *options)
    words = outcomes(told)
    assert code == 1, told
    assert {
        name for name, word in words.items() if ("good" in name or name == "test_plain") and word != "PASSED"
    } == set(), told
    assert {name for name, word in words.items() if "bad" in name and word == "PASSED"} == set(), told
    assert len(words) == 15
    assert "delayed call: " in told
    assert re.search(r'File ".*test_sample.py", line \d+, in test_bad_virtual_port', told)
    assert "unhandled error: ValueError: nobody looks" in told
    assert re.search(r'File ".*test_sample.py", line \d+, in test_bad_call', told)
    assert "was still running after 0.05 seconds" in told
    assert "Captured stderr" in told, "where the unhandled error is told as it is logged"
    assert not re.search(r'(C|I):  File "[^"]*/(_?pytest|pluggy)/', told)
    [picture] = (tmp_path / ".torsion" / "failures").glob("*.svg")
    assert "here it is" in picture.read_text(encoding="utf-8")


def test_a_reactor_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, told = run(tmp_path, "--torsion-reactor=nonsense")
    assert code == 4
    assert "--torsion-reactor=nonsense" in told


COROUTINE = """
from torsion.internet.defer import succeed
async def test_it():
    assert await succeed(3) == 3
"""


def test_coroutines_without_a_mark_are_ours_in_mode_auto(tmp_path: Path) -> None:
    assert run(tmp_path, "-o", "torsion_mode=auto", sample=COROUTINE)[0] == 0
    assert run(tmp_path, sample=COROUTINE)[0] == 1
    code, told = run(tmp_path, "-o", "torsion_mode=quick", sample=COROUTINE)
    assert code == 4
    assert "strict or auto" in told


def test_nothing_is_imported_until_it_is_needed(tmp_path: Path) -> None:
    """And nothing is changed: an ordinary test is run as without the plugin."""
    code = "import sys, pytest; code = pytest.main(sys.argv[1:]); print(sorted(m for m in sys.modules if m.startswith('torsion'))); sys.exit(code)"
    ended, told = run(tmp_path, sample="def test_it(): pass", code=code)
    assert ended == 0
    assert "['torsion', 'torsion.pytest_plugin']" in told


MISTAKEN = """
import pytest

@pytest.mark.torsion(tmeout=1)
async def test_misspelt(): pass

@pytest.mark.torsion(5)
async def test_place(): pass

@pytest.mark.torsion(timeout="x")
async def test_text(): pass

@pytest.mark.torsion(timeout=-1)
async def test_negative(): pass

@pytest.mark.torsion(tmeout=1)
class TestOuter:
    @pytest.mark.torsion(timeout=5)
    async def test_of_the_class(self): pass

@pytest.mark.torsion(timeout=None)
async def test_good(): pass
"""


def test_a_mark_that_is_wrong_is_refused(tmp_path: Path) -> None:
    code, told = run(tmp_path, sample=MISTAKEN)
    assert code == 1
    words = outcomes(told)
    assert words.pop("test_good") == "PASSED", told
    assert list(words.values()) == ["ERROR"] * 5, told
    assert told.count("the mark torsion does not know tmeout; its arguments are: timeout") >= 2
    assert "the mark torsion does not know 5; its arguments are: timeout" in told
    assert "timeout is a number of seconds, more than 0, not 'x'" in told
    assert "timeout is a number of seconds, more than 0, not -1" in told


@pytest.mark.parametrize("given", ["soon", "0", "nan", "inf"])
def test_a_timeout_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    code, told = run(tmp_path, "-o", f"torsion_timeout={given}", sample=COROUTINE)
    assert code == 4
    assert f"torsion_timeout is a number of seconds, more than 0, not '{given}'" in told


NEIGHBOURS = """
import asyncio
import pytest
from torsion.internet.task import deferLater

@pytest.mark.asyncio
async def test_asyncio():
    await asyncio.sleep(0)

@pytest.mark.anyio
async def test_anyio():
    import anyio
    await anyio.sleep(0)

async def test_ours(torsion_reactor):
    await deferLater(torsion_reactor, 0.001, lambda: None)

@pytest.mark.torsion
async def test_marked():
    from torsion.internet import reactor
    await deferLater(reactor, 0.001, lambda: None)
"""


@pytest.mark.parametrize("mode", [[], ["-o", "asyncio_mode=auto"], ["-o", "torsion_mode=auto"]])
def test_it_lives_beside_others(tmp_path: Path, mode: list[str]) -> None:
    pytest.importorskip("pytest_asyncio", reason="it is not installed")
    pytest.importorskip("anyio", reason="it is not installed")
    code, told = run(tmp_path, "-p", "pytest_asyncio.plugin", "-p", "anyio", "-k", "not trio", *mode, sample=NEIGHBOURS)
    assert code == 0, told


BESIDE_TWISTED = """
import pytest
import pytest_twisted
from torsion.internet.task import deferLater
from twisted.internet import reactor
from twisted.internet.task import deferLater as deferred_by_twisted

@pytest_twisted.inlineCallbacks
def test_yields():
    assert (yield deferred_by_twisted(reactor, 0.001, lambda: 3)) == 3

@pytest_twisted.ensureDeferred
async def test_twisted():
    assert await deferred_by_twisted(reactor, 0.001, lambda: 3) == 3

@pytest_twisted.async_yield_fixture
async def three():
    yield await deferred_by_twisted(reactor, 0.001, lambda: 3)

def test_fixture(three):
    assert three == 3

async def test_ours(torsion_reactor):
    await deferLater(torsion_reactor, 0.001, lambda: None)

@pytest.mark.torsion
async def test_marked():
    from torsion.internet import reactor
    await deferLater(reactor, 0.001, lambda: None)

@pytest_twisted.ensureDeferred
async def test_twisted_again():
    assert await deferred_by_twisted(reactor, 0.001, lambda: 4) == 4
"""


@pytest.mark.interop
@pytest.mark.parametrize("mode", [[], ["-o", "torsion_mode=auto"]])
def test_it_lives_beside_pytest_twisted(tmp_path: Path, mode: list[str]) -> None:
    pytest.importorskip("pytest_twisted", reason="needs pytest-twisted, of the dependency group 'interop'")
    code, told = run(tmp_path, "-p", "pytest_twisted", *mode, sample=BESIDE_TWISTED)
    assert code == 0, told
    assert set(outcomes(told).values()) == {"PASSED"}
    assert len(outcomes(told)) == 6
