"""The old logging module, ``torsion.python.log``, over the new one.

Old code logs with ``msg`` and ``err``, and observes with ``addObserver`` and ``FileLogObserver``.  New code uses
``torsion.logger.Logger``; either kind of observer sees the events of both.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from time import gmtime, localtime, strftime, time
from typing import IO, TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast

from zope.interface import Interface

from torsion.logger.events import ILogObserver as INewLogObserver
from torsion.logger.file import writer_of
from torsion.logger.format import formatTime
from torsion.logger.global_ import LogBeginner, globalLogBeginner
from torsion.logger.io import LoggingFile
from torsion.logger.legacy_events import (
    EventDict,
    ILogObserver,
    LegacyLogObserverWrapper,
    publishToNewObserver,
    safe_format,
    textFromEventDict,
)
from torsion.logger.levels import LogLevel
from torsion.logger.logger import Logger as NewLogger
from torsion.logger.observer import LogPublisher as NewLogPublisher
from torsion.logger.observer import globalLogPublisher
from torsion.logger.stdlib import STDLibLogObserver, fromStdlibLogLevelMapping
from torsion.python import context, failure
from torsion.python.reflect import qual

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = [
    "DefaultObserver",
    "EventDict",
    "FileLogObserver",
    "ILogContext",
    "ILogObserver",
    "LogPublisher",
    "Logger",
    "NullFile",
    "PythonLoggingObserver",
    "StdioOnnaStick",
    "addObserver",
    "callWithContext",
    "callWithLogger",
    "defaultObserver",
    "deferr",
    "discardLogs",
    "err",
    "logerr",
    "logfile",
    "msg",
    "removeObserver",
    "showwarning",
    "startLogging",
    "startLoggingWithObserver",
    "textFromEventDict",
    "theLogPublisher",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Observer = Callable[[EventDict], object]


class ILogContext(Interface):
    """The key in ``torsion.python.context`` of a dictionary that every old event is filled from."""


context.setDefault(ILogContext, {"system": "-", "isError": 0})


def callWithContext(ctx: dict[str, Any], func: Callable[_P, _T], *args: _P.args, **kw: _P.kwargs) -> _T:
    """Call *func*; what it logs has the values of *ctx*, such as ``"system"``.  Return what it returns."""
    return context.call({ILogContext: {**context.get(ILogContext), **ctx}}, func, *args, **kw)


def callWithLogger(logger: Any, func: Callable[_P, _T], *args: _P.args, **kw: _P.kwargs) -> _T | None:
    """Call *func*; what it logs has as ``"system"`` what ``logger.logPrefix()`` returns.

    :return: what *func* returns; ``None`` if it raises, which is logged.
    :raise KeyboardInterrupt: if *func* does.
    """
    try:
        prefix = logger.logPrefix()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a broken prefix must not keep the call from being made
        prefix = "(buggy logPrefix method)"
        err(system=prefix)
    try:
        return callWithContext({"system": prefix}, func, *args, **kw)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - logged
        err(system=prefix)
        return None


class Logger:
    """Something with a name for the log; to be inherited from."""

    def logPrefix(self) -> str:
        """Return the name, which stands in brackets before each line; here ``"-"``."""
        return "-"


class LogPublisher:
    """Takes old events, and shows them to observers."""

    synchronized = ("msg",)

    def __init__(
        self,
        observerPublisher: NewLogPublisher | None = None,
        publishPublisher: NewLogPublisher | None = None,
        logBeginner: LogBeginner | None = None,
        warningsModule: Any = warnings,
    ) -> None:
        """Make a publisher.

        :param observerPublisher: where observers are added; ``None`` stands for the next.
        :param publishPublisher: where events go; ``None`` stands for a new one.
        :param logBeginner: begins the log; ``None`` stands for a new one.
        :param warningsModule: the ``warnings`` module.
        """
        if publishPublisher is None:
            publishPublisher = NewLogPublisher()
            observerPublisher = observerPublisher or publishPublisher
        self._publish = publishPublisher
        self._observed = observerPublisher or NewLogPublisher()
        self._beginner = logBeginner or LogBeginner(self._observed, cast("IO[Any]", NullFile()), sys, warnings)
        self._warnings = warningsModule
        self._old_showwarning = self._before = warningsModule.showwarning
        self._wrapped: list[tuple[_Observer, LogObserver]] = []

    @property
    def observers(self) -> list[_Observer]:
        """The observers, in the order in which they were added."""
        return [observer for observer, _ in self._wrapped]

    def addObserver(self, other: _Observer) -> None:
        """Show events to *other* from now on; a new-style observer sees them as they are, others as old ones."""
        wrapped: LogObserver = other if INewLogObserver.providedBy(other) else LegacyLogObserverWrapper(other)
        self._wrapped.append((other, wrapped))
        self._observed.addObserver(wrapped)

    def removeObserver(self, other: _Observer) -> None:
        """Stop showing events to *other*.

        :raise ValueError: if it is not registered.
        """
        for index, (observer, wrapped) in enumerate(self._wrapped):
            if observer == other:
                del self._wrapped[index]
                self._observed.removeObserver(wrapped)
                return
        raise ValueError(f"{other!r} is not registered as a log observer")

    def msg(self, *message: object, **kw: Any) -> None:
        """Log an event.

        :param message: pieces of text, to be joined by spaces.
        :param kw: other keys of the event; ``format`` with fields as ``%(name)s`` takes the place of the message.
        """
        event: EventDict = {**(context.get(ILogContext) or {}), **kw}
        # Callers may give the keyword, too; it counts only without positional arguments, and may not hide them.
        event["message"] = message
        event["time"] = time()
        publishToNewObserver(self._publish, event, textFromEventDict)

    def showwarning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: IO[Any] | None = None,
        line: str | None = None,
    ) -> None:
        """Log a warning; one for a certain *file* is left to Python.  See ``warnings.showwarning``."""
        if file is None:
            self.msg(
                warning=message,
                category=qual(category),
                filename=filename,
                lineno=lineno,
                format="%(filename)s:%(lineno)s: %(category)s: %(warning)s",
            )
        else:
            self._old_showwarning(message, category, filename, lineno, file, line)

    def _startLogging(self, other: _Observer, setStdout: bool | int) -> None:
        wrapped: LogObserver = other if INewLogObserver.providedBy(other) else LegacyLogObserverWrapper(other)
        self._wrapped.append((other, wrapped))
        self._before = self._warnings.showwarning
        # The old module kept nothing from before the log began.
        self._beginner.beginLoggingTo([wrapped], discardBuffer=True, redirectStandardIO=bool(setStdout))

    def _stopLogging(self) -> None:
        self._warnings.showwarning = self._before


class FileLogObserver:
    """Writes old events to a file: ``time [system] text``, further lines indented.

    :ivar timeFormat: as for ``time.strftime``, with ``%f`` for microseconds; ``None`` writes date, time and offset.
    """

    timeFormat: str | None = None

    def __init__(self, f: IO[Any]) -> None:
        """Write to *f*, a text file, or a binary one, which gets UTF-8."""
        self.write = writer_of(f)
        self.flush = f.flush

    def getTimezoneOffset(self, when: float) -> int:
        """Return how many seconds local time is behind UTC at the time *when*."""
        return -(localtime(when).tm_gmtoff or 0)

    def formatTime(self, when: float) -> str:
        """Return the time *when*, in seconds since the epoch, as text."""
        if self.timeFormat is not None:
            return formatTime(when, self.timeFormat)
        behind = self.getTimezoneOffset(when)
        hours, minutes = divmod(abs(behind) // 60, 60)
        return (
            f"{strftime('%Y-%m-%d %H:%M:%S', gmtime(when - behind))}{'-' if behind > 0 else '+'}{hours:02}{minutes:02}"
        )

    def emit(self, eventDict: EventDict) -> None:
        """Write an event; one without text is left out."""
        text = textFromEventDict(eventDict)
        if text is None:
            return
        fields = {"system": eventDict["system"], "text": text.replace("\n", "\n\t")}
        self.write(f"{self.formatTime(eventDict['time'])} {safe_format('[%(system)s] %(text)s', fields)}\n")
        self.flush()

    def start(self) -> None:
        """Observe all events from now on."""
        addObserver(self.emit)

    def stop(self) -> None:
        """Stop observing."""
        removeObserver(self.emit)


class PythonLoggingObserver:
    """Hands old events to a logger of Python's ``logging`` module."""

    def __init__(self, loggerName: str = "torsion") -> None:
        """Hand events to the logger called *loggerName*."""
        self._observer = STDLibLogObserver(name=loggerName, stackDepth=7)

    def emit(self, eventDict: EventDict) -> None:
        """Hand on an event; its ``logLevel``, a level of ``logging``, says how grave it is."""
        text = textFromEventDict(eventDict)
        if text is None:
            return
        event = {**eventDict, "log_format": "{log_text}", "log_text": text}
        if "logLevel" in eventDict:
            event["log_level"] = fromStdlibLogLevelMapping.get(eventDict["logLevel"], LogLevel.info)
        elif eventDict.get("isError"):
            event["log_level"] = LogLevel.critical
        event.pop("log_failure", None)
        self._observer(event)

    def start(self) -> None:
        """Observe all events from now on."""
        addObserver(self.emit)

    def stop(self) -> None:
        """Stop observing."""
        removeObserver(self.emit)


class DefaultObserver:
    """Shows errors, and only those, on standard error.

    :ivar stderr: where to; ``None`` stands for what is then ``sys.stderr``.
    """

    stderr: IO[str] | None = None

    def emit(self, eventDict: EventDict) -> None:
        """Show the event if it is an error."""
        if eventDict["isError"]:
            stream = sys.stderr if self.stderr is None else self.stderr
            text = textFromEventDict(eventDict)
            stream.write("" if text is None else f"{text}\n")
            stream.flush()

    def start(self) -> None:
        """Observe all events from now on."""
        addObserver(self.emit)

    def stop(self) -> None:
        """Stop observing."""
        removeObserver(self.emit)


class NullFile:
    """A file that takes everything and gives nothing."""

    softspace = 0

    def read(self) -> str:
        """Return ``""``."""
        return ""

    def write(self, bytes: Any) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class StdioOnnaStick:
    """A file to write to whose lines are logged; the new one is ``torsion.logger.LoggingFile``."""

    closed = 0
    softspace = 0
    mode = "wb"
    name = "<stdio (log)>"

    def __init__(self, isError: bool | int = 0, encoding: str | None = None) -> None:
        """Log lines, as errors if *isError*.

        :param encoding: of bytes that are written; ``None`` stands for Python's default.
        """
        self.isError = isError
        self.encoding = encoding or sys.getdefaultencoding()
        self.buf = ""

    def close(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def _refuse(self, *args: Any) -> NoReturn:
        """Raise ``OSError``: this file can only be written to."""
        from io import UnsupportedOperation

        raise UnsupportedOperation("a file that logs can only be written to")

    fileno = read = readline = readlines = seek = tell = _refuse

    def write(self, data: str | bytes) -> None:
        """Take *data*, and log each line that it ends."""
        text = data.decode(self.encoding) if isinstance(data, bytes) else data
        *lines, self.buf = (self.buf + text).split("\n")
        for line in lines:
            msg(line, printed=1, isError=self.isError)

    def writelines(self, lines: Iterable[str | bytes]) -> None:
        """Log each of *lines*."""
        for line in lines:
            msg(line.decode(self.encoding) if isinstance(line, bytes) else line, printed=1, isError=self.isError)


theLogPublisher = LogPublisher(globalLogPublisher, globalLogPublisher, globalLogBeginner)
"""The publisher that the functions of this module use."""
defaultObserver = DefaultObserver()
"""Kept for compatibility: what shows errors until the log begins is the new logger's beginner."""
logfile: Any = LoggingFile(NewLogger("log_legacy"), LogLevel.info)
"""A file whose lines are logged."""
logerr: Any = LoggingFile(NewLogger("log_legacy"), LogLevel.error)
"""A file whose lines are logged as errors."""


def _error_file() -> Any:
    return logerr


failure.default_file = _error_file


def addObserver(other: _Observer) -> None:
    """Show all events to *other* from now on."""
    theLogPublisher.addObserver(other)


def removeObserver(other: _Observer) -> None:
    """Stop showing events to *other*."""
    theLogPublisher.removeObserver(other)


def msg(*message: object, **kw: Any) -> None:
    """Log a message; see ``LogPublisher.msg``."""
    theLogPublisher.msg(*message, **kw)


def err(_stuff: object = None, _why: str | None = None, **kw: Any) -> None:
    """Log an error.

    :param _stuff: a Failure or an exception; ``None`` stands for the one being handled.  Anything else is shown.
    :param _why: what was being done.
    :param kw: other keys of the event.
    """
    if _stuff is None:
        _stuff = failure.Failure()
    if isinstance(_stuff, BaseException):
        reason = _stuff if isinstance(_stuff, failure.Failure) else failure.Failure(_stuff)
        msg(failure=reason, why=_why, isError=1, **kw)
    else:
        msg(repr(_stuff), why=_why, isError=1, **kw)


deferr = err


def showwarning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: IO[Any] | None = None,
    line: str | None = None,
) -> None:
    """Log a warning; see ``LogPublisher.showwarning``."""
    theLogPublisher.showwarning(message, category, filename, lineno, file, line)


def startLogging(file: IO[Any] | LoggingFile, *a: Any, **kw: Any) -> FileLogObserver | None:
    """Begin the log: write all events to *file*; see ``startLoggingWithObserver`` for the other arguments.

    :return: the observer; ``None`` if *file* is one that itself logs, where nothing is done.
    """
    if isinstance(file, LoggingFile):
        return None
    observer = FileLogObserver(file)
    startLoggingWithObserver(observer.emit, *a, **kw)
    return observer


def startLoggingWithObserver(observer: _Observer, setStdout: bool | int = 1) -> None:
    """Begin the log: show all events to *observer*.

    :param setStdout: log what is written to standard output and standard error.
    """
    theLogPublisher._startLogging(observer, setStdout)
    msg("Log opened.")


def discardLogs() -> None:
    """Throw away what is written to ``logfile`` from now on."""
    global logfile
    logfile = NullFile()
