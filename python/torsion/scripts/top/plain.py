"""A screen as lines, with ANSI's sequences (ECMA-48) or without."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.scripts.top.view import Cell, Column, Screen, Section

__all__ = ["clip", "draw", "width_of"]

_STYLES = {
    "strong": "1",
    "soft": "2",
    "good": "32",
    "warn": "33",
    "bad": "1;31",
    "accent": "36",
    "head": "4",
    "bar": "7",
}
_LEAST = 6
"""How far a column shrinks at most, in letters."""


def width_of(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_places, text))


def _places(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def clip(text: str, width: int) -> str:
    """Return *text*, or its beginning and three dots in one place, in *width* places at most."""
    if width_of(text) <= width:
        return text
    kept = ""
    room = width - 1
    for letter in text:
        room -= _places(letter)
        if room < 0:
            break
        kept += letter
    return f"{kept}…" if width > 0 else ""


def draw(screen: Screen, width: int, *, colours: bool) -> list[str]:
    """Return the lines of a screen, each of *width* places at most."""
    lines = [_line(cells, width, colours) for cells in screen.head]
    for section in screen.sections:
        lines += ["", _line(section.title, width, colours), *_table(section, width, colours)]
    return lines + [_line(cells, width, colours) for cells in screen.foot]


def _line(cells: Sequence[Cell], width: int, colours: bool) -> str:
    line = ""
    for cell in cells:
        text = clip(cell.text, width)
        width -= width_of(text)
        line += _styled(text, cell.style, colours)
        if text != cell.text:
            break
    return line if colours else line.rstrip()


def _styled(text: str, style: str, colours: bool) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colours and style and text else text


def _table(section: Section, width: int, colours: bool) -> list[str]:
    widths = _widths(section, width)
    lines = [_row([(column.title, "soft") for column in section.columns], section.columns, widths, colours)]
    lines += [_row([(cell.text, cell.style) for cell in row], section.columns, widths, colours) for row in section.rows]
    return lines


def _row(cells: Sequence[tuple[str, str]], columns: Sequence[Column], widths: Sequence[int], colours: bool) -> str:
    parts = []
    for (text, style), column, width in zip(cells, columns, widths, strict=True):
        if width <= 0:
            continue
        shown = clip(text, width)
        gap = " " * (width - width_of(shown))
        styled = _styled(shown, style, colours)
        parts.append(gap + styled if column.right else styled + gap)
    return "  ".join(parts) if colours else "  ".join(parts).rstrip()


def _widths(section: Section, width: int) -> list[int]:
    """Return the columns' widths: as wide as they are, while there is room; then those shrink that do, and the last are left away."""
    widths = [
        max([width_of(column.title), *(width_of(row[i].text) for row in section.rows)])
        for i, column in enumerate(section.columns)
    ]
    room = width - 2 * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(
            (i for i, column in enumerate(section.columns) if column.shrinks), key=widths.__getitem__, default=None
        )
        if widest is None or widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    while sum(widths) > room and any(widths):
        last = max(i for i, each in enumerate(widths) if each)
        room += 2
        widths[last] = 0
    return widths
