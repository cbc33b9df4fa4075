"""The log of a run: where it goes, in which form, and from which level on.

It begins once the service is made: until then events are kept, and grave ones are shown on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torsion.application.runner.errors import StartError
from torsion.application.runner.fitting import Fitting
from torsion.application.runner.privileges import give_away
from torsion.logger import Logger
from torsion.python.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.application.runner.run import Run

__all__ = ["DAEMON_LOGFILE", "Logs"]

DAEMON_LOGFILE = "torsion.log"
"""The file, in the current folder, that a process in the background logs to if none is named."""

_log = Logger("torsion.application.runner")


class Logs(Fitting):
    """Begins the log; a reload opens its file again, which another program may have put aside."""

    optFlags: ClassVar[Sequence[Sequence[Any]]] = (("syslog", None, "Log to the system's log, not to a file."),)
    optParameters: ClassVar[Sequence[Sequence[Any]]] = (
        ("prefix", None, "torsion", "What stands before each line in the system's log."),
    )

    def check(self, run: Run) -> None:
        """Check the options.

        :raise UsageError: if they contradict each other, or this system has no log of its own.
        """
        options = run.options
        name = options.get("logfile")
        if options["syslog"]:
            if name is not None:
                raise UsageError("--syslog and --logfile contradict each other; leave one out")
            if options.get("logFormat") == "json":
                raise UsageError("--syslog and --log-format json contradict each other; leave one out")
            try:
                import syslog as _  # noqa: F401 - only whether there is one
            except ImportError:
                raise UsageError("--syslog does not work on this system, which has none") from None
        if options["daemon"] and run.worker is None and name in ("-", "+"):
            raise UsageError(
                "--daemon lets go of the terminal, so that it cannot log there; name a file with --logfile"
            )

    def fit(self, run: Run) -> None:
        """Open the log, and begin it once the service is made.

        :raise StartError: if its file cannot be opened.
        """
        options = run.options
        self._run = run
        name = options.get("logfile")
        if name is None and options["daemon"] and not options["syslog"]:
            name = str(Path(DAEMON_LOGFILE).absolute())
        if run.worker is not None:
            name = "-"  # the master gathers what its workers say
        self._chosen = name is not None or bool(options["syslog"])
        if options["syslog"] and run.worker is None:
            self._observer = self._syslog(options["prefix"])
        elif name not in (None, "-", "+"):
            self._observer = self._to_file(name)
        else:
            self._observer = self._to_stream(sys.stderr if name == "+" else sys.stdout)
        run.onMade.append(self._begin)

    def _begin(self) -> None:
        from torsion.logger import FilteringLogObserver, ILogObserver, LogLevelFilterPredicate, globalLogBeginner

        observer: Any = self._observer
        application = self._run.application
        if not self._chosen and application is not None:
            observer = application.getComponent(ILogObserver, observer)
        level = LogLevelFilterPredicate(self._run.options["logLevel"])
        globalLogBeginner.beginLoggingTo([FilteringLogObserver(observer, [level])])
        if self._run.worker is None:
            self._tell()

    def _tell(self) -> None:
        import os
        import platform

        from torsion import __version__

        _log.info(
            "torsion {version} starts, process {pid}, on Python {python} with {reactor}",
            version=__version__,
            pid=os.getpid(),
            python=platform.python_version(),
            reactor=type(self._run.reactor).__name__,
        )
        self._run.onEnd.append(lambda: _log.info("torsion has stopped, process {pid}", pid=os.getpid()))

    def _form(self, stream: Any) -> Callable[[Any], object]:
        from torsion.application.runner.colours import coloured, plainLogObserver, terminalLogObserver
        from torsion.logger import jsonFileLogObserver, textFileLogObserver

        if self._run.worker is not None:
            from torsion.application.workers.logs import worker_observer

            return worker_observer(stream)  # the master has the options' form
        if self._run.options.get("logFormat") == "json":
            return jsonFileLogObserver(stream, recordSeparator="")
        if not getattr(stream, "isatty", bool)():  # a log file does not say
            return textFileLogObserver(stream)
        return terminalLogObserver(stream) if coloured(stream) else plainLogObserver(stream)

    def _to_stream(self, stream: Any) -> Callable[[Any], object]:
        from torsion.application.runner.sturdy import SturdyObserver, unbuffered

        return SturdyObserver(self._form(unbuffered(stream)), "on standard output", tell=stream is not sys.stderr)

    def _to_file(self, path: str) -> Callable[[Any], object]:
        from torsion.application.runner.sturdy import SturdyObserver
        from torsion.python.logfile import LogFile

        try:
            self._file = LogFile.fromFullPath(path, rotateLength=None)
        except OSError as problem:
            raise StartError(f"cannot log to {path}: {problem.strerror}; name another file with --logfile") from problem
        self._run.logFiles.append(self._file)
        self._run.onMade.append(self._give_away)
        return SturdyObserver(self._form(self._file), path)

    def _give_away(self) -> None:
        """Have the file belong to whom the process is going to be, so that it can be opened again."""
        give_away(self._run, self._file.path)

    def _syslog(self, prefix: str) -> Callable[[Any], object]:
        import syslog

        from torsion.logger.legacy_events import LegacyLogObserverWrapper
        from torsion.logger.syslog import SyslogObserver

        # Opened at once, while it can be reached.
        options = syslog.LOG_PID | syslog.LOG_NDELAY
        return LegacyLogObserverWrapper(SyslogObserver(prefix, options, syslog.LOG_DAEMON).emit)
