"""Programs that are to run all the time: started, watched, started again when they end; what they print is logged.

::

    monitor = ProcessMonitor()
    monitor.addProcess("worker", ["/usr/bin/worker", "--queue", "mail"], env=dict(os.environ))
    monitor.setServiceParent(application)

A program that ends soon after its start is taken to be broken: the time until it is started again doubles with each such end.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torsion.application.service import Service
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred
from torsion.internet.error import ProcessExitedAlready
from torsion.internet.interfaces import IReactorCore
from torsion.internet.protocol import ProcessProtocol
from torsion.logger import Logger, LogLevel
from torsion.protocols.basic import LineReceiver
from torsion.python.deprecate import deprecated
from torsion.python.versions import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.python.failure import Failure

__all__ = ["DummyTransport", "LineLogger", "LoggingProtocol", "ProcessMonitor", "transport"]

_deprecated = deprecated(Version("torsion", 0, 1, 0))

_NO_VARIABLES: dict[str, str] = {}


@dataclass(frozen=True)
class _Process:
    """How to start a program."""

    args: Sequence[str]
    uid: int | None
    gid: int | None
    env: Mapping[str, str] | None
    cwd: str | None

    @_deprecated
    def toTuple(self) -> tuple[Any, ...]:
        """Return the first four, as they were once kept."""
        return self.args, self.uid, self.gid, self.env

    def shown(self, name: str) -> str:
        """Return what to show of the program called *name*: only what is not as in this process."""
        whose = [f"{kind}={value}" for kind, value in (("uid", self.uid), ("gid", self.gid)) if value is not None]
        where = [] if self.cwd is None else [f"cwd={self.cwd!r}"]
        extra = ", ".join(whose + where)
        return f"{name!r}{f' ({extra})' if extra else ''}: {list(self.args)!r}"


class DummyTransport:
    """Stands for a connection, as there is none behind what a program prints."""

    disconnecting = 0


transport = DummyTransport()
"""The transport of each :class:`LineLogger`."""


class LineLogger(LineReceiver):
    """Logs each line of what a program prints; one that is too long, in pieces.

    :ivar tag: the program's name.
    :ivar stream: ``"stdout"`` or ``"stderr"``.
    :ivar service: the monitor, whose ``log`` is used.
    """

    tag: str | None = None
    stream: str | None = None
    delimiter = b"\n"
    service: ProcessMonitor | None = None

    def lineReceived(self, line: bytes) -> None:
        """Log *line*: as text if it is UTF-8, else as Python shows bytes."""
        assert self.service is not None
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = repr(line)
        self.service.log.info("[{tag}] {line}", tag=self.tag, line=text, stream=self.stream)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Log what there is of a line that is longer than ``MAX_LENGTH`` bytes, and go on."""
        while len(line) > self.MAX_LENGTH:
            piece, line = line[: self.MAX_LENGTH], line[self.MAX_LENGTH :]
            before, end, after = piece.partition(self.delimiter)
            self.lineReceived(before)
            if end:
                line = after + line
        self.dataReceived(line)


class LoggingProtocol(ProcessProtocol):
    """Logs what a program prints, and tells the monitor of its end.

    :ivar service: the monitor.
    :ivar name: the program's name.
    """

    service: ProcessMonitor
    name: str

    @property
    def output(self) -> LineLogger:
        """What logs standard output."""
        return self._output

    @property
    def empty(self) -> bool:
        """Whether all that was printed to standard output has been logged."""
        return self._ended[0]

    def connectionMade(self) -> None:
        """Begin to log."""
        self._output, self._errors = (self._logger(stream) for stream in ("stdout", "stderr"))
        self._ended = [True, True]

    def _logger(self, stream: str) -> LineLogger:
        logger = LineLogger()
        logger.tag, logger.stream, logger.service = self.name, stream, self.service
        logger.makeConnection(transport)
        return logger

    def outReceived(self, data: bytes) -> None:
        """Log what was printed to standard output."""
        self._output.dataReceived(data)
        self._ended[0] = data.endswith(b"\n")

    def errReceived(self, data: bytes) -> None:
        """Log what was printed to standard error."""
        self._errors.dataReceived(data)
        self._ended[1] = data.endswith(b"\n")

    def processEnded(self, reason: Failure) -> None:
        """Log what is left, and tell the monitor."""
        for logger, ended in zip((self._output, self._errors), self._ended, strict=True):
            if not ended:
                logger.dataReceived(b"\n")
        self.service._ended(self.name, reason)


class ProcessMonitor(Service):
    """Keeps programs running while it runs itself.

    :ivar threshold: how long a program has to run, in seconds, for its end not to count as instant.
    :ivar killTime: how long one that is to end has before it is killed, in seconds.
    :ivar minRestartDelay: after how many seconds one that ended instantly is started again, at least; the first time it is this.
    :ivar maxRestartDelay: after how many it is at most.
    :ivar log: logs what programs print.
    :ivar protocols: for the name of each program that runs, its :class:`LoggingProtocol`.
    :ivar delay: for each name, after how many seconds it will be started again if it ends instantly.
    :ivar timeStarted: for each name, when it was started last, by the reactor's clock.
    :ivar murder: for each program that is to end, the call that will kill it.
    :ivar restart: for each that has ended, the call that will start it again.
    """

    threshold: float = 1
    killTime: float = 5
    minRestartDelay: float = 1
    maxRestartDelay: float = 3600
    log = Logger()

    def __init__(self, reactor: Any = None) -> None:
        """Make a monitor of nothing.

        :param reactor: provides ``IReactorProcess`` and ``IReactorTime``; None for the current one.
        """
        self._given = reactor
        self._processes: dict[str, _Process] = {}
        self.protocols: dict[str, LoggingProtocol] = {}
        self.delay: dict[str, float] = {}
        self.timeStarted: dict[str, float] = {}
        self.murder: dict[str, Any] = {}
        self.restart: dict[str, Any] = {}
        self._stopping: list[Deferred[None]] = []

    @property
    def _reactor(self) -> Any:
        return current_reactor() if self._given is None else self._given

    @property
    @_deprecated
    def processes(self) -> dict[str, tuple[Any, ...]]:
        """For each name, the arguments, user, group and environment.  Deprecated: keep them yourself."""
        return {name: process.toTuple() for name, process in self._processes.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Return what is to be kept of a monitor: what it is to run; a copy runs nothing."""
        state = super().__getstate__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            state["processes"] = self.processes
        state |= {"protocols": {}, "delay": {}, "timeStarted": {}, "murder": {}, "restart": {}, "_stopping": []}
        state.pop("_given")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what :meth:`__getstate__` has returned."""
        state = dict(state)
        state.pop("processes", None)
        vars(self).update(state, _given=None)
        self.delay = dict.fromkeys(self._processes, self.minRestartDelay)

    def __repr__(self) -> str:
        shown = " ".join(process.shown(name) for name, process in self._processes.items())
        return f"<{type(self).__name__}{' ' if shown else ''}{shown}>"

    # --- which programs -----------------------------------------------------------------------------------------------

    def addProcess(
        self,
        name: str,
        args: Sequence[str],
        uid: int | None = None,
        gid: int | None = None,
        env: Mapping[str, str] | None = _NO_VARIABLES,
        cwd: str | None = None,
    ) -> None:
        """Have one more program, which is started at once if the monitor runs.

        :param name: what to call it, in the log and here.
        :param args: the program and its arguments. They go to the system, not to a shell: for that, ``["/bin/sh", "-c", ...]``.
        :param uid: the user to run it as; None for ours.
        :param gid: the group likewise.
        :param env: its environment, empty by default; None for ours. See ``IReactorProcess.spawnProcess``.
        :param cwd: the folder to start it in; None for ours.
        :raise KeyError: if there is one of that name.
        """
        if name in self._processes:
            raise KeyError(f"there is a process called {name!r} already; remove it first")
        self._processes[name] = _Process(args, uid, gid, env, cwd)
        self.delay[name] = self.minRestartDelay
        if self.running:
            self.startProcess(name)

    def removeProcess(self, name: str) -> None:
        """Stop a program, and have it no more.

        :raise KeyError: if there is none of that name.
        """
        self.stopProcess(name)
        del self._processes[name]
        self.delay.pop(name, None)
        self._cancel(self.restart, name)

    # --- starting and stopping them -----------------------------------------------------------------------------------

    def startProcess(self, name: str) -> None:
        """Start a program, unless it runs.  If the system refuses, that is logged, and counts as an instant end.

        :raise KeyError: if there is none of that name.
        """
        process = self._known(name)
        if name in self.protocols:
            return
        self._cancel(self.restart, name)
        protocol = self.protocols[name] = LoggingProtocol()
        protocol.service, protocol.name = self, name
        self.timeStarted[name] = self._reactor.seconds()
        try:
            self._reactor.spawnProcess(
                protocol,
                process.args[0],
                process.args,
                uid=process.uid,
                gid=process.gid,
                env=process.env,
                path=process.cwd,
            )
        except OSError:
            self.log.failure("[{name}] cannot be started", name=name)
            self._ended(name, None)
        except BaseException:
            del self.protocols[name]
            raise

    def stopProcess(self, name: str) -> None:
        """Ask a program to end, by SIGTERM; kill it if it has not after ``killTime`` seconds.  Nothing if it does not run.

        While the monitor runs it is then started again; see :meth:`removeProcess`.

        :raise KeyError: if there is none of that name.
        """
        self._known(name)
        protocol = self.protocols.get(name)
        if protocol is None or name in self.murder:
            return
        try:
            protocol.transport.signalProcess("TERM")
        except ProcessExitedAlready:
            return  # its end is about to be told
        self.murder[name] = self._reactor.callLater(self.killTime, self._kill, name, protocol)

    def _kill(self, name: str, protocol: LoggingProtocol) -> None:
        self.murder.pop(name, None)
        self.log.emit(LogLevel.warn, "[{name}] has not ended after SIGTERM: killing it", name=name)
        try:
            protocol.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            pass

    def _killAll(self) -> None:
        for name, protocol in list(self.protocols.items()):
            self._cancel(self.murder, name)
            self._kill(name, protocol)

    def restartAll(self) -> None:
        """Ask all programs to end; they are started again, as their ends are no different from others."""
        for name in list(self._processes):
            self.stopProcess(name)

    @_deprecated
    def connectionLost(self, name: str) -> None:
        """Be told that a program has ended.  Deprecated: that is between a monitor and its processes."""
        self._ended(name, None)

    def _ended(self, name: str, reason: Failure | None) -> None:
        self._cancel(self.murder, name)
        self.protocols.pop(name, None)
        lived = self._reactor.seconds() - self.timeStarted[name]
        delay = 0.0
        if name in self._processes:
            if lived < self.threshold:
                delay = self.delay[name]
                self.delay[name] = min(2 * delay, self.maxRestartDelay)
            else:
                self.delay[name] = self.minRestartDelay
            if self.running:
                if delay and reason is not None:
                    self.log.emit(
                        LogLevel.warn,
                        "[{name}] has ended after {lived:.1f} s: {why}; starting it again in {delay:g} s",
                        name=name,
                        lived=lived,
                        why=reason.getErrorMessage(),
                        delay=delay,
                    )
                self.restart[name] = self._reactor.callLater(delay, self._again, name)
        if not self.protocols:
            stopping, self._stopping = self._stopping, []
            for each in stopping:
                each.callback(None)

    def _again(self, name: str) -> None:
        self.restart.pop(name, None)
        self.startProcess(name)

    def _known(self, name: str) -> _Process:
        try:
            return self._processes[name]
        except KeyError:
            raise KeyError(f"there is no process called {name!r}; there are {sorted(self._processes)}") from None

    @staticmethod
    def _cancel(calls: dict[str, Any], name: str) -> None:
        call = calls.pop(name, None)
        if call is not None and call.active():
            call.cancel()

    # --- the service --------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """Start all programs."""
        super().startService()
        for name in list(self._processes):
            self.startProcess(name)

    def stopService(self) -> Deferred[Any]:
        """Stop all programs.

        :returns: a Deferred that fires when all have ended, ``killTime`` seconds later at most.
        """
        super().stopService()
        for call in self.restart.values():
            if call.active():
                call.cancel()
        for name in list(self._processes):
            self.stopProcess(name)
        stopped: Deferred[None] = Deferred()
        if self.protocols:
            self._stopping.append(stopped)
            if IReactorCore.providedBy(self._reactor):
                # Whoever waits for this may wait no longer than killTime: nothing is to be left running even so.
                self._reactor.addSystemEventTrigger("during", "shutdown", self._killAll)
        else:
            stopped.callback(None)
        return stopped
