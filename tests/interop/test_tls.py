"""TLS with other programs' at the other end: OpenSSL's, curl, Python's own, over real connections and on both roads."""

from __future__ import annotations

import re
import shutil
import socket
import ssl as stdssl
import subprocess
from contextlib import contextmanager

import pytest
from zope.interface import implementer

from contract.faultkit import needs_posix
from contract.harness import Client, Recorder, Server, in_thread, run_scenario, until
from torsion.internet.error import ConnectionDone
from torsion.internet.interfaces import IHandshakeListener, IProtocolNegotiationFactory
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.ssl import Certificate, CertificateOptions, TLSVersion, optionsForClientTLS
from torsion.internet.tls import (
    FILETYPE_PEM,
    CertificateRequired,
    CertificatesByName,
    HandshakeTimeout,
    NotTLS,
    TLSError,
    TLSMemoryBIOFactory,
    UnknownIssuer,
    viaOpenSSL,
)
from unit.internet.tls.kit import HOST, Authority, authority, server_certificate, stdlib_client

pytestmark = needs_posix
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the program openssl")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
TIMEOUT = 8


@implementer(IHandshakeListener)
class Secure(Recorder):
    """Notes when its connection is secure, besides."""

    def handshakeCompleted(self) -> None:
        self.note("handshakeCompleted")


class Echo(Secure):
    """Echoes, and closes after the end of a line."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.write(data)
        if data.endswith(b"\n"):
            self.transport.loseConnection()


class Road:
    """How connections are made secure."""

    def __init__(self, name: str, reactor: NativeReactor) -> None:
        self.native = name == "native"
        self.reactor = reactor

    def listen(self, options, factory):
        if self.native:
            return self.reactor.listenSSL(0, factory, options, interface="127.0.0.1")
        layer = TLSMemoryBIOFactory(viaOpenSSL(options), False, factory, self.reactor)
        return self.reactor.listenTCP(0, layer, interface="127.0.0.1")

    def connect(self, port: int, options, factory):
        if self.native:
            return self.reactor.connectSSL("127.0.0.1", port, factory, options)
        layer = TLSMemoryBIOFactory(viaOpenSSL(options), True, factory, self.reactor)
        return self.reactor.connectTCP("127.0.0.1", port, layer)


@pytest.fixture(params=["openssl", "native"])
def road(request) -> Road:
    return Road(request.param, NativeReactor())


@pytest.fixture
def files(tmp_path):
    own = server_certificate()
    (tmp_path / "root.pem").write_bytes(authority().root.dumpPEM())
    (tmp_path / "certificate.pem").write_bytes(own.dump(FILETYPE_PEM))
    (tmp_path / "key.pem").write_bytes(own.privateKey.dump(FILETYPE_PEM))
    return tmp_path


def options(**more):
    return CertificateOptions(privateKey=server_certificate().privateKey, certificate=server_certificate(), **more)


def client_options(**more):
    return optionsForClientTLS(HOST, trustRoot=authority().root, **more)


def run(*command, data: bytes = b"", cwd=None):
    return subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT, cwd=cwd, check=False)


def s_client(port, files, *more, data=b"hello\n"):
    """Have OpenSSL's client say something, and read until the end."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(files / "root.pem")]
    return run(*command, "-verify_return_error", "-ign_eof", *more, data=data)


# --- our servers -------------------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_as_a_client(road, files, version):
    async def scenario():
        factory = Server(Echo)
        port = road.listen(options(acceptableProtocols=[b"mine"]), factory)
        done = await in_thread(
            road.reactor, s_client, port.getHost().port, files, version, "-servername", HOST, "-alpn", "other,mine"
        )
        protocol = factory.protocols[0]
        await protocol.lost
        return done, protocol

    done, protocol = run_scenario(road.reactor, scenario)
    assert b"Verify return code: 0 (ok)" in done.stdout
    assert b"ALPN protocol: mine" in done.stdout
    assert b"hello\n" in done.stdout
    assert protocol.events[:2] == ["connectionMade", "handshakeCompleted"]
    assert protocol.received == b"hello\n"
    assert isinstance(protocol.reason.value, ConnectionDone)


@needs_openssl
def test_openssl_as_a_client_with_a_certificate(road, files):
    async def scenario():
        factory = Server(Echo)
        port = road.listen(options(trustRoot=authority().root), factory)
        number = port.getHost().port
        identity = ["-cert", str(files / "certificate.pem"), "-key", str(files / "key.pem")]
        accepted = await in_thread(road.reactor, s_client, number, files, *identity)
        peer = factory.protocols[0].transport.getPeerCertificate()
        refused = await in_thread(road.reactor, s_client, number, files)
        await factory.protocols[1].lost
        return accepted, refused, peer, factory.protocols[1].reason.value

    accepted, refused, peer, reason = run_scenario(road.reactor, scenario)
    assert b"hello\n" in accepted.stdout
    assert peer.to_cryptography() == server_certificate().certificate
    assert b"certificate required" in refused.stderr
    assert isinstance(reason, CertificateRequired)


@needs_openssl
def test_openssl_asks_for_names(road, files):
    names = CertificatesByName(
        {"b.example": authority().issue("b.example"), "c.example": authority().issue("c.example")}
    )

    async def scenario():
        port = road.listen(options(contextForServerName=names), Server(Echo))
        found = []
        for name in ("b.example", "c.example", HOST):
            more = ("-servername", name, "-verify_hostname", name)
            found.append(await in_thread(road.reactor, s_client, port.getHost().port, files, *more))
        return found

    assert all(b"hello\n" in done.stdout for done in run_scenario(road.reactor, scenario))


@needs_openssl
def test_openssl_does_not_trust_us(road, files):
    async def scenario():
        factory = Server(Echo)
        port = road.listen(Authority("Other").issue(HOST).options(), factory)
        done = await in_thread(road.reactor, s_client, port.getHost().port, files)
        await factory.protocols[0].lost
        return done, factory.protocols[0].reason.value

    done, reason = run_scenario(road.reactor, scenario)
    assert b"unable to get local issuer certificate" in done.stderr
    assert isinstance(reason, UnknownIssuer)
    assert reason.remote


@needs_openssl
def test_openssl_wants_to_renegotiate(road, files):
    def client(port):
        command = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{port}",
            "-CAfile",
            str(files / "root.pem"),
            "-tls1_2",
        ]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            process.stdin.write(b"R\n")
            process.stdin.flush()
            return b"".join(iter(process.stdout.readline, b""))

    async def scenario():
        factory = Server(Echo)
        port = road.listen(options(), factory)
        said = await in_thread(road.reactor, client, port.getHost().port)
        await factory.protocols[0].lost
        return said, factory.protocols[0]

    said, protocol = run_scenario(road.reactor, scenario)
    assert b"RENEGOTIATING" in said
    assert protocol.events.count("handshakeCompleted") == 1
    assert isinstance(protocol.reason.value, TLSError)


@needs_curl
def test_curl(road, files):
    class Web(Secure):
        def dataReceived(self, data: bytes) -> None:
            self.received += data
            if self.received.endswith(b"\r\n\r\n"):
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
                self.transport.loseConnection()

    async def scenario():
        port = road.listen(options(), Server(Web)).getHost().port
        address = ("--cacert", str(files / "root.pem"), "--resolve", f"{HOST}:{port}:127.0.0.1")
        return await in_thread(road.reactor, run, "curl", "-sS", "--noproxy", "*", *address, f"https://{HOST}:{port}/")

    done = run_scenario(road.reactor, scenario)
    assert done.stderr == b""
    assert done.stdout == b"x" * 100_000


@pytest.mark.parametrize("version", [stdssl.TLSVersion.TLSv1_2, stdssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("allowed", [True, False])
def test_python_resumes_sessions(road, version, allowed):
    context = stdlib_client(minimum_version=version, maximum_version=version)

    def talk(port, session):
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
            secure = context.wrap_socket(plain, server_hostname=HOST, session=session)
            secure.sendall(b"hello")
            assert secure.recv(5) == b"hello"
            kept, reused = secure.session, secure.session_reused
            secure.unwrap().close()
        return kept, reused

    async def scenario():
        port = road.listen(options(enableSessions=allowed, enableSessionTickets=allowed), Server(Echo)).getHost().port
        session, first = await in_thread(road.reactor, talk, port, None)
        _, second = await in_thread(road.reactor, talk, port, session)
        return first, second

    assert run_scenario(road.reactor, scenario) == (False, allowed)


def test_a_peer_that_stalls(road):
    async def scenario():
        factory = Server(Secure)
        port = road.listen(options(handshakeTimeout=0.2), factory)
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as silent:
            silent.sendall(b"\x16\x03\x01")
            await until(road.reactor, lambda: factory.protocols)
            return await factory.protocols[0].lost

    reason = run_scenario(road.reactor, scenario)
    assert isinstance(reason, HandshakeTimeout)
    assert reason.details["seconds"] == pytest.approx(0.2)


def test_a_peer_that_speaks_something_else(road):
    async def scenario():
        factory = Server(Secure)
        port = road.listen(options(), factory)
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(road.reactor, lambda: factory.protocols)
            return await factory.protocols[0].lost

    reason = run_scenario(road.reactor, scenario)
    assert isinstance(reason, NotTLS)
    assert "HTTP" in str(reason)


def test_a_peer_that_does_not_close(road, monkeypatch):
    """``loseConnection`` cannot be held up by a peer that never says that it closes."""
    monkeypatch.setattr("torsion.internet.tls.memory.CLOSE_TIMEOUT", 0.3)

    async def scenario():
        factory = Server(Secure)
        port = road.listen(options(), factory)
        context = stdlib_client()

        def connect():
            plain = socket.create_connection(("127.0.0.1", port.getHost().port), TIMEOUT)
            return context.wrap_socket(plain, server_hostname=HOST)

        silent = await in_thread(road.reactor, connect)
        await until(road.reactor, lambda: "handshakeCompleted" in factory.protocols[0].events)
        factory.protocols[0].transport.loseConnection()
        reason = await factory.protocols[0].lost
        silent.close()
        return reason

    assert isinstance(run_scenario(road.reactor, scenario), ConnectionDone)


@needs_openssl
def test_openssl_as_a_client_that_speaks_plainly_at_first(road, files):
    """As in SMTP (RFC 3207): plain words before, secure ones after, each in their order."""

    class Mail(Secure):
        def __init__(self):
            super().__init__()
            self.secure = False
            self.plain = b""

        def connectionMade(self):
            super().connectionMade()
            self.transport.write(b"220 mail.example ESMTP\r\n")

        def handshakeCompleted(self):
            super().handshakeCompleted()
            self.secure = True

        def dataReceived(self, data):
            if self.secure:
                super().dataReceived(data)
                self.transport.write(b"secure " + data)
                self.transport.loseConnection()
                return
            self.plain += data
            if data.startswith(b"EHLO"):
                self.transport.write(b"250-mail.example\r\n250 STARTTLS\r\n")
            elif data.startswith(b"STARTTLS"):
                self.transport.write(b"220 go ahead\r\n")
                self.transport.startTLS(options() if road.native else viaOpenSSL(options()))

    async def scenario():
        factory = Server(Mail)
        port = road.reactor.listenTCP(0, factory, interface="127.0.0.1")
        done = await in_thread(road.reactor, s_client, port.getHost().port, files, "-starttls", "smtp")
        protocol = factory.protocols[0]
        await protocol.lost
        return done, protocol

    done, protocol = run_scenario(road.reactor, scenario)
    assert b"secure hello\n" in done.stdout
    assert protocol.plain.endswith(b"STARTTLS\r\n")
    assert protocol.received == b"hello\n"
    assert protocol.events.count("handshakeCompleted") == 1
    assert isinstance(protocol.reason.value, ConnectionDone)


def test_what_both_ends_know(road):
    mine = authority().issue("client.example")

    async def scenario():
        factory, client = Server(Secure), Client(Secure())
        port = road.listen(options(trustRoot=authority().root, acceptableProtocols=[b"mine"]), factory)
        settings = client_options(clientCertificate=mine, acceptableProtocols=[b"mine"])
        road.connect(port.getHost().port, settings, client)
        ends = [client.one]
        await until(road.reactor, lambda: factory.protocols and "handshakeCompleted" in factory.protocols[0].events)
        ends.append(factory.protocols[0])
        known = []
        for end in ends:
            transport = end.transport
            handle = transport.getHandle()
            known.append(
                (
                    Certificate.peerFromTransport(transport),
                    Certificate.hostFromTransport(transport),
                    transport.negotiatedProtocol,
                    handle.get_protocol_version_name(),
                    handle.get_alpn_proto_negotiated(),
                )
            )
            assert handle.get_cipher_name().startswith("TLS_")
        assert ends[1].transport.getHandle().get_servername() == HOST.encode()
        client.one.transport.loseConnection()
        await ends[1].lost
        return known

    own = server_certificate()
    assert run_scenario(road.reactor, scenario) == [
        (own, mine, b"mine", "TLSv1.3", b"mine"),
        (mine, own, b"mine", "TLSv1.3", b"mine"),
    ]


@pytest.mark.parametrize("side", ["client", "server"])
def test_closing_before_the_handshake_is_over(road, side):
    """What was written before is sent, as soon as it can be."""

    def part(protocol) -> None:
        protocol.transport.write(b"x" * 100_000)
        protocol.transport.loseConnection()

    def make(mine: str):
        return lambda: Secure({"connectionMade": part} if mine == side else {})

    async def scenario():
        factory, client = Server(make("server")), Client(make("client")())
        port = road.listen(options(), factory)
        road.connect(port.getHost().port, client_options(), client)
        reasons = await client.one.lost, await factory.protocols[0].lost
        return reasons, client.one.received + factory.protocols[0].received

    reasons, received = run_scenario(road.reactor, scenario)
    assert received == b"x" * 100_000
    assert all(isinstance(reason, ConnectionDone) for reason in reasons)


# --- our clients -------------------------------------------------------------------------------------------------


@contextmanager
def s_server(files, *more):
    """Run OpenSSL's server, which turns the lines that it is sent around; give its port."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", "certificate.pem", "-key", "key.pem"]
    process = subprocess.Popen([*command, *more], cwd=files, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.match(rb"ACCEPT .*:(\d+)", line)
            if found:
                break
        else:
            raise AssertionError("openssl s_server did not start")
        yield int(found[1])
    finally:
        process.kill()
        process.communicate()


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_as_a_server(road, files, version):
    @implementer(IProtocolNegotiationFactory)
    class Negotiating(Client):
        def acceptableProtocols(self):
            return [b"mine", b"other"]

    async def scenario(port):
        client = Negotiating(Secure())
        road.connect(port, client_options(), client)
        protocol = await client.one.made
        protocol.transport.write(b"hello\n")
        await protocol.bytes(6)
        negotiated = protocol.transport.negotiatedProtocol
        peer = protocol.transport.getPeerCertificate()
        protocol.transport.loseConnection()
        return protocol, negotiated, peer, await protocol.lost

    with s_server(files, version, "-alpn", "other") as port:
        protocol, negotiated, peer, reason = run_scenario(road.reactor, lambda: scenario(port))
    assert protocol.events[:2] == ["connectionMade", "handshakeCompleted"]
    assert protocol.received == b"olleh\n"
    assert negotiated == b"other"
    assert peer.to_cryptography() == server_certificate().certificate
    assert isinstance(reason, ConnectionDone)


@needs_openssl
def test_openssl_requires_a_certificate(road, files):
    async def scenario(port, **more):
        client = Client(Secure())
        road.connect(port, client_options(**more), client)
        protocol = await client.one.made
        protocol.transport.write(b"hello\n")
        await until(road.reactor, lambda: protocol.received or protocol.reason)
        return protocol

    with s_server(files, "-Verify", "1", "-CAfile", "root.pem", "-verify_return_error") as port:
        mine = authority().issue("client.example")
        assert run_scenario(road.reactor, lambda: scenario(port, clientCertificate=mine)).received == b"olleh\n"
        refused = run_scenario(road.reactor, lambda: scenario(port))
    assert refused.received == b""
    assert isinstance(refused.reason.value, CertificateRequired)
    assert refused.reason.value.remote


@needs_openssl
def test_openssl_speaks_an_old_version_only(road, files):
    async def scenario(port):
        client = Client(Secure())
        road.connect(port, client_options(extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_3}), client)
        return await client.one.lost

    with s_server(files, "-tls1_2") as port:
        reason = run_scenario(road.reactor, lambda: scenario(port))
    assert type(reason).__name__ == "ProtocolVersionMismatch"
    assert reason.remote


@needs_openssl
def test_the_key_log(road, files, tmp_path):
    log = tmp_path / "keys"

    async def scenario(port):
        client = Client(Secure())
        road.connect(port, client_options(extraCertificateOptions={"keyLogFile": str(log)}), client)
        protocol = await client.one.made
        protocol.transport.write(b"hello\n")
        await protocol.bytes(6)
        protocol.transport.loseConnection()
        await protocol.lost

    with s_server(files) as port:
        run_scenario(road.reactor, lambda: scenario(port))
    lines = log.read_text().splitlines()
    assert {line.split()[0] for line in lines} >= {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"}
    assert log.stat().st_mode & 0o077 == 0
