"""What all codecs share."""

import pickle

import pytest

from torsion import wire


def test_errors_say_who_is_to_blame():
    assert issubclass(wire.LocalProtocolError, wire.ProtocolError)
    assert issubclass(wire.RemoteProtocolError, wire.ProtocolError)
    assert issubclass(wire.LimitExceeded, wire.RemoteProtocolError)
    assert not issubclass(wire.LocalProtocolError, wire.RemoteProtocolError)


def test_a_limit_says_what_it_limits():
    error = wire.LimitExceeded("line", 11, 10)
    assert str(error) == "line of at least 11 bytes, and 10 are allowed: raise the limit to accept it"
    again = pickle.loads(pickle.dumps(error))
    assert (again.what, again.size, again.limit) == ("line", 11, 10)


@pytest.mark.parametrize("signal", [wire.NEED_DATA, wire.PAUSED])
def test_signals_are_no_events(signal):
    assert isinstance(signal, wire.NoEvent)
    assert pickle.loads(pickle.dumps(signal)) is signal
    assert repr(signal) in {"NEED_DATA", "PAUSED"}
