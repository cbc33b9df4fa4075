"""What torsion has, read off its files: nothing is imported, so that no reactor is installed and nothing heavy is loaded."""

from __future__ import annotations

import ast
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from torsion.porting.source import Unportable, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["Available"]

_ANYTHING = frozenset({"*"})
"""The names of a module that cannot be read, or that is something else once it is imported."""

_REACTOR = ("internet", "reactor")  # whose names are the reactor's methods


class Available:
    """The modules of a package and their public names.  Names of modules are tuples, without the package's own."""

    def __init__(self, package: str = "torsion") -> None:
        """Look at a package.

        :param package: its name; it need not be importable.
        """
        self._package = package
        self._spec = cache(self._find)
        self._names = cache(self._read)

    def module(self, name: Sequence[str]) -> bool:
        """Tell whether there is such a module."""
        return self._spec(tuple(name)) is not None

    def has(self, module: Sequence[str], name: str) -> bool:
        """Tell whether *module*, which is there, has a public name or a module of that name in it."""
        if name.startswith("__") and name.endswith("__"):
            return name != "__version__"  # which is torsion's own, and tells nothing of what it can do
        names = self._names(tuple(module))
        if names is _ANYTHING or name in names or self._is_object(tuple(module)):
            return True
        return not name.startswith("_") and self.module((*module, name))

    def prefix(self, name: Sequence[str]) -> int:
        """Return how many of the first parts of *name* are a module."""
        return max((length for length in range(len(name) + 1) if self.module(name[:length])), default=0)

    def _is_object(self, name: tuple[str, ...]) -> bool:
        """Tell whether a package has an object in the place of its module *name*: ``from .tags import tags``."""
        return bool(name) and name[-1] in self._names(name[:-1]) and name[-1] in self._names(name)

    def _find(self, name: tuple[str, ...]) -> ModuleSpec | None:
        if not name:
            return find_spec(self._package)
        parent = self._spec(name[:-1])
        if parent is None or parent.submodule_search_locations is None:
            return None
        return PathFinder.find_spec(".".join((self._package, *name)), list(parent.submodule_search_locations))

    def _read(self, name: tuple[str, ...]) -> frozenset[str]:
        spec = self._spec(name)
        if name == _REACTOR or spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return _ANYTHING
        try:
            tree = parsed(Path(spec.origin).read_text(encoding="utf-8"))
        except (OSError, Unportable):
            return _ANYTHING
        listed: set[str] = set()
        bound: set[str] = set()
        lists: dict[str, frozenset[str]] = {}  # of other modules, by the names that they have here
        for node in _statements(tree.body):
            names = set(_bound_by(node))
            if isinstance(node, ast.ImportFrom) and node.module and node.names[0].name == "__all__":
                lists[node.names[0].asname or "__all__"] = self._names(tuple(node.module.split(".")[1:]))
            elif "__all__" in names:
                for each in ast.walk(node):
                    if isinstance(each, ast.Starred) and isinstance(each.value, ast.Name):
                        listed |= lists.get(each.value.id, frozenset())
                listed |= {
                    each.value
                    for each in ast.walk(node)
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
            elif names == {"*"} and isinstance(node, ast.ImportFrom) and node.module:
                bound |= self._names(tuple(node.module.split(".")[1:]))
            else:
                bound |= names
        return frozenset(listed or {each for each in bound if not each.startswith("_")})


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those within ``if`` and ``try`` as well."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try) and not _is_for_types_only(node, inner):
                yield from _statements(getattr(node, inner, ()))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _statements(handler.body)


def _is_for_types_only(node: ast.stmt, inner: str) -> bool:
    return (
        isinstance(node, ast.If)
        and inner == "body"
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _bound_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
