"""Traces and pictures of runs that failed, as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torsion.testing.network.world import World

__all__ = ["ARTIFACTS", "write", "write_failure"]

ARTIFACTS = Path(".torsion") / "failures"
"""The folder into which traces and pictures of failures are written, from where the tests are run."""


def write(name: str, trace: str, picture: str, folder: Path | None = None) -> tuple[Path, Path]:
    """Write a trace and a picture; return where they are.

    :param name: what to call them.
    :param folder: where to put them; :data:`ARTIFACTS`, if it is not given.
    """
    folder = ARTIFACTS if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    base = re.sub(r"[^\w.-]+", "_", name)
    text, drawn = folder / f"{base}.trace.txt", folder / f"{base}.svg"
    text.write_text(trace, encoding="utf-8")
    drawn.write_text(picture, encoding="utf-8")
    return text, drawn


def write_failure(name: str, world: World, problem: BaseException, folder: Path | None = None) -> tuple[Path, Path]:
    """Write what happened in *world* until *problem* was raised; return where that is: the trace and the picture."""
    world.befalls(f"{type(problem).__name__}: {problem}")
    return write(name, f"{problem!r}\n\n{world.trace}\n", world.picture(), folder)
