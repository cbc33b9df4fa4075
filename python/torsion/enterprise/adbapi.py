"""Connections to a database by a DB-API module (PEP 249), which blocks: each is used in a thread of its own.

A :class:`ConnectionPool` has some threads, and for each of them a connection.  What is asked of the pool gives a Deferred.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from torsion.enterprise.pooled import Connection, ConnectionLost, Transaction
from torsion.internet._current import current_reactor
from torsion.internet.defer import Deferred, fail, succeed
from torsion.logger import Logger
from torsion.python.failure import Failure
from torsion.python.reflect import namedModule
from torsion.python.threadable import getThreadID
from torsion.python.threadpool import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection", "ConnectionLost", "ConnectionPool", "ConnectionPoolClosed", "Transaction"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = Logger("torsion.enterprise.adbapi")


class ConnectionPoolClosed(RuntimeError):
    """Something was asked of a pool that is closed; none of it was done."""


class ConnectionPool:
    """Connections to a database, and the threads that they are used in.

    The pool starts with the reactor, and is closed when that stops, after services: nothing new is begun then, and the reactor's
    end waits for what has begun.  A connection is made when its thread first needs it, is used in that thread alone, and is closed there at the end.

    A function that is handed in runs in one of the threads: it may block, and must not touch what belongs to the reactor.
    When it returns, what it did is committed; when it raises, it is rolled back, and what it raised is what the Deferred
    fails with.

    :ivar dbapi: the DB-API module.
    :ivar dbapiName: its name.
    :ivar connargs: what its ``connect`` is called with.
    :ivar connkw: likewise, by name.
    :ivar connections: the connections there are, by the number of their thread.
    :ivar running: whether the pool has been started, and not closed since.
    """

    CP_ARGS = ("min", "max", "name", "noisy", "openfun", "reconnect", "good_sql")
    """The pool's own settings, each given by name after ``cp_``."""

    noisy = False
    """Whether connecting and closing is logged."""
    min = 3
    """How many threads there are at least, once they have been needed."""
    max = 5
    """How many threads there are at most: so many things are done at a time."""
    name: str | None = None
    """Part of the threads' names."""
    openfun: Callable[[Any], object] | None = None
    """Called with each new connection, in its thread, to set it up."""
    reconnect = False
    """Whether a connection that does not work any more is replaced."""
    good_sql = "select 1"
    """A statement that works if the connection does."""
    running: bool | int = False
    connectionFactory: Any = Connection
    """Makes what ``runWithConnection`` gives to functions."""
    transactionFactory: Any = Transaction
    """Makes what ``runInteraction`` gives to functions."""
    shutdownID: Any = None
    """The trigger that closes the pool when the reactor stops, or None."""

    _closed = False
    _outstanding = 0
    """How many things have been asked for that are not done."""

    def __init__(self, dbapiName: str, *connargs: Any, **connkw: Any) -> None:
        """Make a pool, which starts when the reactor does; nothing is connected yet.

        :param dbapiName: the name of a DB-API module, such as ``"sqlite3"``.
        :param connargs: what to call its ``connect`` with.
        :param connkw: likewise, by name; but ``cp_min``, ``cp_max``, ``cp_name``, ``cp_noisy``, ``cp_openfun``,
            ``cp_reconnect`` and ``cp_good_sql`` set the attributes of these names, and ``cp_reactor`` is the reactor: None
            for the one that runs, or is installed.
        :raise ImportError: if there is no such module.
        :raise TypeError: if a name that begins with ``cp_`` is none of these.
        """
        self.dbapiName = dbapiName
        self.dbapi: Any = namedModule(dbapiName)
        if getattr(self.dbapi, "apilevel", None) != "2.0":
            _log.warn("{module} does not say that it has version 2.0 of the DB-API (PEP 249)", module=dbapiName)
        if getattr(self.dbapi, "threadsafety", 0) < 1:
            _log.warn("{module} does not say that threads may share it: use a pool with cp_max=1", module=dbapiName)
        reactor = connkw.pop("cp_reactor", None)
        self._reactor = current_reactor() if reactor is None else reactor
        for setting in self.CP_ARGS:
            if f"cp_{setting}" in connkw:
                setattr(self, setting, connkw.pop(f"cp_{setting}"))
        unknown = sorted(name for name in connkw if name.startswith("cp_"))
        if unknown:
            known = ", ".join(f"cp_{setting}" for setting in (*self.CP_ARGS, "reactor"))
            raise TypeError(f"a ConnectionPool has no setting {unknown[0]!r}; it has {known}")
        self.min = min(self.min, self.max)
        self.connargs = connargs
        self.connkw = connkw
        self.connections: dict[int, Any] = {}
        self.threadpool = ThreadPool(self.min, self.max, self.name)
        self.threadpool.threadFactory = self._thread
        self.threadID = getThreadID
        self._ended: list[Deferred[None]] = []
        self.startID: Any = self._reactor.callWhenRunning(self._start)

    def _thread(self, target: Callable[[], object], **settings: Any) -> Thread:
        """Make a thread that closes its connection at its end: some modules want that done in the connection's own thread."""

        def work() -> None:
            try:
                target()
            finally:
                self._close_mine()

        return Thread(target=work, **settings)

    # --- starting and closing -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.startID = None
        self.start()

    def start(self) -> None:
        """Start the threads, unless they are; the reactor does it as a rule.  A pool that was closed may be started again."""
        if not self.running:
            self.threadpool.start()
            self.shutdownID = self._reactor.addSystemEventTrigger("during", "shutdown", self.finalClose)
            self.running = True
            self._closed = False

    def close(self) -> Deferred[None]:
        """Close all connections, and end the threads.  What has been asked for is done before.

        :returns: a Deferred that fires when that is done: at once, if nothing is being done for anybody.
        """
        if self.shutdownID is not None:
            self._reactor.removeSystemEventTrigger(self.shutdownID)
            self.shutdownID = None
        if self.startID is not None:
            self._reactor.removeSystemEventTrigger(self.startID)
            self.startID = None
        if not (self.running and self._outstanding) and not self._ended:
            self.finalClose()
            return succeed(None)
        self.running = False
        self._closed = True
        ended: Deferred[None] = Deferred()
        self._ended.append(ended)
        if len(self._ended) == 1:
            # To wait here for what is being done would keep the reactor from serving others.
            Thread(
                target=self._stop_threads, name=f"closes ConnectionPool {self.name or id(self)}", daemon=True
            ).start()
        return ended

    def finalClose(self) -> None:
        """Do what :meth:`close` does, and wait for it: what happens when the reactor stops, which serves nobody any more."""
        self.shutdownID = None
        self.running = False
        self._closed = True
        self.threadpool.stop()
        self._close_all()

    def _stop_threads(self) -> None:
        self.threadpool.stop()
        self._reactor.callFromThread(self._stopped)

    def _stopped(self) -> None:
        if not self.running:  # not started again in the meantime
            self._close_all()
        ended, self._ended = self._ended, []
        for each in ended:
            each.callback(None)

    def _close_all(self) -> None:
        """Close what connections are left: those made by :meth:`connect` in other threads."""
        connections, self.connections = self.connections, {}
        for connection in connections.values():
            self._close(connection)

    def _close_mine(self) -> None:
        connection = self.connections.pop(self.threadID(), None)
        if connection is not None:
            self._close(connection)

    def _close(self, connection: Any) -> None:
        if self.noisy:
            _log.info("adbapi closing: {module}", module=self.dbapiName)
        try:
            connection.close()
        except Exception:  # noqa: BLE001 - of a module of somebody else's; the connection is given up in any case
            _log.failure("A connection of {module} could not be closed", module=getattr(self, "dbapiName", None))

    # --- what is done in the threads ----------------------------------------------------------------------------------

    def connect(self) -> Any:
        """Return the DB-API connection of this thread, and make it if there is none.  It blocks."""
        thread = self.threadID()
        connection = self.connections.get(thread)
        if connection is None:
            if self.noisy:
                _log.info("adbapi connecting: {module}", module=self.dbapiName)
            connection = self.dbapi.connect(*self.connargs, **self.connkw)
            if self.openfun is not None:
                try:
                    self.openfun(connection)
                except BaseException:
                    self._close(connection)
                    raise
            self.connections[thread] = connection
        return connection

    def disconnect(self, conn: Any) -> None:
        """Close the DB-API connection of this thread.

        :param conn: that connection.
        :raise ValueError: if it is not this thread's.
        """
        thread = self.threadID()
        if conn is None or conn is not self.connections.get(thread):
            raise ValueError(f"{conn!r} is not the connection of this thread")
        del self.connections[thread]
        self._close(conn)

    def runWithConnection(
        self, func: Callable[Concatenate[Any, _P], _R], *args: _P.args, **kw: _P.kwargs
    ) -> Deferred[_R]:
        """Call a function with a connection, in a thread; commit when it returns, roll back when it raises.

        :param func: takes a :class:`Connection`, and the other arguments.
        :returns: a Deferred that fires with what it returns, or fails with what it, connecting, or committing raises; with
            :class:`ConnectionPoolClosed` if the pool is closed.  Cancelling it does not end what is done in the thread.
        """
        return self._defer(self._runWithConnection, func, *args, **kw)

    def runInteraction(
        self, interaction: Callable[Concatenate[Any, _P], _R], *args: _P.args, **kw: _P.kwargs
    ) -> Deferred[_R]:
        """Call a function with a cursor, in a thread; commit when it returns, roll back when it raises.

        :param interaction: takes a :class:`Transaction`, and the other arguments.
        :returns: a Deferred as of :meth:`runWithConnection`.
        """
        return self._defer(self._runInteraction, interaction, *args, **kw)

    def runQuery(self, *args: Any, **kw: Any) -> Deferred[Any]:
        """Execute a statement, and fetch all rows.

        :param args: what to call the cursor's ``execute`` with: the statement, and its parameters.
        :returns: a Deferred that fires with the rows; see :meth:`runInteraction`.
        """
        return self.runInteraction(self._runQuery, *args, **kw)

    def runOperation(self, *args: Any, **kw: Any) -> Deferred[None]:
        """Execute a statement that has no rows as its result.

        :param args: what to call the cursor's ``execute`` with: the statement, and its parameters.
        :returns: a Deferred that fires with None; see :meth:`runInteraction`.
        """
        return self.runInteraction(self._runOperation, *args, **kw)

    def _defer(self, function: Callable[..., Any], *args: Any, **kw: Any) -> Deferred[Any]:
        if self._closed:
            return fail(ConnectionPoolClosed(f"the pool of connections to {self.dbapiName} is closed"))
        deferred: Deferred[Any] = Deferred()

        def done(success: bool, result: Any) -> None:
            self._reactor.callFromThread(self._done, deferred, success, result)

        self._outstanding += 1
        self.threadpool.callInThreadWithCallback(done, function, *args, **kw)
        return deferred

    def _done(self, deferred: Deferred[Any], success: bool, result: Any) -> None:
        self._outstanding -= 1
        # A Failure that a function returned is as good as one that it raised: callback would refuse it.
        fire = deferred.callback if success and not isinstance(result, Failure) else deferred.errback
        fire(result)

    def _runWithConnection(self, func: Callable[..., _R], *args: Any, **kw: Any) -> _R:
        connection = self.connectionFactory(self)
        try:
            result = func(connection, *args, **kw)
            connection.commit()
        except BaseException:
            self._roll_back(connection)
            raise
        return result

    def _runInteraction(self, interaction: Callable[..., _R], *args: Any, **kw: Any) -> _R:
        connection = self.connectionFactory(self)
        try:
            transaction = self.transactionFactory(self, connection)
            result = interaction(transaction, *args, **kw)
            transaction.close()
            connection.commit()
        except BaseException:
            self._roll_back(connection)
            raise
        return result

    def _roll_back(self, connection: Any) -> None:
        """Roll back, after something else has failed, which is what the caller is told."""
        try:
            connection.rollback()
        except Exception:  # noqa: BLE001 - as above
            _log.failure("What had been done on a connection of {module} could not be rolled back",
                         module=getattr(self, "dbapiName", None))  # fmt: skip

    def _runQuery(self, transaction: Any, *args: Any, **kw: Any) -> Any:
        transaction.execute(*args, **kw)
        return transaction.fetchall()

    def _runOperation(self, transaction: Any, *args: Any, **kw: Any) -> None:
        transaction.execute(*args, **kw)
