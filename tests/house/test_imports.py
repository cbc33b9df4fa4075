"""What importing loads: little, and never a reactor that nobody asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from house.tree import is_public, module_name, sources

# Each costs every start of every program some milliseconds, and the library can do without it.
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "http",
    "multiprocessing",
    "pdb",
    "ssl",
    "tempfile",
    "unittest",
    "urllib",
    "xml",
}

LIBRARY = [
    name
    for name in map(module_name, sources())
    if is_public(name)
    and name not in {"torsion.__main__", "torsion.internet.reactor"}
    and not name.startswith(("torsion.scripts", "torsion.interop."))  # which are there to load another package
]


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a new interpreter has after *statement*, and had not before."""
    script = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_the_package_itself_loads_nothing() -> None:
    assert loaded_by("import torsion") == {"torsion"}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_installs_no_reactor(name: str) -> None:
    loaded = loaded_by(f"import {name}")
    assert "torsion.internet.reactor" not in loaded
    assert not {"asyncio", "twisted"} & loaded


def test_the_reactor_loads_nothing_heavy() -> None:
    assert HEAVY & loaded_by("from torsion.internet import reactor") == set()


def test_endpoints_load_what_most_programs_use() -> None:
    rare = {f"torsion.internet.endpoints.{name}" for name in ("adopted", "process", "ssl", "stdio", "tls")}
    rare |= {f"torsion.logger.{name}" for name in ("capture", "filter", "flatten", "json", "legacy_events", "stdlib")}
    assert rare & loaded_by("import torsion.internet.endpoints, torsion.logger") == set()


@pytest.mark.parametrize("package", ["torsion.logger", "torsion.internet.endpoints"])
def test_what_is_loaded_late_is_there_all_the_same(package: str) -> None:
    loaded_by(f"from {package} import *\nimport {package} as package\nfor name in package.__all__: eval(name)")
    loaded_by(f"import {package} as package\nassert not hasattr(package, 'nothing')")


def test_codecs_load_without_the_rest() -> None:
    loaded = loaded_by("import torsion.wire.framing")
    assert {
        name
        for name in loaded
        if name.startswith("torsion.") and not name.startswith(("torsion.wire", "torsion._native"))
    } == set()
    assert "zope.interface" not in loaded
