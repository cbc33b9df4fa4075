"""What was found out about faults and bad peers over TCP holds over TLS: the same tests, over that, and what is TLS's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.carriers import SecureLoop, started
from contract.faultkit import Echo, Loop, Maker, needs_posix
from contract.flavours import needs
from contract.test_faults import (
    test_a_fault_outranks_a_close_that_was_asked_for,
    test_a_hook_that_raises_costs_its_own_connection,
    test_a_producer_that_raises,
    test_a_pull_producer_that_raises_later,
    test_a_second_fault_in_connectionLost_is_logged_too,
    test_an_observer_that_raises_is_survived,
    test_buildProtocol_may_want_no_connection,
    test_buildProtocol_that_makes_no_protocol,
    test_buildProtocol_that_raises,
    test_bytes_that_a_failing_hook_wrote_are_not_waited_for,
    test_connectionLost_that_raises_is_called_once,
    test_doStop_that_raises_does_not_keep_the_reactor_from_stopping,
    test_doStop_that_raises_fails_stopListening,
    test_stopProducing_that_raises,
)
from contract.test_limits import Endless
from contract.test_peers import (
    test_a_half_close_ends_a_connection_that_knows_of_none,
    test_a_half_close_leaves_the_other_half,
    test_a_half_closed_peer_may_still_reset,
    test_a_reset,
    test_a_reset_is_told_of_after_a_pause,
    test_a_reset_while_much_waits_to_be_sent,
    test_nothing_is_sent_or_received_after_abortConnection,
    test_one_byte_at_a_time,
    test_two_half_closes_make_a_whole,
    test_what_is_written_after_loseConnection_is_still_sent,
)
from contract.test_reentry import (
    test_a_hook_that_turns_the_loop_is_not_called_again_meanwhile,
    test_a_run_after_the_run_is_as_good_as_the_first,
    test_no_run_begins_while_another_one_ends,
)

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
