"""Services on real reactors: they listen, stay connected, come to an end; their parts are tested on their own in tests/unit."""

from __future__ import annotations

import pytest

from contract.flavours import differs, needs
from contract.harness import Recorder, Server, nothing_left_open, pause, until
from torsion.application.internet import (
    ClientService,
    StreamServerEndpointService,
    TCPClient,
    TCPServer,
    TimerService,
    UDPServer,
)
from torsion.application.service import MultiService
from torsion.internet.defer import CancelledError
from torsion.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from torsion.internet.error import CannotListenError, ConnectionRefusedError
from torsion.internet.protocol import ClientFactory, DatagramProtocol, Factory

pytestmark = needs("IReactorTCP")


def number(reactor):
    """Return the number of a port that is free, as far as one can tell."""
    port = reactor.listenTCP(0, Server(), interface="127.0.0.1")
    found = port.getHost().port
    return found, port.stopListening()


def serving(reactor, where, make=Recorder):
    factory = Server(make)
    service = StreamServerEndpointService(TCP4ServerEndpoint(reactor, where, interface="127.0.0.1"), factory)
    service.startService()
    return factory, service


def client(reactor, where, **settings):
    factory = Factory.forProtocol(Recorder)
    factory.noisy = False
    return ClientService(
        TCP4ClientEndpoint(reactor, "127.0.0.1", where),
        factory,
        retryPolicy=lambda failures: 0.01,
        clock=reactor,
        **settings,
    )


class TestClientService:
    @differs("asked from the hook of the loss, Twisted gives out the protocol that has lost its connection")
    def test_another_connection_for_one_that_is_lost(self, reactor, run):
        async def scenario():
            where, free = number(reactor)
            await free
            factory, server = serving(reactor, where)
            service = client(reactor, where)
            service.startService()
            first = await service.whenConnected()
            await until(reactor, lambda: factory.protocols)
            factory.protocols[0].transport.loseConnection()
            await first.lost
            second = await service.whenConnected()
            assert second is not first
            second.transport.write(b"again")
            await until(reactor, lambda: len(factory.protocols) == 2 and factory.protocols[1].received == b"again")
            await service.stopService()
            assert second.lost.called
            with pytest.raises(CancelledError):
                await service.whenConnected()
            await factory.protocols[1].lost
            await server.stopService()

        with nothing_left_open():
            run(scenario)

    @differs("Twisted cannot be asked from within an answer")
    def test_waits_for_a_server_that_comes_later(self, reactor, run):
        async def scenario():
            where, free = number(reactor)
            await free
            service = client(reactor, where)
            service.startService()
            with pytest.raises(ConnectionRefusedError):
                await service.whenConnected(failAfterFailures=2)
            waiting = service.whenConnected()
            factory, server = serving(reactor, where)
            protocol = await waiting
            assert protocol.connected
            stopped = service.stopService()
            assert not stopped.called
            await stopped
            await until(reactor, lambda: factory.protocols and factory.protocols[0].lost.called)
            await server.stopService()

        with nothing_left_open():
            run(scenario)

    @differs("Twisted leaves the connection open")
    def test_one_that_cannot_be_prepared_is_tried_again(self, reactor, run):
        async def scenario():
            where, free = number(reactor)
            await free
            factory, server = serving(reactor, where)
            prepared = []

            def prepare(protocol):
                prepared.append(protocol)
                if len(prepared) == 1:
                    raise ValueError("not this one")

            service = client(reactor, where, prepareConnection=prepare)
            service.startService()
            await service.whenConnected()
            assert len(prepared) == 2
            await service.stopService()
            await until(reactor, lambda: [each.lost.called for each in factory.protocols] == [True, True])
            await server.stopService()

        with nothing_left_open():
            run(scenario)


class TestServers:
    @differs("Twisted makes the default reactor as well")
    def test_a_program_from_start_to_end(self, reactor, run):
        async def scenario():
            where, free = number(reactor)
            await free
            factory, calls = Server(), []
            clients = ClientFactory.forProtocol(Recorder)
            clients.noisy = False
            program = MultiService()
            for service in (
                TCPServer(where, factory, interface="127.0.0.1", reactor=reactor),
                TCPClient("127.0.0.1", where, clients, reactor=reactor),
                TimerService(0.01, calls.append, "tick"),
            ):
                service.clock = reactor  # for those that have one
                service.setServiceParent(program)
            program.privilegedStartService()
            program.startService()
            await until(reactor, lambda: factory.protocols and len(calls) > 2)
            await program.stopService()
            await factory.protocols[0].lost
            assert factory.events == ["doStart", "doStop"]
            ticks = len(calls)
            await pause(reactor, 0.05)
            assert len(calls) == ticks

        with nothing_left_open():
            run(scenario)

    def test_a_port_in_use(self, reactor, run):
        async def scenario():
            _, first = serving(reactor, 0)
            taken = reactor.listenTCP(0, Server(), interface="127.0.0.1")
            second = TCPServer(taken.getHost().port, Server(), interface="127.0.0.1", reactor=reactor)
            with pytest.raises(CannotListenError):
                second.privilegedStartService()
            await taken.stopListening()
            second.startService()
            await second.stopService()
            await first.stopService()

        run(scenario)

    @needs("IReactorUDP")
    def test_datagrams(self, reactor, run):
        async def scenario():
            received = []

            class Receiver(DatagramProtocol):
                noisy = False

                def datagramReceived(self, datagram, addr):
                    received.append(datagram)

            protocol = Receiver()
            service = UDPServer(0, protocol, interface="127.0.0.1", reactor=reactor)
            service.startService()
            protocol.transport.write(b"to myself", ("127.0.0.1", protocol.transport.getHost().port))
            await until(reactor, lambda: received == [b"to myself"])
            await service.stopService()
            assert protocol.transport is None

        with nothing_left_open():
            run(scenario)


class TestDraining:
    """What torsion alone has."""

    pytestmark = needs("IReactorTCP", "IReactorInspection")

    def test_those_that_have_come_are_waited_for(self, reactor, run):
        async def scenario():
            where, free = number(reactor)
            await free
            factory, server = serving(reactor, where)
            program = MultiService()
            server.setServiceParent(program)
            service = client(reactor, where)
            service.startService()
            await service.whenConnected()
            await until(reactor, lambda: factory.protocols)
            await program.stopListening()
            drained = program.drain()
            await pause(reactor, 0.05)
            assert not drained.called
            await service.stopService()
            await drained
            assert factory.protocols[0].lost.called
            await program.stopService()

        with nothing_left_open():
            run(scenario)
