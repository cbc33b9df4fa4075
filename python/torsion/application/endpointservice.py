"""A service that listens at an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.connections import drainConnections, stopListening
from torsion.application.draining import IDrains, IListens
from torsion.application.service import Service
from torsion.internet.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from torsion.logger import Logger
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint

__all__ = ["StreamServerEndpointService"]

_log = Logger("torsion.application.internet")


@implementer(IListens, IDrains)
class StreamServerEndpointService(Service):
    """A service that listens at an endpoint while it runs.

    Whether an endpoint can listen may be known later only, so that a failure is logged, and the service goes on without
    listening; :meth:`whenListening` tells.  Where the program must not start without, as with
    :func:`torsion.application.strports.service`, a failure that is known at once is raised.

    :ivar endpoint: the endpoint.
    :ivar factory: what makes its protocols.
    """

    _raiseSynchronously = False
    """Whether a failure that is known at once is raised."""

    _listening: Deferred[Any] | None = None
    """What came of the endpoint's ``listen``, since the service was started."""

    _beginning = False
    """Whether that is being called."""

    _port: Any = None
    _failure: Failure | None = None

    def __init__(self, endpoint: IStreamServerEndpoint, factory: IProtocolFactory) -> None:
        """Make a service that does not listen yet.

        :param endpoint: where to listen.
        :param factory: makes a protocol for each connection.
        """
        self.endpoint = endpoint
        self.factory = factory
        self._waiting: list[Deferred[Any]] = []

    def privilegedStartService(self) -> None:
        """Listen, while there may still be the right to."""
        super().privilegedStartService()
        self._listen()

    def startService(self) -> None:
        """Listen, unless it does."""
        super().startService()
        self._listen()

    def _listen(self) -> None:
        if self._listening is not None:
            return
        self._failure = None
        self._beginning = True
        self._listening = listening = maybeDeferred(self.endpoint.listen, self.factory)
        listening.addCallback(self._listens, listening)
        listening.addErrback(self._fails, listening)
        self._beginning = False
        failure: Failure | None = self._failure  # may be there by now
        if failure is not None and self._raiseSynchronously:
            self._listening = None
            failure.raiseException()

    def _listens(self, port: Any, listening: Deferred[Any]) -> Any:
        if self._listening is not listening:  # stopped, and the endpoint does not care
            return stopListening(port)
        self._port = port
        self._tell()
        return None

    def _fails(self, why: Failure, listening: Deferred[Any]) -> None:
        current = self._listening is listening
        if not current and why.check(CancelledError):
            return  # stopService has cancelled it
        if not (self._beginning and self._raiseSynchronously):
            service = self.name or type(self).__name__
            _log.failure("{service} cannot listen at {endpoint}", why, service=service, endpoint=self.endpoint)
        if current:
            self._failure = why
            self._tell()

    def whenListening(self) -> Deferred[IListeningPort]:
        """Ask for the port.

        :returns: a Deferred that fires with it once the service listens, at once if it does.  It fails with what kept the
            service from listening, or with ``CancelledError`` if it is stopped before.
        """

        if self._port is not None:
            return succeed(self._port)
        if self._failure is not None:
            return fail(self._failure)
        waiting: Deferred[Any] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def _tell(self) -> None:
        """Tell those who wait for the port."""
        told = self._waiting[:]
        self._waiting.clear()
        for each in told:
            if self._failure is not None:
                each.errback(self._failure)
            else:
                each.callback(self._port)

    def stopListening(self) -> Deferred[Any]:
        """Accept no more connections; those that there are go on.  See :class:`~torsion.application.draining.IListens`.

        :returns: a Deferred that fires when the port is closed.
        """
        if self._port is not None:
            return stopListening(self._port)
        listening, self._listening = self._listening, None
        if listening is not None and self._failure is None:
            self._failure = Failure(CancelledError())
            listening.cancel()
            self._tell()
        return succeed(None) if listening is None else listening

    def drain(self) -> Deferred[Any]:
        """Stop listening, and finish the connections; see :func:`~torsion.application.connections.drainConnections`."""
        port = self._port
        return self.stopListening().addBoth(lambda _: drainConnections(port, self.factory))

    def stopService(self) -> Deferred[Any]:
        """Listen no more.

        :returns: a Deferred that fires with None when the port is closed.
        """
        super().stopService()
        stopped = self.stopListening()
        self._listening = self._port = self._failure = None
        return stopped
