"""What the tests of faults share: a reactor that turns while a test waits, peers that are plain sockets, a log that must be
accounted for, and programs in processes of their own."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from contract.harness import descriptors, dial, reset
from torsion.internet.protocol import Factory, Protocol
from torsion.logger import Logger
from torsion.python.failure import Failure

PATIENCE = 5.0
"""How many seconds a test waits for what should take no time: enough for a machine that has much else to do."""

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="needs signals, resource limits or a list of descriptors, as POSIX has them"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads its memory's size in /proc")


def forget_log() -> None:
    """Have the log forget the events that it keeps until logging begins: it keeps no more than 200."""
    log = Logger()
    for _ in range(200):
        log.debug("one more event, and one less of those before")


def collect() -> None:
    """Collect garbage until nothing more comes of it."""
    forget_log()
    while gc.collect():  # a finaliser may make new cycles
        pass


class Loop:
    """A reactor that has been started, and turns while the test waits for something."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self._peers: list[socket.socket] = []

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Turn until *condition* holds."""
        patience = self.reactor.callLater(seconds, lambda: None)
        while not condition():
            assert patience.active(), "it did not come to be"
            self.reactor.iterate(0.01)
        if patience.active():
            patience.cancel()

    def turn(self, times: int = 3) -> None:
        """Turn a few times: what is ready now and what follows from it at once is done then."""
        for _ in range(times):
            self.reactor.iterate(0)

    def result(self, deferred: Any) -> Any:
        """Turn until *deferred* has fired; return its result, which may be a Failure."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.until(lambda: results)
        return results[0]

    def inside(self, function: Callable[[], Any]) -> Any:
        """Return what *function* returns when it is called by the reactor, in a turn."""
        results: list[Any] = []
        self.reactor.callLater(0, lambda: results.append(function()))
        self.until(lambda: results)
        return results[0]

    def listen(self, factory: Any, **options: Any) -> Any:
        return self.reactor.listenTCP(0, factory, interface="127.0.0.1", **options)

    def peer(self, port: Any) -> Peer:
        """Connect to *port*."""
        peer = Peer(self, dial(port, PATIENCE))
        self._peers.append(peer.socket)
        return peer

    def forget_peers(self) -> None:
        """Close all peers."""
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    def close(self) -> None:
        self.forget_peers()
        with suppress(Exception):  # a test may have stopped it
            self.reactor.stop()
        self.reactor.mainLoop()
        self.reactor.engine.close()  # what came after the stop


class Peer:
    """The other end of a connection: a plain socket of the same thread."""

    def __init__(self, loop: Loop, connected: socket.socket) -> None:
        self._loop = loop
        self.socket = connected
        connected.setblocking(False)

    def send(self, data: bytes) -> None:
        assert self.socket.send(data) == len(data)

    def receive(self, count: int) -> bytes:
        """Turn the loop until *count* bytes or the end have come; an empty answer means a reset as well."""
        data = bytearray()

        def complete() -> bool:
            try:
                while len(data) < count:
                    piece = self.socket.recv(count - len(data))
                    if not piece:
                        break
                    data.extend(piece)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                pass
            return True

        self._loop.until(complete)
        return bytes(data)

    def ended(self) -> bool:
        """Turn the loop until the connection has ended, without another byte."""
        return self.receive(1) == b""

    def answers(self, data: bytes = b"are you there?") -> bool:
        """Tell whether what is sent comes back."""
        self.send(data)
        return self.receive(len(data)) == data

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with a reset."""
        reset(self.socket)


@pytest.fixture
def loop(reactor_factory: Callable[[], Any], logged: object) -> Iterator[Loop]:
    """A started reactor; when the test is done, no descriptor may be left."""
    before = descriptors()
    loop = Loop(reactor_factory())
    loop.reactor.startRunning(installSignalHandlers=False)
    yield loop
    loop.close()
    del loop.reactor
    collect()
    assert descriptors() - before == set()


class Echo(Protocol):
    """Echoes, and notes what happens to it."""

    def __init__(self) -> None:
        self.received = b""
        self.reasons: list[Failure] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.transport.write(data)

    def connectionLost(self, reason: Failure) -> None:
        self.reasons.append(reason)


class Maker(Factory):
    """Makes protocols one by one with what it was given, and keeps them."""

    noisy = False

    def __init__(self, *makes: Callable[[], Any]) -> None:
        self._makes = list(makes)
        self.made: list[Any] = []

    def buildProtocol(self, addr: object) -> Any:
        make = self._makes.pop(0) if self._makes else Echo
        protocol = make()
        protocol.factory = self
        self.made.append(protocol)
        return protocol


class Program:
    """A Python program in a process of its own."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,  # what was read ahead would be hidden from `line`, which looks whether there is something to read
            **options,
        )

    def line(self, seconds: float = 10.0) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            self.process.kill()
        line = self.process.stdout.readline().decode()
        assert line, self.process.communicate()[1].decode()
        return line.rstrip("\n")

    def tell(self, text: str) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def finish(self, seconds: float = 10.0) -> tuple[int, str, str]:
        """Wait for its end; return its exit status and what it still printed on both outputs."""
        try:
            output, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            output, errors = self.process.communicate()
            errors += b"\nkilled: it did not end"
        return self.process.returncode, output.decode(), errors.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def run_script(script: str, *arguments: str, seconds: float = 20.0) -> str:
    """Run a Python script to its end in a process of its own and return what it printed; it must succeed in silence."""
    with Program("-X", "dev", "-c", script, *arguments) as program:
        status, output, errors = program.finish(seconds)
    assert (status, errors) == (0, ""), f"exit status {status}\n{output}\n{errors}"
    return output
