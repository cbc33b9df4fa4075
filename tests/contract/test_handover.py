"""Sockets that listen already and are handed to a reactor: its ports adopt them instead of binding their own."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import needs
from contract.harness import Client, Server, in_thread, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.interfaces.handover import IHandedPort, ListeningAddress
from torsion.internet.protocol import DatagramProtocol
from torsion.internet.transports.handedover import address_of_socket

pytestmark = [
    needs("IReactorSocket", "IReactorUNIX", "kernel", "engine"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to hand over"),
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def here(name: str) -> str:
    """Return the whole path of *name*."""
    return os.path.abspath(name)


class Source:
    """Hands out the sockets that it has, each once, and notes what it is told."""

    def __init__(self, *made: socket.socket) -> None:
        self.left = [(address_of_socket(each), each) for each in made]
        self.asked: list[tuple[ListeningAddress, Any]] = []
        self.open: dict[Any, ListeningAddress] = {}
        self.problem: OSError | None = None

    def take(self, address: ListeningAddress, port: Any) -> socket.socket | None:
        self.asked.append((address, port))
        if self.problem is not None:
            raise self.problem
        for entry in self.left:
            if entry[0] == address:
                self.left.remove(entry)
                return entry[1]
        return None

    def opened(self, address: ListeningAddress, port: Any) -> None:
        assert port.fileno() >= 0
        self.open[port] = address

    def closed(self, address: ListeningAddress, port: Any) -> None:
        assert self.open.pop(port) == address


def bound(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, name: str = "s") -> socket.socket:
    """Return a socket that is bound, and does not listen."""
    made = socket.socket(family, kind)
    made.bind({socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0)}.get(family, name))
    return made


async def answers(reactor: Any, factory: Server, where: Any, family: int = socket.AF_INET) -> None:
    """See to it that a connection to *where* comes to *factory*."""
    made = factory.connection()
    with socket.socket(family) as peer:
        peer.connect(where)
        peer.sendall(b"hello")
        server = await made
        assert await server.bytes(5) == b"hello"
    await server.lost


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("listens", [True, False], ids=["listening", "bound"])
def test_tcp(reactor, run, family, listens):
    async def scenario():
        ours = bound(family)
        if listens:
            ours.listen()
        with ours.dup() as kept:
            where = ours.getsockname()
            source = reactor.sockets = Source(ours)
            factory = Server()
            port = reactor.listenTCP(where[1], factory, interface=where[0])
            assert verifyObject(IHandedPort, port)
            assert ours.fileno() == -1, "the port has closed it"
            assert source.open == {port: ListeningAddress("TCP", where[0], where[1])}
            assert port.getHost().port == where[1]
            await answers(reactor, factory, where[:2], family)
            await port.stopListening()
            assert source.open == {}
            # For whoever else holds it, it goes on.
            with socket.socket(family) as peer:
                peer.connect(where)
                kept.accept()[0].close()

    with nothing_left_open():
        run(scenario)


def test_what_is_not_there_is_bound(reactor, run):
    async def scenario():
        source = reactor.sockets = Source()
        factory = Server()
        port = reactor.listenTCP(0, factory)
        assert source.asked == [(ListeningAddress("TCP", "0.0.0.0", 0), port)]
        assert source.open == {port: ListeningAddress("TCP", "0.0.0.0", 0)}
        await answers(reactor, factory, ("127.0.0.1", port.getHost().port))
        await port.stopListening()
        assert source.open == {}

    run(scenario)


def test_the_same_again_and_again(reactor, run):
    """A port that listens anew asks anew."""

    async def scenario():
        source = reactor.sockets = Source()
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        for _ in range(3):
            await port.stopListening()
            port.startListening()
        assert len(source.asked) == 4
        await port.stopListening()
        assert source.open == {}

    run(scenario)


@pytest.mark.parametrize(
    ("interface", "known"),
    [
        ("", "0.0.0.0"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::", "::"),
    ],
)
def test_addresses_have_one_spelling(reactor, run, interface, known):
    async def scenario():
        source = reactor.sockets = Source()
        port = reactor.listenTCP(0, Server(), interface=interface)
        assert source.asked[0][0] == ListeningAddress("TCP", known, 0)
        await port.stopListening()

    run(scenario)


def test_who_says_no_is_heard(reactor, run):
    async def scenario():
        source = reactor.sockets = Source()
        source.problem = OSError(13, "not you")
        for listen in (
            lambda: reactor.listenTCP(0, Server()),
            lambda: reactor.listenUNIX("s", Server()),
            lambda: reactor.listenUDP(0, DatagramProtocol()),
            lambda: reactor.listenUNIXDatagram("d", DatagramProtocol()),
        ):
            with pytest.raises(error.CannotListenError, match="not you"):
                listen()
        assert source.open == {}
        assert os.listdir() == []

    with nothing_left_open():
        run(scenario)


def test_what_does_not_do_is_told(reactor, run):
    """A socket of another kind than was asked for; nothing is left of it."""

    async def scenario():
        wrong = bound(kind=socket.SOCK_DGRAM)
        source = reactor.sockets = Source()
        source.left.append((ListeningAddress("TCP", "127.0.0.1", 7), wrong))
        with pytest.raises(error.CannotListenError):
            reactor.listenTCP(7, Server(), interface="127.0.0.1")
        assert wrong.fileno() == -1
        assert source.open == {}

    with nothing_left_open():
        run(scenario)


class TestUNIX:
    def test_the_file_stays(self, reactor, run):
        async def scenario():
            ours = bound(socket.AF_UNIX)
            ours.listen()
            source = reactor.sockets = Source(ours)
            factory = Server()
            port = reactor.listenUNIX("s", factory)
            assert source.open == {port: ListeningAddress("UNIX", here("s"), 0)}
            await answers(reactor, factory, "s", socket.AF_UNIX)
            await port.stopListening()
            assert stat.S_ISSOCK(os.lstat("s").st_mode)

        with nothing_left_open():
            run(scenario)

    def test_it_is_ours_when_it_is_left_to_us(self, reactor, run):
        async def scenario():
            ours = bound(socket.AF_UNIX)
            os.symlink("1", "s.lock")  # of the process before
            reactor.sockets = Source(ours)
            port = reactor.listenUNIX("s", Server(), mode=0o640, wantPID=True)
            assert os.readlink("s.lock") == "1"
            port.taken_over()
            assert os.readlink("s.lock") == str(os.getpid())
            assert stat.S_IMODE(os.lstat("s").st_mode) == 0o640
            assert sorted(os.listdir()) == ["s", "s.lock"]
            await port.stopListening()
            assert os.listdir() == []

        run(scenario)

    def test_given_away_it_stays_with_its_lock(self, reactor, run):
        async def scenario():
            reactor.sockets = Source()
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            port.given_away()
            port.given_away()
            await port.stopListening()
            assert sorted(os.listdir()) == ["s", "s.lock"]

        run(scenario)

    def test_kept_after_all_it_goes(self, reactor, run):
        async def scenario():
            reactor.sockets = Source()
            port = reactor.listenUNIX("s", Server(), wantPID=True)
            port.given_away()
            port.kept()
            await port.stopListening()
            assert os.listdir() == []

        run(scenario)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has abstract names")
    def test_abstract_names(self, reactor, run):
        async def scenario():
            name = f"\0torsion-test-{os.getpid()}"
            ours = bound(socket.AF_UNIX, name=name)
            ours.listen()
            source = reactor.sockets = Source(ours)
            factory = Server()
            port = reactor.listenUNIX(name, factory)
            assert source.left == []
            port.taken_over()
            await answers(reactor, factory, name, socket.AF_UNIX)
            await port.stopListening()

        run(scenario)


class Receiver(DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.received.append(datagram)


class TestDatagrams:
    def test_udp(self, reactor, run):
        async def scenario():
            ours = bound(kind=socket.SOCK_DGRAM)
            where = ours.getsockname()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.sendto(b"early", where)
                source = reactor.sockets = Source(ours)
                receiver = Receiver()
                port = reactor.listenUDP(where[1], receiver, interface=where[0])
                assert verifyObject(IHandedPort, port)
                assert source.open == {port: ListeningAddress("UDP", *where)}
                peer.sendto(b"late", where)
                await until(reactor, lambda: len(receiver.received) == 2)
            assert receiver.received == [b"early", b"late"]
            await port.stopListening()
            assert source.open == {}

        with nothing_left_open():
            run(scenario)

    def test_unix(self, reactor, run):
        async def scenario():
            ours = bound(socket.AF_UNIX, socket.SOCK_DGRAM, "d")
            source = reactor.sockets = Source(ours)
            receiver = Receiver()
            port = reactor.listenUNIXDatagram("d", receiver)
            assert source.open == {port: ListeningAddress("UNIXDatagram", here("d"), 0)}
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                peer.sendto(b"hello", "d")
                await until(reactor, lambda: receiver.received)
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    @needs("IReactorMulticast", "IReactorSocket", "kernel", "engine")
    def test_groups_that_were_joined_before(self, reactor, run):
        """The socket is a member already, which is what the program wants."""

        async def scenario():
            ours = bound(kind=socket.SOCK_DGRAM)
            membership = socket.inet_aton("228.0.0.5") + socket.inet_aton("127.0.0.1")
            ours.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            reactor.sockets = Source(ours)
            where = ours.getsockname()
            port = reactor.listenMulticast(where[1], Receiver(), interface=where[0])
            await port.joinGroup("228.0.0.5", "127.0.0.1")
            await port.leaveGroup("228.0.0.5", "127.0.0.1")
            await port.stopListening()

        run(scenario)

    @needs("IReactorMulticast", "IReactorSocket", "kernel", "engine")
    def test_what_is_shared_is_not_asked_for(self, reactor, run):
        async def scenario():
            source = reactor.sockets = Source()
            port = reactor.listenMulticast(0, Receiver(), listenMultiple=True)
            assert source.asked == []
            assert source.open == {}
            await port.stopListening()

        run(scenario)


@needs("IReactorSSL", "IReactorSocket", "kernel", "engine")
def test_tls_is_tcp(reactor, run):
    """A port that begins to speak TLS, or ceases to, has the same socket."""

    async def scenario():
        from torsion.internet.ssl import PrivateCertificate

        ours = bound()
        where = ours.getsockname()
        source = reactor.sockets = Source(ours)
        options = certificate(PrivateCertificate).options()
        port = reactor.listenSSL(where[1], Server(), options, interface=where[0])
        assert source.open == {port: ListeningAddress("TCP", *where)}
        await port.stopListening()

    run(scenario)


def certificate(kind: Any) -> Any:
    """Return a certificate of our own making, with its key."""
    from torsion.internet.ssl import DN, KeyPair

    key = KeyPair.generate(size=2048)
    request = key.certificateRequest(DN(commonName="localhost"))
    signed = key.signCertificateRequest(DN(commonName="localhost"), request, lambda dn: True, 1)
    return key.newCertificate(signed)


def test_only_in_the_reactors_thread(reactor, run):
    """Nothing is taken that nobody can use."""

    async def scenario():
        source = reactor.sockets = Source(bound())

        def listen() -> None:
            with pytest.raises(error.WrongThreadError):
                reactor.listenTCP(source.left[0][0].port, Server(), interface="127.0.0.1")

        await in_thread(reactor, listen)
        assert source.asked == []
        source.left.pop()[1].close()

    run(scenario)


def test_nobody_is_asked_without_a_source(reactor, run):
    async def scenario():
        assert reactor.sockets is None
        port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
        assert port.asked is None
        client = Client()
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        await client.one.made
        client.one.transport.abortConnection()
        await client.lost
        await port.stopListening()
        await pause(reactor)

    run(scenario)


@needs("IReactorTCP", "engine")
def test_in_memory_there_is_none(reactor_factory):
    """It is set there in vain, and everywhere else not."""
    reactor = reactor_factory()
    reactor.sockets = source = Source()
    assert reactor.sockets is (None if hasattr(reactor, "network") else source)
    port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
    assert bool(source.asked) is not hasattr(reactor, "network")
    port.stopListening()
