"""The TLS layer over OpenSSL: with itself at the other end, and with Python's own TLS."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface import Interface, alsoProvides, implementer

from torsion.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost, SSLError
from torsion.internet.interfaces import (
    IHalfCloseableProtocol,
    INegotiated,
    IProtocolNegotiationFactory,
    ISSLTransport,
    ISystemHandle,
)
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.ssl import CertificateOptions, optionsForClientTLS
from torsion.internet.tls import (
    CLOSE_TIMEOUT,
    HandshakeInterrupted,
    NoApplicationProtocol,
    TLSMemoryBIOFactory,
    Truncated,
)
from torsion.python.failure import Failure
from unit.internet.tls.kit import (
    HOST,
    Pair,
    Talker,
    Wire,
    authority,
    server_certificate,
)


def client_options(host: str = HOST, **more):
    return optionsForClientTLS(host, trustRoot=authority().root, **more)


def pair(client=None, server=None, **more) -> Pair:
    return Pair(client or client_options(), server or server_certificate().options(), **more)


# --- what a connection is ----------------------------------------------------------------------------------------


def test_a_conversation():
    talk = pair().run()
    assert talk.c.events == talk.s.events == ["made", "secure"]
    talk.client.write(b"question")
    talk.run()
    talk.server.writeSequence([b"an", b"swer"])
    talk.run()
    assert (talk.s.data, talk.c.data) == (b"question", b"answer")
    assert talk.c.transport is talk.client
    assert b"question" not in b"".join(bytes(end.out) for end in talk.ends)


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_records_come_in_any_pieces(piece):
    talk = pair(piece=piece)
    talk.client.write(b"x" * 50_000)
    talk.run()
    assert talk.s.data == b"x" * 50_000
    assert talk.s.events == ["made", "secure", "data"]


def test_what_is_written_before_the_handshake_waits_for_it():
    talk = pair()
    talk.client.write(b"early")
    talk.clock.advance(0)
    assert talk.s.data == b""
    talk.run()
    assert talk.s.data == b"early"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 70_000)), max_size=12))
def test_all_bytes_arrive_in_their_order(writes):
    talk = pair()
    sent = {True: b"", False: b""}
    for number, (by_client, size) in enumerate(writes):
        data = bytes([number]) * size
        sent[by_client] += data
        (talk.client if by_client else talk.server).write(data)
        if number % 3 == 0:
            talk.run()
    talk.run()
    assert talk.s.data == sent[True]
    assert talk.c.data == sent[False]


def test_small_writes_of_one_turn_make_one_record():
    talk = pair().run()
    before = len(talk.ends[0].writes)
    for _ in range(100):
        talk.client.write(b"x")
    assert len(talk.ends[0].writes) == before
    talk.clock.advance(0)
    assert len(talk.ends[0].writes) == before + 1
    assert talk.ends[0].writes[-1] < 100 + 50
    talk.run()
    assert talk.s.data == b"x" * 100


@pytest.mark.parametrize("data", ["text", 3, None, ["x"]])
def test_only_bytes_can_be_written(data):
    talk = pair().run()
    with pytest.raises(TypeError, match="bytes"):
        talk.client.write(data)


def test_what_changes_after_it_was_written():
    talk = pair().run()
    data = bytearray(b"before")
    talk.client.write(data)
    data[:] = b"after!"
    talk.run()
    assert talk.s.data == b"before"


def test_interfaces():
    class IOdd(Interface):
        """What some transport can do."""

    talk = pair()
    for interface in (ISSLTransport, INegotiated, ISystemHandle):
        assert interface.providedBy(talk.client)
    wire = Wire(None)
    alsoProvides(wire, IOdd)
    other = pair().client
    other.makeConnection(wire)
    assert IOdd.providedBy(other)


def test_what_is_known_of_the_peer():
    talk = pair(
        optionsForClientTLS(HOST, trustRoot=authority().root, clientCertificate=authority().issue("client")),
        server_certificate().options(authority().root),
    )
    assert talk.client.negotiatedProtocol is None
    talk.run()
    assert talk.client.getPeerCertificate().to_cryptography() == server_certificate().certificate
    assert talk.server.getPeerCertificate() is not None
    assert talk.client.getHandle().get_protocol_version_name() == "TLSv1.3"
    assert talk.client.getPeer() == "peer"
    assert talk.client.logPrefix() == "Talker (TLS)"


# --- application protocols ---------------------------------------------------------------------------------------


@implementer(IProtocolNegotiationFactory)
class Negotiating(Factory):
    protocol = Talker

    def __init__(self, *names: bytes) -> None:
        self.names = list(names)

    def acceptableProtocols(self) -> list[bytes]:
        return self.names


def test_application_protocols_of_the_settings():
    talk = pair(
        client_options(acceptableProtocols=[b"h2", b"http/1.1"]),
        CertificateOptions(
            privateKey=server_certificate().privateKey,
            certificate=server_certificate(),
            acceptableProtocols=[b"http/1.1", b"h2"],
        ),
    ).run()
    assert talk.client.negotiatedProtocol == talk.server.negotiatedProtocol == b"http/1.1"


def test_application_protocols_of_factories_that_share_their_settings():
    options = server_certificate().options()
    for names, expected in [((b"a",), b"a"), ((b"b",), b"b"), ((), None)]:
        talk = pair(server=options, client_factory=Negotiating(b"a", b"b"), server_factory=Negotiating(*names)).run()
        assert talk.client.negotiatedProtocol == expected
        assert talk.c.events == ["made", "secure"]


def test_no_application_protocol_in_common():
    talk = pair(client_factory=Negotiating(b"a"), server_factory=Negotiating(b"b")).run()
    assert isinstance(talk.c.error, NoApplicationProtocol)
    assert talk.c.error.remote
    assert isinstance(talk.s.error, NoApplicationProtocol)
    assert not talk.s.error.remote
    assert talk.s.error.details == {"offered": [b"a"]}


# --- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["client", "server", "both"])
def test_closing_in_order(who):
    talk = pair().run()
    if who in {"client", "both"}:
        talk.client.write(b"last words")
        talk.client.loseConnection()
        talk.client.write(b"too late")
        talk.client.loseConnection()
    if who in {"server", "both"}:
        talk.server.loseConnection()
    talk.run()
    assert isinstance(talk.c.error, ConnectionDone)
    assert isinstance(talk.s.error, ConnectionDone)
    assert talk.s.data == (b"" if who == "server" else b"last words")
    assert talk.clock.calls == []
    assert talk.c.events.count("lost") == 1


def test_what_the_peer_still_sends_is_delivered():
    talk = pair().run()
    talk.server.write(b"x" * 200_000)
    talk.client.loseConnection()
    talk.run()
    assert talk.c.data == b"x" * 200_000
    assert isinstance(talk.c.error, ConnectionDone)


def test_a_peer_that_does_not_close_is_not_waited_for_forever():
    talk = pair().run()
    wire = talk.ends[0]
    talk.client.write(b"bye")
    talk.client.loseConnection()
    wire.take()  # the peer reads, and says nothing
    talk.clock.advance(CLOSE_TIMEOUT - 0.1)
    assert not wire.closing
    talk.clock.advance(0.2)
    assert wire.closing
    wire.end()
    assert isinstance(talk.c.error, ConnectionDone)
    assert [call for call in talk.clock.calls if "SmallWrites" not in repr(call)] == []


def test_closing_before_the_handshake_is_over():
    talk = pair()
    talk.client.loseConnection()
    assert talk.ends[0].aborted
    talk = pair()
    talk.client.write(b"first")  # so there is something to be sent
    talk.client.loseConnection()
    talk.run()
    assert talk.s.data == b"first"
    assert isinstance(talk.c.error, ConnectionDone)


def test_aborting():
    talk = pair().run()
    talk.client.write(b"never")
    talk.client.abortConnection()
    talk.client.abortConnection()
    talk.client.write(b"never")
    talk.run()
    assert isinstance(talk.c.error, ConnectionAborted)
    assert isinstance(talk.s.error, Truncated)
    assert talk.s.data == b""


def test_a_listener_may_abort_before_anything_is_sent():
    class Wary(Talker):
        def handshakeCompleted(self) -> None:
            self.transport.abortConnection()

    talk = pair(client_factory=Factory.forProtocol(Wary))
    talk.client.write(b"secret")
    talk.run()
    assert talk.s.data == b""


@pytest.mark.parametrize("secured", [True, False])
def test_an_end_without_close_notify(secured):
    talk = pair()
    if secured:
        talk.run()
        talk.server.write(b"half of it")
        talk.clock.advance(0)
        talk.carry()
    talk.ends[0].end()
    assert type(talk.c.error).__name__ == ("Truncated" if secured else "HandshakeInterrupted")
    assert isinstance(talk.c.error, Truncated if secured else HandshakeInterrupted)
    assert isinstance(talk.c.error, ConnectionLost)
    assert isinstance(talk.c.error, SSLError)
    assert talk.c.data == (b"half of it" if secured else b"")


def test_a_reason_of_the_transport_is_passed_on():
    talk = pair().run()
    talk.ends[0].end(ConnectionLost("reset"))
    assert talk.c.error.args == ("reset",)


def test_an_exception_of_the_protocol_is_the_reason():
    class Clumsy(Talker):
        def dataReceived(self, data: bytes) -> None:
            raise ZeroDivisionError

    talk = pair(server_factory=Factory.forProtocol(Clumsy)).run()
    talk.client.write(b"x")
    talk.clock.advance(0)
    with pytest.raises(ZeroDivisionError):
        talk.server.dataReceived(talk.ends[0].take())
    talk.ends[1].end(ZeroDivisionError())
    assert isinstance(talk.s.error, ZeroDivisionError)


# --- half-closed -------------------------------------------------------------------------------------------------


@implementer(IHalfCloseableProtocol)
class Half(Talker):
    def readConnectionLost(self) -> None:
        self.events.append("read lost")

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")


def test_half_closing():
    halves = Factory.forProtocol(Half)
    talk = pair(client_factory=halves, server_factory=halves).run()
    talk.client.write(b"all I have")
    talk.client.loseWriteConnection()
    talk.client.write(b"no more")
    talk.run()
    assert talk.c.events == ["made", "secure", "write lost"]
    assert talk.s.events == ["made", "secure", "data", "read lost"]
    assert talk.s.data == b"all I have"
    talk.server.write(b"an answer" * 10_000)
    talk.run()
    talk.server.loseConnection()
    talk.run()
    assert talk.c.data == b"an answer" * 10_000
    assert isinstance(talk.c.error, ConnectionDone)
    assert isinstance(talk.s.error, ConnectionDone)


def test_half_closing_before_the_handshake():
    halves = Factory.forProtocol(Half)
    talk = pair(client_factory=halves, server_factory=halves)
    talk.client.write(b"all I have")
    talk.client.loseWriteConnection()
    talk.run()
    assert talk.s.data == b"all I have"
    assert "read lost" in talk.s.events
    assert "write lost" in talk.c.events


def test_half_closing_both_ways_is_closing():
    halves = Factory.forProtocol(Half)
    talk = pair(client_factory=halves, server_factory=halves).run()
    talk.client.loseWriteConnection()
    talk.server.loseWriteConnection()
    talk.run()
    assert isinstance(talk.c.error, ConnectionDone)
    assert isinstance(talk.s.error, ConnectionDone)


def test_who_knows_nothing_of_halves_loses_it_all():
    talk = pair().run()
    talk.client.loseWriteConnection()
    talk.run()
    assert isinstance(talk.s.error, ConnectionDone)
    assert isinstance(talk.c.error, ConnectionDone)


# --- pauses ------------------------------------------------------------------------------------------------------


def test_a_pause_stops_decryption_and_what_is_left_comes_when_it_ends():
    class Pausing(Talker):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.transport.pauseProducing()

    talk = pair(server_factory=Factory.forProtocol(Pausing)).run()
    talk.client.write(b"x" * 300_000)
    talk.run()
    first = len(talk.s.data)
    assert 0 < first < 300_000
    assert talk.ends[1].paused
    talk.server.resumeProducing()
    assert len(talk.s.data) == first  # not from within the call
    while len(talk.s.data) < 300_000:
        before = len(talk.s.data)
        talk.server.resumeProducing()
        talk.run()
        assert len(talk.s.data) > before
    assert talk.s.data == b"x" * 300_000


def test_what_is_left_when_the_transport_ends_is_delivered():
    class Pausing(Talker):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.transport.pauseProducing()

    talk = pair(server_factory=Factory.forProtocol(Pausing)).run()
    talk.client.write(b"x" * 300_000)
    talk.client.loseConnection()
    talk.clock.advance(0)
    talk.carry()
    assert len(talk.s.data) < 300_000
    talk.ends[1].end()
    assert talk.s.events[-1] == "lost"
    assert talk.s.data == b"x" * 300_000


def test_an_exception_while_delivering_leftovers_closes_the_connection():
    class Clumsy(Talker):
        def dataReceived(self, data: bytes) -> None:
            if self.data:
                raise ZeroDivisionError
            super().dataReceived(data)
            self.transport.pauseProducing()

    talk = pair(server_factory=Factory.forProtocol(Clumsy)).run()
    talk.client.write(b"x" * 300_000)
    talk.run()
    talk.server.resumeProducing()
    talk.run()
    assert isinstance(talk.s.error, ZeroDivisionError)


def test_switching_in_the_midst_of_a_connection():
    """The layer may be put under a protocol that has spoken plainly before."""
    from torsion.internet.tls import BufferingTLSTransport

    talk = pair()
    protocol = Talker()
    plain = Wire(protocol)
    protocol.makeConnection(plain)
    factory = TLSMemoryBIOFactory(client_options(), True, Factory.forProtocol(Talker), talk.clock)
    layer = BufferingTLSTransport(factory, protocol, False)
    plain.protocol = layer
    layer.makeConnection(plain)
    talk.ends[0], talk.client = plain, layer
    talk.server.connectionLost(Failure(ConnectionDone()))
    fresh = pair()
    talk.ends[1], talk.server = fresh.ends[1], fresh.server
    fresh.clock.advance(0)
    talk.run()
    assert protocol.events == ["made", "secure"]


def test_a_layer_without_a_protocol_to_connect_is_a_plain_protocol():
    assert issubclass(type(pair().client), Protocol)
