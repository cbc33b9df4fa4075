"""What a type of endpoint description is to the one who reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torsion.internet.endpoints.arguments import Arguments
    from torsion.internet.endpoints.grammar import Part

__all__ = ["Kind"]


class Kind(NamedTuple):
    """A type of description: how to make an endpoint of its arguments, and their names.

    *order* are those that may stand without a name; of *others*, only the name tells.  With *skipping*, arguments that are
    given by name are left out of the order, so that ``tcp:host=HOST:PORT`` is understood.
    """

    make: Callable[[Any, Arguments], Any]
    order: tuple[str, ...]
    others: tuple[str, ...] = ()
    skipping: bool = False

    def arguments(self, parts: list[Part]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of arguments that may be without a name in these *parts*, and the others'."""
        if not self.skipping:
            return self.order, self.others
        named = {part.name for part in parts}
        order = tuple(name for name in self.order if name not in named)
        return order, (*(name for name in self.order if name in named), *self.others)
