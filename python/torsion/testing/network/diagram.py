"""A trace as a picture: a lifeline for each host, time from above to below, an arrow for all that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torsion.internet.reactors.memory import Trace
    from torsion.internet.reactors.memory.trace import Event

__all__ = ["sequence_diagram"]

COLUMN = 320
"""How far hosts are apart, in pixels."""

ROW = 22
"""How far moments are apart; those between which nothing happens take no room."""

LEFT, TOP = 90, 50

COLOURS = {"data": "#1f5fa8", "end": "#7a4fa3", "reset": "#c0392b", "refuse": "#c0392b", "datagram": "#2e7d4f"}
"""What is neither of these is grey."""

STYLE = (
    "text{font:12px sans-serif;fill:#222}.time{fill:#777;text-anchor:end}.host{font-weight:bold;text-anchor:middle}"
    ".label{text-anchor:middle;font-size:11px;paint-order:stroke;stroke:white;stroke-width:3px}.fault{fill:#c0392b}.note{fill:#555;font-style:italic}"
)

TIP = (
    '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#444"/></marker></defs>'
)


def sequence_diagram(trace: Trace, hosts: Sequence[tuple[str, str]], last: int = 120) -> str:
    """Return a trace as an SVG document.

    :param trace: what happened.
    :param hosts: the addresses and the names of those who get a lifeline, from left to right.
    :param last: how many events to draw at most; of more, the last.
    """
    events = list(trace.events)[-last:]
    columns = {address: LEFT + 70 + index * COLUMN for index, (address, _) in enumerate(hosts)}
    moments = sorted({event.at for event in events} | {event.arrives for event in events if event.arrives is not None})
    # Events of one moment get a row each, so that their words do not lie upon each other.
    rows: dict[float, int] = {}
    places: list[int] = []
    row = 0
    by_moment: dict[float, list[int]] = {}
    for index, event in enumerate(events):
        by_moment.setdefault(event.at, []).append(index)
    taken = dict.fromkeys(range(len(events)), 0)
    for moment in moments:
        rows[moment] = row
        for offset, index in enumerate(by_moment.get(moment, ())):
            taken[index] = row + offset
        row += max(1, len(by_moment.get(moment, ())))
    places = [taken[index] for index in range(len(events))]
    width = LEFT + 140 + max(0, len(hosts) - 1) * COLUMN + 160
    height = TOP + (row + 1) * ROW + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
        TIP,
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for address, name in hosts:
        x = columns[address]
        parts.append(f'<text class="host" x="{x}" y="20">{escape(name)}</text>')
        parts.append(f'<text class="label" x="{x}" y="35">{escape(address)}</text>')
        parts.append(f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{height - 10}" stroke="#999"/>')
    for moment, place in rows.items():
        parts.append(f'<text class="time" x="{LEFT - 10}" y="{_y(place) + 4}">{moment:.6g} s</text>')
    for event, place in zip(events, places, strict=True):
        arrives = place if event.arrives is None else max(place, rows[event.arrives])
        parts += _drawn(event, columns, _y(place), _y(arrives))
    return "\n".join([*parts, "</svg>", ""])


def _y(row: int) -> int:
    return TOP + row * ROW + ROW // 2


def _drawn(event: Event, columns: dict[str, int], y: int, end: int) -> list[str]:
    """Return the parts of the picture that show *event*."""
    x = columns.get(event.source[0], LEFT)
    if event.target is None:
        return [f'<text class="{event.kind}" x="{x + 6}" y="{y + 4}">{escape(event.note)}</text>']
    words = _words(event)
    other = columns.get(event.target[0])
    if other is None or other == x:
        return [f'<text class="label" x="{x + 6}" y="{y + 4}" style="text-anchor:start">{escape(words)}</text>']
    colour = COLOURS.get(event.kind, "#666")
    if event.arrives is None:
        middle = (x + other) // 2
        line = f'<line x1="{x}" y1="{y}" x2="{middle}" y2="{y}" stroke="{colour}" stroke-dasharray="4 3"/>'
        cross = f'<text class="fault" x="{middle - 4}" y="{y + 5}">✕</text>'
        return [line, cross, _label(x, middle, y, y, words)]
    line = f'<line x1="{x}" y1="{y}" x2="{other}" y2="{end}" stroke="{colour}" marker-end="url(#tip)"/>'
    return [line, _label(x, other, y, end, words)]


def _label(x: int, other: int, y: int, end: int, words: str) -> str:
    """Return words that stand at the beginning of an arrow, where no other of the same moment is."""
    along = 0.3
    return f'<text class="label" x="{x + (other - x) * along:.0f}" y="{y + (end - y) * along - 3:.0f}">{escape(words)}</text>'


def _words(event: Event) -> str:
    words = event.kind
    if event.size:
        shown = repr(event.data[:18])[2:-1] + ("…" if event.size > 18 else "")
        words += f" {event.size} “{shown}”"
    return f"{words} ({event.note})" if event.note else words
