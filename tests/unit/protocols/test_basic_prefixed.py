"""Receivers of strings with their length in front."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.testing import StringTransport
from torsion.protocols.basic import (
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    IntNStringReceiver,
    StringTooLongError,
)


class Recording:
    def __init__(self, **does):
        self.seen = []
        self.does = does  # a string, and what is to be called with the protocol

    def stringReceived(self, string):
        self.seen.append(string)
        if does := self.does.get(string.decode("latin-1")):
            does(self)


class Int8(Recording, Int8StringReceiver):
    pass


class Int16(Recording, Int16StringReceiver):
    pass


class Int32(Recording, Int32StringReceiver):
    pass


class Watching(Int8):
    def lengthLimitExceeded(self, length):
        self.seen.append((length, self.recvd))
        if does := self.does.get("long"):
            does(self)


def connected(protocol):
    protocol.makeConnection(StringTransport())
    return protocol


KINDS = pytest.mark.parametrize(
    ("kind", "prefix"), [(Int8, struct.Struct("!B")), (Int16, struct.Struct("!H")), (Int32, struct.Struct("!I"))]
)


@KINDS
@given(strings=st.lists(st.binary(max_size=20), max_size=8), size=st.integers(1, 30))
def test_what_one_sends_the_other_receives(kind, prefix, strings, size):
    sender, receiver = connected(kind()), connected(kind())
    for string in strings:
        sender.sendString(string)
    sent = sender.transport.value()
    assert sent == b"".join(prefix.pack(len(string)) + string for string in strings)
    for begin in range(0, len(sent), size):
        receiver.dataReceived(sent[begin : begin + size])
    assert receiver.seen == strings
    assert receiver.recvd == b""


@KINDS
def test_a_string_that_the_prefix_cannot_count(kind, prefix):
    class Endless(bytes):
        def __len__(self):
            return 1 << 8 * prefix.size

    protocol = connected(kind())
    with pytest.raises(StringTooLongError, match=str((1 << 8 * prefix.size) - 1)):
        protocol.sendString(Endless())
    assert protocol.transport.value() == b""


def test_a_format_of_one_s_own():
    class Little(Recording, IntNStringReceiver):
        structFormat = "<H"
        prefixLength = 2

    protocol = connected(Little())
    protocol.sendString(b"ab")
    assert protocol.transport.value() == b"\2\0ab"
    protocol.dataReceived(b"\2\0ab")
    assert protocol.seen == [b"ab"]


def test_stringReceived_must_be_there():
    with pytest.raises(NotImplementedError, match="stringReceived"):
        IntNStringReceiver().stringReceived(b"")


def test_nothing_is_returned():
    protocol = connected(Int8())
    protocol.stringReceived = lambda string: "why"
    assert protocol.dataReceived(b"\1a\1b") is None


def test_closing_does_not_stop_delivery():
    protocol = connected(Int8(a=lambda self: self.transport.loseConnection()))
    protocol.dataReceived(b"\1a\1b")
    assert protocol.seen == [b"a", b"b"]


def test_data_fed_by_a_hook_comes_behind():
    protocol = connected(Int8(a=lambda self: self.dataReceived(b"\1d")))
    protocol.dataReceived(b"\1a\1b\1c")
    assert protocol.seen == [b"a", b"b", b"c", b"d"]


def test_an_exception_gets_out_and_costs_no_data():
    def fail(self):
        raise RuntimeError

    protocol = connected(Int8(a=fail))
    with pytest.raises(RuntimeError):
        protocol.dataReceived(b"\1a\1b\1")
    assert protocol.recvd == b"\1b\1"
    protocol.dataReceived(b"c")
    assert protocol.seen == [b"a", b"b", b"c"]


class TestLimit:
    def test_it_closes(self):
        protocol = connected(Int8())
        protocol.MAX_LENGTH = 2
        protocol.dataReceived(b"\2aa\3bbb\1c")
        assert protocol.seen == [b"aa"]
        assert protocol.transport.disconnecting

    def test_the_prefix_alone_is_enough(self):
        protocol = connected(Watching())
        protocol.MAX_LENGTH = 2
        protocol.dataReceived(b"\1a\3")
        assert protocol.seen == [b"a", (3, b"\3")]

    def test_the_hook_sees_the_string_with_its_prefix(self):
        protocol = connected(Watching())
        protocol.MAX_LENGTH = 2
        protocol.dataReceived(b"\1a\3bbb\1c")
        assert protocol.seen == [b"a", (3, b"\3bbb\1c")]

    def test_the_hook_may_let_it_pass(self):
        protocol = connected(Watching(long=lambda self: setattr(self, "MAX_LENGTH", 3)))
        protocol.MAX_LENGTH = 2
        protocol.dataReceived(b"\3bbb\1c")
        protocol.dataReceived(b"")
        assert protocol.seen == [(3, b"\3bbb\1c"), b"bbb", b"c"]

    def test_a_new_limit_holds_at_once(self):
        protocol = connected(Watching(aa=lambda self: setattr(self, "MAX_LENGTH", 1)))
        protocol.dataReceived(b"\2aa\1b\2cc")
        assert protocol.seen == [b"aa", b"b", (2, b"\2cc")]


class TestPausing:
    def test_delivery_stops_and_goes_on(self):
        protocol = connected(Int8(b=Int8.pauseProducing))
        protocol.dataReceived(b"\1a\1b\1c")
        protocol.dataReceived(b"\1d")
        assert protocol.seen == [b"a", b"b"]
        assert protocol.recvd == b"\1c\1d"
        protocol.resumeProducing()
        assert protocol.seen == [b"a", b"b", b"c", b"d"]

    def test_a_pause_within_a_hook(self):
        def breathe(self):
            self.pauseProducing()
            self.resumeProducing()
            self.seen.append("breathed")

        protocol = connected(Int8(a=breathe))
        protocol.dataReceived(b"\1a\1b")
        assert protocol.seen == [b"a", "breathed", b"b"]

    def test_stopping(self):
        protocol = connected(Int8(a=Int8.stopProducing))
        protocol.dataReceived(b"\1a\1b")
        assert protocol.seen == [b"a"]
        assert protocol.transport.producerState == "stopped"


class TestRecvd:
    def test_it_is_empty_at_first(self):
        assert Int8().recvd == b""

    def test_it_is_what_comes_next(self):
        protocol = connected(Int8(a=lambda self: self.seen.append(self.recvd)))
        protocol.dataReceived(b"\1a\1b\2c")
        assert protocol.seen == [b"a", b"\1b\2c", b"b"]
        assert protocol.recvd == b"\2c"

    def test_looking_changes_nothing(self):
        protocol = connected(Int8(b=lambda self: self.recvd))
        protocol.dataReceived(b"\1a\1b\1c\1")
        protocol.dataReceived(b"d")
        assert protocol.seen == [b"a", b"b", b"c", b"d"]

    def test_other_data_may_be_put_in_its_place(self):
        protocol = connected(Int8(a=lambda self: setattr(self, "recvd", b"\1x\1" + self.recvd)))
        protocol.dataReceived(b"\1a\1b")
        assert protocol.seen == [b"a", b"x", b"\1"]
        assert protocol.recvd == b"b"

    def test_it_may_be_emptied(self):
        protocol = connected(Int8(a=lambda self: setattr(self, "recvd", b"")))
        protocol.dataReceived(b"\1a\1b")
        assert protocol.seen == [b"a"]

    def test_it_may_be_set_before_anything_came_in(self):
        protocol = connected(Int8())
        protocol.recvd = b"\1"
        protocol.dataReceived(b"a")
        assert protocol.seen == [b"a"]
