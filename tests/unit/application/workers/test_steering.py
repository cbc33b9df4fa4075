"""Which socket of a port gets a connection."""

from __future__ import annotations

import socket
import sys

import pytest

from torsion.application.workers.steering import MOST, program, steer


def chosen(instructions, random):
    """Run a program, as the kernel does."""
    value, at = None, 0
    while True:
        code, true, false, operand = instructions[at]
        at += 1
        if code == 0x20:
            value = random
        elif code == 0x94:
            value %= operand
        elif code == 0x15:
            at += true if value == operand else false
        else:
            assert code == 0x06
            return operand


@pytest.mark.parametrize("served", [[0], [3], [0, 1], [0, 2, 5], range(40), range(MOST)])
def test_each_that_is_served_has_the_same_chance(served):
    instructions = program(served)
    assert len(instructions) <= 4096
    assert [chosen(instructions, random) for random in range(len(served))] == list(served)


@pytest.mark.parametrize("served", [[], range(MOST + 1)])
def test_none_and_too_many_are_refused(served):
    with pytest.raises(ValueError, match="connections go to 1 socket at least"):
        program(served)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets programs choose")
def test_connections_go_to_the_sockets_that_are_served_only():
    listening, number = [], 0
    try:
        for _ in range(3):
            each = socket.socket()
            listening.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.setblocking(False)
            each.bind(("127.0.0.1", number))
            number = each.getsockname()[1]
        for each in listening:
            each.listen(64)
        for served in ([1], [0, 2]):
            assert steer(listening[0], served)
            for _ in range(30):
                socket.create_connection(("127.0.0.1", number)).close()
            counts = [accepted(each) for each in listening]
            assert sum(counts) == 30
            assert [index for index, count in enumerate(counts) if count] == served
    finally:
        for each in listening:
            each.close()


def accepted(listening):
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_socket_that_shares_nothing_is_left_as_it_is():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        assert steer(alone, [0]) is False
