"""The control socket of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torsion.application.control.protocol import ControlFactory
from torsion.application.localsocket import LocalSocketInUse, holdsPath, listenPrivately
from torsion.application.service import Service
from torsion.internet.defer import gatherResults, maybeDeferred

if TYPE_CHECKING:
    from torsion.application.runner.run import Run
    from torsion.internet.defer import Deferred

__all__ = ["ControlService"]


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
        self._listen(self.run.predecessor)

    def startService(self) -> None:
        """Listen, if that has not been done."""
        super().startService()
        if self._port is None:
            self._listen(self.run.predecessor)

    def _listen(self, replaces: int | None) -> None:
        self._port = listenPrivately(self.run.reactor, self.path, self.factory, replaces)

    def take_back(self) -> None:
        """Listen there again, if the process that was to take our place had begun to."""
        if self._port is None or holdsPath(self._port):
            return
        self._port.stopListening()
        try:
            self._listen(None)
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
