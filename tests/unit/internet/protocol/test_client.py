"""Client factories: hooks that do nothing until somebody writes them."""

from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IProtocolFactory
from torsion.internet.protocol import ClientFactory, Factory, Protocol, connectionDone


def test_it_is_a_factory():
    factory = ClientFactory.forProtocol(Protocol)
    verifyObject(IProtocolFactory, factory)
    assert isinstance(factory, Factory)
    assert isinstance(factory.buildProtocol(None), Protocol)


def test_hooks_do_nothing():
    factory, connector = ClientFactory(), object()
    assert factory.startedConnecting(connector) is None
    assert factory.clientConnectionFailed(connector, connectionDone) is None
    assert factory.clientConnectionLost(connector, reason=connectionDone) is None
