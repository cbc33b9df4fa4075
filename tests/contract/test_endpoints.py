"""Endpoints on real reactors; their parts are tested on their own in tests/unit."""

from __future__ import annotations

import socket
import sys

import pytest

from contract.flavours import needs
from contract.harness import Recorder, Server, after, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    clientFromString,
    connectProtocol,
    serverFromString,
)
from torsion.internet.protocol import Factory


class Hosts:
    """A name resolver that knows these addresses for every name."""

    def __init__(self, *addresses):
        self.addresses = addresses

    def resolveHostName(self, receiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        class Resolution:
            name = hostName

            def cancel(self):
                pass

        receiver.resolutionBegan(Resolution())
        for address in self.addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()


def test_talk(reactor, run):
    async def scenario():
        factory = Server()
        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        number = port.getHost().port
        for endpoint in (
            clientFromString(reactor, f"tcp:127.0.0.1:{number}"),
            TCP4ClientEndpoint(reactor, "localhost", number),
            HostnameEndpoint(reactor, "127.0.0.1", number),
            HostnameEndpoint(reactor, "localhost", number),
        ):
            connection = factory.connection()
            client = await endpoint.connect(Factory.forProtocol(Recorder))
            assert client.transport.protocol is client  # nothing stands in between
            server = await connection
            client.transport.write(b"hello")
            assert await server.bytes(5) == b"hello"
            server.transport.write(b"welcome")
            assert await client.bytes(7) == b"welcome"
            client.transport.loseConnection()
            assert (await after(reactor, client.lost)).__class__ is error.ConnectionDone
        await port.stopListening()

    with nothing_left_open():
        run(scenario)


def test_ipv6(reactor, run):
    async def scenario():
        factory = Server()
        port = await TCP6ServerEndpoint(reactor, 0, interface="::1").listen(factory)
        client = await TCP6ClientEndpoint(reactor, "::1", port.getHost().port).connect(Factory.forProtocol(Recorder))
        assert client.transport.getPeer() == port.getHost()

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    run(scenario)


def test_connect_protocol(reactor, run):
    async def scenario():
        port = await TCP4ServerEndpoint(reactor, 0).listen(Server())
        protocol = Recorder()
        assert (
            await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), protocol) is protocol
        )
        assert protocol.events == ["connectionMade"]

    run(scenario)


def test_cannot_listen(reactor, run):
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            endpoint = TCP4ServerEndpoint(reactor, taken.getsockname()[1], interface="127.0.0.1")
            with pytest.raises(error.CannotListenError, match=r"127\.0\.0\.1"):
                await endpoint.listen(Server())

    run(scenario)


def test_refused(reactor, run):
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as server:
            number = server.getsockname()[1]
        for endpoint in (
            TCP4ClientEndpoint(reactor, "127.0.0.1", number),
            HostnameEndpoint(reactor, "localhost", number),
        ):
            with pytest.raises(error.ConnectionRefusedError):
                await endpoint.connect(Factory.forProtocol(Recorder))

    run(scenario)


@pytest.mark.parametrize("kind", [TCP4ClientEndpoint, TCP6ClientEndpoint, HostnameEndpoint])
def test_unresolvable(reactor, run, kind):
    async def scenario():
        with pytest.raises(error.DNSLookupError, match="no-such-host"):
            await kind(reactor, "no-such-host.invalid", 80).connect(Factory.forProtocol(Recorder))

    run(scenario)


@pytest.mark.parametrize("kind", [TCP4ClientEndpoint, TCP6ClientEndpoint, HostnameEndpoint])
def test_cancelled(reactor, run, kind):
    async def scenario():
        connecting = kind(reactor, "localhost", 9).connect(Factory.forProtocol(Recorder))
        connecting.cancel()
        with pytest.raises(error.ConnectingCancelledError):
            await connecting
        await pause(reactor, 0.02)

    with nothing_left_open():
        run(scenario)


def test_a_dead_address_is_no_obstacle(reactor, run):
    async def scenario():
        factory = Server()
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        reactor.installNameResolver(Hosts("127.9.9.9", "127.8.8.8", "127.0.0.1"))
        endpoint = HostnameEndpoint(reactor, "somewhere", port.getHost().port, attemptDelay=60)
        client = await endpoint.connect(Factory.forProtocol(Recorder))
        assert client.transport.getPeer().host == "127.0.0.1"
        await until(reactor, lambda: len(factory.protocols) == 1)

    run(scenario)


def test_a_silent_address_is_overtaken(reactor, run):
    async def scenario():
        with socket.socket() as silent:
            silent.bind(("127.0.0.2", 0))
            silent.listen(0)
            number = silent.getsockname()[1]
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(silent.getsockname())
            await TCP4ServerEndpoint(reactor, number, interface="127.0.0.1").listen(Server())
            reactor.installNameResolver(Hosts("127.0.0.2", "127.0.0.1"))
            endpoint = HostnameEndpoint(reactor, "somewhere", number, attemptDelay=0.02)
            client = await endpoint.connect(Factory.forProtocol(Recorder))
            assert client.transport.getPeer().host == "127.0.0.1"
            for filler in fillers:
                filler.close()

    try:
        socket.create_server(("127.0.0.2", 0)).close()
    except OSError:
        pytest.skip("this system has one loopback address only")
    with nothing_left_open():
        run(scenario)


def test_a_factory_that_makes_no_protocol(reactor, run):
    async def scenario():
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Server())
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        with pytest.raises(error.NoProtocol):
            await endpoint.connect(Server(lambda: None))

    run(scenario)


def test_a_protocol_that_raises(reactor, run, logged):
    async def scenario():
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Server())
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        protocol = Recorder({"connectionMade": lambda _: 1 / 0})
        with pytest.raises(ZeroDivisionError):
            await connectProtocol(endpoint, protocol)
        assert (await after(reactor, protocol.lost)).__class__ is ZeroDivisionError

    run(scenario)
    assert len(logged.take(ZeroDivisionError)) == 1


class Slow(Hosts):
    """A name resolver that tells of its addresses one by one, at these times, and perhaps never comes to an end."""

    def __init__(self, reactor, *times, end=None):
        self.reactor = reactor
        self.times = times
        self.end = end
        self.cancelled = 0

    def resolveHostName(self, receiver, hostName, portNumber=0, addressTypes=None, transportSemantics="TCP"):
        receiver.resolutionBegan(self)
        for seconds, host in self.times:
            kind = IPv6Address if ":" in host else IPv4Address
            self.reactor.callLater(seconds, receiver.addressResolved, kind("TCP", host, portNumber))
        if self.end is not None:
            self.reactor.callLater(self.end, receiver.resolutionComplete)
        return self

    def cancel(self):
        self.cancelled += 1


def test_all_that_failed_is_told(reactor, run):
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as server:
            number = server.getsockname()[1]
        reactor.installNameResolver(Hosts("127.0.0.1", "127.9.9.9"))
        with pytest.raises(error.ConnectionRefusedError) as caught:
            await HostnameEndpoint(reactor, "somewhere", number).connect(Factory.forProtocol(Recorder))
        assert [address.host for address, _ in caught.value.attempts] == ["127.0.0.1", "127.9.9.9"]
        assert "none of the 2 addresses of 'somewhere'" in str(caught.value)

    with nothing_left_open():
        run(scenario)


def test_a_resolver_that_never_ends(reactor, run):
    async def scenario():
        factory = Server()
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        resolver = Slow(reactor, (0, "127.0.0.1"))
        reactor.installNameResolver(resolver)
        endpoint = HostnameEndpoint(reactor, "somewhere", port.getHost().port)
        client = await endpoint.connect(Factory.forProtocol(Recorder))
        assert client.transport.getPeer().host == "127.0.0.1"
        assert resolver.cancelled == 1

    run(scenario)


def test_an_address_that_comes_late(reactor, run):
    async def scenario():
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Server())
        reactor.installNameResolver(Slow(reactor, (0, "127.9.9.9"), (0.08, "127.0.0.1"), end=0.1))
        endpoint = HostnameEndpoint(reactor, "somewhere", port.getHost().port)
        client = await endpoint.connect(Factory.forProtocol(Recorder))
        assert client.transport.getPeer().host == "127.0.0.1"

    run(scenario)


def test_a_resolver_that_never_answers(reactor, run):
    async def scenario():
        resolver = Slow(reactor)
        reactor.installNameResolver(resolver)
        for kind in (HostnameEndpoint, TCP6ClientEndpoint):
            with pytest.raises(error.DNSLookupError, match=r"after 0\.02 seconds"):
                await kind(reactor, "somewhere", 80, timeout=0.02).connect(Factory.forProtocol(Recorder))
        assert resolver.cancelled == 2

    with nothing_left_open():
        run(scenario)


def test_both_families(reactor, run):
    async def scenario():
        factory = Server()
        four = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        number = four.getHost().port
        six = await TCP6ServerEndpoint(reactor, number, interface="::1").listen(factory)
        hosts = []
        for addresses in (("127.0.0.1", "::1"), ("::1", "127.0.0.1")):
            reactor.installNameResolver(Hosts(*addresses))
            client = await HostnameEndpoint(reactor, "somewhere", number).connect(Factory.forProtocol(Recorder))
            hosts.append(client.transport.getPeer().host)
        assert hosts == ["127.0.0.1", "::1"]
        await six.stopListening()
        client = await HostnameEndpoint(reactor, "somewhere", number).connect(Factory.forProtocol(Recorder))
        assert client.transport.getPeer().host == "127.0.0.1"

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    run(scenario)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems share ports in their own ways")
@needs("IReactorTCP", "kernel", "engine")
def test_shared_ports(reactor, run):
    async def scenario():
        factories = [Server(), Server()]
        first = await serverFromString(reactor, "tcp:0:interface=127.0.0.1:reusePort=yes").listen(factories[0])
        number = first.getHost().port
        with pytest.raises(error.CannotListenError):  # who does not say so shares nothing
            await serverFromString(reactor, f"tcp:{number}:interface=127.0.0.1").listen(Server())
        second = await serverFromString(reactor, f"tcp:{number}:interface=127.0.0.1:reusePort=yes").listen(factories[1])
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", number)
        clients = [await endpoint.connect(Factory.forProtocol(Recorder)) for _ in range(64)]
        await until(reactor, lambda: sum(len(factory.protocols) for factory in factories) == len(clients))
        assert all(factory.protocols for factory in factories)  # either gets one, but once in 2 ** 63 times
        await first.stopListening()
        client = await endpoint.connect(Factory.forProtocol(Recorder))
        await until(reactor, lambda: len(factories[0].protocols + factories[1].protocols) == 65)
        for each in (client, *clients):
            each.transport.abortConnection()
        await second.stopListening()

    with nothing_left_open():
        run(scenario)
