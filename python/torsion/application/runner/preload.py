"""Importing what a run may need later, while it can still be read: after a chroot there are no modules any more."""

from __future__ import annotations

import importlib
import pkgutil
from contextlib import suppress

__all__ = ["preload"]

_PACKAGES = ("torsion.logger", "torsion.python", "torsion.internet", "torsion.application", "torsion.protocols")

# What the standard library's and torsion's own code import when something happens for the first time.
_OTHERS = (
    "concurrent.futures",
    "difflib",
    "encodings.idna",
    "encodings.latin_1",
    "inspect",
    "linecache",
    "signal",
    "traceback",
)


def preload() -> None:
    """Import torsion's modules, but for those that are there to install a reactor, and those that lack something here."""
    for name in _OTHERS:
        importlib.import_module(name)
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None):
            if not module.name.endswith("reactor") and ".hosted" not in module.name:
                with suppress(ImportError, AttributeError):  # an extra that is not installed, another system's
                    importlib.import_module(module.name)
