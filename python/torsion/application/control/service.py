"""The control socket of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torsion.application.control.protocol import ControlFactory
from torsion.application.localsocket import LocalSocketInUse, holdsPath, leavePath, listenPrivately
from torsion.application.service import Service
from torsion.internet.defer import gatherResults, maybeDeferred

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.internet.defer import Deferred

__all__ = ["BELONGING", "ControlService"]

BELONGING = "control"
"""By what name the socket goes on to the next process of a restart, which may not have the rights to make it again."""


class ControlService(Service):
    """Listens at a private socket for those who want the process to reload, to restart or to stop.

    :ivar path: where.
    """

    def __init__(self, run: Run, path: str) -> None:
        """Prepare it.

        :param run: what to act on.
        :param path: the socket's path; its folder must be there.
        """
        self.run = run
        self.path = path
        self.factory = ControlFactory(run)
        self._port: Any = None

    def privilegedStartService(self) -> None:
        """Listen, which may take rights that the process has not for long.

        :raises torsion.application.localsocket.LocalSocketError: if that cannot be done.
        """
        super().privilegedStartService()
        self._listen()

    def startService(self) -> None:
        """Listen, if that has not been done."""
        super().startService()
        if self._port is None:
            self._listen()

    def _listen(self, replaces: int | None = None) -> None:
        run = self.run
        handed = run.inherited.pop(BELONGING, None)
        try:
            self._port = listenPrivately(run.reactor, self.path, self.factory, replaces or run.predecessor, handed)
        finally:
            if handed is not None:
                os.close(handed)

    def descriptor(self) -> int:
        """Return the descriptor of the socket, for a process that is to take the place of this one; -1 if there is none."""
        return -1 if self._port is None else int(self._port.fileno())

    def leave(self) -> None:
        """Listen no more: another process does, with the same socket."""
        if self._port is not None:
            leavePath(self._port)
            self._port.stopListening()
            self._port = None

    def take_back(self) -> None:
        """Listen there again, if the process that was to take our place had made a socket of its own."""
        if self._port is None or holdsPath(self._port):
            return
        self._port.stopListening()
        try:
            self._listen()
        except LocalSocketInUse as other:  # which is being ended
            if other.pid in (None, os.getpid()):
                raise
            self._listen(other.pid)

    def stopService(self) -> Deferred[Any]:
        """Tell those who wait for the end, and listen no more.

        :returns: a Deferred that fires when they have been told.
        """
        super().stopService()
        port, self._port = self._port, None
        waiting = [maybeDeferred(port.stopListening)] if port is not None else []
        for connection in list(self.factory.connections):
            waiting.append(connection.lost)
            connection.stopped()
        return gatherResults(waiting, consumeErrors=True)
