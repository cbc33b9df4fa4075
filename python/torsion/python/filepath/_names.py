"""Which names may be looked up in a directory, and paths as text and as bytes."""

from __future__ import annotations

import os
from typing import AnyStr, TypeVar

from ._errors import InsecurePath

OtherAnyStr = TypeVar("OtherAnyStr", str, bytes)

WINDOWS = os.name == "nt"
_DEVICES = frozenset(
    [
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        *(f"{name}{digit}" for name in ("COM", "LPT") for digit in "123456789¹²³"),
    ]
)


def coerced(path: str | bytes, like: OtherAnyStr) -> OtherAnyStr:
    """Return *path* in the type of *like*; what is no text goes through unchanged (PEP 383).

    :raise InsecurePath: if *path* is text that no file's name can have.
    """
    try:
        if isinstance(like, bytes):
            return os.fsencode(path)
        return os.fsdecode(path)
    except UnicodeError as error:
        raise InsecurePath(f"{path!r} cannot be the name of a file: {error}") from error


def checked(name: AnyStr, windows: bool = WINDOWS) -> AnyStr:
    """Return *name*, normalised, if it is relative and can be a name.

    :raise InsecurePath: if it is absolute, or has a NUL, or is text that no file's name can have; on Windows also if it
        names a drive, a stream or a device.
    """
    text = coerced(name, "")
    coerced(text, b"")
    if "\0" in text:
        raise InsecurePath(f"{name!r} has a NUL in it")
    if os.path.isabs(name):
        raise InsecurePath(f"{name!r} is an absolute path")
    if windows:
        check_for_windows(text)
    return os.path.normpath(name)


def check_for_windows(text: str) -> None:
    """Refuse what Windows takes for something else than an entry of a directory.

    :raise InsecurePath: as :func:`checked` tells.
    """
    if ":" in text:
        raise InsecurePath(f"{text!r} names a drive or a stream")
    segments = text.replace("\\", "/").split("/")
    if not segments[0] and len(segments) > 1:
        raise InsecurePath(f"{text!r} is an absolute path")
    for segment in segments:
        # "CON.txt" and "con ." are the console, too.
        if segment.partition(".")[0].rstrip(" ").upper() in _DEVICES:
            raise InsecurePath(f"{text!r} names a device")


def is_beneath(path: AnyStr, folder: AnyStr) -> bool:
    """Return whether the absolute *path* is *folder* or leads through it; both are normalised."""
    separator = coerced(os.sep, folder)
    return path == folder or path.startswith(folder if folder.endswith(separator) else folder + separator)
