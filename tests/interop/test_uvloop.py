"""The reactor inside uvloop."""

from __future__ import annotations

import asyncio
import socket

import pytest

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.reactors.hosted.asyncio import AsyncioReactor

uvloop = pytest.importorskip("uvloop", reason="uvloop is in the dependency group 'bench'")


class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


def test_serves_within_a_loop_that_runs():
    async def main():
        loop = asyncio.get_running_loop()
        assert type(loop) is uvloop.Loop
        reactor = AsyncioReactor()
        port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        sent = bytes(range(256)) * 4000
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 20) == sent

        async def torsions():
            pause, rung = Deferred(), loop.create_future()
            reactor.callLater(0.01, pause.callback, "rested")
            loop.call_later(0.01, rung.set_result, "rung")
            return await Deferred.fromFuture(rung), await pause

        assert await ensureDeferred(torsions()).asFuture(loop) == ("rung", "rested")
        stopped = loop.create_future()
        reactor.addSystemEventTrigger("after", "shutdown", stopped.set_result, None)
        reactor.stop()
        await asyncio.wait_for(stopped, 20)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        await writer.wait_closed()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_runs_the_loop_and_is_idle_at_rest():
    loop = uvloop.new_event_loop()
    reactor = AsyncioReactor(loop)
    turns = []

    def note():
        turns.append(reactor.engine.statistics()["turns"])

    def talk():
        with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as peer:
            peer.sendall(b"x")
            heard = peer.recv(1)
        reactor.callFromThread(rest, heard)

    def rest(heard):
        answers.append(heard)
        loop.call_later(0.05, note)
        loop.call_later(0.25, note)
        loop.call_later(0.26, reactor.stop)

    answers = []
    port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
    reactor.callInThread(talk)
    reactor.run(installSignalHandlers=False)
    assert answers == [b"x"]
    assert turns[0] == turns[1]
    loop.close()
