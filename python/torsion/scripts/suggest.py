"""What somebody may have meant who mistyped a command, an option or an endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torsion.python.usage import Options

__all__ = ["one_line"]

_COMMAND = re.compile(r"^Unknown command: (\S+)")
_OPTION = re.compile(r"^option --(\S+) (?:not recognized|not a unique prefix)$")
_KNOWN = re.compile(r"unknown \w+ '([^']*)'; known are (.*)$")


def one_line(problem: str, options: Options) -> str:
    """Return *problem*, an error of parsing *options*, as one line, which ends in a suggestion if there is a good one.

    :param options: the command's, of which a sub-command's may have been parsed.
    """
    line = problem.strip()
    if (
        "endpoint description" in line
    ):  # it goes on with lines that point at the place, which is quoted in the first one
        line = line.partition("\n")[0]
    if found := _COMMAND.match(line):
        names = [str(each[0]) for each in getattr(options, "subCommands", [])]
        return _with(f"there is no command {found[1]!r}", found[1], names, "", f"; there are: {', '.join(names)}")
    if found := _OPTION.match(line):
        inner = options
        while getattr(inner, "subOptions", None) is not None:
            inner = inner.subOptions
        names = [name.rstrip("=") for name in inner.longOpt]
        if line.endswith("prefix"):
            starting = sorted(f"--{name}" for name in names if name.startswith(found[1]))
            return f"--{found[1]} may be {' or '.join(starting)}; write it out"
        return _with(f"there is no option --{found[1]}", found[1], names, "--", "; see --help")
    if found := _KNOWN.search(line):
        return _with(line, found[1], found[2].split(", "), "", "")
    return line


def _with(text: str, word: str, known: Iterable[str], before: str, otherwise: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return f"{text}; did you mean {before}{close[0]}?" if close else f"{text}{otherwise}"
