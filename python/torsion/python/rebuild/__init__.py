"""New code for a program that runs: ``rebuild(module)``.

Start in ``_modules.py``, which runs a module's source again; ``_functions.py``, ``_classes.py`` and ``_values.py`` have what there is
become what the source says, and ``_report.py`` keeps account, so that a failing rebuild can be undone.
"""

from ._instances import Sensitive, latestClass, latestFunction, updateInstance
from ._modules import RebuildError, last_rebuild, rebuild
from ._report import NotUpdated, Report

__all__ = [
    "NotUpdated",
    "RebuildError",
    "Report",
    "Sensitive",
    "lastRebuild",
    "latestClass",
    "latestFunction",
    "rebuild",
    "updateInstance",
]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _each in (NotUpdated, RebuildError, Report, Sensitive, latestClass, latestFunction, rebuild, updateInstance):
    _each.__module__ = __name__
del _each


def __getattr__(name: str) -> float:
    """Return :data:`lastRebuild`: when a module was rebuilt last, in seconds since the epoch."""
    if name == "lastRebuild":
        return last_rebuild()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
