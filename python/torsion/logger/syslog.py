"""From old events to the system's log, ``torsion.python.syslog``: only where there is one, on POSIX systems."""

from __future__ import annotations

import syslog as stdsyslog

from torsion.logger.legacy import startLoggingWithObserver
from torsion.logger.legacy_events import EventDict, textFromEventDict

__all__ = ["DEFAULT_FACILITY", "DEFAULT_OPTIONS", "SyslogObserver", "startLogging"]

DEFAULT_OPTIONS = 0
"""No options: neither is the process's number in each line, nor are lines shown on the terminal when there is no log."""
DEFAULT_FACILITY = stdsyslog.LOG_USER
"""That of programs in general."""


class SyslogObserver:
    """An observer of old events that sends them to the system's log, each line on its own."""

    @staticmethod
    def openlog(prefix: str, options: int, facility: int) -> None:
        """Open the log: ``syslog.openlog``."""
        stdsyslog.openlog(prefix, options, facility)

    @staticmethod
    def syslog(priority: int, line: str) -> None:
        """Send a line to the log: ``syslog.syslog``."""
        stdsyslog.syslog(priority, line)

    def __init__(self, prefix: str, options: int = DEFAULT_OPTIONS, facility: int = DEFAULT_FACILITY) -> None:
        """Open the log, which a process has one of.

        :param prefix: stands before each line: the program's name, say.
        :param options: of ``syslog.openlog``, such as ``syslog.LOG_PID``.
        :param facility: what kind of program it is, such as ``syslog.LOG_DAEMON``.
        """
        self.openlog(prefix, options, facility)

    def emit(self, eventDict: EventDict) -> None:
        """Send an event; one without text is left out.

        Its ``syslogPriority`` counts; without one, an error has ``LOG_ALERT``, the others have ``LOG_INFO``.  Its
        ``syslogFacility`` counts instead of the observer's.
        """
        text = textFromEventDict(eventDict)
        if text is None:
            return
        priority = eventDict.get("syslogPriority")
        if priority is None:
            priority = stdsyslog.LOG_ALERT if eventDict.get("isError") else stdsyslog.LOG_INFO
        facility = int(eventDict.get("syslogFacility", 0))
        # The log takes neither of the two: in it, a line is an event, and a text of C ends at the first NUL.
        first, *others = text.replace("\0", "\\0").rstrip("\n").split("\n")
        system = eventDict.get("system", "-")
        for line in (first, *(f"\t{other}" for other in others)):
            if line:
                self.syslog(int(priority) | facility, f"[{system}] {line}".encode("utf-8", "replace").decode())


def startLogging(
    prefix: str = "torsion",
    options: int = DEFAULT_OPTIONS,
    facility: int = DEFAULT_FACILITY,
    setStdout: bool | int = 1,
) -> None:
    """Begin the log: send all events to the system's log.

    :param prefix: stands before each line.
    :param options: of ``syslog.openlog``.
    :param facility: what kind of program it is.
    :param setStdout: log what is written to standard output and standard error.
    """
    startLoggingWithObserver(SyslogObserver(prefix, options, facility).emit, setStdout=setStdout)
