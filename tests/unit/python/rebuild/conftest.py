"""Modules that are written, imported, written anew and rebuilt."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap

import pytest

from torsion.python.rebuild import rebuild

numbers = itertools.count()


class Live:
    """One module; attributes are the module's."""

    def __init__(self, folder, source):
        self.name = f"live_module_{next(numbers)}"
        self.path = folder / f"{self.name}.py"
        self.write(source)
        importlib.invalidate_caches()
        self.module = importlib.import_module(self.name)

    def write(self, source):
        self.path.write_text(textwrap.dedent(source), encoding="utf-8")

    def change(self, source):
        """Write the source anew, and rebuild."""
        self.write(source)
        return rebuild(self.module, doLog=False)

    def __getattr__(self, name):
        return getattr(self.module, name)


@pytest.fixture
def live(tmp_path, monkeypatch):
    """Return a function that makes a module of source."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield lambda source: Live(tmp_path, source)
    for name in set(sys.modules) - before:
        if name.startswith("live_module_"):
            del sys.modules[name]
