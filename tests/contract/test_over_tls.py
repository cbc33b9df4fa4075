"""What was found out about faults and bad peers over TCP holds over TLS: the same tests, over that, and what is TLS's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.carriers import SecureLoop, started
from contract.faultkit import Echo, Loop, Maker, needs_posix
from contract.flavours import needs
from contract.test_limits import Endless

__all__ = [name for name in globals() if name.startswith("test_")]

pytestmark = [needs("kernel", "engine"), needs_posix]


@pytest.fixture
def loop(reactor_factory: Callable[[], Any], logged: object) -> Iterator[Loop]:
    """A started reactor whose ports speak TLS; when the test is done, no descriptor may be left."""
    yield from started(SecureLoop, reactor_factory())


def test_a_producer_is_paused_for_a_peer_that_never_reads(loop: Loop):
    """What waits to be encrypted counts as what waits for the kernel does."""

    class Server(Echo):
        def connectionMade(self):
            self.producer = Endless(self.transport)

    factory = Maker(Server)
    peer = loop.peer(loop.listen(factory))
    loop.until(lambda: factory.made and factory.made[0].transport.statistics()["bytes_written"] > 100_000)
    loop.turn(50)
    producer = factory.made[0].producer
    written = producer.written
    assert factory.made[0].transport.statistics()["bytes_queued"] < 1_000_000
    loop.turn(50)
    assert producer.written == written, "paused is paused"
    assert peer.receive(written + 1) == b"x" * (written + 1), "it goes on when the peer does"
    peer.reset()
    loop.until(lambda: producer.stopped)


def test_what_waits_decrypted_comes_after_a_pause(loop: Loop):
    """A pause in the midst of what was read at once holds the rest, the peer's end included."""

    class Pausing(Echo):
        def dataReceived(self, data):
            self.received += data
            self.transport.pauseProducing()

    factory = Maker(Pausing)
    peer = loop.peer(loop.listen(factory))
    loop.until(lambda: factory.made and peer.socket.version())
    for _ in range(8):
        peer.send(b"x" * 16384)
    peer.close()
    (protocol,) = factory.made
    loop.until(lambda: protocol.received)
    while not protocol.reasons:
        received = len(protocol.received)
        loop.turn(5)
        assert len(protocol.received) == received
        protocol.transport.resumeProducing()
        loop.until(lambda n=received: protocol.reasons or len(protocol.received) > n)
    assert protocol.received == b"x" * 8 * 16384
    assert protocol.reasons[0].type.__name__ == "ConnectionDone"
