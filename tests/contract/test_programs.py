"""Whole programs in processes of their own: signals, draining, and the end of the interpreter."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from contract.faultkit import Program, needs_posix, run_script

pytestmark = needs_posix

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


class Client:
    """A blocking client of a program."""

    def __init__(self, room: int) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(10)
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (piece := self.socket.recv(count - len(data))):
            data += piece
        return data

    def ask(self, data: bytes) -> bytes:
        self.socket.sendall(data)
        return self.receive(len(data))

    def rest(self) -> int:
        """Return how many bytes come until the end."""
        count = 0
        while piece := self.socket.recv(1 << 20):
            count += len(piece)
        return count


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients of the port with a number."""
    clients: list[Client] = []

    def connect(number: int, room: int = 0) -> Client:
        clients.append(Client(room))
        clients[-1].socket.connect(("127.0.0.1", number))
        return clients[-1]

    yield connect
    for client in clients:
        client.socket.close()


def command(*arguments: str) -> Program:
    return Program("-X", "dev", "-W", "error", "-m", "torsion", *arguments)


def port_of(program: Program) -> int:
    """Return where the program's log says that it listens, once it is ready."""
    while "listening on 127.0.0.1:" not in (line := program.line()):
        pass
    return int(line.rpartition(":")[2])


def assert_ended_well(program: Program, seconds: float = 10.0) -> None:
    status, log, errors = program.finish(seconds)
    assert (status, errors) == (0, ""), log + errors


LISTEN = ("--listen", "tcp:0:interface=127.0.0.1")


@SIGNALS
@pytest.mark.parametrize("kind", ["echo", "chat"])
def test_a_server_without_connections_stops(kind, number):
    with command(kind, *LISTEN) as program:
        port_of(program)
        program.signal(number)
        assert_ended_well(program)


@SIGNALS
def test_an_echo_server_stops_and_its_connections_end_in_order(connect, number):
    with command("echo", *LISTEN) as program:
        port = port_of(program)
        clients = [connect(port) for _ in range(20)]
        for client in clients:
            assert client.ask(b"hello") == b"hello"
        program.signal(number)
        assert [client.rest() for client in clients] == [0] * 20
        assert_ended_well(program)
        with pytest.raises(ConnectionRefusedError):
            connect(port)


@SIGNALS
def test_a_chat_server_stops(connect, number):
    with command("chat", *LISTEN) as program:
        port = port_of(program)
        one, other = connect(port), connect(port)
        for client in (one, other):
            assert b"you are" in client.socket.recv(1000)
        one.socket.sendall(b"good morning\n")
        said = b""
        while b"> good morning\n" not in said:
            said += other.socket.recv(1000)
        program.signal(number)
        assert_ended_well(program)


TALKERS = """
from torsion.application.draining import DrainingFactory
from torsion.application.service import Application
from torsion.application.internet import StreamServerEndpointService
from torsion.internet import reactor
from torsion.internet.endpoints import TCP4ServerEndpoint
from torsion.internet.protocol import Protocol

data = bytes(20_000_000)

class Talker(Protocol):
    def connectionMade(self):
        self.factory.opened(self)
        self.transport.write(data)
    def finish(self):
        self.transport.loseConnection()
    def connectionLost(self, reason):
        self.factory.closed(self)

class Talkers(DrainingFactory):
    protocol = Talker

application = Application("talk")
service = StreamServerEndpointService(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), Talkers())
service.whenListening().addCallback(lambda port: print(f"listening on 127.0.0.1:{port.getHost().port}"))
service.setServiceParent(application)
"""


@pytest.fixture
def talk(tmp_path):
    """Start a server that sends 20 MB to everybody, and has so many seconds to end."""
    (tmp_path / "talk.py").write_text(TALKERS)
    return lambda seconds: command("--grace", seconds, "-y", str(tmp_path / "talk.py"))


def test_what_was_written_is_sent_before_a_server_ends(connect, talk):
    with talk("10") as program:
        port = port_of(program)
        client = connect(port)
        assert len(client.receive(1000)) == 1000
        program.signal()
        while True:  # the port closes at once, while the connection goes on
            try:
                connect(port).socket.close()
            except ConnectionRefusedError:
                break
        assert client.rest() == 20_000_000 - 1000
        assert_ended_well(program)


def test_a_server_does_not_wait_for_ever_for_a_peer_that_does_not_read(connect, talk):
    with talk("0.2") as program:
        client = connect(port_of(program), room=4096)
        assert len(client.receive(1000)) == 1000
        program.signal()
        assert_ended_well(program)
        with pytest.raises(ConnectionResetError):
            client.rest()


SLOW_END = """
import signal
from torsion.internet import reactor
from torsion.internet.defer import Deferred

def before():
    print("before", reactor.running, flush=True)
    done = Deferred()
    reactor.callLater(0.05, done.callback, None)
    return done

reactor.addSystemEventTrigger("before", "shutdown", before)
reactor.addSystemEventTrigger("during", "shutdown", print, "during", flush=True)
reactor.addSystemEventTrigger("after", "shutdown", print, "after", flush=True)
reactor.callWhenRunning(print, "running", flush=True)
reactor.run()
print("returned", signal.getsignal(signal.SIGINT) is signal.default_int_handler,
      signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@SIGNALS
def test_a_signal_fires_the_shutdown_event(number):
    with Program("-c", SLOW_END) as program:
        assert program.line() == "running"
        program.signal(number)
        assert program.line() == "before True"
        program.signal(number)
        assert program.finish() == (0, "during\nafter\nreturned True True\n", "")


@SIGNALS
def test_a_signal_reaches_a_reactor_that_is_kept_busy(number):
    """No wait in which it could arrive: calls, timers and bytes without end."""
    script = """
import socket
from torsion.internet import reactor
from torsion.internet.protocol import ClientFactory, Factory, Protocol

class Endless(Protocol):
    def connectionMade(self):
        self.transport.write(b"x" * 1000)
    def dataReceived(self, data):
        self.transport.write(data)

def again():
    reactor.callLater(0, again)
def still():
    reactor.callFromThread(still)

factory = ClientFactory.forProtocol(Endless)
factory.noisy = False
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
again()
still()
reactor.callLater(0.05, print, "busy", flush=True)
reactor.run()
"""
    with Program("-c", script) as program:
        assert program.line() == "busy"
        program.signal(number)
        assert program.finish() == (0, "", "")


def test_an_interrupt_that_nobody_handles_is_logged_and_the_reactor_goes_on():
    script = """
import os, signal
from torsion.internet import reactor
from torsion.logger import globalLogPublisher

def observe(event):
    if "log_failure" in event:
        print(event["log_failure"].type.__name__, flush=True)
        reactor.callFromThread(reactor.stop)

globalLogPublisher.addObserver(observe)
reactor.callWhenRunning(print, "running", flush=True)
reactor.run(installSignalHandlers=False)
print("returned")
"""
    with Program("-c", script) as program:
        assert program.line() == "running"
        program.signal(signal.SIGINT)
        status, output, errors = program.finish()
        assert (status, output) == (0, "KeyboardInterrupt\nreturned\n")
        assert "KeyboardInterrupt" in errors


# --- the end of the interpreter ----------------------------------------------------------------------------------------

OPEN = """
import sys, threading
from torsion.internet import reactor
from torsion.internet.protocol import ClientFactory, Protocol

class Circle(Protocol):
    def connectionMade(self):
        self.reactor = reactor
        self.transport.registerProducer(self, True)
        self.transport.write(b"x" * 10_000_000)
        self.timer = reactor.callLater(60, self.pauseProducing, self)
        made.append(self)
    def pauseProducing(self):
        pass
    resumeProducing = stopProducing = pauseProducing

class Circles(ClientFactory):
    protocol = Circle
    noisy = False

made = []
factory = Circles()
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
while len(made) < 2:
    reactor.iterate(0.01)
reactor.callFromThread(lambda: made)
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "sys.exit()",
        "import gc; gc.disable()",
        "reactor.callLater(0, sys.exit); reactor.callLater(0, reactor.stop); reactor.run()",
        "reactor.callLater(0, reactor.crash); reactor.run()",
        "del reactor, port, connector, factory, made; sys.modules.clear()",
        "import atexit; atexit.register(reactor.iterate)",
        "import atexit; atexit.register(reactor.disconnectAll)",
        "keep = [made[0].transport.write, made[0].transport, made[0].timer.reset]; del made, reactor",
        "import torsion._native as native; native.circle = native, made; del made",
    ],
)
def test_a_program_that_ends_with_everything_open(end):
    with Program("-X", "dev", "-W", "error", "-c", OPEN + end) as program:
        status, output, errors = program.finish()
    assert (status, output) == (0, "")
    assert errors == "" or "SystemExit" in errors


DAEMON = """
import itertools, sys, threading
from torsion.internet import reactor
from torsion.internet.threads import blockingCallFromThread

def call_in():
    for number in itertools.count():
        reactor.callFromThread(int, number)
        reactor.wakeUp()
        if number % 100 == 50:
            try:
                blockingCallFromThread(reactor, int, number)
            except Exception:
                pass

sys.setswitchinterval(1e-6)
for _ in range(4):
    threading.Thread(target=call_in, daemon=True).start()
reactor.callLater(0.02, reactor.stop)
reactor.run()
if sys.argv[1] == "again":
    reactor.callLater(0.02, reactor.stop)
    reactor.run()
print("over")
"""


@pytest.mark.parametrize("times", ["once", "again"])
def test_threads_that_go_on_calling_in_at_the_interpreters_end(times):
    for _ in range(3):
        assert run_script(DAEMON, times) == "over\n"
