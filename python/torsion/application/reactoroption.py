"""The options that choose a reactor, for command lines of programs."""

from __future__ import annotations

import sys
from typing import IO, Any

from torsion.application.reactors import NoSuchReactor, getReactorTypes, installReactor
from torsion.internet.reactors.flavours import FLAVOURS
from torsion.python.usage import CompleteList, Completions, UsageError

__all__ = ["ReactorSelectionMixin"]


class ReactorSelectionMixin:
    """Options that choose a reactor; mix it into an ``Options``.

    The reactor is installed as soon as the option is read, so that what comes after, such as the module of a sub-command,
    may import it.

    :ivar messageOutput: where the list of reactors is written; None for standard output.
    """

    compData = Completions(optActions={"reactor": CompleteList(FLAVOURS)})
    messageOutput: IO[str] | None = None

    def opt_help_reactors(self) -> None:
        """List the flavours of reactor, and which of them work here, and exit."""
        working, others = [], []
        for flavour in getReactorTypes():
            why_not = getattr(flavour, "why_not", None)
            reason = None if why_not is None else why_not()
            if reason is None:
                working.append(f"    {flavour.shortName:<16}{flavour.description}\n")
            else:
                others.append(f"    !{flavour.shortName:<15}{flavour.description} ({reason})\n")
        output = sys.stdout if self.messageOutput is None else self.messageOutput
        output.write("".join(sorted(working)))
        if others:
            output.write("\n    reactors not available on this platform:\n\n")
            output.write("".join(sorted(others)))
        raise SystemExit(0)

    def opt_reactor(self, shortName: str) -> None:
        """Which reactor to use (see --help-reactors for a list of possibilities)"""
        remedy = "See the list of available reactors with --help-reactors"
        try:
            installReactor(shortName)
        except NoSuchReactor as error:
            raise UsageError(f"The specified reactor does not exist: {shortName!r}.\n{remedy}") from error
        except Exception as error:
            raise UsageError(f"The specified reactor cannot be used, failed with error: {error}.\n{remedy}") from error
        options: Any = self
        options["reactor"] = shortName

    opt_r = opt_reactor
