"""A buffered transport for a descriptor of one's own, without any reactor but a list."""

from __future__ import annotations

from socket import AF_INET, AF_INET6
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from torsion.internet import main
from torsion.internet.abstract import FileDescriptor, isIPAddress, isIPv6Address
from torsion.internet.interfaces import (
    IConsumer,
    IHalfCloseableDescriptor,
    IPushProducer,
    IReadWriteDescriptor,
    ITransport,
)
from torsion.internet.task import Clock
from torsion.python.failure import Failure


class Watching(Clock):
    """A reactor that only notes what it is to watch."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.addReader, self.removeReader = self.readers.add, self.readers.discard
        self.addWriter, self.removeWriter = self.writers.add, self.writers.discard


class Device(FileDescriptor):
    """Takes some bytes of each write."""

    connected = 1

    def __init__(self, takes: int = 1000) -> None:
        super().__init__(Watching())
        self.takes = takes
        self.taken: list[bytes] = []
        self.reasons: list[Any] = []

    def writeSomeData(self, data: bytes) -> Any:
        self.taken.append(data[: self.takes])
        return min(self.takes, len(data))

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self.reasons.append(reason.value)

    def turn(self) -> None:
        """Do what a reactor does for one that can be written."""
        if self in self.reactor.writers and (why := self.doWrite()) is not None:
            self.connectionLost(Failure(why))


class Producer:
    def __init__(self) -> None:
        self.events: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda: self.events.append(name.removesuffix("Producing"))


def test_interfaces():
    device = Device()
    for interface in (ITransport, IConsumer, IPushProducer, IReadWriteDescriptor, IHalfCloseableDescriptor):
        assert verifyObject(interface, device)


def test_pieces_are_joined_and_the_rest_waits():
    device = Device(takes=4)
    device.write(b"ab")
    device.writeSequence([b"cd", b"", b"ef"])
    assert device.reactor.writers == {device}
    device.turn()
    device.write(b"gh")
    device.turn()
    device.turn()
    assert device.taken == [b"abcd", b"efgh"]
    assert device.reactor.writers == set()


def test_what_is_written_at_once_is_limited():
    device = Device(takes=10**9)
    device.SEND_LIMIT = 100
    device.takes = 150
    device.write(b"x" * 400)
    for _ in range(5):
        device.turn()
    assert b"".join(device.taken) == b"x" * 400
    assert device.reactor.writers == set()


def test_text_is_refused():
    device = Device()
    with pytest.raises(TypeError, match="encode 'text' first"):
        device.write("text")
    with pytest.raises(TypeError, match="encode 'text' first"):
        device.writeSequence([b"fine", "text"])
    assert device.reactor.writers == set()


def test_a_close_waits_for_what_was_written():
    device = Device(takes=1)
    device.startReading()
    device.write(b"ab")
    device.loseConnection()
    device.loseConnection()
    assert device.reactor.readers == set()
    device.turn()
    assert device.reasons == []
    device.turn()
    assert device.reasons == [main.CONNECTION_DONE]
    device.write(b"late")
    assert device.reactor.writers == set()


def test_half_a_close():
    closed: list[str] = []
    device = Device()
    device._closeWriteConnection = lambda: closed.append("half")  # the name that Twisted's subclasses have for it
    device.write(b"last")
    device.loseWriteConnection()
    device.turn()
    assert (closed, device.taken) == (["half"], [b"last"])
    device.write(b"late")
    assert device.reactor.writers == set()
    device.loseConnection()
    device.reactor.advance(0)
    assert device.reasons == [main.CONNECTION_DONE]


def test_an_error_of_writing_is_the_end():
    device = Device()
    device.writeSomeData = lambda data: main.CONNECTION_LOST
    device.write(b"x")
    device.turn()
    assert device.reasons == [main.CONNECTION_LOST]


def test_a_streaming_producer_follows_the_buffer():
    device, producer = Device(takes=10**6), Producer()
    device.registerProducer(producer, True)
    device.write(b"x" * device.bufferSize)
    assert producer.events == []
    device.write(b"x")
    device.write(b"x")
    assert producer.events == ["pause"]
    device.turn()
    assert producer.events == ["pause", "resume"]
    with pytest.raises(RuntimeError, match="never unregistered"):
        device.registerProducer(producer, True)
    device.loseConnection()
    device.stopConsuming()
    device.turn()
    assert device.reasons == [main.CONNECTION_DONE]


def test_another_producer_is_asked_for_each_piece():
    device, producer = Device(), Producer()
    device.registerProducer(producer, False)
    device.write(b"x")
    device.turn()
    assert producer.events == ["resume", "resume"]


def test_a_producer_that_comes_too_late_or_is_left_is_stopped():
    device, producer, late = Device(), Producer(), Producer()
    device.registerProducer(producer, True)
    device.connectionLost(Failure(main.CONNECTION_LOST))
    device.registerProducer(late, True)
    assert producer.events == late.events == ["stop"]


def test_pausing_and_going_on():
    device = Device()
    device.resumeProducing()
    assert device.reactor.readers == {device}
    device.pauseProducing()
    assert device.reactor.readers == set()
    device.stopProducing()
    device.resumeProducing()
    assert device.reactor.readers == set()


@pytest.mark.parametrize("method", ["doRead", "getHost", "getPeer"])
def test_what_only_a_subclass_knows(method):
    with pytest.raises(NotImplementedError, match=f"Device .*{method}"):
        getattr(Device(), method)()


@pytest.mark.parametrize(
    ("address", "family", "numeric"),
    [
        ("127.0.0.1", AF_INET, True),
        (b"10.0.0.1", AF_INET, True),
        (b"\xff", AF_INET, False),
        ("127.1", AF_INET, False),
        ("1.2.3.256", AF_INET, False),
        ("example.com", AF_INET, False),
        ("::1", AF_INET, False),
        ("::1", AF_INET6, True),
        ("fe80::1%eth0", AF_INET6, True),
        ("127.0.0.1", AF_INET6, False),
        ("a::b::c", AF_INET6, False),
    ],
)
def test_numeric_addresses(address, family, numeric):
    assert isIPAddress(address, family) is numeric
    if family == AF_INET6:
        assert isIPv6Address(address) is numeric


def test_no_other_family_has_them():
    with pytest.raises(ValueError, match="family 1"):
        isIPAddress("x", 1)
