"""pytest's plugin, each time in a pytest of its own."""

from __future__ import annotations

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

# What matters here of pytest-twisted 1.14, which itself cannot be installed beside these tests: it would run in all of them.
PYTEST_TWISTED = """\
from types import SimpleNamespace

seen = SimpleNamespace(reactor=None)

def _install_reactor(reactor_installer, reactor_type):
    reactor_installer()
    from twisted.internet import reactor
    assert isinstance(reactor, reactor_type), f"expected {reactor_type} but found {type(reactor)}"
    seen.reactor = reactor

def init_default_reactor():
    from twisted.internet.epollreactor import EPollReactor
    _install_reactor(lambda: None, EPollReactor)

reactor_installers = {"default": init_default_reactor, "asyncio": init_default_reactor}

def pytest_addoption(parser):
    parser.addoption("--reactor", default="default", choices=tuple(reactor_installers))

def pytest_configure(config):
    reactor_installers[config.getoption("reactor")]()

def pytest_unconfigure():
    print("pytest-twisted runs", type(seen.reactor).__name__)
"""


def run(folder: Path, *arguments: str, **files: str) -> tuple[int, str]:
    """Run pytest in *folder*; return its exit status and what it says."""
    for name, text in ({"test_it.py": TEST} | {name.replace("__", "."): text for name, text in files.items()}).items():
        (folder / name).write_text(dedent(text))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=50)
    return done.returncode, done.stdout + done.stderr


def test_from_the_command_line_before_a_conftest_s_import(tmp_path) -> None:
    status, said = run(
        tmp_path, "-p", PLUGIN, conftest__py="from twisted.internet import reactor\n", pytest__ini="[pytest]\n"
    )
    assert status == 0, said
    assert "twisted reactor: torsion.interop.twisted.TorsionReactor" in said


def test_from_pytest_ini_and_before_pytest_twisted(tmp_path) -> None:
    status, said = run(
        tmp_path,
        pytest_twisted__py=PYTEST_TWISTED,
        pytest__ini=f"[pytest]\npythonpath = .\naddopts = -p {PLUGIN} -p pytest_twisted\n",
    )
    assert status == 0, said
    assert "pytest-twisted runs TorsionReactor" in said


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
    status, said = run(
        tmp_path,
        "-p",
        PLUGIN,
        "-p",
        "pytest_twisted",
        "--reactor=asyncio",
        pytest_twisted__py=PYTEST_TWISTED,
        pytest__ini="[pytest]\n",
    )
    assert status == 4, said
    assert f"--reactor=asyncio and -p {PLUGIN} each choose a reactor: take one of them away" in said
