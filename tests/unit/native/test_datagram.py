"""What the engine's datagram sockets promise beyond what the contract tests of reactors see."""

from __future__ import annotations

import gc
import os
import socket
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torsion import _native

LOCAL = ("127.0.0.1", 0)


class Owner:
    """Keeps what it is told, as a socket's owner, as its protocol, and as the engine's owner."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []
        self.failures: list[int] = []
        self.lost: list[tuple[Any, int]] = []
        self.blamed: list[BaseException] = []
        self.do: Callable[[tuple[Any, ...]], Any] = lambda got: None

    def datagramReceived(self, *got: Any) -> None:
        self.got.append(got)
        self.do(got)

    def failed(self, errno: int, /) -> None:
        self.failures.append(errno)

    def unsent(self, address: Any, errno: int, /) -> None:
        self.lost.append((address, errno))

    def raised(self, source: object, exception: BaseException, /) -> object:
        self.blamed.append(exception)
        return exception


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def engine(owner: Owner) -> _native.Engine:
    return _native.Engine(owner)


def bind(engine: _native.Engine, owner: Owner, address: Any = LOCAL, room: int = 8192) -> Any:
    datagram = engine.bind_datagram(address, False, room, owner)
    datagram.protocol = owner
    return datagram


def until(engine: _native.Engine, condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        engine.turn(0.01)
    raise AssertionError("it did not come to be")


def test_a_peer_is_named_by_one_object_as_long_as_there_are_few(engine: Any, owner: Owner) -> None:
    server, first, second = (bind(engine, owner) for _ in range(3))
    server.protocol = received = Owner()
    for _ in range(3):
        first.write(b"x", server.address())
    until(engine, lambda: len(received.got) == 3)
    assert len({id(addr) for _, addr in received.got}) == 1
    assert received.got[0][1] == first.address()
    second.write(b"x", server.address())
    until(engine, lambda: len(received.got) == 4)
    assert received.got[3][1] == second.address()


def test_many_peers_are_told_apart(engine: Any, owner: Owner) -> None:
    server = bind(engine, owner)
    server.protocol = received = Owner()
    received.do = lambda got: server.write(*got)
    peers = [(bind(engine, owner), Owner()) for _ in range(200)]
    for _ in range(2):
        for number, (peer, answered) in enumerate(peers):
            peer.protocol = answered
            peer.write(b"%d" % number, server.address())
        count = len(received.got)
        until(engine, lambda count=count: all(answered.got for _, answered in peers))
        assert [answered.got[-1][0] for _, answered in peers] == [b"%d" % number for number in range(200)]
    assert {addr for _, addr in received.got} == {peer.address() for peer, _ in peers}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=20), st.booleans())
def test_what_is_echoed_is_what_was_sent(datagrams: list[bytes], exact: bool) -> None:
    owner, answered = Owner(), Owner()
    engine = _native.Engine(owner)
    server, client = bind(engine, owner), bind(engine, answered)
    server.protocol = received = Owner()
    received.do = lambda got: server.write(got[0], got[1] if exact else (*got[1],))
    for datagram in datagrams:
        client.write(datagram, server.address())
    until(engine, lambda: len(answered.got) == len(datagrams))
    assert [data for data, _ in answered.got] == datagrams
    engine.close()


def test_the_protocol_is_looked_at_anew_each_time(engine: Any, owner: Owner) -> None:
    server = bind(engine, owner)
    other = Owner()
    owner.do = lambda got: setattr(server, "protocol", other)
    for _ in range(2):
        server.write(b"x", server.address())
    until(engine, lambda: other.got)
    assert len(owner.got) == len(other.got) == 1
    server.protocol = None
    server.write(b"x", server.address())
    engine.turn(0.1)
    assert len(other.got) == 1


def test_a_hook_that_raises_when_it_has_closed_the_socket_is_told_of(engine: Any, owner: Owner) -> None:
    def fail(got: Any) -> None:
        server.close()
        raise LookupError("bad")

    server = bind(engine, owner)
    owner.do = fail
    server.write(b"x", server.address())
    until(engine, lambda: owner.blamed)
    assert isinstance(owner.blamed[0], LookupError)
    assert server.fileno() == -1
    assert server.statistics()["datagrams_read"] == 0
    server.close()
    server.write(b"x", LOCAL)
    with pytest.raises(OSError, match="closed"):
        server.connect(LOCAL)


def test_answers_that_cannot_leave_are_told_to_the_owner(engine: Any, owner: Owner) -> None:
    def shut(got: Any) -> None:
        server.write(*got)
        with socket.socket(fileno=os.dup(server_number)) as handle:
            handle.connect(server.address())
            handle.shutdown(socket.SHUT_WR)

    server, client = bind(engine, owner), bind(engine, Owner())
    server_number = server.fileno()
    owner.do = shut
    client.write(b"x", server.address())
    until(engine, lambda: owner.lost)
    assert [address for address, _ in owner.lost] == [client.address()]


def test_figures_count_what_went_through(engine: Any, owner: Owner) -> None:
    server, client = bind(engine, owner, room=3), bind(engine, Owner())
    owner.do = lambda got: server.write(*got)
    for size in (5, 0, 2):
        client.write(bytes(size), server.address())
    until(engine, lambda: len(owner.got) == 3)
    assert server.statistics() == {
        "datagrams_read": 3,
        "bytes_read": 5,
        "datagrams_written": 3,
        "bytes_written": 5,
        "datagrams_dropped": 0,
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="descriptors are POSIX's")
def test_only_datagram_sockets_are_adopted(engine: Any, owner: Owner) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin:
        twin.bind(LOCAL)
        adopted = engine.adopt_datagram(os.dup(twin.fileno()), 8192, owner)
        adopted.protocol = owner
        assert adopted.address() == twin.getsockname()
        adopted.write(b"x", adopted.address())
        until(engine, lambda: owner.got)
        adopted.close()
    with socket.socket() as stream, pytest.raises(OSError, match="rotocol"):
        engine.adopt_datagram(os.dup(stream.fileno()), 8192, owner)
    for number in (-1, 10_000):
        with pytest.raises(OSError, match="descriptor"):
            engine.adopt_datagram(number, 8192, owner)
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(OSError, match="socket"):
        engine.adopt_datagram(reading, 8192, owner)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_an_address_of_ipv6_may_have_four_parts(engine: Any, owner: Owner) -> None:
    server = bind(engine, owner, ("::1", 0, 0, 0))
    server.write(b"four", server.address())
    server.write(b"two", server.address()[:2])
    until(engine, lambda: len(owner.got) == 2)
    assert [addr for _, addr in owner.got] == [server.address()[:2]] * 2
    with pytest.raises(OSError, match="interface"):
        server.write(b"x", ("fe80::1%no such link", 9))


def test_an_engine_with_open_sockets_is_collected() -> None:
    owner = Owner()
    engine = _native.Engine(owner)
    server = bind(engine, owner)
    owner.do = server.write
    number = server.fileno()
    references = [weakref.ref(each) for each in (engine, server, owner)]
    del engine, server, owner
    gc.collect()
    assert [reference() for reference in references] == [None] * 3
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(number)


def test_the_engines_end_is_the_sockets(engine: Any, owner: Owner) -> None:
    server = bind(engine, owner)
    engine.close()
    assert server.fileno() == -1
    assert engine.statistics()["descriptors"] == 0
