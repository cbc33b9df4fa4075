"""The beginning of logging: what happens to events before a program has said where they go, and after."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from threading import RLock
from typing import IO, TYPE_CHECKING, Any

from torsion.logger.buffer import LimitedHistoryLogObserver
from torsion.logger.events import LogEvent
from torsion.logger.format import eventAsText
from torsion.logger.io import LoggingFile
from torsion.logger.levels import LogLevel
from torsion.logger.logger import Logger
from torsion.logger.observer import LogPublisher, globalLogPublisher
from torsion.python.reflect import qual

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = ["LogBeginner", "globalLogBeginner"]

MORE_THAN_ONCE_WARNING = (
    "Warning: primary log target selected twice at <{fileNow}:{lineNow}> - "
    "previously selected at <{fileThen}:{lineThen}>.  Remove one of the calls to beginLoggingTo."
)


class LogBeginner:
    """Keeps events until logging begins, and shows grave ones on standard error meanwhile.

    When the program says where its log goes, with ``beginLoggingTo``, the kept events go there too.
    """

    _DEFAULT_BUFFER_SIZE = 200

    def __init__(
        self,
        publisher: LogPublisher,
        errorStream: IO[Any] | None,
        stdio: Any,
        warningsModule: Any,
        initialBufferSize: int | None = None,
    ) -> None:
        """Watch *publisher*.

        :param publisher: whose events to keep, and to whom observers will be added.
        :param errorStream: gets critical events as text until logging begins; ``None`` stands for what is then
            ``stdio.stderr``.
        :param stdio: has ``stdout`` and ``stderr``, to be replaced: the ``sys`` module.
        :param warningsModule: has ``showwarning``, to be replaced: the ``warnings`` module.
        :param initialBufferSize: how many events to keep; ``None`` stands for 200.
        """
        self._publisher = publisher
        self._errorStream = errorStream
        self._stdio = stdio
        self._warningsModule = warningsModule
        self._oldshowwarning = warningsModule.showwarning
        # Re-entrant: a finalizer that runs while it is held may log.
        self._beginning = RLock()
        self._begun: tuple[str, int] | None = None
        self._first = LogPublisher()
        self._history = LimitedHistoryLogObserver(
            self._DEFAULT_BUFFER_SIZE if initialBufferSize is None else initialBufferSize
        )
        publisher.addObserver(self._keep)

    @property
    def begun(self) -> bool:
        """Whether the program has said where its log goes."""
        return self._begun is not None

    def _keep(self, event: LogEvent) -> None:
        with self._beginning:
            begun = self._begun is not None
            if not begun:
                self._history(event)
        if begun:
            # Another thread was about to log this when logging began.
            self._first(event)
            return
        if event.get("log_level") is LogLevel.critical:
            stream = self._stdio.stderr if self._errorStream is None else self._errorStream
            if stream is not None:
                stream.write(eventAsText(event, includeTimestamp=False, includeSystem=False) + "\n")

    def beginLoggingTo(
        self, observers: Iterable[LogObserver], discardBuffer: bool = False, redirectStandardIO: bool = True
    ) -> None:
        """Begin logging: add *observers* to the publisher and show them the events kept so far.

        Python's warnings become events from now on.  When called a second time, adds the observers and logs a warning
        that names both calls.

        :param observers: get the events.
        :param discardBuffer: do not show them the events kept so far.
        :param redirectStandardIO: make events of what is written to standard output and standard error.
        """
        observers = list(observers)
        caller = sys._getframe(1)
        here = (caller.f_code.co_filename, caller.f_lineno)
        with self._beginning:
            before, self._begun = self._begun, here
            if before is None:
                self._first = LogPublisher(*observers)
        if before is None:
            if not discardBuffer:
                self._history.replayTo(self._first)
            self._publisher.replaceObserver(self._keep, *observers)
            self._history = LimitedHistoryLogObserver(0)
            self._oldshowwarning = self._warningsModule.showwarning
            self._warningsModule.showwarning = self.showwarning
        else:
            self._publisher.replaceObserver(None, *observers)
            Logger(__name__, self, self._publisher).warn(
                MORE_THAN_ONCE_WARNING,
                fileNow=here[0],
                lineNow=here[1],
                fileThen=before[0],
                lineThen=before[1],
            )
        if redirectStandardIO:
            self._redirect("stdout", LogLevel.info)
            self._redirect("stderr", LogLevel.error)

    def _redirect(self, name: str, level: LogLevel) -> None:
        old = getattr(self._stdio, name)
        if not isinstance(old, LoggingFile):
            log = Logger(name, observer=self._publisher)
            setattr(self._stdio, name, LoggingFile(log, level, getattr(old, "encoding", None)))

    def showwarning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: IO[Any] | None = None,
        line: str | None = None,
    ) -> None:
        """Emit a warning as an event; one for a certain *file* is left to Python.  See ``warnings.showwarning``."""
        if file is None:
            Logger("py.warnings", observer=self._publisher).warn(
                "{filename}:{lineno}: {category}: {warning}",
                warning=message,
                category=qual(category),
                filename=filename,
                lineno=lineno,
            )
        else:
            self._oldshowwarning(message, category, filename, lineno, file, line)


globalLogBeginner = LogBeginner(globalLogPublisher, None, sys, warnings)
"""Begins the process's log."""
