"""The base classes of protocols."""

from zope.interface.verify import verifyObject

from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces import ILoggingContext, IProtocol
from torsion.internet.protocol import BaseProtocol, Protocol, connectionDone


def test_interfaces():
    verifyObject(IProtocol, Protocol())
    verifyObject(ILoggingContext, Protocol())


def test_a_fresh_one_has_nothing():
    protocol = Protocol()
    assert not protocol.connected
    assert protocol.transport is None
    assert protocol.factory is None


def test_make_connection_sets_the_transport_first():
    seen = []

    class Greeter(BaseProtocol):
        def connectionMade(self):
            seen.append((self.connected, self.transport))

    transport = object()
    Greeter().makeConnection(transport)
    assert seen == [(True, transport)]


def test_hooks_do_nothing():
    protocol = Protocol()
    assert protocol.connectionMade() is None
    assert protocol.dataReceived(b"x") is None
    assert protocol.connectionLost() is None
    assert protocol.connectionLost(connectionDone) is None


def test_log_prefix():
    class Chatter(Protocol):
        pass

    assert Chatter().logPrefix() == "Chatter"


def test_connection_done():
    assert connectionDone.check(ConnectionDone)
