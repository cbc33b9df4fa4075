"""Which files and directories are modules."""

from __future__ import annotations

from typing import Any

OPTIMIZED_MODE = __doc__ is None
"""Whether Python was started with ``-OO``."""
PYTHON_EXTENSIONS = [".py", ".pyc"]
"""What files of modules end with, the one that is preferred first."""


def rank(path: Any) -> int:
    """Return where *path* comes in order, so that of several files of one module the preferred one is first."""
    extension = path.splitext()[1]
    return PYTHON_EXTENSIONS.index(extension) if extension in PYTHON_EXTENSIONS else -1


def module_in(path: Any) -> tuple[str | None, Any]:
    """Return the name of the module that *path* is the file or the directory of, and its file."""
    base: str = path.basename()
    extension = path.splitext()[1]
    if extension in PYTHON_EXTENSIONS:
        name = base[: -len(extension)]
        return (name, path) if name.isidentifier() and name != "__init__" and path.isfile() else (None, None)
    if base.isidentifier() and path.isdir():
        for each in PYTHON_EXTENSIONS:
            init = path.child("__init__" + each)
            if init.exists():
                return base, init
    return None, None
