"""A screen as lines, drawn by rich."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.scripts.top.view import Cell, Screen, Section

__all__ = ["draw"]

_STYLES = {
    "": "",
    "strong": "bold",
    "soft": "dim",
    "good": "bold green",
    "warn": "yellow",
    "bad": "bold red",
    "accent": "cyan",
    "bar": "reverse",
}


def draw(screen: Screen, width: int, *, colours: bool) -> list[str]:
    """Return the lines of a screen, each of *width* places at most."""
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        no_color=not colours,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for cells in screen.head:
            _line(console, cells)
        for section in screen.sections:
            console.print()
            _line(console, section.title)
            console.print(_table(section))
        for cells in screen.foot:
            _line(console, cells)
    return captured.get().split("\n")[:-1]


def _line(console: Console, cells: Sequence[Cell]) -> None:
    text = Text()
    for cell in cells:
        text.append(cell.text, _STYLES[cell.style])  # as text: what is in brackets is no markup here
    console.print(text, no_wrap=True, overflow="ellipsis", crop=True)


def _table(section: Section) -> Table:
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in section.columns:
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if column.shrinks else None,
            min_width=4 if column.shrinks else None,
        )
    for row in section.rows:
        table.add_row(*(Text(cell.text, _STYLES[cell.style], no_wrap=True, overflow="ellipsis") for cell in row))
    return table
