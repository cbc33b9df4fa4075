"""From events to Python's own ``logging`` module; the way back is ``handler``."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.logger.events import ILogObserver, LogEvent
from torsion.logger.format import formatEvent
from torsion.logger.levels import LogLevel

if TYPE_CHECKING:
    import logging

__all__ = ["STDLibLogObserver", "StringifiableFromEvent", "fromStdlibLogLevelMapping", "toStdlibLogLevelMapping"]

# The numbers that logging's documentation gives; the module itself takes long to import.
toStdlibLogLevelMapping: dict[LogLevel, int] = {
    LogLevel.debug: 10,
    LogLevel.info: 20,
    LogLevel.warn: 30,
    LogLevel.error: 40,
    LogLevel.critical: 50,
}
"""From levels to those of ``logging``."""

fromStdlibLogLevelMapping: dict[int | str, LogLevel] = {
    **{number: level for level, number in toStdlibLogLevelMapping.items()},
    "DEBUG": LogLevel.debug,
    "INFO": LogLevel.info,
    "WARN": LogLevel.warn,
    "WARNING": LogLevel.warn,
    "ERROR": LogLevel.error,
    "FATAL": LogLevel.critical,
    "CRITICAL": LogLevel.critical,
}
"""From levels of ``logging``, by number or name."""


class StringifiableFromEvent:
    """Something whose text is that of an event, made when it is asked for."""

    def __init__(self, event: LogEvent) -> None:
        self.event = event

    def __str__(self) -> str:
        return formatEvent(self.event)


@implementer(ILogObserver)
class STDLibLogObserver:
    """Hands events to a logger of Python's ``logging`` module.

    The record's message is the event's text, its ``log_event`` the event.
    """

    defaultStackDepth = 4

    def __init__(self, name: str = "torsion", stackDepth: int = defaultStackDepth) -> None:
        """Hand events to the logger called *name*.

        :param stackDepth: says which line the record is of: the default is that of whoever calls this observer, one
            more that of its caller, and so on.  Calls inside torsion's logger are passed over.
        """
        import logging

        self.name = name
        self.stackDepth = stackDepth
        self.logger: logging.Logger = logging.getLogger(name)

    def _stack_level(self) -> int:
        """Return how many calls up from :meth:`__call__`, itself the first, the code is that logs."""
        level = max(self.stackDepth - 2, 1)
        frame: FrameType | None = sys._getframe(level)
        while frame is not None and frame.f_globals.get("__name__", "").startswith("torsion.logger."):
            frame = frame.f_back
            level += 1
        return level

    def __call__(self, event: LogEvent) -> None:
        """Hand on *event*, unless it came from ``logging`` in the first place."""
        if "log_record" in event:
            return
        level = toStdlibLogLevelMapping[event.get("log_level", LogLevel.info)]
        failure = event.get("log_failure")
        error: Any = None
        if failure is not None:
            error = (failure.type, failure.value, failure.getTracebackObject())
        self.logger.log(
            level,
            StringifiableFromEvent(event),
            exc_info=error,
            extra={"log_event": event},
            stacklevel=self._stack_level(),
        )
