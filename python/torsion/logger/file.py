"""Observers that write to files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any

from zope.interface import implementer

from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.format import formatEventAsClassicLogText, formatTime, timeFormatRFC3339

__all__ = ["FileLogObserver", "textFileLogObserver"]


@implementer(ILogObserver)
class FileLogObserver:
    """Writes each event to a file, and flushes it."""

    def __init__(self, outFile: IO[Any], formatEvent: Callable[[LogEvent], str | None]) -> None:
        """Write to *outFile*.

        :param outFile: a text file, or a binary one, which gets UTF-8.
        :param formatEvent: returns the text to be written for an event, line end included; ``None`` or ``""`` for none.
        """
        self._outFile = outFile
        self._write = writer_of(outFile)
        self.formatEvent = formatEvent

    def __call__(self, event: LogEvent) -> None:
        """Write *event*.

        :raise Exception: whatever the file or the formatter raises.
        """
        text = self.formatEvent(event)
        if text:
            self._write(text)
            self._outFile.flush()


def writer_of(file: IO[Any]) -> Callable[[str], object]:
    """Return a function that writes text to *file*, as UTF-8 if that takes bytes."""
    if not _takes_bytes(file):
        return file.write

    def write(text: str) -> object:
        return file.write(text.encode("utf-8"))

    return write


def _takes_bytes(file: object) -> bool:
    if isinstance(file, io.TextIOBase):
        return False
    # Wrapped files (tempfile's) are no instances of io's classes, but tell their mode.
    return isinstance(file, io.RawIOBase | io.BufferedIOBase) or "b" in str(getattr(file, "mode", ""))


def textFileLogObserver(outFile: IO[Any], timeFormat: str | None = timeFormatRFC3339) -> FileLogObserver:
    """Return an observer that writes to *outFile*, one line an event: ``time [system] text``.

    :param outFile: a text file, or a binary one, which gets UTF-8.
    :param timeFormat: for ``formatTime``; ``None`` writes ``-`` for the time.
    """

    def line(event: LogEvent) -> str | None:
        return formatEventAsClassicLogText(event, formatTime=lambda when: formatTime(when, timeFormat))

    return FileLogObserver(outFile, line)
