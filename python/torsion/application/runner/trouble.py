"""Why something did not start, told to whoever called the command: a line, after the traceback of the user's own code if that is to blame."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from torsion.application.runner.errors import StartError
from torsion.application.runner.terminal import complain, stderr

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["explain", "users"]

_OURS = f"{Path(__file__).parents[2]}{os.sep}"  # torsion's own folder
_TAPS = f"{_OURS}tap{os.sep}"  # are as others' plugins are
_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"  # Python's own


def explain(problem: BaseException, doing: str, program: str = "torsion") -> int:
    """Tell of *problem* on standard error, and return the exit status: 1, or what the error itself says.

    :param doing: what was being done, as in "make the service".
    :param program: who tells.
    """
    from torsion.internet.error import CannotListenError

    if isinstance(problem, StartError):
        complain(str(problem), program)
        return problem.status
    if isinstance(problem, CannotListenError):
        complain(f"cannot {doing}: {problem}", program)
        return 1
    import traceback

    trace = users(problem.__traceback__)
    if isinstance(problem, SyntaxError) and trace is problem.__traceback__:
        trace = None  # it tells of the place itself; nothing of the user's has been run
    shown = "".join(traceback.format_exception(type(problem), problem, trace))
    stream = stderr()
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        with suppress(OSError, ValueError):
            stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
    what = str(problem).partition("\n")[0]
    complain(f"cannot {doing}: {type(problem).__name__}{': ' if what else ''}{what}", program)
    return 1


def users(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins in somebody else's code; all of it if none of it is."""
    found = trace
    while found is not None and _ours(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return trace if found is None else found


def _ours(name: str) -> bool:
    if name.startswith(_OURS):
        return not name.startswith(_TAPS)
    return name.startswith("<frozen ") or (name.startswith(_LIBRARY) and "-packages" not in name)
