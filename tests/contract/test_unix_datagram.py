"""``IReactorUNIXDatagram``: datagrams over the paths of this computer."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.datagrams import OnePeer, Post, echo
from contract.flavours import differs, needs
from contract.harness import nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.address import UNIXAddress
from torsion.internet.interfaces import IListeningPort, IUNIXDatagramConnectedTransport, IUNIXDatagramTransport

pytestmark = [
    needs("IReactorUNIXDatagram", "kernel"),
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or sys.platform == "win32", reason="needs Unix sockets"),
]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names without files")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder whose path is short, as those of sockets have to be."""
    with TemporaryDirectory(prefix="torsion") as folder:
        yield Path(folder)


class TestExchange:
    """Datagrams go to and fro."""

    def test_a_client_asks_and_is_answered(self, reactor, run, place):
        server_path, client_path = str(place / "server"), str(place / "client")

        async def scenario():
            received, answered = Post({"datagramReceived": echo}), OnePeer()
            server = reactor.listenUNIXDatagram(server_path, received)
            client = reactor.connectUNIXDatagram(server_path, answered, bindAddress=client_path)
            assert (server.getHost(), client.getHost()) == (UNIXAddress(server_path), UNIXAddress(client_path))
            assert client.getPeer() == UNIXAddress(server_path)
            for datagram in (b"one", b"", b"three"):
                client.write(datagram)
            assert await answered.got(3) == [b"one", b"", b"three"]
            assert received.senders == [client_path] * 3
            assert answered.senders == [None] * 3  # there is one, so it is not told

        run(scenario)

    def test_who_has_no_path_is_heard_but_has_no_address(self, reactor, run, place):
        path = str(place / "server")

        async def scenario():
            received = Post()
            reactor.listenUNIXDatagram(path, received)
            client = reactor.connectUNIXDatagram(path, OnePeer())
            client.write(b"from nowhere")
            assert await received.got(1) == [b"from nowhere"]
            assert received.senders == [None]
            assert not client.getHost().name

        run(scenario)

    @on_linux
    def test_a_name_need_not_be_a_file(self, reactor, run):
        name = f"torsion-test-{os.getpid()}"

        async def scenario():
            received, answered = Post({"datagramReceived": echo}), OnePeer()
            server = reactor.listenUNIXDatagram("\0" + name, received)
            assert server.getHost() == UNIXAddress("\0" + name)
            client = reactor.connectUNIXDatagram("\0" + name, answered, bindAddress=f"\0{name}-client")
            client.write(b"hello")
            assert await answered.got(1) == [b"hello"]
            assert received.senders == [f"\0{name}-client".encode()]

        run(scenario)

    @differs("Twisted takes str only")
    @pytest.mark.parametrize("kind", [str, os.fsencode, Path])
    def test_a_path_may_be_written_in_any_way(self, reactor, run, place, kind):
        path, other = kind(str(place / "server")), kind(str(place / "client"))

        async def scenario():
            received, answered = Post(), OnePeer()
            server = reactor.listenUNIXDatagram(path, received)
            client = reactor.connectUNIXDatagram(path, answered, bindAddress=other)
            client.write(b"there")
            await received.got(1)
            server.write(b"and back", other)
            assert await answered.got(1) == [b"and back"]

        run(scenario)

    def test_with_a_plain_socket(self, reactor, run, place):
        path = str(place / "server")

        async def scenario():
            received = Post({"datagramReceived": echo})
            reactor.listenUNIXDatagram(path, received)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                peer.bind(str(place / "peer"))
                peer.settimeout(5)
                peer.sendto(b"hello", path)
                await received.got(1)
                await pause(reactor)
                assert peer.recv(100) == b"hello"

        run(scenario)

    def test_what_is_longer_than_the_limit_is_cut_off(self, reactor, run, place):
        path = str(place / "server")

        async def scenario():
            received = Post()
            reactor.listenUNIXDatagram(path, received, maxPacketSize=4)
            client = reactor.connectUNIXDatagram(path, OnePeer())
            client.write(b"too long")
            assert await received.got(1) == [b"too "]

        run(scenario)

    def test_a_full_queue_drops_and_does_not_block(self, reactor, run, place):
        path = str(place / "server")

        async def scenario():
            received = Post()
            reactor.listenUNIXDatagram(path, received)
            client = reactor.connectUNIXDatagram(path, OnePeer())
            for _ in range(5000):
                client.write(b"x")
            await received.got(1)
            await pause(reactor)
            assert len(received.datagrams) < 5000

        run(scenario)


class TestListening:
    """How ports begin and end."""

    def test_they_provide_their_interfaces(self, reactor, run, place):
        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), Post())
            client = reactor.connectUNIXDatagram(str(place / "server"), OnePeer())
            assert verifyObject(IUNIXDatagramTransport, server)
            assert verifyObject(IListeningPort, server)
            assert verifyObject(IUNIXDatagramConnectedTransport, client)
            assert str(place / "server") in repr(server)

        run(scenario)

    def test_the_file_has_the_mode_that_was_asked_for(self, reactor, run, place):
        async def scenario():
            for mode in (0o600, 0o666):
                path = place / f"{mode:o}"
                reactor.listenUNIXDatagram(str(path), Post(), mode=mode)
                assert stat.S_IMODE(path.stat().st_mode) == mode

        run(scenario)

    @differs("Twisted ignores the mode of a client")
    def test_so_has_a_clients(self, reactor, run, place):
        async def scenario():
            reactor.listenUNIXDatagram(str(place / "server"), Post())
            path = place / "client"
            reactor.connectUNIXDatagram(str(place / "server"), OnePeer(), mode=0o600, bindAddress=str(path))
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

        run(scenario)

    @differs("Twisted leaves the socket open")
    def test_a_path_in_use_is_named(self, reactor, run, place):
        path = str(place / "server")

        async def scenario():
            first = reactor.listenUNIXDatagram(path, Post())
            with pytest.raises(error.CannotListenError) as caught:
                reactor.listenUNIXDatagram(path, Post())
            assert caught.value.port == path
            await first.stopListening()
            # It stays, as with Twisted.
            with pytest.raises(error.CannotListenError):
                reactor.listenUNIXDatagram(path, Post())

        run(scenario)

    @differs("Twisted leaves the socket open, and raises others' errors")
    @pytest.mark.parametrize("path", ["x" * 200, "no such folder/socket", "a\0b"])
    def test_a_path_that_will_not_do_is_named(self, reactor, path):
        with nothing_left_open():
            with pytest.raises(error.CannotListenError):
                reactor.listenUNIXDatagram(path, Post())
            with pytest.raises(error.CannotListenError):
                reactor.connectUNIXDatagram("nowhere", OnePeer(), bindAddress=path)

    def test_both_are_started_and_stopped(self, reactor, run, place):
        posts = Post(), OnePeer()

        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), posts[0])
            client = reactor.connectUNIXDatagram(str(place / "server"), posts[1])
            await client.stopListening()
            await server.stopListening()

        run(scenario)
        assert [post.events for post in posts] == [["startProtocol", "stopProtocol"]] * 2

    @differs("Twisted's port is in no state to be asked")
    def test_who_cannot_connect_is_told(self, reactor, run, place):
        post = OnePeer()

        async def scenario():
            with nothing_left_open():
                client = reactor.connectUNIXDatagram(str(place / "nobody"), post)
            assert client.stopListening() is None
            assert "not listening" in repr(client)
            client.write(b"lost")

        run(scenario)
        assert post.events == ["connectionFailed"]
        assert isinstance(post.failure.value, FileNotFoundError)


class TestFaults:
    """What goes wrong."""

    def test_nobody_at_the_path_is_told_where_it_is_written(self, reactor, run, place):
        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), Post())
            with pytest.raises(FileNotFoundError):
                server.write(b"x", str(place / "nobody"))
            gone = reactor.listenUNIXDatagram(str(place / "gone"), Post())
            await gone.stopListening()
            with pytest.raises(ConnectionRefusedError):
                server.write(b"x", str(place / "gone"))

        run(scenario)

    def test_too_long_is_told_where_it_is_written(self, reactor, run, place):
        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), Post())
            client = reactor.connectUNIXDatagram(str(place / "server"), OnePeer())
            for write in (lambda data: server.write(data, str(place / "server")), client.write):
                with pytest.raises(error.MessageLengthError):
                    write(bytes(10_000_000))

        run(scenario)

    def test_a_peer_that_has_gone_refuses(self, reactor, run, place):
        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), Post())
            post = OnePeer()
            client = reactor.connectUNIXDatagram(str(place / "server"), post)
            await server.stopListening()
            client.write(b"anybody?")
            await post.refused

        run(scenario)

    @differs("Twisted raises OSError the second time")
    def test_and_does_so_each_time(self, reactor, run, place):
        async def scenario():
            server = reactor.listenUNIXDatagram(str(place / "server"), Post())
            post = OnePeer()
            client = reactor.connectUNIXDatagram(str(place / "server"), post)
            await server.stopListening()
            for count in (1, 2, 3):
                client.write(b"anybody?")
                await until(reactor, lambda count=count: post.events.count("connectionRefused") == count)

        run(scenario)

    @needs("IReactorUNIXDatagram", "kernel", "engine")
    def test_a_hook_that_raises_costs_one_datagram(self, reactor, run, place, logged):
        def fail(post: Any) -> None:
            raise LookupError("bad")

        async def scenario():
            received = Post({"datagramReceived": fail})
            reactor.listenUNIXDatagram(str(place / "server"), received)
            client = reactor.connectUNIXDatagram(str(place / "server"), OnePeer())
            client.write(b"one")
            client.write(b"two")
            await received.got(2)

        run(scenario)
        assert len(logged.take(LookupError)) == 2
