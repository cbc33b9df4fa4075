"""What the command says to whoever called it."""

from __future__ import annotations

import sys
from contextlib import suppress

__all__ = ["complain"]


def complain(text: str, program: str = "torsion") -> None:
    """Write a line to standard error: to the real one where it has been made a part of the log, and whether or not somebody still reads it.

    :param text: what is wrong, and what to do about it.
    :param program: who says so.
    """
    from torsion.logger import LoggingFile

    stream = sys.__stderr__ if isinstance(sys.stderr, LoggingFile) else sys.stderr
    if stream is None:
        return
    line = f"{program}: {text}".rstrip("\n") + "\n"
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with suppress(OSError, ValueError):  # ValueError: it is closed
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
