"""The log of an application that is run by :mod:`torsion.application.app`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from torsion.logger import ILogObserver, Logger, globalLogBeginner, globalLogPublisher, textFileLogObserver
from torsion.python.reflect import namedAny

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AppLogger"]

_log = Logger("torsion.application.app")


class AppLogger:
    """Begins the log, and ends it."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Prepare a log.

        :param options: ``logger``, the dotted name of a function that makes an observer, or that function; else
            ``logfile``, the file to log to: None or ``-`` for standard output.
        """
        self._logger = options.get("logger")
        self._logfile = options.get("logfile")
        self._observer: Any = None
        self._file: Any = None

    def start(self, application: Any) -> None:
        """Begin to log.

        :param application: may have an ``ILogObserver`` among its components, which is taken if the options say nothing.
        :raise OSError: if the file cannot be opened.
        """
        if self._logger is not None:
            make = namedAny(self._logger) if isinstance(self._logger, str) else self._logger
            self._observer = make()
        elif self._logfile is None and application is not None and ILogObserver(application, None) is not None:
            self._observer = ILogObserver(application)
        else:
            self._observer = self._to_file()
        globalLogBeginner.beginLoggingTo([self._observer])
        _log.info("The log begins")

    def _to_file(self) -> Any:
        if self._logfile in (None, "-", ""):
            return textFileLogObserver(sys.stdout)
        from torsion.python.logfile import LogFile

        self._file = LogFile.fromFullPath(self._logfile)
        return textFileLogObserver(self._file)

    def stop(self) -> None:
        """Log that this is the end, and log no more."""
        _log.info("The log ends")
        observer, self._observer = self._observer, None
        if observer is not None:
            globalLogPublisher.removeObserver(observer)
        file, self._file = self._file, None
        if file is not None:
            file.close()
