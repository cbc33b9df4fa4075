"""What to do about names of Twisted's that torsion lacks."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

__all__ = ["moved", "replacement"]

_TABLE = Path(__file__).with_name("replacements.toml")


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def moved(module: str) -> str | None:
    """Return in which module of torsion's the names of *module* are, if that is called otherwise."""
    return _table()["moves"].get(module)


def replacement(name: str) -> str:
    """Return what to use instead of *name*, or why it is not there.

    :param name: with its modules, such as ``twisted.internet.wxreactor.install``.
    """
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        if advice := _table()["replacements"].get(".".join(parts[:length])):
            return advice
    if any(part.startswith("_") for part in parts):
        return "private to Twisted: use what its documentation names"
    return "torsion does not have it"
