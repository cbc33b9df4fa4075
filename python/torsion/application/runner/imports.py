"""What a module imports, and what it does when it is run, read from its source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["copied", "imported", "statements"]


def imported(source: str | bytes, module: ModuleType) -> set[str]:
    """Return the names that may be modules among what a module imports while it is loaded; none if it has a syntax error.

    What its functions import is not looked at: that happens later, when all is rebuilt.
    """
    names: set[str] = set()
    for node in _imports(source):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        else:
            origin = _origin(node, module)
            names.update([origin, *(f"{origin}.{alias.name}" for alias in node.names)])
    return names


def copied(source: str | bytes, module: ModuleType, origin: str) -> tuple[dict[str, str], bool]:
    """Return what a module takes from another with ``from ... import``, while it is loaded.

    :param module: whose source it is.
    :param origin: the full name of the other.
    :returns: the names there by the names here; and whether it takes all (``*``).
    """
    names: dict[str, str] = {}
    for node in _imports(source):
        if isinstance(node, ast.ImportFrom) and _origin(node, module) == origin:
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
    return names, names.pop("*", None) is not None


def _imports(source: str | bytes) -> Iterator[ast.Import | ast.ImportFrom]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _origin(node: ast.ImportFrom, module: ModuleType) -> str:
    """Return the full name of the module after ``from``."""
    if not node.level:
        return node.module or ""
    package = module.__name__ if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base


def statements(source: str | bytes) -> str | None:
    """Return what a module does when it is run, but for imports and the functions and classes that it defines.

    :returns: a text that is equal if that is equal, whatever the layout and the comments; None if the source has a syntax error.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    passed = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return "\n".join(ast.dump(each) for each in tree.body if not isinstance(each, passed))
