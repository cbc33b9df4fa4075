"""State machines for streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.testing import StringTransport
from torsion.protocols.stateful import StatefulProtocol


class Counted(StatefulProtocol):
    """Reads a byte that tells how many come then."""

    def __init__(self):
        self.seen = []

    def connectionMade(self):
        self.seen.append("made")

    def getInitialState(self):
        self.seen.append("initial")
        return self.count, 1

    def count(self, data):
        return self.piece, data[0]

    def piece(self, data):
        self.seen.append(data)
        return self.count, 1


def connected(protocol):
    protocol.makeConnection(StringTransport())
    return protocol


def test_the_initial_state_is_asked_for_when_the_connection_is_made():
    assert connected(Counted()).seen == ["made", "initial"]


def test_it_has_to_be_there():
    with pytest.raises(NotImplementedError, match="getInitialState"):
        connected(StatefulProtocol())


@given(
    pieces=st.lists(st.binary(max_size=20), max_size=10),
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=10),
)
def test_however_it_is_cut(pieces, cuts):
    protocol = connected(Counted())
    data = b"".join(bytes([len(piece)]) + piece for piece in pieces)
    at = 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        protocol.dataReceived(data[at : at + step])
        at += step
    assert protocol.seen[2:] == pieces


def test_none_stays_in_the_state():
    class Pairs(Counted):
        def getInitialState(self):
            return self.pair, 2

        def pair(self, data):
            self.seen.append(data)

    protocol = connected(Pairs())
    protocol.dataReceived(b"abcde")
    assert protocol.seen == ["made", b"ab", b"cd"]


def test_a_closing_connection_calls_nothing_any_more():
    class Closing(Counted):
        def piece(self, data):
            self.transport.loseConnection()
            return super().piece(data)

    protocol = connected(Closing())
    protocol.dataReceived(b"\x01a\x01b")
    protocol.dataReceived(b"\x01c")
    assert protocol.seen[2:] == [b"a"]


def test_after_an_exception_it_goes_on_behind_what_was_read():
    class Failing(Counted):
        def piece(self, data):
            super().piece(data)
            if data == b"!":
                raise ZeroDivisionError

    protocol = connected(Failing())
    with pytest.raises(ZeroDivisionError):
        protocol.dataReceived(b"\x01!abc")
    protocol.dataReceived(b"")
    assert protocol.seen[2:] == [b"!", b"a", b"b", b"c"]


def test_a_function_may_be_what_more_data_comes_from():
    class Feeding(Counted):
        def piece(self, data):
            if data == b"1":
                self.dataReceived(b"\x013")
            return super().piece(data)

    protocol = connected(Feeding())
    protocol.dataReceived(b"\x011\x012")
    assert protocol.seen[2:] == [b"1", b"2", b"3"]


def test_fewer_than_no_bytes_cannot_be_read():
    class Negative(Counted):
        def count(self, data):
            return self.piece, -1

    protocol = connected(Negative())
    with pytest.raises(ValueError, match="-1 bytes"):
        protocol.dataReceived(b"\x01")


def test_a_long_stream_in_one_piece_costs_no_more_than_it_is_long():
    protocol = connected(Counted())
    protocol.dataReceived(b"\x01a" * 100_000)
    assert len(protocol.seen) == 100_002
    assert len(protocol._buffer) == 0
