"""The old process of a restart: it starts the new one on its sockets, and goes on unless that one becomes ready."""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from torsion.application.runner import inheritance
from torsion.application.runner.heir import Line
from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.protocol import Factory, ProcessProtocol
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torsion.application.runner.run import Run
    from torsion.application.runner.sockets import Opened, Sockets
    from torsion.internet.interfaces import IDelayedCall

__all__ = ["KILL_SECONDS", "LAST_LINES", "LONGEST_TAIL", "SETTLE_SECONDS", "RestartError", "Restarter", "command_line"]

_log = Logger("torsion.application.runner")

SETTLE_SECONDS = 10.0
"""How long the new process may take, in seconds, from being told that the place is its own to having it: writing a pid file is
the most there is to do."""

KILL_SECONDS = 5.0
"""How long a new process that is not wanted any more has to end before it is killed, in seconds."""

LAST_LINES = 12
"""How many of the last lines that a new process wrote are told to who asked for it: a traceback's end, with its cause."""

LONGEST_TAIL = 16 * 1024
"""How many of the last bytes that a new process wrote to standard error are kept."""


class RestartError(Exception):
    """There was no restart; this process goes on as before.  Its text tells why."""


def command_line(run: Run) -> list[str]:
    """Return the program and its arguments that start *run* again: the same Python, with the same options of its own.

    :raises RestartError: if this process does not know its Python.
    """
    if not sys.executable:
        raise RestartError("cannot start a new process: this one does not know where its Python is")
    argv = list(run.argv)
    began = sys.orig_argv[1:]
    before = began[: len(began) - len(argv)]
    if not before or began[len(before) :] != argv:
        before = ["-m", "torsion"]
    return [sys.executable, *before, *argv]


class Restarter:
    """Restarts a run: ``Run.restarter``.

    :ivar environment: what a new process is started with, besides what is handed over.
    """

    def __init__(self, run: Run, sockets: Sockets, environment: Mapping[str, str], folder: str, seconds: float) -> None:
        """Prepare it.

        :param run: what to restart.
        :param sockets: what to hand over.
        :param environment: the variables that this process was started with.
        :param folder: the folder that it was started in.
        :param seconds: how long a new process may take to be ready.
        """
        self.run = run
        self.sockets = sockets
        self.environment = dict(environment)
        self.folder = folder
        self.seconds = seconds
        self._attempt: Attempt | None = None

    def __call__(self) -> Deferred[int]:
        """Start a new process in the place of this one.

        :returns: a Deferred that fires with its number once it has that place, and this process has begun to stop; it fails with
            :class:`RestartError`, and this process goes on.
        """
        from torsion.internet.defer import execute

        return execute(self._begin).addCallback(lambda attempt: attempt.done)

    def _begin(self) -> Attempt:
        if self._attempt is not None and not self._attempt.over:
            raise RestartError(f"a restart is under way: process {self._attempt.pid} is starting")
        self._check()
        self._attempt = attempt = Attempt(self)
        attempt.start()
        return attempt

    def _check(self) -> None:
        """Refuse where it cannot come to a good end.

        :raises RestartError: if so.
        """
        from torsion.internet.interfaces import IReactorProcess, IReactorSocket

        run = self.run
        if run.state == "starting":
            raise RestartError("still starting: restart it once it is ready")
        if run.successor is not None:
            raise RestartError(f"process {run.successor} has taken the place of this one: restart that")
        if run.state != "ready":
            raise RestartError("stopping: start it anew once it has ended")
        if os.getpid() == 1:
            raise RestartError(
                "this is process 1, and with it all others here would end: let what has started it restart it"
            )
        if run.options.get("chroot"):
            raise RestartError("no new process can be started from within --chroot: stop it and start it anew")
        if os.environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()) and not os.environ.get("NOTIFY_SOCKET"):
            raise RestartError("systemd would take it for ended: use Type=notify in its unit, or systemctl restart")
        reactor = run.reactor
        if not (IReactorProcess.providedBy(reactor) and IReactorSocket.providedBy(reactor)):
            raise RestartError(
                f"a reactor like {type(reactor).__name__} starts no processes: stop it and start it anew"
            )

    def give_up(self, why: str) -> None:
        """End a new process that has not taken our place yet."""
        if self._attempt is not None and not self._attempt.over:
            self._attempt.fail(why)


class Attempt(ProcessProtocol):
    """One new process.

    :ivar pid: its number.
    :ivar over: whether it is settled what comes of it.
    :ivar done: fires with its number, or fails.
    """

    def __init__(self, restarter: Restarter) -> None:
        self._restarter = restarter
        self._run = restarter.run
        self._reactor: Any = restarter.run.reactor
        self._ports: list[Opened] = restarter.sockets.open_ports()
        self._given: list[Opened] = []
        self._tail = b""
        self._limit: IDelayedCall | None = None
        self._line = Line(self._heard, self._lost)
        self._ended = False
        self.pid = 0
        self.over = False
        self.done: Deferred[int] = Deferred()

    def start(self) -> None:
        """Start the process.

        :raises RestartError: if that cannot be done; nothing is left of it then.
        """
        restarter, reactor = self._restarter, self._reactor
        try:
            with ExitStack() as opened:
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
                opened.callback(ours.close)
                opened.callback(theirs.close)
                errors = _duplicate(2)
                opened.callback(os.close, errors)
                variables, descriptors = inheritance.write(
                    os.getpid(),
                    theirs.fileno(),
                    errors,
                    self._ports,
                    restarter.sockets.activated,
                    restarter.environment.get("LISTEN_FDNAMES"),
                    {name: each for name, get in self._run.belongings.items() if (each := get()) >= 0},
                )
                standard = [_duplicate(number) for number in (0, 1)]
                for each in standard:
                    opened.callback(os.close, each)
                environment = {
                    name: value
                    for name, value in restarter.environment.items()
                    if name not in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID")
                }
                command = command_line(self._run)
                reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, Factory.forProtocol(lambda: self._line))
                try:
                    transport = reactor.spawnProcess(
                        self,
                        command[0],
                        command,
                        {**environment, **variables},
                        restarter.folder,
                        childFDs={0: standard[0], 1: standard[1], 2: "r", **descriptors},
                    )
                except BaseException:
                    self.over = True
                    self._line.transport.abortConnection()
                    raise
        except (OSError, ValueError) as problem:
            self.over = True
            raise RestartError(f"cannot start a new process: {problem}") from problem
        self.pid = transport.pid
        self._set_limit(
            restarter.seconds, f"the new process ({self.pid}) was not ready within {restarter.seconds:g} seconds"
        )
        _log.info("Process {pid} is to take the place of this one", pid=self.pid)

    # --- what the new process says ------------------------------------------------------------------------------------

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Pass on what it writes to standard error, and keep the end of it."""
        self._tail = (self._tail + data)[-LONGEST_TAIL:]
        _pass_on(data)

    def _heard(self, message: dict[str, Any]) -> None:
        if self.over:
            return
        if "ready" in message and self._run.successor is None:
            self._give(message.get("taken", []))
        elif "settled" in message and self._run.successor is not None:
            self._succeed()

    def _give(self, taken: Any) -> None:
        """Leave our place to it."""
        for number in taken:
            if isinstance(number, int) and 0 <= number < len(self._ports):
                self._ports[number].port.given_away()
                self._given.append(self._ports[number])
        self._run.successor = self.pid
        self._set_limit(SETTLE_SECONDS, f"the new process ({self.pid}) is ready, and does not take over")
        self._line.say(yours=True)

    def _succeed(self) -> None:
        self._end()
        _log.info("Process {pid} has taken the place of this one", pid=self.pid)
        for hook in list(self._run.onSuccession):
            try:
                hook()
            except Exception:  # noqa: BLE001 - the new process serves already
                _log.failure("{hook} failed", hook=hook)
        for each in self._given:
            if each.address.kind in ("UDP", "UNIXDatagram"):
                # Each datagram goes to one of those who have the socket, and from now on to the new process.
                maybeDeferred(each.port.stopListening).addErrback(
                    lambda failure: _log.failure("A port could not be closed", failure)
                )
        self.done.callback(self.pid)
        self._run.retire()

    # --- what may go wrong --------------------------------------------------------------------------------------------

    def _set_limit(self, seconds: float, why: str) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = self._reactor.callLater(seconds, self.fail, why)

    def _lost(self) -> None:
        if not self.over and not self._ended:
            # It ends, most likely; its last words are still to come.
            self._set_limit(KILL_SECONDS, f"the new process ({self.pid}) has hung up, and does not end")

    def processEnded(self, reason: Any) -> None:
        """It has ended: if it was not ready, that is the end of the restart."""
        self._ended = True
        self.fail(f"the new process ({self.pid}) {_how(reason)} before it was ready")

    def fail(self, why: str) -> None:
        """Go on, end the new process, and tell why."""
        if self.over:
            return
        self._end()
        successor, self._run.successor = self._run.successor, None
        for each in self._given:
            each.port.kept()
        self._line.say(end=why)
        if self._line.transport is not None:
            self._line.transport.loseConnection()
        if not self._ended:
            _end_process(self._reactor, self)
        if successor is not None:
            self._run.take_over()  # it may have begun to have what is ours
        error = RestartError(self._told(why))
        _log.error("No restart: {why}", why=error)
        self.done.errback(error)

    def _end(self) -> None:
        self.over = True
        if self._limit is not None and self._limit.active():
            self._limit.cancel()

    def _told(self, why: str) -> str:
        lines = deque(self._tail.decode(errors="replace").splitlines(), LAST_LINES)
        text = f"{why}; process {os.getpid()} goes on"
        return (
            text
            if not lines
            else "\n".join([f"{text}. The last lines of the new one:", *(f"  {line}" for line in lines)])
        )


def _duplicate(descriptor: int) -> int:
    """Return a duplicate of a standard descriptor, or one that takes and gives nothing if it is closed."""
    try:
        return os.dup(descriptor)
    except OSError:
        return os.open(os.devnull, os.O_RDWR)


def _pass_on(data: bytes) -> None:
    """Write to standard error what goes there without waiting; a reader that has stopped reading misses the rest."""
    import select

    with suppress(OSError, ValueError):  # ValueError: of a descriptor that is closed
        for start in range(0, len(data), select.PIPE_BUF):
            if not select.select([], [2], [], 0)[1]:
                break
            os.write(2, data[start : start + select.PIPE_BUF])


def _how(reason: Any) -> str:
    """Tell how a process has ended."""
    number, status = getattr(reason.value, "signal", None), getattr(reason.value, "exitCode", None)
    return f"was ended by signal {number}" if number is not None else f"ended with status {status}"


def _end_process(reactor: Any, attempt: Attempt) -> None:
    """Have a process end: by SIGTERM, and by SIGKILL if it does not."""
    transport: Any = attempt.transport

    def send(name: str) -> None:
        from torsion.internet.error import ProcessExitedAlready

        with suppress(ProcessExitedAlready, OSError):
            transport.signalProcess(name)

    send("TERM")
    reactor.callLater(KILL_SECONDS, send, "KILL")
