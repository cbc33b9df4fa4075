"""What the tests of log files share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="renames files that are open, or changes modes")


@pytest.fixture
def opened() -> Iterator[Callable[..., Any]]:
    """Yield a function that makes a log file, to be closed after the test."""
    found: list[Any] = []

    def make(kind: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(kind(*args, **kwargs))
        return found[-1]

    yield make
    for each in found:
        each.close()


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
