"""Equality and text of objects, by attributes that their class names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar


class FancyEqMixin:
    """Has objects be equal if their classes are related and the attributes named in :attr:`compareAttributes` are equal.

    Where none is named, only an object itself is equal to it.
    """

    compareAttributes: ClassVar[Sequence[str]] = ()

    def __eq__(self, other: object) -> bool:
        if not self.compareAttributes:
            return self is other
        if isinstance(self, other.__class__):
            return all(getattr(self, name) == getattr(other, name) for name in self.compareAttributes)
        # An instance of a subclass says it itself; anything unrelated, too.
        return NotImplemented

    def __hash__(self) -> int:
        return (
            hash(tuple(getattr(self, name) for name in self.compareAttributes)) if self.compareAttributes else id(self)
        )


class FancyStrMixin:
    """Has objects be shown as ``<Name attribute=value ...>``.

    :cvar showAttributes: of each attribute its name; or its name and a function that makes text of the value; or its name, the
        name that is shown, and a format (with ``%``).
    :cvar fancybasename: what is shown first, if not the class's name.
    """

    showAttributes: ClassVar[Sequence[str | tuple[str, Callable[[object], str]] | tuple[str, str, str]]] = ()

    def __str__(self) -> str:
        parts = [getattr(self, "fancybasename", None) or self.__class__.__name__]
        for each in self.showAttributes:
            if isinstance(each, str):
                parts.append(f"{each}={getattr(self, each)!r}")
            elif len(each) == 2:
                parts.append(f"{each[0]}={each[1](getattr(self, each[0]))}")
            else:
                parts.append(f"{each[1]}={each[2] % (getattr(self, each[0]),)}")
        return f"<{' '.join(parts)}>"

    __repr__ = __str__
