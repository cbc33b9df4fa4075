"""``--daemon``: go on in the background, once it is known that all has started.

The process forks twice before anything of the service is imported, so that nothing is shared that must not be.  The
caller's process waits; the one in the background keeps the caller's terminal for its complaints, and its fate is told through a pipe:
the exit status, when all listens or when it has failed.  Only then does it let go of the terminal.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.terminal import complain
from torsion.python.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from torsion.application.runner.run import Run

__all__ = ["Daemon"]


class Daemon(Fitting):
    """Has the process go on in the background."""

    optFlags: ClassVar[Sequence[Sequence[Any]]] = (
        ("daemon", None, "Run in the background; the caller is told whether it has started."),
        ("nodaemon", "n", "Run in the foreground, as it does anyway."),
        ("no_save", "o", "Do not save the application; nothing is saved anyway."),
    )

    def check(self, run: Run) -> None:
        """Check that the process can go on in the background.

        :raise UsageError: if the options contradict each other, or the system cannot do it.
        """
        options = run.options
        if not options["daemon"]:
            return
        if options["nodaemon"]:
            raise UsageError("--daemon and --nodaemon contradict each other; leave one out")
        if not hasattr(os, "fork"):
            raise UsageError(
                "--daemon does not work on this system, where processes cannot fork; run it as a service of the system"
            )

    def begin(self, run: Run) -> None:
        """Fork; the caller's process does not return.

        :raise StartError: if there is a reactor already.
        :raise SystemExit: in the caller's process, with the status that the one in the background has told.
        """
        if not run.options["daemon"] or run.worker is not None or run.predecessor is not None:
            return
        from torsion.internet._current import installed_reactor

        if installed_reactor() is not None:
            raise StartError("--daemon comes too late: there is a reactor already, made by a plugin as it was imported")
        reading, writing = os.pipe()
        _flush()
        intermediate = os.fork()
        if intermediate:
            os.close(writing)
            os.waitpid(intermediate, 0)
            _wait(reading)
        os.close(reading)
        os.setsid()
        if os.fork():  # so that it leads no session, and can never get a terminal
            os._exit(0)
        os.write(writing, b"%d\n" % os.getpid())
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.close(null)
        self._writing = writing
        run.onStarted.append(self._detach)
        run.onExit.append(self._tell)

    def _detach(self) -> None:
        """Let go of the terminal, and tell the caller that all is well."""
        _flush()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (1, 2):
            os.dup2(null, descriptor)
        os.close(null)
        self._tell(0)

    def _tell(self, status: int) -> None:
        writing, self._writing = self._writing, -1
        if writing >= 0:
            with suppress(OSError):  # nobody waits any more
                os.write(writing, b"%d\n" % status)
            os.close(writing)


def _flush() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]  # that there is none is suppressed


def _wait(reading: int) -> NoReturn:
    """Wait in the caller's process until the one in the background has told its fate; pass signals on to it meanwhile."""
    told = b""

    def forward(_number: int, _frame: object) -> None:
        pid, newline, _ = told.partition(b"\n")
        if newline:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    # Not to its end: something that was forked off meanwhile may hold the pipe, too.
    while told.count(b"\n") < 2 and (chunk := os.read(reading, 64)):
        told += chunk
    lines = told.split(b"\n")
    if len(lines) > 2:
        raise SystemExit(int(lines[1]))
    complain("the process in the background has ended before it was ready, and has not said why")
    raise SystemExit(1)
