"""One worker process, as the master has it: from its start to its end."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from torsion.application.workers.broker import Broker, Desk
from torsion.application.workers.channel import Channel, ChannelLost, Refused, Unanswered
from torsion.application.workers.logs import Gathered
from torsion.application.workers.membership import BROKER, CHANNEL, environment
from torsion.internet.error import ProcessExitedAlready
from torsion.internet.protocol import Factory, ProcessProtocol
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IAddress, IDelayedCall
    from torsion.python.failure import Failure

__all__ = ["End", "Limits", "Watcher", "Worker", "Workshop", "attach"]

_log = Logger("torsion.application.workers")


class Limits(NamedTuple):
    """How long a worker may take, in seconds.

    :ivar start: until it is ready. What loads models or fills caches takes its time; systemd gives a service 90 seconds.
    :ivar ping: between two looks whether it is alive; half of the next, if that is less.
    :ivar unanswered: until a ping is answered, before the worker counts as hung; 0 for ever. What takes that long in one turn
        of the reactor keeps all its connections waiting as long.
    :ivar dump: between the signal that has a hung worker write down where it is, and its end.
    :ivar output: for the last lines of one that ended before it was ready.
    """

    start: float = 90.0
    ping: float = 5.0
    unanswered: float = 30.0
    dump: float = 2.0
    output: float = 1.0


class End(NamedTuple):
    """How a worker ended.

    :ivar how: such as ``killed by SIGKILL``.
    :ivar served: for how many seconds it had been ready; 0 if it never was.
    :ivar said: the last lines that it wrote to standard error.
    """

    how: str
    served: float
    said: tuple[str, ...] = ()

    def reason(self) -> str:
        """Return why, in a line: what it said last, or else how it ended."""
        return f"{self.said[-1]} ({self.how})" if self.said else self.how


class Watcher(Protocol):
    """What is told of a worker's life: its slot."""

    number: int

    def worker_ready(self, worker: Worker) -> None:
        """It serves."""

    def worker_leaves(self, worker: Worker, end: End) -> None:
        """It listens no more, and ends once it has drained."""

    def worker_ended(self, worker: Worker, end: End) -> None:
        """It is over; called once, last."""

    def worker_wants_replacement(self, worker: Worker) -> Deferred[Any]:
        """It asks for one that starts anew in its place."""


class Workshop(NamedTuple):
    """What all workers of a master are made with.

    :ivar reactor: the master's.
    :ivar broker: the master's.
    :ivar command: the program and its arguments.
    :ivar folder: where it starts: where the master was started, since relative paths are the command line's.
    :ivar environment: the master's.
    :ivar limits: see there.
    :ivar seal: whether workers may open no more addresses once they are ready: they have given up privileges that we have.
    """

    reactor: Any
    broker: Broker
    command: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    limits: Limits = Limits()
    seal: bool = False


class Worker(ProcessProtocol):
    """A worker process.

    :ivar state: ``starting``, ``ready``, ``retiring`` (it listens no more), ``draining`` (it stops) or ``ended``.
    :ivar pid: its number, also when it is over.
    """

    def __init__(self, shop: Workshop, watcher: Watcher) -> None:
        """Prepare one; :meth:`start` starts it."""
        self.state = "starting"
        self.pid = 0
        self._shop = shop
        self._watcher = watcher
        self._reactor = shop.reactor
        self._ready_since: float | None = None
        self._timer: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._outputs: dict[int, Gathered] = {}
        self._channel: Channel | None = None
        self._desk: Desk | None = None
        self._how = ""
        self._exited: float | None = None

    @property
    def name(self) -> str:
        """What it is called in log lines."""
        return f"worker {self._watcher.number} (pid {self.pid})"

    def start(self) -> None:
        """Start the process.

        :raises OSError: if that is not possible.
        """
        slot = self._watcher.number
        requests: dict[str, Any] = {"ready": self._is_ready, "replace": self._replace, "stopping": self._leaves}
        self._channel = Channel(self._reactor, self.name, requests, self._channel_lost)
        self._desk = Desk(self._shop.broker, slot, self.name)
        try:
            with ExitStack() as closed:
                places: dict[int, int | str] = {1: "r", 2: "r"}
                for place, protocol in ((CHANNEL, self._channel), (BROKER, self._desk)):
                    here, there = socket.socketpair()
                    closed.enter_context(here)
                    places[place] = closed.enter_context(there).fileno()
                    attach(self._reactor, here, protocol)
                places[0] = null = os.open(os.devnull, os.O_RDWR)
                closed.callback(os.close, null)
                command, shop = self._shop.command, self._shop
                process = self._reactor.spawnProcess(
                    self, command[0], command, environment(slot, shop.environment), shop.folder, childFDs=places
                )
        except OSError:
            self.state = "ended"
            raise
        self.pid = process.pid or 0
        self._outputs = {1: Gathered(slot, self.pid, "stdout"), 2: Gathered(slot, self.pid, "stderr")}
        self._channel.name = self._desk.name = self.name
        self._timer = self._reactor.callLater(self._shop.limits.start, self._too_slow)

    def ask(self, what: str, patience: float | None = None, **arguments: Any) -> Deferred[Any]:
        """Ask it for something; see :meth:`Channel.ask`."""
        assert self._channel is not None, "asked before it was started"
        return self._channel.ask(what, patience, **arguments)

    # --- its life ----------------------------------------------------------------------------------------------------

    def _is_ready(self, **_: Any) -> None:
        if self.state == "starting":
            self._forget_timer()
            self.state = "ready"
            self._ready_since = self._reactor.seconds()
            assert self._desk is not None
            self._desk.sealed = self._shop.seal
            self._ping_later()
            self._watcher.worker_ready(self)

    def _replace(self) -> Deferred[Any]:
        return self._watcher.worker_wants_replacement(self)

    def _leaves(self, **_: Any) -> None:
        """It stops, and if that was not our doing, of its own accord: somebody signalled it, or the program has enough."""
        if self.state == "ready":
            self.state = "draining"
            self._watcher.worker_leaves(self, End("stops by itself", self._served()))

    def _served(self) -> float:
        if self._ready_since is None:
            return 0.0
        return (self._reactor.seconds() if self._exited is None else self._exited) - self._ready_since

    def _too_slow(self) -> None:
        self._timer = None
        _log.error(
            "{who} was not ready within {limit:g} seconds, and is killed",
            who=self.name,
            limit=self._shop.limits.start,
        )
        self._how = f"not ready within {self._shop.limits.start:g} seconds"
        self._dump_and_kill()

    def _ping_later(self) -> None:
        limits = self._shop.limits
        if limits.unanswered:
            self._timer = self._reactor.callLater(min(limits.ping, limits.unanswered / 2), self._ping)

    def _ping(self) -> None:
        self._timer = None
        self.ask("ping", self._shop.limits.unanswered).addCallbacks(self._answered, self._not_answered)

    def _answered(self, _: object) -> None:
        if self.state in ("ready", "retiring", "draining") and self._timer is None and self._exited is None:
            self._ping_later()

    def _not_answered(self, reason: Failure) -> None:
        if reason.check(Unanswered) and self.state != "ended":
            limit = self._shop.limits.unanswered
            _log.error(
                "{who} hangs: it has not answered for {limit:g} seconds, and is killed",
                who=self.name,
                limit=limit,
            )
            self._how = f"hung for {limit:g} seconds"
            self._dump_and_kill()
        elif reason.check(Refused):  # it lives
            self._answered(None)
        else:
            reason.trap(ChannelLost, Unanswered)  # its end is told of by itself

    def _dump_and_kill(self) -> None:
        """Kill it; before, it has the time to write down where it is: SIGABRT is faulthandler's."""
        self._signal(signal.SIGABRT)
        self._kill_within(self._shop.limits.dump)

    def _channel_lost(self) -> None:
        """It ends, or should: without a master it stops by itself."""
        if self._exited is None and self.state in ("starting", "ready", "retiring"):
            self.state = "draining"
            self._forget_timer()
            self._kill_within(self._shop.limits.unanswered or self._shop.limits.start)

    # --- its end -----------------------------------------------------------------------------------------------------

    def retire(self) -> None:
        """Have it listen no more, go on with its connections as long as ``--linger`` says, and end."""
        self.state = "retiring"
        self.ask("retire").addErrback(self._not_drained)

    def drain(self, seconds: float | None) -> None:
        """Have it take no new work, finish what it has begun, and end.

        :param seconds: after how long it is killed; None for never.
        """
        if self.state == "ended":
            return
        if self.state == "starting":
            self._signal(signal.SIGTERM)  # it does not listen to the channel yet; its time to start goes on
        elif self.state in ("ready", "retiring"):
            # It aborts by itself before it is killed, so that each of its connections is told.
            self.ask("drain", seconds=None if seconds is None else max(0.0, seconds - margin(seconds))).addErrback(
                self._not_drained
            )
        self.state = "draining"
        if seconds is not None:
            self._kill_within(seconds)

    def _not_drained(self, reason: Failure) -> None:
        if self.state != "ended":
            _log.warn("{who} was to end: {problem}", who=self.name, problem=reason.getErrorMessage())
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _kill_within(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self._reactor.callLater(seconds, self._late)
        elif self._deadline.getTime() > self._reactor.seconds() + seconds:
            self._deadline.reset(seconds)

    def _late(self) -> None:
        self._deadline = None
        if not self._how:
            _log.warn("{who} has not ended in time, and is killed", who=self.name)
        self.kill()

    def _signal(self, number: int) -> None:
        if self.transport is not None:
            with suppress(ProcessExitedAlready, PermissionError):  # the latter: it has become another user
                self.transport.signalProcess(number)

    # --- what it writes ----------------------------------------------------------------------------------------------

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """It wrote to standard output, where its log goes, or to standard error."""
        self._outputs[childFD].received(data)

    def childConnectionLost(self, childFD: int) -> None:
        """It writes no more."""
        self._outputs[childFD].ended()

    # --- what the process tells --------------------------------------------------------------------------------------

    def processExited(self, reason: Failure) -> None:
        """It is over; what it wrote may still be on the way, and matters if it never became ready."""
        self._forget_timer()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._how = self._how or how(reason)  # why it was killed, if it was
        self._exited = self._reactor.seconds()
        if self._ready_since is None:
            self._timer = self._reactor.callLater(self._shop.limits.output, self._over)
        else:
            self._over()

    def processEnded(self, reason: Failure) -> None:
        """All that it wrote is there."""
        if self.state != "ended":
            self._over()

    def _over(self) -> None:
        self._forget_timer()
        self.state = "ended"
        for each in (self._channel, self._desk):
            if each is not None and each.transport is not None:
                each.transport.loseConnection()
        said = tuple(self._outputs[2].last) if self._outputs else ()
        self._watcher.worker_ended(self, End(self._how, self._served(), said))

    def _forget_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


def margin(seconds: float) -> float:
    """Return by how many seconds a worker is to be done before it is killed, of *seconds* that it has in all."""
    return min(1.0, seconds / 10)


def how(reason: Failure) -> str:
    """Tell how a process ended."""
    number = getattr(reason.value, "signal", None)
    status = getattr(reason.value, "exitCode", None)
    if number is not None:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        out_of_memory = ", as the kernel does when memory runs out" if number == signal.SIGKILL else ""
        return f"killed by {name}{out_of_memory}"
    if status == 128 + signal.SIGKILL:
        return f"exit status {status}, as of a process killed by SIGKILL, which the kernel does when memory runs out"
    return f"exit status {'unknown' if status is None else status}"


def attach(reactor: Any, sock: socket.socket, protocol: Any) -> None:
    """Let *protocol* speak over *sock*, of which the reactor gets a duplicate."""
    reactor.adoptStreamConnection(sock.fileno(), socket.AF_UNIX, _Only(protocol))


class _Only(Factory):
    """Has one protocol."""

    noisy = False

    def __init__(self, protocol: Any) -> None:
        self._only = protocol

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return it."""
        return self._only
