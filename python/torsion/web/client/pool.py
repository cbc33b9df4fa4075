"""Connections that are kept for the next request, and how many there may be."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from torsion.internet.defer import CancelledError, Deferred, DeferredList, fail, succeed
from torsion.internet.protocol import Factory
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.web.client.errors import PoolIsFull, RequestTimedOut
from torsion.web.client.protocol import HTTP11ClientProtocol
from torsion.web.client.retry import Retrying
from torsion.web.client.sharing import Sharing
from torsion.web.client.timeouts import MOST_QUEUED, QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IDelayedCall

__all__ = ["HTTPConnectionPool"]

_log = Logger()

MARGIN = 1.0
"""Seconds before a server closes an idle connection at which it is not used any more: a request and its end would cross."""


class HTTPClientFactory(Factory):
    """Makes the connections of a pool."""

    noisy = False

    def __init__(
        self,
        quiescentCallback: Callable[[Any], object],
        metadata: str = "",
        gone: Callable[[Any], object] | None = None,
        clock: Any = None,
    ) -> None:
        self._quiescentCallback = quiescentCallback
        self._metadata = metadata
        self._gone = gone
        self._clock = clock
        self.wanted = True
        """Whether somebody waits for it still: an endpoint may connect though it was told not to."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._metadata}>"

    def buildProtocol(self, addr: Any) -> HTTP11ClientProtocol | None:
        """Return a connection; None if nobody wants it any more."""
        if not self.wanted:
            return None
        return HTTP11ClientProtocol(self._quiescentCallback, self._gone, self._metadata, self._clock)

    def buildHTTP2(self, addr: Any) -> Any:
        """Return a connection of HTTP/2.

        :raises ImportError: if h2 is missing.
        """
        from torsion.web.client.http2.connection import HTTP2ClientProtocol  # h2 is loaded when it is used

        return HTTP2ClientProtocol(self._quiescentCallback, self._gone, self._metadata, self._clock)


class _Place:
    """What is known of one host's connections.

    :ivar used: how many there are, being made and idle ones included.
    :ivar waiting: the requests that wait for one.
    :ivar starting: whether connections are begun for those that wait: attempts may fail at once.
    """

    __slots__ = ("starting", "used", "waiting")

    def __init__(self) -> None:
        self.used = 0
        self.waiting: deque[_Turn] = deque()
        self.starting = False


class _Turn:
    """A request that waits for a connection.

    :ivar waiting: fires with the connection.
    """

    __slots__ = ("_call", "_connecting", "_place", "endpoint", "waiting")

    def __init__(self, place: _Place, endpoint: Any) -> None:
        self._place = place
        self._call: IDelayedCall | None = None
        self._connecting: Deferred[Any] | None = None
        self.endpoint = endpoint
        self.waiting: Deferred[Any] = Deferred(self._cancel)

    def expect(self, clock: Any, seconds: float) -> None:
        """Wait for so many seconds at most."""
        self._call = clock.callLater(
            seconds, self._leave, Failure(RequestTimedOut("waiting for a connection", seconds))
        )

    def stop_waiting(self) -> None:
        """Stop to count the time."""
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def take(self, connecting: Deferred[Any]) -> None:
        """Have the connection that is being made."""
        self._connecting = connecting
        connecting.addCallbacks(self.waiting.callback, self.waiting.errback)

    def _cancel(self, _: Deferred[Any]) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        else:
            self._leave(Failure(CancelledError()))

    def _leave(self, reason: Failure) -> None:
        self.stop_waiting()
        self._place.waiting.remove(self)
        self.waiting.errback(reason)


class HTTPConnectionPool:
    """Keeps connections for the next request to the same place.

    :ivar persistent: whether connections are kept at all.
    :ivar maxPersistentPerHost: how many idle connections to one host are kept.
    :ivar cachedConnectionTimeout: after how many seconds an idle connection is closed.
    :ivar retryAutomatically: whether a request that may be repeated is made again, once, on a new connection, if a kept one
        turns out to be closed.
    :ivar maxConnectionsPerHost: how many connections to one host there may be, idle or not; further requests wait for their
        turn.  None, the default, for any number.
    :ivar maxQueuedPerHost: how many may wait.
    :ivar queueTimeout: for how many seconds; None for any time.
    """

    persistent = True
    maxPersistentPerHost = 2
    cachedConnectionTimeout: float = 240
    retryAutomatically = True
    maxConnectionsPerHost: int | None = None
    maxQueuedPerHost = MOST_QUEUED
    queueTimeout: float | None = QUEUE

    def __init__(self, reactor: Any, persistent: bool = True) -> None:
        """Begin without connections.

        :param reactor: provides ``IReactorTime``.
        :param persistent: whether to keep connections.
        """
        self._reactor = reactor
        self.persistent = persistent
        self._connections: dict[Any, list[Any]] = {}
        self._timeouts: dict[Any, IDelayedCall] = {}
        self._since: dict[Any, float] = {}
        self._places: dict[Any, _Place] = {}
        self._sharing = Sharing(self)

    # --- getting one -------------------------------------------------------------------------------------------------

    def getConnection(self, key: Any, endpoint: Any) -> Deferred[Any]:
        """Return a connection, kept or new.

        :param key: names the place, such as ``(b"https", b"example.com", 443)``.
        :param endpoint: where to connect to, if there is none.
        :returns: a Deferred that fires with what has a method ``request``.  It fails as ``endpoint.connect`` does, with
            :class:`PoolIsFull` if too many wait already, or with :class:`RequestTimedOut` after waiting too long.
        """
        if self.persistent and getattr(endpoint, "multiplexes", False):
            shared = self._sharing.get(key, endpoint)
            if shared is not None:
                return shared
        kept = self._connections.get(key)
        while kept:
            connection = kept.pop()  # the one used last: the others may be closed for having done nothing
            if self._take(connection):
                return succeed(self._retrying(key, endpoint, connection))
        return self._acquire(key, endpoint, False)

    def _retrying(self, key: Any, endpoint: Any, connection: Any) -> Any:
        if not self.retryAutomatically:
            return connection
        return Retrying(connection, lambda: self._acquire(key, endpoint, True))

    def _take(self, connection: Any) -> bool:
        """Stop keeping a connection; return whether it can be used."""
        timeout = self._timeouts.pop(connection, None)
        if timeout is not None and timeout.active():
            timeout.cancel()
        since = self._since.pop(connection, None)
        if connection.state != "QUIESCENT":
            return False
        limit = getattr(connection, "idleLimit", None)
        if limit is not None and since is not None and self._reactor.seconds() - since >= limit - MARGIN:
            connection.transport.loseConnection()
            return False
        return True

    def _acquire(self, key: Any, endpoint: Any, first: bool) -> Deferred[Any]:
        """Make a connection, or wait until there may be one more."""
        place = self._places.get(key)
        most = self.maxConnectionsPerHost
        if most is None or place is None or place.used < most:
            return self._newConnection(key, endpoint)
        if len(place.waiting) >= self.maxQueuedPerHost:
            return fail(PoolIsFull(f"{self.maxQueuedPerHost} requests wait for a connection to {key!r} already"))

        turn = _Turn(place, endpoint)
        if self.queueTimeout is not None:
            turn.expect(self._reactor, self.queueTimeout)
        if first:
            place.waiting.appendleft(turn)
        else:
            place.waiting.append(turn)
        return turn.waiting

    def _newConnection(self, key: Any, endpoint: Any) -> Deferred[Any]:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
        place.used += 1
        counted = True

        def one_less() -> None:  # whatever an endpoint does: it may fail, and lose what it had made, too
            nonlocal counted
            if counted:
                counted = factory.wanted = False
                self._one_less(key)

        def quiescent(connection: Any) -> None:
            self._putConnection(key, connection)

        def lost(connection: Any) -> None:
            self._forget(key, connection)
            one_less()

        def failed(reason: Failure) -> Failure:
            one_less()
            return reason

        factory = HTTPClientFactory(quiescent, repr(endpoint), lost, self._reactor)
        try:
            connecting: Deferred[Any] = endpoint.connect(factory)
        except BaseException:
            one_less()
            raise
        return connecting.addErrback(failed)

    # --- keeping one -------------------------------------------------------------------------------------------------

    def needs_place(self, key: Any) -> bool:
        """Return whether requests wait for one more connection to a place."""
        place = self._places.get(key)
        return place is not None and bool(place.waiting)

    def _putConnection(self, key: Any, connection: Any) -> None:
        """Take a connection back."""
        if getattr(connection, "multiplexes", False):
            self._sharing.rests(key, connection)
            return
        if connection.state != "QUIESCENT":
            try:
                raise RuntimeError("a connection that is not quiescent was given back to the pool")
            except RuntimeError:
                _log.failure("the pool of connections is used wrongly; the connection is not kept")
            return
        place = self._places.get(key)
        if place is not None and place.waiting:
            turn = place.waiting.popleft()
            turn.stop_waiting()
            turn.waiting.callback(self._retrying(key, turn.endpoint, connection))
            return
        kept = self._connections.setdefault(key, [])
        if len(kept) >= self.maxPersistentPerHost:
            if not kept:
                connection.transport.loseConnection()
                return
            oldest = kept.pop(0)
            self._take(oldest)
            oldest.transport.loseConnection()
        kept.append(connection)
        self._since[connection] = self._reactor.seconds()
        self._timeouts[connection] = self._reactor.callLater(
            self.cachedConnectionTimeout, self._expired, key, connection
        )

    def _expired(self, key: Any, connection: Any) -> None:
        del self._timeouts[connection]
        self._since.pop(connection, None)
        self._connections[key].remove(connection)
        connection.transport.loseConnection()

    def _forget(self, key: Any, connection: Any) -> None:
        """Learn that a connection is lost."""
        if connection in self._timeouts:
            self._take(connection)
            self._connections[key].remove(connection)
        self._sharing.lost(key, connection)

    def _one_less(self, key: Any) -> None:
        place = self._places[key]
        place.used -= 1
        if place.starting:
            return
        place.starting = True
        while place.waiting and (self.maxConnectionsPerHost is None or place.used < self.maxConnectionsPerHost):
            turn = place.waiting.popleft()
            turn.stop_waiting()
            try:
                connecting = self._newConnection(key, turn.endpoint)
            except Exception:  # noqa: BLE001 - a program's endpoint may raise anything
                turn.waiting.errback(Failure())
            else:
                turn.take(connecting)
        place.starting = False
        if not place.used:
            del self._places[key]
            self._sharing.forget(key)
            if not self._connections.get(key):
                self._connections.pop(key, None)

    # --- the end -----------------------------------------------------------------------------------------------------

    def closeCachedConnections(self) -> Deferred[None]:
        """Close the connections that are kept.

        :returns: a Deferred that fires with None once they are closed.
        """
        kept = [each for connections in self._connections.values() for each in connections]
        self._connections = {}
        closing = self._sharing.close()
        for connection in kept:
            self._take(connection)
            closing.append(connection.whenLost())
            connection.transport.loseConnection()
        return DeferredList(closing).addCallback(lambda _: None)
