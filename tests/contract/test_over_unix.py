"""What was found out about faults and bad peers over TCP holds over Unix sockets: the same tests, over these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.carriers import UnixLoop, started
from contract.faultkit import Loop, needs_posix
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
from contract.test_limits import (
    test_a_producer_is_paused_for_a_peer_that_never_reads,
    test_an_echo_reads_no_more_than_its_peer_does,
)
from contract.test_peers import (
    test_a_half_close_ends_a_connection_that_knows_of_none,
    test_a_half_close_leaves_the_other_half,
    test_nothing_is_received_after_loseConnection,
    test_nothing_is_sent_or_received_after_abortConnection,
    test_those_that_come_and_go,
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
def loop(reactor_factory: Callable[[], Any], logged: object, tmp_path: Path) -> Iterator[Loop]:
    """A started reactor whose ports are at paths; when the test is done, no descriptor may be left."""
    yield from started(lambda reactor: UnixLoop(reactor, tmp_path), reactor_factory())
