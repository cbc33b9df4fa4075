"""Descriptors that somebody closes behind our back: who uses them next is told, and all others go on.

The system tells nobody of a closed descriptor, so a connection that just waits may go on waiting.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.carriers import SecureLoop, UnixLoop, started
from contract.faultkit import Loop, Maker, needs_posix
from contract.flavours import needs
from torsion.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from torsion.internet.protocol import ProcessProtocol

pytestmark = [needs("kernel", "engine"), needs_posix]


@pytest.fixture(params=["tcp", "unix", "tls"])
def loop(
    request: pytest.FixtureRequest, reactor_factory: Callable[[], Any], logged: object, tmp_path: Path
) -> Iterator[Loop]:
    """A started reactor; when the test is done, no descriptor may be left."""
    makes = {"tcp": Loop, "unix": lambda reactor: UnixLoop(reactor, tmp_path), "tls": SecureLoop}
    yield from started(makes[request.param], reactor_factory())


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (lambda transport: transport.write(b"x"), ConnectionLost),
        (lambda transport: transport.loseConnection(), (ConnectionDone, ConnectionLost)),
        (lambda transport: transport.abortConnection(), (ConnectionAborted, ConnectionLost)),
    ],
    ids=["write", "loseConnection", "abortConnection"],
)
def test_a_connection(loop: Loop, use: Callable[[Any], object], reason: Any):
    factory = Maker()
    port = loop.listen(factory)
    bystander, victim = loop.peer(port), loop.peer(port)
    assert bystander.answers()
    assert victim.answers()
    protocol = factory.made[1]
    os.close(protocol.transport.fileno())
    loop.turn()
    if not protocol.reasons:  # where that shows by itself
        use(protocol.transport)
    loop.until(lambda: protocol.reasons)
    assert isinstance(protocol.reasons[0].value, reason)
    assert bystander.answers()
    assert loop.peer(port).answers()


def test_a_port(loop: Loop):
    other = loop.listen(Maker())
    port = loop.listen(Maker())
    os.close(port.fileno())
    loop.turn()
    assert loop.result(port.stopListening()) is None
    assert loop.peer(other).answers()


def test_a_childs_pipe(loop: Loop):
    class Child(ProcessProtocol):
        ended = False

        def processEnded(self, reason: Any) -> None:
            self.ended = True

    child = Child()
    loop.reactor.spawnProcess(child, "/bin/cat", ["cat"])
    os.close(child.transport.pipes[0].stream.fileno())
    child.transport.write(b"x")
    loop.until(lambda: child.ended)
