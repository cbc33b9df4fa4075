"""Running an application from a program of one's own, as Twisted's ``application.app`` has it.

The command ``torsion`` does this and much more; see :mod:`torsion.application.runner`.
"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

from torsion.application.applogger import AppLogger
from torsion.application.profilers import AppProfiler, CProfileRunner, ProfileRunner
from torsion.application.reactoroption import ReactorSelectionMixin
from torsion.application.reactors import NoSuchReactor, getReactorTypes, installReactor
from torsion.application.serveroptions import ServerOptions
from torsion.application.service import Application, IService, loadApplication
from torsion.internet._current import current_reactor
from torsion.logger import Logger
from torsion.python.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "AppLogger",
    "AppProfiler",
    "ApplicationRunner",
    "CProfileRunner",
    "NoSuchReactor",
    "ProfileRunner",
    "ReactorSelectionMixin",
    "ServerOptions",
    "getApplication",
    "getPassphrase",
    "getReactorTypes",
    "installReactor",
    "run",
    "runReactorWithLogging",
    "startApplication",
]

_log = Logger("torsion.application.app")


def run(runApp: Callable[[Any], object], ServerOptions: Callable[[], Any]) -> None:
    """Read the arguments of this process, and run an application; tell of arguments that cannot be understood.

    :param runApp: called with the options.
    :param ServerOptions: makes the options.
    :raise SystemExit: with status 2 if the arguments cannot be understood.
    """
    config = ServerOptions()
    try:
        config.parseOptions()
    except UsageError as error:
        sys.stderr.write(f"{config}\n{sys.argv[0]}: {error}\n")
        raise SystemExit(2) from error
    runApp(config)


def getPassphrase(needed: bool | int) -> str | None:
    """Ask for a passphrase at the terminal.

    :param needed: whether there is need of one.
    :returns: what was typed, or None.
    """
    if not needed:
        return None
    from getpass import getpass

    return getpass("Passphrase: ")


def getApplication(config: Mapping[str, Any], passphrase: str | None) -> Any:
    """Make the application that options name.

    :param config: ``python`` is the file that makes it.
    :param passphrase: not used.
    :returns: the application.
    :raise SystemExit: if it cannot be made; the traceback, which starts in that file, has been logged and is told.
    """
    filename = config.get("python")
    if filename is None:
        raise SystemExit("name a file that makes an application: --python FILE")
    try:
        return loadApplication(filename, "python", passphrase)
    except (Exception, SystemExit) as error:
        import traceback

        from torsion.application.runner.trouble import users

        error.__traceback__ = users(error.__traceback__)
        _log.failure("Failed to load application {filename}", filename=filename)
        if isinstance(error, KeyError) and error.args == ("application",):
            raise SystemExit(f"Failed to load application: {filename} does not set the variable application") from error
        raise SystemExit("Failed to load application:\n" + "".join(traceback.format_exception(error))) from error


def startApplication(application: Any, save: bool | int) -> None:
    """Start the services of an application, and have them stopped when the reactor stops.

    :param application: the application.
    :param save: whether to keep it in a file at the end, which torsion does not.
    """
    if save:
        _log.warn("The state of {application} will not be saved: torsion keeps none", application=application)
    service = IService(application)
    service.startService()
    current_reactor().addSystemEventTrigger("before", "shutdown", service.stopService)


def runReactorWithLogging(
    config: Mapping[str, Any],
    oldstdout: IO[str],
    oldstderr: IO[str],
    profiler: Any = None,
    reactor: Any = None,
) -> None:
    """Run a reactor: under a profiler or the debugger, if options ask for one.

    :param config: ``profile`` is the file that a profile is written to, ``debug`` whether to use the debugger.
    :param oldstdout: where the debugger talks: standard output as it was before the log began.
    :param oldstderr: where the traceback is written if the reactor's loop raises.
    :param profiler: has a method ``run`` that is called with the reactor.
    :param reactor: the reactor; None for the one that is installed.
    """
    if reactor is None:
        reactor = current_reactor()
    try:
        if config.get("profile") and profiler is not None:
            profiler.run(reactor)
        elif config.get("debug"):
            import pdb  # noqa: T100 - it was asked for

            sys.stdout, sys.stderr = oldstdout, oldstderr
            pdb.runcall(reactor.run)
        else:
            reactor.run()
    except Exception:  # noqa: BLE001 - it is told, and what follows is the end of the program
        import traceback

        traceback.print_exc(file=oldstderr)


class ApplicationRunner:
    """Runs an application: logs, has :meth:`preApplication` and :meth:`postApplication` do what a program wants.

    :ivar config: the options.
    :ivar profiler: what the reactor runs under, if they ask for it.
    :ivar logger: begins and ends the log.
    :ivar application: what is run; there once it is made.
    """

    profilerFactory = AppProfiler
    loggerFactory = AppLogger

    def __init__(self, config: Any) -> None:
        """Prepare a run.

        :param config: the options, a :class:`ServerOptions`.
        """
        self.config = config
        self.profiler = self.profilerFactory(config)
        self.logger = self.loggerFactory(config)
        self.application: Any = None
        self._oldstdout, self._oldstderr = sys.stdout, sys.stderr

    def run(self) -> None:
        """Run the application."""
        self.preApplication()
        self.application = self.createOrGetApplication()
        self.logger.start(self.application)
        try:
            self.postApplication()
        finally:
            self.logger.stop()

    def startReactor(self, reactor: Any, oldstdout: IO[str], oldstderr: IO[str]) -> None:
        """Run a reactor, as the options ask for.

        :param reactor: the reactor; None for the one that is installed.
        """
        runReactorWithLogging(self.config, oldstdout, oldstderr, self.profiler, reactor)

    def preApplication(self) -> None:
        """Do what has to be done before the application is made; override this."""
        raise NotImplementedError  # as Twisted documents it

    def postApplication(self) -> None:
        """Do what is to be done with the application: start it, and the reactor; override this."""
        raise NotImplementedError  # as Twisted documents it

    def createOrGetApplication(self) -> Any:
        """Make the application: that of the sub-command, or of the file that the options name.

        :raise SystemExit: as of :func:`getApplication`.
        """
        command = self.config.subCommand
        if not command:
            return getApplication(self.config, getPassphrase(False))
        maker = self.config.loadedPlugins[command]
        service = maker.makeService(self.config.subOptions)
        application = Application(maker.tapname)
        service.setServiceParent(application)
        return application
