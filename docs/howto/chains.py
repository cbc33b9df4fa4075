"""Draws `chains.svg`, the picture of what happens during a callback: `chains.py` writes it, `chains.py --check` says whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

PICTURE = Path(__file__).with_suffix(".svg")

WIDTH, ROW, TOP = 760, 96, 96
LEFT, RIGHT, BOX, HIGH = 90, 470, 200, 44
GREEN, RED, GREY = "#2e7d4f", "#c0392b", "#999"

# What is added, and for each what stands in the chain of callbacks and in the chain of errbacks; None passes the result on.
PAIRS = [
    ("addCallback(parse)", "parse(text)", None),
    ("addErrback(use_default)", None, "use_default(failure)"),
    ("addCallbacks(show, explain)", "show(number)", "explain(failure)"),
    ("addBoth(hang_up)", "hang_up(result)", "hang_up(result)"),
]

STYLE = (
    "text{font:13px sans-serif;fill:#222}.code{font:12px monospace;text-anchor:middle}.head{font-weight:bold;text-anchor:middle}"
    ".pass{fill:#999}.how{fill:#666;font-size:12px;text-anchor:middle}"
)


def marker(name: str, colour: str) -> str:
    """Return the tip of arrows of a colour."""
    return (
        f'<marker id="{name}" markerWidth="9" markerHeight="9" refX="8" refY="4" orient="auto">'
        f'<path d="M0,0 L9,4 L0,8 z" fill="{colour}"/></marker>'
    )


def arrow(x: int, y: int, to_x: int, to_y: int, colour: str) -> str:
    """Return an arrow."""
    tip = "good" if colour == GREEN else "bad"
    return (
        f'<path d="M{x},{y} L{to_x},{to_y}" stroke="{colour}" stroke-width="1.6" fill="none" marker-end="url(#{tip})"/>'
    )


def box(x: int, y: int, code: str | None, colour: str) -> str:
    """Return a function in its chain, or a gap in it."""
    words, kind, dashes = (code, "code", "") if code else ("passed on", "code pass", ' stroke-dasharray="4 3"')
    edge = colour if code else GREY
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="6" fill="white" stroke="{edge}" stroke-width="1.4"{dashes}/>'
        f'<text class="{kind}" x="{x + BOX // 2}" y="{y + HIGH // 2 + 4}">{words}</text>'
    )


def picture() -> str:
    """Return the picture, in SVG."""
    height = TOP + ROW * len(PAIRS) + 70
    good, bad = LEFT + BOX // 2, RIGHT + BOX // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The two chains of a Deferred</title>",
        f"<style>{STYLE}</style>",
        f"<defs>{marker('good', GREEN)}{marker('bad', RED)}</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text class="head" x="{good}" y="24">callbacks</text><text class="head" x="{bad}" y="24">errbacks</text>',
        f'<text class="code" x="{good}" y="48">d.callback(text)</text><text class="code" x="{bad}" y="48">d.errback(failure)</text>',
        arrow(good, 56, good, TOP, GREEN),
        arrow(bad, 56, bad, TOP, RED),
    ]
    for number, (how, callback, errback) in enumerate(PAIRS):
        y = TOP + number * ROW
        below = y + ROW
        parts += [
            f'<text class="how" x="{WIDTH // 2}" y="{y + HIGH // 2 - 6}">{how.split("(")[0]}</text>',
            box(LEFT, y, callback, GREEN),
            box(RIGHT, y, errback, RED),
            arrow(good, y + HIGH, good, below, GREEN),
            arrow(bad, y + HIGH, bad, below, RED),
        ]
        if callback:  # it may raise
            parts.append(arrow(good + 60, y + HIGH, bad - 60, below, RED))
        if errback:  # it may return something
            parts.append(arrow(bad - 60, y + HIGH, good + 60, below, GREEN))
    end = TOP + ROW * len(PAIRS)
    parts += [
        f'<text class="how" x="{good}" y="{end + 18}">d holds a result</text>',
        f'<text class="how" x="{bad}" y="{end + 18}">d holds a failure: it is logged when d goes</text>',
        f'<path d="M{LEFT},{end + 42} h34" stroke="{GREEN}" stroke-width="1.6"/>',
        f'<text x="{LEFT + 42}" y="{end + 46}">returned a value</text>',
        f'<path d="M{RIGHT},{end + 42} h34" stroke="{RED}" stroke-width="1.6"/>',
        f'<text x="{RIGHT + 42}" y="{end + 46}">raised, or returned a Failure</text>',
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def main() -> None:
    """Write the picture, or check it."""
    if "--check" not in sys.argv:
        PICTURE.write_text(picture(), encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != picture():
        sys.exit("chains.svg is not what chains.py draws: run python docs/howto/chains.py")


if __name__ == "__main__":
    main()
