"""Learning of the end of child processes.

On Linux each has a descriptor that becomes readable when it is over (pidfd), which the engine watches with all others: no
signal handler, no search among all children, and it does not matter in which thread the reactor runs.  Elsewhere a thread
waits for each child.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion._native import Watch
    from torsion.internet.transports.owner import Home
    from torsion.internet.transports.process.spawn import Started

__all__ = [
    "Ending",
    "reapAllProcesses",
    "reapProcessHandlers",
    "registerReapProcessHandler",
    "unregisterReapProcessHandler",
]

_log = Logger("torsion.internet.transports.process")


class Reapable(Protocol):
    """What wants to know how a process ended."""

    def processEnded(self, status: int) -> None:
        """The process *status* of which ``os.waitpid`` told is over."""


class Ending:
    """Waits for the end of one process, and tells *process* of it once."""

    def __init__(self, reactor: Home, started: Started, process: Reapable) -> None:
        self.reactor = reactor
        self.pid = started.pid
        self.descriptor = started.descriptor
        self.process: Reapable | None = process
        self.watch: Watch | None = None
        if self.descriptor >= 0:
            self._begin()
        else:
            self._wait_in_thread()

    def ready(self, watch: Watch, readable: bool, writable: bool, /) -> None:
        """The process is over."""
        self.reap()

    def watch_failed(self, watch: Watch, errno: int, /) -> None:
        """Somebody closed our descriptor."""
        self.watch = None
        self.descriptor = -1
        self._wait_in_thread()

    def raised(self, source: object, exception: BaseException, /) -> None:
        """A hook of the process's protocol raised: nothing is left to end on account of it."""
        _log.failure("Unhandled error in {source!r}", Failure(exception), source=self.process or source)

    def abandon(self, reason: Failure) -> None:
        """All that is watched ends, most likely with the reactor: this begins anew in the next turn, of this run or another."""
        self.reap()
        if self.process is not None:
            self._stop_watching()
            self._close()  # there may be no other run
            self.reactor.callFromThread(self._begin_anew)

    def reap(self) -> None:
        """Tell the process if it is over."""
        process = self.process
        if process is None:
            return
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            # Somebody else has waited for it (or the program ignores SIGCHLD): nobody can tell any more how it ended.
            pid, status = self.pid, -1
        if pid:
            self._finish(process, status)

    def _finish(self, process: Reapable, status: int) -> None:
        self.process = None
        self._stop_watching()
        self._close()
        process.processEnded(status)

    def _begin(self) -> None:
        self.watch = self.reactor.engine.watch(self.descriptor, self)
        self.watch.read(True)
        self.reactor.open_handles[self] = None

    def _begin_anew(self) -> None:
        if self.process is None:
            return
        try:
            self.descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:  # somebody else has waited for it
            self.reap()
        except OSError:  # descriptors have run out
            self._wait_in_thread()
        else:
            self._begin()

    def _close(self) -> None:
        if self.descriptor >= 0:
            with suppress(OSError):
                os.close(self.descriptor)
            self.descriptor = -1

    def _stop_watching(self) -> None:
        self.reactor.open_handles.pop(self, None)
        if self.watch is not None:
            self.watch.close()
            self.watch = None

    def _wait_in_thread(self) -> None:
        import threading

        def wait() -> None:
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.reactor.callFromThread(self.reap)

        threading.Thread(target=wait, name=f"torsion-wait-{self.pid}", daemon=True).start()


# --- Twisted's registry, for processes that a program makes itself ---------------------------------------------------

reapProcessHandlers: dict[int, Any] = {}
"""What is told of the end of a process, by its number; the reactor's own processes are not among them."""


def registerReapProcessHandler(pid: int, process: Any) -> None:
    """Have ``process.processEnded(status)`` called when the child *pid* has ended, by :func:`reapAllProcesses`.

    It is called at once if that has happened already.

    :raises RuntimeError: if there is one for *pid*.
    """
    if pid in reapProcessHandlers:
        raise RuntimeError(f"there is a handler for process {pid} already: {reapProcessHandlers[pid]!r}")
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except OSError:
        _log.failure("Failed to wait for process {pid}", pid=pid)
        ended = 0
    if ended:
        process.processEnded(status)
    else:
        reapProcessHandlers[pid] = process


def unregisterReapProcessHandler(pid: int, process: Any) -> None:
    """Take back :func:`registerReapProcessHandler`.

    :raises RuntimeError: if *process* is not registered for *pid*.
    """
    if reapProcessHandlers.get(pid) is not process:
        raise RuntimeError(f"{process!r} is not registered for process {pid}")
    del reapProcessHandlers[pid]


def reapAllProcesses() -> None:
    """Let each registered process see whether it has ended, by its ``reapProcess``."""
    for process in list(reapProcessHandlers.values()):
        process.reapProcess()
