"""Tracebacks that begin where the operator's own code does."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from torsion.application.manhole.showing import TEXT_SHOWN

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["report"]

_HERE = __name__.rpartition(".")[0]


def _first_foreign(frames: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of the prompt's own code, and of what drives coroutines for it, which come first."""
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(
        (_HERE, "torsion.internet.defer")
    ):
        frames = frames.tb_next
    return frames


def report(problem: BaseException) -> str:
    """Return the traceback of *problem* as Python prints it, from the first line that is not the prompt's own.

    It has a bounded length; what is left out is in the middle, and said.  An exception that cannot be printed is named.
    """
    try:
        if (
            isinstance(problem, SyntaxError)
            and problem.__traceback__ is not None
            and _first_foreign(problem.__traceback__) is None
        ):
            lines = traceback.format_exception_only(type(problem), problem)
        else:
            frames = _first_foreign(problem.__traceback__)
            lines = traceback.format_exception(type(problem), problem, frames, limit=None)
        text = "".join(lines)
    except Exception as other:  # noqa: BLE001 - an exception's own __str__ or __notes__ may do anything
        return f"{type(problem).__qualname__}, which cannot be printed: {type(other).__qualname__}\n"
    if len(text) > TEXT_SHOWN:
        half = TEXT_SHOWN // 2
        text = f"{text[:half]}\n... ({len(text) - 2 * half} characters) ...\n{text[-half:]}"
    return text
