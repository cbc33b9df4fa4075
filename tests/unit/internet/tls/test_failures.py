"""Secure connections that fail, and say why; and another implementation of TLS at the other end."""

from __future__ import annotations

import ssl as stdssl

import pytest
from zope.interface import implementer

from torsion.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.internet.interfaces import IOpenSSLContextFactory
from torsion.internet.ssl import CertificateOptions, TLSVersion, optionsForClientTLS
from torsion.internet.tls import (
    HANDSHAKE_TIMEOUT,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRefused,
    CertificateRequired,
    HandshakeTimeout,
    NoSharedCipher,
    NotTLS,
    ProtocolVersionMismatch,
    RecordTooLong,
    RenegotiationRefused,
    TLSError,
    UnknownIssuer,
    WrongName,
)
from torsion.python.failure import Failure
from unit.internet.tls.kit import (
    DAY,
    HOST,
    Across,
    Authority,
    Pair,
    Stdlib,
    authority,
    server_certificate,
    stdlib_client,
    stdlib_server,
)


def client_options(host: str = HOST, **more):
    return optionsForClientTLS(host, trustRoot=authority().root, **more)


def pair(client=None, server=None, **more) -> Pair:
    return Pair(client or client_options(), server or server_certificate().options(), **more)


# --- failures that tell what failed ------------------------------------------------------------------------------


def failing(client=None, server=None, **more) -> Pair:
    talk = pair(client, server, **more).run()
    assert isinstance(talk.c.error, TLSError)
    assert isinstance(talk.c.error, ConnectionLost)
    assert "secure" not in talk.s.events or talk.s.data == b""
    return talk


def test_a_certificate_that_has_expired():
    talk = failing(server=authority().issue(HOST, since=-2 * DAY, until=-DAY).options())
    assert isinstance(talk.c.error, CertificateExpired)
    assert "until" in talk.c.error.details
    assert "has expired" in str(talk.c.error)
    assert isinstance(talk.s.error, CertificateExpired)
    assert talk.s.error.remote


def test_a_certificate_that_is_not_valid_yet():
    talk = failing(server=authority().issue(HOST, since=DAY, until=2 * DAY).options())
    assert isinstance(talk.c.error, CertificateNotYetValid)
    assert "since" in talk.c.error.details


@pytest.mark.parametrize(
    ("host", "names", "found"),
    [
        ("other.example", ["server.example", "*.server.example"], ("server.example", "*.server.example")),
        ("a.b.server.example", ["*.server.example"], ("*.server.example",)),
        ("127.0.0.1", ["server.example", "127.0.0.2"], ("server.example", "127.0.0.2")),
        ("::1", ["127.0.0.1"], ("127.0.0.1",)),
        ("127.0.0.1", ["127.0.0.1.example"], ("127.0.0.1.example",)),
        ("server.example", [], ()),
    ],
)
def test_a_certificate_for_another_name(host, names, found):
    talk = failing(client_options(host), authority().issue(*names).options())
    assert isinstance(talk.c.error, WrongName)
    assert talk.c.error.wanted == host
    assert talk.c.error.names == found
    assert host in str(talk.c.error)
    assert all(name in str(talk.c.error) for name in found)
    assert talk.s.data == b""


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("server.example", ["server.example"]),
        ("SERVER.example.", ["server.example"]),
        ("a.server.example", ["*.server.example"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("fe80::1%eth0", ["fe80::1"]),
        ("b\u00fccher.example", ["xn--bcher-kva.example"]),
    ],
)
def test_a_certificate_for_the_right_name(host, names):
    talk = pair(client_options(host), authority().issue(*names).options()).run()
    assert talk.c.events == ["made", "secure"]


def test_an_issuer_who_is_not_trusted():
    talk = failing(server=Authority("Other CA").issue(HOST).options())
    assert isinstance(talk.c.error, UnknownIssuer)
    assert isinstance(talk.s.error, UnknownIssuer)
    assert talk.s.error.remote


def test_a_certificate_for_another_purpose():
    from cryptography.x509.oid import ExtendedKeyUsageOID

    wrong = authority().issue(HOST, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    talk = failing(server=wrong.options())
    assert isinstance(talk.c.error, CertificateRefused)
    assert "purpose" in str(talk.c.error)


def test_a_client_without_the_certificate_that_is_required():
    talk = pair(server=server_certificate().options(authority().root)).run()
    assert isinstance(talk.s.error, CertificateRequired)
    assert isinstance(talk.c.error, CertificateRequired)
    assert talk.c.error.remote


def test_no_version_in_common():
    newest = {"lowerMaximumSecurityTo": TLSVersion.TLSv1_2}
    server = CertificateOptions(
        privateKey=server_certificate().privateKey,
        certificate=server_certificate(),
        raiseMinimumTo=TLSVersion.TLSv1_3,
    )
    talk = failing(client_options(extraCertificateOptions=newest), server)
    assert isinstance(talk.c.error, ProtocolVersionMismatch)
    assert isinstance(talk.s.error, ProtocolVersionMismatch)


def test_no_cipher_in_common():
    from torsion.internet.ssl import AcceptableCiphers

    def only(name: str) -> dict:
        return {
            "acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString(name),
            "lowerMaximumSecurityTo": TLSVersion.TLSv1_2,
        }

    server = CertificateOptions(
        privateKey=server_certificate().privateKey,
        certificate=server_certificate(),
        **only("ECDHE-ECDSA-AES128-GCM-SHA256"),
    )
    talk = failing(client_options(extraCertificateOptions=only("ECDHE-ECDSA-AES256-GCM-SHA384")), server)
    assert isinstance(talk.s.error, NoSharedCipher)


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH"),
        (b"220 mail.example ESMTP\r\n", "SMTP"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"\x00\x01\x02\x03\x04\x05", None),
        (b"\x16\x20 what is this", None),
    ],
)
@pytest.mark.parametrize("client", [True, False])
def test_a_peer_that_does_not_speak_tls(said, speaks, client):
    talk = pair()
    mine, protocol, wire = (talk.client, talk.c, talk.ends[0]) if client else (talk.server, talk.s, talk.ends[1])
    mine.dataReceived(said)
    assert wire.closing
    wire.end()
    assert isinstance(protocol.error, NotTLS)
    assert protocol.error.details["received"] == said[:64]
    assert (speaks or "began with") in str(protocol.error)


def test_a_record_that_is_too_long():
    talk = pair().run()
    talk.server.dataReceived(b"\x17\x03\x03\xff\xff" + b"x" * 100)
    talk.ends[1].end()
    assert isinstance(talk.s.error, RecordTooLong)


def test_records_that_were_changed_on_the_way():
    talk = pair().run()
    talk.client.write(b"x")
    talk.clock.advance(0)
    record = bytearray(talk.ends[0].take())
    record[-1] ^= 1
    talk.server.dataReceived(bytes(record))
    assert talk.ends[1].closing
    talk.ends[1].end()
    assert isinstance(talk.s.error, TLSError)
    assert talk.s.data == b""


def test_a_peer_that_stalls_in_the_handshake():
    talk = pair()
    talk.clock.advance(HANDSHAKE_TIMEOUT - 0.1)
    assert not talk.ends[1].aborted
    talk.clock.advance(0.2)
    assert talk.ends[1].aborted
    talk.ends[1].end(ConnectionAborted())
    assert isinstance(talk.s.error, HandshakeTimeout)
    assert talk.s.error.details == {"seconds": HANDSHAKE_TIMEOUT}


@pytest.mark.parametrize("limit", [None, 2.5])
def test_the_time_for_a_handshake_can_be_set(limit):
    talk = pair(client_options(extraCertificateOptions={"handshakeTimeout": limit}))
    talk.clock.advance(3)
    assert talk.ends[0].aborted == (limit is not None)


def test_no_time_is_measured_after_the_handshake():
    talk = pair().run()
    assert talk.clock.calls == []


def test_a_creator_may_give_a_connection_up():
    talk = pair()
    talk.client.failVerification(Failure(KeyError("not you")))
    talk.run()
    assert isinstance(talk.c.error, KeyError)


def test_a_producer_is_stopped_when_tls_fails():
    class Producer:
        stopped = False

        def pauseProducing(self) -> None:
            pass

        resumeProducing = pauseProducing

        def stopProducing(self) -> None:
            self.stopped = True

    talk = pair()
    producer = Producer()
    talk.client.registerProducer(producer, True)
    talk.client.dataReceived(b"no TLS at all")
    assert producer.stopped
    assert talk.ends[0].producer is None
    assert talk.ends[0].closing


# --- with another implementation at the other end ----------------------------------------------------------------


@pytest.mark.parametrize("version", [stdssl.TLSVersion.TLSv1_2, stdssl.TLSVersion.TLSv1_3])
def test_python_as_a_server(tmp_path, version):
    context = stdlib_server(tmp_path, maximum_version=version, minimum_version=version)
    context.set_alpn_protocols(["h2"])
    talk = Across(client_options(acceptableProtocols=[b"h2"]), True, Stdlib(context, True))
    assert talk.protocol.events == ["made", "secure"]
    assert talk.tls.negotiatedProtocol == b"h2"
    talk.tls.write(b"x" * 100_000)
    talk.run()
    assert talk.peer.data == b"x" * 100_000
    talk.peer.ssl.write(b"y" * 100_000)
    talk.run()
    assert talk.protocol.data == b"y" * 100_000
    talk.tls.loseConnection()
    talk.run()
    assert talk.peer.closed
    talk.peer.close()
    talk.run()
    assert isinstance(talk.protocol.error, ConnectionDone)


@pytest.mark.parametrize("version", [stdssl.TLSVersion.TLSv1_2, stdssl.TLSVersion.TLSv1_3])
def test_python_as_a_client(version):
    context = stdlib_client(maximum_version=version, minimum_version=version)
    talk = Across(server_certificate().options(), False, Stdlib(context, False, HOST))
    assert talk.protocol.events == ["made", "secure"]
    assert talk.peer.ssl.version() == f"TLSv1.{2 if version is stdssl.TLSVersion.TLSv1_2 else 3}"
    talk.peer.ssl.write(b"hello")
    talk.run()
    talk.tls.write(talk.protocol.data.upper())
    talk.run()
    assert talk.peer.data == b"HELLO"
    talk.peer.close()
    talk.run()
    assert isinstance(talk.protocol.error, ConnectionDone)


def test_python_refuses_us():
    talk = Across(Authority("Other CA").issue(HOST).options(), False, Stdlib(stdlib_client(), False, HOST))
    assert isinstance(talk.peer.error, stdssl.SSLCertVerificationError)
    assert isinstance(talk.protocol.error, UnknownIssuer)
    assert talk.protocol.error.remote


def test_python_speaks_no_version_that_we_do(tmp_path):
    context = stdlib_server(tmp_path, maximum_version=stdssl.TLSVersion.TLSv1_2)
    options = client_options(extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_3})
    talk = Across(options, True, Stdlib(context, True))
    assert isinstance(talk.protocol.error, ProtocolVersionMismatch)
    assert talk.protocol.error.remote


def test_a_client_may_not_have_us_negotiate_again():
    from OpenSSL import SSL

    @implementer(IOpenSSLContextFactory)
    class Old:
        def getContext(self):
            context = SSL.Context(SSL.TLS_METHOD)
            context.set_max_proto_version(SSL.TLS1_2_VERSION)
            return context

    talk = pair(Old()).run()
    handle = talk.client.getHandle()
    assert handle.renegotiate()
    with pytest.raises(SSL.WantReadError):
        handle.do_handshake()
    talk.client.write(b"go on")
    talk.run()
    assert talk.s.data == b""
    assert isinstance(talk.c.error, RenegotiationRefused)
