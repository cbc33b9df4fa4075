"""``torsion completion``: what a shell needs to complete the command."""

from __future__ import annotations

import sys

from torsion.python import usage

__all__ = ["Options", "run"]

SHELLS = ("bash", "fish", "zsh")

DESCRIPTION = """\
Print what a shell needs to complete this command. For bash, add it to ~/.bash_completion; for zsh, put it into a file _torsion in a
folder on $fpath; for fish, into ~/.config/fish/completions/torsion.fish. Or, for this session only: eval "$(torsion completion bash)"."""


class Options(usage.Options):
    """Which shell."""

    synopsis = "SHELL"
    longdesc = DESCRIPTION
    compData = usage.Completions(extraActions=[usage.CompleteList(SHELLS)])

    def parseArgs(self, shell: str) -> None:  # type: ignore[override]  # the parser sees to the number of arguments
        """Take the name of the shell.

        :raise torsion.python.usage.UsageError: if it is none of those that there are.
        """
        if shell not in SHELLS:
            raise usage.UsageError(f"there is no completion for the shell {shell!r}; there is for {', '.join(SHELLS)}")
        self["shell"] = shell


def run(options: Options) -> int:
    """Print it, and return the exit status."""
    sys.stdout.write(usage.completionScript(options["shell"], "torsion"))
    return 0
