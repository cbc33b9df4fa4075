"""A SOCKS proxy between real clients and real servers, curl among the clients."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import asynccontextmanager

import pytest

from contract.harness import Peer, Recorder, Server, after, in_thread, nothing_left_open, until
from torsion.protocols.socks import SOCKSv4, SOCKSv4Factory
from torsion.wire.socks import Command, Request, encode_request

GRANTED, REFUSED = 90, 91


@asynccontextmanager
async def proxying(reactor, make=SOCKSv4, echo=True):
    """Yield the factory of a server, its port, and the proxy's port."""
    server = Server(lambda: Recorder({"dataReceived": lambda end: end.transport.write(end.received)} if echo else {}))
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    factory = SOCKSv4Factory(None)
    factory.buildProtocol = lambda addr: make(None, reactor)
    proxy = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield server, port.getHost().port, proxy
    finally:
        await port.stopListening()
        await proxy.stopListening()


async def ask(reactor, proxy, *request, rest=b"", **more):
    """Send a request, and *rest* with it; return the peer, and the code, port and host of the answer."""
    peer = Peer(proxy)
    peer.send(encode_request(Request(*request, **more)) + rest)
    answer = await in_thread(reactor, lambda: peer.socket.recv(8, socket.MSG_WAITALL))
    assert answer[0] == 0
    return peer, answer[1], int.from_bytes(answer[2:4], "big"), socket.inet_ntoa(answer[4:])


@pytest.mark.parametrize(("host", "named"), [("127.0.0.1", False), ("localhost", True)])
def test_a_connection_by_number_and_by_name(reactor, run, host, named):
    async def scenario():
        async with proxying(reactor) as (server, port, proxy):
            peer, *answer = await ask(reactor, proxy, Command.CONNECT, host, port, b"ada", named)
            assert answer == [GRANTED, port, "127.0.0.1"]
            peer.send(b"hello")
            assert await peer.read(reactor) == b"hello"
            peer.close()
            await after(reactor, server.protocols[0].lost)

    with nothing_left_open():
        run(scenario)


def test_what_is_said_along_with_the_request_is_passed_on(reactor, run):
    async def scenario():
        async with proxying(reactor) as (server, port, proxy):
            peer, code, *_ = await ask(reactor, proxy, Command.CONNECT, "127.0.0.1", port, rest=b"early")
            assert code == GRANTED
            assert await peer.read(reactor) == b"early"
            peer.close()
            await after(reactor, server.protocols[0].lost)

    with nothing_left_open():
        run(scenario)


def test_requests_that_fail(reactor, run):
    class Picky(SOCKSv4):
        def authorize(self, code, server, port, user):
            return user != b"mallory"

    async def scenario():
        async with proxying(reactor, Picky) as (server, port, proxy):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))  # and not listening
                for request in (
                    (Command.CONNECT, "127.0.0.1", taken.getsockname()[1]),
                    (Command.CONNECT, "127.0.0.1", port, b"mallory"),
                    (7, "127.0.0.1", port),
                    (Command.CONNECT, "no host's name", port, b"", True),
                ):
                    peer, *answer = await ask(reactor, proxy, *request)
                    assert answer == [REFUSED, 0, "0.0.0.0"], request
                    assert await peer.read_all(reactor) == b""
                    peer.close()
            assert server.protocols == []

    with nothing_left_open():
        run(scenario)


def test_what_is_no_request_is_refused(reactor, run):
    async def scenario():
        async with proxying(reactor) as (_, _, proxy):
            peer = Peer(proxy)
            peer.send(b"GET / HTTP/1.0\r\n\r\n")
            assert await peer.read_all(reactor) == b"\0\x5b" + bytes(6)
            peer.close()

    run(scenario)


def test_waiting_for_a_connection(reactor, run):
    async def scenario():
        async with proxying(reactor) as (_, _, proxy):
            peer, code, port, _ = await ask(reactor, proxy, Command.BIND, "127.0.0.1", 0)
            assert code == GRANTED
            with socket.create_connection(("127.0.0.1", port), 10) as other:
                assert (await in_thread(reactor, peer.socket.recv, 8))[1] == GRANTED
                other.sendall(b"ring ring")
                assert await peer.read(reactor) == b"ring ring"
                peer.send(b"hello?")
                assert await in_thread(reactor, other.recv, 100) == b"hello?"
                with pytest.raises(ConnectionRefusedError):  # one is what was asked for
                    socket.create_connection(("127.0.0.1", port), 10)
            assert await peer.read_all(reactor) == b""
            peer.close()

    with nothing_left_open():
        run(scenario)


def test_waiting_for_somebody_else(reactor, run):
    async def scenario():
        async with proxying(reactor) as (_, _, proxy):
            peer, _, port, _ = await ask(reactor, proxy, Command.BIND, "127.0.0.9", 0)
            with socket.create_connection(("127.0.0.1", port), 10) as stranger:
                assert await in_thread(reactor, stranger.recv, 1) == b""
            assert (await peer.read_all(reactor))[1] == REFUSED
            peer.close()

    with nothing_left_open():
        run(scenario)


def test_who_goes_is_not_waited_for(reactor, run):
    made = []

    class Kept(SOCKSv4):
        def connectionMade(self):
            super().connectionMade()
            made.append(self)

    async def scenario():
        async with proxying(reactor, Kept) as (_, _, proxy):
            peer, _, port, _ = await ask(reactor, proxy, Command.BIND, "127.0.0.1", 0)
            made[0].transport.abortConnection()  # a client that is not read from can go unnoticed

            def closed():
                try:
                    socket.create_connection(("127.0.0.1", port), 10).close()
                except ConnectionRefusedError:
                    return True
                return False

            await until(reactor, lambda: made[0]._lost)
            assert closed()
            peer.close()

    with nothing_left_open():
        run(scenario)


def test_all_that_is_said_is_logged(reactor, run, tmp_path):
    log = tmp_path / "log"

    async def scenario():
        async with proxying(reactor, lambda _, reactor: SOCKSv4(str(log), reactor)) as (server, port, proxy):
            peer, *_ = await ask(reactor, proxy, Command.CONNECT, "127.0.0.1", port)
            client = peer.socket.getsockname()[1]
            peer.send(b"hello")
            assert await peer.read(reactor) == b"hello"
            peer.close()
            await after(reactor, server.protocols[0].lost)
            pair = f"127.0.0.1:{client} {{}} 127.0.0.1:{port} b'hello'\n"
            assert log.read_text() == pair.format(">") + pair.format("<")

    run(scenario)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("version", ["socks4", "socks4a"])
def test_curl(reactor, run, version):
    async def scenario():
        answer = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"

        def serve(end):
            if end.received.endswith(b"\r\n\r\n"):
                end.transport.write(answer)
                end.transport.loseConnection()

        async with proxying(reactor) as (server, port, proxy):
            server.make = lambda: Recorder({"dataReceived": serve})
            where = f"{version}://127.0.0.1:{proxy.getHost().port}"
            command = ["curl", "--silent", "--noproxy", "", "--proxy", where, f"http://localhost:{port}/"]
            done = await in_thread(
                reactor, lambda: subprocess.run(command, capture_output=True, timeout=10, check=False)
            )
            assert (done.stdout, done.stderr) == (b"hello", b"")

    run(scenario)
