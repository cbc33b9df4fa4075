"""``IReactorUDP``: datagrams over IPv4 and IPv6."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from contract.datagrams import LOCAL, Post, address, echo, port
from contract.flavours import differs, needs
from contract.harness import after, gone, nothing_left_open, pause, until
from torsion.internet import error
from torsion.internet.address import IPv4Address, IPv6Address
from torsion.internet.interfaces import IListeningPort, IUDPTransport

pytestmark = needs("IReactorUDP")

has_ipv6 = socket.has_ipv6 and sys.platform != "win32"


class TestExchange:
    """What is sent is received, whole and with its sender."""

    def test_datagrams_arrive_whole_and_in_order_with_their_sender(self, reactor, run):
        async def scenario():
            server, received = port(reactor)
            client, _ = port(reactor)
            for datagram in (b"first", b"", b"third"):
                client.write(datagram, address(server))
            assert await received.got(3) == [b"first", b"", b"third"]
            assert received.senders == [address(client)] * 3

        run(scenario)

    def test_answers_reach_whoever_asked(self, reactor, run):
        async def scenario():
            server, _ = port(reactor, {"datagramReceived": echo})
            clients = [port(reactor) for _ in range(4)]
            for number in range(5):
                for index, (client, _) in enumerate(clients):
                    client.write(b"%d %d" % (index, number), address(server))
            for index, (_, answered) in enumerate(clients):
                assert await answered.got(5) == [b"%d %d" % (index, number) for number in range(5)]

        run(scenario)

    def test_an_answer_may_come_later_and_to_an_equal_address(self, reactor, run):
        async def scenario():
            server, received = port(reactor)
            client, answered = port(reactor)
            client.write(b"?", address(server))
            await received.got(1)
            await pause(reactor)
            server.write(b"late", received.senders[0])
            server.write(b"later", tuple(received.senders[0]))
            assert await answered.got(2) == [b"late", b"later"]

        run(scenario)

    def test_answers_and_others_keep_their_order(self, reactor, run):
        async def scenario():
            def answer(post: Any) -> None:
                post.transport.write(b"answer", post.senders[-1])
                post.transport.write(b"equal", (post.senders[-1][0], post.senders[-1][1]))
                post.transport.write(b"x" * 3000, post.senders[-1])
                post.transport.write(b"last", post.senders[-1])

            server, _ = port(reactor, {"datagramReceived": answer})
            client, answered = port(reactor)
            client.write(b"?", address(server))
            assert [len(each) for each in await answered.got(4)] == [6, 5, 3000, 4]

        run(scenario)

    @pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
    def test_any_buffer_is_sent(self, reactor, run, make):
        async def scenario():
            server, received = port(reactor)
            server.write(make(b"bytes"), address(server))
            assert await received.got(1) == [b"bytes"]
            assert type(received.datagrams[0]) is bytes

        run(scenario)

    def test_a_sequence_is_one_datagram(self, reactor, run):
        async def scenario():
            server, received = port(reactor)
            server.writeSequence([b"some", b"bytes"], address(server))
            assert await received.got(1) == [b"somebytes"]

        run(scenario)

    def test_what_is_longer_than_the_limit_is_cut_off(self, reactor, run):
        async def scenario():
            server, received = port(reactor, maxPacketSize=4)
            client, _ = port(reactor)
            client.write(b"too long", address(server))
            client.write(b"fits", address(server))
            assert await received.got(2) == [b"too ", b"fits"]

        run(scenario)

    @needs("IReactorUDP", "kernel")
    @pytest.mark.parametrize("size", [1232, 1233, 8192, 60_000])
    def test_long_datagrams_go_there_and_back(self, reactor, run, size):
        async def scenario():
            server, _ = port(reactor, {"datagramReceived": echo}, maxPacketSize=65536)
            client, answered = port(reactor, maxPacketSize=65536)
            client.write(os.urandom(size), address(server))
            (answer,) = await answered.got(1)
            assert len(answer) == size

        run(scenario)

    @pytest.mark.skipif(not has_ipv6, reason="needs IPv6")
    def test_over_ipv6_an_address_has_two_parts_as_well(self, reactor, run):
        async def scenario():
            server, received = port(reactor, {"datagramReceived": echo}, interface="::1")
            client, answered = port(reactor, interface="::1")
            assert server.getHost() == IPv6Address("UDP", "::1", server.getHost().port)
            client.write(b"six", address(server))
            assert await answered.got(1) == [b"six"]
            assert received.senders == [address(client)]

        run(scenario)

    @needs("IReactorUDP", "kernel")
    @pytest.mark.skipif(not has_ipv6, reason="needs IPv6")
    def test_all_addresses_are_those_of_ipv4_too(self, reactor, run):
        async def scenario():
            server, received = port(reactor, {"datagramReceived": echo}, interface="::")
            client, answered = port(reactor)
            client.write(b"four", (LOCAL, server.getHost().port))
            assert await answered.got(1) == [b"four"]
            assert received.senders == [("::ffff:127.0.0.1", client.getHost().port)]

        run(scenario)

    def test_a_port_of_no_interface_has_all_ipv4_addresses(self, reactor, run):
        async def scenario():
            server, received = port(reactor, interface="")
            assert server.getHost().host == "0.0.0.0"
            client, _ = port(reactor)
            client.write(b"hello", (LOCAL, server.getHost().port))
            assert await received.got(1) == [b"hello"]

        run(scenario)

    def test_a_flood_does_not_keep_others_waiting(self, reactor, run):
        async def scenario():
            flooded, flood = port(reactor)
            client, _ = port(reactor)
            for _ in range(100):
                client.write(b"flood", address(flooded))
            order: list[int] = []
            reactor.callLater(0, lambda: order.append(len(flood.datagrams)))
            await flood.got(100)
            assert order
            assert order[0] < 100

        run(scenario)


class TestAddresses:
    """Addresses that will not do are told where they are written."""

    @pytest.mark.parametrize("host", ["localhost", "example.invalid", "", "1.2.3", "127.0.0.01", "::g"])
    def test_names_are_refused(self, reactor, run, host):
        async def scenario():
            server, _ = port(reactor)
            with pytest.raises(error.InvalidAddressError) as caught:
                server.write(b"x", (host, 1))
            assert caught.value.address == host
            assert isinstance(caught.value, ValueError)

        run(scenario)

    @pytest.mark.skipif(not has_ipv6, reason="needs IPv6")
    @pytest.mark.parametrize(("interface", "host"), [(LOCAL, "::1"), ("::1", LOCAL), ("::1", "<broadcast>")])
    def test_so_is_the_other_family(self, reactor, run, interface, host):
        async def scenario():
            server, _ = port(reactor, interface=interface)
            with pytest.raises(error.InvalidAddressError):
                server.write(b"x", (host, 1))
            with pytest.raises(error.InvalidAddressError):
                server.write("no bytes, which is told after that", (host, 1))

        run(scenario)

    @pytest.mark.parametrize("host", ["localhost", "example.invalid"])
    def test_a_peer_is_numeric_as_well(self, reactor, run, host):
        async def scenario():
            server, _ = port(reactor)
            with pytest.raises(error.InvalidAddressError):
                server.connect(host, 1)

        run(scenario)

    @pytest.mark.parametrize("interface", ["example.com", "localhost", "1.2.3", "::g"])
    def test_an_interface_too(self, reactor, interface):
        with pytest.raises(error.InvalidAddressError):
            reactor.listenUDP(0, Post(), interface=interface)

    @differs("Twisted takes bytes, and raises an AttributeError that names nothing for the others")
    @pytest.mark.parametrize("interface", [None, 5, b"127.0.0.1", ("127.0.0.1", 0)])
    def test_an_interface_of_a_wrong_type_is_named(self, reactor, interface):
        with pytest.raises(TypeError, match=r"^interface is a str"):
            reactor.listenUDP(0, Post(), interface=interface)

    @pytest.mark.parametrize(
        ("addr", "kind"),
        [
            (("127.0.0.1", 65536), OverflowError),
            (("127.0.0.1", -1), OverflowError),
            (("127.0.0.1", "9"), TypeError),
            (("127.0.0.1",), TypeError),
            (("127.0.0.1", 9, 0, 0), TypeError),
        ],
    )
    def test_what_is_no_address_is_refused(self, reactor, run, addr, kind):
        async def scenario():
            server, _ = port(reactor)
            with pytest.raises(kind):
                server.write(b"x", addr)

        run(scenario)

    @differs("Twisted asserts")
    def test_no_address_is_no_address(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            with pytest.raises(ValueError, match="not connected"):
                server.write(b"x")

        run(scenario)

    def test_only_bytes_are_sent(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            with pytest.raises(TypeError):
                server.write("text", address(server))

        run(scenario)

    def test_too_long_is_told_where_it_is_written(self, reactor, run):
        async def scenario():
            server, received = port(reactor)
            with pytest.raises(error.MessageLengthError):
                server.write(b"x" * 70_000, address(server))
            server.write(b"short", address(server))
            assert await received.got(1) == [b"short"]

        run(scenario)

    def test_so_it_is_in_an_answer(self, reactor, run):
        async def scenario():
            def answer(post: Any) -> None:
                with pytest.raises(error.MessageLengthError):
                    post.transport.write(b"x" * 70_000, post.senders[-1])
                echo(post)

            server, _ = port(reactor, {"datagramReceived": answer})
            client, answered = port(reactor)
            client.write(b"?", address(server))
            assert await answered.got(1) == [b"?"]

        run(scenario)


class TestListening:
    """How a port begins and ends."""

    def test_it_provides_its_interfaces(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            assert verifyObject(IListeningPort, server)
            assert verifyObject(IUDPTransport, server)
            host = server.getHost()
            assert host == IPv4Address("UDP", LOCAL, host.port)
            assert str(host.port) in repr(server)

        run(scenario)

    def test_the_protocol_is_started_and_stopped(self, reactor, run):
        async def scenario():
            server, post = port(reactor)
            assert post.transport is server
            assert post.events == ["startProtocol"]
            stopped = server.stopListening()
            assert post.events == ["startProtocol"]  # stopped later, never from within
            assert await stopped is None
            assert post.events == ["startProtocol", "stopProtocol"]
            assert post.transport is None

        run(scenario)

    @differs("Twisted stops the protocol twice")
    def test_stopping_twice_waits_for_the_same_end(self, reactor, run):
        async def scenario():
            server, post = port(reactor)
            first, second = server.stopListening(), server.stopListening()
            await first
            await second
            assert post.events == ["startProtocol", "stopProtocol"]
            assert server.stopListening() is None

        run(scenario)

    @differs("Twisted leaves the socket open")
    def test_an_address_in_use_is_named(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            number = server.getHost().port
            late = Post()
            with pytest.raises(error.CannotListenError) as caught:
                reactor.listenUDP(number, late, interface=LOCAL)
            assert (caught.value.interface, caught.value.port) == (LOCAL, number)
            assert late.events == []
            await server.stopListening()
            again = reactor.listenUDP(number, late, interface=LOCAL)
            assert again.getHost().port == number

        run(scenario)

    @differs("Twisted leaves the socket open")
    @needs("IReactorUDP", "kernel")
    def test_an_address_of_others_is_refused(self, reactor):
        with pytest.raises(error.CannotListenError):
            reactor.listenUDP(0, Post(), interface="192.0.2.1")

    @differs("Twisted leaves the socket open")
    @pytest.mark.parametrize("number", ["80", None, 1.5])
    def test_a_port_is_a_number(self, reactor, number):
        with pytest.raises(TypeError):
            reactor.listenUDP(number, Post())

    @differs("Twisted raises OverflowError")
    def test_a_number_that_no_port_has_cannot_be_listened_on(self, reactor):
        with pytest.raises(error.CannotListenError):
            reactor.listenUDP(65536, Post())

    @differs("Twisted finds out when it receives")
    @pytest.mark.parametrize("size", [0, -1, "8192"])
    def test_the_limit_is_a_positive_number(self, reactor, size):
        with pytest.raises(ValueError, match="maxPacketSize"):
            reactor.listenUDP(0, Post(), maxPacketSize=size)

    @differs("Twisted leaves the socket open")
    def test_a_protocol_that_cannot_start_leaves_nothing_behind(self, reactor, run):
        def refuse(post: Any) -> None:
            raise LookupError("not now")

        async def scenario():
            with pytest.raises(LookupError):
                port(reactor, {"startProtocol": refuse})
            assert reactor.open_handles == {}

        run(scenario)

    def test_a_port_may_stop_in_its_protocols_start(self, reactor, run):
        async def scenario():
            server, post = port(reactor, {"startProtocol": lambda post: post.transport.stopListening()})
            await until(reactor, lambda: "stopProtocol" in post.events)
            assert post.events == ["startProtocol", "stopProtocol"]
            assert server.stopListening() is None

        run(scenario)

    @differs("Twisted delivers what is there")
    def test_a_port_may_stop_while_it_delivers(self, reactor, run):
        async def scenario():
            server, post = port(reactor, {"datagramReceived": lambda post: post.transport.stopListening()})
            client, _ = port(reactor)
            for _ in range(3):
                client.write(b"x", address(server))
            await until(reactor, lambda: "stopProtocol" in post.events)
            assert post.datagrams == [b"x"]

        run(scenario)

    def test_what_is_answered_before_the_end_is_sent(self, reactor, run):
        def part(post: Any) -> None:
            echo(post)
            post.transport.stopListening()
            post.transport.write(b"bye", post.senders[-1])

        async def scenario():
            server, _ = port(reactor, {"datagramReceived": part})
            client, answered = port(reactor)
            client.write(b"?", address(server))
            assert await answered.got(2) == [b"?", b"bye"]

        run(scenario)

    def test_a_reactor_that_stops_stops_its_ports(self, reactor, run):
        posts = []

        async def scenario():
            posts.extend(port(reactor)[1] for _ in range(2))

        run(scenario)
        assert [post.events for post in posts] == [["startProtocol", "stopProtocol"]] * 2

    @differs("Twisted's port has lost its socket")
    def test_what_is_written_to_a_stopped_port_is_dropped(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            target = address(server)
            await server.stopListening()
            server.write(b"x", target)
            assert server.getHost().port == target[1]
            assert server.fileno() == -1
            with pytest.raises(OSError, match="no socket"):
                server.getBroadcastAllowed()
            with pytest.raises(RuntimeError):
                server.connect(*target)

        run(scenario)

    @differs("Twisted cannot do it")
    def test_a_stopped_port_can_listen_again(self, reactor, run):
        async def scenario():
            server, post = port(reactor)
            await server.stopListening()
            server.startListening()
            client, _ = port(reactor)
            client.write(b"again", address(server))
            assert await post.got(1) == [b"again"]
            assert post.events == ["startProtocol", "stopProtocol", "startProtocol", "datagramReceived"]

        run(scenario)

    @needs("IReactorUDP", "kernel", "engine")
    def test_ports_leave_no_descriptor_and_no_memory(self, reactor, run):
        import weakref

        references = []

        async def scenario():
            with nothing_left_open():
                server, post = port(reactor, {"datagramReceived": echo})
                server.write(b"x", address(server))
                await post.got(2)
                references.extend([weakref.ref(server), weakref.ref(post)])
                await after(reactor, server.stopListening())
                del server, post

        run(scenario)
        assert all(gone(reference) for reference in references)


class TestPausing:
    """A port can be told to wait."""

    @needs("IReactorUDP", "engine")
    def test_what_comes_meanwhile_is_kept(self, reactor, run):
        async def scenario():
            server, post = port(reactor, {"datagramReceived": lambda post: post.transport.pauseProducing()})
            client, _ = port(reactor)
            for number in range(3):
                client.write(b"%d" % number, address(server))
            await post.got(1)
            for _ in range(3):
                await pause(reactor)
            assert post.datagrams == [b"0"]
            post.do = {}
            server.resumeProducing()
            assert await post.got(3) == [b"0", b"1", b"2"]

        run(scenario)
