"""Many threads at once: reactors side by side, calls into each from all sides, and the collector in the middle of it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

from torsion.internet.protocol import ClientFactory, Factory, Protocol

REACTORS = 4
CALLERS = 4
CALLS = 500
"""How many calls each caller makes into each reactor."""
ROUNDS = 200
"""How many messages each reactor's client has echoed, and how many timers it sets and takes back meanwhile."""
MESSAGE = b"x" * 3000


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Asker(Protocol):
    """Has a message echoed again and again."""

    factory: Any
    missing = 0
    asked = 0

    def connectionMade(self) -> None:
        self.ask()

    def ask(self) -> None:
        if self.asked == ROUNDS:
            self.transport.loseConnection()
            return
        self.asked += 1
        self.missing = len(MESSAGE)
        self.transport.write(MESSAGE)

    def dataReceived(self, data: bytes) -> None:
        reactor = self.factory.reactor
        reactor.callLater(60, self.ask).cancel()
        self.missing -= len(data)
        if not self.missing:
            reactor.callLater(0, self.ask)

    def connectionLost(self, reason: object) -> None:
        self.factory.world.finished(self.asked)


class World:
    """One reactor in a thread of its own: a server, a client of it, and calls from elsewhere."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.calls: list[tuple[int, int]] = []
        self.asked = 0
        self.wrong_threads = 0
        self.thread = threading.Thread(target=self.live, daemon=True)

    def live(self) -> None:
        server = Factory.forProtocol(Echo)
        client = ClientFactory.forProtocol(Asker)
        server.noisy = client.noisy = False
        client.reactor, client.world = self.reactor, self
        port = self.reactor.listenTCP(0, server, interface="127.0.0.1")
        self.reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        self.reactor.run(installSignalHandlers=False)

    def called(self, caller: int, number: int) -> None:
        self.wrong_threads += threading.current_thread() is not self.thread
        self.calls.append((caller, number))
        self.end_if_done()

    def finished(self, asked: int) -> None:
        self.asked = asked
        self.end_if_done()

    def end_if_done(self) -> None:
        if self.asked and len(self.calls) == CALLERS * CALLS:
            self.reactor.stop()


def test_many_reactors_and_many_callers(reactor_factory: Callable[[], Any], logged: object) -> None:
    worlds = [World(reactor_factory()) for _ in range(REACTORS)]

    def call(caller: int) -> None:
        for number in range(CALLS):
            for world in worlds:
                world.reactor.callFromThread(world.called, caller, number)
            if number % 100 == 0:
                gc.collect()  # in a thread to which none of the objects belong

    callers = [threading.Thread(target=call, args=(caller,), daemon=True) for caller in range(CALLERS)]
    threads = [world.thread for world in worlds] + callers
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert not any(thread.is_alive() for thread in threads), "something waits for ever"
    for world in worlds:
        assert world.asked == ROUNDS
        assert world.wrong_threads == 0
        for caller in range(CALLERS):
            assert [number for who, number in world.calls if who == caller] == list(range(CALLS))
