"""Servers that stop cleanly."""

from __future__ import annotations

import sys

import torsion.internet
from torsion.internet import endpoints
from torsion.internet.defer import succeed
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.task import Clock
from torsion.scripts.serve import DrainingFactory, serve


class Connection:
    """A protocol that ends when it is told to, or only when it is aborted."""

    def __init__(self, factory, stubborn=False):
        self.factory = factory
        self.stubborn = stubborn
        self.transport = self
        self.events = []
        factory.opened(self)

    def finish(self):
        self.events.append("finish")
        if not self.stubborn:
            self.factory.closed(self)

    def abortConnection(self):
        self.events.append("abort")
        self.factory.closed(self)


def drained(factory, clock, seconds=5):
    found = []
    factory.drain(clock, seconds).addCallback(lambda _: found.append(clock.seconds()))
    return found


def test_without_connections():
    clock = Clock()
    assert drained(DrainingFactory(), clock) == [0]
    assert list(clock.getDelayedCalls()) == []


def test_connections_that_end():
    factory, clock = DrainingFactory(), Clock()
    connections = [Connection(factory) for _ in range(3)]
    assert drained(factory, clock) == [0]
    assert [connection.events for connection in connections] == [["finish"]] * 3
    assert list(clock.getDelayedCalls()) == []


def test_one_that_takes_its_time():
    factory, clock = DrainingFactory(), Clock()
    slow = Connection(factory, stubborn=True)
    found = drained(factory, clock)
    clock.advance(3)
    assert found == []
    factory.closed(slow)
    assert found == [3]
    assert slow.events == ["finish"]
    assert list(clock.getDelayedCalls()) == []


def test_one_that_takes_too_long():
    factory, clock = DrainingFactory(), Clock()
    connections = [Connection(factory, stubborn=True) for _ in range(2)]
    found = drained(factory, clock)
    clock.advance(4.9)
    assert found == []
    clock.advance(0.2)
    assert found
    assert [connection.events for connection in connections] == [["finish", "abort"]] * 2


def test_one_that_comes_late():
    factory, clock = DrainingFactory(), Clock()
    Connection(factory, stubborn=True)
    drained(factory, clock)
    late = Connection(factory)
    assert late.events == ["finish"]


def test_connections_come_and_go():
    factory = DrainingFactory()
    one, two = Connection(factory), Connection(factory)
    factory.closed(one)
    factory.closed(one)
    assert factory.connections == {two}


class Endpoint:
    """Listens at once, at an address of a kind that cannot be told."""

    def listen(self, factory):
        return succeed(self)

    def getHost(self):
        return None

    def stopListening(self):
        pass


def test_a_start_that_fails_in_whatever_way_is_told(monkeypatch, capsys):
    reactor = NativeReactor()
    monkeypatch.setitem(sys.modules, "torsion.internet.reactor", reactor)
    monkeypatch.setattr(torsion.internet, "reactor", reactor, raising=False)
    monkeypatch.setattr(endpoints, "serverFromString", lambda *_: Endpoint())
    assert serve("it", ["odd"], DrainingFactory(), 1) == 2
    assert capsys.readouterr().err.startswith("it: ")
