"""Where a project says that it depends on Twisted."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_about_requirements", "requirements"]

_NAMES = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "Pipfile",
    "environment.y*ml",
    "*requirements*.txt",
    "*requirements*.in",
    "*constraints*.txt",
)

# A requirement begins a line, a text in quotes, or the value of a setting.
_REQUIREMENT = re.compile(r"""(?:^|["'=]|^\s*-)\s*twisted\s*(?=$|[\[<>=!~;,"'@#])""", re.IGNORECASE)
_ENTRY_POINTS = re.compile(r"\btwisted\.plugins?\b")


def is_about_requirements(name: str) -> bool:
    """Tell whether a file of this name may say what a project depends on."""
    return any(fnmatch(name, pattern) for pattern in _NAMES)


def requirements(text: str) -> Iterator[tuple[str, int]]:
    """Yield the lines of such a file that depend on Twisted, or declare plugins for it, with their numbers."""
    for number, line in enumerate(text.splitlines(), 1):
        if _REQUIREMENT.search(line) or _ENTRY_POINTS.search(line):
            yield line.strip(), number
