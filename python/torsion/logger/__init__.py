"""Structured logging: events are dictionaries, and become text only where somebody reads them.

``logger`` emits events; ``observer`` shows them around; ``filter``, ``file``, ``buffer`` and ``capture`` are observers;
``format`` makes text, ``json`` records that can be read back, ``fields`` and ``flatten`` know what a text needs; ``io`` makes events of what is printed; ``global_`` begins the process's log; ``levels`` and
``events`` are what all stand on.  ``legacy`` is Twisted's old ``log`` module over these.
"""

from __future__ import annotations

from torsion.logger.buffer import LimitedHistoryLogObserver
from torsion.logger.capture import capturedLogs
from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.file import FileLogObserver, textFileLogObserver
from torsion.logger.filter import FilteringLogObserver, ILogFilterPredicate, LogLevelFilterPredicate, PredicateResult
from torsion.logger.flatten import extractField
from torsion.logger.format import eventAsText, formatEvent, formatEventAsClassicLogText, formatTime, timeFormatRFC3339
from torsion.logger.global_ import LogBeginner, globalLogBeginner
from torsion.logger.io import LoggingFile
from torsion.logger.json import eventAsJSON, eventFromJSON, eventsFromJSONLogFile, jsonFileLogObserver
from torsion.logger.legacy_events import LegacyLogObserverWrapper
from torsion.logger.levels import InvalidLogLevelError, LogLevel
from torsion.logger.logger import Logger, Operation, _loggerFor
from torsion.logger.observer import LogPublisher, globalLogPublisher
from torsion.logger.stdlib import STDLibLogObserver

__all__ = [
    "FileLogObserver",
    "FilteringLogObserver",
    "ILogFilterPredicate",
    "ILogObserver",
    "InvalidLogLevelError",
    "LegacyLogObserverWrapper",
    "LimitedHistoryLogObserver",
    "LogBeginner",
    "LogEvent",
    "LogLevel",
    "LogLevelFilterPredicate",
    "LogPublisher",
    "Logger",
    "LoggingFile",
    "Operation",
    "PredicateResult",
    "STDLibLogObserver",
    "_loggerFor",
    "capturedLogs",
    "eventAsJSON",
    "eventAsText",
    "eventFromJSON",
    "eventsFromJSONLogFile",
    "extractField",
    "formatEvent",
    "formatEventAsClassicLogText",
    "formatTime",
    "globalLogBeginner",
    "globalLogPublisher",
    "jsonFileLogObserver",
    "textFileLogObserver",
    "timeFormatRFC3339",
]
