"""Numbers that options take: what an option's text becomes, and what is said of one that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST", "seconds", "whole"]

LONGEST = 1e9
"""Seconds, some thirty years: more is a slip of the finger."""


def seconds(least: float = 0.0, most: float = LONGEST) -> Callable[[str | float], float]:
    """Return a function for an option that takes a number of seconds; it raises :class:`ValueError` for what is none.

    :param least: the fewest.
    :param most: the most.
    """

    def taken(text: str | float) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not least <= number <= most:  # nor is one that is no number (NaN)
            limits = f"at least {least:g}" if most == LONGEST else f"between {least:g} and {most:g}"
            raise ValueError(f"it takes a number of seconds, {limits}")
        return number

    return taken


def whole(least: int, most: int, otherwise: str = "") -> Callable[[str], int]:
    """Return a function for an option that takes a whole number; it raises :class:`ValueError` for what is none.

    :param least: the least.
    :param most: the greatest.
    :param otherwise: what else the option takes, as its error is to say.
    """

    def taken(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"it takes a number between {least} and {most}{otherwise}")
        return number

    return taken
