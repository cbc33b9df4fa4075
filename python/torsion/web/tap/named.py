"""What users name on the command line: objects of their own modules, sizes, types."""

from __future__ import annotations

import re
from typing import Any, Final

from torsion.python.reflect import InvalidName, namedAny
from torsion.python.usage import UsageError

__all__ = ["media_type", "named", "size"]

_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;[\t -~]*)?")
"""Types of RFC 9110, 8.3.1: two tokens, and parameters that are not looked at but for what would end the line."""

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def named(name: str, what: str) -> Any:
    """Return the object of that full name; whatever its module raises goes through, as the fault is not in the name.

    :param name: it; between module and object there may be a colon.
    :param what: what to call it.
    :raises UsageError: if there is none.
    """
    try:
        return namedAny(name.replace(":", ".", 1))
    except InvalidName:
        raise UsageError(f"No such {what}: {name!r}") from None
    except AttributeError as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None or trace.tb_frame.f_globals.get("__name__") != namedAny.__module__:
            raise  # of the module's own doing
        raise UsageError(f"No such {what}: {name!r}") from None


def size(text: str) -> int | None:
    """Return how many bytes a size says, such as 500K, 64M or 2G; None for "none".

    :raises ValueError: if it is none.
    """
    if text.lower() == "none":
        return None
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError("it takes a number of bytes, such as 65536, 500K, 64M or 2G; or none, for any size")
    return int(found[1]) * _UNITS[found[2].upper()]


def media_type(text: str) -> str:
    """Return a media type.

    :raises UsageError: if it is none.
    """
    if _TYPE.fullmatch(text) is None:
        raise UsageError(f"--mime-type {text!r} is not TYPE/SUBTYPE, such as text/plain")
    return text
