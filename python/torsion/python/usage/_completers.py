"""What may stand at a place of a command line, for shells to complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ._quoting import for_bash, for_fish, words_for_bash

_ZSH = "zsh"
_BASH = "bash"
_FISH = "fish"


class Completions:
    """What shells are told besides names and descriptions of options.

    :ivar descriptions: other descriptions, by long name.
    :ivar multiUse: long names of options that may be given more than once.
    :ivar mutuallyExclusive: groups of long names, of which one may be given at most.
    :ivar optActions: what may follow an option, by its long name: a :class:`Completer`, or a function that returns one.
        Where nothing is said, files are offered.
    :ivar extraActions: what the arguments may be that are no options, in their order.
    """

    def __init__(
        self,
        descriptions: Mapping[str, str] = {},
        multiUse: Iterable[str] = (),
        mutuallyExclusive: Iterable[Sequence[str]] = (),
        optActions: Mapping[str, Completer | Callable[[], Completer] | None] = {},
        extraActions: Iterable[Completer | Callable[[], Completer]] = (),
    ) -> None:
        """Remember what is said."""
        self.descriptions = descriptions
        self.multiUse = multiUse
        self.mutuallyExclusive = mutuallyExclusive
        self.optActions = optActions
        self.extraActions = extraActions


class Completer:
    """What may stand somewhere; this one offers nothing, and shows its description at most."""

    _descr: str | None = None  # where the option's name says nothing about its value

    def __init__(self, descr: str | None = None, repeat: bool = False) -> None:
        """Describe a place.

        :param descr: what stands there, shown by shells that show it; by default the option's name.
        :param repeat: whether it may stand there any number of times.
        """
        if descr is not None:
            self._descr = descr
        self._repeat = repeat

    def _shellCode(self, optName: str | None, shellType: str) -> str:
        """Return what *shellType*'s own language needs to complete the value of the option *optName*.

        For zsh, a specification of ``_arguments``; for bash, a command that prints words, one a line, that begin with ``$cur``;
        for fish, one that prints words with descriptions after a tab.

        :raise NotImplementedError: for another shell.
        """
        if shellType == _ZSH:
            return f"{'*' if self._repeat else ''}:{self._described(optName)}:{self._zsh(optName)}"
        if shellType == _BASH:
            return self._bash()
        if shellType == _FISH:
            return self._fish()
        raise NotImplementedError(f"there is no completion for the shell {shellType!r}")

    def _described(self, name: str | None) -> str:
        return self._descr if self._descr is not None else str(name)

    def _zsh(self, name: str | None) -> str:
        return ""

    def _bash(self) -> str:
        return ""

    def _fish(self) -> str:
        return ""


class CompleteFiles(Completer):
    """Offers files."""

    def __init__(self, globPattern: str = "*", **kw: Any) -> None:
        """Offer the files whose names match *globPattern*; further arguments as for :class:`Completer`."""
        super().__init__(**kw)
        self._pattern = globPattern

    def _described(self, name: str | None) -> str:
        return f"{super()._described(name)} ({self._pattern})"

    def _zsh(self, name: str | None) -> str:
        return f'_files -g "{self._pattern}"'

    def _bash(self) -> str:
        return f'compgen -f -X {for_bash("!" + self._pattern)} -- "$cur"; compgen -d -S / -- "$cur"'

    def _fish(self) -> str:
        if self._pattern == "*":
            return "__fish_complete_path (commandline -ct)"
        # fish offers the names that end in something; other patterns are left to whoever types.
        return f"__fish_complete_suffix {for_fish(self._pattern.rpartition('*')[2])}"


class CompleteDirs(Completer):
    """Offers directories."""

    def _zsh(self, name: str | None) -> str:
        return "_directories"

    def _bash(self) -> str:
        return 'compgen -d -S / -- "$cur"'

    def _fish(self) -> str:
        return "__fish_complete_directories (commandline -ct)"


class CompleteList(Completer):
    """Offers words."""

    def __init__(self, items: Iterable[str], **kw: Any) -> None:
        """Offer *items*; further arguments as for :class:`Completer`."""
        super().__init__(**kw)
        self._items = list(items)

    def _zsh(self, name: str | None) -> str:
        return f"({' '.join(map(str, self._items))})"

    def _bash(self) -> str:
        return f'compgen -W {words_for_bash(self._items)} -- "$cur"'

    def _fish(self) -> str:
        return "printf '%s\\n' " + " ".join(for_fish(str(item)) for item in self._items)


class CompleteMultiList(CompleteList):
    """Offers words of which several may be given, with commas between."""

    def _zsh(self, name: str | None) -> str:
        return f"_values -s , '{self._described(name)}' {' '.join(map(str, self._items))}"

    def _bash(self) -> str:
        words = words_for_bash(self._items)
        return (
            'local before=""; [[ $cur == *,* ]] && before="${cur%,*},"; '
            f'compgen -P "$before" -W {words} -- "${{cur##*,}}"'
        )

    def _fish(self) -> str:
        return "__fish_complete_list , " + for_fish(super()._fish())


class CompleteUsernames(Completer):
    """Offers the names of users."""

    def _zsh(self, name: str | None) -> str:
        return "_users"

    def _bash(self) -> str:
        return 'compgen -u -- "$cur"'

    def _fish(self) -> str:
        return "__fish_complete_users"


class CompleteGroups(Completer):
    """Offers the names of groups of users."""

    _descr = "group"

    def _zsh(self, name: str | None) -> str:
        return "_groups"

    def _bash(self) -> str:
        return 'compgen -g -- "$cur"'

    def _fish(self) -> str:
        return "__fish_complete_groups"


class CompleteHostnames(Completer):
    """Offers the names of hosts that the shell knows."""

    def _zsh(self, name: str | None) -> str:
        return "_hosts"

    def _bash(self) -> str:
        return 'compgen -A hostname -- "$cur"'

    def _fish(self) -> str:
        return "__fish_print_hostnames"


class CompleteUserAtHost(Completer):
    """Offers the names of hosts, and users at them."""

    _descr = "host | user@host"

    def _zsh(self, name: str | None) -> str:
        # Whoever has typed an @ has done with the user; before that both are possible.
        return (
            "{ if compset -P '*@'; then _hosts; else _alternative 'hosts:host:_hosts' 'users:user:_users -S @ -q'; fi }"
        )

    def _bash(self) -> str:
        return (
            'if [[ $cur == *@* ]]; then compgen -P "${cur%%@*}@" -A hostname -- "${cur#*@}"; '
            'else compgen -S @ -u -- "$cur"; compgen -A hostname -- "$cur"; fi'
        )

    def _fish(self) -> str:
        return "__fish_complete_user_at_hosts; __fish_print_hostnames"


class CompleteNetInterfaces(Completer):
    """Offers the names of network interfaces."""

    def _zsh(self, name: str | None) -> str:
        return "_net_interfaces"

    def _bash(self) -> str:
        return 'compgen -W "$(command ls /sys/class/net 2>/dev/null || ifconfig -l 2>/dev/null)" -- "$cur"'

    def _fish(self) -> str:
        return "__fish_print_interfaces"
