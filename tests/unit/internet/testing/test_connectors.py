"""Connectors and ports that do nothing but know where they lead."""

from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address
from torsion.internet.interfaces import IConnector, IListeningPort
from torsion.internet.testing import _FakeConnector, _FakePort

ADDRESS = IPv4Address("TCP", "127.0.0.1", 80)


def test_connector():
    connector = _FakeConnector(ADDRESS)
    verifyObject(IConnector, connector)
    assert connector.getDestination() is ADDRESS
    connector.connect()
    assert not connector.stoppedConnecting
    connector.stopConnecting()
    assert connector.stoppedConnecting
    assert not connector._disconnected
    connector.disconnect()
    assert connector._disconnected


def test_port():
    port = _FakePort(ADDRESS)
    verifyObject(IListeningPort, port)
    assert port.getHost() is ADDRESS
    assert port.startListening() is None
    assert port.stopListening() is None
