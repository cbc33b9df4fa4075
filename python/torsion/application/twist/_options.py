"""Options of a command that runs one of the services that plugins make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from sys import stderr, stdout
from typing import IO, TYPE_CHECKING, Any

from torsion import __version__
from torsion.application.runner._exit import ExitStatus, exit
from torsion.application.service import IServiceMaker
from torsion.logger import InvalidLogLevelError, Logger, LogLevel, jsonFileLogObserver, textFileLogObserver
from torsion.plugin import getPlugins
from torsion.python.usage import Options, UsageError

if TYPE_CHECKING:
    from torsion.application.service import ServiceMaker

__all__ = ["TwistOptions"]

_log = Logger("torsion.application.runner")

openFile = open


def installReactor(name: str) -> Any:
    """Make and install a reactor of the flavour *name*; see :func:`torsion.internet.reactors.choose.install`."""
    from torsion.internet.reactors.choose import install

    return install(name)


def _module_of(maker: Any) -> str:
    """Return the name of the module that *maker* makes services by, or what there is of the kind."""
    return str(getattr(maker, "module", type(maker).__qualname__))


class TwistOptions(Options):
    """A reactor, a log, and one sub-command for each kind of service.

    What is chosen stands in the dictionary: ``reactorName``, ``logLevel``, ``logFile`` (a stream), ``logFormat`` (``"text"`` or
    ``"json"``), ``fileLogObserverFactory``.
    """

    defaultReactorName = "default"
    defaultLogLevel = LogLevel.info

    def __init__(self) -> None:
        """Set every option to its default."""
        super().__init__()
        self["reactorName"] = self.defaultReactorName
        self["logLevel"] = self.defaultLogLevel
        self["logFile"] = stdout
        self.reactor: Any = None

    def getSynopsis(self) -> str:
        """Return the line that shows how the command is called."""
        return f"{super().getSynopsis()} plugin [plugin_options]"

    def opt_version(self) -> None:
        """Display torsion's version and exit."""
        exit(ExitStatus.EX_OK, f"{__version__}")

    def opt_reactor(self, name: str) -> None:
        """The flavour of reactor to run on (see --help-reactors)."""
        try:
            self.reactor = self.installReactor(name)
        except (KeyError, ImportError) as problem:  # NoSuchReactor is a KeyError
            raise UsageError(str(problem) or f"Unknown reactor: {name}") from problem
        self["reactorName"] = name

    def installReactor(self, name: str) -> Any:
        """Make and install a reactor of the flavour *name*.

        :param name: ``"default"`` stands for the one that is installed already, or else would be.
        :returns: the reactor.
        """
        if name == self.defaultReactorName:
            from torsion.internet._current import current_reactor

            return current_reactor()
        return installReactor(name)

    def opt_log_level(self, levelName: str) -> None:
        """The lowest level of events to log."""
        try:
            self["logLevel"] = LogLevel.levelWithName(levelName)
        except InvalidLogLevelError:
            levels = ", ".join(str(level.name) for level in LogLevel.iterconstants())
            raise UsageError(f"there is no log level {levelName!r}; there are: {levels}") from None

    def opt_log_file(self, fileName: str) -> None:
        """The file to log to; - is standard output, + is standard error."""
        if fileName == "-":
            self["logFile"] = stdout
            return
        if fileName == "+":
            self["logFile"] = stderr
            return
        try:
            self["logFile"] = openFile(fileName, "a")
        except OSError as problem:
            exit(ExitStatus.EX_IOERR, f"Unable to open log file {fileName!r}: {problem}")

    def opt_log_format(self, format: str) -> None:
        """The form of the log: text or json."""
        makers: dict[str, Callable[[IO[Any]], Any]] = {"text": textFileLogObserver, "json": jsonFileLogObserver}
        if format not in makers:
            raise UsageError(f"there is no log format {format!r}; there are: {', '.join(makers)}")
        self["fileLogObserverFactory"] = makers[format]
        self["logFormat"] = format

    def selectDefaultLogObserver(self) -> None:
        """Choose the form of the log where none was asked for: text for a terminal, JSON for a file."""
        if "fileLogObserverFactory" in self:
            return
        terminal = bool(getattr(self["logFile"], "isatty", lambda: False)())
        self.opt_log_format("text" if terminal else "json")

    @cached_property
    def plugins(self) -> Mapping[str, ServiceMaker]:
        """What makes services, by sub-command."""
        found: dict[str, ServiceMaker] = {}
        for maker in getPlugins(IServiceMaker):
            before = found.get(maker.tapname)
            if before is not None and _module_of(before) != _module_of(maker):
                _log.warn(
                    "Two plugins are called {command}: that of {taken} is taken, that of {left} is not",
                    command=maker.tapname,
                    taken=_module_of(maker),
                    left=_module_of(before),
                )
            found[maker.tapname] = maker  # the later one: drop-ins come last, so that one can be put in another's place
        return found

    @property
    def subCommands(self) -> Sequence[Sequence[Any]]:  # type: ignore[override]  # an attribute of Options, found out here
        """The sub-commands, by name."""
        return [
            (name, None, lambda maker=maker: maker.options(), maker.description)
            for name, maker in sorted(self.plugins.items())
        ]

    def postOptions(self) -> None:
        """Install the reactor if that has not been done, and choose the form of the log.

        :raise UsageError: if no sub-command was named.
        """
        if self.subCommand is None:
            raise UsageError(f"name one of the commands: {', '.join(sorted(self.plugins))}")
        if self.reactor is None:
            self.reactor = self.installReactor(self["reactorName"])
        self.selectDefaultLogObserver()
