"""Bridges between text and bytes, and a few things that Python 3 does otherwise than Python 2 did.

For code that is being ported; new code needs none of it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, TypeVar

__all__ = [
    "cmp",
    "comparable",
    "cookielib",  # noqa: F822 - by __getattr__, below
    "currentframe",
    "execfile",
    "ioType",
    "iterbytes",
    "lazyByteSlice",
    "nativeString",
    "networkString",
    "urllib_parse",  # noqa: F822 - likewise
]

C = TypeVar("C", bound=type)


def nativeString(s: str | bytes) -> str:
    """Return *s*, ASCII text or bytes, as text.

    :raise TypeError: if it is neither.
    :raise UnicodeError: if it is not ASCII.
    """
    if isinstance(s, bytes):
        return s.decode("ascii")
    if not isinstance(s, str):
        raise TypeError(f"{s!r} is neither bytes nor str")
    s.encode("ascii")
    return s


def networkString(s: str) -> bytes:
    """Return the ASCII text *s* as bytes.

    :raise TypeError: if it is not text.
    :raise UnicodeError: if it is not ASCII.
    """
    if not isinstance(s, str):
        raise TypeError(f"can only convert str to bytes, not {type(s).__name__}")
    return s.encode("ascii")


def iterbytes(originalBytes: bytes) -> Iterator[bytes]:
    """Give each byte as ``bytes`` of length one."""
    for index in range(len(originalBytes)):
        yield originalBytes[index : index + 1]


def lazyByteSlice(object: bytes | bytearray | memoryview, offset: int = 0, size: int | None = None) -> memoryview:
    """Return a view of *object* from *offset* on, of *size* bytes or all; nothing is copied."""
    view = memoryview(object)
    return view[offset:] if size is None else view[offset : offset + size]


def ioType(fileIshObject: Any, default: type = str) -> type:
    """Return what the file *fileIshObject* takes and gives: ``str`` or ``bytes``; *default* if that cannot be told."""
    if isinstance(fileIshObject, io.TextIOBase):
        return str
    if isinstance(fileIshObject, io.IOBase):
        return bytes
    return str if getattr(fileIshObject, "encoding", None) else default


def cmp(a: Any, b: Any) -> int:
    """Return -1, 0 or 1, as *a* is less than *b*, equal to it or greater."""
    return int(bool(a > b)) - int(bool(a < b))


def comparable(klass: C) -> C:
    """Give a class that has ``__cmp__`` all comparisons, by it; a class decorator.

    ``__cmp__(other)`` returns a number less than, equal to or greater than 0, or ``NotImplemented``.
    """
    for name, holds in _COMPARISONS.items():
        setattr(klass, name, _comparison(name, holds))
    return klass


_COMPARISONS: dict[str, Any] = {
    "__eq__": lambda found: found == 0,
    "__ne__": lambda found: found != 0,
    "__lt__": lambda found: found < 0,
    "__le__": lambda found: found <= 0,
    "__gt__": lambda found: found > 0,
    "__ge__": lambda found: found >= 0,
}


def _comparison(name: str, holds: Any) -> Any:
    def compare(self: Any, other: object) -> Any:
        found = self.__cmp__(other)
        return NotImplemented if found is NotImplemented else holds(found)

    compare.__name__ = name
    return compare


def currentframe(n: int = 0) -> FrameType | None:
    """Return the caller's frame, or the one *n* calls before."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(n):
        frame = frame and frame.f_back
    return frame


def execfile(filename: str, globals: dict[str, Any], locals: dict[str, Any] | None = None) -> None:
    """Run the Python source in the file *filename* with these variables.

    :raise OSError: if it cannot be read.
    :raise SyntaxError: if it is no Python.
    """
    with open(filename, "rb") as file:  # noqa: PTH123 - the name is text
        source = file.read()
    exec(compile(source, filename, "exec", dont_inherit=True), globals, globals if locals is None else locals)  # noqa: S102 - what it is for


def __getattr__(name: str) -> Any:
    """Load the two modules that have other names now when they are asked for: they are large."""
    if name == "cookielib":
        from http import cookiejar

        return cookiejar
    if name == "urllib_parse":
        from urllib import parse

        return parse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
