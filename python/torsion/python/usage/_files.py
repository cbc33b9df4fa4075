"""Options that are kept in a file."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ._errors import UsageError

LARGEST_FILE = 1 << 20
"""Bytes that a file of options may have: a mistyped name of a huge file is told at once, instead of filling the memory."""


def argumentsFromFile(path: str | os.PathLike[str]) -> list[str]:
    """Return the arguments that the file at *path* holds, ready for :meth:`Options.parseOptions`.

    The file is UTF-8. Each line holds arguments, separated and quoted as a POSIX shell would have them; what follows
    ``#`` is a comment. A quotation ends in its line.

    :raise UsageError: if the file cannot be read, has more than ``LARGEST_FILE`` bytes, or holds what is no UTF-8, a NUL
        or a quotation that does not end. The error names the file, and the line.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read options from {os.fspath(path)!r}: {error}") from error
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{os.fspath(path)!r} has more than {LARGEST_FILE} bytes: is it a file of options?")
    arguments: list[str] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            text = line.decode("utf-8")
            if "\0" in text:
                raise ValueError("a NUL byte")
            arguments += shlex.split(text, comments=True)
        except ValueError as error:  # UnicodeDecodeError is one
            raise UsageError(f"{os.fspath(path)!r}, line {number}: {error}") from error
    return arguments
