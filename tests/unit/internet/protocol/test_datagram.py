"""Datagram protocols: when they start and stop."""

import pickle

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import ILoggingContext
from torsion.internet.protocol import AbstractDatagramProtocol, ConnectedDatagramProtocol, DatagramProtocol
from torsion.logger import globalLogPublisher


class Counting(DatagramProtocol):
    """Notes when it is started and stopped."""

    noisy = False

    def __init__(self):
        self.seen = []

    def startProtocol(self):
        self.seen.append(("start", self.transport))

    def stopProtocol(self):
        self.seen.append(("stop", self.transport))


def test_interfaces():
    verifyObject(ILoggingContext, DatagramProtocol())
    assert Counting().logPrefix() == "Counting"
    assert issubclass(DatagramProtocol, AbstractDatagramProtocol)


def test_start_and_stop():
    protocol = Counting()
    protocol.makeConnection("socket")
    assert protocol.seen == [("start", "socket")]
    assert protocol.numPorts == 1
    protocol.doStart()
    protocol.doStop()
    assert protocol.seen == [("start", "socket")]
    protocol.doStop()
    assert protocol.seen == [("start", "socket"), ("stop", None)]
    protocol.makeConnection("other")
    assert protocol.seen[2:] == [("start", "other")]


def test_one_socket_only():
    protocol = Counting()
    protocol.makeConnection("socket")
    with pytest.raises(RuntimeError, match="a protocol of its own"):
        protocol.makeConnection("other")
    assert protocol.transport == "socket"


def test_a_stop_too_many():
    with pytest.raises(RuntimeError, match="no port uses it"):
        Counting().doStop()


def test_hooks_do_nothing():
    protocol = DatagramProtocol()
    assert protocol.startProtocol() is None
    assert protocol.stopProtocol() is None
    assert protocol.datagramReceived(b"x", ("127.0.0.1", 1)) is None
    assert protocol.connectionRefused() is None
    connected = ConnectedDatagramProtocol()
    assert connected.datagramReceived(b"x") is None
    assert connected.connectionFailed(None) is None


@pytest.mark.parametrize("noisy", [True, False])
def test_log(noisy):
    events = []
    protocol = DatagramProtocol()
    protocol.noisy = noisy
    globalLogPublisher.addObserver(events.append)
    protocol.makeConnection("socket")
    protocol.doStop()
    globalLogPublisher.removeObserver(events.append)
    assert [event["log_format"] for event in events] == noisy * [
        "Starting protocol {protocol!r}",
        "Stopping protocol {protocol!r}",
    ]


def test_pickling_leaves_the_socket_behind():
    protocol = Counting()
    protocol.makeConnection(open)
    again = pickle.loads(pickle.dumps(protocol))
    assert again.transport is None
    assert protocol.transport is open
