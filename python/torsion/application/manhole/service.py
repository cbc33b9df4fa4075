"""A service that listens at a private socket, and has a prompt for each operator who connects there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.localsocket import LocalSocketInUse, holdsPath, listenPrivately
from torsion.application.manhole.namespace import names_of
from torsion.application.manhole.server import ManholeFactory
from torsion.application.service import Service
from torsion.internet.defer import maybeDeferred

if TYPE_CHECKING:
    import os

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort

__all__ = ["AGAIN_SECONDS", "ManholeService"]

AGAIN_SECONDS = 1.0
"""How often to look, in seconds, whether the process that listens in our place is gone."""


class ManholeService(Service):
    """A manhole.

    :ivar factory: knows its sessions.
    """

    def __init__(self, reactor: Any, path: str | os.PathLike[str], run: Any = None, patient: bool = False) -> None:
        """Prepare one.

        :param reactor: the reactor.
        :param path: where to listen.
        :param run: the run of the command, whose names operators have; None if there is none.
        :param patient: where another process listens there, wait until it is gone, instead of failing: for a worker, whose predecessor
            may still be finishing its work.
        """
        self._reactor = reactor
        self._path = path
        self._run = run
        self._patient = patient
        self._later: Any = None
        self.factory = ManholeFactory(reactor, lambda: names_of(reactor, run))
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Listen; a process that takes another's place waits until it is told to :meth:`take`.

        :raises torsion.application.localsocket.LocalSocketError: if that cannot be done.
        """
        super().startService()
        if getattr(self._run, "predecessor", None) is None:
            self._listen(None)

    def _listen(self, replaces: int | None) -> None:
        self._later = None
        try:
            self._port = listenPrivately(self._reactor, self._path, self.factory, replaces)
        except LocalSocketInUse:
            if not self._patient:
                raise
            self._later = self._reactor.callLater(AGAIN_SECONDS, self._listen, replaces)

    def take(self) -> None:
        """Listen in the place of the predecessor, or again where a successor that is gone had taken the place.

        :raises torsion.application.localsocket.LocalSocketError: if that cannot be done.
        """
        if not self.running or (self._port is not None and holdsPath(self._port)):
            return
        before, self._port = self._port, None
        self._listen(getattr(self._run, "predecessor", None))
        if before is not None:
            before.stopListening()

    def stopService(self) -> Deferred[Any]:
        """Listen no more, and hang up."""
        super().stopService()
        port, self._port = self._port, None
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self.factory.hangUp("the process ends")
        return maybeDeferred(port.stopListening) if port is not None else maybeDeferred(bool)
