"""The new process of a restart: it tells the old one when it is ready, and takes its place.

Both say JSON lines over a socket pair: the new one ``{"ready": PID, "taken": [NUMBERS]}`` once its service is started, the old
one ``{"yours": true}``, and the new one ``{"settled": true}`` when pid file, files of sockets and the like are its own.  ``{"end":
WHY}`` tells the new one that nothing will come of it.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from torsion.internet.protocol import Factory
from torsion.logger import Logger
from torsion.protocols.basic import LineOnlyReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.application.runner.inheritance import Inheritance
    from torsion.application.runner.run import Run
    from torsion.application.runner.sockets import Sockets

__all__ = ["Heir", "Line"]

_log = Logger("torsion.application.runner")

LONGEST_LINE = 64 * 1024
"""Bytes in a line between the two: it is the numbers of the sockets at most, of which the table has a thousand."""


LOOK_SECONDS = 0.1
"""Every how many seconds to look whether a process that has hung up has ended."""

LOOKS = 50
"""How many times: five seconds are enough to write the dump of a process that has crashed."""


class Line(LineOnlyReceiver):
    """One end of what the two processes say to each other."""

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE

    def __init__(self, heard: Callable[[dict[str, Any]], object], lost: Callable[[], object]) -> None:
        """Prepare an end.

        :param heard: called with each message.
        :param lost: called when the other end is gone.
        """
        self._heard = heard
        self._lost = lost

    def lineReceived(self, line: bytes) -> None:
        """Hear a message; what is none ends the connection."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict):
            self._heard(message)
        else:
            self.transport.abortConnection()

    def say(self, **message: Any) -> None:
        """Send a message, if somebody is there."""
        if self.connected:
            self.sendLine(json.dumps(message).encode())

    def connectionLost(self, reason: Any = None) -> None:
        """Tell so."""
        self.connected = 0
        self._lost()


class Heir:
    """Takes the place of the process before.

    :ivar settled: whether that was done.
    """

    def __init__(self, run: Run, sockets: Sockets, inherited: Inheritance) -> None:
        """Prepare it.

        :param run: ours.
        :param sockets: what was handed over.
        :param inherited: the rest of what was.
        """
        self._run = run
        self._sockets = sockets
        self._inherited = inherited
        self._ready = self._alone = self._given_up = False
        self.settled = False
        self._line = Line(self._heard, self._lost)

    def connect(self) -> None:
        """Be able to hear and to speak."""
        import socket

        channel = self._inherited.channel
        self._run.reactor.adoptStreamConnection(channel, socket.AF_UNIX, Factory.forProtocol(lambda: self._line))
        os.close(channel)

    def ready(self) -> None:
        """Tell that the service is started."""
        self._ready = True
        if self._alone:
            self._take_over()
        else:
            self._line.say(ready=os.getpid(), taken=self._sockets.taken())

    def _heard(self, message: dict[str, Any]) -> None:
        if "yours" in message and not self._of_no_use():
            self._take_over()
            self._line.say(settled=True)
            self._line.transport.loseConnection()
        elif "end" in message and not self._of_no_use():
            self._give_up(message["end"])

    def _lost(self, looks: int = LOOKS) -> None:
        """It hung up, without a word: if it has ended, which it was to do anyway, there is nobody but us."""
        if self._of_no_use():
            return
        pid = self._inherited.process
        if os.getppid() == pid:  # what a process has open is closed shortly before it has ended
            if looks:
                self._run.reactor.callLater(LOOK_SECONDS, self._lost, looks - 1)
            else:
                self._give_up("it has hung up without saying why")
            return
        _log.warn("Process {pid}, whose place this one is to take, is gone", pid=pid)
        self._alone = True
        if self._ready:
            self._take_over()

    def _of_no_use(self) -> bool:
        """Tell whether it is settled already, or this process has begun to end."""
        return self.settled or self._given_up or self._run.state not in ("starting", "ready")

    def _give_up(self, why: object) -> None:
        self._given_up = True
        _log.error("Process {pid} goes on: {why}", pid=self._inherited.process, why=why)
        self._run.status = 1
        self._run.stop()

    def _take_over(self) -> None:
        self.settled = True
        errors = self._inherited.errors
        try:
            os.dup2(errors, 2)
        finally:
            os.close(errors)
        self._sockets.take_over()
        self._run.take_over()
        for descriptor in self._run.inherited.values():  # what nobody wants any more
            os.close(descriptor)
        self._run.inherited.clear()
        _log.info("Took the place of process {pid}", pid=self._inherited.process)
