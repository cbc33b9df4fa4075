"""What functions are given to work with: a pooled connection, and its cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.enterprise.adbapi import ConnectionPool

__all__ = ["Connection", "ConnectionLost", "Transaction"]

_log = Logger("torsion.enterprise.adbapi")


class ConnectionLost(Exception):
    """The connection to the database does not work any more; the next use makes another.  Ask again."""


class Connection:
    """The connection of a thread, as functions are given it: it has the attributes of the DB-API connection.

    With a pool that reconnects, a rollback also tries whether the connection works.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        """Take the connection of this thread, and make it if there is none.

        :param pool: whose it is.
        """
        self._pool = pool
        self._connection: Any = None
        self.reconnect()

    def close(self) -> None:
        """Do nothing: the connection is the pool's, and is used again."""

    def rollback(self) -> None:
        """Undo what was done since the last commit.

        :raise ConnectionLost: if the pool reconnects and the connection does not work any more; it is closed then.
        """
        if not self._pool.reconnect:
            self._connection.rollback()
            return
        try:
            self._connection.rollback()
            cursor = self._connection.cursor()
            cursor.execute(self._pool.good_sql)
            cursor.close()
            self._connection.commit()
        except Exception as problem:
            _log.failure("A connection to the database does not work any more, and is closed")
            connection, self._connection = self._connection, None
            self._pool.disconnect(connection)
            raise ConnectionLost(f"the connection to the database does not work any more: {problem}") from problem

    def reconnect(self) -> None:
        """Close the connection, if there is one, and take another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.disconnect(connection)
        self._connection = self._pool.connect()

    def __getattr__(self, name: str) -> Any:
        """Look up in the DB-API connection what this class does not have."""
        return getattr(self._connection, name)


class Transaction:
    """A cursor, as functions are given it: it has the attributes of the DB-API cursor."""

    _cursor: Any = None

    def __init__(self, pool: ConnectionPool, connection: Any) -> None:
        """Open a cursor.

        :param pool: whose it is.
        :param connection: a :class:`Connection`.
        """
        self._pool = pool
        self._connection = connection
        self.reopen()

    def close(self) -> None:
        """Close the cursor, if it is open."""
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            cursor.close()

    def reopen(self) -> None:
        """Close the cursor, and open another; with a pool that reconnects, on another connection if this one has none."""
        self.close()
        try:
            self._cursor = self._connection.cursor()
        except Exception:
            if not self._pool.reconnect:
                raise
            _log.failure("A connection to the database has no cursors any more; it is replaced")
            self.reconnect()
            self._cursor = self._connection.cursor()

    def reconnect(self) -> None:
        """Replace the connection; :meth:`reopen` gives a cursor of the new one."""
        self._connection.reconnect()
        self._cursor = None

    def __getattr__(self, name: str) -> Any:
        """Look up in the DB-API cursor what this class does not have."""
        return getattr(self._cursor, name)
