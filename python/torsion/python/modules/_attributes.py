"""What is in a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._objects import PythonModule

_NOTHING: Any = object()


class PythonAttribute:
    """Something that a module, or something in it, has under a name.

    :ivar name: the dotted name.
    :ivar onObject: the :class:`PythonModule` or :class:`PythonAttribute` whose attribute it is.
    :ivar pythonValue: the object itself.
    """

    def __init__(self, name: str, onObject: PythonModule | PythonAttribute, loaded: bool, pythonValue: Any) -> None:
        """Stand for the attribute *name* of *onObject*."""
        self.name = name
        self.onObject = onObject
        self._loaded = loaded
        self.pythonValue = pythonValue

    def __repr__(self) -> str:
        return f"PythonAttribute<{self.name!r}>"

    def isLoaded(self) -> bool:
        """Return whether the object is there without anything being imported."""
        return self._loaded

    def load(self, default: Any = _NOTHING) -> Any:
        """Return the object."""
        return self.pythonValue

    def iterAttributes(self) -> Iterator[PythonAttribute]:
        """Give the attributes of the object."""
        return attributes_of(self, self.load())


def attributes_of(owner: PythonModule | PythonAttribute, value: Any) -> Iterator[PythonAttribute]:
    """Give the attributes of *value*, which *owner* stands for, in the order of their names."""
    for name in sorted(dir(value)):
        try:
            attribute = getattr(value, name)
        except Exception:  # noqa: BLE001, S112 - a property may raise anything; then there is nothing to show
            continue
        yield PythonAttribute(f"{owner.name}.{name}", owner, True, attribute)
