"""Processes that are only known by a number, as a pid file has it: whether there is one, and whether it is the one that was meant."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["MOST", "SLACK_SECONDS", "began", "began_after", "exists"]

MOST = 2**31 - 1
"""The greatest number that a process can have: ``pid_t`` is an int everywhere."""

SLACK_SECONDS = 2.0
"""By how much clocks of files and of processes may differ."""


def exists(pid: int) -> bool:
    """Tell whether there is a process *pid*, and it has not ended.

    One that has ended is there until its parent has asked for its status, which the first process of many a container never does.
    On other systems than POSIX ones it says there is none: to ask for a process there would end it.
    """
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        pass
    try:
        return _fields(pid)[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return True  # elsewhere than on Linux that is not known


def _fields(pid: int) -> list[bytes]:
    """Return what proc(5) tells of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()


def began(pid: int) -> float | None:
    """Return when a process began, in seconds since the epoch, or None where that cannot be told; see proc(5)."""
    try:
        ticks = int(_fields(pid)[19])
        boot = next(line for line in Path("/proc/stat").read_bytes().splitlines() if line.startswith(b"btime "))
        return int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def began_after(pid: int, written: float) -> bool:
    """Tell whether process *pid* is another one than a file means that was *written* at a time, in seconds since the epoch.

    Numbers are used again: what began later did not write it.
    """
    found = began(pid)
    return found is not None and found > written + SLACK_SECONDS
