"""``IReactorFDSet``: descriptors that are made elsewhere, level-triggered whatever the poller is."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.harness import until
from torsion.internet import error, main
from torsion.internet.interfaces import IHalfCloseableDescriptor, IReactorFDSet, IReadWriteDescriptor


@implementer(IReadWriteDescriptor)
class Descriptor:
    """Reads and writes a descriptor, notes it, and does what a test asks for."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.events: list[str] = []
        self.reasons: list[Any] = []
        self.on_read: Any = lambda: os.read(self.number, 1) and None
        self.on_write: Any = lambda: None

    def fileno(self) -> int:
        return self.number

    def logPrefix(self) -> str:
        return "descriptor"

    def doRead(self) -> Any:
        self.events.append("read")
        return self.on_read()

    def doWrite(self) -> Any:
        self.events.append("write")
        return self.on_write()

    def connectionLost(self, reason: Any) -> None:
        self.reasons.append(reason.value)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def turns(reactor: Any, count: int = 3) -> None:
    for _ in range(count):
        reactor.iterate(0)


def test_interface(reactor):
    assert verifyObject(IReactorFDSet, reactor)


def test_what_is_left_unread_is_told_of_again(reactor, pair):
    ours, theirs = pair
    descriptor = Descriptor(ours.fileno())
    reactor.addReader(descriptor)
    reactor.addReader(descriptor)
    assert reactor.getReaders() == [descriptor]
    theirs.send(b"abc")
    turns(reactor, 10)
    assert descriptor.events == ["read"] * 3
    reactor.removeReader(descriptor)
    reactor.removeReader(descriptor)
    theirs.send(b"d")
    turns(reactor)
    assert descriptor.events == ["read"] * 3
    reactor.addReader(descriptor)
    turns(reactor)
    assert descriptor.events == ["read"] * 4


def test_writing_goes_on_until_removed(reactor, pair):
    descriptor = Descriptor(pair[0].fileno())
    reactor.addWriter(descriptor)
    assert reactor.getWriters() == [descriptor]
    turns(reactor, 4)
    assert descriptor.events == ["write"] * len(descriptor.events)
    assert len(descriptor.events) >= 3
    reactor.removeWriter(descriptor)
    descriptor.events.clear()
    turns(reactor)
    assert descriptor.events == []


def test_a_reader_and_a_writer_of_one_descriptor_may_be_two(reactor, pair):
    ours, theirs = pair
    reader, writer = Descriptor(ours.fileno()), Descriptor(ours.fileno())
    reactor.addReader(reader)
    reactor.addWriter(writer)
    theirs.send(b"a")
    turns(reactor)
    assert reader.events == ["read"]
    assert set(writer.events) == {"write"}
    reactor.removeWriter(writer)
    theirs.send(b"b")
    turns(reactor)
    assert reader.events == ["read"] * 2


def test_an_answer_ends_the_watching_and_is_told(reactor, pair):
    ours, theirs = pair
    descriptor = Descriptor(ours.fileno())
    descriptor.on_read = lambda: main.CONNECTION_LOST
    reactor.addReader(descriptor)
    reactor.addWriter(descriptor)
    theirs.send(b"a")
    turns(reactor)
    assert [type(reason) for reason in descriptor.reasons] == [error.ConnectionLost]
    assert reactor.getReaders() == reactor.getWriters() == []
    assert descriptor.events.count("read") == 1


def test_reading_that_is_over_is_half_an_end(reactor, pair):
    ours, theirs = pair

    @implementer(IHalfCloseableDescriptor)
    class Half(Descriptor):
        def readConnectionLost(self, reason: Any) -> None:
            self.events.append("readConnectionLost")

        def writeConnectionLost(self, reason: Any) -> None:
            self.events.append("writeConnectionLost")

    descriptor = Half(ours.fileno())
    descriptor.on_read = lambda: main.CONNECTION_DONE
    reactor.addReader(descriptor)
    reactor.addWriter(descriptor)
    theirs.shutdown(socket.SHUT_WR)
    turns(reactor)
    assert descriptor.events.count("readConnectionLost") == 1
    assert descriptor.reasons == []
    assert reactor.getWriters() == [descriptor]


@pytest.mark.parametrize("problem", [ValueError("on purpose"), SystemExit(1)])
def test_what_is_raised_ends_the_watching_and_is_logged(reactor, pair, logged, problem):
    ours, theirs = pair

    def fail() -> None:
        raise problem

    descriptor = Descriptor(ours.fileno())
    descriptor.on_read = fail
    reactor.addReader(descriptor)
    theirs.send(b"a")
    turns(reactor)
    assert descriptor.reasons == [problem]
    assert logged.take(type(problem)) == [problem]


def test_a_regular_file_is_always_ready(reactor, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    number = os.open(path, os.O_RDONLY)
    descriptor = Descriptor(number)
    got: list[bytes] = []

    def read() -> Any:
        byte = os.read(number, 1)
        got.append(byte)
        return None if byte else main.CONNECTION_DONE

    descriptor.on_read = read
    reactor.addReader(descriptor)
    turns(reactor, 8)
    os.close(number)
    assert got == [b"a", b"b", b"c", b""]
    assert [type(reason) for reason in descriptor.reasons] == [error.ConnectionDone]


def test_a_closed_descriptor_is_refused(reactor):
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    for closed in (number, -1):
        with pytest.raises(OSError, match="Bad file descriptor"):
            reactor.addReader(Descriptor(closed))
    assert reactor.getReaders() == []


def test_one_that_says_it_is_closed_is_told_so(reactor, pair):
    ours, theirs = pair
    descriptor = Descriptor(ours.fileno())

    def close() -> None:
        descriptor.number = -1

    descriptor.on_read = close
    reactor.addReader(descriptor)
    theirs.send(b"a")
    turns(reactor)
    assert [type(reason) for reason in descriptor.reasons] == [error.ConnectionFdescWentAway]
    assert reactor.getReaders() == []


def test_a_number_that_was_closed_and_used_again_is_the_new_ones(reactor, pair):
    ours = pair[0]
    old = Descriptor(ours.detach())
    reactor.addReader(old)
    turns(reactor)
    os.close(old.number)
    again, peer = socket.socketpair()
    spare: list[socket.socket] = []
    try:
        while again.fileno() != old.number:  # the lowest free number comes first
            spare.append(again)
            again = again.dup()
        number, old.number = old.number, -1
        new = Descriptor(number)
        new.on_read = lambda: again.recv(1) and None
        reactor.addReader(new)
        peer.send(b"a")
        turns(reactor)
        assert (old.events, new.events) == ([], ["read"])
        reactor.removeReader(old)  # late, and no business of the new one
        peer.send(b"b")
        turns(reactor)
        assert new.events == ["read"] * 2
        reactor.removeReader(new)
    finally:
        for each in (again, peer, *spare):
            each.close()


def test_a_duplicate_that_lives_on_is_no_trouble(reactor, pair):
    ours, theirs = pair
    twin = ours.dup()
    descriptor = Descriptor(ours.fileno())
    reactor.addReader(descriptor)
    turns(reactor)
    ours.close()
    reactor.removeReader(descriptor)
    theirs.send(b"a")
    turns(reactor)
    assert descriptor.events == []
    twin.close()


def test_removing_all_gives_each_once(reactor, pair):
    ours, theirs = pair
    both, other = Descriptor(ours.fileno()), Descriptor(theirs.fileno())
    reactor.addReader(both)
    reactor.addWriter(both)
    reactor.addWriter(other)
    assert set(reactor.removeAll()) == {both, other}
    assert reactor.getReaders() == reactor.getWriters() == []
    turns(reactor)
    assert both.events == other.events == []


def test_the_end_of_the_reactor_is_theirs(reactor, pair, run):
    descriptor = Descriptor(pair[0].fileno())

    async def scenario() -> None:
        reactor.addReader(descriptor)

    run(scenario)
    assert [type(reason) for reason in descriptor.reasons] == [error.ConnectionLost]
    assert reactor.getReaders() == []


def test_removing_another_within_a_read(reactor, pair):
    ours, theirs = pair
    first, second = Descriptor(ours.fileno()), Descriptor(theirs.fileno())
    for each, other in ((first, second), (second, first)):
        each.on_read = lambda other=other: reactor.removeReader(other)
        reactor.addReader(each)
    ours.send(b"a")
    theirs.send(b"a")
    turns(reactor, 2)
    assert sorted([bool(first.events), bool(second.events)]) == [False, True]


def test_it_waits_while_nothing_is_ready(reactor, pair, run):
    descriptor = Descriptor(pair[0].fileno())

    async def scenario() -> None:
        reactor.addReader(descriptor)
        before = reactor.engine.statistics()["waits"] if hasattr(reactor, "engine") else 0
        pair[1].send(b"a")
        await until(reactor, lambda: descriptor.events)
        assert descriptor.events == ["read"]
        assert not hasattr(reactor, "engine") or reactor.engine.statistics()["waits"] >= before

    run(scenario)
