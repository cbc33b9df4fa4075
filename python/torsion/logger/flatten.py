"""What an event's text needs of its fields, taken down so that the text can be had when the objects are gone.

The text of each field, and its value, stand under ``log_flattened`` in the event, by a key made of the field as it is
written: ``{user.name!r:>8}`` has its text under ``user.name!r:>8`` and its value under ``user.name!:>8``; without a
conversion the text is under ``user.name!s:``.  A key that is needed again has ``/2`` added.  Twisted's logs do the same.
"""

from __future__ import annotations

from typing import Any

from torsion.logger.events import LogEvent
from torsion.logger.fields import fieldsOf, textFormat
from torsion.logger.format import CallingMapping, formatWithCall, unwrapped

__all__ = ["extractField", "flattenEvent", "flattened"]


def flattened(event: LogEvent) -> dict[str, Any]:
    """Return what the text of *event* needs, by keys; nothing if it has no fields.

    :raise Exception: whatever makes the event impossible to format.
    """
    if "log_flattened" in event:
        return dict(event["log_flattened"])
    from string import Formatter

    formatter = Formatter()
    source: Any = CallingMapping(event)
    found: dict[str, Any] = {}
    for field in fieldsOf(textFormat(event) or ""):
        if field.name is None:
            continue
        if not field.name or field.name.isdigit():
            raise ValueError(f"the fields of an event have names, and {{{field.name}}} has none")
        value = unwrapped(formatter.get_field(field.name, (), source)[0])
        specification = field.specification
        if "{" in specification:
            specification = formatWithCall(specification, event)
        shown: Any = value
        if field.conversion:
            shown = formatter.convert_field(value, field.conversion)
        found[field.text_key] = format(shown, specification)
        found[field.value_key] = value
    return found


def flattenEvent(event: LogEvent) -> None:
    """Put what its text needs into *event* itself, for whoever keeps events and formats them later.

    :raise Exception: whatever makes the event impossible to format.
    """
    if found := flattened(event):
        event["log_flattened"] = found


def extractField(field: str, event: LogEvent) -> Any:
    """Return the value of a field that the text of *event* has; also of an event that was read from JSON.

    :param field: as written in the text, without its braces: ``"user.name"``.  With a conversion, as in
        ``"user.name!r"``, the text of it is returned.
    :raise KeyError: if the event's text has no such field.
    """
    [wanted] = fieldsOf(f"{{{field}}}")
    return flattened(event)[wanted.text_key if wanted.conversion else wanted.value_key]
