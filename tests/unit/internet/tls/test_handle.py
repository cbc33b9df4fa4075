"""What natively secured connections give for a handle."""

from __future__ import annotations

import pytest

from torsion.internet.ssl import Certificate
from torsion.internet.tls import TLSError
from torsion.internet.tls.formats import certificate_der
from torsion.internet.tls.handle import ConnectionHandle
from unit.internet.tls.kit import authority, server_certificate


class Stream:
    """Stands for a native connection."""

    connected = True
    owner: object = None

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        return lambda: self.answers.get(name)


def test_what_it_tells():
    chain = [certificate_der(each) for each in (server_certificate().certificate, authority().certificate)]
    handle = ConnectionHandle(
        Stream(
            peer_certificates=chain,
            tls_version=0x0303,
            tls_cipher="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            negotiated_protocol=b"h2",
            tls_server_name="a.example",
        )
    )
    assert Certificate(handle.get_peer_certificate()) == server_certificate()
    assert [Certificate(each) for each in handle.get_peer_cert_chain()] == [server_certificate(), authority().root]
    assert (handle.get_protocol_version(), handle.get_protocol_version_name()) == (0x0303, "TLSv1.2")
    assert handle.get_cipher_name() == "ECDHE-RSA-AES128-GCM-SHA256"
    assert handle.get_cipher_bits() == 128
    assert handle.get_cipher_version() == "TLSv1.2"
    assert handle.get_alpn_proto_negotiated() == b"h2"
    assert handle.get_servername() == b"a.example"


def test_the_certificate_of_this_end():
    class Road:
        def certificate(self, name):
            return {"a.example": certificate_der(server_certificate().certificate)}.get(name)

    class Port:
        road = Road()

    stream = Stream(tls_server_name="a.example")
    assert ConnectionHandle(stream).get_certificate() is None
    stream.owner = Port()
    assert Certificate(ConnectionHandle(stream).get_certificate()) == server_certificate()
    stream.answers = {"tls_server_name": "b.example"}
    assert ConnectionHandle(stream).get_certificate() is None


def test_before_the_handshake_is_over():
    handle = ConnectionHandle(Stream(peer_certificates=[]))
    assert handle.get_peer_certificate() is None
    assert handle.get_peer_cert_chain() is None
    assert (handle.get_protocol_version(), handle.get_protocol_version_name()) == (0, "unknown")
    assert handle.get_cipher_name() is None
    assert handle.get_cipher_bits() is None
    assert handle.get_cipher_version() is None
    assert handle.get_alpn_proto_negotiated() == b""
    assert handle.get_servername() is None


@pytest.mark.parametrize("use", ["send", "sendall", "write", "recv", "read"])
def test_it_neither_sends_nor_receives(use):
    SSL = pytest.importorskip("OpenSSL.SSL")
    stream = Stream()
    handle = ConnectionHandle(stream)
    with pytest.raises(TLSError, match="transport"):
        getattr(handle, use)(b"x")
    stream.connected = False
    with pytest.raises(SSL.Error) as raised:
        getattr(handle, use)(b"x")
    assert raised.value.args[0] == [("SSL routines", "", "protocol is shutdown")]
