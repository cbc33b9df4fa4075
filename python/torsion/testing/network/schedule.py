"""A run's seed and everything that goes wrong in it, as text that can be typed."""

from __future__ import annotations

import ast
from dataclasses import MISSING, dataclass, fields
from typing import Any

from torsion.internet.reactors.memory import Conditions
from torsion.testing.network import faults as _faults
from torsion.testing.network.faults import Fault

__all__ = ["Schedule"]

_KINDS: dict[str, type[Fault | Conditions]] = {
    name: kind
    for name, kind in vars(_faults).items()
    if name in _faults.__all__ and isinstance(kind, type) and kind is not Fault
} | {"Conditions": Conditions}


@dataclass(frozen=True)
class Schedule:
    """What decides a simulated run.

    :ivar seed: what all that is random is drawn from.
    :ivar faults: what goes wrong.
    :ivar conditions: how well the network carries things at first; None for what the scenario says.
    """

    seed: int = 0
    faults: tuple[Fault, ...] = ()
    conditions: Conditions | None = None

    def __repr__(self) -> str:
        """Show it as Python, and without what goes without saying; :meth:`parse` reads it."""
        shown = "".join(f"{_shown(each)}, " for each in self.faults)
        shown = shown.rstrip() if len(self.faults) == 1 else shown.removesuffix(", ")
        last = "" if self.conditions is None else f", conditions={_shown(self.conditions)}"
        return f"Schedule(seed={self.seed}, faults=({shown}){last})"

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Return what :meth:`__repr__` has shown.

        :raises ValueError: if it is something else; nothing in it is run.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval").body
            made = _read(tree)
            if not isinstance(made, Schedule):
                raise TypeError(f"it is a {type(made).__name__}")
        except (SyntaxError, ValueError, TypeError, KeyError, AttributeError) as problem:
            raise ValueError(f"this is no schedule of faults: {text!r} ({problem})") from problem
        return made


def _shown(thing: Fault | Conditions) -> str:
    given = [
        f"{field.name}={getattr(thing, field.name)!r}"
        for field in fields(thing)
        if field.default is MISSING or getattr(thing, field.name) != field.default
    ]
    return f"{type(thing).__name__}({', '.join(given)})"


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        given = {str(each.arg): _read(each.value) for each in node.keywords}
        kind = Schedule if node.func.id == "Schedule" else _KINDS[node.func.id]
        return kind(**given)
    if isinstance(node, ast.Tuple):
        return tuple(map(_read, node.elts))
    return ast.literal_eval(node)
