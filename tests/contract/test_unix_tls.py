"""Connections over Unix sockets become secure in their midst, as those over TCP do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Recorder, join_at, nothing_left_open
from contract.test_unix_descriptors import Receiver, file
from torsion.internet.error import FileDescriptorRefused
from torsion.internet.interfaces import IHandshakeListener, INegotiated, ITLSTransport
from torsion.internet.ssl import CertificateOptions, optionsForClientTLS
from torsion.internet.tls import viaOpenSSL
from unit.internet.tls.kit import HOST, authority, server_certificate

pytestmark = [
    needs("IReactorUNIX", "kernel", "engine"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@implementer(IHandshakeListener)
class Secure(Recorder):
    """Notes when its connection is secure."""

    def handshakeCompleted(self) -> None:
        self.note("handshakeCompleted")


def settings(openssl: bool) -> tuple[Any, Any]:
    """Return those of a server and of a client."""
    certificate = server_certificate()
    server: Any = CertificateOptions(
        privateKey=certificate.privateKey, certificate=certificate, acceptableProtocols=[b"mine"]
    )
    client: Any = optionsForClientTLS(HOST, trustRoot=authority().root, acceptableProtocols=[b"mine"])
    return (viaOpenSSL(server), viaOpenSSL(client)) if openssl else (server, client)


@pytest.mark.parametrize("openssl", [False, True], ids=["native", "openssl"])
@pytest.mark.parametrize("normal", [True, False])
def test_it_becomes_secure_and_bytes_stay_in_order(reactor, run, normal, openssl):
    async def scenario():
        server, client, port = await join_at(reactor, Secure(), Secure())
        assert verifyObject(ITLSTransport, client.transport)
        client.transport.write(b"plain ")
        server.transport.write(b"plain ")
        await server.bytes(6)
        await client.bytes(6)
        ours, theirs = settings(openssl)
        for each, options in ((server, ours if normal else theirs), (client, theirs if normal else ours)):
            each.transport.startTLS(options, normal)
            each.transport.write(b"secret")
        assert await server.bytes(12) == b"plain secret"
        assert await client.bytes(12) == b"plain secret"
        assert "handshakeCompleted" in server.events
        for each in (server, client):
            assert verifyObject(INegotiated, each.transport)
            assert each.transport.negotiatedProtocol == b"mine"
        assert client.transport.getHost() == server.transport.getPeer()
        client.transport.loseConnection()
        await server.lost
        await client.lost
        await port.stopListening()

    with nothing_left_open():
        run(scenario)


@pytest.mark.parametrize("openssl", [False, True], ids=["native", "openssl"])
def test_descriptors_are_sent_before_it_becomes_secure_and_refused_afterwards(reactor, run, openssl):
    async def scenario():
        server, client, port = await join_at(reactor, Receiver(), Secure())
        ours, theirs = settings(openssl)
        descriptor = file(3)
        client.transport.sendFileDescriptor(descriptor)
        client.transport.write(b"plain ")
        await server.bytes(6)
        server.transport.startTLS(ours)
        client.transport.startTLS(theirs)
        with pytest.raises(FileDescriptorRefused, match=rf"descriptor {descriptor} .* TLS"):
            client.transport.sendFileDescriptor(descriptor)
        os.close(descriptor)
        client.transport.write(b"secret")
        assert await server.bytes(12) == b"plain secret"
        assert server.files == [3]
        client.transport.loseConnection()
        await server.lost
        await client.lost
        await port.stopListening()

    with nothing_left_open():
        run(scenario)
