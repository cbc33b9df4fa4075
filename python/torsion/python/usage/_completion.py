"""What the program answers when a shell asks how a command line could go on, and what makes shells ask."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from ._completers import _BASH, _FISH, _ZSH
from ._quoting import for_bash, for_fish

if TYPE_CHECKING:
    from ._options import Options

_STUBS = {
    # zsh comes with one for Twisted's commands, which takes answers of the same form.
    _ZSH: """#compdef {names}
local output
output=$("$words[@]" --_shell-completion zsh:$CURRENT 2>/dev/null)
[[ $output == "#compdef "* ]] && eval "$output"
""",
    _BASH: """_{function}() {{
    local output
    output=$("${{COMP_WORDS[@]}}" --_shell-completion "bash:$((COMP_CWORD + 1))" 2>/dev/null) || return
    [[ $output == "#complete "* ]] && eval "$output"
}}
complete -F _{function} {names}
""",
    _FISH: """function __{function}
    set -l before (commandline -opc)
    set -l output ($before --_shell-completion fish:(math (count $before) + 1) 2>/dev/null)
    string match -q '#complete *' -- $output[1]; and printf '%s\\n' $output | source
end
{lines}
""",
}


def complete(config: Options, words: Sequence[str], asked: str) -> str:
    """Return code for a shell, which offers what may stand at a place.

    :param config: the program's options.
    :param words: what was typed after the program's name; what cannot be parsed is passed over.
    :param asked: the shell's name and the place, as in ``"zsh:2"``; the program's name is the place 1.
    :raise NotImplementedError: for another shell than zsh, bash and fish.
    :raise ValueError: if the place is no number, or the options' completion data are wrong.
    """
    from . import _bash, _fish, _zsh

    shell, _, place = asked.partition(":")
    before = list(words[: max(int(place) - 2, 0)])
    current = words[len(before)] if len(before) < len(words) else ""
    program = PurePath(sys.argv[0] if sys.argv else "").name or "python"
    if shell == _ZSH:
        return _zsh.code(config, program, before)
    if shell == _BASH:
        return _bash.code(config, program, before, current)
    if shell == _FISH:
        return _fish.code(config, program, before, current)
    raise NotImplementedError(f"there is no completion for the shell {shell!r}")


def completionScript(shell: str, *commands: str) -> str:
    """Return what a shell must read so that it completes *commands*, programs whose options are an :class:`Options`.

    :param shell: ``"zsh"`` (put it into a file ``_command`` on ``$fpath``), ``"bash"`` (into ``~/.bash_completion``) or
        ``"fish"`` (into ``~/.config/fish/completions/command.fish``).
    :raise NotImplementedError: for another shell.
    :raise ValueError: if no command is named.
    """
    if shell not in _STUBS:
        raise NotImplementedError(f"there is no completion for the shell {shell!r}")
    if not commands:
        raise ValueError("name the commands that are to be completed")
    function = "".join(each if each.isalnum() else "_" for each in commands[0]) + "_complete"
    return _STUBS[shell].format(
        function=function,
        names=" ".join(commands if shell == _ZSH else map(for_bash, commands)),
        lines="\n".join(f"complete -c {for_fish(each)} -f -a '(__{function})'" for each in commands),
    )
