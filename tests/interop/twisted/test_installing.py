"""How Twisted's programs get torsion's reactor, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]


def python(script: str, *arguments: str) -> str:
    """Run *script* in a new interpreter; return what it says."""
    run = subprocess.run(
        [sys.executable, *(["-c", script] if script else []), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_installing_it_makes_it_twisteds_reactor() -> None:
    said = python(
        "import torsion.interop.twisted as it; made = it.install()\n"
        "from twisted.internet import reactor\n"
        "print(reactor is made, type(reactor).__name__)"
    )
    assert said == "True TorsionReactor\n"


def test_it_refuses_to_be_installed_second() -> None:
    said = python(
        "from twisted.internet import reactor\n"
        "import torsion.interop.twisted as it\n"
        "from twisted.internet.error import ReactorAlreadyInstalledError\n"
        "try:\n    it.install()\nexcept ReactorAlreadyInstalledError:\n    print('refused')"
    )
    assert said == "refused\n"


def test_importing_it_installs_nothing() -> None:
    said = python("import sys, torsion.interop.twisted; print('twisted.internet.reactor' in sys.modules)")
    assert said == "False\n"


def test_twisted_lists_it_without_loading_it() -> None:
    said = python(
        "import sys\nfrom twisted.application.reactors import getReactorTypes\n"
        "print([each.moduleName for each in getReactorTypes() if each.shortName == 'torsion'])\n"
        "print([name for name in sys.modules if name.startswith('torsion.')])"
    )
    assert said == "['torsion.interop.twisted']\n[]\n"


def test_trial_runs_on_it(tmp_path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(
        "from twisted.internet import reactor, task\nfrom twisted.trial.unittest import TestCase\n"
        "class It(TestCase):\n    def test_it(self):\n        assert type(reactor).__name__ == 'TorsionReactor'\n"
        "        return task.deferLater(reactor, 0, lambda: None)\n"
    )
    said = python("", "-m", "twisted.trial", "--reactor=torsion", "--temp-directory", str(tmp_path / "t"), str(test))
    assert "PASSED (successes=1)" in said


def test_a_child_installs_it_by_the_name_of_the_modules_class() -> None:
    said = python(
        "import torsion.interop.twisted as it\nfrom twisted.python.reflect import namedAny\n"
        "namedAny(it.TorsionReactor.__module__).install()\n"
        "from twisted.internet import reactor\nprint(type(reactor).__name__)"
    )
    assert said == "TorsionReactor\n"
