"""The floors of the Python package: the contracts of pyproject.toml hold, and nothing climbs past them unseen."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from house.tree import PACKAGE, ROOT, module_name, parsed, sources

# import-linter reads import statements; these modules load others by name, each for a reason that it states.
LOAD_BY_NAME = {
    "torsion.application.runner.preload": "what may be needed after a chroot is imported before it, whatever it is",
    "torsion.internet._current": "the one sanctioned way up: the default reactor, when nobody has installed another",
    "torsion.internet.reactors.flavours": "flavours of reactor are chosen by name, and only the chosen one is loaded",
    "torsion.plugin": "drop-in plugins are modules of others; and the package for them stands above all that they declare",
    "torsion.python.reflect": "namedAny and its kin load what their callers name",
}
# Old names of modules that have moved up; they are for users, and may look up since nothing of torsion looks at them.
OLD_NAMES = {"torsion.python.log", "torsion.python.syslog"}
# What belongs to the edges, and to no other module of the library.
FOREIGN = {"PySide6", "asyncio", "gi", "tkinter", "trio", "twisted", "uvloop"}
EDGES = {
    "torsion.internet.reactors.hosted.asyncio": {"asyncio"},
    "torsion.internet.reactors.hosted.gtk": {"gi"},
    "torsion.internet.reactors.hosted.qt": {"PySide6"},
    "torsion.internet.reactors.hosted.tk": {"tkinter"},
    "torsion.interop.asyncio.loop": {"asyncio"},
    "torsion.interop.asyncio.runner": {"asyncio"},
    "torsion.interop.twisted.connectors": {"twisted"},
    "torsion.interop.twisted.datagrams": {"twisted"},
    "torsion.interop.twisted.defer": {"twisted"},
    "torsion.interop.twisted.dialect": {"twisted"},
    "torsion.interop.twisted.failures": {"twisted"},
    "torsion.interop.twisted.hosting": {"twisted"},
    "torsion.interop.twisted.logcontext": {"twisted"},
    "torsion.interop.twisted.ports": {"twisted"},
    "torsion.interop.twisted.provides": {"twisted"},
    "torsion.interop.twisted.reactor": {"twisted"},
    "torsion.interop.twisted.streams": {"twisted"},
    "torsion.interop.twisted.tls": {"twisted"},
}


def test_the_contracts_hold() -> None:
    pytest.importorskip("importlinter", reason="import-linter is in the dependency group 'lint'")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 broken" in run.stdout


def loads_by_name(tree: ast.Module) -> bool:
    """Return whether code in *tree* asks importlib, or ``__import__``, for a module."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(name.name.split(".")[0] == "importlib" for name in names):
                return True
            case ast.ImportFrom(module="importlib", names=names) if any(name.name != "metadata" for name in names):
                return True
            case ast.Call(func=ast.Name(id="__import__")):
                return True
    return False


def test_only_listed_modules_load_others_by_name() -> None:
    found = {module_name(path) for path in sources() if loads_by_name(parsed(path))}
    assert found == set(LOAD_BY_NAME)


def imported(tree: ast.Module) -> set[str]:
    """Return the names of all modules that *tree* imports, and of all names that could be modules."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_but_the_edges_imports_a_foreign_loop() -> None:
    found = {module_name(path): {name.split(".")[0] for name in imported(parsed(path))} & FOREIGN for path in sources()}
    assert {name: foreign for name, foreign in found.items() if foreign} == EDGES


def test_nothing_uses_the_old_names() -> None:
    assert [module_name(path) for path in sources() if imported(parsed(path)) & OLD_NAMES] == []


def test_no_module_imports_its_own_facade() -> None:
    found = []
    for path in sources():
        name = module_name(path)
        if path.name == "__init__.py":
            continue
        facade = name.rpartition(".")[0]
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module == facade:
                siblings = {each.stem for each in path.parent.iterdir()}
                found += [
                    f"{name} takes {alias.name} from {facade}" for alias in node.names if alias.name not in siblings
                ]
    assert not found
