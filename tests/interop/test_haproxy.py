"""Connections through haproxy, and from curl, that begin with a PROXY header."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest

from contract.faultkit import needs_posix
from contract.harness import Recorder, Server, run_scenario, until
from torsion.internet.address import IPv4Address
from torsion.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint
from torsion.internet.protocol import Factory
from torsion.internet.reactors.native import NativeReactor
from torsion.protocols.haproxy import proxyEndpoint
from torsion.wire.haproxy import TLVType

pytestmark = needs_posix
needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="needs haproxy")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")

CONFIGURATION = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend entrance
    bind fd@{descriptor}
    unique-id-format %pid-%rt
    default_backend inside
backend inside
    server torsion 127.0.0.1:{port} {options}
"""

OPTIONS = {
    "version 1": "send-proxy",
    "version 2": "send-proxy-v2",
    "version 2 with more": "send-proxy-v2 proxy-v2-options crc32c,unique-id",
}


def listening(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("no IPv6 here")


@contextmanager
def haproxy(tmp_path, entrance, port, options):
    """Run a haproxy that takes connections at the socket *entrance* and passes them on to *port*."""
    file = tmp_path / "haproxy.cfg"
    file.write_text(CONFIGURATION.format(descriptor=entrance.fileno(), port=port, options=options))
    process = subprocess.Popen(
        ["haproxy", "-db", "-q", "-f", str(file)],
        pass_fds=[entrance.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        _, errors = process.communicate()
    assert b"ALERT" not in errors, errors.decode()


@needs_haproxy
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_haproxy(tmp_path, host, options):
    reactor = NativeReactor()

    async def scenario():
        factory = Server()
        port = await proxyEndpoint(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")).listen(factory)
        with listening(host) as entrance, haproxy(tmp_path, entrance, port.getHost().port, options):
            connection = factory.connection()
            client = await HostnameEndpoint(reactor, host, entrance.getsockname()[1]).connect(
                Factory.forProtocol(Recorder)
            )
            client.transport.write(b"hello")
            server = await connection
            assert await server.bytes(5) == b"hello"
            assert server.transport.getPeer() == client.transport.getHost()
            assert server.transport.getHost() == client.transport.getPeer()
            info = server.transport.proxyInfo
            if "unique-id" in options:
                assert [tlv.type for tlv in info.tlvs] == [TLVType.UNIQUE_ID]
                assert b"\x03\0\4" in info.header  # and its checksum was right
            server.transport.write(b"welcome")
            assert await client.bytes(7) == b"welcome"
            server.transport.loseConnection()
            await client.lost
        await port.stopListening()

    run_scenario(reactor, scenario)


@needs_haproxy
def test_health_checks_are_the_proxys_own(tmp_path):
    reactor = NativeReactor()

    async def scenario():
        factory = Server()
        port = await proxyEndpoint(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")).listen(factory)
        options = "send-proxy-v2 check check-send-proxy inter 100ms"
        with listening("127.0.0.1") as entrance, haproxy(tmp_path, entrance, port.getHost().port, options):
            server = await factory.connection()
            await until(reactor, lambda: server.transport.proxyInfo)
            assert server.transport.proxyInfo.local
            assert server.transport.getPeer() == server.transport.transport.getPeer()
        await port.stopListening()

    run_scenario(reactor, scenario)


class Answering(Recorder):
    """Tells an HTTP client whom it is."""

    def dataReceived(self, data):
        super().dataReceived(data)
        if self.received.endswith(b"\r\n\r\n"):
            peer = self.transport.getPeer()
            body = f"{peer.host} {peer.port}".encode()
            self.transport.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            self.transport.loseConnection()


@contextmanager
def curl(port):
    """Run a curl that tells a proxy's story."""
    command = ["curl", "-s", "--noproxy", "*", "--haproxy-protocol", f"http://127.0.0.1:{port}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@needs_curl
def test_curl():
    reactor = NativeReactor()

    async def scenario():
        factory = Server(Answering)
        port = await proxyEndpoint(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")).listen(factory)
        connection = factory.connection()
        with curl(port.getHost().port) as process:
            server = await connection
            await server.lost
            host, number = process.stdout.read().decode().split()
        assert IPv4Address("TCP", host, int(number)) == server.transport.transport.getPeer()
        assert server.transport.proxyInfo.header.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ")
        await port.stopListening()

    run_scenario(reactor, scenario)
