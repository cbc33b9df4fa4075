"""What the command says to whoever called it."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

__all__ = ["complain", "stderr"]


def stderr() -> Any:
    """Return standard error: the real one where ``sys.stderr`` has been made a part of the log; None if there is none."""
    from torsion.logger import LoggingFile

    return sys.__stderr__ if isinstance(sys.stderr, LoggingFile) else sys.stderr


def complain(text: str, program: str = "torsion") -> None:
    """Write a line to standard error, whether or not somebody still reads it.

    :param text: what is wrong, and what to do about it.
    :param program: who says so.
    """
    stream = stderr()
    if stream is None:
        return
    line = f"{program}: {text}".rstrip("\n") + "\n"
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with suppress(OSError, ValueError):  # ValueError: it is closed
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
