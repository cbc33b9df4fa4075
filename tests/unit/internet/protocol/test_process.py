"""Process protocols: which method hears of which descriptor."""

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IProcessProtocol
from torsion.internet.protocol import ProcessProtocol, connectionDone


class Listening(ProcessProtocol):
    """Notes what it hears."""

    def __init__(self):
        self.heard = []

    def outReceived(self, data):
        self.heard.append(("out", data))

    def errReceived(self, data):
        self.heard.append(("err", data))

    def inConnectionLost(self):
        self.heard.append("in lost")

    def outConnectionLost(self):
        self.heard.append("out lost")

    def errConnectionLost(self):
        self.heard.append("err lost")


def test_interface():
    verifyObject(IProcessProtocol, ProcessProtocol())


@pytest.mark.parametrize(
    ("descriptor", "data", "lost"),
    [(0, [], ["in lost"]), (1, [("out", b"x")], ["out lost"]), (2, [("err", b"x")], ["err lost"]), (3, [], [])],
)
def test_descriptors(descriptor, data, lost):
    protocol = Listening()
    protocol.childDataReceived(descriptor, b"x")
    assert protocol.heard == data
    protocol.childConnectionLost(descriptor)
    assert protocol.heard == data + lost


def test_hooks_do_nothing():
    protocol = ProcessProtocol()
    for descriptor in range(4):
        assert protocol.childDataReceived(descriptor, b"x") is None
        assert protocol.childConnectionLost(descriptor) is None
    assert protocol.processExited(connectionDone) is None
    assert protocol.processEnded(connectionDone) is None


def test_the_process_is_the_transport():
    made = []

    class Greeter(ProcessProtocol):
        def connectionMade(self):
            made.append(self.transport)

    Greeter().makeConnection("process")
    assert made == ["process"]
