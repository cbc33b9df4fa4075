"""Each kind of endpoint on real reactors that have what it needs; TCP has a file of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from contract.faultkit import needs_posix
from contract.flavours import needs
from contract.harness import Recorder, Server, after, nothing_left_open, until
from torsion.internet import error
from torsion.internet.address import IPv4Address, UNIXAddress
from torsion.internet.endpoints import (
    AdoptedStreamServerEndpoint,
    ProcessEndpoint,
    TCP4ClientEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    quoteStringArgument,
    serverFromString,
    wrapClientTLS,
    wrapServerTLS,
)
from torsion.internet.interfaces import ISSLTransport
from torsion.internet.protocol import Factory
from torsion.protocols.haproxy import proxyEndpoint
from torsion.wire.haproxy import Family, Header, encode

RECORDERS = Factory.forProtocol(Recorder)


async def talk(client, server):
    """Send something both ways."""
    client.transport.write(b"hello")
    assert await server.bytes(5) == b"hello"
    server.transport.write(b"welcome")
    assert await client.bytes(7) == b"welcome"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX programs")
@needs("IReactorProcess", "kernel", "engine")
class TestProcesses:
    def test_talk(self, reactor, run):
        async def scenario():
            child = await ProcessEndpoint(reactor, "/bin/cat", ["cat"]).connect(RECORDERS)
            assert child.events == ["connectionMade"]
            child.transport.writeSequence([b"hel", b"lo"])
            assert await child.bytes(5) == b"hello"
            child.transport.loseWriteConnection()
            assert (await after(reactor, child.lost)).__class__ is error.ConnectionDone

        with nothing_left_open():
            run(scenario)

    @pytest.mark.parametrize(("how", "told"), [("exit 3", "code 3"), ("kill -KILL $$", "signal 9")])
    def test_a_bad_end(self, reactor, run, how, told):
        async def scenario():
            child = await ProcessEndpoint(reactor, "/bin/sh", ["sh", "-c", f"echo hello; {how}"]).connect(RECORDERS)
            problem = await after(reactor, child.lost)
            assert child.received == b"hello\n"
            assert problem.__class__ is error.ConnectionLost
            assert told in str(problem)

        run(scenario)

    def test_killed(self, reactor, run):
        async def scenario():
            child = await ProcessEndpoint(reactor, "/bin/sleep", ["sleep", "100"]).connect(RECORDERS)
            child.transport.abortConnection()
            assert "signal 9" in str(await after(reactor, child.lost))

        run(scenario)

    def test_no_such_program(self, reactor, run):
        async def scenario():
            with pytest.raises(OSError):
                await ProcessEndpoint(reactor, "/no/such/program", ["program"]).connect(RECORDERS)

        run(scenario)


@needs("IReactorUNIX", "kernel", "engine")
class TestUNIX:
    def test_talk(self, reactor, run, tmp_path):
        async def scenario():
            factory = Server()
            path = str(tmp_path / "a:b")
            quoted = quoteStringArgument(path)
            port = await serverFromString(reactor, f"unix:{quoted}:mode=600").listen(factory)
            assert port.getHost() == UNIXAddress(path)
            assert os.stat(path).st_mode & 0o777 == 0o600
            for endpoint in (
                clientFromString(reactor, f"unix:{quoted}:lockfile=yes"),
                UNIXClientEndpoint(reactor, path),
            ):
                connection = factory.connection()
                client = await endpoint.connect(RECORDERS)
                assert client.transport.protocol is client  # nothing stands in between
                await talk(client, await connection)
                client.transport.loseConnection()
                await after(reactor, client.lost)
            await port.stopListening()
            assert list(tmp_path.iterdir()) == []  # nor a lock

        run(scenario)

    def test_refused(self, reactor, run, tmp_path):
        async def scenario():
            with pytest.raises(error.ConnectError):
                await UNIXClientEndpoint(reactor, str(tmp_path / "nobody")).connect(RECORDERS)
            port = await UNIXServerEndpoint(reactor, str(tmp_path / "taken")).listen(Server())
            with pytest.raises(error.CannotListenError, match="taken"):
                await UNIXServerEndpoint(reactor, str(tmp_path / "taken")).listen(Server())
            await port.stopListening()

        run(scenario)


@needs_posix
@needs("IReactorSocket", "IReactorTCP", "kernel", "engine")
class TestAdopted:
    def test_talk(self, reactor, run):
        async def scenario():
            factory = Server()
            with socket.create_server(("127.0.0.1", 0)) as there:
                address = there.getsockname()
                number = os.dup(there.fileno())
            endpoint = serverFromString(reactor, f"fd:{number}")
            port = await endpoint.listen(factory)
            assert port.getHost() == IPv4Address("TCP", *address)
            with pytest.raises(error.AlreadyListened):
                await endpoint.listen(factory)
            connection = factory.connection()
            client = await TCP4ClientEndpoint(reactor, *address).connect(RECORDERS)
            await talk(client, await connection)
            client.transport.loseConnection()
            await after(reactor, client.lost)
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_no_socket(self, reactor, run):
        async def scenario():
            number = os.open(os.devnull, os.O_RDONLY)
            try:
                with pytest.raises((OSError, error.UnsupportedAddressFamily, ValueError)):
                    await AdoptedStreamServerEndpoint(reactor, number, socket.AF_INET).listen(Server())
            finally:
                os.close(number)

        run(scenario)


ECHO = """
import sys
from torsion.internet.endpoints import serverFromString
from torsion.internet.protocol import Factory
from torsion.internet.reactors.native import NativeReactor
from torsion.protocols.wire import Echo

class Last(Echo):
    def connectionLost(self, reason):
        sys.stderr.write(type(reason.value).__name__)
        reactor.stop()

reactor = NativeReactor()
serverFromString(reactor, "stdio:").listen(Factory.forProtocol(Last))
reactor.run()
"""


@needs_posix
def test_standard_input_and_output():
    # In a process of its own, since it takes this one's.
    done = subprocess.run([sys.executable, "-c", ECHO], input=b"hello", capture_output=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == (b"hello", b"ConnectionDone")


@needs("IReactorTCP", "kernel", "engine")
class TestProxied:
    def test_talk(self, reactor, run):
        async def scenario():
            factory = Server()
            port = await proxyEndpoint(serverFromString(reactor, "tcp:0:interface=127.0.0.1")).listen(factory)
            connection = factory.connection()
            client = await TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port).connect(RECORDERS)
            server = await connection
            client.transport.write(encode(Header(Family.INET, ("192.0.2.1", 4000), ("198.51.100.2", 443))))
            await talk(client, server)
            assert server.transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 4000)
            assert server.transport.getHost() == IPv4Address("TCP", "198.51.100.2", 443)
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_no_header(self, reactor, run):
        async def scenario():
            factory = Server()
            port = await proxyEndpoint(serverFromString(reactor, "tcp:0:interface=127.0.0.1")).listen(factory)
            connection = factory.connection()
            client = await TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port).connect(RECORDERS)
            server = await connection
            client.transport.write(b"GET / HTTP/1.0\r\n\r\n")
            problem = await server.lost
            assert "no PROXY header" in str(problem)
            await client.lost
            assert server.received == b""
            await port.stopListening()

        run(scenario)


@pytest.fixture(scope="module")
def options():
    """The settings of a server and of a client that trusts it."""
    pytest.importorskip("cryptography")
    ssl = pytest.importorskip("torsion.internet.ssl")
    own = ssl.KeyPair.generate("ec", 256).selfSignedCert(1, CN="host.example")
    trusting = ssl.CertificateOptions(trustRoot=ssl.Certificate.loadPEM(own.dump(1)))
    return own.options(), trusting


@needs("IReactorTCP", "kernel", "engine")
class TestTLS:
    @pytest.mark.parametrize("over", ["tcp", "proxy"])
    def test_talk(self, reactor, run, options, over):
        async def scenario():
            factory = Server()
            below = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
            if over == "proxy":
                below = proxyEndpoint(below)
            port = await wrapServerTLS(options[0], below).listen(factory)
            place = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
            connection = factory.connection()
            if over == "proxy":
                place = Announcing(place)
            client = await wrapClientTLS(options[1], place).connect(RECORDERS)
            server = await connection
            await talk(client, server)
            if over == "proxy":
                assert server.transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 4000)
            else:
                for end in (client, server):
                    assert end.transport.protocol is end  # nothing stands in between
                    assert ISSLTransport.providedBy(end.transport)
            client.transport.loseConnection()
            assert (await after(reactor, client.lost)).__class__ is error.ConnectionDone
            await server.lost
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_strings(self, reactor, run, tmp_path):
        from torsion.internet.ssl import DN, Certificate, KeyPair

        # One certificate for each name, both of one authority.
        authority = KeyPair.generate("ec", 256).selfSignedCert(1, CN="an authority")
        (tmp_path / "roots").mkdir()
        (tmp_path / "roots" / "authority.pem").write_bytes(authority.dump(1))
        (tmp_path / "names").mkdir()
        for number, name in enumerate(("localhost", "127.0.0.1"), 2):
            key = KeyPair.generate("ec", 256)
            request = key.requestObject(DN(commonName=name))
            certificate = authority.signRequestObject(request, number)
            assert isinstance(certificate, Certificate)
            (tmp_path / "names" / f"{name}.pem").write_bytes(certificate.dump(1) + key.dump(1))
        roots, names = (quoteStringArgument(str(tmp_path / name)) for name in ("roots", "names"))

        async def scenario():
            factory = Server()
            port = await serverFromString(reactor, f"tls:{names}:0:interface=127.0.0.1").listen(factory)
            number = port.getHost().port
            connection = factory.connection()
            client = await clientFromString(reactor, f"tls:localhost:{number}:trustRoots={roots}").connect(RECORDERS)
            await talk(client, await connection)
            client.transport.loseConnection()
            await client.lost
            stranger = await clientFromString(reactor, f"tls:localhost:{number}").connect(RECORDERS)
            assert type(await stranger.lost).__name__ == "UnknownIssuer"
            await port.stopListening()

        run(scenario)

    def test_ssl_strings(self, reactor, run, tmp_path):
        from torsion.internet.ssl import KeyPair

        own = KeyPair.generate("ec", 256).selfSignedCert(1, CN="host.example")
        (tmp_path / "both.pem").write_bytes(own.dumpPEM())
        file = quoteStringArgument(str(tmp_path / "both.pem"))
        folder = quoteStringArgument(str(tmp_path))

        async def scenario():
            factory = Server()
            port = await serverFromString(reactor, f"ssl:0:privateKey={file}:interface=127.0.0.1").listen(factory)
            number = port.getHost().port
            for more in ("", f":caCertsDir={folder}", f":caCertsDir={folder}:privateKey={file}"):
                connection = factory.connection()
                client = await clientFromString(reactor, f"ssl:127.0.0.1:{number}{more}").connect(RECORDERS)
                await talk(client, await connection)
                client.transport.loseConnection()
                await client.lost
            wrong = f"ssl:127.0.0.1:{number}:caCertsDir={folder}:hostname=other.example"
            client = await clientFromString(reactor, wrong).connect(RECORDERS)
            assert type(await client.lost).__name__ == "WrongName"
            await port.stopListening()

        run(scenario)

    def test_a_stranger(self, reactor, run, options):
        async def scenario():
            factory = Server()
            port = await wrapServerTLS(options[0], serverFromString(reactor, "tcp:0:interface=127.0.0.1")).listen(
                factory
            )
            from torsion.internet.ssl import CertificateOptions, KeyPair

            other = KeyPair.generate("ec", 256).selfSignedCert(1, CN="other.example")
            trusting = CertificateOptions(trustRoot=other)
            place = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
            client = await wrapClientTLS(trusting, place).connect(RECORDERS)
            problem = await client.lost
            assert type(problem).__name__ == "UnknownIssuer"
            await until(reactor, lambda: factory.protocols and factory.protocols[0].lost.called)
            await port.stopListening()

        run(scenario)


class Announcing:
    """Connects as a proxy does: with a header ahead."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def connect(self, factory):
        class Ahead(Factory):
            def buildProtocol(self, addr):
                protocol = factory.buildProtocol(addr)
                make = protocol.makeConnection

                def makeConnection(transport):
                    transport.write(encode(Header(Family.INET, ("192.0.2.1", 4000), ("198.51.100.2", 443))))
                    make(transport)

                protocol.makeConnection = makeConnection
                return protocol

        return self.endpoint.connect(Ahead())
