"""Completion in fish's language: lines of words, each with a tab and a description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._bash import arguments_before, value_of
from ._completers import _FISH, CompleteFiles
from ._described import commands_of, extra_actions, located, options_of
from ._quoting import for_fish

if TYPE_CHECKING:
    from ._options import Options


def code(config: Options, program: str, before: Sequence[str], current: str) -> str:
    """Return what offers words after the words *before*; fish itself drops those that do not fit *current*."""
    inner, count = located(config, before)
    lines = [f"#complete {program}"]
    waiting, _ = value_of(inner, before[count:], current)
    if waiting is not None:
        if command := waiting._shellCode("", _FISH):
            lines.append(command)
        return "\n".join(lines) + "\n"
    offered = [(spelling, option.description) for option in options_of(inner) for spelling in option.spellings]
    commands = commands_of(inner)
    if not current.startswith("-"):
        offered = commands
        actions = extra_actions(inner)
        place = arguments_before(inner, before[count:])
        action = actions[min(place, len(actions) - 1)] if actions else CompleteFiles()
        if (
            not commands
            and (place < len(actions) or action._repeat or not actions)
            and (text := action._shellCode("", _FISH))
        ):
            lines.append(text)
    lines += [f"printf '%s\\t%s\\n' {for_fish(word)} {for_fish(description)}" for word, description in offered]
    return "\n".join(lines) + "\n"
