"""The options of a program that runs an application."""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.reactoroption import ReactorSelectionMixin
from torsion.application.service import IServiceMaker
from torsion.plugin import getPlugins
from torsion.python.usage import CompleteFiles, CompleteList, Completions, Options, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ServerOptions"]


class ServerOptions(Options, ReactorSelectionMixin):
    """Options of a program that runs an application, made by a file of Python or by a sub-command.

    Subclass it for a program of your own; the command ``torsion`` has more of them.

    :ivar loadedPlugins: the service makers by their ``tapname``.
    """

    longdesc = "Runs an application: one that a file of Python makes, or that of one of the commands below."
    optFlags: ClassVar[Sequence[Sequence[Any]]] = [
        ["savestats", None, "save the Stats object rather than the text output of the profiler."],
        ["no_save", "o", "do not save state on shutdown; it never is"],
    ]
    optParameters: ClassVar[Sequence[Sequence[Any]]] = [
        ["logfile", "l", None, "log to a specified file, - for stdout"],
        ["logger", None, None, "the dotted name of a function that makes the log's observer"],
        ["profile", "p", None, "Run in profile mode, dumping results to specified file."],
        ["profiler", None, "cprofile", "Name of the profiler to use (profile, cprofile)."],
        ["python", "y", None, "read an application from within a Python file"],
        ["rundir", "d", ".", "Change to a supplied directory before running"],
    ]
    compData = Completions(
        optActions={
            **ReactorSelectionMixin.compData.optActions,
            "logfile": CompleteFiles("*.log"),
            "profiler": CompleteList(["profile", "cprofile"]),
            "python": CompleteFiles("*.(tac|py)"),
        }
    )

    def __init__(self, *a: Any, **kw: Any) -> None:
        """Set every option to its default."""
        self["debug"] = False
        self.loadedPlugins: dict[str, Any] = {}
        super().__init__(*a, **kw)

    def opt_debug(self) -> None:
        """Run the application in the Python debugger"""
        self["debug"] = True

    opt_b = opt_debug

    def opt_spew(self) -> None:
        """Print each call and line that is executed; for a program that hangs"""
        import threading

        from torsion.python.util import spewer

        sys.settrace(spewer)
        threading.settrace(spewer)

    def parseOptions(self, options: Sequence[str | bytes] | None = None) -> None:
        """Read the arguments.

        :param options: the arguments; None for those of this process, or ``--help`` if it has none.
        :raise torsion.python.usage.UsageError: if they cannot be understood.
        """
        if options is None:
            options = sys.argv[1:] or ["--help"]
        super().parseOptions(options)

    def postOptions(self) -> None:
        """Check them.

        :raise torsion.python.usage.UsageError: if the logger is not there.
        """
        if self.subCommand or self["python"]:
            self["no_save"] = True
        if isinstance(self["logger"], str):
            from torsion.python.reflect import namedAny

            try:
                self["logger"] = namedAny(self["logger"])
            except Exception as error:
                raise UsageError(f"Logger {self['logger']!r} could not be imported: {error}") from error

    @property
    def subCommands(self) -> list[tuple[str, None, Any, str]]:  # type: ignore[override]  # an attribute of Options, found out here
        """The sub-commands: one for each service maker among the plugins, by name."""
        makers = sorted(getPlugins(IServiceMaker), key=attrgetter("tapname"))
        self.loadedPlugins = {maker.tapname: maker for maker in makers}
        return [
            (name, None, lambda maker=maker: maker.options(), maker.description)
            for name, maker in self.loadedPlugins.items()
        ]
