"""Anything may be ended from within any hook, and from within any call that the reactor makes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from zope.interface import implementer

from contract import faultkit
from contract.faultkit import Loop, Maker
from contract.flavours import needs
from torsion.internet.error import ReactorAlreadyRunning, ReactorNotRunning
from torsion.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from torsion.internet.protocol import ClientFactory, Factory, Protocol

pytestmark = needs("IReactorTCP", "engine")

loop = faultkit.loop

SERVER_HOOKS = [
    "doStart",
    "buildProtocol",
    "connectionMade",
    "dataReceived",
    "resumeProducing",
    "pauseProducing",
    "readConnectionLost",
    "writeConnectionLost",
    "stopProducing",
    "connectionLost",
    "doStop",
]
CLIENT_HOOKS = [
    "client.doStart",
    "client.startedConnecting",
    "client.buildProtocol",
    "client.connectionMade",
    "client.dataReceived",
    "client.connectionLost",
    "client.clientConnectionLost",
    "client.clientConnectionFailed",
    "client.doStop",
]
OTHER_HOOKS = ["timer", "thread", "trigger"]


class Scene:
    """A port, a client and a plain peer that together go through every hook; in one of them something is done."""

    def __init__(self, loop: Loop, where: str, action: str) -> None:
        self.loop = loop
        self.where = where
        self.action = action
        self.happened: list[str] = []
        self.acted = 0
        self.protocols: list[Both] = []
        self.lost: list[Both] = []
        self.connector = None
        self.port = None

    def called(self, hook: str, protocol: Both | None = None) -> None:
        self.happened.append(hook)
        if hook == self.where and not self.acted:
            self.acted += 1
            getattr(self, self.action)(protocol or (self.protocols[-1] if self.protocols else None))

    # What is done

    def loseConnection(self, protocol):
        if protocol and protocol.transport:
            protocol.transport.loseConnection()
            protocol.transport.loseConnection()

    def abortConnection(self, protocol):
        if protocol and protocol.transport:
            protocol.transport.abortConnection()
            protocol.transport.abortConnection()

    def loseAll(self, protocol):
        for one in self.protocols:
            if one.transport:
                one.transport.loseConnection()
                one.transport.abortConnection()

    def stopListening(self, protocol):
        for port in list(self.loop.reactor.open_handles):
            if hasattr(port, "stopListening"):
                port.stopListening()
                port.stopListening()

    def disconnect(self, protocol):
        if self.connector is not None:
            self.connector.disconnect()
            self.connector.disconnect()

    def stop(self, protocol):
        self.loop.reactor.stop()
        with pytest.raises(ReactorNotRunning):
            self.loop.reactor.stop()

    def crash(self, protocol):
        self.loop.reactor.crash()
        self.loop.reactor.crash()

    def run(self, protocol):
        with pytest.raises(ReactorAlreadyRunning):
            self.loop.reactor.run()

    def iterate(self, protocol):
        for _ in range(5):
            self.loop.reactor.iterate(0)

    def disconnectAll(self, protocol):
        self.loop.reactor.disconnectAll()
        self.loop.reactor.disconnectAll()

    # The scene

    def play(self) -> None:
        reactor = self.loop.reactor
        self.port = port = self.loop.listen(Server(self))
        number = port.getHost().port
        reactor.callLater(0, self.called, "timer")
        reactor.callFromThread(self.called, "thread")
        reactor.addSystemEventTrigger("before", "shutdown", self.called, "trigger")
        self.turn(3)
        if self.going() and port.connected:
            peer = self.loop.peer(port)
            with suppress(OSError):  # it may be closed already
                peer.send(b"pull")
                self.turn(6)
                peer.half_close()
            self.turn(6)
        if self.going() and port.connected:
            peer = self.loop.peer(port)
            with suppress(OSError):
                peer.send(b"push")
                self.turn(6)
                peer.reset()
            self.turn(6)
        if self.going():
            self.connector = reactor.connectTCP("127.0.0.1", number, Client(self))
            self.turn(10)
        if self.going():
            reactor.connectTCP("127.0.0.1", number, Client(self))
            port.stopListening()
            self.turn(10)
        if self.going():
            nobody = self.loop.listen(Maker())
            number = nobody.getHost().port
            nobody.stopListening()
            self.turn(3)
            reactor.connectTCP("127.0.0.1", number, Client(self))
            self.turn(10)
        if self.going():
            reactor.stop()
        reactor.mainLoop()

    def going(self) -> bool:
        return self.loop.reactor._started and not self.loop.reactor._stopping

    def turn(self, times: int) -> None:
        for _ in range(times):
            if self.going():
                self.loop.reactor.iterate(0)

    def check(self) -> None:
        assert self.acted == 1, self.happened
        self.loop.reactor.disconnectAll()  # for those left by a crash
        made = [protocol for protocol in self.protocols if protocol.made]
        assert sorted(map(id, made)) == sorted(map(id, self.lost)), "each is told once that it is over"
        assert self.loop.reactor.engine.statistics()["descriptors"] == 0
        assert not self.loop.reactor.open_handles


@implementer(IHalfCloseableProtocol, IPushProducer, IPullProducer)
class Both(Protocol):
    """Either end, its own producer included."""

    made = False

    def __init__(self, scene, prefix=""):
        self.scene = scene
        self.prefix = prefix
        self.pieces = 3

    def called(self, hook):
        self.scene.called(self.prefix + hook, self)

    def connectionMade(self):
        self.made = True
        if self.prefix:
            self.transport.write(b"hello")
        self.called("connectionMade")

    def dataReceived(self, data):
        self.called("dataReceived")
        if data == b"hello":
            self.transport.write(b"welcome")
            self.transport.loseConnection()
        elif data in {b"push", b"pull"} and self.transport.connected and self.transport.producer is None:
            self.transport.registerProducer(self, data == b"push")
            if data == b"push":
                self.transport.write(b"x" * 10_000_000)

    def pauseProducing(self):
        self.called("pauseProducing")

    def resumeProducing(self):
        self.pieces -= 1
        if not self.pieces:
            self.transport.unregisterProducer()
            self.transport.loseWriteConnection()
        else:
            self.transport.write(b"piece")
        self.called("resumeProducing")

    def stopProducing(self):
        self.called("stopProducing")

    def readConnectionLost(self):
        self.called("readConnectionLost")
        if self.prefix:
            self.transport.loseConnection()

    def writeConnectionLost(self):
        self.called("writeConnectionLost")

    def connectionLost(self, reason):
        self.scene.lost.append(self)
        self.called("connectionLost")


class Server(Factory):
    noisy = False
    prefix = ""

    def __init__(self, scene):
        self.scene = scene

    def called(self, hook):
        self.scene.called(self.prefix + hook)

    def doStart(self):
        self.called("doStart")

    def doStop(self):
        self.called("doStop")

    def buildProtocol(self, addr):
        protocol = Both(self.scene, self.prefix)
        self.scene.protocols.append(protocol)
        self.called("buildProtocol")
        return protocol


class Client(Server, ClientFactory):
    prefix = "client."

    def startedConnecting(self, connector):
        self.called("startedConnecting")

    def clientConnectionLost(self, connector, reason):
        self.called("clientConnectionLost")

    def clientConnectionFailed(self, connector, reason):
        self.called("clientConnectionFailed")


ACTIONS = [
    "loseConnection",
    "abortConnection",
    "loseAll",
    "stopListening",
    "disconnect",
    "stop",
    "crash",
    "run",
    "iterate",
    "disconnectAll",
]


PAST = {
    ("trigger", "stop"): "the reactor is stopping already",
    ("doStart", "disconnectAll"): "the port does not listen yet",
    ("buildProtocol", "disconnectAll"): "there is no protocol yet to be told",
    ("client.buildProtocol", "disconnectAll"): "there is no protocol yet to be told",
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("where", SERVER_HOOKS + CLIENT_HOOKS + OTHER_HOOKS)
def test_ends(loop: Loop, where, action):
    if (where, action) in PAST:
        pytest.skip(PAST[where, action])
    scene = Scene(loop, where, action)
    scene.play()
    scene.check()


def test_no_run_begins_while_another_one_ends(loop: Loop):
    """What is told of the end stands on the stack of the run that ends."""

    class Restless(Protocol):
        def connectionLost(self, reason):
            with pytest.raises(ReactorAlreadyRunning):
                loop.reactor.run(installSignalHandlers=False)
            with pytest.raises(ReactorNotRunning):
                loop.reactor.stop()
            ends.append("connection")

    def after():
        with pytest.raises(ReactorAlreadyRunning):
            loop.reactor.run(installSignalHandlers=False)
        ends.append("trigger")

    ends = []
    factory = Maker(Restless)
    port = loop.listen(factory)
    loop.peer(port)
    loop.until(lambda: factory.made)
    loop.reactor.addSystemEventTrigger("after", "shutdown", after)
    loop.reactor.stop()
    loop.reactor.mainLoop()
    assert ends == ["connection", "trigger"]


def test_a_run_after_the_run_is_as_good_as_the_first(loop: Loop):
    for _ in range(3):
        loop.reactor.stop()
        loop.reactor.mainLoop()
        loop.reactor.startRunning(installSignalHandlers=False)
        assert loop.peer(loop.listen(Maker())).answers()


def test_a_hook_that_turns_the_loop_is_not_called_again_meanwhile(loop: Loop):
    """A nested turn serves the others, and leaves the connection alone whose hook is on the stack."""

    class Nesting(Protocol):
        depth = 0
        received = b""

        def dataReceived(self, data):
            self.depth += 1
            assert self.depth == 1
            self.received += data
            self.transport.write(data)
            if data == b"one":
                peer.send(b"two")
                assert bystander.answers()
                peer.close()
                loop.turn(5)
            self.depth -= 1

        def connectionLost(self, reason):
            assert self.depth == 0
            self.lost = True

    factory = Maker(Nesting)
    port = loop.listen(factory)
    peer, bystander = loop.peer(port), loop.peer(port)
    peer.send(b"one")
    loop.until(lambda: getattr(factory.made[0], "lost", False) if factory.made else False)
    assert factory.made[0].received == b"onetwo"
