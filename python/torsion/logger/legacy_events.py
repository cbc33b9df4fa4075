"""Events of the old ``log`` module: their text, and how the two kinds become each other.

An old event has ``message`` (a tuple), ``time``, ``system``, ``isError``, and perhaps ``format`` (for the ``%`` operator),
``failure`` and ``why``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import TYPE_CHECKING, Any

from zope.interface import Interface, implementer

from torsion.logger.events import ILogObserver as INewLogObserver
from torsion.logger.events import LogEvent
from torsion.logger.format import formatEvent
from torsion.logger.levels import LogLevel
from torsion.logger.stdlib import StringifiableFromEvent, fromStdlibLogLevelMapping
from torsion.python.reflect import safe_str

if TYPE_CHECKING:
    from torsion.logger.observer import LogObserver

__all__ = [
    "EventDict",
    "ILogObserver",
    "LegacyLogObserverWrapper",
    "publishToNewObserver",
    "safe_format",
    "textFromEventDict",
]

EventDict = dict[str, Any]


class ILogObserver(Interface):
    """An observer of old events: any callable that takes one."""

    def __call__(eventDict: EventDict) -> None:  # noqa: N805 - an interface's methods have no self
        """Look at an event."""


def safe_format(fmtString: Any, fmtDict: Mapping[str, Any]) -> str:
    """Return ``fmtString % fmtDict`` or, where that fails, a text that says so.  Never raises."""
    try:
        return str(fmtString % fmtDict)
    except Exception:  # noqa: BLE001 - what is logged may be anything
        try:
            return f"Invalid format string or unformattable object in log message: {fmtString!r}, {fmtDict}"
        except Exception:  # noqa: BLE001 - of somebody else's __repr__
            try:
                return f"UNFORMATTABLE OBJECT in log message with the format {fmtString!r}: message lost"
            except Exception:  # noqa: BLE001 - of somebody else's __repr__
                return (
                    "PATHOLOGICAL ERROR: neither the format of a log message nor its fields can be shown: message lost"
                )


def textFromEventDict(eventDict: EventDict) -> str | None:
    """Return the text of an old event, or ``None`` if it has none.

    That is its ``message``; without one, for an error its ``why`` and the traceback of its ``failure``; else its
    ``format`` filled in.
    """
    message = eventDict["message"]
    if message:
        return " ".join(map(safe_str, message))
    if eventDict.get("isError") and "failure" in eventDict:
        why = eventDict.get("why")
        try:
            traceback = eventDict["failure"].getTraceback()
        except Exception as error:  # noqa: BLE001 - the event may carry anything under that key
            traceback = f"(unable to obtain traceback): {error}"
        return f"{safe_str(why) if why else 'Unhandled Error'}\n{traceback}"
    if "format" in eventDict:
        return safe_format(eventDict["format"], eventDict)
    return None


@implementer(INewLogObserver)
class LegacyLogObserverWrapper:
    """Shows events to an observer of old events."""

    def __init__(self, legacyObserver: Callable[[EventDict], object]) -> None:
        """Show events to *legacyObserver*."""
        self.legacyObserver = legacyObserver

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.legacyObserver})"

    def __call__(self, event: LogEvent) -> None:
        """Show *event*, or rather a copy that has an old event's keys too."""
        old = dict(event)
        old.setdefault("time", event.get("log_time"))
        old.setdefault("system", event.get("log_system", "-"))
        if "format" not in old and event.get("log_format") is not None:
            old["format"] = "%(log_legacy)s"
            old["log_legacy"] = StringifiableFromEvent(event)
            # One that is no tuple is not the old key but a field of the new format, which has it already.
            if not isinstance(old.get("message"), tuple):
                old["message"] = ()
        old.setdefault("message", ())
        if "log_failure" in event:
            old.setdefault("failure", event["log_failure"])
            old.setdefault("isError", 1)
            old.setdefault("why", formatEvent(event))
        else:
            old.setdefault("isError", int(event.get("log_level") in (LogLevel.error, LogLevel.critical)))
        self.legacyObserver(old)


def publishToNewObserver(
    observer: LogObserver, eventDict: EventDict, textFromEventDict: Callable[[EventDict], str | None]
) -> None:
    """Show an old event to *observer*, with the keys of a new one added to it.

    :param textFromEventDict: makes its text.
    """
    eventDict.setdefault("log_time", eventDict.get("time", time()))
    if "log_format" not in eventDict:
        text = textFromEventDict(eventDict)
        if text is not None:
            eventDict["log_text"] = text
            eventDict["log_format"] = "{log_text}"
    if "log_level" not in eventDict:
        level: LogLevel | None
        if "logLevel" in eventDict:
            level = fromStdlibLogLevelMapping.get(eventDict["logLevel"])
        else:
            level = LogLevel.critical if eventDict.get("isError") else LogLevel.info
        if level is not None:
            eventDict["log_level"] = level
    eventDict.setdefault("log_namespace", "log_legacy")
    if "system" in eventDict:
        eventDict.setdefault("log_system", eventDict["system"])
    observer(eventDict)
