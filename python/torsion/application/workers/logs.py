"""The log of workers: each writes its events to its standard output, and the master shows them in its own log, told apart.

So there is one writer: no line is cut in two by another worker's, one process opens and rotates the file, and form, colours and
system log are the master's.  An event goes as JSON behind a record separator (RFC 7464), so that it is not taken for what a
program prints.  Its fields go as texts: the master may have rights that its workers have not, and formats nothing for them, since
a format such as ``{x:>999999999}`` would take its memory.
"""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, Any

from torsion.logger import LogLevel, eventFromJSON, formatEvent, globalLogPublisher, jsonFileLogObserver

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.logger import LogEvent

__all__ = ["LONGEST_FORMAT", "LONGEST_LINE", "TAIL", "Gathered", "worker_observer"]

LONGEST_LINE = 1024 * 1024
"""Bytes of a line that are kept while its end is waited for; then it counts as one.  Tracebacks have some ten thousand."""

TAIL = 5
"""How many of the last lines that are no events are kept, to tell why a worker did not start."""

_SEPARATOR = b"\x1e"

LONGEST_FORMAT = 1024
"""Characters of an event's format; of a longer one the text alone goes to the master, which keeps formats (and a thousand of them)."""

_LATEST = 1e11
"""Seconds since the epoch that the log's clock may show: a year of four digits, as what shows it expects."""

_DROPPED = frozenset({"format", "log_trace", "message"})
"""What of an event does not go on: what one of :mod:`torsion.python.log` would be formatted by, and a list of observers to append to."""


def worker_observer(stream: IO[Any]) -> Callable[[LogEvent], object]:
    """Return an observer that writes events to *stream*, standard output, for the master."""
    write = jsonFileLogObserver(stream, recordSeparator=_SEPARATOR.decode())

    def observe(event: LogEvent) -> None:
        format = event.get("log_format")
        if isinstance(format, str | bytes) and len(format) > LONGEST_FORMAT:
            event = {**event, **_text(formatEvent(event))}
        write(event)

    return observe


def _text(text: str) -> LogEvent:
    """Return what an event has that is this text."""
    return {"log_format": "{log_text}", "log_text": text, "log_flattened": {"log_text!s:": text, "log_text!:": text}}


def _sound(event: LogEvent) -> LogEvent:
    """Return what is shown of an event that a worker sent: it may have sent anything."""
    level, when, format = event.get("log_level"), event.get("log_time"), event.get("log_format")
    sound = {key: value for key, value in event.items() if key not in _DROPPED}
    sound["log_level"] = level if isinstance(level, LogLevel) else LogLevel.info
    sound["log_time"] = when if isinstance(when, int | float) and 0 <= when < _LATEST else time.time()
    for key in ("log_namespace", "log_system"):
        if not isinstance(sound.get(key, ""), str):
            del sound[key]
    if not isinstance(format, str | None):
        raise ValueError("an event has a format")  # noqa: TRY004 - as what is no event at all
    if format is not None and len(format) > LONGEST_FORMAT:
        return {**sound, **_text(format)}
    if not isinstance(sound.get("log_flattened"), dict):
        sound["log_flattened"] = {}  # of what is in this an event's text is put together; nothing is formatted then
    return sound


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
                self._show(_sound(eventFromJSON(event.decode())), printed)
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
