"""A process that cannot end by itself, since its reactor's thread is stuck in some call, is ended all the same."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback

from torsion.logger import Logger

__all__ = ["STUCK", "Overdue"]

_log = Logger("torsion.application.runner")

STUCK = 70
"""The exit status of a process that had to be ended: ``EX_SOFTWARE`` of sysexits(3)."""

TELLING_SECONDS = 1.0
"""How long telling it in the log may take, in seconds: the stuck thread may hold what that needs, such as a pipe that nobody reads."""


class Overdue:
    """Ends the process if the thread that made this has not come to :meth:`done` in time, and tells where that was stuck.

    Nothing waits, and there is no thread, until :meth:`allow` or :meth:`expect` is called.
    """

    def __init__(self) -> None:
        self._stuck = threading.get_ident()
        self._changed = threading.Condition(threading.RLock())  # a signal handler may come in between
        self._at = float("inf")
        self._expected = float("inf")
        self._done = False
        self._thread: threading.Thread | None = None

    def allow(self, seconds: float) -> None:
        """Allow *seconds* more, from now on, or only that: the earlier end counts."""
        with self._changed:
            if self._done:
                return
            self._at = min(self._at, time.monotonic() + seconds)
            self._wake()

    def expect(self, seconds: float) -> None:
        """Expect it in *seconds*, from now on, whenever it was expected before; what :meth:`allow` has set stays."""
        with self._changed:
            if self._done:
                return
            self._expected = time.monotonic() + seconds
            self._wake()

    def done(self) -> None:
        """The thread is not stuck: it came here."""
        with self._changed:
            self._done = True
            self._changed.notify()

    def _wake(self) -> None:
        self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="torsion overdue", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        with self._changed:
            while not self._done and (left := min(self._at, self._expected) - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._done:
                return
        frame = sys._current_frames().get(self._stuck)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        try:
            teller = threading.Thread(target=self._tell, args=(stack,), name="torsion overdue, telling", daemon=True)
            teller.start()
            teller.join(TELLING_SECONDS)
        finally:
            os._exit(STUCK)

    def _tell(self, stack: str) -> None:
        _log.critical("The process does not stop, and is ended: it is stuck in\n{stack}", stack=stack)
