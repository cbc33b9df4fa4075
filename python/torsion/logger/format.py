"""Events as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import localtime, strftime
from typing import Any

from torsion.logger.events import LogEvent
from torsion.logger.fields import flatText, textFormat
from torsion.python.failure import Failure
from torsion.python.reflect import safe_repr

__all__ = [
    "CallingMapping",
    "eventAsText",
    "formatEvent",
    "formatEventAsClassicLogText",
    "formatTime",
    "formatUnformattableEvent",
    "formatWithCall",
    "timeFormatRFC3339",
    "unwrapped",
]

timeFormatRFC3339 = "%Y-%m-%dT%H:%M:%S%z"
"""Date, time and offset from UTC, as in ``2026-11-21T10:15:00+0100``."""


def formatEvent(event: LogEvent) -> str:
    """Return the event's text: its ``log_format`` with the fields filled in.

    Never raises: for an event that cannot be formatted the text says so and shows what can be saved of it.
    """
    return eventAsText(event, includeTraceback=False, includeTimestamp=False, includeSystem=False)


def _format_event(event: LogEvent) -> str:
    try:
        format = textFormat(event)
        if format is None:
            return ""
        if "log_flattened" in event:
            return flatText(event)
        return formatWithCall(format, event)
    except Exception as error:  # noqa: BLE001 - any object may be in an event
        return formatUnformattableEvent(event, error)


def formatUnformattableEvent(event: LogEvent, error: BaseException) -> str:
    """Return a text for an *event* whose own text cannot be had because of *error*; never raises."""
    try:
        return f"Unable to format event {event!r}: {error}"
    except BaseException:  # noqa: BLE001 - this text is the last resort
        # Somewhere in the event, or in the error, sits an object that refuses to be shown: go through it piece by piece.
        failure = Failure()
        text = ", ".join(f"{safe_repr(key)} = {safe_repr(value)}" for key, value in event.items())
        return (
            f"MESSAGE LOST: unformattable object logged: {safe_repr(error)}\n"
            f"Recoverable data: {text}\n"
            f"Exception during formatting:\n{failure}"
        )


def formatTime(when: float | None, timeFormat: str | None = timeFormatRFC3339, default: str = "-") -> str:
    """Return the time *when* as text, in the local time zone.

    :param when: seconds since the epoch, or ``None``.
    :param timeFormat: as for ``time.strftime``, and ``%f`` stands for the six digits of microseconds; or ``None``.
    :param default: is returned where one of the two is ``None``.
    """
    if timeFormat is None or when is None:
        return default
    if "%f" in timeFormat:
        micros = round(when * 1_000_000)
        when = micros // 1_000_000
        # "%%f" is a percent sign and an f: a part that ends in an unpaired percent sign is none of ours.
        timeFormat = "%%".join(part.replace("%f", f"{micros % 1_000_000:06}") for part in timeFormat.split("%%"))
    return strftime(timeFormat, localtime(when))


def formatWithCall(formatString: str, mapping: Mapping[str, Any]) -> str:
    """Format as ``str.format``, but a field whose name ends in ``()`` is called and its result put in.

    :param formatString: text with fields in braces, such as ``"{user.name()} from {peer.host!r}"``.
    :param mapping: the fields.
    """
    fields = CallingMapping(mapping) if "()" in formatString else mapping
    return formatString.format_map(fields)


def unwrapped(value: Any) -> Any:
    """Return what a ``CallingMapping`` holds, from what it gave."""
    return object.__getattribute__(value, "wrapped") if type(value) is _CallingObject else value


class CallingMapping:
    """Gives ``callable()`` for the key ``"callable()"``; wraps what it gives, so that attributes do likewise."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, key: str) -> Any:
        if key.endswith("()"):
            return _CallingObject(self._fields[key[:-2]]())
        return _CallingObject(self._fields[key])


class _CallingObject:
    """Stands for an object inside ``str.format``, whose attribute ``"name()"`` is its method's result."""

    __slots__ = ("wrapped",)

    def __init__(self, wrapped: Any) -> None:
        object.__setattr__(self, "wrapped", wrapped)

    def __getattribute__(self, name: str) -> Any:
        wrapped = object.__getattribute__(self, "wrapped")
        if name.endswith("()"):
            return _CallingObject(getattr(wrapped, name[:-2])())
        return _CallingObject(getattr(wrapped, name))

    def __getitem__(self, key: Any) -> Any:
        return _CallingObject(object.__getattribute__(self, "wrapped")[key])

    def __format__(self, specification: str) -> str:
        return format(object.__getattribute__(self, "wrapped"), specification)

    def __repr__(self) -> str:
        return repr(object.__getattribute__(self, "wrapped"))

    def __str__(self) -> str:
        return str(object.__getattribute__(self, "wrapped"))


def eventAsText(
    event: LogEvent,
    includeTraceback: bool = True,
    includeTimestamp: bool = True,
    includeSystem: bool = True,
    formatTime: Callable[[float | None], str] = formatTime,
) -> str:
    """Return the event as text, with what else is known of it.  Never raises.

    :param includeTraceback: add the traceback of ``log_failure``, if there is one.
    :param includeTimestamp: start with ``log_time``.
    :param includeSystem: go on with ``log_system`` in brackets or, without it, ``[namespace#level]``.
    :param formatTime: makes text of ``log_time``; is called with ``None`` if there is none.
    :return: the text, or ``""`` if the event has none and no traceback is to be shown.
    """
    text = _format_event(event)
    if includeTraceback and "log_failure" in event:
        text = f"{text}\n{_traceback_of(event)}"
    if not text:
        return text
    if includeSystem:
        text = f"[{_system_of(event)}] {text}"
    if includeTimestamp:
        text = f"{formatTime(event.get('log_time'))} {text}"
    return text


def _traceback_of(event: LogEvent) -> str:
    try:
        traceback: str = event["log_failure"].getTraceback()
        return traceback
    except Exception as error:  # noqa: BLE001 - the event may carry anything under that key
        return f"(UNABLE TO OBTAIN TRACEBACK FROM EVENT):{safe_repr(error)}"


def _system_of(event: LogEvent) -> str:
    system = event.get("log_system")
    if system is None:
        level = event.get("log_level")
        return f"{event.get('log_namespace') or '-'}#{'-' if level is None else level.name}"
    try:
        return str(system)
    except Exception:  # noqa: BLE001 - the event may carry anything under that key
        return "UNFORMATTABLE"


def formatEventAsClassicLogText(event: LogEvent, formatTime: Callable[[float | None], str] = formatTime) -> str | None:
    """Return the event as a line of a log file, or ``None`` if it has no text.

    The line is ``time [system] text``; where the text has several lines, all but the first are indented by a tab.
    """
    text = eventAsText(event, formatTime=formatTime)
    if not text:
        return None
    return text.replace("\n", "\n\t") + "\n"
