"""A file of Python that makes an application, run as a module, so that ``torsion.python.rebuild`` can run it again."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike
    from types import ModuleType

__all__ = ["NAME", "load"]

NAME = "__application__"
"""What the module is called: no file that is imported can be."""


def load(filename: str | PathLike[str]) -> ModuleType:
    """Run a file as the module :data:`NAME`.

    Nothing is written beside it, and it may have any ending. While it runs, and afterwards unless it raises, the module is among
    ``sys.modules``, so that what it defines can be pickled and its classes know where they are from.

    :param filename: the file.
    :returns: the module.
    :raise OSError: if the file cannot be read. What running it raises goes through.
    """
    path = str(filename)
    source = Path(path).read_bytes()
    loader = SourceFileLoader(NAME, path)
    spec = spec_from_file_location(NAME, path, loader=loader)
    assert spec is not None, "there is a loader"
    module = module_from_spec(spec)
    before = sys.modules.get(NAME)
    sys.modules[NAME] = module
    try:
        exec(loader.source_to_code(source, path), vars(module))  # noqa: S102 - this is what is asked for
    except BaseException:
        if before is None:
            del sys.modules[NAME]
        else:
            sys.modules[NAME] = before
        raise
    return module
