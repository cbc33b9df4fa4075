"""A service that listens at a private socket, and has a prompt for each operator who connects there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.application.localsocket import holdsPath, listenPrivately
from torsion.application.manhole.namespace import names_of
from torsion.application.manhole.server import ManholeFactory
from torsion.application.service import Service
from torsion.internet.defer import maybeDeferred

if TYPE_CHECKING:
    import os

    from torsion.internet.defer import Deferred
    from torsion.internet.interfaces import IListeningPort

__all__ = ["ManholeService"]


class ManholeService(Service):
    """A manhole.

    :ivar factory: knows its sessions.
    """

    def __init__(self, reactor: Any, path: str | os.PathLike[str], run: Any = None) -> None:
        """Prepare one.

        :param reactor: the reactor.
        :param path: where to listen.
        :param run: the run of the command, whose names operators have; None if there is none.
        """
        self._reactor = reactor
        self._path = path
        self._run = run
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
        self._port = listenPrivately(self._reactor, self._path, self.factory, replaces)

    def take(self) -> None:
        """Listen in the place of the predecessor, or again where a successor that is gone had taken the place.

        :raises torsion.application.localsocket.LocalSocketError: if that cannot be done.
        """
        if not self.running or (self._port is not None and holdsPath(self._port)):
            return
        before, self._port = self._port, None
        if before is not None:
            before.stopListening()
        self._listen(getattr(self._run, "predecessor", None))

    def stopService(self) -> Deferred[Any]:
        """Listen no more, and hang up."""
        super().stopService()
        port, self._port = self._port, None
        self.factory.hangUp("the process ends")
        return maybeDeferred(port.stopListening) if port is not None else maybeDeferred(bool)
