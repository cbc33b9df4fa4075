"""Database connections in threads: over sqlite3, and over a DB-API module that fails as it is told."""

from __future__ import annotations

import sqlite3
import sys
import threading
from types import ModuleType

import pytest

from torsion.enterprise import adbapi, pooled
from torsion.enterprise.adbapi import Connection, ConnectionLost, ConnectionPool, ConnectionPoolClosed, Transaction
from torsion.internet.defer import CancelledError, Deferred, gatherResults
from torsion.internet.reactors.native import NativeReactor
from torsion.logger import formatEvent, globalLogPublisher
from torsion.python.failure import Failure

SECONDS = 20
"""How long a test may take."""


@pytest.fixture
def logged():
    """What is logged, apart from the warning of reactors that run elsewhere."""
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def run(main):
    """Run a coroutine function, given a reactor, until it ends; the reactor stops then, as it does in a program."""
    reactor = NativeReactor()
    ended = []

    def start():
        Deferred.fromCoroutine(main(reactor)).addBoth(ended.append).addBoth(lambda _: reactor.stop())

    overdue = reactor.callLater(SECONDS, reactor.stop)
    reactor.callWhenRunning(start)
    reactor.run()
    assert ended, "it did not end in time"
    overdue.cancel()
    if isinstance(ended[0], Failure):
        ended[0].raiseException()
    return ended[0]


@pytest.fixture
def database(tmp_path):
    """A file with a table of numbers."""
    path = str(tmp_path / "numbers.sqlite")
    connection = sqlite3.connect(path)
    connection.execute("create table numbers (number integer)")
    connection.execute("insert into numbers values (1)")
    connection.commit()
    connection.close()
    return path


def numbers(path):
    connection = sqlite3.connect(path)
    try:
        return [number for (number,) in connection.execute("select number from numbers order by number")]
    finally:
        connection.close()


def insert(transaction, *values, error=None):
    for value in values:
        transaction.execute("insert into numbers values (?)", (value,))
    if error is not None:
        raise error
    return transaction.rowcount


def insert_with_connection(connection, *values, error=None):
    cursor = connection.cursor()
    try:
        return insert(cursor, *values, error=error)
    finally:
        cursor.close()


class TestQueries:
    def test_rows(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
            return await pool.runQuery("select number from numbers where number = ?", (1,))

        assert run(main) == [(1,)]

    def test_operations(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database=database, cp_reactor=reactor)
            return await pool.runOperation("insert into numbers values (2)")

        assert run(main) is None
        assert numbers(database) == [1, 2]

    @pytest.mark.parametrize(
        ("method", "function"), [("runInteraction", insert), ("runWithConnection", insert_with_connection)]
    )
    def test_all_or_nothing(self, database, method, function):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor, cp_max=1)
            ask = getattr(pool, method)
            assert await ask(function, 2, 3) == 1
            with pytest.raises(ZeroDivisionError):
                await ask(function, 4, error=ZeroDivisionError())
            with pytest.raises(SystemExit):
                await ask(function, 5, error=SystemExit())
            return await pool.runQuery("select count(*) from numbers")

        assert run(main) == [(3,)]
        assert numbers(database) == [1, 2, 3]

    def test_the_modules_errors_are_told(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
            with pytest.raises(sqlite3.OperationalError, match="nowhere"):
                await pool.runQuery("select * from nowhere")
            with pytest.raises(sqlite3.OperationalError, match="syntax"):
                await pool.runOperation("give me")

        run(main)

    def test_functions_get_what_is_theirs(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)

            def with_connection(connection):
                assert isinstance(connection, Connection)
                assert threading.current_thread() is not threading.main_thread()
                connection.close()  # which it is not
                return connection.total_changes

            def interaction(transaction):
                assert isinstance(transaction, Transaction)
                transaction.execute("select 1")
                transaction.reopen()
                transaction.execute("select 2")
                return transaction.fetchone()

            assert await pool.runWithConnection(with_connection) == 0
            assert await pool.runInteraction(interaction) == (2,)

        run(main)

    def test_what_is_returned_as_a_failure_is_one(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
            with pytest.raises(ZeroDivisionError):
                await pool.runInteraction(lambda transaction: Failure(ZeroDivisionError()))

        run(main)

    def test_so_many_at_a_time_each_with_its_connection(self, database):
        meeting = threading.Barrier(3, timeout=SECONDS)

        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor, cp_min=0, cp_max=3)

            def meet(connection):
                meeting.wait()
                return connection._connection

            connections = await gatherResults([pool.runWithConnection(meet) for _ in range(3)])
            assert len(set(map(id, connections))) == 3
            again = await gatherResults([pool.runWithConnection(lambda c: c._connection) for _ in range(20)])
            assert set(map(id, again)) <= set(map(id, connections))
            assert set(map(id, pool.connections.values())) == set(map(id, connections))

        run(main)

    def test_asked_before_the_reactor_runs(self, database):
        reactor = NativeReactor()
        pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
        found = []
        pool.runQuery("select number from numbers").addBoth(found.append).addBoth(lambda _: reactor.stop())
        assert not pool.running
        overdue = reactor.callLater(SECONDS, reactor.stop)
        reactor.run()
        overdue.cancel()
        assert found == [[(1,)]]


class TestSettings:
    def test_of_the_pool(self, database):
        pool = ConnectionPool("sqlite3", 1, database, cp_reactor=NativeReactor(), cp_max=2, cp_name="x", timeout=3)
        assert (pool.min, pool.max, pool.name, pool.noisy, pool.reconnect) == (2, 2, "x", False, False)
        assert (pool.dbapi, pool.dbapiName) == (sqlite3, "sqlite3")
        assert (pool.connargs, pool.connkw) == ((1, database), {"timeout": 3})

    def test_one_that_there_is_not(self):
        with pytest.raises(TypeError, match=r"'cp_maximum'.*cp_max"):
            ConnectionPool("sqlite3", cp_reactor=NativeReactor(), cp_maximum=2)

    def test_a_module_that_there_is_not(self):
        with pytest.raises(ImportError, match="no_such_module"):
            ConnectionPool("no_such_module", cp_reactor=NativeReactor())

    def test_a_module_that_says_little(self, logged):
        ConnectionPool("this", cp_reactor=NativeReactor())
        texts = [formatEvent(event) for event in logged if event["log_level"].name == "warn"]
        assert ["PEP 249" in texts[0], "cp_max=1" in texts[1]] == [True, True]

    def test_new_connections_are_set_up(self, database):
        async def main(reactor):
            def openfun(connection):
                connection.execute("pragma user_version = 7")

            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor, cp_openfun=openfun)
            return await pool.runQuery("pragma user_version")

        assert run(main) == [(7,)]

    def test_the_log_is_told_if_it_is_to_be(self, database, logged):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor, cp_noisy=True)
            await pool.runQuery("select 1")

        run(main)
        texts = [formatEvent(event) for event in logged if event.get("log_namespace") == "torsion.enterprise.adbapi"]
        assert texts == ["adbapi connecting: sqlite3", "adbapi closing: sqlite3"]


class TestClosing:
    def test_at_once_where_nothing_is_done(self, database, logged):
        async def main(reactor):
            pool = ConnectionPool(
                "sqlite3", database, cp_reactor=reactor
            )  # whose connections are for their threads alone
            await gatherResults([pool.runQuery("select 1") for _ in range(10)])
            assert pool.connections != {}
            assert pool.close().called
            assert pool.connections == {}
            assert pool.threadpool.threads == []
            assert pool.shutdownID is None

        run(main)
        assert [event for event in logged if "log_failure" in event] == []

    def test_what_is_being_done_is_waited_for(self, database):
        go_on = threading.Event()

        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor, cp_max=1)

            def slow(transaction):
                go_on.wait(SECONDS)
                return insert(transaction, 2)

            slowly = pool.runInteraction(slow)
            queued = pool.runInteraction(insert, 3)
            closed, again = pool.close(), pool.close()
            reactor.callLater(0, go_on.set)  # the reactor goes on
            with pytest.raises(ConnectionPoolClosed, match="sqlite3"):
                await pool.runQuery("select 1")
            await closed
            await again
            assert slowly.called
            assert queued.called
            assert pool.connections == {}

        run(main)
        assert numbers(database) == [1, 2, 3]

    def test_as_the_reactor_stops(self, database):
        go_on = threading.Event()

        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)

            def slow(transaction):
                go_on.wait(SECONDS)
                return insert(transaction, 2)

            def stop():
                go_on.set()
                stop_threads()

            def last():  # as a service may
                pool.runInteraction(insert, 3)

            stop_threads, pool.threadpool.stop = pool.threadpool.stop, stop
            pool.runInteraction(slow)
            reactor.addSystemEventTrigger("before", "shutdown", last)
            return pool

        pool = run(main)
        assert numbers(database) == [1, 2, 3]
        assert not pool.running
        assert pool.connections == {}
        assert pool.threadpool.threads == []

    def test_one_that_was_never_started(self, database):
        reactor = NativeReactor()
        pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
        assert pool.close().called
        assert pool.startID is None
        found = []
        pool.runQuery("select 1").addErrback(found.append)
        assert found[0].check(ConnectionPoolClosed)

    def test_and_started_again(self, database):
        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)
            await pool.runQuery("select 1")
            await pool.close()
            pool.start()
            pool.start()
            return await pool.runQuery("select 2")

        assert run(main) == [(2,)]

    def test_what_nobody_waits_for_any_more_is_waited_for(self, database):
        go_on = threading.Event()

        async def main(reactor):
            pool = ConnectionPool("sqlite3", database, cp_reactor=reactor)

            def slow(transaction):
                go_on.wait(SECONDS)
                return insert(transaction, 2)

            slowly = pool.runInteraction(slow)
            slowly.cancel()
            with pytest.raises(CancelledError):
                await slowly
            closed = pool.close()
            assert not closed.called
            go_on.set()
            await closed

        run(main)
        assert numbers(database) == [1, 2]

    def test_connections_of_other_threads(self, database):
        pool = ConnectionPool("sqlite3", database, cp_reactor=NativeReactor())
        connection = pool.connect()
        assert pool.connect() is connection
        with pytest.raises(ValueError, match="not the connection of this thread"):
            pool.disconnect(sqlite3)
        with pytest.raises(ValueError, match="not the connection of this thread"):
            pool.disconnect(None)
        pool.disconnect(connection)
        assert pool.connections == {}
        other = pool.connect()
        pool.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            other.execute("select 1")


class Fake(ModuleType):
    """A DB-API module whose calls fail when they are listed in ``broken``."""

    apilevel = "2.0"
    threadsafety = 1

    def __init__(self, name):
        super().__init__(name)
        self.broken = {}
        self.made = []

    def do(self, name, thing=None):
        if name in self.broken and (self.broken[name] is None or thing is self.broken[name]):
            raise RuntimeError(f"{name} is broken")

    def connect(self, *args, **kw):
        self.do("connect")
        self.made.append(FakeConnection(self))
        return self.made[-1]


class FakeConnection:
    def __init__(self, module):
        self.module = module
        self.told = []

    def __getattr__(self, name):
        def call(*args):
            self.told.append(name)
            self.module.do(name, self)
            return self if name == "cursor" else [name]

        return call


@pytest.fixture
def fake(monkeypatch):
    module = Fake("fake_dbapi")
    monkeypatch.setitem(sys.modules, "fake_dbapi", module)
    return module


def failures(logged):
    return [(event["log_failure"].type, str(event["log_failure"].value)) for event in logged if "log_failure" in event]


class TestTroubles:
    def pool(self, reactor, **settings):
        return ConnectionPool("fake_dbapi", cp_reactor=reactor, cp_max=1, **settings)

    def test_no_connection(self, fake):
        async def main(reactor):
            pool = self.pool(reactor)
            fake.broken = {"connect": None}
            with pytest.raises(RuntimeError, match="connect is broken"):
                await pool.runQuery("x")
            fake.broken = {}
            assert await pool.runQuery("x") == ["fetchall"]

        run(main)

    def test_one_that_cannot_be_set_up_is_closed(self, fake):
        async def main(reactor):
            pool = self.pool(reactor, cp_openfun=lambda connection: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await pool.runQuery("x")
            assert pool.connections == {}
            assert fake.made[0].told == ["close"]

        run(main)

    @pytest.mark.parametrize("method", ["runInteraction", "runWithConnection"])
    def test_a_commit_that_fails(self, fake, method):
        async def main(reactor):
            pool = self.pool(reactor)
            fake.broken = {"commit": None}
            with pytest.raises(RuntimeError, match="commit is broken"):
                await getattr(pool, method)(lambda _: 1)
            assert fake.made[0].told[-2:] == ["commit", "rollback"]

        run(main)

    @pytest.mark.parametrize("method", ["runInteraction", "runWithConnection"])
    def test_a_rollback_that_fails_is_logged_and_the_first_error_told(self, fake, method, logged):
        async def main(reactor):
            pool = self.pool(reactor)
            fake.broken = {"rollback": None}
            with pytest.raises(ZeroDivisionError):
                await getattr(pool, method)(lambda _: 1 / 0)

        run(main)
        assert failures(logged) == [(RuntimeError, "rollback is broken")]

    def test_a_close_that_fails_is_logged(self, fake, logged):
        async def main(reactor):
            pool = self.pool(reactor)
            await pool.runQuery("x")
            fake.broken = {"close": fake.made[0]}
            pool.close()
            assert pool.connections == {}

        fake.broken = {}
        run(main)
        assert failures(logged) == [(RuntimeError, "close is broken")]


class TestReconnecting:
    def pool(self, reactor, **settings):
        return ConnectionPool("fake_dbapi", cp_reactor=reactor, cp_max=1, cp_reconnect=True, **settings)

    def test_a_connection_without_cursors_is_replaced(self, fake, logged):
        async def main(reactor):
            pool = self.pool(reactor)
            await pool.runQuery("x")
            fake.broken = {"cursor": fake.made[0]}
            assert await pool.runQuery("x") == ["fetchall"]
            assert len(fake.made) == 2
            assert list(pool.connections.values()) == [fake.made[1]]

        run(main)
        assert failures(logged) == [(RuntimeError, "cursor is broken")]

    def test_but_not_without_being_told_to(self, fake):
        async def main(reactor):
            pool = ConnectionPool("fake_dbapi", cp_reactor=reactor, cp_max=1)
            await pool.runQuery("x")
            fake.broken = {"cursor": fake.made[0]}
            with pytest.raises(RuntimeError, match="cursor is broken"):
                await pool.runQuery("x")

        run(main)

    def test_one_that_fails_is_tried_and_kept_if_it_works(self, fake):
        async def main(reactor):
            pool = self.pool(reactor, cp_good_sql="select 17")
            with pytest.raises(ZeroDivisionError):
                await pool.runInteraction(lambda _: 1 / 0)
            assert fake.made[0].told[-5:] == ["rollback", "cursor", "execute", "close", "commit"]
            await pool.runQuery("x")
            assert len(fake.made) == 1

        run(main)

    def test_and_replaced_if_it_does_not(self, fake, logged):
        async def main(reactor):
            pool = self.pool(reactor)
            await pool.runQuery("x")
            fake.broken = {"execute": fake.made[0]}
            with pytest.raises(RuntimeError, match="execute is broken"):
                await pool.runQuery("x")
            assert pool.connections == {}
            assert await pool.runQuery("x") == ["fetchall"]

        run(main)
        assert failures(logged)[0] == (RuntimeError, "execute is broken")
        assert failures(logged)[1][0] is ConnectionLost

    def test_who_rolls_back_is_told_of_the_loss(self, fake):
        async def main(reactor):
            pool = self.pool(reactor)

            def function(connection):
                fake.broken = {"execute": fake.made[0]}
                connection.rollback()

            with pytest.raises(ConnectionLost, match="execute is broken"):
                await pool.runWithConnection(function)

        run(main)


def test_all_names_are_there():
    assert all(hasattr(module, name) for module in (adbapi, pooled) for name in module.__all__)
