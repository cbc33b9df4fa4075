"""The reactor inside asyncio's, Tk's, Qt's and GLib's loops, each in a process of its own: see scenes.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from torsion.internet.reactors.flavours import FLAVOURS

WHY_NOT = """
import sys
from torsion.internet.reactors.flavours import FLAVOURS
print(FLAVOURS[sys.argv[1]].why_not() or "")
"""
KINDS = ["asyncio", "gtk", "qt", "tk"]
HERE = Path(__file__).parent
SCENES = [
    "serves_and_can_be_run_again",
    "does_nothing_while_there_is_nothing_to_do",
    "calls_made_outside_turns_are_served_at_once",
    "threads_and_signals_wake_it",
    "part_of_a_loop_that_somebody_else_runs",
    "stops_when_the_loop_ends_by_itself",
    "crashes",
    "turns_within_turns",
]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no descriptor that another loop could watch"
)


@pytest.fixture(scope="module")
def display() -> Iterator[str | None]:
    """A display for windows that nobody looks at, if there is none."""
    server = shutil.which("Xvfb")
    if os.environ.get("DISPLAY") or server is None:
        yield os.environ.get("DISPLAY")
        return
    reading, writing = os.pipe()
    with subprocess.Popen(
        [server, "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    ) as process:
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        yield f":{number}" if number else None
        process.terminate()


def search_path(kind: str) -> str:
    """Return a search path for modules that has PyGObject on it, if a system's package of it is for this very Python."""
    path = os.environ.get("PYTHONPATH", "")
    python = shutil.which("python3", path=os.defpath)
    if kind != "gtk" or find_spec("gi") is not None or python is None:
        return path
    code = "import sys, os, gi; print(*sys.version_info[:2], os.path.dirname(os.path.dirname(gi.__file__)))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    major, minor, folder = (*done.stdout.strip().split(" ", 2), "", "", "")[:3]
    if (major, minor) != tuple(map(str, sys.version_info[:2])):
        return path
    return os.pathsep.join(filter(None, (path, folder)))


@pytest.fixture(scope="module", params=KINDS)
def outcomes(display: str | None, request: pytest.FixtureRequest) -> dict[str, str]:
    """What a kind of loop made of each scene."""
    kind: str = request.param
    environment = os.environ | {"PYTHONPATH": search_path(kind), "QT_QPA_PLATFORM": "offscreen"}
    if display is not None:
        environment["DISPLAY"] = display

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=50
        )

    why_not = run("-c", WHY_NOT, f"hosted-{kind}").stdout.strip()
    if why_not:
        pytest.skip(why_not)
    done = run(str(HERE / "scenes.py"), kind)
    outcomes = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    return outcomes | {"end": f"status {done.returncode}: {done.stderr}"}


@pytest.mark.parametrize("scene", SCENES)
def test_scene(outcomes: dict[str, str], scene: str) -> None:
    assert outcomes.get(scene, outcomes["end"]).replace("\\n", "\n") == "ok"


def test_every_scene_is_looked_at() -> None:
    from ast import ClassDef, FunctionDef, parse

    tree = parse((HERE / "scenes.py").read_text())
    scene = next(node for node in tree.body if isinstance(node, ClassDef) and node.name == "Scene")
    names = [node.name for node in scene.body if isinstance(node, FunctionDef)]
    assert [name for name in names if name not in {"__init__", "turns", "close"}] == SCENES


def test_every_hosted_flavour_is_tried() -> None:
    assert {name.removeprefix("hosted-") for name in FLAVOURS if name.startswith("hosted-")} == set(KINDS)
