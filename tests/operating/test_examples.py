"""The examples of plugins: a project that pip installs into an environment of its own, and a folder on ``sys.path``."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import torsion
from house.tree import ROOT
from operating.command import COMMAND, Command

EXAMPLES = ROOT / "examples"
TORSION = Path(torsion.__file__).parents[1]


def call(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment that has what this one has, and the project besides; the project's folder, and its Python."""
    pytest.importorskip("pip", reason="this environment was made without pip, which is what installs the example")
    folder = tmp_path_factory.mktemp("plugin")
    project = folder / "project"
    shutil.copytree(EXAMPLES / "plugin-project", project)
    venv.create(folder / "venv", symlinks=os.name != "nt")
    python = str(folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    shown = call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder)
    others = [path for path in (*site.getsitepackages(), str(TORSION)) if os.path.isdir(path)]
    with open(os.path.join(shown.strip(), "others.pth"), "w", encoding="utf-8") as file:
        file.write("".join(f"import site; site.addsitedir({path!r})\n" for path in others))
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
    call(*pip, "install", "--no-index", "--no-deps", "--no-build-isolation", str(project), cwd=folder)
    return project, python


def test_the_project_adds_a_sub_command(environment):
    project, python = environment
    command = [python, "-m", "torsion"]
    assert "Tell everybody who connects the time." in call(*command, "--help", cwd=project.parent)
    where = "tcp:0:interface=127.0.0.1"
    with Command("daytime", "--utc", "--listen", where, command=command, cwd=project.parent) as server:
        number = int(server.wait_for(r"starting on (\d+)$")[1])
        with server.connect(number) as connection, connection.makefile() as lines:
            assert lines.read().endswith(" UTC\n")
        assert server.end() == 0


def test_nowhere_else(environment):
    assert "daytime" not in call(*COMMAND, "--help", cwd=environment[0].parent)


def test_the_projects_own_tests_pass(environment):
    project, python = environment
    said = call(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", cwd=project)
    assert "5 passed" in said


def test_a_folder_adds_a_sub_command():
    environment = {"PYTHONPATH": os.pathsep.join([str(EXAMPLES / "drop-in"), str(TORSION)])}
    with Command("greet", "--listen", "tcp:0:interface=127.0.0.1", env=environment) as server:
        number = int(server.wait_for(r"starting on (\d+)$")[1])
        with server.connect(number) as connection, connection.makefile() as lines:
            assert lines.read() == "hello\n"
        assert server.end() == 0
