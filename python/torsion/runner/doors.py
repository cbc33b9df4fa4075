"""A socket at which a program waits to be needed: it is started with what comes there as its input and output."""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from zope.interface import implementer

from torsion.application.draining import IDrains, IListens
from torsion.application.service import Service
from torsion.internet.defer import Deferred
from torsion.internet.error import CannotListenError, ProcessExitedAlready
from torsion.internet.interfaces import IReadDescriptor
from torsion.internet.interfaces.handover import IHandedPort, ListeningAddress
from torsion.internet.protocol import ProcessProtocol
from torsion.logger import Logger
from torsion.runner.users import ids_of

if TYPE_CHECKING:
    from torsion.python.failure import Failure
    from torsion.runner.inetdconf import InetdService

__all__ = ["ACCEPTS", "BACKLOG", "MOST_STARTS", "PAUSE_SECONDS", "Door", "most_starts", "shown"]

BACKLOG = 50
"""How many connections the system may keep waiting to be accepted."""

ACCEPTS = 16
"""How many connections are accepted at a time, before others have their turn."""

MOST_STARTS = 256
"""How often a program is started in a minute, unless its line says otherwise (:manpage:`inetd(8)`)."""

PAUSE_SECONDS = 1.0
"""How long to wait, in seconds, when there are no descriptors or processes left."""

_MINUTE = 60.0

_log = Logger("torsion.runner.inetd")


def most_starts(service: InetdService) -> int:
    """Return how often the program of *service* may be started in a minute.

    :raise ValueError: if the field does not say so.
    """
    _, dot, number = service.wait.partition(".")
    if not dot:
        return MOST_STARTS
    if not (number.isdecimal() and number.isascii() and int(number[:9]) > 0):
        raise ValueError(
            f"{service.wait!r} is neither wait nor nowait, nor one of these with a number of starts in a minute"
        )
    return int(number[:9])


def shown(address: Any) -> str:
    """Return *address* for people."""
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


class _Program(ProcessProtocol):
    """A program that was started."""

    def __init__(self, door: Door, what: InetdService) -> None:
        self.door = door
        self.what = what

    def processEnded(self, reason: Failure) -> None:
        self.door.ended(self, reason)


@implementer(IReadDescriptor, IHandedPort, IListens, IDrains)
class Door(Service):
    """Listens for one service, and starts its program: for each connection, or for the socket itself if that is to be waited for.

    :ivar what: the service; it may be changed to another that listens at the same place.
    :ivar programs: those that run.
    """

    def __init__(self, reactor: Any, what: InetdService) -> None:
        """Prepare to serve *what*.

        :raise ValueError, LookupError, PermissionError: if it cannot be served.
        """
        self.reactor = reactor
        self.programs: set[_Program] = set()
        self.backlog = BACKLOG
        self._socket: socket.socket | None = None
        self._starts: deque[float] = deque()
        self._later: Any = None
        self._drained: list[Deferred[None]] = []
        self.define(what)
        six = what.protocol.endswith("6") or ":" in what.interface
        self.family = socket.AF_INET6 if six else socket.AF_INET
        self.interface = what.interface or ("::" if six else "0.0.0.0")  # noqa: S104 - as inetd has it where nothing is said
        self.address = ListeningAddress("TCP" if self.stream else "UDP", self.interface, what.port)

    def define(self, what: InetdService) -> None:
        """Serve *what* from now on, which is at the same place.

        :raise ValueError, LookupError, PermissionError: if it cannot be served.
        """
        kinds = {("stream", "tcp"): True, ("dgram", "udp"): False}
        stream = kinds.get((what.socketType, what.protocol.rstrip("46")))
        if stream is None:
            raise ValueError(f"{what.socketType} {what.protocol} is not served; stream tcp and dgram udp are")
        waits = what.wait.partition(".")[0]
        if waits not in {"wait", "nowait"}:
            raise ValueError(f"{what.wait!r} is neither wait nor nowait")
        if not stream and waits == "nowait":
            raise ValueError("a program for datagrams has to be waited for: say wait")
        most = most_starts(what)
        ids = ids_of(what.user, what.group)
        self.what, self.stream, self.waits, self._most, self._ids = what, stream, waits == "wait", most, ids

    # --- the service --------------------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """Listen, as ports under 1024 take root's rights.

        :raise torsion.internet.error.CannotListenError: if that cannot be done.
        """
        super().privilegedStartService()
        if self._socket is None:
            self._listen()

    def startService(self) -> None:
        """Serve."""
        super().startService()
        if self._socket is None:
            self._listen()
        self._watch()

    def _listen(self) -> None:
        sockets = getattr(self.reactor, "sockets", None)
        try:
            made = sockets.take(self.address, self) if sockets is not None else None
            if made is None:
                made = socket.socket(self.family, socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM)
                try:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if self.family == socket.AF_INET6:
                        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    made.bind((self.interface, self.what.port))
                    if self.stream:
                        made.listen(BACKLOG)
                except BaseException:
                    made.close()
                    raise
        except OSError as problem:
            raise CannotListenError(self.interface, self.what.port, problem) from problem
        made.setblocking(False)
        self._socket = made
        if sockets is not None:
            sockets.opened(self.address, self)
        _log.info("inetd: {what} listening on {where}", what=self.what.program, where=shown(self.getHost()))

    def stopListening(self) -> None:
        """Start no more programs; those that run go on."""
        self._unwatch()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        made, self._socket = self._socket, None
        if made is not None:
            made.close()
            sockets = getattr(self.reactor, "sockets", None)
            if sockets is not None:
                sockets.closed(self.address, self)

    def drain(self) -> Deferred[None] | None:
        """Wait for the programs that serve connections; one that has the socket itself waits for more, and is told to end."""
        self._end_waiting()
        if not self.programs:
            return None
        drained: Deferred[None] = Deferred(self._drained.remove)
        self._drained.append(drained)
        return drained

    def stopService(self) -> None:
        """Listen no more.  Programs that serve connections are not ended, as inetd's own are not."""
        super().stopService()
        self.stopListening()
        self._end_waiting()

    def _end_waiting(self) -> None:
        for program in self.programs:
            if program.what.wait.startswith("wait") and program.transport is not None:
                try:
                    program.transport.signalProcess("TERM")
                except ProcessExitedAlready:
                    pass

    # --- what the reactor asks ----------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the socket's descriptor, or -1."""
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        """Return what to call it in the log."""
        return f"inetd {self.what.program}"

    def connectionLost(self, reason: Failure) -> None:
        """Be told that the reactor stops, or that the socket is none any more."""
        self.stopListening()

    def getHost(self) -> Any:
        """Return where it listens, as an ``IAddress``."""
        from torsion.internet.address import IPv4Address, IPv6Address

        assert self._socket is not None
        kind: Literal["TCP", "UDP"] = "TCP" if self.stream else "UDP"
        host, port, *rest = self._socket.getsockname()
        return IPv6Address(kind, host, port, *rest) if rest else IPv4Address(kind, host, port)

    def given_away(self) -> None:
        """Do nothing: there is no file."""

    kept = taken_over = given_away

    def _watch(self) -> None:
        if self.running and self._socket is not None and self._later is None and not (self.waits and self.programs):
            self.reactor.addReader(self)

    def _unwatch(self) -> None:
        if self._socket is not None:
            self.reactor.removeReader(self)

    def _pause(self, seconds: float) -> None:
        self._unwatch()
        self._later = self.reactor.callLater(seconds, self._resume)

    def _resume(self) -> None:
        self._later = None
        self._watch()

    def doRead(self) -> None:
        """Something has come: start the program."""
        made = self._socket
        assert made is not None
        if self.waits:
            self._unwatch()
            if self._may_start():
                self._starts.append(self.reactor.seconds())
                made.setblocking(True)  # which is its open file's, not ours alone
                if not self._start(made):
                    made.setblocking(False)
                    self._pause(PAUSE_SECONDS)
            return
        if not self._may_start():
            return
        for _ in range(min(ACCEPTS, self._most - len(self._starts))):
            try:
                connection, _ = made.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                if problem.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    _log.error("{what} cannot accept a connection: {problem}", what=self.what.program, problem=problem)
                    self._pause(PAUSE_SECONDS)
                    return
                continue  # the peer has gone already
            self._starts.append(self.reactor.seconds())
            with connection:
                connection.setblocking(True)
                self._start(connection)

    def _may_start(self) -> bool:
        """Tell whether one more start is not one too many for this minute; else wait for the minute to pass."""
        now = self.reactor.seconds()
        while self._starts and self._starts[0] <= now - _MINUTE:
            self._starts.popleft()
        if len(self._starts) < self._most:
            return True
        seconds = self._starts[0] + _MINUTE - now
        _log.warn(
            "{what} was started {most} times in a minute: it waits for {seconds:.0f} s",
            what=self.what.program,
            most=self._most,
            seconds=seconds,
        )
        self._pause(seconds)
        return False

    def _start(self, connected: socket.socket) -> bool:
        what = self.what
        program = _Program(self, what)
        number = connected.fileno()
        self.programs.add(program)
        uid, gid = self._ids
        try:
            self.reactor.spawnProcess(
                program,
                what.program,
                what.programArgs or [what.program],
                env=None,
                uid=uid,
                gid=gid,
                childFDs={0: number, 1: number, 2: number},
            )
        except (OSError, ValueError) as problem:
            self.programs.discard(program)
            _log.error("{what} cannot be started: {problem}", what=what.program, problem=problem)
            return False
        return True

    def ended(self, program: _Program, reason: Failure) -> None:
        """Be told that a program has ended."""
        self.programs.discard(program)
        if (status := getattr(reason.value, "exitCode", None)) != 0 and self.running:
            _log.warn(
                "{program} has ended with {status}",
                program=program.what.program,
                status=f"status {status}" if status is not None else f"signal {reason.value.signal}",  # type: ignore[attr-defined]  # a ProcessTerminated
            )
        if self._socket is not None and not self.programs:
            self._socket.setblocking(False)
            self._watch()
        if not self.programs:
            drained, self._drained = self._drained, []
            for each in drained:
                each.callback(None)
