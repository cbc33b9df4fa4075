"""``IUNIXTransport``: open files that are passed along streams at paths."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer

from contract.flavours import differs, needs
from contract.harness import Recorder, Server, after, join_at, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.interfaces import IFileDescriptorReceiver

pytestmark = [
    needs("IReactorUNIX", "kernel"),
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@implementer(IFileDescriptorReceiver)
class Receiver(Recorder):
    """Takes descriptors, and notes which files they are."""

    def __init__(self, do: Any = None) -> None:
        super().__init__(do)
        self.files: list[int] = []
        self.order: list[Any] = []

    def fileDescriptorReceived(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        os.close(descriptor)
        self.files.append(status.st_size)
        self.order.append(status.st_size)
        self.note("fileDescriptorReceived")

    def dataReceived(self, data: bytes) -> None:
        self.order.append(data)
        super().dataReceived(data)


def file(size: int = 0) -> int:
    """Return a descriptor of a file that is known by its size."""
    descriptor = os.open(f"file{size}", os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, size)
    return descriptor


class TestDescriptors:
    def test_one_comes_before_its_bytes(self, reactor, run):
        async def scenario():
            receiver = Receiver()
            _, client, port = await join_at(reactor, receiver)
            descriptor = file(3)
            client.transport.sendFileDescriptor(descriptor)
            client.transport.write(b"x")
            await receiver.bytes(1)
            os.close(descriptor)
            assert receiver.order == [3, b"x"]
            client.transport.loseConnection()
            await receiver.lost
            await port.stopListening()

        run(scenario)

    def test_none_is_lost_among_bytes(self, reactor, run):
        async def scenario():
            receiver = Receiver()
            _, client, port = await join_at(reactor, receiver)
            descriptors = [file(size) for size in range(30)]
            for descriptor in descriptors:
                client.transport.write(b"before")
                client.transport.sendFileDescriptor(descriptor)
                client.transport.write(b"behind")
            await receiver.bytes(30 * 12)
            assert receiver.files == list(range(30))
            assert receiver.received == b"beforebehind" * 30
            for descriptor in descriptors:
                os.close(descriptor)
            client.transport.loseConnection()
            await receiver.lost
            await port.stopListening()

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_plain_peer_sends_and_gets_them(self, reactor, run):
        async def scenario():
            factory = Server(Receiver)
            port = reactor.listenUNIX("s", factory)
            connected = factory.connection()
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect("s")
                receiver = await connected
                descriptors = [file(size) for size in range(5)]
                socket.send_fds(peer, [b"abc"], descriptors[:2])
                peer.sendall(b"def")
                socket.send_fds(peer, [b"ghi"], descriptors[2:])
                await receiver.bytes(9)
                assert receiver.files == [0, 1, 2, 3, 4]
                for descriptor in descriptors[:2]:
                    receiver.transport.sendFileDescriptor(descriptor)
                    os.close(descriptor)  # ours may go at once
                receiver.transport.write(b"back")
                await pause(reactor)
                data, got, flags, _ = socket.recv_fds(peer, 100, 10)
                assert (data, flags & socket.MSG_CTRUNC) == (b"back", 0)
                assert [os.fstat(each).st_size for each in got] == [0, 1]
                for each in [*got, *descriptors[2:]]:
                    os.close(each)
            await receiver.lost
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    @differs("Twisted does not resume it")
    def test_a_producer_is_paused_by_many(self, reactor, run):
        async def scenario():
            receiver = Receiver({"connectionMade": lambda self: self.transport.pauseProducing()})
            _, client, port = await join_at(reactor, receiver)
            events: list[str] = []

            class Producer:
                def pauseProducing(self):
                    events.append("pause")

                def resumeProducing(self):
                    events.append("resume")

                def stopProducing(self):
                    events.append("stop")

            client.transport.registerProducer(Producer(), True)
            descriptor = file(1)
            while not events:
                client.transport.sendFileDescriptor(descriptor)
                client.transport.write(b"x")
                await pause(reactor)
            receiver.transport.resumeProducing()
            await until(reactor, lambda: events == ["pause", "resume"])
            client.transport.unregisterProducer()
            client.transport.loseConnection()
            await receiver.lost
            assert len(receiver.files) == len(receiver.received)
            os.close(descriptor)
            await port.stopListening()

        run(scenario)

    def test_one_without_a_byte_is_an_overrun(self, reactor, run):
        async def scenario():
            receiver = Receiver()
            _, client, port = await join_at(reactor, receiver)
            client.transport.sendFileDescriptor(0)
            client.transport.loseConnection()
            assert isinstance(await client.lost, error.FileDescriptorOverrun)
            await receiver.lost
            await port.stopListening()

        run(scenario)

    @differs("Twisted finds out when it sends, and loses the connection")
    def test_one_that_is_not_open_is_refused(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            descriptor = file()
            os.close(descriptor)
            for number in (descriptor, -1):
                with pytest.raises(OSError, match=r"closed|Bad file") as caught:
                    client.transport.sendFileDescriptor(number)
                assert caught.value.errno == errno.EBADF
            client.transport.write(b"still here")
            await server.bytes(10)
            client.transport.loseConnection()
            client.transport.sendFileDescriptor(0)
            await server.lost
            client.transport.sendFileDescriptor(0)  # ignored, as bytes are
            await port.stopListening()

        run(scenario)

    def test_who_wants_none_gets_none(self, reactor, run):
        async def scenario():
            server, client, port = await join_at(reactor)
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            client.transport.sendFileDescriptor(writer)
            client.transport.write(b"x" * 100_000)
            await server.bytes(100_000)
            os.close(writer)
            assert os.read(reader, 1) == b"", "nobody has the other end"
            os.close(reader)
            client.transport.loseConnection()
            await after(reactor, server.lost)
            await port.stopListening()

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_method_is_no_promise(self, reactor, run):
        """Only who says so, by the interface, takes descriptors."""

        class Pretender(Recorder):
            def fileDescriptorReceived(self, descriptor):
                raise AssertionError

        async def scenario():
            server, client, port = await join_at(reactor, Pretender())
            descriptor = file()
            for _ in range(3):
                client.transport.sendFileDescriptor(descriptor)
                client.transport.write(b"x")
            await server.bytes(3)
            os.close(descriptor)
            client.transport.loseConnection()
            await server.lost
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_a_protocol_that_takes_over_gets_what_follows(self, reactor, run):
        async def scenario():
            receiver = Receiver()
            receiver.makeConnection = lambda transport: None  # only its later half is played
            server, client, port = await join_at(
                reactor, Recorder({"dataReceived": lambda self: setattr(self.transport, "protocol", receiver)})
            )
            client.transport.write(b"your turn")
            await server.bytes(9)
            descriptor = file(4)
            client.transport.sendFileDescriptor(descriptor)
            client.transport.write(b"x")
            await receiver.bytes(1)
            assert receiver.order == [4, b"x"]
            os.close(descriptor)
            client.transport.loseConnection()
            await receiver.lost
            await port.stopListening()

        with nothing_left_open():
            run(scenario)

    @differs("Twisted leaves those that were not delivered open")
    def test_a_receiver_that_raises_loses_its_connection_and_no_descriptor(self, reactor, run, logged):
        async def scenario():
            receiver = Receiver({"fileDescriptorReceived": lambda _: 1 / 0})
            factory = Server(lambda: receiver)
            port = reactor.listenUNIX("s", factory)
            connected = factory.connection()
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect("s")
                await connected
                descriptor = file(1)
                socket.send_fds(peer, [b"x"], [descriptor] * 5)
                os.close(descriptor)
                assert isinstance(await receiver.lost, ZeroDivisionError)
            assert receiver.order == [1]
            await port.stopListening()

        with nothing_left_open():
            run(scenario)
        assert logged.take(ZeroDivisionError)

    def test_one_that_ends_the_connection_still_gets_the_bytes(self, reactor, run):
        async def scenario():
            receiver = Receiver({"fileDescriptorReceived": lambda self: self.transport.loseConnection()})
            _, client, port = await join_at(reactor, receiver)
            descriptor = file(1)
            client.transport.sendFileDescriptor(descriptor)
            client.transport.write(b"x")
            await receiver.lost
            os.close(descriptor)
            assert receiver.order == [1, b"x"]
            await port.stopListening()

        run(scenario)

    @needs("IReactorUNIX", "kernel", "engine")
    def test_many_connections_with_descriptors_leave_none(self, reactor, run):
        async def scenario():
            for number in range(60):
                receiver = Receiver() if number % 2 else Recorder()
                server, client, port = await join_at(reactor, receiver)
                descriptor = file(number % 3)
                for _ in range(number % 7):
                    client.transport.sendFileDescriptor(descriptor)
                    if number % 5:
                        client.transport.write(b"x" * number)
                os.close(descriptor)
                if number % 3:
                    await pause(reactor)
                [client.transport.loseConnection, client.transport.abortConnection, server.transport.abortConnection][
                    number % 3
                ]()
                await server.lost
                await client.lost
                await port.stopListening()

        with nothing_left_open():
            run(scenario)
