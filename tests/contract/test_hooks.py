"""Whatever happens in a hook of datagrams, processes, descriptors or standard input: the loop goes on, and nothing is left."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zope.interface import alsoProvides, implementer

from contract import faultkit
from contract.faultkit import Loop, Maker, needs_posix
from contract.flavours import needs
from contract.harness import Recorder
from torsion.internet.error import ReactorNotRunning
from torsion.internet.interfaces import IFileDescriptorReceiver, IHalfCloseableProtocol, IHandshakeListener
from torsion.internet.protocol import (
    ClientFactory,
    ConnectedDatagramProtocol,
    DatagramProtocol,
    ProcessProtocol,
)
from torsion.internet.ssl import optionsForClientTLS
from torsion.internet.stdio import StandardIO
from unit.internet.tls.kit import HOST, authority, server_certificate

pytestmark = [needs("kernel", "engine"), needs_posix]

loop = faultkit.loop


class Fault(Exception):
    """What the hooks raise."""


class Scene:
    """Something that goes through its hooks; in one of them something is done, once."""

    def __init__(self, loop: Loop, folder: Path, where: str, action: Callable[[Scene], None]) -> None:
        self.loop = loop
        self.reactor = loop.reactor
        self.folder = folder
        self.where = where
        self.action: Callable[[Scene], None] | None = action
        self.happened: list[str] = []
        self.descriptors: list[int] = []

    def called(self, hook: str) -> None:
        self.happened.append(hook)
        if hook == self.where and self.action is not None:
            action, self.action = self.action, None
            action(self)

    def hook(self, name: str) -> Callable[..., None]:
        """Return a hook called *name*."""
        return lambda *arguments: self.called(name)

    def give(self, protocol: Any, **hooks: str) -> Any:
        """Let *protocol* tell of its *hooks*, by the names of their values, after what it does by itself."""
        for hook, name in hooks.items():
            setattr(protocol, hook, self.hook(name))
        return protocol

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self.descriptors.extend(ends)
        return ends

    def close(self) -> None:
        for each in self.descriptors:
            os.close(each)


# --- what there is to play; each calls all the hooks that it is listed for ------------------------------------------------


def datagrams(scene: Scene) -> None:
    hooks = {"startProtocol": "start", "datagramReceived": "datagram", "stopProtocol": "stop"}
    port = scene.reactor.listenUDP(0, scene.give(DatagramProtocol(), **hooks), "127.0.0.1")
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        for _ in range(2):
            peer.sendto(b"x", ("127.0.0.1", port.getHost().port))
    scene.loop.turn()
    if port.connected:
        port.stopListening().addErrback(lambda failure: failure.trap(Fault, SystemExit, KeyboardInterrupt))


def refused(scene: Scene) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        number = nobody.getsockname()[1]
    protocol = scene.give(DatagramProtocol(), connectionRefused="refused")
    port = scene.reactor.listenUDP(0, protocol, "127.0.0.1")
    port.connect("127.0.0.1", number)
    port.write(b"x")
    scene.loop.turn()
    port.stopListening()


def unix_datagrams(scene: Scene) -> None:
    path = str(scene.folder / "socket")
    port = scene.reactor.listenUNIXDatagram(path, scene.give(DatagramProtocol(), datagramReceived="datagram"))
    client = scene.reactor.connectUNIXDatagram(path, ConnectedDatagramProtocol())
    client.write(b"x")
    scene.loop.turn()
    for each in (port, client):
        each.stopListening()
    scene.reactor.connectUNIXDatagram(
        str(scene.folder / "nobody"), scene.give(ConnectedDatagramProtocol(), connectionFailed="failed")
    )


def child(scene: Scene, usePTY: bool) -> None:
    hooks = {
        "connectionMade": "made",
        "childDataReceived": "data",
        "childConnectionLost": "closed",
        "processExited": "exited",
        "processEnded": "ended",
    }
    protocol = scene.give(ProcessProtocol(), **hooks)
    scene.reactor.spawnProcess(protocol, "/bin/echo", ["echo", "hello"], usePTY=usePTY)
    scene.loop.until(lambda: protocol.transport.proto is None or over(scene))
    if protocol.transport.pid is not None:  # the reactor was stopped before it had ended
        os.waitpid(protocol.transport.pid, 0)


class Watched:
    """A descriptor of somebody else's."""

    def __init__(self, scene: Scene, number: int) -> None:
        self.scene = scene
        self.number = number

    def fileno(self) -> int:
        return self.number

    def logPrefix(self) -> str:
        return "watched"

    def doRead(self) -> Any:
        data = os.read(self.number, 1)
        self.scene.called("read")
        return None if data else Fault("the end")

    def doWrite(self) -> None:
        self.scene.reactor.removeWriter(self)
        self.scene.called("write")

    def connectionLost(self, reason: object) -> None:
        self.scene.called("lost")


def descriptors(scene: Scene) -> None:
    (reader, feed), (_, writer) = scene.pipe(), scene.pipe()
    scene.reactor.addReader(Watched(scene, reader))
    scene.reactor.addWriter(Watched(scene, writer))
    os.write(feed, b"x")
    scene.loop.turn()
    os.close(feed)
    scene.descriptors.remove(feed)
    scene.loop.turn()


def standard(scene: Scene) -> None:
    (reader, feed), (_, writer) = scene.pipe(), scene.pipe()
    protocol = scene.give(Recorder(), dataReceived="data", readConnectionLost="half", connectionLost="lost")
    alsoProvides(protocol, IHalfCloseableProtocol)  # it alone: its class is everybody's
    StandardIO(protocol, reader, writer, scene.reactor)
    os.write(feed, b"x")
    scene.loop.turn()
    os.close(feed)
    scene.descriptors.remove(feed)
    scene.loop.turn()
    if protocol.transport.protocol is not None:
        protocol.transport.loseConnection()
        scene.loop.turn()


@implementer(IHandshakeListener, IFileDescriptorReceiver)
class Talker(Recorder):
    """Closes what it is sent."""

    def __init__(self, scene: Scene, name: str) -> None:
        super().__init__()
        self.scene = scene
        self.name = name

    def note(self, hook: str) -> None:
        self.events.append(hook)
        self.scene.called(f"{self.name}.{hook}")

    def handshakeCompleted(self) -> None:
        self.transport.write(b"hello")
        self.note("handshakeCompleted")

    def fileDescriptorReceived(self, descriptor: int) -> None:
        os.close(descriptor)
        self.note("fileDescriptorReceived")


class Two(ClientFactory):
    """Makes either end."""

    noisy = False

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene
        self.name = name
        self.made: list[Talker] = []

    def buildProtocol(self, addr: object) -> Talker:
        self.made.append(Talker(self.scene, self.name))
        return self.made[-1]


def secure(scene: Scene) -> None:
    server, client = Two(scene, "server"), Two(scene, "client")
    port = scene.reactor.listenSSL(0, server, server_certificate().options(), interface="127.0.0.1")
    options = optionsForClientTLS(HOST, trustRoot=authority().root)
    scene.reactor.connectSSL("127.0.0.1", port.getHost().port, client, options)
    finish(scene, server, client)


def unix(scene: Scene) -> None:
    server, client = Two(scene, "server"), Two(scene, "client")
    scene.reactor.listenUNIX(str(scene.folder / "socket"), server)
    scene.reactor.connectUNIX(str(scene.folder / "socket"), client)
    scene.loop.until(lambda: (server.made and client.made and client.made[0].made.called) or over(scene))
    if client.made and client.made[0].transport is not None:
        client.made[0].transport.sendFileDescriptor(0)
        client.made[0].transport.write(b"here")
    finish(scene, server, client)


def finish(scene: Scene, *factories: Two) -> None:
    """Let all that was said arrive, then close."""
    scene.loop.until(
        lambda: (
            over(scene) or all(each.made and (each.made[0].received or each.made[0].reason) for each in factories[:1])
        )
    )
    for each in factories:
        for one in each.made:
            if one.reason is None and one.transport is not None:
                one.transport.loseConnection()
    scene.loop.until(lambda: over(scene) or all(one.reason for each in factories for one in each.made))


def over(scene: Scene) -> bool:
    """Tell whether the reactor was told to stop."""
    return not scene.reactor._started or scene.reactor._stopping


PLAYS: dict[str, tuple[Callable[[Scene], None], list[str]]] = {
    "datagrams": (datagrams, ["start", "datagram", "stop"]),
    "refused": (refused, ["refused"]),
    "unix datagrams": (unix_datagrams, ["datagram", "failed"]),
    "child": (lambda scene: child(scene, False), ["made", "data", "closed", "exited", "ended"]),
    "child on a terminal": (lambda scene: child(scene, True), ["made", "data", "exited", "ended"]),
    "descriptors": (descriptors, ["read", "write", "lost"]),
    "standard": (standard, ["data", "half", "lost"]),
    "secure": (
        secure,
        [
            f"{end}.{hook}"
            for end in ("server", "client")
            for hook in ("connectionMade", "handshakeCompleted", "connectionLost")
        ]
        + ["server.dataReceived"],
    ),
    "unix": (unix, ["server.fileDescriptorReceived", "server.dataReceived", "server.connectionLost"]),
}
HOOKS = [(play, where) for play, (_, hooks) in PLAYS.items() for where in hooks]

RAISED_TO_THE_CALLER = {("datagrams", "start"), ("datagrams", "stop"), ("unix datagrams", "failed")}
"""What is called within a call of the program's own, or tells by a Deferred."""


def play(loop: Loop, folder: Path, name: str, where: str, action: Callable[[Scene], None]) -> Scene:
    scene = Scene(loop, folder, where, action)
    try:
        PLAYS[name][0](scene)
        loop.turn()
    finally:
        scene.close()
    assert scene.action is None, scene.happened
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    return scene


@pytest.mark.parametrize("exception", [Fault, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize(("name", "where"), HOOKS)
def test_what_is_raised_is_logged_and_all_others_go_on(loop: Loop, tmp_path, logged, name, where, exception):
    def fail(scene: Scene) -> None:
        raise exception(where)

    bystander = loop.peer(loop.listen(Maker()))
    assert bystander.answers()
    if (name, where) in RAISED_TO_THE_CALLER - {("datagrams", "stop")}:
        with pytest.raises(exception, match=where):
            play(loop, tmp_path, name, where, fail)
    else:
        play(loop, tmp_path, name, where, fail)
        if (name, where) != ("datagrams", "stop"):
            assert [error.args for error in logged.take(exception)] == [(where,)]
    assert bystander.answers()


def stop(scene: Scene) -> None:
    scene.reactor.stop()
    with pytest.raises(ReactorNotRunning):
        scene.reactor.stop()


def iterate(scene: Scene) -> None:
    scene.loop.turn(5)


def disconnect_all(scene: Scene) -> None:
    scene.reactor.disconnectAll()


@pytest.mark.parametrize("action", [stop, iterate, disconnect_all])
@pytest.mark.parametrize(("name", "where"), HOOKS)
def test_the_reactor_may_be_told_anything(loop: Loop, tmp_path, name, where, action):
    if (name, where, action) == ("datagrams", "start", disconnect_all):
        pytest.skip("it has not started yet, and so cannot stop")
    play(loop, tmp_path, name, where, action)
    if over(Scene(loop, tmp_path, "", action)):
        loop.reactor.mainLoop()
        assert not loop.reactor.open_handles
        assert loop.reactor.engine.statistics()["descriptors"] == 0
