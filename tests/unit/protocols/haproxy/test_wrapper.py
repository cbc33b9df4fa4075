"""Protocols behind a proxy that tells whom they are really connected with."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.endpoints import TCP4ServerEndpoint, UNIXServerEndpoint, serverFromString
from torsion.internet.endpoints.wrapping import WrapperServerEndpoint
from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces import IStreamServerEndpoint, IStreamServerEndpointStringParser
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.testing import MemoryReactor, StringTransportWithDisconnection
from torsion.logger import globalLogPublisher
from torsion.protocols.haproxy import (
    HAProxyProtocolWrapper,
    HAProxyWrappingFactory,
    InvalidNetworkProtocol,
    InvalidProxyHeader,
    IProxyInfo,
    MissingAddressData,
    ProxyInfo,
    proxyEndpoint,
)
from torsion.protocols.haproxy.parser import HAProxyServerParser
from torsion.python.failure import Failure
from torsion.wire.haproxy import TLV, Family, Header, TLVType, encode

US, PROXY = IPv4Address("TCP", "127.0.0.1", 80), IPv4Address("TCP", "127.0.0.1", 5555)
FOUR = Header(Family.INET, ("192.0.2.1", 4000), ("198.51.100.2", 443))
SIX = Header(Family.INET6, ("2001:db8::1", 4000), ("2001:db8::2", 443))


class Application(Protocol):
    def __init__(self):
        self.events = []

    def connectionMade(self):
        self.events.append(("made", self.transport.getPeer(), self.transport.getHost()))

    def dataReceived(self, data):
        self.events.append((data, self.transport.getPeer(), self.transport.getHost()))

    def connectionLost(self, reason):
        self.events.append(reason.value)


class Connection:
    """A connection from the proxy."""

    def __init__(self):
        self.transport = StringTransportWithDisconnection(US, PROXY)
        self.wrapper = HAProxyWrappingFactory(Factory.forProtocol(Application)).buildProtocol(PROXY)
        self.application = self.wrapper.wrappedProtocol
        self.transport.protocol = self.wrapper
        self.wrapper.makeConnection(self.transport)

    def receive(self, *chunks):
        for chunk in chunks:
            self.wrapper.dataReceived(chunk)
        return self.application.events[1:]


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_before_the_header(connection):
    assert connection.application.events == [("made", PROXY, US)]
    assert isinstance(connection.wrapper, HAProxyProtocolWrapper)
    assert connection.application.transport is connection.wrapper
    assert connection.wrapper.proxyInfo is None
    assert connection.receive(b"PROXY ") == []
    assert (connection.wrapper.getPeer(), connection.wrapper.getHost()) == (PROXY, US)


CLIENT, SERVER = IPv4Address("TCP", "192.0.2.1", 4000), IPv4Address("TCP", "198.51.100.2", 443)


@pytest.mark.parametrize(
    ("header", "source", "destination"),
    [
        (encode(FOUR), CLIENT, SERVER),
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 443\r\n", CLIENT, SERVER),
        (encode(SIX), IPv6Address("TCP", "2001:db8::1", 4000), IPv6Address("TCP", "2001:db8::2", 443)),
        (encode(Header(Family.UNIX, b"/a", b"\0b")), UNIXAddress(b"/a"), UNIXAddress(b"\0b")),
        (encode(Header(Family.UNIX, b"", b"/b")), UNIXAddress(None), UNIXAddress(b"/b")),
        (b"PROXY UNKNOWN\r\n", PROXY, US),
        (encode(Header(local=True)), PROXY, US),
    ],
)
class TestHeader:
    def test_at_once(self, connection, header, source, destination):
        assert connection.receive(header) == []
        assert connection.receive(b"hello") == [(b"hello", source, destination)]

    def test_with_what_follows(self, connection, header, source, destination):
        assert connection.receive(header + b"hello", b"more") == [
            (b"hello", source, destination),
            (b"more", source, destination),
        ]

    def test_in_pieces(self, connection, header, source, destination):
        data = header + b"h"
        pieces = [data[index : index + 1] for index in range(len(data))]
        assert connection.receive(*pieces) == [(b"h", source, destination)]

    def test_information(self, connection, header, source, destination):
        connection.receive(header)
        info = connection.wrapper.proxyInfo
        assert verifyObject(IProxyInfo, info)
        assert isinstance(info, ProxyInfo)
        assert info.header == header
        assert (info.source or PROXY, info.destination or US) == (source, destination)


def test_datagrams(connection):
    connection.receive(encode(Header(Family.INET, ("192.0.2.1", 1), ("192.0.2.2", 2), datagram=True)))
    assert connection.wrapper.getPeer() == IPv4Address("UDP", "192.0.2.1", 1)


def test_more_information(connection):
    tlvs = (TLV(TLVType.AUTHORITY, b"host.example"),)
    connection.receive(encode(Header(local=True, tlvs=tlvs)))
    assert connection.wrapper.proxyInfo.tlvs == tlvs
    assert connection.wrapper.proxyInfo.local


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"GET / HTTP/1.0\r\n", InvalidProxyHeader),
        (b"PROXY TCP4 1.1.1.1\r\n", MissingAddressData),
        (b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", InvalidNetworkProtocol),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 x\r\n", InvalidProxyHeader),
        (b"PROXY " + b"x" * 200, InvalidProxyHeader),
        (encode(FOUR)[:13] + b"\x41", InvalidNetworkProtocol),
        (encode(FOUR)[:14] + b"\0\4abcd", MissingAddressData),
    ],
)
def test_no_header(connection, logged, data, error):
    events = connection.receive(data + b"hello", b"more")
    assert not connection.transport.connected
    [problem] = events
    assert type(problem) is error
    assert str(problem)
    assert [event["problem"] for event in logged if "problem" in event] == [problem]
    assert str(PROXY) in logged[0]["log_format"].format(**logged[0])


def test_what_was_written_is_thrown_away(connection):
    calls = []
    connection.transport.abortConnection = lambda: calls.append("abort")
    connection.receive(b"bogus", b"more")
    assert calls == ["abort"]
    assert connection.application.events[1:] == []


def test_transports_that_cannot_abort():
    class Plain:
        calls = 0

        def getPeer(self):
            return PROXY

        getHost = getPeer

        def loseConnection(self):
            self.calls += 1

    wrapper = HAProxyWrappingFactory(Factory.forProtocol(Application)).buildProtocol(PROXY)
    wrapper.makeConnection(transport := Plain())
    wrapper.dataReceived(b"bogus")
    assert transport.calls == 1


def test_the_end_of_the_connection(connection):
    reason = Failure(ConnectionDone())
    connection.receive(encode(FOUR))
    connection.wrapper.connectionLost(reason)
    assert connection.application.events[1:] == [reason.value]


def test_log_prefix():
    wrapped = Factory.forProtocol(Application)
    assert HAProxyWrappingFactory(wrapped).logPrefix() == wrapped.logPrefix()
    assert HAProxyWrappingFactory(object()).logPrefix() == "object"


def test_endpoint():
    reactor = MemoryReactor()
    endpoint = proxyEndpoint(TCP4ServerEndpoint(reactor, 80))
    assert verifyObject(IStreamServerEndpoint, endpoint)
    endpoint.listen(factory := Factory.forProtocol(Application))
    [(port, wrapping, _, _)] = reactor.tcpServers
    assert port == 80
    assert isinstance(wrapping, HAProxyWrappingFactory)
    assert wrapping.wrappedFactory is factory


class TestParser:
    def test_interface(self):
        assert verifyObject(IStreamServerEndpointStringParser, HAProxyServerParser())
        assert HAProxyServerParser.prefix == "haproxy"

    def test_wrapped(self):
        reactor = MemoryReactor()
        endpoint = HAProxyServerParser().parseStreamServer(reactor, "tcp", "80", interface="::1")
        assert isinstance(endpoint, WrapperServerEndpoint)
        endpoint.listen(None)
        assert (reactor.tcpServers[0][0], *reactor.tcpServers[0][2:]) == (80, 50, "::1")

    def test_quoting(self):
        endpoint = HAProxyServerParser().parseStreamServer(MemoryReactor(), "unix", "a=b:c\\")
        assert isinstance(endpoint._wrappedEndpoint, UNIXServerEndpoint)
        assert endpoint._wrappedEndpoint._address == "a=b:c\\"

    def test_it_is_found(self):
        endpoint = serverFromString(MemoryReactor(), "haproxy:tcp:80")
        assert isinstance(endpoint, WrapperServerEndpoint)
        assert isinstance(endpoint._wrappedEndpoint, TCP4ServerEndpoint)
