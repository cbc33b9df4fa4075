"""What a shell can offer at a place of a command line, before it is written in any shell's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._completers import CompleteFiles, Completer, Completions
from ._quoting import one_line

if TYPE_CHECKING:
    from ._options import Options


@dataclass(frozen=True)
class Option:
    """One option.

    :ivar name: its long name, without dashes.
    :ivar spellings: all that it may be called, with dashes.
    :ivar description: what it is for, in one line.
    :ivar completer: what its value may be; ``None`` for a flag.
    :ivar repeats: whether it may be given more than once.
    :ivar excludes: spellings of options that cannot be given along with it, itself not among them.
    """

    name: str
    spellings: tuple[str, ...]
    description: str
    completer: Completer | None
    repeats: bool
    excludes: frozenset[str]


def options_of(config: Options) -> list[Option]:
    """Return the options of *config* by name.

    :raise ValueError: if its completion data, or those of a base, name an option that there is not.
    """
    descriptions: dict[str, str] = {}
    actions: dict[str, Completer | Callable[[], Completer] | None] = {}
    multiple: set[str] = set()
    exclusive: list[Sequence[str]] = []
    for data in _completions(config):
        descriptions.update(data.descriptions)
        actions.update(data.optActions)
        multiple.update(data.multiUse)
        exclusive.extend(data.mutuallyExclusive)
    names = sorted(set(config.synonyms.values()))
    named = {*descriptions, *actions, *multiple, *(name for group in exclusive for name in group)}
    if unknown := named.difference(names):
        raise ValueError(
            f"completion data of {type(config).__name__} name options that there are not: {sorted(unknown)}"
        )
    spellings = {name: _spellings(config, name) for name in names}
    return [
        Option(
            name=name,
            spellings=spellings[name],
            description=one_line(descriptions.get(name) or config.docs[name]) or name,
            completer=None if config.is_flag(name) else made(actions.get(name)) or CompleteFiles(),
            repeats=name in multiple,
            excludes=frozenset(
                each
                for group in exclusive
                if name in group
                for other in group
                if other != name
                for each in spellings[other]
            ),
        )
        for name in names
    ]


def extra_actions(config: Options) -> list[Completer]:
    """Return what the arguments of *config* may be that are no options: as its nearest class says that says so."""
    for data in reversed(_completions(config)):
        if actions := [made(each) for each in data.extraActions]:
            return [action for action in actions if action is not None]
    return []


def commands_of(config: Options) -> list[tuple[str, str]]:
    """Return the names and descriptions of the sub-commands of *config*."""
    return [(str(name), one_line(doc) or str(name)) for name, _, _, doc in getattr(config, "subCommands", None) or ()]


def made(action: Completer | Callable[[], Completer] | None) -> Completer | None:
    """Return the completer that *action* is, or makes."""
    return action if action is None or isinstance(action, Completer) else action()


def located(config: Options, words: Sequence[str]) -> tuple[Options, int]:
    """Return the options that the word after *words* belongs to, and how many of *words* come before these.

    What cannot be parsed ends the search: it goes on from the sub-command that was found before.
    """
    import getopt

    before = 0
    while commands := getattr(config, "subCommands", None):
        try:
            _, arguments = getopt.getopt(list(words[before:]), config.shortOpt, config.longOpt)
        except getopt.GetoptError:
            break
        chosen = [command for command in commands if arguments and arguments[0] in (command[0], command[1])]
        if not chosen:
            break
        config.subCommand = chosen[0][0]
        inner = chosen[0][2]()
        inner.parent = config
        before = len(words) - len(arguments) + 1
        config = inner
    return config, before


def _completions(config: Options) -> list[Completions]:
    """Return the completion data of the bases of *config*'s class, and its own, from the most general on."""
    found = [vars(cls)["compData"] for cls in reversed(type(config).__mro__) if vars(cls).get("compData")]
    own = vars(config).get("compData")
    return [*found, own] if own else found


def _spellings(config: Options, name: str) -> tuple[str, ...]:
    every = (each for each, to in config.synonyms.items() if to == name)
    return tuple(
        sorted((f"-{each}" if len(each) == 1 else f"--{each}" for each in every), key=lambda each: (len(each), each))
    )
