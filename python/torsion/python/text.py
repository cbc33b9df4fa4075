"""Text in lines, and words in quotation marks. New code uses :mod:`textwrap` and :mod:`shlex`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

__all__ = [
    "endsInNewline",
    "greedyWrap",
    "isMultiline",
    "removeLeadingBlanks",
    "removeLeadingTrailingBlanks",
    "splitQuoted",
    "strFile",
    "stringyString",
    "wordWrap",
]


def isMultiline(s: str) -> bool:
    """Return whether *s* has a newline in it."""
    return "\n" in s


def endsInNewline(s: str) -> bool:
    """Return whether *s* ends with a newline."""
    return s.endswith("\n")


def greedyWrap(inString: str, width: int = 80) -> list[str]:
    """Return *inString* in lines of at most *width* columns; words that are longer stand alone.

    Paragraphs, with an empty line between them, stay apart: each of several is followed by an empty line.
    """
    paragraphs = inString.split("\n\n")
    lines: list[str] = []
    for paragraph in paragraphs:
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        if line:
            lines.append(line)
        if len(paragraphs) > 1:
            lines.append("")
    return lines


wordWrap = greedyWrap


def removeLeadingBlanks(lines: list[str]) -> list[str]:
    """Return *lines* without those at the beginning that have nothing but white space."""
    return lines[next((number for number, line in enumerate(lines) if line.strip()), len(lines)) :]


def removeLeadingTrailingBlanks(s: str) -> str:
    """Return *s* without lines of white space at its beginning and its end; it ends with a newline."""
    lines = removeLeadingBlanks(s.split("\n"))
    lines = removeLeadingBlanks(lines[::-1])[::-1]
    return "\n".join(lines) + "\n"


def splitQuoted(s: str) -> list[str]:
    """Return the words of *s*; what stands in quotation marks of either kind is one word, without them."""
    words = re.finditer(r"""(?:"([^"]*)"|'([^']*)')(?=\s|$)|(\S+)""", s)
    return [next(each for each in found.groups() if each is not None) for found in words]


def strFile(p: str, f: IO[str], caseSensitive: bool | int = True) -> bool:
    """Return whether the text *p* is in what is left to be read of the file *f*; it is read to its end, or up to the text.

    No more of the file than twice the length of *p*, or 64 KiB, is held at a time.
    """
    wanted = p if caseSensitive else p.lower()
    held = ""
    while True:
        read = f.read(max(len(p), 1 << 15))
        held += read if caseSensitive else read.lower()
        if wanted in held:
            return True
        if not read:
            return False
        held = held[len(held) - len(p) + 1 :] if len(p) > 1 else ""


def stringyString(object: Any, indentation: str = "") -> str:
    """Return *object* as text for people: items of lists, tuples and dictionaries stand in lines of their own."""
    if isinstance(object, Mapping):
        items = [_pair(f"{key}:", stringyString(value, indentation + "   ")) for key, value in object.items()]
        braces, after = "{}", ""
    elif isinstance(object, list | tuple):
        items = [stringyString(each, indentation + " ").strip() for each in object]
        braces, after = ("[]" if isinstance(object, list) else "()"), ","
    else:
        lines = [indentation + line for line in str(object).split("\n")]
        return "\n".join(lines) + ("\n" if len(lines) > 1 else "")
    text = f"\n{indentation} ".join(each + after for each in items)
    made = f"{indentation}{braces[0]}{text}{braces[1]}"
    return made + "\n" if isMultiline(made) else made


def _pair(key: str, value: str) -> str:
    return f"{key}\n{value.rstrip()}" if isMultiline(value) else f"{key} {value.strip()}"
