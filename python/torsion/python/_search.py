"""Finding the way from one object to another: what keeps it alive, and where.

Their public names are in :mod:`torsion.python.reflect`.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["findInstances", "isLike", "isOfType", "isSame", "modgrep", "objgrep"]


def isSame(a: object, b: object) -> bool:
    """Return whether *a* is *b*."""
    return a is b


def isLike(a: object, b: object) -> bool:
    """Return whether *a* equals *b*."""
    return bool(a == b)


def isOfType(start: object, goal: Any) -> bool:
    """Return whether *start* is of the type *goal* and of no subtype."""
    return type(start) is goal


def modgrep(goal: Any) -> list[str]:
    """Return the ways from ``sys.modules`` to *goal*."""
    return objgrep(sys.modules, goal, isLike, "sys.modules")


def findInstances(start: Any, t: type) -> list[str]:
    """Return the ways from *start* to objects of the type *t*."""
    return objgrep(start, t, isOfType)


def objgrep(
    start: Any,
    goal: Any,
    eq: Callable[[Any, Any], Any] = isLike,
    path: str = "",
    paths: list[str] | None = None,
    seen: dict[int, Any] | None = None,
    showUnknowns: bool | int = 0,
    maxDepth: int | None = None,
) -> list[str]:
    """Return the ways from *start* to *goal*, as Python to be written after *start*: ``".x['key'][2]"``.

    Each object is entered once, by the first way that leads to it; a key of a dictionary is shown in braces, with its value.

    :param eq: says whether an object, its first argument, is the *goal*, its second.
    :param path: what the ways begin with.
    :param paths: a list that the ways are added to.
    :param seen: objects by their ``id`` that are not to be entered; those that are entered are added.
    :param showUnknowns: whether to write about objects that are not entered, to standard output.
    :param maxDepth: how many steps a way may have.
    """
    found = [] if paths is None else paths
    known = {} if seen is None else seen
    # Depth first, without recursion: what refers to what can be as deep as memory allows.
    pending: list[Iterator[tuple[Any, str]]] = [iter([(start, path)])]
    while pending:
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            continue
        value, way = step
        if eq(value, goal):
            found.append(way)
        if id(value) in known or (maxDepth is not None and len(pending) > maxDepth):
            continue
        known[id(value)] = value
        pending.append(_steps(value, way, bool(showUnknowns)))
    return found


def _steps(value: Any, way: str, show: bool) -> Iterator[tuple[Any, str]]:
    if isinstance(value, dict):
        for key, each in list(value.items()):
            yield key, f"{way}{{{each!r}}}"
            yield each, f"{way}[{key!r}]"
    elif isinstance(value, list | tuple | deque):
        for index, each in enumerate(list(value)):
            yield each, f"{way}[{index}]"
    elif isinstance(value, MethodType):
        yield value.__self__, way + ".__self__"
        yield value.__func__, way + ".__func__"
        yield type(value.__self__), way + ".__self__.__class__"
    elif isinstance(value, weakref.ref):
        yield value(), way + "()"
    elif isinstance(value, FunctionType | ModuleType | str | bytes | int | float | complex | type | None):
        return
    elif hasattr(value, "__dict__"):
        for name, each in list(vars(value).items()):
            yield each, f"{way}.{name}"
        yield type(value), way + ".__class__"
    elif show:
        sys.stdout.write(f"unknown type {type(value)} {value!r}\n")
