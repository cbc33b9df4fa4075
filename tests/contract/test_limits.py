"""The ends of what there is: descriptors, memory, and very many connections."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest

from contract import faultkit
from contract.faultkit import Echo, Loop, Maker, Program, needs_posix, needs_proc, run_script
from torsion.tap.echo import EchoFactory

loop = faultkit.loop

# --- memory ------------------------------------------------------------------------------------------------------------


def flood(loop: Loop, peer, least: int) -> int:
    """Send until nothing more is taken; return how much was."""
    sent = refused = 0
    while refused < 20:
        try:
            sent += peer.socket.send(b"x" * 65536)
            refused = 0
        except BlockingIOError:
            refused += 1
        loop.turn(1)
    assert sent >= least
    return sent


def test_an_echo_reads_no_more_than_its_peer_does(loop: Loop):
    """What was taken in and not given back is in the kernel's buffers, or in the little that is kept."""
    factory = EchoFactory()
    peer = loop.peer(loop.listen(factory))
    sent = flood(loop, peer, 100_000)
    (protocol,) = factory.connections
    figures = protocol.transport.statistics()
    assert figures["bytes_queued"] < 1_000_000
    assert figures["bytes_read"] == figures["bytes_queued"] + figures["bytes_written"]
    received = peer.receive(sent)  # and all of it comes back
    assert received == b"x" * sent
    assert peer.answers()


class Endless:
    """Writes for as long as it may."""

    def __init__(self, transport) -> None:
        self.transport = transport
        self.written = 0
        self.writing = False
        self.stopped = False
        transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self):
        self.writing = True
        while self.writing:
            self.written += 4096
            self.transport.write(b"x" * 4096)

    def pauseProducing(self):
        self.writing = False

    def stopProducing(self):
        self.writing = False
        self.stopped = True


def test_a_producer_is_paused_for_a_peer_that_never_reads(loop: Loop):
    class Server(Echo):
        def connectionMade(self):
            self.producer = Endless(self.transport)

    factory = Maker(Server)
    peer = loop.peer(loop.listen(factory))
    loop.until(lambda: factory.made)
    loop.turn(50)
    (protocol,) = factory.made
    written = protocol.producer.written
    figures = protocol.transport.statistics()
    assert figures["bytes_queued"] < 1_000_000
    assert figures["bytes_queued"] + figures["bytes_written"] == written
    loop.turn(50)
    assert protocol.producer.written == written, "paused is paused"
    assert peer.receive(written + 1) == b"x" * (written + 1), "it goes on when the peer does"
    peer.reset()
    loop.until(lambda: protocol.producer.stopped)


MEMORY = """
import os, socket
from torsion.internet.reactors.native import NativeReactor
from torsion.tap.echo import EchoFactory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def flood():
    peers = [socket.create_connection(("127.0.0.1", port.getHost().port)) for _ in range(8)]
    for peer in peers:
        peer.setblocking(False)
    for _ in range(120):
        for peer in peers:
            try:
                peer.send(bytes(65536))
            except BlockingIOError:
                pass
        reactor.iterate(0)
    for peer in peers:
        peer.close()
    while factory.connections:
        reactor.iterate(0.01)

reactor = NativeReactor()
factory = EchoFactory()
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
flood()
before = resident()
for _ in range(8):
    flood()
print(resident() - before)
reactor.disconnectAll()
"""


@needs_proc
def test_memory_stays_flat():
    assert int(run_script(MEMORY)) < 4_000_000


# --- descriptors -------------------------------------------------------------------------------------------------------

STARVING = """
import json, resource, sys, time
from torsion.internet import reactor
from torsion.internet.protocol import Factory, Protocol
from torsion.logger import LogLevel, globalLogBeginner

errors = []
def observe(event):
    if event["log_level"] >= LogLevel.warn:
        errors.append(event["log_format"].format_map(event))
globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False)

class Echo(Protocol):
    def dataReceived(self, data):
        if data == b"limit 3":
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        elif data == b"limit 64":
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        elif data == b"report":
            turns = reactor.engine.statistics()["turns"]
            reactor.callLater(0.4, self.report, time.process_time(), turns)
            return
        self.transport.write(data)
    def report(self, spent, turns):
        turns = reactor.engine.statistics()["turns"] - turns
        self.transport.write(json.dumps([errors, time.process_time() - spent, turns]).encode() + b"\\n")

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
factory = Factory.forProtocol(Echo)
factory.noisy = False
port = reactor.listenTCP(0, factory, backlog=256, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""


class Client:
    """A peer of the starving program, which has its own descriptors."""

    def __init__(self, number: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", number), 5)

    def ask(self, data: bytes) -> bytes:
        """Send *data* and return the answer; nothing if the connection was turned away."""
        try:
            self.socket.sendall(data)
            return self.socket.recv(65536)
        except ConnectionError:
            return b""

    def report(self):
        """Return what was logged so far, and how many seconds of work and turns of the loop the next 0.4 seconds cost."""
        self.socket.sendall(b"report")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self.socket.recv(65536)
        return json.loads(answer)


@needs_posix
def test_descriptors_run_out_and_come_back():
    with Program("-c", STARVING) as program, contextlib.ExitStack() as stack:
        number = int(program.line())
        first = Client(number)
        stack.enter_context(first.socket)
        assert first.ask(b"hello") == b"hello"

        clients = [Client(number) for _ in range(100)]
        for client in clients:
            stack.enter_context(client.socket)
        served = [client for client in clients if client.ask(b"hello") == b"hello"]
        assert 30 < len(served) < 64
        errors, seconds, turns = first.report()
        assert len(errors) == 1, "said once"
        assert "Too many open files" in errors[0]
        assert f"127.0.0.1:{number}" in errors[0]
        assert seconds < 0.2, "it waits without turning round and round"
        assert turns < 50

        for client in served[:10]:
            client.socket.close()
        assert first.ask(b"hello") == b"hello"
        again = [Client(number) for _ in range(5)]
        for client in again:
            stack.enter_context(client.socket)
        assert [client.ask(b"again") for client in again] == [b"again"] * 5
        assert len(first.report()[0]) == 1

        for _ in range(60):
            client = Client(number)
            stack.enter_context(client.socket)
            client.ask(b"more")
        assert len(first.report()[0]) == 2, "said again, as it had worked meanwhile"
        program.signal()
        assert program.finish() == (0, "", "")


@needs_posix
def test_connections_wait_when_not_even_the_reserve_helps():
    """As when all the system's descriptors are taken: the listener tries again now and then."""
    with Program("-c", STARVING) as program, contextlib.ExitStack() as stack:
        number = int(program.line())
        first = Client(number)
        stack.enter_context(first.socket)
        assert first.ask(b"limit 3") == b"limit 3"
        waiting = Client(number)
        stack.enter_context(waiting.socket)
        waiting.socket.sendall(b"patient")
        errors, seconds, turns = first.report()
        assert len(errors) == 1
        assert seconds < 0.2
        assert turns < 50
        assert first.ask(b"limit 64") == b"limit 64"
        assert waiting.socket.recv(10) == b"patient"
        assert len(first.report()[0]) == 1
        program.signal()
        assert program.finish() == (0, "", "")


NONE_LEFT = """
import errno, gc, os, resource
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.protocol import ClientFactory, Factory, Protocol
from torsion.internet.error import CannotListenError, ConnectError

class Client(ClientFactory):
    noisy = False
    protocol = Protocol
    def clientConnectionFailed(self, connector, reason):
        failures.append(reason.value)

reactor = NativeReactor()
factory = Factory.forProtocol(Protocol)
factory.noisy = False
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
number = port.getHost().port
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
failures = []
reactor.connectTCP("127.0.0.1", number, Client())
try:
    reactor.listenTCP(0, factory, interface="127.0.0.1")
except CannotListenError as error:
    failures.append(error)
try:
    NativeReactor()
except OSError as error:
    failures.append(error)
reactor.iterate(0)
reactor.iterate(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
gc.collect()
before = sorted(os.listdir("/dev/fd"))
NativeReactor()
gc.collect()
one = reactor.listenTCP(0, factory, interface="127.0.0.1")
one.stopListening()
reactor.iterate(0)
assert sorted(os.listdir("/dev/fd")) == before
first, second, third = failures
assert isinstance(third, ConnectError) and third.osError == errno.EMFILE, third
assert first.socketError.errno == errno.EMFILE, first
assert second.errno == errno.EMFILE, second
reactor.disconnectAll()
"""


@needs_posix
def test_what_needs_a_descriptor_says_so_when_there_is_none():
    run_script(NONE_LEFT)


# --- connections -------------------------------------------------------------------------------------------------------

CONNECTIONS = 10_000

CROWDED = """
import gc, os, resource, sys
from torsion.internet import reactor
from torsion.internet.protocol import Factory, Protocol

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
wanted = int(sys.argv[1])

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

class Echo(Protocol):
    def connectionMade(self):
        global open_now
        open_now += 1
        if open_now == wanted:
            print("full", (resident() - at_first) // wanted, flush=True)
    def dataReceived(self, data):
        self.transport.write(data)
    def connectionLost(self, reason):
        global open_now
        open_now -= 1
        if not open_now:
            reactor.callLater(0, empty)

def empty():
    gc.collect()
    left = len(os.listdir("/dev/fd")) - descriptors
    protocols = sum(type(one) is Echo for one in gc.get_objects())
    print("empty", left, protocols, reactor.engine.statistics()["descriptors"], flush=True)

open_now = 0
factory = Factory.forProtocol(Echo)
factory.noisy = False
port = reactor.listenTCP(0, factory, backlog=1024, interface="127.0.0.1")
descriptors = len(os.listdir("/dev/fd"))
at_first = resident()
print(port.getHost().port, flush=True)
reactor.run()
"""

CROWD = """
import random, resource, socket, sys

number, wanted = map(int, sys.argv[1:])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
peers = [socket.create_connection(("127.0.0.1", number), 10) for _ in range(wanted)]
print("connected", flush=True)
sys.stdin.readline()
some = random.Random(1).sample(peers, 300)
for peer in some:
    for size in (1, 1000, 20000):
        message = random.Random(size).randbytes(size)
        peer.sendall(message)
        answer = b""
        while len(answer) < size:
            answer += peer.recv(size - len(answer))
        assert answer == message
print("talked", flush=True)
sys.stdin.readline()
for peer in peers:
    peer.close()
"""


@needs_posix
@needs_proc
def test_ten_thousand_connections():
    import resource

    if resource.RLIM_INFINITY != resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CONNECTIONS + 100:
        pytest.skip(f"the hard limit forbids a process {CONNECTIONS} open connections")
    with Program("-c", CROWDED, str(CONNECTIONS)) as server:
        number = server.line()
        with Program("-c", CROWD, number, str(CONNECTIONS)) as crowd:
            assert crowd.line(30) == "connected"
            state, size = server.line(30).split()
            assert state == "full"
            assert int(size) < 2000, "bytes of memory for each, Python's objects included"
            crowd.tell("talk")
            assert crowd.line(30) == "talked"
            crowd.tell("go")
            assert crowd.finish(30) == (0, "", "")
        assert server.line(30) == "empty 0 0 1"
        server.signal()
        assert server.finish() == (0, "", "")
