"""What is said over a control socket: JSON lines, and each request is answered by one line in the end.

::

    -> {"do": "restart"}
    <- {"begun": "restart", "pid": 4241}
    <- {"done": "restart", "text": "process 4250 has taken the place of process 4241"}

or ``{"failed": "restart", "text": WHY}``.  What can be done is ``ping``, ``reload``, ``restart`` and ``stop``.  Of several requests
on one connection each is begun at once; answers come as they come.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.protocol import ServerFactory
from torsion.logger import Logger
from torsion.protocols.basic import LineOnlyReceiver

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["IDLE_SECONDS", "LONGEST_REQUEST", "MOST_CONNECTIONS", "ControlFactory", "ControlProtocol"]

_log = Logger("torsion.application.control")

LONGEST_REQUEST = 4096
"""Bytes in a request; the longest that there is has twenty."""

MOST_CONNECTIONS = 32
"""How many may be connected at once.  Those who ask are operators and their scripts; more than these have lost count."""

IDLE_SECONDS = 5.0
"""For how many seconds one who waits for no answer may ask nothing, before the connection is closed.  ``torsion stop`` and its like
ask as soon as they are connected; those who do not must not take the places of those who do."""


class ControlProtocol(LineOnlyReceiver):
    """The end of the process that is asked."""

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_REQUEST

    def __init__(self, run: Run) -> None:
        """Act on *run*."""
        self.run = run
        self.stopping: list[str] = []
        """Requests that are answered when the services have stopped."""
        self.lost: Deferred[None] = Deferred()
        """Fires when the connection is gone."""
        self._answers = 0
        self._patience: Any = None
        self._hung_up = False

    def connectionMade(self) -> None:
        """Be one of those that are connected; or refuse it, if there are too many."""
        factory: Any = self.factory
        if len(factory.connections) >= MOST_CONNECTIONS:
            self._say({"failed": "connect", "text": f"{MOST_CONNECTIONS} are connected already; try again later"})
            self._hang_up()
            return
        factory.connections.add(self)
        self._wait()

    def connectionLost(self, reason: Any = None) -> None:
        """Be none of them any more; what was begun goes on."""
        self.connected = 0
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        factory: Any = self.factory
        factory.connections.discard(self)
        self.lost.callback(None)

    def lineReceived(self, line: bytes) -> None:
        """Do what is asked for."""
        try:
            request = json.loads(line)
            what = request["do"]
        except (ValueError, TypeError, KeyError, RecursionError):
            self._refuse('a request is a JSON object in one line, such as {"do": "ping"}')
            return
        handler = getattr(self, f"do_{what}", None) if isinstance(what, str) else None
        if handler is None:
            self._say({"failed": what, "text": f"{what!r} is nothing that can be asked for"})
            return
        self._say({"begun": what, "pid": os.getpid()})
        self._answers += 1
        handler(what)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse it."""
        self._refuse(f"a request has {LONGEST_REQUEST} bytes at most")

    def do_ping(self, what: str) -> None:
        """Tell in what state the run is."""
        self._answer({"done": what, "text": self.run.state})

    def do_reload(self, what: str) -> None:
        """Reload, and tell what was done."""
        _log.info("A reload was asked for")

        def told(report: Any) -> None:
            ok = getattr(report, "ok", True)
            self._answer({"done" if ok else "failed": what, "text": str(report)})

        maybeDeferred(self.run.reload).addCallback(told).addErrback(self._failed, what)

    def do_restart(self, what: str) -> None:
        """Restart, and tell which process it is now; or why it is the same."""
        _log.info("A restart was asked for")

        def told(pid: object) -> None:
            mine = f"process {os.getpid()}"
            text = (
                f"process {pid} has taken the place of {mine}"
                if isinstance(pid, int)
                else f"{mine} has restarted what it runs"
            )
            self._answer({"done": what, "text": text, "pid": pid if isinstance(pid, int) else os.getpid()})

        maybeDeferred(self.run.restart).addCallback(told).addErrback(self._failed, what)

    def do_stop(self, what: str) -> None:
        """Stop; the answer comes when all services have stopped."""
        _log.info("A stop was asked for")
        self.stopping.append(what)
        self.run.stop()

    def stopped(self) -> None:
        """All services have stopped: tell those who asked for it, and hang up."""
        for what in self.stopping:
            text = f"process {os.getpid()} has stopped, with status {self.run.status}"
            self._say({"done" if not self.run.status else "failed": what, "text": text})
        self._hang_up()

    def _failed(self, failure: Failure, what: str) -> None:
        self._answer({"failed": what, "text": failure.getErrorMessage() or failure.type.__name__})

    def _refuse(self, why: str) -> None:
        self._say({"failed": None, "text": why})
        self._hang_up()

    def _answer(self, message: dict[str, Any]) -> None:
        """Say what has come of a request, and wait for the next."""
        self._answers -= 1
        self._say(message)
        self._wait()

    def _wait(self) -> None:
        """Have patience for a while from now on."""
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        if self.connected:
            self._patience = self.run.reactor.callLater(IDLE_SECONDS, self._idle)

    def _idle(self) -> None:
        if self._hung_up:
            self.transport.abortConnection()  # who does not read what was said would stay for ever
        elif not self._answers:
            self._refuse(f"nothing was asked for in {IDLE_SECONDS:g} seconds")

    def _hang_up(self) -> None:
        self._hung_up = True
        self.transport.loseConnection()
        self._wait()

    def _say(self, message: dict[str, Any]) -> None:
        if self.connected:
            self.sendLine(json.dumps(message).encode())


class ControlFactory(ServerFactory):
    """Makes the ends of those who are asked.

    :ivar connections: those that there are.
    """

    noisy = False
    operating = True
    """What listens with this is the command's own, and no service's."""

    def __init__(self, run: Run) -> None:
        """Act on *run*."""
        self.run = run
        self.connections: set[ControlProtocol] = set()

    def buildProtocol(self, addr: IAddress | None) -> ControlProtocol:
        """Make one."""
        made = ControlProtocol(self.run)
        made.factory = self
        return made
