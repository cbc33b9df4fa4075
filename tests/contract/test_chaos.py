"""Everything at once, at random: whatever programs do in their hooks, each connection's story stays in order."""

from __future__ import annotations

import gc
import random

import pytest
from zope.interface import implementer

from contract import faultkit
from contract.faultkit import Loop
from contract.flavours import needs
from torsion.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from torsion.internet.protocol import ClientFactory, Protocol

pytestmark = needs("IReactorTCP", "engine")

loop = faultkit.loop

STEPS = 1500


class Fault(Exception):
    """What hooks raise now and then."""


def pattern(start: int, size: int) -> bytes:
    """Return bytes that tell their place in a stream."""
    whole = bytes(range(251))
    start %= 251
    return (whole * ((start + size) // 251 + 1))[start : start + size]


class Story:
    """What happens to one connection, checked as it happens."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.hook = ""
        self.sent = 0
        self.received = 0

    def begins(self, event: str) -> None:
        assert "connectionLost" not in self.events, f"{event} after the end"
        assert event == "connectionMade" or "connectionMade" in self.events, f"{event} before the beginning"
        if event not in {"dataReceived", "resumeProducing", "pauseProducing"}:
            assert event not in self.events or event == "stopProducing", f"{event} twice"
        if event in {"dataReceived", "readConnectionLost", "writeConnectionLost", "connectionLost"}:
            assert self.hook == "", f"{event} while {self.hook} is on the stack"
        self.events.append(event)


class Chaos:
    def __init__(self, loop: Loop, seed: int) -> None:
        self.loop = loop
        self.reactor = loop.reactor
        self.random = random.Random(seed)
        self.steps = 0
        self.depth = 0
        self.wrong: list[BaseException] = []
        self.protocols: list[Wild] = []
        self.timers: list[object] = []
        self.factory = Wilds(self)
        self.ports = [loop.listen(self.factory)]

    def act(self, protocol: Wild | None = None) -> None:
        """Do something, more often than not."""
        if self.depth > 3 or self.steps >= STEPS:
            return
        self.steps += 1
        self.depth += 1
        try:
            for _ in range(self.random.randrange(3)):
                living = [one for one in self.protocols if one.transport and one.transport.connected]
                one = protocol if protocol and self.random.random() < 0.7 else self.random.choice([None, *living])
                name = self.random.choice(ACTIONS)
                if one is not None and one.transport is not None:
                    getattr(one, name)(self.random)
                else:
                    self.change()
        finally:
            self.depth -= 1

    def change(self) -> None:
        """Do something that is no connection's own."""
        match self.random.randrange(12):
            case 0 | 1 | 2 if self.ports:
                number = self.random.choice(self.ports).getHost().port
                self.reactor.connectTCP("127.0.0.1", number, self.factory, self.random.choice([1, 30, None]))
            case 3 if len(self.ports) < 3:
                self.ports.append(self.loop.listen(self.factory))
            case 4 if len(self.ports) > 1:
                self.ports.pop(self.random.randrange(len(self.ports))).stopListening()
            case 5 | 6:
                self.timers.append(self.reactor.callLater(self.random.choice([0, 0, 0.0001]), self.act))
            case 7 if self.timers:
                timer = self.timers.pop()
                if timer.active():
                    self.random.choice([timer.cancel, lambda: timer.reset(0.0001)])()
            case 8:
                self.reactor.callFromThread(self.act)
            case 9 if self.depth < 3:
                self.reactor.iterate(0)
            case 10 if self.random.random() < 0.2:
                gc.collect(0)
            case 11:
                raise Fault

    def play(self) -> None:
        self.loop.turn(1)
        idle = 0
        while self.steps < STEPS and idle < STEPS:
            idle += 1
            self.reactor.callLater(0, self.act)
            self.reactor.iterate(0)
        self.reactor.stop()
        self.reactor.mainLoop()

    def check(self) -> None:
        assert self.wrong == []
        begun = [one for one in self.protocols if one.story.events]
        assert all(one.story.events[-1] == "connectionLost" for one in begun)
        assert all(one.story.events.count("connectionLost") == 1 for one in begun)
        assert self.reactor.engine.statistics()["descriptors"] == 0
        assert not self.reactor.open_handles
        assert sum("dataReceived" in one.story.events for one in begun) > 3, "something did happen"


class Wilds(ClientFactory):
    noisy = False

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos

    def buildProtocol(self, addr):
        self.chaos.act()
        kind = self.chaos.random.choice([Wild, WildHalf])
        protocol = kind(self.chaos)
        self.chaos.protocols.append(protocol)
        return protocol if self.chaos.random.random() < 0.95 else None

    def clientConnectionLost(self, connector, reason):
        self.chaos.act()

    def clientConnectionFailed(self, connector, reason):
        self.chaos.act()

    def startedConnecting(self, connector):
        if self.chaos.random.random() < 0.1:
            connector.stopConnecting()


@implementer(IPushProducer, IPullProducer)
class Wild(Protocol):
    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self.story = Story()

    def hook(self, event: str) -> None:
        story = self.story
        try:
            story.begins(event)
        except AssertionError as error:
            self.chaos.wrong.append(error)
            return
        # A producer may be called by what its protocol calls, and so at any time.
        before, story.hook = story.hook, "" if event.endswith("Producing") else event
        try:
            self.chaos.act(self)
        finally:
            story.hook = before

    def connectionMade(self):
        self.hook("connectionMade")

    def dataReceived(self, data):
        if data != pattern(self.story.received, len(data)):
            self.chaos.wrong.append(AssertionError("other bytes than were sent"))
        self.story.received += len(data)
        self.hook("dataReceived")

    def connectionLost(self, reason):
        self.hook("connectionLost")

    def pauseProducing(self):
        self.hook("pauseProducing")

    def resumeProducing(self):
        self.hook("resumeProducing")

    def stopProducing(self):
        self.hook("stopProducing")

    # What it does

    def write(self, random):
        if self.story.hook == "connectionLost" or self.transport.disconnecting or not self.transport.connected:
            return
        size = random.choice([1, 10, 1000, 70_000, 500_000])
        start, self.story.sent = self.story.sent, self.story.sent + size
        data = pattern(start, size)
        if random.random() < 0.3:
            self.transport.writeSequence([data[:10], bytearray(data[10:])])
        else:
            self.transport.write(data)

    def lose(self, random):
        if random.random() < 0.2:
            self.transport.loseConnection()

    def abort(self, random):
        if random.random() < 0.1:
            self.transport.abortConnection()

    def half_close(self, random):
        if random.random() < 0.2:
            self.transport.loseWriteConnection()

    def pause(self, random):
        self.transport.pauseProducing()

    def resume(self, random):
        self.transport.resumeProducing()

    def produce(self, random):
        if self.transport.producer is None and self.transport.connected:
            self.transport.registerProducer(self, random.random() < 0.5)

    def unproduce(self, random):
        self.transport.unregisterProducer()

    def fail(self, random):
        if random.random() < 0.1:
            raise Fault

    def other(self, random):
        self.chaos.change()


@implementer(IHalfCloseableProtocol)
class WildHalf(Wild):
    def readConnectionLost(self):
        self.hook("readConnectionLost")

    def writeConnectionLost(self):
        self.hook("writeConnectionLost")


ACTIONS = ["write"] * 4 + ["resume"] * 2 + ["unproduce"] * 2
ACTIONS += ["lose", "abort", "half_close", "pause", "produce", "fail", "other"]


@pytest.mark.parametrize("seed", range(20))
def test_each_story_stays_in_order(loop: Loop, logged, seed):
    chaos = Chaos(loop, seed)
    try:
        chaos.play()
    finally:
        logged.take(Fault)
    chaos.check()
