"""The fields that the text of an event has, and the keys by which ``log_flattened`` holds what is in them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from torsion.logger.events import LogEvent

__all__ = ["Field", "fieldsOf", "flatText", "textFormat"]


class Field(NamedTuple):
    """A field, with the text before it.  The last one of a text may have no name: then it is text only."""

    before: str
    name: str | None
    conversion: str
    specification: str
    text_key: str
    value_key: str


@lru_cache(maxsize=1024)
def fieldsOf(format: str) -> tuple[Field, ...]:
    """Return the fields of a text.  Those of the latest thousand texts are kept: a program says the same again and again.

    :raise ValueError: where braces are amiss.
    """
    # Imported late: to format does without, and every program that starts imports this.
    from string import Formatter

    times: dict[str, int] = {}
    found: list[Field] = []

    def key(name: str, conversion: str, specification: str) -> str:
        key = f"{name}!{conversion}:{specification}"
        times[key] = times.get(key, 0) + 1
        return key if times[key] == 1 else f"{key}/{times[key]}"

    for before, name, specification, conversion in Formatter().parse(format):
        if name is None:
            found.append(Field(before, None, "", "", "", ""))
        else:
            text_key = key(name, conversion or "s", specification or "")
            value_key = key(name, "", specification or "")
            found.append(Field(before, name, conversion or "", specification or "", text_key, value_key))
    return tuple(found)


def textFormat(event: LogEvent) -> str | None:
    """Return the event's ``log_format``, which may be given as UTF-8.

    :raise TypeError: if it is neither text nor bytes.
    """
    format = event.get("log_format")
    if isinstance(format, bytes):
        return format.decode("utf-8")
    if format is None or isinstance(format, str):
        return format
    raise TypeError(f"Log format must be str, not {format!r}")


def flatText(event: LogEvent) -> str:
    """Return the text of an event that has ``log_flattened``.

    :raise KeyError: if the text has a field that is not in there.
    """
    known = event["log_flattened"]
    pieces: list[str] = []
    for field in fieldsOf(textFormat(event) or ""):
        pieces.append(field.before)
        if field.name is not None:
            pieces.append(str(known[field.text_key]))
    return "".join(pieces)
