"""pytest's plugin, each time in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]

PLUGIN = "torsion.interop.twisted.pytest"
TEST = """\
from twisted.internet import reactor

def test_it():
    assert type(reactor).__name__ == "TorsionReactor"
"""

PYTEST_TWISTED = """\
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

@pytest_twisted.ensureDeferred
async def test_it():
    assert type(reactor).__name__ == "TorsionReactor"
    assert await deferLater(reactor, 0.001, lambda: 3) == 3
"""


def run(folder: Path, *arguments: str, **files: str) -> tuple[int, str]:
    """Run pytest in *folder*; return its exit status and what it says."""
    for name, text in ({"test_it.py": TEST} | {name.replace("__", "."): text for name, text in files.items()}).items():
        (folder / name).write_text(dedent(text))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments],
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # each test names those it is about
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout + done.stderr


def test_from_the_command_line_before_a_conftest_s_import(tmp_path) -> None:
    status, said = run(
        tmp_path, "-p", PLUGIN, conftest__py="from twisted.internet import reactor\n", pytest__ini="[pytest]\n"
    )
    assert status == 0, said
    assert "twisted reactor: torsion.interop.twisted.TorsionReactor" in said


def test_from_pytest_ini_and_before_pytest_twisted(tmp_path) -> None:
    pytest.importorskip("pytest_twisted", reason="needs pytest-twisted, of the dependency group 'interop'")
    status, said = run(
        tmp_path,
        test_it__py=PYTEST_TWISTED,
        pytest__ini=f"[pytest]\naddopts = -p {PLUGIN} -p pytest_twisted\n",
    )
    assert status == 0, said
    assert "1 passed" in said


def test_from_a_conftest(tmp_path) -> None:
    status, said = run(tmp_path, conftest__py=f"pytest_plugins = ['{PLUGIN}']\n", pytest__ini="[pytest]\n")
    assert status == 0, said


def test_another_reactor_that_is_there_already_is_named_and_so_is_who_has_it(tmp_path) -> None:
    status, said = run(
        tmp_path,
        "-p",
        "hasty",
        "-p",
        PLUGIN,
        hasty__py="from twisted.internet import reactor\n",
        pytest__ini="[pytest]\n",
    )
    assert status == 4, said
    assert "Reactor is twisted.internet.reactor already; the first to have it was hasty. Name this plugin" in said


def test_pytest_twisted_s_own_choice_is_refused(tmp_path) -> None:
    pytest.importorskip("pytest_twisted", reason="needs pytest-twisted, of the dependency group 'interop'")
    status, said = run(
        tmp_path,
        "-p",
        PLUGIN,
        "-p",
        "pytest_twisted",
        "--reactor=asyncio",
        pytest__ini="[pytest]\n",
    )
    assert status == 4, said
    assert f"--reactor=asyncio and -p {PLUGIN} each choose a reactor: take one of them away" in said
