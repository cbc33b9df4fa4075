"""From Python's own ``logging`` module to events; the way back is ``stdlib``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from torsion.logger.events import LogEvent
from torsion.logger.levels import LogLevel
from torsion.logger.observer import globalLogPublisher
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = ["STDLibLogHandler"]


class STDLibLogHandler(logging.Handler):
    """A handler that makes events of what libraries log with ``logging``.

    ``logging.getLogger().addHandler(STDLibLogHandler())`` brings everything into torsion's log.  The record's logger is the
    event's namespace, its level the next lower one of ``LogLevel``, its exception the ``log_failure``, itself ``log_record``;
    its message is put together only if somebody wants the text.

    Records that a ``STDLibLogObserver`` made of events are left out, and that one leaves out events that come from here, so
    that both may be in use at once.
    """

    def __init__(self, observer: LogObserver | None = None, level: int = logging.NOTSET) -> None:
        """Show records to *observer*.

        :param observer: gets the events; ``None`` stands for ``globalLogPublisher``.
        :param level: of ``logging``: what is below it is left out.
        """
        super().__init__(level)
        self.observer: LogObserver = globalLogPublisher if observer is None else observer

    def emit(self, record: logging.LogRecord) -> None:
        """Show *record* as an event."""
        if hasattr(record, "log_event"):
            return
        event: LogEvent = {
            "log_format": "{log_text}",
            "log_text": _Message(record),
            "log_level": _level(record.levelno),
            "log_namespace": record.name,
            "log_source": None,
            "log_time": record.created,
            "log_record": record,
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event["log_failure"] = Failure(error)
        try:
            self.observer(event)
        except Exception:  # noqa: BLE001 - logging's own handlers let nothing out either
            self.handleError(record)


def _level(number: int) -> LogLevel:
    """Return the gravest level that is no graver than *number*, one of ``logging``'s."""
    if number >= logging.CRITICAL:
        return LogLevel.critical
    if number >= logging.ERROR:
        return LogLevel.error
    if number >= logging.WARNING:
        return LogLevel.warn
    return LogLevel.info if number >= logging.INFO else LogLevel.debug


class _Message:
    """Something whose text is a record's message, put together when it is asked for."""

    def __init__(self, record: logging.LogRecord) -> None:
        self._record = record

    def __str__(self) -> str:
        return self._record.getMessage()

    __repr__ = __str__
