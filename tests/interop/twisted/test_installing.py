"""How Twisted's programs get torsion's reactor, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

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


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("from twisted.internet import selectreactor; selectreactor.install()", r"twisted\.\S+\.SelectReactor"),
        ("import torsion.interop.twisted as it; it.install()", r"torsion\.interop\.twisted\.TorsionReactor"),
    ],
)
def test_it_refuses_to_be_installed_second(first: str, kind: str) -> None:
    said = python(
        f"{first}\n"
        "import torsion.interop.twisted as it\n"
        "from twisted.internet.error import ReactorAlreadyInstalledError\n"
        "try:\n    it.install()\nexcept ReactorAlreadyInstalledError as problem:\n    print(problem)"
    )
    assert re.fullmatch(
        rf"cannot install torsion's reactor: <{kind} object at \w+> is twisted\.internet\.reactor already; .*before anything imports that\n",
        said,
    )


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


# --- Twisted's own commands -------------------------------------------------------------------------------------------

COMMANDS = {
    "twistd": "import sys; from twisted.scripts.twistd import run; sys.argv[0] = 'twistd'; run()",
    "twist": "import sys; from twisted.application.twist._twist import Twist; sys.argv[0] = 'twist'; Twist.main()",
}


@pytest.fixture
def site(tmp_path) -> Path:
    """A folder to be served."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "page.txt").write_text("the page")
    (tmp_path / "site" / "telling.py").write_text(
        "from twisted.internet import reactor\nfrom twisted.web.resource import Resource\n"
        "class Reactor(Resource):\n    isLeaf = True\n"
        "    def render_GET(self, request):\n        return type(reactor).__name__.encode()\n"
    )
    return tmp_path / "site"


def web(*what: str) -> list[str]:
    return ["web", *what, "--listen", "tcp:0:interface=127.0.0.1"]


def fetched(log: str) -> str:
    """Return the page from the server that logs so."""
    port = re.search(r"starting on (\d+)", log)[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/page.txt", timeout=20) as page:
        return page.read().decode()


@pytest.mark.parametrize(
    ("command", "what", "page"),
    [
        ("twistd", "--path=.", "the page"),
        ("twist", "--path=.", "the page"),
        ("twist", "--class=telling.Reactor", "TorsionReactor"),
    ],
)
def test_it_serves_the_web(command, what, page, site) -> None:
    options = ["--reactor=torsion", *(["--nodaemon", "--pidfile="] if command == "twistd" else [])]
    with subprocess.Popen(
        [sys.executable, "-c", COMMANDS[command], *options, *web(what)],
        cwd=site,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            log = ""
            while "starting on" not in log:
                line = server.stdout.readline()
                assert line, log
                log += line
            assert fetched(log) == page
            if command == "twistd":
                assert "reactor class: torsion.interop.twisted.TorsionReactor" in log
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=20)
            assert server.returncode in (0, -signal.SIGTERM)
        finally:
            server.kill()


def test_it_goes_along_with_a_daemon(site, tmp_path) -> None:
    pid_file, log_file = tmp_path / "pid", tmp_path / "log"
    files = [f"--pidfile={pid_file}", f"--logfile={log_file}", f"--rundir={tmp_path}"]
    python(COMMANDS["twistd"], "--reactor=torsion", *files, *web(f"--path={site}"))
    pid = int(pid_file.read_text())
    try:
        assert wait_for(lambda: log_file.exists() and "starting on" in log_file.read_text()), "it does not listen"
        assert fetched(log_file.read_text()) == "the page"
    finally:
        os.kill(pid, signal.SIGTERM)
    assert wait_for(lambda: "Server Shut Down" in log_file.read_text()), "it does not end"


def wait_for(condition) -> bool:
    """Ask until *condition* holds: another process's doings can only be looked at."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if condition():
            return True
        os.sched_yield()
    return False


def test_to_list_reactors_loads_nothing_of_it() -> None:
    said = python(
        "import atexit, sys\n"
        "loaded = lambda: sorted({name for name in sys.modules if 'torsion' in name or 'internet.reactor' in name})\n"
        "atexit.register(lambda: print('loaded:', loaded()))\n"
        "from twisted.scripts.twistd import run\nsys.argv = ['twistd', '--help-reactors']\nrun()"
    )
    assert re.search(r"^\s+torsion\s+torsion's reactor", said, re.MULTILINE)
    assert said.endswith(
        "loaded: ['torsion', 'torsion.interop', 'torsion.interop.twisted', 'twisted.plugins.torsion_reactor']\n"
    )


WITHOUT_TWISTED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("twisted.") and not name.startswith("twisted.plugins"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def test_without_twisted_it_says_what_to_install_and_all_else_works() -> None:
    said = python(
        f"{WITHOUT_TWISTED}\n"
        "from torsion.internet import reactor, defer\n"
        "import torsion.interop\n"
        "from torsion.plugin import getPlugins\nfrom torsion.internet.reactors.choose import available\n"
        "assert 'native' in [name for name, *_ in available()]\n"
        "import torsion.interop.twisted\n"
        "try:\n    torsion.interop.twisted.install()\nexcept ImportError as problem:\n    print(problem)"
    )
    assert said == "torsion.interop.twisted needs Twisted: pip install torsion[twisted]\n"
