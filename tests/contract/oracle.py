"""Stock Twisted as an oracle: the same tests, with its classes in place of torsion's.

torsion has Twisted's names, so a test module is translated by reading ``twisted`` for ``torsion`` in its imports; so are
``harness`` and ``faultkit``.  The translation of ``contract.test_time`` is the module ``twisted_contract.test_time``.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

PACKAGE = "twisted_contract"
_HERE = Path(__file__).parent
_IMPORT = re.compile(r"^(\s*(?:from|import)\s+)(torsion|contract(?!\.flavours))\b", re.MULTILINE)
_NAMES = {"torsion": "twisted", "contract": PACKAGE}


class _Translator(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds and loads the translated modules."""

    def __init__(self, name: str = "", path: str = "") -> None:
        super().__init__(name, path)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != PACKAGE:
            return None
        source = _HERE / f"{name or '__init__'}.py"
        loader = _Translator(fullname, str(source))
        return importlib.machinery.ModuleSpec(fullname, loader, origin=str(source), is_package=not name)

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path)
        text = source.read_text(encoding="utf-8") if source.exists() else ""
        return compile(_IMPORT.sub(lambda found: found[1] + _NAMES[found[2]], text), self.path, "exec")

    def is_package(self, fullname: str) -> bool:
        return fullname == PACKAGE


sys.meta_path.append(_Translator())


def module(name: str) -> ModuleType:
    """Return the translation of the module *name* of ``contract`` or of torsion."""
    top, _, rest = name.partition(".")
    return importlib.import_module(f"{_NAMES[top]}.{rest}")


def translated(thing: Any) -> Any:
    """Return what Twisted has in place of *thing*, a class, an interface or a function of torsion; else *thing* itself."""
    name = getattr(thing, "__module__", None)
    if not isinstance(name, str) or name.split(".")[0] != "torsion":
        return thing
    own = thing.__name__
    while name:
        theirs = sys.modules.get(name.replace("torsion", "twisted", 1))
        if theirs is None:
            try:
                theirs = importlib.import_module(name.replace("torsion", "twisted", 1))
            except ImportError:
                theirs = None
        if hasattr(theirs, own):
            return getattr(theirs, own)
        name = name.rpartition(".")[0]  # torsion's façades show what Twisted keeps in one module
    return thing
