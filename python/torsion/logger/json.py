"""Events as JSON, a record for each, and back (RFC 7464: JSON text sequences).

What JSON cannot hold becomes a placeholder, ``{"unpersistable": true}``; the text of the event is kept all the same, and so are
the values of its fields where JSON can hold those (see ``flatten``).  Bytes become text, each byte a character.  Levels and
Failures come back as such: they are marked with the same identifiers as in Twisted's logs, so that either reads the other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from torsion.logger.events import LogEvent
from torsion.logger.file import FileLogObserver
from torsion.logger.flatten import flattened
from torsion.logger.levels import LogLevel
from torsion.logger.logger import Logger
from torsion.python._frames import spell_out
from torsion.python.failure import Failure
from torsion.python.reflect import qual, safe_str

if TYPE_CHECKING:
    from json import JSONEncoder

__all__ = ["eventAsJSON", "eventFromJSON", "eventsFromJSONLogFile", "jsonFileLogObserver", "log"]

log = Logger()

RECORD_SEPARATOR = "\x1e"
"""Stands before each record, so that a reader finds its way after one that was cut short (RFC 7464 section 2)."""

UNPERSISTABLE = {"unpersistable": True}
"""Stands for what JSON cannot hold."""

_MARK = "__class_uuid__"
_LEVEL = "02e59486-f24d-46ad-8224-3acdf2a5732a"
_FAILURE = "e76887e2-20ed-49bf-a8f8-ba25cc586f2d"
_MAX_LINE = 2**31 - 1
"""The largest line number that a code object can have."""


# --- out -----------------------------------------------------------------------------------------------------------------


def eventAsJSON(event: LogEvent) -> str:
    """Return *event* as JSON, on one line.  Never raises; keys that are not text, numbers or ``None`` are left out.

    Not-a-number and the infinities are written as Python writes them, which is no strict JSON.
    """
    kept = dict(event)
    try:
        if found := flattened(kept):
            kept["log_flattened"] = found
    except Exception:  # noqa: BLE001 - any object may be in an event, and its text is not all there is to it
        kept.pop("log_flattened", None)
    if isinstance(format := kept.get("log_format"), bytes):
        # It is read as UTF-8, while other bytes are written one character for each.
        kept["log_format"] = format.decode("utf-8", "replace")
    try:
        return _dumped(kept)
    except Exception:  # noqa: BLE001 - a value is circular, too deep, or refuses
        return _dumped(_healthy(kept))


@cache
def _encoder() -> JSONEncoder:
    from json import JSONEncoder

    return JSONEncoder(default=_saved, skipkeys=True)


def _dumped(value: object) -> str:
    return _encoder().encode(value)


def _healthy(values: dict[Any, Any]) -> dict[Any, Any]:
    """Return *values* with a placeholder for each that cannot be had, or without it where the key is at fault."""
    healthy: dict[Any, Any] = {}
    for key, value in values.items():
        # One field that cannot be had does not cost the text of the others.
        tried = _healthy(value) if key == "log_flattened" else value
        for candidate in (tried, UNPERSISTABLE):
            if _can_be_dumped({key: candidate}):
                healthy[key] = candidate
                break
    return healthy


def _can_be_dumped(value: object) -> bool:
    try:
        _dumped(value)
    except Exception:  # noqa: BLE001 - that is what is asked
        return False
    return True


def _saved(value: object) -> object:
    """Return what is written for a value that JSON does not know."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, LogLevel):
        return {"name": value.name, _MARK: _LEVEL}
    if isinstance(value, Failure):
        return _saved_failure(value)
    return UNPERSISTABLE


def _saved_failure(failure: Failure) -> dict[str, Any]:
    module, _, name = qual(failure.type).rpartition(".") if isinstance(failure.type, type) else ("", "", failure.type)
    return {
        "count": failure.count,
        "type": {"__module__": module, "__name__": safe_str(name)},
        "value": failure.getErrorMessage(),
        "captureVars": failure.captureVars,
        "tb": None,
        "parents": failure.parents,
        "stack": [],
        "frames": spell_out(failure.frames),
        "pickled": 1,
        _MARK: _FAILURE,
    }


# --- and back ------------------------------------------------------------------------------------------------------------


def eventFromJSON(eventText: str) -> LogEvent:
    """Return the event that was written as *eventText*.

    Of a Failure, the class is a stand-in of the same name, and the value is the message; ``check`` and ``trap`` know it.

    :raise ValueError: if it is not JSON, or is JSON but no object.
    :raise RecursionError: if it is nested too deeply.
    """
    from json import loads

    event = loads(eventText, object_hook=_loaded)
    if isinstance(event, dict):
        return event
    raise ValueError(f"a log event is a JSON object, and this is none: {eventText[:80]!r}")


def _loaded(value: dict[str, Any]) -> Any:
    """Return what *value* was before it was saved; itself if it was a dictionary, or is no such thing at all."""
    mark = value.get(_MARK)
    if not isinstance(mark, str):
        return value
    if mark.lower() == _LEVEL and isinstance(value.get("name"), str):
        return LogLevel.__members__.get(value["name"])  # None for one of a later version
    if mark.lower() == _FAILURE:
        try:
            return _loaded_failure(value)
        except (KeyError, TypeError, ValueError):
            return value  # it was not we who wrote it
    return value


def _loaded_failure(value: dict[str, Any]) -> Failure:
    module, name = _text(value["type"]["__module__"]), _text(value["type"]["__name__"])
    frames = [
        (_text(function), _text(path), _line(line), _variables(local), _variables(shared))
        for function, path, line, local, shared in value["frames"]
    ]
    failure = Failure.__new__(Failure)
    failure.__setstate__({
        "type": type(name, (Exception,), {"__module__": module}),
        "value": value["value"],
        "count": int(value.get("count", 0)),
        "captureVars": bool(value.get("captureVars")),
        "frames": frames,
        "parents": [_text(parent) for parent in value["parents"]],
        "pickled": 1,
    })  # fmt: skip
    return failure


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _line(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MAX_LINE:
        raise ValueError(f"{value!r} is no number of a line")
    return value


def _variables(pairs: Iterable[tuple[object, object]]) -> list[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in pairs]


# --- files ---------------------------------------------------------------------------------------------------------------


def jsonFileLogObserver(outFile: IO[Any], recordSeparator: str = RECORD_SEPARATOR) -> FileLogObserver:
    """Return an observer that writes to *outFile*: for each event the separator, the event as JSON, and a line end.

    :param outFile: a text file, or a binary one.
    :param recordSeparator: ``""`` writes JSON lines.
    """
    return FileLogObserver(outFile, lambda event: f"{recordSeparator}{eventAsJSON(event)}\n")


def eventsFromJSONLogFile(
    inFile: IO[Any], recordSeparator: str | None = None, bufferSize: int = 4096
) -> Iterator[LogEvent]:
    """Yield the events in a file that ``jsonFileLogObserver`` wrote.

    What cannot be read is logged as an error, with the record, and left out.

    :param inFile: a text file, or a binary one with UTF-8.
    :param recordSeparator: stands before each record; ``""`` for JSON lines; ``None`` finds out which of both it is.
    :param bufferSize: how many characters or bytes to read at a time.
    """
    for record, whole in _records(inFile, recordSeparator, max(bufferSize, 1)):
        if not record.strip():
            continue
        try:
            text = record.decode("utf-8")
        except UnicodeDecodeError:
            log.error("Unable to decode UTF-8 for JSON record: {record!r}", record=record)
            continue
        try:
            event = eventFromJSON(text)
        except (ValueError, RecursionError):
            if whole:
                log.error("Unable to read JSON record: {record!r}", record=record)
            else:
                log.error("Unable to read truncated JSON record: {record!r}", record=record)
            continue
        yield event


def _records(file: IO[Any], separator: str | None, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the records of *file*, each with whether it ends as one should."""
    waiting = bytearray(_read(file, size))
    if separator is None:
        separator = RECORD_SEPARATOR if waiting.startswith(RECORD_SEPARATOR.encode()) else ""
    between = separator.encode() or b"\n"
    searched = 0
    while True:
        end = waiting.find(between, searched)
        if end >= 0:
            record = bytes(waiting[:end])
            yield record, not separator or record.endswith(b"\n")
            del waiting[: end + len(between)]
            searched = 0
            continue
        # A record may be many reads long: it is searched once all the same.
        searched = max(len(waiting) - len(between) + 1, 0)
        more = _read(file, size)
        if not more:
            break
        waiting += more
    yield bytes(waiting), not separator or waiting.endswith(b"\n")


def _read(file: IO[Any], size: int) -> bytes:
    data: bytes | str = file.read(size)
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
