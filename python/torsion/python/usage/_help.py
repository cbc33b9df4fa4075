"""The text of ``--help``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._options import Options

_LEAST = 20  # columns for the descriptions, however narrow the terminal is


def terminal_width() -> int:
    """Return how many columns there are, by the environment variable ``COLUMNS``; else 80."""
    try:
        return max(int(os.environ["COLUMNS"]), 0) or 80
    except (KeyError, ValueError):
        return 80


def docMakeChunks(optList: Iterable[Mapping[str, Any]], width: int = 80) -> list[str]:
    """Return the lines that describe options, wrapped at *width* columns; each text ends with a newline.

    :param optList: of each option some of ``long`` and ``short`` (its names without dashes), ``doc``, ``default``,
        ``optType`` (``"flag"`` or ``"parameter"``), ``dispatch`` (an object with a ``doc`` to add).
    """
    options = list(optList)
    names = [_names(option) for option in options]
    column = max(map(len, names), default=0) + 2
    chunks = []
    for name, option in zip(names, options, strict=True):
        lines = wrap(_description(option), max(width - column, _LEAST)) or [""]
        text = f"{name:<{column}}{lines[0]}".rstrip()
        chunks.append("".join(f"{line}\n" for line in [text, *(" " * column + line for line in lines[1:])]))
    return chunks


def _names(option: Mapping[str, Any]) -> str:
    short, long = option.get("short"), option.get("long")
    takes = "=" if long and option.get("optType") == "parameter" else ""
    return f"  {f'-{short}' if short else '  '}{', ' if short and long else '  '}{f'--{long}{takes}' if long else ''}".rstrip()


def _description(option: Mapping[str, Any]) -> str:
    text = " ".join(str(option.get("doc") or "").split())
    if option.get("optType") == "parameter" and option.get("default") is not None:
        text = f"{text} [default: {option['default']}]".lstrip()
    more = " ".join(str(getattr(option.get("dispatch"), "doc", None) or "").split())
    if text and more and not text.endswith((".", "]")):
        text += "."
    return f"{text} {more}".strip()


def usage(options: Options, width: int) -> str:
    """Return what follows the synopsis of *options*: its options, what it is for, its commands."""
    described = [
        {
            "long": name,
            "short": next((each for each, to in options.synonyms.items() if to == name and len(each) == 1), None)
            if len(name) > 1
            else None,
            "doc": options.docs[name],
            "optType": "flag" if options.is_flag(name) else "parameter",
            "default": options.defaults.get(name),
            "dispatch": options.handler(name),
        }
        for name in sorted(dict.fromkeys(options.synonyms.values()))
    ]
    described.sort(key=lambda each: str(each["short"] or each["long"]).lower())
    parts = ["Options:\n", *docMakeChunks(described, width)]
    if purpose := _purpose(options):
        paragraphs = [wrap(" ".join(each.split()), max(width, _LEAST)) for each in purpose.split("\n\n")]
        parts.append("\n" + "\n\n".join("\n".join(lines) for lines in paragraphs if lines) + "\n")
    commands = getattr(options, "subCommands", None) or []
    if commands:
        column = max(len(command[0]) for command in commands)
        parts.append("Commands:\n")
        for name, _, _, text in commands:
            lines = wrap(" ".join(str(text or "").split()), max(width - column - 8, _LEAST)) or [""]
            parts.append(f"    {name:<{column}}    {lines[0]}".rstrip() + "\n")
            parts += [f"{'':{column + 8}}{line}\n" for line in lines[1:]]
    return "".join(parts) + "\n"


def _purpose(options: Options) -> str:
    longdesc = getattr(options, "longdesc", None)
    if longdesc is None:
        import sys

        longdesc = getattr(sys.modules.get("__main__"), "__doc__", None)
    return str(longdesc or "").strip()
