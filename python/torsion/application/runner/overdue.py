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


class Overdue:
    """Ends the process if the thread that made this has not come to :meth:`done` in time, and tells where that was stuck.

    Nothing waits, and there is no thread, until :meth:`allow` is called.
    """

    def __init__(self) -> None:
        self._stuck = threading.get_ident()
        self._changed = threading.Condition(threading.RLock())  # a signal handler may come in between
        self._at = float("inf")
        self._done = False
        self._thread: threading.Thread | None = None

    def allow(self, seconds: float) -> None:
        """Allow *seconds* more, from now on, or only that: the earlier end counts."""
        with self._changed:
            if self._done:
                return
            self._at = min(self._at, time.monotonic() + seconds)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="torsion overdue", daemon=True)
                self._thread.start()

    def done(self) -> None:
        """The thread is not stuck: it came here."""
        with self._changed:
            self._done = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._done and (left := self._at - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._done:
                return
        frame = sys._current_frames().get(self._stuck)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        try:
            _log.critical("The process does not stop, and is ended: it is stuck in\n{stack}", stack=stack)
        finally:
            os._exit(STUCK)
