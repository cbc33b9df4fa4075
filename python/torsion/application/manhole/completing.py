"""Names that may stand where one has begun to type."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAMES_OFFERED", "complete"]

NAMES_OFFERED = 300
"""How many names are offered at most; nobody reads more."""

_PATH = re.compile(r"(\w+(?:\.\w+)*)\.(\w*)\Z")
_NAME = re.compile(r"\w*\Z")

_MISSING = object()


def complete(text: str, namespace: Mapping[str, Any]) -> list[str]:
    """Return what *text* may become, sorted.

    Attributes on the way to the last dot are read, as Python would do; the last one's value is not.

    :param text: a name, or names with dots between them, of which the last one may be incomplete or empty.
    :param namespace: the names at hand.
    :returns: such texts, at most :data:`NAMES_OFFERED`; none if nothing fits.
    """
    if (found := _PATH.match(text)) is not None:
        path, begun = found.groups()
        owner = _value(path.split("."), namespace)
        names = [] if owner is _MISSING else [f"{path}.{name}" for name in _fitting(_attributes(owner), begun)]
    elif _NAME.match(text):
        names = _fitting({*namespace, *vars(builtins), *keyword.kwlist}, text)
    else:
        names = []
    return names[:NAMES_OFFERED]


def _fitting(names: set[str], begun: str) -> list[str]:
    """Return those of *names* that begin so; names with an underscore in front only if that was typed."""
    fitting = [name for name in names if isinstance(name, str) and name.startswith(begun) and name.isprintable()]
    if not begun.startswith("_"):
        fitting = [name for name in fitting if not name.startswith("_")]
    return sorted(fitting)


def _attributes(owner: Any) -> set[str]:
    try:
        return set(dir(owner))
    except Exception:  # noqa: BLE001 - of a class of anybody's
        return set()


def _value(path: list[str], namespace: Mapping[str, Any]) -> Any:
    value = namespace.get(path[0], _MISSING)
    if value is _MISSING:
        value = vars(builtins).get(path[0], _MISSING)
    for name in path[1:]:
        if value is _MISSING:
            break
        try:
            value = getattr(value, name)
        except Exception:  # noqa: BLE001 - likewise
            value = _MISSING
    return value
