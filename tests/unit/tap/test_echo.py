"""The echo server's protocol."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.testing import StringTransport
from torsion.tap.echo import EchoFactory


@pytest.fixture
def factory():
    return EchoFactory()


@pytest.fixture
def echo(factory):
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(StringTransport())
    return protocol


def test_echo(echo):
    echo.dataReceived(b"hello")
    assert echo.transport.value() == b"hello"


def test_reads_no_faster_than_the_peer(echo):
    assert echo.transport.producer is echo.transport
    assert echo.transport.streaming


def test_the_end_of_the_peers_half_ends_it_once_all_is_sent(echo):
    assert verifyObject(IHalfCloseableProtocol, echo)
    echo.readConnectionLost()
    echo.writeConnectionLost()
    assert echo.transport.producer is None
    assert echo.transport.disconnecting


def test_connections_are_known(echo, factory):
    assert factory.connections == {echo}
    echo.connectionLost()
    assert factory.connections == set()
