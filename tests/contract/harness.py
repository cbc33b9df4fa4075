"""What the contract tests are made with: flavours of reactor, a way to run a scenario, peers, and a protocol that tells
what happens to it."""

from __future__ import annotations

import gc
import socket
import struct
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.protocol import ClientFactory, Protocol, ServerFactory

LIMIT = 10.0
"""After how many seconds a scenario has failed, rather than the machine being slow."""


def run_scenario(reactor: Any, scenario: Callable[[], Coroutine[Any, Any, Any]], limit: float = LIMIT) -> Any:
    """Run *reactor* until *scenario* is over, and return or raise what came of it."""
    outcome: list[Any] = []

    def finish(result: Any) -> None:
        outcome.append(result)
        if guard.active():  # else it is what ends the scenario
            guard.cancel()
        reactor.callLater(0, stop)

    def stop() -> None:
        if reactor.running and not getattr(reactor, "_stopping", False):
            reactor.stop()

    def give_up() -> None:
        deferred.cancel()

    def start() -> None:
        nonlocal deferred
        deferred = ensureDeferred(scenario())
        deferred.addBoth(finish)

    deferred: Deferred[Any]
    guard = reactor.callLater(limit, give_up)
    reactor.callFromThread(start)  # so that it starts in a turn, as all else does
    reactor.run(installSignalHandlers=False)
    if not outcome:
        raise AssertionError("the reactor stopped before the scenario was over")
    result = outcome[0]
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


def pause(reactor: Any, seconds: float = 0.0) -> Deferred[None]:
    """Return a Deferred that fires in *seconds*, by the reactor's own clock."""
    deferred: Deferred[None] = Deferred()
    reactor.callLater(seconds, deferred.callback, None)
    return deferred


async def after(reactor: Any, deferred: Deferred[Any]) -> Any:
    """Wait for *deferred*, and until the hook that fires it has returned."""
    result = await deferred
    await pause(reactor)
    return result


async def until(reactor: Any, condition: Callable[[], object]) -> None:
    """Let turns pass until *condition* is true; the scenario's own limit ends it otherwise."""
    while not condition():
        await pause(reactor, 0.001)


class Recorder(Protocol):
    """Notes what it is told, can wait for it, and does what a test asks for in any hook.

    ``do`` maps a hook's name to a callable that is called with the protocol when the hook is.
    """

    def __init__(self, do: dict[str, Callable[[Any], Any]] | None = None) -> None:
        self.do = do or {}
        self.events: list[str] = []
        self.received = b""
        self.reason: Any = None
        self.lost: Deferred[Any] = Deferred()
        self.made: Deferred[Any] = Deferred()
        self.waits: list[tuple[int, Deferred[bytes]]] = []

    def note(self, hook: str) -> Any:
        self.events.append(hook)
        action = self.do.get(hook)
        return None if action is None else action(self)

    def connectionMade(self) -> None:
        self.note("connectionMade")
        self.made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.note("dataReceived")
        for wait in list(self.waits):
            if len(self.received) >= wait[0]:
                self.waits.remove(wait)
                wait[1].callback(self.received)

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason
        self.lost.callback(reason.value)
        self.note("connectionLost")

    def bytes(self, count: int) -> Awaitable[bytes]:
        """Wait until *count* bytes have come in altogether."""
        deferred: Deferred[bytes] = Deferred()
        if len(self.received) >= count:
            deferred.callback(self.received)
        else:
            self.waits.append((count, deferred))
        return deferred


class Server(ServerFactory):
    """Makes recorders, or whatever *make* makes, and keeps them."""

    noisy = False

    def __init__(self, make: Callable[[], Any] = Recorder) -> None:
        self.make = make
        self.protocols: list[Any] = []
        self.addresses: list[Any] = []
        self.events: list[str] = []
        self.next: list[Deferred[Any]] = []

    def doStart(self) -> None:
        self.events.append("doStart")

    def doStop(self) -> None:
        self.events.append("doStop")

    def buildProtocol(self, addr: Any) -> Any:
        self.addresses.append(addr)
        protocol = self.make()
        if protocol is not None:
            protocol.factory = self
            self.protocols.append(protocol)
            for deferred in self.next:
                protocol.made.chainDeferred(deferred)
            self.next = []
        return protocol

    def connection(self) -> Deferred[Any]:
        """Wait for the next connection's protocol."""
        deferred: Deferred[Any] = Deferred()
        self.next.append(deferred)
        return deferred


class Client(ClientFactory):
    """Makes one recorder for a connection, and notes what a client factory is told."""

    noisy = False

    def __init__(self, protocol: Any = None, do: dict[str, Callable[..., Any]] | None = None) -> None:
        self.one = Recorder() if protocol is None else protocol
        self.do = do or {}
        self.events: list[str] = []
        self.failed: Deferred[Any] = Deferred()
        self.lost: Deferred[Any] = Deferred()

    def note(self, hook: str, *args: Any) -> Any:
        self.events.append(hook)
        action = self.do.get(hook)
        return None if action is None else action(*args)

    def doStart(self) -> None:
        self.note("doStart")

    def doStop(self) -> None:
        self.note("doStop")

    def startedConnecting(self, connector: Any) -> None:
        self.note("startedConnecting", connector)

    def buildProtocol(self, addr: Any) -> Any:
        self.address = addr
        made = self.note("buildProtocol", addr)
        if "buildProtocol" in self.do:
            return made
        self.one.factory = self
        return self.one

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.note("clientConnectionFailed", connector)
        if not self.failed.called:
            self.failed.callback(reason.value)

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.note("clientConnectionLost", connector)
        if not self.lost.called:
            self.lost.callback(reason.value)


async def join(reactor: Any, server: Any = None, client: Any = None) -> tuple[Any, Any, Any]:
    """Connect two protocols through a port; return the server's, the client's and the port."""
    factory = Server() if server is None else Server(lambda: server)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    connected = factory.connection()
    one = Client(client)
    reactor.connectTCP("127.0.0.1", port.getHost().port, one)
    await one.one.made
    await connected
    return factory.protocols[0], one.one, port


async def join_at(reactor: Any, server: Any = None, client: Any = None, path: str = "s") -> tuple[Any, Any, Any]:
    """As :func:`join`, through a Unix socket at *path*; return the server's, the client's and the port."""
    factory = Server() if server is None else Server(lambda: server)
    port = reactor.listenUNIX(path, factory)
    connected = factory.connection()
    one = Client(client)
    reactor.connectUNIX(path, one)
    await one.one.made
    await connected
    return factory.protocols[0], one.one, port


class MemorySocket:
    """The end of a connection in memory, with a socket's methods."""

    def __init__(self, reactor: Any, address: tuple[str, int]) -> None:
        self._end = reactor.network.dial(address, reactor.machine)

    def send(self, data: bytes) -> int:
        return int(self._end.write(data))

    def sendall(self, data: bytes) -> None:
        assert self.send(data) == len(data), "more than fits: nobody reads meanwhile"

    def recv(self, count: int) -> bytes:
        return bytes(self._end.read(count))

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_WR
        self._end.shut()

    def getsockname(self) -> tuple[str, int]:
        host, port = self._end.local
        return host, port

    def setblocking(self, flag: bool) -> None:
        """There is nobody who could be waited for."""

    def setsockopt(self, *option: object) -> None:
        """There is nothing to set."""

    def close(self, reset: bool = False) -> None:
        self._end.close(reset)


def dial(port: Any, timeout: float) -> Any:
    """Connect to *port* with a socket of the reactor's network, without the reactor's help."""
    address = ("127.0.0.1", port.getHost().port)
    if in_memory(port.reactor):
        return MemorySocket(port.reactor, address)
    return socket.create_connection(address, timeout)


def in_memory(reactor: Any) -> bool:
    """Tell whether the reactor's network is in memory."""
    return hasattr(reactor, "network")


class Peer:
    """A plain socket at the other end, for what a well-behaved client would not do."""

    def __init__(self, port: Any) -> None:
        self.socket = dial(port, LIMIT)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, reactor: Any, count: int = 65536) -> Awaitable[bytes]:
        """Receive in a thread, since the reactor has to run meanwhile."""
        if in_memory(reactor):
            return ensureDeferred(self._receive(reactor, count))
        return in_thread(reactor, self.socket.recv, count)

    def read_all(self, reactor: Any) -> Awaitable[bytes]:
        if in_memory(reactor):
            return ensureDeferred(self._receive_all(reactor))
        return in_thread(reactor, lambda: b"".join(iter(lambda: self.socket.recv(65536), b"")))

    def pour(self, reactor: Any, data: bytes) -> Deferred[Any]:
        """Send more than may fit at once."""
        if in_memory(reactor):
            return ensureDeferred(self._pour(reactor, data))
        return in_thread(reactor, self.socket.sendall, data)

    async def _pour(self, reactor: Any, data: bytes) -> None:
        while data:
            with suppress(BlockingIOError):
                data = data[self.socket.send(data) :]
            await pause(reactor, 0.001)

    async def _receive(self, reactor: Any, count: int) -> bytes:
        while True:
            try:
                return bytes(self.socket.recv(count))
            except BlockingIOError:
                await pause(reactor, 0.001)

    async def _receive_all(self, reactor: Any) -> bytes:
        data = bytearray()
        while piece := await self._receive(reactor, 65536):
            data += piece
        return bytes(data)

    def reset(self) -> None:
        """Break the connection."""
        reset(self.socket)

    def close(self) -> None:
        self.socket.close()


def in_thread(reactor: Any, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """Call *function* in a thread of its own: the reactor's pool is itself under test."""
    deferred: Deferred[Any] = Deferred()

    def work() -> None:
        try:
            result = function(*args)
        except BaseException as error:
            reactor.callFromThread(deferred.errback, error)
        else:
            reactor.callFromThread(deferred.callback, result)

    hold = reactor.hold() if in_memory(reactor) else nullcontext()
    hold.__enter__()
    deferred.addBoth(lambda result: hold.__exit__(None, None, None) or result)
    threading.Thread(target=work, daemon=True).start()
    return deferred


def descriptors() -> set[str]:
    """Return what this process has open: their numbers alone on macOS, and nothing on Windows, which has no list to read."""
    if not Path("/proc/self/fd").exists():
        return {each.name for each in Path("/dev/fd").iterdir()} if Path("/dev/fd").exists() else set()
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one for the listing itself
            found.add(f"{entry.name} {entry.readlink()}")
    return found


def reset(connected: Any) -> None:
    """Close *connected* with a reset."""
    if isinstance(connected, MemorySocket):
        connected.close(reset=True)
        return
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connected.close()


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Check that the block leaves no descriptor open."""
    gc.collect()
    before = descriptors()
    yield
    gc.collect()
    left = descriptors() - before
    assert not left, left


def gone(reference: weakref.ref[Any]) -> bool:
    """Tell whether what *reference* refers to has been freed, at the latest by the collector."""
    gc.collect()
    return reference() is None
