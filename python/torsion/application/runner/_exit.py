"""Ending the process with a status that says why; see sysexits(3)."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import NoReturn

__all__ = ["ExitStatus", "exit"]


class ExitStatus(IntEnum):
    """Why a program ends, as sysexits(3) numbers it, also on systems that do not have it."""

    EX_OK = getattr(os, "EX_OK", 0)
    EX_USAGE = getattr(os, "EX_USAGE", 64)
    EX_UNAVAILABLE = getattr(os, "EX_UNAVAILABLE", 69)
    EX_SOFTWARE = getattr(os, "EX_SOFTWARE", 70)
    EX_IOERR = getattr(os, "EX_IOERR", 74)
    EX_CONFIG = getattr(os, "EX_CONFIG", 78)


def exit(status: int = ExitStatus.EX_OK, message: str | None = None) -> NoReturn:
    """End the process, after a last line.

    :param status: its exit status.
    :param message: the line: for standard output if all is well, else for standard error.
    :raise SystemExit: with *status*.
    """
    if message:
        stream = sys.stdout if status == ExitStatus.EX_OK else sys.stderr
        stream.write(f"{message}\n")
        stream.flush()
    sys.exit(int(status))
