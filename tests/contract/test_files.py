"""``IFileSendingTransport``: parts of files that connections send without reading them; and ``static.File`` over them."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer

from contract.flavours import needs
from contract.harness import Peer, Recorder, Server, after, in_thread, join_at, nothing_left_open, pause, until
from contract.test_tls import Contexts, identity
from torsion.internet import error
from torsion.internet.interfaces import IFileSendingTransport, IPushProducer
from torsion.web.http import HTTPChannel
from torsion.web.server import Site
from torsion.web.static import File

pytestmark = [
    needs("IReactorTCP", "kernel", "engine"),
    pytest.mark.skipif(sys.platform == "win32", reason="files have no descriptors there to send from"),
]

SIZE = 9 * 1024 * 1024 + 7
"""More than a flush sends, and than sockets hold of what nobody reads."""


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def path(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


async def serve(reactor: Any) -> tuple[Any, Peer]:
    factory = Server()
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connection = factory.connection()
    peer = Peer(port)
    return await connection, peer


@implementer(IPushProducer)
class Producer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")

    def stopProducing(self) -> None:
        self.events.append("stop")


class TestTransport:
    def test_files_go_between_what_is_written(self, reactor, run, path, content):
        async def scenario():
            protocol, peer = await serve(reactor)
            transport = protocol.transport
            assert IFileSendingTransport.providedBy(transport)
            with path.open("rb") as file:
                transport.write(b"head")
                transport.sendFile(file, 0, SIZE)
                transport.write(b"between")
                transport.sendFile(file.fileno(), 1000, 24)
                transport.sendFile(file, 0, 0)
                transport.write(b"end")
                assert file.tell() == 0
            transport.loseConnection()  # which waits for all of it
            data = await peer.read_all(reactor)
            assert data == b"head" + content + b"between" + content[1000:1024] + b"end"
            reason = await after(reactor, protocol.lost)
            assert isinstance(reason, error.ConnectionDone)
            peer.close()

        with nothing_left_open():
            run(scenario)

    def test_half_a_connection_is_closed_behind_them(self, reactor, run, path, content):
        async def scenario():
            protocol, peer = await serve(reactor)
            with path.open("rb") as file:
                protocol.transport.sendFile(file, 5, SIZE - 5)
            protocol.transport.loseWriteConnection()
            assert await peer.read_all(reactor) == content[5:]
            peer.close()
            await after(reactor, protocol.lost)

        with nothing_left_open():
            run(scenario)

    def test_a_producer_waits_for_them(self, reactor, run, path):
        async def scenario():
            protocol, peer = await serve(reactor)
            producer = Producer()
            protocol.transport.registerProducer(producer, True)
            with path.open("rb") as file:
                protocol.transport.sendFile(file, 0, 100)
                assert producer.events == []
                for _ in range(4):
                    protocol.transport.sendFile(file, 0, SIZE)
            assert producer.events == ["pause"]
            assert protocol.transport.statistics()["bytes_queued"] == 4 * SIZE + 100
            await pause(reactor, 0.02)
            assert producer.events == ["pause"]
            got = 0
            while got < 4 * SIZE + 100:
                got += len(await peer.read(reactor, 1 << 20))
            await until(reactor, lambda: "resume" in producer.events)
            assert producer.events == ["pause", "resume"]
            protocol.transport.unregisterProducer()
            peer.close()
            await after(reactor, protocol.lost)

        run(scenario)

    @pytest.mark.parametrize("how", ["abort", "reset"])
    def test_one_that_is_never_sent_is_closed(self, reactor, run, path, how):
        async def scenario():
            protocol, peer = await serve(reactor)
            with path.open("rb") as file:
                for _ in range(9):
                    protocol.transport.sendFile(file, 0, SIZE)
            await pause(reactor)
            if how == "abort":
                protocol.transport.abortConnection()
            else:
                peer.reset()
            await after(reactor, protocol.lost)
            with path.open("rb") as file:
                protocol.transport.sendFile(file, 0, 1)  # nobody takes it any more
            peer.close()

        with nothing_left_open():
            run(scenario)

    def test_one_that_is_too_short_loses_the_connection(self, reactor, run, path, content):
        async def scenario():
            protocol, peer = await serve(reactor)
            with path.open("rb") as file:
                protocol.transport.sendFile(file, 0, SIZE)
                os.truncate(path, 1000)
                protocol.transport.write(b"never")
            assert await peer.read_all(reactor) == content[:1000]
            reason = await after(reactor, protocol.lost)
            assert isinstance(reason, error.ConnectionLost)
            assert os.strerror(errno.ENODATA) in str(reason)
            peer.close()

        with nothing_left_open():
            run(scenario)

    def test_what_is_no_part_of_a_file_is_refused(self, reactor, run, path, tmp_path):
        async def scenario():
            protocol, peer = await serve(reactor)
            send = protocol.transport.sendFile
            with path.open("rb") as file:
                with pytest.raises(ValueError, match="neither may be negative"):
                    send(file, -1, 5)
                with pytest.raises(ValueError, match="neither may be negative"):
                    send(file, 0, -5)
                with pytest.raises(TypeError):
                    send(file, 0.5, 5)
            with pytest.raises(ValueError, match="closed file"):
                send(file, 0, 5)
            end, other = os.pipe()
            with pytest.raises(ValueError, match="no regular file"):
                send(end, 0, 5)
            os.close(end)
            os.close(other)
            with pytest.raises(OSError, match="Bad file descriptor"):
                send(end, 0, 5)
            folder = os.open(tmp_path, os.O_RDONLY)
            with pytest.raises(ValueError, match="no regular file"):
                send(folder, 0, 5)
            os.close(folder)
            protocol.transport.write(b"as before")
            assert await peer.read(reactor) == b"as before"
            peer.close()
            await after(reactor, protocol.lost)

        run(scenario)

    @needs("IReactorSSL", "kernel", "engine")
    @pytest.mark.parametrize("native", [True, False])
    def test_over_tls_they_are_refused(self, reactor, run, path, native):
        options = identity().options()

        async def scenario():
            protocol, peer = await serve(reactor)
            protocol.transport.startTLS(options if native else Contexts(options.getContext()))
            with path.open("rb") as file, pytest.raises(RuntimeError, match="secured"):
                protocol.transport.sendFile(file, 0, 5)
            protocol.transport.abortConnection()
            await after(reactor, protocol.lost)
            peer.close()

        with nothing_left_open():
            run(scenario)

    def test_others_are_served_meanwhile(self, reactor, run, path):
        """One connection takes as fast as it can; another is answered long before that is over."""

        async def scenario():
            protocol, peer = await serve(reactor)
            with path.open("rb") as file:
                for _ in range(20):
                    protocol.transport.sendFile(file, 0, SIZE)
            reading = in_thread(reactor, read_to_end, peer.socket, 20 * SIZE)
            turns: list[None] = []
            while not reading.called:
                await pause(reactor)
                turns.append(None)
            assert await reading == 20 * SIZE
            assert len(turns) >= 20 * SIZE // (2 * 1024 * 1024)
            peer.close()
            await after(reactor, protocol.lost)

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_over_unix_sockets_and_beside_descriptors(self, reactor, run, path, content, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        async def scenario():
            server, client, port = await join_at(reactor, Recorder(), Recorder())
            with path.open("rb") as file:
                server.transport.sendFile(file, 0, SIZE)
                server.transport.write(b"x")
                server.transport.sendFileDescriptor(file.fileno())
                server.transport.sendFile(file, 10, SIZE - 10)
            server.transport.loseConnection()
            await after(reactor, client.lost)
            assert client.received == content + b"x" + content[10:]
            await port.stopListening()

        with nothing_left_open():
            run(scenario)


def read_to_end(sock: Any, size: int) -> int:
    room, got = bytearray(1 << 20), 0
    while got < size and (count := sock.recv_into(room)):
        got += count
    return got


def ask(path: str, **headers: str) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()


class TestStatic:
    def test_whole_files_and_parts_follow_each_other(self, reactor, run, path, content):
        async def scenario():
            port = reactor.listenTCP(0, Site(File(str(path.parent))), interface="127.0.0.1")
            peer = Peer(port)
            peer.send(ask("/file") + ask("/file", Range="bytes=100-2000099") + ask("/file", Connection="close"))
            data = await peer.read_all(reactor)
            bodies = []
            for _ in range(3):
                head, data = data.split(b"\r\n\r\n", 1)
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                bodies.append(data[:size])
                data = data[size:]
            assert data == b""
            assert bodies == [content, content[100:2000100], content]
            peer.close()
            await port.stopListening()

        run(scenario)

    def test_clients_that_leave_take_nothing_along(self, reactor, run, path):
        async def scenario():
            port = reactor.listenTCP(0, Site(File(str(path.parent))), interface="127.0.0.1")
            peers = [Peer(port) for _ in range(10)]
            for peer in peers:
                peer.send(ask("/file"))
            for number, peer in enumerate(peers):
                assert await peer.read(reactor, 1000)
                if number % 2:
                    peer.reset()
                else:
                    peer.close()
            await until(reactor, lambda: not reactor.connections())
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_a_hundred_clients_at_once(self, reactor, run, path, content):
        os.truncate(path, 300_000)

        async def scenario():
            port = reactor.listenTCP(0, Site(File(str(path.parent))), interface="127.0.0.1")
            peers = []
            for _ in range(100):
                peers.append(Peer(port))
                peers[-1].send(ask("/file", Connection="close"))
                await pause(reactor)  # so that they are accepted: a queue does not hold so many
            for peer in peers:
                data = await peer.read_all(reactor)
                assert data.endswith(b"\r\n\r\n" + content[:300_000])
                peer.close()
            await until(reactor, lambda: not reactor.connections())
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_a_file_that_becomes_shorter_ends_the_connection(self, reactor, run, path, content):
        async def scenario():
            port = reactor.listenTCP(0, Site(File(str(path.parent))), interface="127.0.0.1")
            peer = Peer(port)
            peer.send(ask("/file"))
            data = await peer.read(reactor, 1000)
            os.truncate(path, 1000)
            data += await peer.read_all(reactor)
            body = data.split(b"\r\n\r\n", 1)[1]
            assert len(body) < SIZE, "the client can tell"
            assert body[:1000] == content[:1000]
            peer.close()
            await until(reactor, lambda: not reactor.connections())
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    def test_a_client_that_takes_nothing_is_given_up_and_one_that_is_slow_is_not(self, reactor, run, path, content):
        class Impatient(HTTPChannel):
            abortTimeout = 0.1

        async def scenario():
            site = Site(File(str(path.parent)), timeout=0.7)
            site.protocol = Impatient
            port = reactor.listenTCP(0, site, interface="127.0.0.1")
            slow, dead = Peer(port), Peer(port)
            dead.send(ask("/file"))
            slow.send(ask("/file", Connection="close"))
            data = bytearray()
            while piece := await slow.read(reactor, 256 * 1024):
                data += piece
                await pause(reactor, 0.03)  # in all, longer than the other is waited for
            assert data.endswith(content)
            await until(reactor, lambda: not reactor.connections())
            slow.close()
            dead.close()
            await port.stopListening()

        with nothing_left_open():
            run(scenario)
