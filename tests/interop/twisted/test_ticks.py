"""How long the turns of the reactor for stock Twisted take."""

from __future__ import annotations

import sys
import time

import pytest

pytest.importorskip(
    "twisted.internet.posixbase", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import protocol

from torsion.internet.reactors.provides.ticks import Tick
from torsion.interop.twisted import TorsionReactor

pytestmark = [pytest.mark.interop, pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")]

WORK = 0.02


class Slow(protocol.Protocol):
    """Takes its time over what it is sent."""

    def connectionMade(self) -> None:
        self.transport.write(b"x")

    def dataReceived(self, data: bytes) -> None:
        until = time.monotonic() + WORK
        while time.monotonic() < until:
            pass
        self.factory.reactor.stop()


def test_what_a_protocol_takes_is_told_and_that_its_descriptor_was_ready() -> None:
    reactor = TorsionReactor()
    ticks: list[Tick] = []
    reactor.addTickObserver(ticks.append)
    echo = protocol.Factory.forProtocol(Slow)
    echo.reactor = reactor
    port = reactor.listenTCP(0, echo, interface="127.0.0.1")
    client = protocol.ClientFactory.forProtocol(Slow)
    client.reactor = reactor
    reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    reactor.callLater(8, reactor.crash)
    reactor.run(installSignalHandlers=False)
    slow = [tick for tick in ticks if tick.worked >= WORK]
    assert slow
    assert sum(tick.events for tick in slow) >= 1
    assert sum(tick.waited for tick in ticks) < 8
    reactor.disconnectAll()
