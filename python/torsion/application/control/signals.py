"""Asking by signals, where a process has a pid file and no control socket: little can be told of what comes of it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from torsion.application.control.client import Asked, ControlError, wait_for_end
from torsion.application.processes import MOST, began_after, exists

__all__ = ["ask_by_signal", "read_pidfile"]

SIGNALS = {"reload": "SIGHUP", "restart": "SIGUSR2", "stop": "SIGTERM"}
"""Which signal asks for what."""

LONGEST_PIDFILE = 32
"""Bytes that are read of a pid file; a number has ten at most."""

LOOK_SECONDS = 0.05
"""Every how many seconds to look whether a pid file names another process."""


def read_pidfile(path: str | os.PathLike[str]) -> int:
    """Return the number in a pid file.

    :raises ControlError: if there is none.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST_PIDFILE)
    except OSError as problem:
        raise ControlError(f"cannot read the pid file {path}: {problem.strerror}; is the process running?") from problem
    if not content.strip():
        raise ControlError(f"the pid file {path} is empty: it names no process; is the process running?")
    try:
        pid = int(content)
    except ValueError:
        pid = 0
    if not 0 < pid <= MOST:  # least of all a negative one, which would mean a group of processes
        raise ControlError(f"{path} is no pid file, but holds {content!r}")
    return pid


def ask_by_signal(path: str | os.PathLike[str], what: str, timeout: float) -> Asked:
    """Ask the process that a pid file names to do something.

    :param path: the pid file.
    :param what: ``reload``, of which nothing more can be known, ``restart`` or ``stop``, which are waited for.
    :param timeout: how long that may take, in seconds.
    :raises ControlError: if the process cannot be asked.
    """
    pid = read_pidfile(path)
    name = SIGNALS[what]
    if began_after(pid, Path(path).stat().st_mtime):
        raise ControlError(f"process {pid} is another one than {path} means, which is older; the file was left behind")
    try:
        os.kill(pid, getattr(signal, name))
    except ProcessLookupError as problem:
        raise ControlError(f"process {pid}, which {path} names, is not running; the file was left behind") from problem
    except OSError as problem:
        raise ControlError(f"cannot send {name} to process {pid}: {problem.strerror}") from problem
    until = time.monotonic() + timeout
    if what == "stop":
        if wait_for_end(pid, until):
            return Asked(True, f"process {pid} has ended")
        return Asked(False, f"process {pid} has not ended within {timeout:g} seconds")
    if what == "restart":
        return _restarted(path, pid, until, timeout)
    return Asked(True, f"sent {name} to process {pid}; what came of it is in its log")


def _restarted(path: str | os.PathLike[str], pid: int, until: float, timeout: float) -> Asked:
    """Wait until the pid file names another process."""
    while time.monotonic() < until:
        try:
            now = read_pidfile(path)
        except ControlError:
            if not exists(pid):
                return Asked(False, f"process {pid} has ended, and no other has taken its place")
            now = pid
        if now != pid:
            return Asked(True, f"process {now} has taken the place of process {pid}")
        if not exists(pid):
            return Asked(False, f"process {pid} has ended, and no other has taken its place")
        time.sleep(LOOK_SECONDS)
    return Asked(False, f"process {pid} is still there after {timeout:g} seconds; its log tells why")
