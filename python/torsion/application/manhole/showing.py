"""What is shown of a value: as Python shows it, but never without end."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = ["ITEMS_SHOWN", "TEXT_SHOWN", "show"]

ITEMS_SHOWN = 1_000
"""How many items of containers are shown of one value, in all: some screens full."""

TEXT_SHOWN = 20_000
"""How many characters are shown of one value, or of one text in it: likewise."""

_DEPTH = 20


class _Bounded(reprlib.Repr):
    """Python's own bounded ``repr``, with a bound for all of a value instead of one for each container in it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = ITEMS_SHOWN
        self.maxlevel = _DEPTH
        self.maxstring = self.maxother = self.maxlong = TEXT_SHOWN
        for kind in ("list", "tuple", "dict", "set", "frozenset", "deque", "array"):
            setattr(self, f"max{kind}", ITEMS_SHOWN)

    def repr1(self, x: Any, level: int) -> str:
        """Return what is shown of *x*, which is an item, or all."""
        if self.left <= 0:
            return "..."
        self.left -= 1
        kind = type(x)
        if kind is bytes or kind is bytearray:
            return self._of_bytes(x)
        if kind is int:
            return self._of_int(x)
        # By the type's name, as reprlib has it, a class of somebody else's called "list" would be taken for one.
        if kind in _CONTAINERS or kind is str:
            return super().repr1(x, level)
        return self.repr_instance(x, level)

    def repr_str(self, x: str, level: int) -> str:
        """Return what is shown of a text: its beginning, and how much there is."""
        if len(x) <= self.maxstring:
            return repr(x)
        return f"{x[: self.maxstring]!r}... ({len(x)} characters)"

    def _of_bytes(self, x: bytes | bytearray) -> str:
        if len(x) <= self.maxstring:
            return repr(x)
        return f"{x[: self.maxstring]!r}... ({len(x)} bytes)"

    def _of_int(self, x: int) -> str:
        try:
            return repr(x)
        except ValueError:  # too many digits to be converted in reasonable time; see sys.set_int_max_str_digits
            return f"<int of {x.bit_length()} bits>"

    def repr_instance(self, x: Any, level: int) -> str:
        """Return what *x* says of itself, or what became of asking it."""
        try:
            text = repr(x)
        except Exception as problem:  # noqa: BLE001 - of a class of anybody's
            return f"<{type(x).__qualname__} object at {id(x):#x}, whose repr raised {type(problem).__qualname__}>"
        return cut(text)


_CONTAINERS = (list, tuple, dict, set, frozenset)


def cut(text: str) -> str:
    """Return *text*, or its beginning and how much there is."""
    if len(text) <= TEXT_SHOWN:
        return text
    return f"{text[:TEXT_SHOWN]}... ({len(text)} characters)"


def show(value: Any) -> str:
    """Return what to show of *value*: its ``repr``, cut where that is long.

    Of what is cut, ``print`` shows more.  Neither does it raise where the value's own ``repr`` does.
    """
    return cut(_Bounded().repr(value))
