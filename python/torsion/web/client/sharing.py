"""Connections of HTTP/2, each of which is for all requests to its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.internet.defer import CancelledError, Deferred, succeed
from torsion.internet.error import ConnectingCancelledError
from torsion.web.client.errors import NeedsHTTP11, RequestNotSent
from torsion.web.client.retry import may_repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.python.failure import Failure
    from torsion.web.client.pool import HTTPConnectionPool
    from torsion.web.client.request import Request

__all__ = ["Shared", "Sharing"]

MOST_ATTEMPTS = 3
"""How often a request is made that the server has not looked at: once more is enough as a rule, and one that never looks at any
is not to be asked for ever.  A connection that was ended after it had answered some requests does not count: others get there, and
this one will."""


class Shared:
    """A connection that others use as well, for one request.

    What a server has certainly not looked at (RFC 9113, 8.7) is made again, whatever its method; else, as on HTTP/1.1, what may
    be repeated, if the connection was used before.  That for which the server wants HTTP/1.1, is made over it.
    """

    __slots__ = ("_again", "_attempt", "_connection", "_used", "_without")

    def __init__(
        self,
        connection: Any,
        used: bool,
        again: Callable[[], Deferred[Any]],
        without: Callable[[], Deferred[Any]] | None,
    ) -> None:
        """Use *connection*, and after that what *again* returns, or *without*, for HTTP/1.1."""
        self._connection = connection
        self._used = used
        self._again = again
        self._without = without
        self._attempt = 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._connection!r}>"

    def request(self, request: Request) -> Deferred[Any]:
        """Make a request: see :meth:`HTTP2ClientProtocol.request`."""

        def failed(reason: Failure) -> Any:
            if self._without is not None and reason.check(NeedsHTTP11):
                return self._without().addCallback(lambda connection: connection.request(request))
            unsent = reason.check(RequestNotSent) is not None
            if self._attempt >= MOST_ATTEMPTS or not (unsent or (self._used and may_repeat(request, reason.value))):
                return reason
            return self._again().addCallback(once_more)

        def once_more(connection: Any) -> Any:
            if isinstance(connection, Shared):
                progress = self._connection.served and not self._connection.accepting
                connection._attempt = self._attempt + (not progress)
            return connection.request(request)

        asked: Deferred[Any] = self._connection.request(request)
        return asked.addErrback(failed)


class Sharing:
    """What a pool knows of HTTP/2: by place, the connection that is used, and whether there is one at all."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool
        self._open: dict[Any, Any] = {}
        self._plain: set[Any] = set()
        self._finding: dict[Any, list[Deferred[Any]]] = {}
        self._timers: dict[Any, Any] = {}

    def get(self, key: Any, endpoint: Any) -> Deferred[Any] | None:
        """Return a connection to a place, or None if it is one of those that speak HTTP/1.1.

        The first request finds out; others wait for what it finds, so that they do not make connections that are not needed.
        """
        connection = self._open.get(key)
        if connection is not None:
            if connection.accepting:
                timer = self._timers.pop(connection, None)
                if timer is not None and timer.active():
                    timer.cancel()
                return succeed(self._shared(key, endpoint, connection, True))
            del self._open[key]
        if key in self._plain:
            return None
        waiting: Deferred[Any] = Deferred(lambda _: self._leave(key, waiting))
        others = self._finding.get(key)
        if others is not None:
            others.append(waiting)
            return waiting.addCallback(lambda _: self._pool.getConnection(key, endpoint))
        self._finding[key] = []
        return self._pool._acquire(key, endpoint, False).addCallbacks(
            self._found, self._failed, callbackArgs=(key, endpoint), errbackArgs=(key,)
        )

    def _leave(self, key: Any, waiting: Deferred[Any]) -> None:
        others = self._finding.get(key, [])
        if waiting in others:
            others.remove(waiting)

    def _shared(self, key: Any, endpoint: Any, connection: Any, used: bool) -> Any:
        if not self._pool.retryAutomatically:
            return connection
        plain = endpoint.without()
        return Shared(
            connection,
            used,
            lambda: self._pool.getConnection(key, endpoint),
            None if plain is None else lambda: self._pool.getConnection(key, plain),
        )

    def _found(self, connection: Any, key: Any, endpoint: Any) -> Any:
        used = True
        if getattr(connection, "multiplexes", False):
            used = False
            connection.mostQueued, connection.queueTimeout = self._pool.maxQueuedPerHost, self._pool.queueTimeout
            self._open[key] = connection
            connection = self._shared(key, endpoint, connection, used)
        else:
            self._plain.add(key)
        others = self._finding.pop(key, [])
        self._pool._reactor.callLater(0, self._release, others)  # behind the request that has found out
        return connection

    def _failed(self, reason: Failure, key: Any) -> Failure:
        others = self._finding.pop(key, [])
        if reason.check(CancelledError, ConnectingCancelledError):
            self._release(others)  # another one is the first now
        else:
            for each in others:
                each.errback(reason)
        return reason

    @staticmethod
    def _release(others: list[Deferred[Any]]) -> None:
        for each in others:
            if not each.called:
                each.callback(None)

    # --- what becomes of one -----------------------------------------------------------------------------------------

    def rests(self, key: Any, connection: Any) -> None:
        """Learn that a connection has no requests: it is kept for a while, if it is the one that is used, and no other is needed."""
        if self._open.get(key) is not connection or self._pool.needs_place(key):
            connection.finish()
        else:
            self._timers[connection] = self._pool._reactor.callLater(
                self._pool.cachedConnectionTimeout, self._expired, key, connection
            )

    def _expired(self, key: Any, connection: Any) -> None:
        del self._timers[connection]
        if self._open.get(key) is connection:
            del self._open[key]
        connection.finish()

    def lost(self, key: Any, connection: Any) -> None:
        """Learn that a connection is lost."""
        timer = self._timers.pop(connection, None)
        if timer is not None and timer.active():
            timer.cancel()
        if self._open.get(key) is connection:
            del self._open[key]

    def forget(self, key: Any) -> None:
        """Learn that there is no connection to a place any more: what it speaks is found out again."""
        self._plain.discard(key)

    def close(self) -> list[Deferred[None]]:
        """Close all connections, those with requests when these are done.

        :returns: Deferreds that fire once those without are closed.
        """
        connections, self._open = list(self._open.values()), {}
        closing = []
        for connection in connections:
            timer = self._timers.pop(connection, None)
            if timer is not None and timer.active():
                timer.cancel()
            if connection.state != "WORKING":
                closing.append(connection.whenLost())
            connection.finish()
        return closing
