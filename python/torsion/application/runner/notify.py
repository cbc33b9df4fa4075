"""Telling systemd how the run is (``sd_notify(3)``), if it wants to know: ``Type=notify`` or ``notify-reload``, and ``WatchdogSec=``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torsion.application.runner.fitting import Fitting

if TYPE_CHECKING:
    from torsion.application.reloading import ReloadReport
    from torsion.application.runner.run import Run

__all__ = ["Notify"]


class Notify(Fitting):
    """Tells of being ready, reloading and stopping, and while the reactor turns, of being alive."""

    _seconds: float | None = None
    _told_of_trouble = False
    _in_place = False

    def begin(self, run: Run) -> None:
        """Claim the watchdog for this process, if it is the one that was meant, or takes its place."""
        if run.predecessor is not None and os.environ.get("WATCHDOG_USEC"):
            os.environ["WATCHDOG_PID"] = str(os.getpid())

    def fit(self, run: Run) -> None:
        """Tell at the run's hooks."""
        if not os.environ.get("NOTIFY_SOCKET") or run.worker is not None:
            return
        self._run = run
        self._seconds = _interval()
        (run.onStarted if run.predecessor is None else run.onTakeOver).append(self._ready)
        run.onReload.insert(0, self._reloading)
        run.onReloaded.append(self._reloaded)
        run.onSuccession.append(self._succeeded)
        run.onStop.append(self._stopping)

    def _tell(self, *assignments: str) -> None:
        """Tell something; if that cannot be done, tell the log, once."""
        from torsion.python.systemd import notify

        try:
            notify(*assignments)
        except (OSError, ValueError) as problem:
            if not self._told_of_trouble:
                from torsion.logger import Logger

                self._told_of_trouble = True
                Logger("torsion.application.runner").error(
                    "Cannot tell systemd how this process is: {problem}", problem=problem
                )

    def _ready(self) -> None:
        self._in_place = True
        self._tell("READY=1", f"MAINPID={os.getpid()}", "STATUS=Ready")
        if self._seconds is not None:
            self._alive()

    def _alive(self) -> None:
        if self._seconds is None:
            return  # another process tells of itself now; this one must not speak for it
        # In the reactor: one that does not turn any more tells nothing, and systemd does what its unit says.
        self._tell("WATCHDOG=1")
        self._run.reactor.callLater(self._seconds, self._alive)

    def _reloading(self) -> None:
        import time

        # systemd wants to know when, by CLOCK_MONOTONIC, to tell an answer to its own signal from an earlier one.
        self._tell(
            "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}", "STATUS=Reloading"
        )

    def _reloaded(self, report: ReloadReport) -> None:
        what = "" if report.ok else f"; the reload failed: {' '.join(str(report.failed[0]).split())}"
        self._tell("READY=1", f"STATUS=Ready{what}")

    def _succeeded(self) -> None:
        self._seconds = None
        self._tell("READY=1", f"MAINPID={self._run.successor}", "STATUS=Ready; the process before drains")

    def _stopping(self) -> None:
        if self._in_place and self._run.successor is None:  # else it is another process that goes on
            self._tell("STOPPING=1", "STATUS=Stopping")


def _interval() -> float | None:
    """Return every how many seconds the watchdog wants to hear of us, halved as ``sd_watchdog_enabled(3)`` has it; None if never."""
    usec: Any = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 2e6 if usec.isascii() and usec.isdecimal() and int(usec) > 0 else None
