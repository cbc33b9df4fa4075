"""Completion in bash's language: ``COMPREPLY`` is set to what may stand at the place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._completers import _BASH, CompleteFiles
from ._described import commands_of, extra_actions, located, options_of
from ._quoting import for_bash, words_for_bash

if TYPE_CHECKING:
    from ._completers import Completer
    from ._options import Options


def code(config: Options, program: str, before: Sequence[str], current: str) -> str:
    """Return what offers continuations of the word *current* after the words *before*.

    Descriptions are not offered: bash cannot show them.
    """
    inner, count = located(config, before)
    lines = [f"#complete {program}", "COMPREPLY=()"]
    # Bash cuts words at "=", readline replaces what is after it.
    waiting, text = value_of(inner, before[count:], current)
    if waiting is not None:
        lines += [f"local cur={for_bash(text)}", *_reply(waiting._shellCode("", _BASH))]
    elif current.startswith("-"):
        words = [spelling for option in options_of(inner) for spelling in option.spellings]
        lines += [f"local cur={for_bash(current)}", *_reply(f'compgen -W {words_for_bash(words)} -- "$cur"')]
    elif commands := commands_of(inner):
        words = [name for name, _ in commands]
        lines += [f"local cur={for_bash(current)}", *_reply(f'compgen -W {words_for_bash(words)} -- "$cur"')]
    else:
        actions = extra_actions(inner)
        place = arguments_before(inner, before[count:])
        action = actions[min(place, len(actions) - 1)] if actions else CompleteFiles()
        if place < len(actions) or action._repeat or not actions:
            lines += [f"local cur={for_bash(current)}", *_reply(action._shellCode("", _BASH))]
    return "\n".join(lines) + "\n"


def value_of(config: Options, before: Sequence[str], current: str) -> tuple[Completer | None, str]:
    """Return what completes the value of the option that *current* is the value of, or ``None``; and the value so far."""
    takes = {
        spelling: option.completer for option in options_of(config) for spelling in option.spellings if option.completer
    }
    if current.startswith("--") and "=" in current:
        name, _, text = current.partition("=")
        return takes.get(name), text
    # Where bash has cut: "--port", "=", "80".
    if current == "=" and before:
        return takes.get(before[-1]), ""
    if len(before) >= 2 and before[-1] == "=":
        return takes.get(before[-2]), current
    return (takes.get(before[-1]), current) if before and before[-1] != "--" else (None, current)


def arguments_before(config: Options, before: Sequence[str]) -> int:
    """Return how many arguments that are no options stand in *before*."""
    import getopt

    try:
        return len(getopt.getopt(list(before), config.shortOpt, config.longOpt)[1])
    except getopt.GetoptError:
        return 0


def _reply(command: str) -> list[str]:
    if not command:
        return []
    return ["local IFS=$'\\n'", f"COMPREPLY=($( {command} ))"]
