"""What is shown of a value: as Python shows it, but never without end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

__all__ = ["DEPTH_SHOWN", "ITEMS_SHOWN", "TEXT_SHOWN", "show"]

ITEMS_SHOWN = 1_000
"""How many items of containers are shown of one value, in all: some screens full."""

TEXT_SHOWN = 20_000
"""How many characters are shown of one object, or of one text: likewise."""

DEPTH_SHOWN = 20
"""How deep containers in containers are shown; nobody can follow more."""

_BRACKETS: dict[type, tuple[str, str, str]] = {  # with what an empty one is shown as
    list: ("[", "]", "[]"),
    tuple: ("(", ")", "()"),
    set: ("{", "}", "set()"),
    frozenset: ("frozenset({", "})", "frozenset()"),
    dict: ("{", "}", "{}"),
}


class _Bounded:
    """Shows one value, and counts the items of the containers in it."""

    def __init__(self) -> None:
        self._left = ITEMS_SHOWN
        self._open: list[int] = []

    def text(self, value: Any) -> str:
        """Return what is shown of *value*."""
        kind = type(value)  # a subclass may have a repr of its own
        if kind in _BRACKETS:
            return self._container(value, *_BRACKETS[kind])
        if kind is str:
            return _beginning(value, "characters")
        if kind is bytes or kind is bytearray:
            return _beginning(value, "bytes")
        try:
            return _cut(repr(value))
        except Exception as problem:  # noqa: BLE001 - of a class of anybody's
            if kind is int:  # too many digits to be converted in reasonable time; see sys.set_int_max_str_digits
                return f"<int of {value.bit_length()} bits>"
            return f"<{kind.__qualname__} object at {id(value):#x}, whose repr raised {type(problem).__qualname__}>"

    def _container(self, value: Any, begin: str, end: str, empty: str) -> str:
        if not value:
            return empty
        if id(value) in self._open or len(self._open) >= DEPTH_SHOWN:
            return f"{begin}...{end}"
        self._open.append(id(value))
        try:
            items = self._pairs(value) if type(value) is dict else self._items(value)
        finally:
            self._open.pop()
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"{begin}{', '.join(items)}{comma}{end}"

    def _items(self, value: Iterable[Any]) -> list[str]:
        shown: list[str] = []
        for item in islice(value, ITEMS_SHOWN + 1):
            if self._left <= 0:
                return [*shown, "..."]
            self._left -= 1
            shown.append(self.text(item))
        return shown

    def _pairs(self, value: dict[Any, Any]) -> list[str]:
        shown: list[str] = []
        for key, item in islice(value.items(), ITEMS_SHOWN + 1):
            if self._left <= 0:
                return [*shown, "..."]
            self._left -= 1
            shown.append(f"{self.text(key)}: {self.text(item)}")
        return shown


def _beginning(value: Any, what: str) -> str:
    if len(value) <= TEXT_SHOWN:
        return repr(value)
    return f"{value[:TEXT_SHOWN]!r}... ({len(value)} {what})"


def _cut(text: str) -> str:
    if len(text) <= TEXT_SHOWN:
        return text
    return f"{text[:TEXT_SHOWN]}... ({len(text)} characters)"


def show(value: Any) -> str:
    """Return what to show of *value*: its ``repr``, cut where that is long.

    Of what is cut, ``print`` shows more.  Neither does it raise where the value's own ``repr`` does.
    """
    text = _Bounded().text(value)
    return text if len(text) <= 2 * TEXT_SHOWN else _cut(text)
