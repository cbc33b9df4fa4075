"""The receiver of netstrings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.testing import StringTransport
from torsion.protocols.basic import IncompleteNetstring, NetstringParseError, NetstringReceiver


class Recording(NetstringReceiver):
    def __init__(self, **does):
        self.seen = []
        self.does = does

    def stringReceived(self, string):
        self.seen.append(string)
        if does := self.does.get(string.decode("latin-1")):
            does(self)


def connected(protocol):
    protocol.makeConnection(StringTransport())
    return protocol


@given(strings=st.lists(st.binary(max_size=20), max_size=8), size=st.integers(1, 30))
def test_what_one_sends_the_other_receives(strings, size):
    sender, receiver = connected(Recording()), connected(Recording())
    for string in strings:
        sender.sendString(string)
    sent = sender.transport.value()
    for begin in range(0, len(sent), size):
        receiver.dataReceived(sent[begin : begin + size])
    assert receiver.seen == strings
    assert not receiver.transport.disconnecting


def test_what_is_sent():
    protocol = connected(Recording())
    protocol.sendString(b"hello")
    protocol.sendString(b"")
    assert protocol.transport.value() == b"5:hello,0:,"


@pytest.mark.parametrize("data", [b"x", b"01:a,", b"1:ab", b"6:", b"7", b"99999999999999999999", b"1:a,1:bb"])
def test_anything_else_closes(data):
    protocol = connected(Recording())
    protocol.MAX_LENGTH = 5
    protocol.dataReceived(data)
    assert protocol.transport.disconnecting
    assert protocol.brokenPeer


def test_what_comes_after_is_not_looked_at():
    protocol = connected(Recording())
    protocol.dataReceived(b"1:a,x")
    protocol.dataReceived(b"1:b,")
    assert protocol.seen == [b"a"]


def test_a_new_connection_begins_anew():
    protocol = connected(Recording())
    protocol.dataReceived(b"x")
    connected(protocol)
    protocol.dataReceived(b"1:a,2:")
    connected(protocol)
    protocol.dataReceived(b"1:b,")
    assert protocol.seen == [b"a", b"b"]
    assert not protocol.brokenPeer


def test_a_new_limit_holds_at_once():
    protocol = connected(Recording(aa=lambda self: setattr(self, "MAX_LENGTH", 1)))
    protocol.dataReceived(b"2:aa,1:b,2:cc,")
    assert protocol.seen == [b"aa", b"b"]
    assert protocol.transport.disconnecting


def test_data_fed_by_a_hook_comes_behind():
    protocol = connected(Recording(a=lambda self: self.dataReceived(b"1:c,")))
    protocol.dataReceived(b"1:a,1:b,")
    assert protocol.seen == [b"a", b"b", b"c"]


def test_an_exception_gets_out_and_costs_no_data():
    def fail(self):
        raise RuntimeError

    protocol = connected(Recording(a=fail))
    with pytest.raises(RuntimeError):
        protocol.dataReceived(b"1:a,1:b,1")
    protocol.dataReceived(b":c,")
    assert protocol.seen == [b"a", b"b", b"c"]


def test_stringReceived_must_be_there():
    with pytest.raises(NotImplementedError, match="stringReceived"):
        NetstringReceiver().stringReceived(b"")


def test_the_errors_are_what_they_are_elsewhere():
    assert issubclass(NetstringParseError, ValueError)
    assert not issubclass(IncompleteNetstring, ValueError)
