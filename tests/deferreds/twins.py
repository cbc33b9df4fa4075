"""Both twins of ``torsion.internet.defer`` in one process: the package is imported twice."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from contextlib import contextmanager
from functools import cache

PACKAGE = "torsion.internet.defer"
# What depends on the choice.  The rest of the package is shared: its exceptions are the same for both.
CHOOSING = [PACKAGE, *(f"{PACKAGE}.{name}" for name in ("_twins", "_make", "_inline", "_gather", "_sync", "_filelock"))]


@contextmanager
def _instead(modules):
    """Have *modules* stand in ``sys.modules``, by name, for those that are there; None stands for no module."""
    parent = importlib.import_module("torsion.internet")
    names = {*CHOOSING, *modules}
    before = {name: sys.modules.get(name) for name in names}
    try:
        for name in names:
            if (module := modules.get(name)) is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        if modules.get(PACKAGE) is not None:
            parent.defer = modules[PACKAGE]
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        parent.defer = before[PACKAGE]


@cache
def _modules(pure):
    importlib.import_module(PACKAGE)
    environment = os.environ.get("TORSION_PURE")
    os.environ["TORSION_PURE"] = "1" if pure else "0"
    try:
        with _instead({}):
            importlib.import_module(PACKAGE)
            return {name: sys.modules[name] for name in CHOOSING}
    finally:
        if environment is None:
            del os.environ["TORSION_PURE"]
        else:
            os.environ["TORSION_PURE"] = environment


def twin(*, pure):
    """Return the package as it is with ``TORSION_PURE=1``, or as it is without."""
    return _modules(pure)[PACKAGE]


def import_with(path, *, pure):
    """Return the module of tests in *path*, which finds the one twin or the other where it imports the package."""
    name = f"{path.stem}_{'pure' if pure else 'native'}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    with _instead(_modules(pure)):
        spec.loader.exec_module(module)
    return module


NATIVE = twin(pure=False)
PURE = twin(pure=True)
