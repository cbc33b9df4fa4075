"""Figures as people read them: sizes, durations, counts, and a curve in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["brief", "clean", "count", "curve", "long", "size"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_BARS = " ▁▂▃▄▅▆▇█"


def count(number: float | None) -> str:
    """Return a count, in groups of three digits."""
    return "-" if number is None else f"{number:,.0f}".replace(",", " ")


def size(number: float | None) -> str:
    """Return a number of bytes, as a multiple of a power of 1024."""
    if number is None:
        return "-"
    unit = 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number /= 1024
        unit += 1
    digits = 0 if not unit or number >= 100 else 1
    return f"{number:.{digits}f} {_UNITS[unit]}"


def brief(seconds: float | None) -> str:
    """Return a duration that may be very short."""
    if seconds is None:
        return "-"
    short = abs(seconds)
    if short < 0.00095:
        return f"{seconds * 1e6:.0f} µs"
    if short < 0.0095:
        return f"{seconds * 1e3:.1f} ms"
    if short < 0.95:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s" if short < 9.95 else long(seconds)


def long(seconds: float | None) -> str:
    """Return a duration that may be very long."""
    if seconds is None:
        return "-"
    whole = int(abs(seconds))
    sign = "-" if seconds < 0 else ""
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{sign}{whole // 3600} h {whole % 3600 // 60} min"
    return f"{sign}{whole // 86400} d {whole % 86400 // 3600} h"


def curve(values: Sequence[float], width: int) -> tuple[str, float]:
    """Return values as a line of bars, the last ones to the right, and what the highest bar stands for."""
    if not values or width < 1:
        return "", 0.0
    share = max(1, -(-len(values) // width))  # of so many values each bar shows the highest
    rest = len(values) % share
    groups = [values[max(0, i - share) : i] for i in range(rest or share, len(values) + 1, share)]
    tops = [max(group) for group in groups][-width:]
    highest = max(*tops, 0.001)
    return "".join(_BARS[min(8, int(top / highest * 8 + 0.999))] for top in tops), highest


def clean(text: object) -> str:
    """Return *text* without anything that could play tricks on a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text))
