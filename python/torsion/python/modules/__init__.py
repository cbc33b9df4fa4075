"""Modules and packages that could be imported, found and described without importing them.

Start in ``_path.py``.
"""

from types import FunctionType

from ._attributes import PythonAttribute
from ._files import OPTIMIZED_MODE, PYTHON_EXTENSIONS
from ._objects import PathEntry, PythonModule
from ._path import IPathImportMapper, PythonPath, getModule, iterModules, theSystemPath, walkModules

__all__ = [
    "OPTIMIZED_MODE",
    "PYTHON_EXTENSIONS",
    "IPathImportMapper",
    "PathEntry",
    "PythonAttribute",
    "PythonModule",
    "PythonPath",
    "getModule",
    "iterModules",
    "theSystemPath",
    "walkModules",
]

# They are to be imported from here, so that is where they say they live: in tracebacks, logs and pickles.
for _name in __all__:
    if isinstance(globals()[_name], type | FunctionType) and globals()[_name].__module__.startswith(__name__):
        globals()[_name].__module__ = __name__
del _name
