"""Tracebacks that begin where the operator's own code does."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from torsion.application.manhole.showing import TEXT_SHOWN

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["report"]

_FOLDER = str(Path(__file__).parent) + os.sep

# Whose frames come first: the prompt's own, and those of what drives coroutines for it.
_OURS = (__name__.rpartition(".")[0] + ".", "torsion.internet.defer.", "torsion.python.failure")


def _first_foreign(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and str(frames.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        frames = frames.tb_next
    return frames


def report(problem: BaseException, frames: bool = True) -> str:
    """Return the traceback of *problem* as Python prints it, from the first line that is not the prompt's own.

    It has a bounded length; what is left out is in the middle, and said.  An exception that cannot be printed is named.

    :param frames: false leaves out where it was raised, which means nothing where source was compiled.
    """
    try:
        if frames:
            whole = traceback.TracebackException(
                type(problem), problem, _first_foreign(problem.__traceback__), compact=True
            )
            while whole.stack and whole.stack[-1].filename.startswith(_FOLDER):  # where Ctrl-C was raised, say
                whole.stack.pop()
            lines = list(whole.format() if whole.stack else whole.format_exception_only())
        else:
            lines = traceback.format_exception_only(type(problem), problem)
        text = "".join(lines)
    except Exception as other:  # noqa: BLE001 - an exception's own __str__ or __notes__ may do anything
        return f"{type(problem).__qualname__}, which cannot be printed: {type(other).__qualname__}\n"
    if len(text) > TEXT_SHOWN:
        half = TEXT_SHOWN // 2
        text = f"{text[:half]}\n... ({len(text) - 2 * half} characters) ...\n{text[-half:]}"
    return text
