"""Structured logging: events are dictionaries, and become text only where somebody reads them.

``logger`` emits events; ``observer`` shows them around; ``filter``, ``file``, ``buffer`` and ``capture`` are observers;
``format`` makes text, ``json`` records that can be read back, ``fields`` and ``flatten`` know what a text needs; ``io`` makes events of what is printed; ``global_`` begins the process's log; ``levels`` and
``events`` are what all stand on.  ``legacy`` is Twisted's old ``log`` module over these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.logger.buffer import LimitedHistoryLogObserver
from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.file import FileLogObserver, textFileLogObserver
from torsion.logger.format import eventAsText, formatEvent, formatEventAsClassicLogText, formatTime, timeFormatRFC3339
from torsion.logger.global_ import LogBeginner, globalLogBeginner
from torsion.logger.io import LoggingFile
from torsion.logger.levels import InvalidLogLevelError, LogLevel
from torsion.logger.logger import Logger, Operation, _loggerFor
from torsion.logger.observer import LogPublisher, globalLogPublisher

if TYPE_CHECKING:
    from torsion.logger.capture import capturedLogs
    from torsion.logger.filter import (
        FilteringLogObserver,
        ILogFilterPredicate,
        LogLevelFilterPredicate,
        PredicateResult,
    )
    from torsion.logger.flatten import extractField
    from torsion.logger.json import eventAsJSON, eventFromJSON, eventsFromJSONLogFile, jsonFileLogObserver
    from torsion.logger.legacy_events import LegacyLogObserverWrapper
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


if not TYPE_CHECKING:  # a type checker would take it that every name is here

    def __getattr__(name: str) -> object:
        """Load what only some programs use when it is asked for first: all pay for what is loaded above."""
        match name:
            case "eventAsJSON" | "eventFromJSON" | "eventsFromJSONLogFile" | "jsonFileLogObserver":
                from torsion.logger import json as home
            case "FilteringLogObserver" | "ILogFilterPredicate" | "LogLevelFilterPredicate" | "PredicateResult":
                from torsion.logger import filter as home
            case "LegacyLogObserverWrapper":
                from torsion.logger import legacy_events as home
            case "STDLibLogObserver":
                from torsion.logger import stdlib as home
            case "capturedLogs":
                from torsion.logger import capture as home
            case "extractField":
                from torsion.logger import flatten as home
            case _:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(home, name)
        return value
