"""``StandardIO``: pipes, terminals and files as one connection."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from contract.harness import Recorder, pause, until
from torsion.internet import error
from torsion.internet.interfaces import IConsumer, IHalfCloseableProtocol, IPushProducer, ITransport
from torsion.internet.stdio import StandardIO


@implementer(IHalfCloseableProtocol)
class Half(Recorder):
    def readConnectionLost(self) -> None:
        self.note("readConnectionLost")

    def writeConnectionLost(self) -> None:
        self.note("writeConnectionLost")


class Pipes:
    """Two pipes, with our ends."""

    def __init__(self) -> None:
        self.stdin, self.feed = os.pipe()
        self.output, self.stdout = os.pipe()

    def close(self, *names: str) -> None:
        for name in names or ("stdin", "feed", "output", "stdout"):
            if (descriptor := getattr(self, name)) >= 0:
                os.close(descriptor)
                setattr(self, name, -1)


@pytest.fixture
def pipes():
    made = Pipes()
    yield made
    made.close()


def connect(reactor: Any, pipes: Pipes, protocol: Any) -> StandardIO:
    return StandardIO(protocol, pipes.stdin, pipes.stdout, reactor)


def test_interfaces(reactor, pipes, run):
    async def scenario():
        standard = connect(reactor, pipes, Recorder())
        for interface in (ITransport, IConsumer, IPushProducer):
            assert verifyObject(interface, standard)
        assert "PipeAddress" in repr(standard.getHost()) + repr(standard.getPeer())
        standard.loseConnection()
        await pause(reactor, 0.01)

    run(scenario)


def test_there_and_back(reactor, pipes, run):
    async def scenario():
        protocol = Recorder({"dataReceived": lambda self: self.transport.write(b"<" + self.received + b">")})
        connect(reactor, pipes, protocol)
        os.write(pipes.feed, b"hello")
        await protocol.bytes(5)
        pipes.close("feed")
        reason = await protocol.lost
        assert isinstance(reason, error.ConnectionDone)
        assert os.read(pipes.output, 100) == b"<hello>"
        assert os.get_blocking(pipes.stdin)
        assert os.get_blocking(pipes.stdout)

    run(scenario)


def test_what_was_written_is_sent_before_the_end(reactor, pipes, run):
    """The input ends while the output is full: nothing of it is lost."""

    async def scenario():
        protocol = Recorder({"dataReceived": lambda self: self.transport.write(b"x" * 1_000_000)})
        connect(reactor, pipes, protocol)
        os.write(pipes.feed, b"go")
        pipes.close("feed")
        os.set_blocking(pipes.output, False)
        got = 0

        def read() -> bool:
            nonlocal got
            try:
                got += len(os.read(pipes.output, 65536))
            except BlockingIOError:
                return bool(protocol.reason)
            return False

        await until(reactor, read)
        assert got == 1_000_000

    run(scenario)


def test_half_closed_input(reactor, pipes, run):
    async def scenario():
        protocol = Half({"readConnectionLost": lambda self: self.transport.write(b"the end")})
        standard = connect(reactor, pipes, protocol)
        pipes.close("feed")
        await until(reactor, lambda: "readConnectionLost" in protocol.events)
        await pause(reactor, 0.01)
        assert os.read(pipes.output, 100) == b"the end"
        assert protocol.reason is None
        standard.loseConnection()
        assert isinstance(await protocol.lost, error.ConnectionDone)

    run(scenario)


def test_half_closed_output(reactor, pipes, run):
    async def scenario():
        protocol = Half()
        standard = connect(reactor, pipes, protocol)
        standard.write(b"last words")
        standard.loseWriteConnection()
        await until(reactor, lambda: "writeConnectionLost" in protocol.events)
        assert os.read(pipes.output, 100) == b"last words"
        standard.write(b"ignored")
        os.write(pipes.feed, b"heard")
        await protocol.bytes(5)
        pipes.close("feed")
        assert isinstance(await protocol.lost, error.ConnectionDone)

    run(scenario)


def test_nobody_reads_our_output(reactor, pipes, run):
    async def scenario():
        protocol = Recorder()
        standard = connect(reactor, pipes, protocol)
        pipes.close("output")
        standard.write(b"to nobody")
        pipes.close("feed")
        await protocol.lost

    run(scenario)


@pytest.mark.parametrize("hook", ["dataReceived", "readConnectionLost"])
def test_what_a_hook_raises_ends_it(reactor, pipes, run, logged, hook):
    def fail(self: Any) -> None:
        raise ValueError("on purpose")

    async def scenario():
        protocol = Half({hook: fail})
        connect(reactor, pipes, protocol)
        os.write(pipes.feed, b"go")
        pipes.close("feed")
        assert isinstance(await protocol.lost, ValueError)

    run(scenario)
    assert len(logged.take(ValueError)) == 1


def test_files(reactor, run, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    content = bytes(range(256)) * 1000
    source.write_bytes(content)

    async def scenario():
        protocol = Recorder()
        protocol.dataReceived = lambda data: protocol.transport.write(data)  # noqa: PLW0108 - there is none yet
        StandardIO(protocol, reading.fileno(), writing.fileno(), reactor)
        assert isinstance(await protocol.lost, error.ConnectionDone)

    with source.open("rb") as reading, target.open("wb") as writing:
        run(scenario)
    assert target.read_bytes() == content


def test_a_terminal(reactor, run):
    async def scenario():
        master, slave = os.openpty()
        protocol = Recorder({"dataReceived": lambda self: self.transport.write(b"typed: " + self.received)})
        standard = StandardIO(protocol, slave, slave, reactor)
        os.write(master, b"line\n")
        await protocol.bytes(5)
        await pause(reactor, 0.01)
        assert b"typed: line" in os.read(master, 100)
        standard.loseConnection()
        await protocol.lost
        assert os.get_blocking(slave)
        os.close(master)
        os.close(slave)

    run(scenario)


def test_pausing(reactor, pipes, run):
    async def scenario():
        protocol = Recorder()
        standard = connect(reactor, pipes, protocol)
        standard.pauseProducing()
        os.write(pipes.feed, b"held")
        await pause(reactor, 0.02)
        assert protocol.received == b""
        standard.resumeProducing()
        await protocol.bytes(4)
        standard.loseConnection()
        await protocol.lost

    run(scenario)


def test_closed_descriptors_are_refused(reactor, pipes):
    pipes.close("stdout")
    gc.collect()  # what other tests have left is not to go in between
    before = sorted(entry.name for entry in Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match="Bad file descriptor"):
        StandardIO(Recorder(), pipes.stdin, 12345, reactor)
    assert sorted(entry.name for entry in Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("kind", ["pipes", "files"])
def test_the_reactors_end_is_its_end(reactor, pipes, run, tmp_path, kind):
    protocol = Half()

    async def scenario():
        if kind == "pipes":
            connect(reactor, pipes, protocol)
        else:
            (tmp_path / "in").write_bytes(b"x" * 1000)
            with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
                StandardIO(protocol, source.fileno(), target.fileno(), reactor)
                protocol.transport.pauseProducing()
        await pause(reactor)
        assert protocol.reason is None

    run(scenario)
    assert protocol.reason.check(error.ConnectionLost)
    assert protocol.events == ["connectionMade", "connectionLost"]


def test_the_reactors_end_is_that_of_a_protocol_that_knows_no_halves(reactor, pipes, run):
    protocol = Recorder()

    async def scenario():
        connect(reactor, pipes, protocol)
        await pause(reactor)

    run(scenario)
    assert protocol.reason.check(error.ConnectionLost)
