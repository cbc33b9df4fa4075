"""The log of workers: each writes its events to its standard output, and the master shows them in its own log, told apart.

So there is one writer: no line is cut in two by another worker's, one process opens and rotates the file, and form, colours and
system log are the master's.  An event goes as JSON behind a record separator (RFC 7464), so that it is not taken for what a
program prints.
"""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, Any

from torsion.logger import LogLevel, eventFromJSON, globalLogPublisher, jsonFileLogObserver

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.logger import LogEvent

__all__ = ["LONGEST_LINE", "TAIL", "Gathered", "worker_observer"]

LONGEST_LINE = 1024 * 1024
"""Bytes of a line that are kept while its end is waited for; then it counts as one.  Tracebacks have some ten thousand."""

TAIL = 5
"""How many of the last lines that are no events are kept, to tell why a worker did not start."""

_SEPARATOR = b"\x1e"


def worker_observer(stream: IO[Any]) -> Callable[[LogEvent], object]:
    """Return an observer that writes events to *stream*, standard output, for the master."""
    return jsonFileLogObserver(stream, recordSeparator=_SEPARATOR.decode())


class Gathered:
    """What one worker writes to one of its outputs.

    :ivar last: the last lines that were no events.
    """

    def __init__(
        self, slot: int, pid: int, name: str, publish: Callable[[LogEvent], object] = globalLogPublisher
    ) -> None:
        """Gather it.

        :param slot: the worker's place.
        :param pid: its number.
        :param name: ``stdout`` or ``stderr``.
        :param publish: takes the events.
        """
        self.last: list[str] = []
        self._worker = {"worker": slot, "pid": pid}
        self._label = f"worker {slot}, pid {pid}"
        self._name = name
        self._publish = publish
        self._unread: list[bytes] = []
        self._size = 0

    def received(self, data: bytes) -> None:
        """Take what it wrote, cut anywhere."""
        first, *rest = data.split(b"\n")
        self._unread.append(first)
        self._size += len(first)
        for piece in rest:
            self._line(b"".join(self._unread))
            self._unread, self._size = [piece], len(piece)
        if self._size > LONGEST_LINE:
            self.ended()

    def ended(self) -> None:
        """It writes no more: what has no end of line is a line."""
        line, self._unread, self._size = b"".join(self._unread), [], 0
        self._line(line)

    def _line(self, line: bytes) -> None:
        printed, separator, event = line.partition(_SEPARATOR)
        if separator:
            try:
                self._show(eventFromJSON(event.decode()), printed)
                return
            except (
                ValueError,
                RecursionError,
            ):  # it was killed in the midst of it, or somebody else writes such characters
                pass
        self._say(line)

    def _say(self, line: bytes) -> None:
        text = line.decode(errors="backslashreplace").strip("\x1e").rstrip()
        if text:
            self.last = [*self.last[1 - TAIL :], text]
            level = LogLevel.warn if self._name == "stderr" else LogLevel.info
            event = {"log_namespace": self._name, "log_level": level, "log_format": "{log_io}", "log_io": text}
            self._show({**event, "log_time": time.time()})

    def _show(self, event: LogEvent, printed: bytes = b"") -> None:
        self._say(printed)  # without a line end, before the event
        system = event.get("log_system")
        if system is None:
            level = event.get("log_level")
            system = f"{event.get('log_namespace', '-')}#{getattr(level, 'name', '-')}"
        self._publish({**event, **self._worker, "log_system": f"{self._label}, {system}"})
