"""Completion in zsh's language: one call of ``_arguments``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._completers import _ZSH
from ._described import Option, commands_of, extra_actions, located, options_of
from ._quoting import for_bash

if TYPE_CHECKING:
    from ._options import Options


def code(config: Options, program: str, before: Sequence[str]) -> str:
    """Return what offers options and arguments after the words *before*."""
    inner, count = located(config, before)
    lines = [f"#compdef {program}"]
    if count:
        # _arguments looks at the words of the sub-command alone, as if it were a command.
        lines.append(f'words=({for_bash(program)} "${{(@)words[{count + 2},-1]}}"); (( CURRENT -= {count} ))')
    commands = commands_of(inner)
    specifications = ["*::subcmd:->subcmd"] if commands else []
    specifications += [each._shellCode("", _ZSH) for each in extra_actions(inner)]
    specifications += [each for option in options_of(inner) for each in _specifications(option)]
    lines += ['_arguments -s -A "-*" \\', *(f"{for_bash(each)} \\" for each in specifications), "&& return 0"]
    if commands:
        described = (for_bash(f"{_plain(name)}:{doc}") for name, doc in commands)
        lines += ["local _zsh_subcmds_array", f"_zsh_subcmds_array=({' '.join(described)})"]
        lines.append('_describe "sub-command" _zsh_subcmds_array')
    return "\n".join(lines) + "\n"


def _specifications(option: Option) -> list[str]:
    value = "" if option.completer is None else option.completer._shellCode(option.name, _ZSH)
    found = []
    for spelling in option.spellings:
        if option.repeats:
            head = "*"
        else:
            others = sorted((option.excludes | set(option.spellings)) - {spelling})
            head = f"({' '.join(others)})" if others else ""
        takes = "=" if value and spelling.startswith("--") else ""
        found.append(f"{head}{spelling}{takes}[{_plain(option.description)}]{value}")
    return found


def _plain(text: str) -> str:
    """Return *text* for a place where brackets and colons would end it."""
    return "".join(f"\\{each}" if each in "[]:\\" else each for each in text)
