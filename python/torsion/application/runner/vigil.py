"""A restart in the foreground of a terminal: the process that the shell waits for stays until its successors have ended.

Else the shell would take the terminal back, and Ctrl-C would reach nobody.  All that the process does is to wait, at the end of a pipe
that its successors hold open, one after the other; signals go on to the latest of them.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from torsion.application.runner.fitting import Fitting
from torsion.logger import Logger

if TYPE_CHECKING:
    from types import FrameType

    from torsion.application.runner.run import Run

__all__ = ["Vigil"]

_log = Logger("torsion.application.runner")

NAME = "vigil"
"""What the pipe is called among the descriptors that go on to a successor."""

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_LOST = 1
"""The exit status where the last process did not tell its own: it was killed."""


class Vigil(Fitting):
    """Has the first of a row of processes stay, if a terminal waits for it."""

    def fit(self, run: Run) -> None:
        """Hang on."""
        if run.worker is not None:
            return
        self._run = run
        self._reading = -1
        self._writing = run.inherited.pop(NAME, -1)  # else it would be closed
        run.belongings[NAME] = self._pipe
        run.onTakeOver.append(lambda: self._tell("process", os.getpid()))
        run.onEnd.append(self._forward)
        run.onExit.append(self._end)

    def _pipe(self) -> int:
        """Return the descriptor for a successor: of the pipe, if somebody waits."""
        if self._writing < 0 and _in_foreground():
            self._reading, self._writing = os.pipe()
        return self._writing

    def _tell(self, what: str, number: int) -> None:
        if self._writing >= 0:
            with suppress(OSError):  # nobody waits any more
                os.write(self._writing, f"{what} {number}\n".encode())

    def _forward(self) -> None:
        """Have signals go on to the latest successor."""
        if self._reading < 0 or self._run.successor is None:
            return
        self._latest = self._run.successor
        self._status: int | None = None
        self._rest = b""

        def forward(number: int, _frame: FrameType | None) -> None:
            while select.select([self._reading], [], [], 0)[0] and self._hear():
                pass  # who is the latest by now
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._latest, number)

        for name in _FORWARDED:
            signal.signal(getattr(signal, name), forward)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to all of the job
        _log.info("Process {pid} stays, for the terminal, until its successors have ended", pid=os.getpid())

    def _end(self, status: int) -> None:
        if self._reading < 0:
            self._tell("status", status)
            return
        os.close(self._writing)
        if self._run.successor is not None:
            while self._hear():
                pass
            self._run.lastStatus = _LOST if self._status is None else self._status

    def _hear(self) -> bool:
        """Wait for what a successor says, and take it in; return whether there may be more: that somebody holds the pipe open."""
        data = os.read(self._reading, 4096)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            what, number = line.split()
            if what == b"status":
                self._status = int(number)
            elif int(number) != os.getpid():  # which took its place back when a successor had failed
                self._latest, self._status = int(number), None
        return bool(data)


def _in_foreground() -> bool:
    """Tell whether this is of the job that a terminal's shell waits for."""
    for descriptor in range(3):
        with suppress(OSError, AttributeError):  # the latter: where there are no jobs
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                return True
    return False
