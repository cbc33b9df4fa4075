"""Ending well: what services and factories have that can finish what they have begun before they are stopped.

A stop in order goes: whatever listens stops listening (:class:`IListens`), services drain, one after the other, those that were
started last first (:class:`IDrains`), and only then is ``stopService`` called. ``torsion.application.runner.grace`` has it done under
one deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import Interface, implementer

from torsion.internet._current import current_reactor
from torsion.internet.defer import CancelledError, Deferred, gatherResults, maybeDeferred, succeed
from torsion.internet.interfaces import IReactorInspection
from torsion.internet.protocol import ServerFactory
from torsion.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torsion.python.failure import Failure

__all__ = [
    "DrainError",
    "DrainingFactory",
    "IDrainingFactory",
    "IDrains",
    "IListens",
    "closeListeners",
    "describe",
    "drainServices",
]

_log = Logger()

QUIET_TURNS = 2
"""For how many turns of the reactor there must have been nothing to read before connections are finished: what a turn reads, it may
have been told of by the system in the turn before."""

MOST_TURNS = 100
"""After how many turns connections are finished even if there is always something more to read: a peer that sends without end, or
a megabyte and more that was under way."""


class IListens(Interface):
    """A service that accepts connections, and can stop accepting while it goes on with those that it has."""

    def stopListening() -> Deferred[Any] | None:
        """Accept nothing new from now on; called once, while the service runs, before anything drains.

        :returns: a Deferred that fires once the port is closed, or None if it is at once.
        """


class IDrains(Interface):
    """A service that can finish its work.

    ``drain`` is called once, while the service runs; ``stopService`` is called afterwards, whatever became of the draining.
    """

    def drain() -> Deferred[Any] | None:
        """Take no new work, and finish what has begun.

        :returns: a Deferred that fires once nothing is left to be done, or None if nothing was. It is cancelled when the time
            for draining is over; what is not done by then will not be.
        """


class IDrainingFactory(Interface):
    """A factory that can bring its connections to an end, each as its protocol has it: a last answer, a word of farewell."""

    def drain() -> Deferred[Any] | None:
        """Finish all connections, and those that may still come.

        :returns: a Deferred that fires once there are no connections any more, or None if there are none. It is cancelled when
            the time for draining is over; connections that are left are aborted by whoever asked.
        """


class DrainError(Exception):
    """Services could not be drained. What each of them raised has been logged.

    :ivar services: what to call those services.
    """

    def __init__(self, services: list[str]) -> None:
        super().__init__(f"could not be drained: {', '.join(services)}")
        self.services = services


def describe(service: Any) -> str:
    """Return what to call a service in a message: its name, if it has one, and its class."""
    kind = type(service).__qualname__
    name = getattr(service, "name", None)
    return f"{name} ({kind})" if name else kind


def closeListeners(service: Any) -> Deferred[None]:
    """Have a service, and all services in it, listen no more, the one that was started last first.

    One that fails is logged by name; the others close all the same.

    :returns: a Deferred that fires once all have; it never fails.
    """
    closing = []
    for each in _all(service):
        closed = maybeDeferred(each.stopListening)
        closed.addErrback(_not_closed, each)
        closing.append(closed)
    return gatherResults(closing).addCallback(lambda _: None)


def _all(service: Any) -> Iterator[Any]:
    if IListens.providedBy(service):
        yield service  # a collection closes those of its services
    elif hasattr(service, "addService"):
        for each in reversed(list(service)):
            yield from _all(each)


def _not_closed(failure: Failure, service: Any) -> None:
    _log.failure("The service {service} could not close its listeners", failure, service=describe(service))


def drainServices(services: Iterable[Any]) -> Deferred[None]:
    """Drain services one after the other; those that have no :class:`IDrains` have nothing to be drained.

    One that fails is logged by name, and the next is drained all the same. If the Deferred is cancelled, those that have not
    drained are logged by name.

    :param services: in the order in which they are to be drained: the reverse of that in which they were started.
    :returns: a Deferred that fires once all have drained; it fails with :class:`DrainError` if some could not be.
    """
    over: list[bool] = []

    def end(_: Deferred[None]) -> None:
        over.append(True)
        draining.cancel()

    draining = Deferred.fromCoroutine(_drain([each for each in services if IDrains.providedBy(each)], over))
    drained: Deferred[None] = Deferred(end)
    draining.chainDeferred(drained)
    return drained


async def _drain(services: list[Any], over: list[bool]) -> None:
    failed: list[str] = []
    for index, service in enumerate(services):
        try:
            await maybeDeferred(service.drain)
        except DrainError as error:  # a collection: its services have been told of
            failed += error.services
        except Exception as error:  # noqa: BLE001 - the fault of one service is not the next one's
            if not (over and isinstance(error, CancelledError)):
                failed.append(describe(service))
                _log.failure("The service {service} could not be drained", service=describe(service))
            elif not hasattr(service, "addService"):  # a collection has told of its own services
                _log.warn("The service {service} has not drained in time", service=describe(service))
        if over:
            for left in services[index + 1 :]:
                _log.warn(
                    "The service {service} has not drained: the time was over before its turn", service=describe(left)
                )
            raise CancelledError
    if failed:
        raise DrainError(failed)


@implementer(IDrainingFactory)
class DrainingFactory(ServerFactory):
    """A factory that knows its connections and can bring them to an end.

    Its protocols call :meth:`opened` and :meth:`closed`, and have a method ``finish`` that closes the connection once all
    is sent.

    :ivar connections: the protocols that there are.
    """

    noisy = False

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self._draining = False
        self._unfinished: dict[Any, int] = {}
        self._waiting: list[Deferred[None]] = []

    def opened(self, protocol: Any) -> None:
        """Have another connection."""
        self.connections.add(protocol)
        if self._draining:  # accepted while the ports were being closed
            self._begin_to_finish([protocol])

    def closed(self, protocol: Any) -> None:
        """Have one connection less."""
        self.connections.discard(protocol)
        self._unfinished.pop(protocol, None)
        if self._draining and not self.connections:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    def drain(self) -> Deferred[None]:
        """Finish all connections, and those that may still come.

        Each is finished once what has arrived for it by now has been read, as far as the reactor can tell: a connection that is
        closed while something lies unread is reset, and answers that are under way may be lost with it.

        :returns: a Deferred that fires when there are no connections any more.
        """
        self._draining = True
        self._begin_to_finish(self.connections - self._unfinished.keys())
        if not self.connections:
            return succeed(None)
        drained: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(drained)
        return drained

    def _begin_to_finish(self, protocols: Iterable[Any]) -> None:
        read = _bytes_read()
        wait = not self._unfinished
        for protocol in list(protocols):
            if id(protocol) in read:
                self._unfinished[protocol] = read[id(protocol)]
            else:  # of which nothing can be told
                self._finish(protocol)
        if wait and self._unfinished:
            current_reactor().callLater(0, self._finish_quiet, MOST_TURNS, QUIET_TURNS)

    def _finish_quiet(self, turns: int, quiet: int) -> None:
        """Finish those that have had nothing to read in the latest turns of the reactor."""
        read = _bytes_read()
        moved = False
        for protocol, before in list(self._unfinished.items()):
            now = read.get(id(protocol), before)
            moved = moved or now != before
            self._unfinished[protocol] = now
        quiet = QUIET_TURNS if moved else quiet - 1
        if quiet and turns:
            current_reactor().callLater(0, self._finish_quiet, turns - 1, quiet)
            return
        unfinished, self._unfinished = self._unfinished, {}
        for protocol in unfinished:
            self._finish(protocol)

    def _finish(self, protocol: Any) -> None:
        try:
            protocol.finish()
        except Exception:  # noqa: BLE001 - one connection's fault must not keep the others
            _log.failure("{protocol} could not be finished, and is aborted", protocol=protocol)
            protocol.transport.abortConnection()

    def abort(self) -> None:
        """Cut all connections; what they have not sent is lost."""
        for protocol in list(self.connections):
            protocol.transport.abortConnection()


def _bytes_read() -> dict[int, int]:
    """Return how many bytes have been read for each protocol, by its ``id``; nothing where the reactor does not tell."""
    reactor = current_reactor()
    if not IReactorInspection.providedBy(reactor):
        return {}
    return {id(each.protocol): each.bytesRead for each in reactor.connections()}
