"""``IReactorUDP``: ports with one peer, broadcasts, what goes wrong, and plain sockets at the other end."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

import pytest

from contract.datagrams import LOCAL, Post, address, echo, port
from contract.flavours import differs, needs
from contract.harness import pause, until
from torsion.internet import error

pytestmark = needs("IReactorUDP")


@contextlib.contextmanager
def plain() -> Any:
    """Make a plain socket of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOCAL, 0))
        peer.settimeout(5)
        yield peer


class TestConnected:
    """A port that has one peer."""

    def test_it_needs_no_address(self, reactor, run):
        async def scenario():
            server, received = port(reactor, {"datagramReceived": echo})
            client, answered = port(reactor)
            client.connect(*address(server))
            client.write(b"a")
            client.write(b"b", None)
            client.write(b"c", address(server))
            assert await received.got(3) == [b"a", b"b", b"c"]
            assert await answered.got(3) == [b"a", b"b", b"c"]
            assert answered.senders == [address(server)] * 3

        run(scenario)

    def test_it_has_one_peer_for_good(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            client, _ = port(reactor)
            client.connect(*address(server))
            with pytest.raises(RuntimeError):
                client.connect(*address(server))

        run(scenario)

    @differs("Twisted asserts")
    def test_it_cannot_send_to_others(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            client, _ = port(reactor)
            client.connect(*address(server))
            with pytest.raises(ValueError, match="connected to"):
                client.write(b"x", (LOCAL, 9))

        run(scenario)

    def test_it_hears_nobody_else(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            client, received = port(reactor)
            stranger, _ = port(reactor)
            client.connect(*address(server))
            stranger.write(b"stranger", address(client))
            server.write(b"peer", address(client))
            assert await received.got(1) == [b"peer"]

        run(scenario)

    @needs("IReactorUDP", "kernel")
    def test_a_refusal_is_told_and_the_port_goes_on(self, reactor, run):
        async def scenario():
            deaf, _ = port(reactor)
            target = address(deaf)
            await deaf.stopListening()
            client, post = port(reactor)
            client.connect(*target)
            client.write(b"anybody?")
            await post.refused
            assert "connectionRefused" in post.events
            there = Post()
            reactor.listenUDP(target[1], there, interface=LOCAL)
            client.write(b"hello")
            assert await there.got(1) == [b"hello"]

        run(scenario)

    @needs("IReactorUDP", "kernel")
    def test_who_is_not_connected_hears_of_no_refusal(self, reactor, run):
        async def scenario():
            deaf, _ = port(reactor)
            target = address(deaf)
            await deaf.stopListening()
            client, post = port(reactor)
            client.write(b"anybody?", target)
            client.write(b"here", address(client))
            assert await post.got(1) == [b"here"]
            assert "connectionRefused" not in post.events

        run(scenario)

    @differs("Twisted calls it from within write")
    @needs("IReactorUDP", "kernel")
    def test_a_refusal_is_never_told_from_within_write(self, reactor, run):
        async def scenario():
            deaf, _ = port(reactor)
            target = address(deaf)
            await deaf.stopListening()
            client, post = port(reactor)
            client.connect(*target)
            for _ in range(10):
                client.write(b"anybody?")
            assert "connectionRefused" not in post.events
            await post.refused

        run(scenario)


class TestBroadcast:
    """Sending to everybody has to be allowed first."""

    @needs("IReactorUDP", "kernel")
    def test_it_is_forbidden_at_first(self, reactor, run):
        async def scenario():
            server, _ = port(reactor, interface="")
            assert not server.getBroadcastAllowed()
            with pytest.raises(PermissionError):
                server.write(b"x", ("<broadcast>", 9))
            server.setBroadcastAllowed(True)
            assert server.getBroadcastAllowed()
            server.setBroadcastAllowed(False)
            assert not server.getBroadcastAllowed()

        run(scenario)


class TestFaults:
    """What goes wrong costs no more than it must."""

    @pytest.mark.parametrize("kind", [LookupError, SystemExit, KeyboardInterrupt])
    @needs("IReactorUDP", "engine")
    def test_a_hook_that_raises_costs_one_datagram(self, reactor, run, logged, kind):
        def fail(post: Any) -> None:
            if post.datagrams[-1] == b"bad":
                raise kind("bad")

        async def scenario():
            server, post = port(reactor, {"datagramReceived": fail})
            client, _ = port(reactor)
            for datagram in (b"good", b"bad", b"bad", b"good"):
                client.write(datagram, address(server))
            await post.got(4)
            assert post.events == ["startProtocol"] + ["datagramReceived"] * 4

        run(scenario)
        assert len(logged.take(kind)) == 2

    @differs("Twisted's Deferred never fires")
    def test_stopping_may_raise(self, reactor, run):
        def fail(post: Any) -> None:
            raise LookupError("bad")

        async def scenario():
            server, _ = port(reactor, {"stopProtocol": fail})
            try:
                await server.stopListening()
            except LookupError:
                return True
            return False

        assert run(scenario)

    @needs("IReactorUDP", "kernel", "engine")
    def test_a_descriptor_closed_behind_our_back_ends_the_port(self, reactor, run):
        async def scenario():
            server, post = port(reactor)
            os.close(server.fileno())
            with pytest.raises(OSError, match="descriptor"):
                server.write(b"x", (LOCAL, 9))
            await until(reactor, lambda: "stopProtocol" in post.events)
            assert server.stopListening() is None
            assert post.transport is None

        run(scenario)

    @needs("IReactorUDP", "kernel", "engine")
    def test_another_thread_is_refused(self, reactor, run):
        async def scenario():
            server, _ = port(reactor)
            caught: list[BaseException] = []

            def write() -> None:
                try:
                    server.write(b"x", (LOCAL, 9))
                except BaseException as problem:
                    caught.append(problem)

            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
            assert [type(each) for each in caught] == [error.WrongThreadError]

        run(scenario)


class TestWithThePlainSocket:
    """The standard library's sockets at the other end."""

    @needs("IReactorUDP", "kernel")
    def test_it_asks_and_is_answered(self, reactor, run):
        async def scenario():
            server, received = port(reactor, {"datagramReceived": echo})
            with plain() as peer:
                for size in (0, 1, 1500, 8192):
                    peer.sendto(b"x" * size, address(server))
                await received.got(4)
                await pause(reactor)
                assert [len(peer.recv(65536)) for _ in range(4)] == [0, 1, 1500, 8192]
                assert received.senders == [peer.getsockname()] * 4

        run(scenario)

    @needs("IReactorUDP", "kernel", "engine")
    def test_the_handle_is_a_socket_of_its_own(self, reactor, run):
        async def scenario():
            server, received = port(reactor)
            with server.getHandle() as handle:
                assert handle.getsockname() == address(server)
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            server.write(b"still there", address(server))
            assert await received.got(1) == [b"still there"]
            assert server.statistics()["datagrams_read"] == 1

        run(scenario)
