"""``IReactorSocket``: sockets that were made elsewhere; and ports that are shared."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import differs, needs
from contract.harness import Client, Recorder, Server, in_thread, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.address import IPv4Address, IPv6Address, UNIXAddress
from torsion.internet.interfaces import IListeningPort, IReactorSocket, IReactorTCP2
from torsion.internet.protocol import DatagramProtocol
from torsion.internet.tcp import makeBinding

pytestmark = [
    needs("IReactorSocket", "IReactorUNIX", "kernel"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to adopt"),
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FAMILIES = [socket.AF_INET, socket.AF_INET6, getattr(socket, "AF_UNIX", socket.AF_INET)]


def listening(family: int) -> socket.socket:
    """Return a socket that listens."""
    made = socket.socket(family)
    where = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0)}
    made.bind(where.get(family, "s"))
    made.listen()
    made.setblocking(False)
    return made


def both_ends(family: int) -> tuple[socket.socket, socket.socket]:
    """Return two sockets that are connected."""
    with listening(family) as listener:
        far = socket.socket(family)
        far.connect(listener.getsockname())
        near, _ = listener.accept()
    if os.path.lexists("s"):
        os.unlink("s")
    near.setblocking(False)
    far.settimeout(10)
    return near, far


class TestPorts:
    @pytest.mark.parametrize("family", FAMILIES[:2])
    def test_it_accepts_and_the_socket_goes_on_elsewhere(self, reactor, run, family):
        self.serve(reactor, run, family)

    @differs("Twisted removes the file, which is its maker's")
    def test_so_does_a_unix_socket(self, reactor, run):
        self.serve(reactor, run, FAMILIES[2])

    def serve(self, reactor: Any, run: Any, family: int) -> None:
        async def scenario():
            with listening(family) as ours:
                factory = Server()
                port = reactor.adoptStreamPort(ours.fileno(), family, factory)
                assert verifyObject(IListeningPort, port)
                host = port.getHost()
                if family == socket.AF_INET:
                    assert host == IPv4Address("TCP", *ours.getsockname())
                elif family == socket.AF_INET6:
                    assert isinstance(host, IPv6Address)
                    assert host.port == ours.getsockname()[1]
                else:
                    assert host == UNIXAddress("s")
                made = factory.connection()
                with socket.socket(family) as peer:
                    peer.connect(ours.getsockname())
                    peer.sendall(b"hello")
                    server = await made
                    assert await server.bytes(5) == b"hello"
                await server.lost
                await port.stopListening()
                with socket.socket(family) as peer:
                    peer.connect(ours.getsockname())
                    ours.accept()[0].close()
                assert len(factory.protocols) == 1
                assert factory.events == ["doStart", "doStop"]

        run(scenario)

    def test_the_caller_closes_its_own(self, reactor, run):
        async def scenario():
            factory = Server()
            ours = listening(socket.AF_INET)
            where = ours.getsockname()
            port = reactor.adoptStreamPort(ours.fileno(), socket.AF_INET, factory)
            ours.close()
            client = Client()
            reactor.connectTCP(*where, client)
            await client.one.made
            client.one.transport.loseConnection()
            await client.lost
            await port.stopListening()
            assert isinstance(await refused(reactor, where), error.ConnectionRefusedError)

        run(scenario)

    @needs("IReactorSocket", "IReactorUNIX", "kernel", "engine")
    def test_the_same_socket_again_and_again(self, reactor, run):
        async def scenario():
            with listening(socket.AF_INET) as ours:
                for _ in range(5):
                    factory = Server()
                    port = reactor.adoptStreamPort(ours.fileno(), socket.AF_INET, factory)
                    client = Client()
                    reactor.connectTCP(*ours.getsockname(), client)
                    await client.one.made
                    client.one.transport.abortConnection()
                    await client.lost
                    await factory.protocols[0].lost
                    await port.stopListening()
                    with pytest.raises(error.CannotListenError, match="once"):
                        port.startListening()

        with nothing_left_open():
            run(scenario)


async def refused(reactor: Any, where: tuple[str, int]) -> Any:
    """Return why nobody can be connected to."""
    client = Client()
    reactor.connectTCP(*where, client)
    return await client.failed


class TestConnections:
    @pytest.mark.parametrize("family", FAMILIES)
    def test_it_is_served(self, reactor, run, family):
        async def scenario():
            near, far = both_ends(family)
            with near, far:
                far.sendall(b"early")
                factory = Server()
                transport = reactor.adoptStreamConnection(near.fileno(), family, factory)
                near.close()
                server = factory.protocols[0]
                assert transport is server.transport
                assert server.events == ["connectionMade"]
                if family == FAMILIES[2]:
                    assert transport.getHost() == UNIXAddress("s")
                else:
                    assert (transport.getHost().host, transport.getHost().port) == far.getpeername()[:2]
                    assert (transport.getPeer().host, transport.getPeer().port) == far.getsockname()[:2]
                assert await server.bytes(5) == b"early"
                transport.write(b"answer")
                transport.loseConnection()
                assert isinstance(await server.lost, error.ConnectionDone)
                assert await in_thread(reactor, far.recv, 100) == b"answer"
                assert await in_thread(reactor, far.recv, 100) == b""

        run(scenario)

    def test_no_protocol_leaves_the_socket_alone(self, reactor, run):
        async def scenario():
            near, far = both_ends(socket.AF_INET)
            with near, far:
                assert reactor.adoptStreamConnection(near.fileno(), socket.AF_INET, Server(lambda: None)) is None
                await pause(reactor)
                near.sendall(b"still ours")
                assert far.recv(100) == b"still ours"

        run(scenario)

    @needs("IReactorSocket", "IReactorUNIX", "kernel", "engine")
    def test_closing_ends_it_for_all(self, reactor, run):
        async def scenario():
            for _ in range(3):
                near, far = both_ends(socket.AF_INET)
                with near, far:
                    factory = Server()
                    transport = reactor.adoptStreamConnection(near.fileno(), socket.AF_INET, factory)
                    await pause(reactor)
                    transport.loseConnection()
                    await factory.protocols[0].lost
                    assert far.recv(100) == b""

        with nothing_left_open():
            run(scenario)

    @needs("IReactorSocket", "IReactorUNIX", "kernel", "engine")
    def test_hooks_that_raise_cost_it(self, reactor, run):
        async def scenario():
            for hook in ("buildProtocol", "connectionMade"):
                near, far = both_ends(socket.AF_UNIX)
                with near, far:
                    factory = Server(lambda: Recorder({"connectionMade": lambda _: 1 / 0}))
                    if hook == "buildProtocol":
                        factory.make = lambda: 1 / 0
                    with pytest.raises(ZeroDivisionError):
                        reactor.adoptStreamConnection(near.fileno(), socket.AF_UNIX, factory)
                    await pause(reactor)
                    far.setblocking(False)
                    if hook == "buildProtocol":
                        with pytest.raises(BlockingIOError):
                            far.recv(1)
                    else:
                        assert far.recv(1) == b""

        with nothing_left_open():
            run(scenario)


class TestRefusals:
    @differs("Twisted believes the caller about the family, and finds out about the rest later")
    def test_what_is_no_such_socket(self, reactor):
        near, far = both_ends(socket.AF_INET)
        reader, writer = os.pipe()
        datagrams, listener, idle = socket.socket(type=socket.SOCK_DGRAM), listening(socket.AF_INET6), socket.socket()
        with near, far, datagrams, listener, idle, nothing_left_open():
            for adopt in (reactor.adoptStreamPort, reactor.adoptStreamConnection):
                for number, family, kind, code in [
                    (near.fileno(), 2**16 + 7, error.UnsupportedAddressFamily, None),
                    (near.fileno(), socket.AF_INET6, error.UnsupportedAddressFamily, None),
                    (reader, socket.AF_INET, OSError, errno.ENOTSOCK),
                    (datagrams.fileno(), socket.AF_INET, OSError, None),
                    (idle.fileno(), socket.AF_INET, OSError, None),
                    (-1, socket.AF_INET, OSError, errno.EBADF),
                ]:
                    factory = Server()
                    with pytest.raises(kind) as caught:
                        adopt(number, family, factory)
                    assert code is None or caught.value.errno == code
                    assert not factory.events
            with pytest.raises(OSError, match="no stream socket that listens"):
                reactor.adoptStreamPort(near.fileno(), socket.AF_INET, Server())
            with pytest.raises(OSError, match="no connected"):
                reactor.adoptStreamConnection(listener.fileno(), socket.AF_INET6, Server())
        os.close(reader)
        os.close(writer)

    def test_a_descriptor_that_is_closed(self, reactor):
        number = os.open(os.devnull, os.O_RDONLY)
        os.close(number)
        for adopt in (reactor.adoptStreamPort, reactor.adoptStreamConnection):
            with pytest.raises(OSError, match="Bad file") as caught:
                adopt(number, socket.AF_INET, Server())
            assert caught.value.errno == errno.EBADF
        with pytest.raises(OSError, match="Bad file"):
            reactor.adoptDatagramPort(number, socket.AF_INET, DatagramProtocol())

    def test_the_interface(self, reactor):
        assert verifyObject(IReactorSocket, reactor)
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(error.UnsupportedAddressFamily):
            reactor.adoptDatagramPort(datagrams.fileno(), 2**16 + 7, DatagramProtocol())


class Datagrams(DatagramProtocol):
    def __init__(self) -> None:
        self.received: list[Any] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.received.append((datagram, addr))


class TestDatagrams:
    def test_they_are_served_and_the_socket_goes_on_elsewhere(self, reactor, run):
        async def scenario():
            with socket.socket(type=socket.SOCK_DGRAM) as ours, socket.socket(type=socket.SOCK_DGRAM) as peer:
                ours.bind(("127.0.0.1", 0))
                ours.setblocking(False)
                peer.bind(("127.0.0.1", 0))
                protocol = Datagrams()
                port = reactor.adoptDatagramPort(ours.fileno(), socket.AF_INET, protocol)
                assert port.getHost() == IPv4Address("UDP", *ours.getsockname())
                peer.sendto(b"hello", ours.getsockname())
                await until(reactor, lambda: protocol.received)
                assert protocol.received == [(b"hello", peer.getsockname())]
                await port.stopListening()
                peer.sendto(b"you", ours.getsockname())
                assert ours.recv(10) == b"you"

        run(scenario)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports cannot be shared here")
@needs("IReactorSocket", "kernel", "engine")
class TestSharedPorts:
    def test_two_ports_share_what_comes(self, reactor, run):
        async def scenario():
            assert verifyObject(IReactorTCP2, reactor)
            factories = [Server(), Server()]
            first = reactor.listenTCP(makeBinding("127.0.0.1", 0, reusePort=True), factories[0])
            number = first.getHost().port
            second = reactor.listenTCP(makeBinding("127.0.0.1", number, reusePort=True), factories[1])
            assert second.getHost() == first.getHost()
            with pytest.raises(error.CannotListenError):
                reactor.listenTCP(makeBinding("127.0.0.1", number), Server())
            clients = []
            while not all(factory.protocols for factory in factories):
                client = Client()
                reactor.connectTCP("127.0.0.1", number, client)
                await client.one.made
                clients.append(client)
            for client in clients:
                client.one.transport.abortConnection()
                await client.lost
            for port in (first, second):
                await port.stopListening()

        run(scenario)

    def test_a_connection_from_a_shared_port(self, reactor, run):
        async def scenario():
            factory = Server()
            port = reactor.listenTCP(0, factory, interface="127.0.0.1")
            taken = reactor.listenTCP(makeBinding("127.0.0.1", 0, reusePort=True), Server())
            ours = taken.getHost().port
            for shared in (False, True):
                client = Client()
                here = makeBinding("127.0.0.1", ours, reusePort=shared)
                reactor.connectTCP("127.0.0.1", port.getHost().port, client, bindAddress=here)
                if shared:
                    await client.one.made
                    assert client.one.transport.getHost().port == ours
                    client.one.transport.abortConnection()
                    await client.lost
                else:
                    assert isinstance(await client.failed, error.ConnectBindError)
            await port.stopListening()
            await taken.stopListening()

        run(scenario)
