"""Errors that nobody handled, and how much was logged: an observer of the log that keeps count."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.application.status.describe import bounded
from torsion.logger import LogLevel, formatEvent

if TYPE_CHECKING:
    from torsion.application.status.shape import Error, Errors
    from torsion.logger import LogEvent

__all__ = ["KEPT", "OTHERS", "TYPES", "ErrorLog"]

KEPT = 20
"""How many errors are kept with their tracebacks: what an operator reads through."""

TYPES = 50
"""How many types of errors are counted each for itself; a program that makes up types as it goes must not fill the memory."""

OTHERS = "(others)"
"""The name under which the rest is counted."""

_MAX_TRACEBACK = 20_000
_MAX_MESSAGE = 500


class ErrorLog:
    """Counts what is logged, and keeps the last failures that were logged as critical, as all unhandled errors are.

    It may be called in any thread.  It makes texts at once: to keep the failures would keep what their frames hold.
    """

    def __init__(self, *, without: str | None = None) -> None:
        """Begin to count.

        :param without: events with this key are left out: those that a worker has sent, which counts them itself.
        """
        self._without = without
        self._lock = threading.Lock()
        self._levels: dict[str, int] = {level.name: 0 for level in LogLevel.iterconstants()}
        self._types: dict[str, int] = {}
        self._count = 0
        self._last: deque[Error] = deque(maxlen=KEPT)

    def __call__(self, event: LogEvent) -> None:
        """Look at an event."""
        if self._without is not None and self._without in event:
            return
        level = event.get("log_level")
        name = getattr(level, "name", None)
        if name in self._levels:
            with self._lock:
                self._levels[name] += 1
        failure = event.get("log_failure")
        if failure is not None and level is LogLevel.critical:
            self._keep(event, failure)

    def _keep(self, event: LogEvent, failure: Any) -> None:
        kind = getattr(failure, "type", None)
        name = bounded(
            f"{getattr(kind, '__module__', '?')}.{getattr(kind, '__qualname__', kind)}".removeprefix("builtins.")
        )
        error: Error = {
            "worker": None,
            "at": float(event.get("log_time") or time.time()),
            "type": name,
            "message": bounded(_safe(failure.getErrorMessage), _MAX_MESSAGE),
            "text": bounded(_safe(lambda: formatEvent(event)), _MAX_MESSAGE),
            "traceback": bounded(_safe(failure.getTraceback), _MAX_TRACEBACK),
        }
        with self._lock:
            self._count += 1
            counted = name if name in self._types or len(self._types) < TYPES else OTHERS
            self._types[counted] = self._types.get(counted, 0) + 1
            self._last.appendleft(error)

    def figures(self) -> Errors:
        """Return what has been counted and kept so far."""
        with self._lock:
            return {"count": self._count, "by_type": dict(self._types), "list": list(self._last)}

    def levels(self) -> dict[str, int]:
        """Return how many events of which level were logged."""
        with self._lock:
            return dict(self._levels)


def _safe(make: Any) -> str:
    try:
        return str(make())
    except Exception:  # noqa: BLE001 - errors of a program may refuse to be shown
        return "(cannot be shown)"
