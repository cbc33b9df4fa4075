"""TLS in memory: OpenSSL over a network that cuts, delays and breaks."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

pytest.importorskip("OpenSSL")

from torsion.internet.error import ConnectionDone, ConnectionLost
from torsion.internet.interfaces import INegotiated, ITLSTransport
from torsion.internet.reactors.memory import Conditions, MemoryReactor, Network
from torsion.internet.tls import Certificate, HandshakeTimeout, PrivateCertificate, WrongName, optionsForClientTLS
from torsion.internet.tls.settings import HANDSHAKE_TIMEOUT
from unit.internet.reactors.memory.kit import Makes, Notes, joined
from unit.internet.tls.kit import HOST, authority


@pytest.fixture(scope="module")
def certificate() -> PrivateCertificate:
    return authority().issue(HOST)


def trusting(root: Certificate, name: str = HOST) -> Any:
    return optionsForClientTLS(name, trustRoot=root)


@pytest.mark.parametrize("conditions", [Conditions(), Conditions(fragment=100, latency=(0.0, 0.05))])
def test_ports_and_connections(certificate, conditions):
    reactor = MemoryReactor(Network(seed=1, conditions=conditions))
    server, client = Makes(reactor), Makes(reactor)
    port = reactor.listenSSL(0, server, certificate.options(), interface="127.0.0.1")
    reactor.connectSSL("127.0.0.1", port.getHost().port, client, trusting(authority().root))
    reactor.advance(60)
    [accepted], [connected] = server.made, client.made
    connected.transport.write(b"x" * 50_000)
    accepted.transport.write(b"y" * 50_000)
    reactor.advance(60)
    assert accepted.data == b"x" * 50_000
    assert connected.data == b"y" * 50_000
    assert connected.transport.getPeerCertificate() is not None
    accepted.transport.loseConnection()
    reactor.advance(60)
    assert isinstance(accepted.reason, ConnectionDone)
    assert isinstance(connected.reason, ConnectionDone)


def test_a_wrong_name_is_refused(certificate):
    reactor = MemoryReactor()
    server, client = Makes(reactor), Makes(reactor)
    port = reactor.listenSSL(0, server, certificate.options(), interface="127.0.0.1")
    reactor.connectSSL("127.0.0.1", port.getHost().port, client, trusting(authority().root, "other.example"))
    reactor.advance(60)
    assert isinstance(client.made[0].reason, WrongName)


def test_a_peer_that_stalls_is_given_up_in_time(certificate):
    reactor = MemoryReactor()
    client = Makes(reactor)
    port = reactor.listenTCP(0, Makes(reactor), interface="127.0.0.1")  # which says nothing
    reactor.connectSSL("127.0.0.1", port.getHost().port, client, trusting(authority().root))
    reactor.advance(HANDSHAKE_TIMEOUT - 0.1)
    assert client.made[0].reason is None
    reactor.advance(0.2)
    assert isinstance(client.made[0].reason, HandshakeTimeout)


def test_a_connection_that_breaks_in_its_handshake(certificate):
    reactor = MemoryReactor(Network(conditions=Conditions(latency=1)))
    server, client = Makes(reactor), Makes(reactor)
    port = reactor.listenSSL(0, server, certificate.options(), interface="127.0.0.1")
    reactor.connectSSL("127.0.0.1", port.getHost().port, client, trusting(authority().root))
    reactor.advance(2.5)
    reactor.network.reset("127.0.0.1")
    reactor.advance(1)
    assert isinstance(client.made[0].reason, ConnectionLost)


def test_a_plain_connection_becomes_secure(certificate):
    reactor = MemoryReactor(Network(seed=1, conditions=Conditions(fragment=30)))

    class Upgrades(Notes):
        def dataReceived(self, data):
            super().dataReceived(data)
            if self.data == b"STARTTLS":
                self.transport.write(b"GO")
                self.transport.startTLS(certificate.options())
                self.transport.write(b"and secretly")

    server, client = Makes(reactor, Upgrades), Makes(reactor)
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    reactor.settle()
    end = client.made[0]
    assert verifyObject(ITLSTransport, end.transport)
    assert not end.transport.TLS
    end.transport.write(b"STARTTLS")
    while end.data != b"GO" and end.reason is None:
        reactor.iterate()
    end.transport.startTLS(trusting(authority().root))
    end.transport.write(b"good night")
    reactor.settle()
    assert server.made[0].data == b"STARTTLSgood night"
    assert end.data == b"GOand secretly"
    assert verifyObject(INegotiated, end.transport)
    assert end.transport.TLS
    assert end.transport.getPeerCertificate() is not None
    with pytest.raises(RuntimeError, match="already"):
        end.transport.startTLS(trusting(authority().root))
    end.transport.loseConnection()
    reactor.advance(10)
    assert isinstance(server.made[0].reason, ConnectionDone)
    assert isinstance(end.reason, ConnectionDone)


def test_a_closed_connection_does_not_become_secure(certificate):
    server, _, _ = joined(MemoryReactor())
    server.transport.loseConnection()
    with pytest.raises(RuntimeError, match="closing"):
        server.transport.startTLS(certificate.options())
