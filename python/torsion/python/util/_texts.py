"""Text and files' names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any


def nameToLabel(mname: str) -> str:
    """Return a label for what is called *mname* in a program: ``"fooBar"`` is ``"Foo Bar"``."""
    words = re.findall(r"[A-Z]?[^A-Z]+|[A-Z]", mname)
    return " ".join(word[:1].upper() + word[1:] for word in words)


def println(*a: object) -> None:
    """Write *a* to standard output, with blanks between and a newline at the end."""
    import sys

    sys.stdout.write(" ".join(map(str, a)) + "\n")


def makeStatBar(
    width: int, maxPosition: float, doneChar: str = "=", undoneChar: str = "-", currentChar: str = ">"
) -> Callable[..., str]:
    """Return a function that draws how far something is.

    :param width: columns, the brackets among them.
    :param maxPosition: where it is done.
    :returns: it is given the position, and returns the bar, as in ``"[==>------]"``.
    """

    def statBar(position: float, force: bool | int = 0, last: list[Any] = []) -> str:  # noqa: ARG001, B006 - Twisted's signature
        done = min(max(int((width - 3) * position / maxPosition), 0), width - 3) if maxPosition else width - 3
        return f"[{doneChar * done}{currentChar}{undoneChar * (width - 3 - done)}]"

    statBar.__doc__ = (
        f"statBar(position) -> '[{doneChar * 3}{currentChar}{undoneChar * 3}]', at a position up to {maxPosition}"
    )
    return statBar


def str_xor(s: bytes, b: int) -> bytes:
    """Return *s* with each byte xored with *b*."""
    return bytes(each ^ b for each in s)


def sibpath(path: str | bytes, sibling: str | bytes) -> Any:
    """Return the path of *sibling* in the directory that the file at *path* is in."""
    return os.path.join(os.path.dirname(os.path.abspath(path)), sibling)  # type: ignore[arg-type]  # both are of one type


def searchupwards(start: str, files: Iterable[str] = (), dirs: Iterable[str] = ()) -> str | None:
    """Return the nearest directory, from *start* upwards, that has all of *files* and of *dirs*; ``None`` if none has.

    The path ends with a separator.
    """
    wanted = [(name, os.path.isfile) for name in files] + [(name, os.path.isdir) for name in dirs]
    folder = os.path.abspath(start)
    while True:
        if all(there(os.path.join(folder, name)) for name, there in wanted):
            return folder if folder.endswith(os.sep) else folder + os.sep
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
