"""``IReactorInspection``: what a reactor tells of its connections, ports, loop and threads."""

from __future__ import annotations

import os
import sys
import threading
from math import inf
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.datagrams import LOCAL, address
from contract.datagrams import port as datagram_port
from contract.flavours import needs
from contract.harness import Peer, Recorder, Server, after, join, join_at, pause, until
from contract.test_fdset import Descriptor
from contract.test_process import shell
from contract.test_tls import Choosy, ChoosyClient, Contexts, Secure, identity, trusting
from contract.test_tls import join as join_securely
from torsion.internet.error import WrongThreadError
from torsion.internet.interfaces import IReactorInspection
from torsion.protocols.policies import WrappingFactory

pytestmark = needs("IReactorInspection", "IReactorTCP")

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and Unix sockets")


def figures_of(reactor: Any, protocol: Any) -> Any:
    [found] = [each for each in reactor.connections() if each.protocol is protocol]
    return found


def test_interface(reactor) -> None:
    assert verifyObject(IReactorInspection, reactor)


class TestConnections:
    """What is open, and what went through it."""

    def test_both_ends(self, reactor, run) -> None:
        async def scenario() -> None:
            began = reactor.seconds()
            server, client, port = await join(reactor)
            client.transport.write(b"x" * 100)
            await server.bytes(100)
            server.transport.write(b"y" * 7)
            await client.bytes(7)
            await pause(reactor)
            assert len(reactor.connections()) == 2
            theirs, ours = figures_of(reactor, server), figures_of(reactor, client)
            assert (theirs.bytesRead, theirs.bytesWritten, theirs.outbox) == (100, 7, 0)
            assert (ours.bytesRead, ours.bytesWritten, ours.outbox) == (7, 100, 0)
            assert theirs.transport is server.transport
            assert theirs.listener is port
            assert ours.listener is None
            assert theirs.kind == ours.kind == "TCP"
            assert theirs.host == ours.peer == port.getHost()
            assert theirs.peer == ours.host == client.transport.getHost()
            assert not theirs.secure
            assert theirs.negotiatedProtocol is None
            for each in (theirs, ours):
                assert began - 2e-6 <= each.opened <= reactor.seconds()  # it is kept in whole microseconds
                assert each.age(each.opened + 2.5) == pytest.approx(2.5)

        run(scenario)

    def test_age_goes_by_the_reactors_clock(self, reactor, run) -> None:
        async def scenario() -> None:
            first, _, _ = await join(reactor)
            await pause(reactor, 0.01)
            second, _, _ = await join(reactor)
            older, younger = (figures_of(reactor, each).opened for each in (first, second))
            assert younger - older >= 0.0099

        run(scenario)

    def test_what_waits_to_be_sent_is_in_the_outbox(self, reactor, run) -> None:
        async def scenario() -> None:
            server, client, _ = await join(reactor)
            client.transport.pauseProducing()
            server.transport.write(b"x" * 20_000_000)
            assert figures_of(reactor, server).outbox == 20_000_000
            await until(reactor, lambda: figures_of(reactor, server).bytesWritten)
            now = figures_of(reactor, server)
            assert now.bytesWritten + now.outbox == 20_000_000
            server.transport.abortConnection()

        run(scenario)

    def test_those_of_one_port(self, reactor, run) -> None:
        async def scenario() -> None:
            one, _, first = await join(reactor)
            other, _, second = await join(reactor)
            assert [each.protocol for each in reactor.connections(first)] == [one]
            assert [each.protocol for each in reactor.connections(listener=second)] == [other]
            await first.stopListening()
            assert [each.protocol for each in reactor.connections(first)] == [one]
            assert reactor.connections(object()) == []

        run(scenario)

    def test_those_that_are_gone_are_told_no_more(self, reactor, run) -> None:
        async def scenario() -> None:
            server, client, _ = await join(reactor)
            client.transport.loseConnection()
            await after(reactor, server.lost)
            await after(reactor, client.lost)
            assert reactor.connections() == []
            now = reactor.loop()
            assert (now.opened, now.closed) == (2, 2)

        run(scenario)

    def test_what_wraps_a_protocol_is_looked_through(self, reactor, run) -> None:
        async def scenario() -> None:
            factory = Server()
            port = reactor.listenTCP(0, WrappingFactory(factory), interface=LOCAL)
            made = factory.connection()
            peer = Peer(port)
            protocol = await made
            [one] = reactor.connections(port)
            assert one.protocol is protocol
            assert one.transport is not protocol.transport
            peer.close()
            await protocol.lost

        run(scenario)

    @posix
    @needs("IReactorInspection", "IReactorUNIX", "kernel", "engine")
    def test_unix_sockets(self, reactor, run, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)

        async def scenario() -> None:
            server, client, port = await join_at(reactor)
            theirs, ours = figures_of(reactor, server), figures_of(reactor, client)
            assert theirs.kind == ours.kind == "UNIX"
            assert theirs.host == ours.peer == port.getHost()
            [listening] = reactor.listeners()
            assert (listening.kind, listening.address, listening.open) == ("UNIX", port.getHost(), 1)

        run(scenario)

    @pytest.mark.filterwarnings("ignore:Passing pyOpenSSL")
    @needs("IReactorInspection", "IReactorSSL", "engine")
    @pytest.mark.parametrize("road", ["own", "openssl"])
    def test_tls(self, reactor, run, road) -> None:
        """The protocol is the program's own, whoever encrypts; what was agreed upon with the peer is told."""
        if road == "openssl":
            pytest.importorskip("OpenSSL")

        async def scenario() -> None:
            settings = None if road == "own" else Contexts(identity().options().getContext())
            server, client, port = await join_securely(reactor, settings=settings)
            for end in (server, client):
                figures = figures_of(reactor, end)
                assert figures.secure
                assert figures.kind == "TCP"
                assert figures.negotiatedProtocol is None
                assert figures.bytesRead > 0 < figures.bytesWritten  # on the wire: the handshake
            assert figures_of(reactor, server).listener is port
            assert reactor.listeners()[0].kind == "TLS"

        run(scenario)

    @needs("IReactorInspection", "IReactorSSL", "engine")
    def test_what_was_negotiated(self, reactor, run) -> None:
        async def scenario() -> None:
            factory = Choosy(Secure)
            port = reactor.listenSSL(0, factory, identity().options(), interface=LOCAL)
            connected = factory.connection()
            one = ChoosyClient(Secure())
            reactor.connectSSL(LOCAL, port.getHost().port, one, trusting())
            await one.one.made
            server = await connected
            await until(
                reactor, lambda: "handshakeCompleted" in server.events and "handshakeCompleted" in one.one.events
            )
            assert {each.negotiatedProtocol for each in reactor.connections()} == {b"http/1.1"}

        run(scenario)

    @needs("IReactorInspection", "IReactorSSL", "engine")
    @pytest.mark.filterwarnings("ignore:Passing pyOpenSSL")
    @pytest.mark.parametrize("road", ["own", "openssl"])
    def test_tls_that_was_started_later(self, reactor, run, road) -> None:
        if road == "openssl":
            pytest.importorskip("OpenSSL")

        async def scenario() -> None:
            server, client, _ = await join(reactor, Secure(), Secure())
            assert not figures_of(reactor, server).secure
            options = identity().options()
            server.transport.startTLS(options if road == "own" else Contexts(options.getContext()))
            client.transport.startTLS(trusting())
            await until(
                reactor, lambda: "handshakeCompleted" in server.events and "handshakeCompleted" in client.events
            )
            assert figures_of(reactor, server).secure
            assert figures_of(reactor, client).secure
            assert figures_of(reactor, server).transport is server.transport

        run(scenario)


class TestDraining:
    """Waiting until the connections of a port are gone."""

    def test_none(self, reactor, run) -> None:
        async def scenario() -> None:
            port = reactor.listenTCP(0, Server(), interface=LOCAL)
            assert await reactor.drained(port) is None

        run(scenario)

    def test_the_last_one_counts_and_others_ports_do_not(self, reactor, run) -> None:
        async def scenario() -> None:
            factory = Server()
            port = reactor.listenTCP(0, factory, interface=LOCAL)
            other, _, _ = await join(reactor)
            peers = []
            for _ in range(3):
                made = factory.connection()
                peers.append(Peer(port))
                await made
            await port.stopListening()
            drained = [reactor.drained(port), reactor.drained(port)]
            told: list[str] = []
            for each in drained:
                each.addCallback(lambda _: told.append("drained"))
            for protocol in factory.protocols:
                protocol.do["connectionLost"] = lambda _: told.append("lost")
            for peer in peers:
                assert "drained" not in told
                peer.close()
            await drained[1]
            assert told == ["lost"] * 3 + ["drained"] * 2
            assert other.transport.connected
            assert port.draining is None

        run(scenario)

    def test_those_that_come_meanwhile_are_waited_for(self, reactor, run) -> None:
        async def scenario() -> None:
            factory = Server()
            port = reactor.listenTCP(0, factory, interface=LOCAL)
            made = factory.connection()
            first = Peer(port)
            one = await made
            drained = reactor.drained(port)
            made = factory.connection()
            second = Peer(port)
            await made
            first.close()
            await after(reactor, one.lost)
            assert not drained.called
            second.close()
            await drained

        run(scenario)

    def test_a_hook_that_raises_is_no_hindrance(self, reactor, run, logged) -> None:
        def fail(protocol: Recorder) -> None:
            raise LookupError("in connectionLost")

        async def scenario() -> None:
            _, client, port = await join(reactor, Recorder({"connectionLost": fail}))
            drained = reactor.drained(port)
            client.transport.loseConnection()
            await drained

        run(scenario)
        assert logged.take(LookupError)

    def test_giving_up(self, reactor, run, logged) -> None:
        async def scenario() -> None:
            _, client, port = await join(reactor)
            drained, other = reactor.drained(port), reactor.drained(port)
            drained.addErrback(lambda failure: None)
            drained.cancel()
            assert drained.called
            client.transport.loseConnection()
            await other
            _, _, port = await join(reactor)
            alone = reactor.drained(port)
            alone.addErrback(lambda failure: None)
            alone.cancel()
            assert port.draining is None

        run(scenario)

    def test_a_reactor_that_stops_ends_it(self, reactor, run) -> None:
        told: list[Any] = []

        async def scenario() -> None:
            _, _, port = await join(reactor)
            reactor.drained(port).addBoth(told.append)

        run(scenario)
        assert told == [None]


class TestPorts:
    """What listens."""

    def test_listeners(self, reactor, run) -> None:
        async def scenario() -> None:
            factory = Server()
            port = reactor.listenTCP(0, factory, interface=LOCAL)
            [before] = reactor.listeners()
            assert (before.port, before.factory, before.kind) == (port, factory, "TCP")
            assert (before.address, before.accepted, before.open) == (port.getHost(), 0, 0)
            peers = []
            for _ in range(3):
                made = factory.connection()
                peers.append(Peer(port))
                last = await made
            peers.pop().close()
            await after(reactor, last.lost)
            [now] = reactor.listeners()
            assert (now.accepted, now.open) == (3, 2)
            for peer in peers:
                peer.close()
            await port.stopListening()
            assert reactor.listeners() == []

        run(scenario)

    @needs("IReactorInspection", "IReactorUDP")
    def test_datagrams(self, reactor, run) -> None:
        async def scenario() -> None:
            receiver, received = datagram_port(reactor)
            sender, _ = datagram_port(reactor)
            sender.write(b"12345", address(receiver))
            await received.got(1)
            told = {each.port: each for each in reactor.datagramPorts()}
            there, here = told[receiver], told[sender]
            assert there.kind == here.kind == "UDP"
            assert (there.protocol, there.address) == (received, receiver.getHost())
            assert (there.datagramsRead, there.bytesRead) == (1, 5)
            assert (here.datagramsWritten, here.bytesWritten, here.datagramsDropped) == (1, 5, 0)
            await receiver.stopListening()
            assert [each.port for each in reactor.datagramPorts()] == [sender]

        run(scenario)

    @posix
    @needs("IReactorInspection", "IReactorUNIXDatagram", "kernel", "engine")
    def test_unix_datagrams(self, reactor, run, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)

        async def scenario() -> None:
            from contract.datagrams import Post

            port = reactor.listenUNIXDatagram("s", Post())
            [told] = reactor.datagramPorts()
            assert (told.kind, told.address) == ("UNIX", port.getHost())

        run(scenario)


class TestDescriptors:
    """How many of each sort there are."""

    def test_connections_and_ports(self, reactor, run) -> None:
        async def scenario() -> None:
            before = reactor.descriptors()
            assert before == (0, 0, 0, 0, 0, 0)
            await join(reactor)
            if hasattr(reactor, "listenUDP"):
                datagram_port(reactor)
            now = reactor.descriptors()
            assert (now.connections, now.connecting, now.listeners, now.datagrams) == (2, 0, 1, 1)

        run(scenario)

    @posix
    @needs("IReactorInspection", "kernel", "engine")
    def test_pipes_of_children(self, reactor, run) -> None:
        async def scenario() -> None:
            child = shell(reactor, "read line")
            assert reactor.descriptors().pipes == 3
            assert reactor.connections() == []
            child.transport.closeStdin()
            await child.ended
            assert reactor.descriptors().pipes == 0

        run(scenario)

    @posix
    @needs("IReactorInspection", "kernel", "engine")
    def test_what_is_watched_for_others(self, reactor) -> None:
        reading, writing = os.pipe()
        try:
            foreign = Descriptor(reading)
            reactor.addReader(foreign)
            assert reactor.descriptors().watched == 1
            reactor.removeReader(foreign)
            assert reactor.descriptors().watched == 0
        finally:
            os.close(reading)
            os.close(writing)


class TestLoop:
    """What the loop has done."""

    def test_turns_timers_and_waits(self, reactor, run) -> None:
        async def scenario() -> None:
            before = reactor.loop()
            call = reactor.callLater(1_000, print)
            for _ in range(5):
                await pause(reactor)
            now = reactor.loop()
            assert now.turns - before.turns >= 4  # the first of the five may be due in the turn that goes on
            assert now.timers == before.timers + 1
            call.cancel()
            assert reactor.loop().timers == before.timers
            assert before.now <= now.now <= reactor.seconds()

        run(scenario)

    def test_each_turn_is_in_the_histogram_once(self, reactor, run) -> None:
        async def scenario() -> None:
            before = reactor.loop()
            for _ in range(50):
                await pause(reactor)
            now = reactor.loop()
            bounds = [bound for bound, _ in now.histogram]
            assert bounds == sorted(set(bounds)) == [bound for bound, _ in before.histogram]
            assert bounds[-1] == inf
            counted = sum(count for _, count in now.histogram) - sum(count for _, count in before.histogram)
            assert counted == now.turns - before.turns

        run(scenario)

    @needs("IReactorInspection", "kernel")
    def test_a_long_turn_shows(self, reactor, run) -> None:
        async def scenario() -> None:
            took = 0.03
            await pause(reactor)
            before = reactor.loop()
            reactor.callLater(0, spin, reactor, took)
            await pause(reactor)
            await pause(reactor)
            now = reactor.loop()
            assert now.longest >= took
            assert now.busy - before.busy >= took
            longer = [sum(count for bound, count in each.histogram if bound >= took) for each in (before, now)]
            assert longer[1] >= longer[0] + 1
            await pause(reactor)
            assert reactor.loop().longest < took  # since it was asked for last

        run(scenario)

    @needs("IReactorInspection", "kernel")
    def test_a_turn_that_goes_on_is_counted_as_far_as_it_went(self, reactor, run) -> None:
        async def scenario() -> None:
            await pause(reactor)
            before = reactor.loop()
            spin(reactor, 0.02)
            now = reactor.loop()
            assert now.longest >= 0.02
            assert now.busy - before.busy >= 0.02

        run(scenario)

    @needs("IReactorInspection", "kernel", "loop")
    def test_waiting_is_no_work(self, reactor, run) -> None:
        async def scenario() -> None:
            await pause(reactor)
            before = reactor.loop()
            await pause(reactor, 0.05)
            now = reactor.loop()
            assert now.waits > before.waits
            assert now.busy - before.busy < 0.05

        run(scenario)

    @needs("IReactorInspection", "kernel", "loop")
    def test_waiting_within_a_callback_is_no_work_either(self, reactor, run) -> None:
        def nest() -> None:
            reactor.callLater(0.05, done.append, True)
            while not done:
                reactor.iterate(0.1)

        done: list[bool] = []

        async def scenario() -> None:
            before = reactor.loop()
            reactor.callLater(0, nest)
            await until(reactor, lambda: done)
            await pause(reactor)
            now = reactor.loop()
            assert now.busy - before.busy < 0.05
            assert now.longest < 0.05

        run(scenario)

    @needs("IReactorInspection", "kernel")
    def test_between_runs_nothing_is_counted(self, reactor) -> None:
        reactor.iterate(0)
        before = reactor.loop()
        spin(reactor, 0.01)
        assert reactor.loop().busy == before.busy
        assert reactor.loop().longest == 0.0


def spin(reactor: Any, seconds: float) -> None:
    until = reactor.seconds() + seconds
    while reactor.seconds() < until:
        pass


class TestThreads:
    """The reactor's threads."""

    def test_none(self, reactor) -> None:
        assert reactor.threads() == (0, 0, 0, 0, 0)

    def test_those_at_work(self, reactor, run) -> None:
        gate = threading.Event()

        async def scenario() -> None:
            reactor.suggestThreadPoolSize(2)
            begun = threading.Semaphore(0)

            def work() -> None:
                begun.release()
                gate.wait(10)

            try:
                for _ in range(3):
                    reactor.callInThread(work)
                for _ in range(2):
                    await until(reactor, lambda: begun.acquire(blocking=False))
                now = reactor.threads()
                assert (now.maximum, now.workers, now.busy, now.queued, now.completed) == (2, 2, 2, 1, 0)
            finally:
                gate.set()
            await until(reactor, lambda: reactor.threads().completed == 3)

        run(scenario)

    @needs("IReactorInspection", "engine")
    def test_only_the_reactors_own_thread_may_ask(self, reactor, run) -> None:
        async def scenario() -> None:
            refused: list[BaseException] = []

            def ask() -> None:
                for question in (reactor.connections, reactor.loop, reactor.descriptors):
                    try:
                        question()
                    except WrongThreadError as error:
                        refused.append(error)

            other = threading.Thread(target=ask)
            other.start()
            other.join()
            assert len(refused) == 3

        run(scenario)
