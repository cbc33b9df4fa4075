"""The options of the command ``torsion``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torsion import __version__
from torsion.application.runner.fittings import FITTINGS, rows
from torsion.application.twist._options import TwistOptions
from torsion.python.usage import CompleteFiles, CompleteList, Completions, UsageError
from torsion.scripts.tools import TOOLS

__all__ = ["Command"]

_LEVELS = ("debug", "info", "warn", "error", "critical")


def _flavours() -> list[str]:
    from torsion.internet.reactors.flavours import FLAVOURS

    return list(FLAVOURS)


class Command(TwistOptions):
    """What is common to all that the command runs.

    :ivar begin: called once the options before the sub-command are known, if it is one that makes a service.
    """

    synopsis = "Usage: torsion [options]"
    longdesc = (
        "Runs services on torsion's reactor: one of the commands below, which plugins add to, or a file of Python with -y. "
        "Each command has options of its own: torsion COMMAND --help."
    )
    optFlags: ClassVar[Sequence[Sequence[Any]]] = list(rows("optFlags"))
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        [
            "python",
            "y",
            None,
            "Run the variable application of this file of Python.",
            lambda name: str(Path(name).absolute()),
        ],
        *rows("optParameters"),
    ]
    compData = Completions(
        multiUse=[name for fitting in FITTINGS for name in fitting.multiUse],
        optActions={
            "log-format": CompleteList(["text", "json"]),
            "log-level": CompleteList(_LEVELS),
            "python": CompleteFiles("*.py"),
            "reactor": lambda: CompleteList(_flavours()),
            **{name: completer for fitting in FITTINGS for name, completer in fitting.completions.items()},
        },
    )

    def __init__(self) -> None:
        """Set every option to its default."""
        super().__init__()
        self.begin: Callable[[], object] = lambda: None

    def parseOptions(self, options: Sequence[str | bytes] | None = None) -> None:
        """Take the command line apart; see ``torsion.python.usage.Options``."""
        if options is not None and len(options) >= 2 and options[-2] == "--_shell-completion":
            self.begin = lambda: None  # a shell only wants to know what could come next
        super().parseOptions(options)

    def getSynopsis(self) -> str:
        """Return the line that shows how the command is called."""
        return f"{self.synopsis} COMMAND [ARGUMENTS]" if self.subCommand is None else self.synopsis

    def opt_version(self) -> None:
        """Display torsion's version and exit."""
        sys.stdout.write(f"torsion {__version__}\n")
        sys.exit(0)

    def opt_reactor(self, name: str) -> None:
        """The flavour of reactor to run on (see --help-reactors)."""
        self["reactorName"] = name

    opt_r = opt_reactor

    def opt_help_reactors(self) -> None:
        """List the flavours of reactor, and which of them work here, and exit."""
        from torsion.internet.reactors.choose import available

        flavours = list(available())
        width = max(len(name) for name, _, _ in flavours)
        for name, description, why_not in flavours:
            sys.stdout.write(f"{name:<{width}}  {'no ' if why_not else 'yes'}  {description}\n")
            if why_not:
                sys.stdout.write(f"{'':<{width}}       does not work here: {why_not}\n")
        sys.exit(0)

    def opt_log_file(self, fileName: str) -> None:
        """The file to log to, or --logfile; - is standard output, the default unless --daemon is given, + is standard error."""
        self["logfile"] = fileName if fileName in ("-", "+") else str(Path(fileName).absolute())

    opt_logfile = opt_log_file
    opt_l = opt_log_file

    @property
    def subCommands(self) -> Sequence[Sequence[Any]]:  # type: ignore[override]  # an attribute of Options, found out here
        """The sub-commands, by name: services and tools."""
        services = [
            (name, None, lambda maker=maker: self._service_options(maker), maker.description)
            for name, maker in self.plugins.items()
        ]
        tools = [(name, None, tool.options, tool.description) for name, tool in TOOLS.items()]
        return sorted([*services, *tools], key=lambda each: each[0])

    def _service_options(self, maker: Any) -> Any:
        if self["python"] is not None:
            raise UsageError("-y runs a file in place of a COMMAND; leave one of them out")
        self.begin()
        options = maker.options()
        if getattr(options, "longdesc", None) is None:
            options.longdesc = ""  # usage would take the main module's docstring, which is this command's
        return options

    def postOptions(self) -> None:
        """Check that there is one thing to run.

        :raise UsageError: if there is none.
        """
        if self["python"] is not None:
            self.begin()
        elif self.subCommand is None:
            raise UsageError(
                f"say what to run: a file with -y, or a COMMAND of {', '.join(sorted({*self.plugins, *TOOLS}))}"
            )

    def install(self) -> None:
        """Make and install the reactor that was asked for.

        :raise UsageError: if there is no such reactor, or it does not work here.
        """
        import os

        from torsion.internet.reactors.choose import VARIABLE, install

        name = self["reactorName"]
        if name == self.defaultReactorName:
            if not os.environ.get(VARIABLE):
                return
            name = None
        try:
            install(name)
        except (LookupError, ImportError) as error:
            raise UsageError(str(error)) from error
