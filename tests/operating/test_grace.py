"""The end of the command: in order, under one deadline, and what is told of those that do not end."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from operating.command import Command

APP = Path(__file__).parent / "ends_app.py"


@pytest.fixture
def ends():
    """Start the program of ``ends_app.py``; return it once it is ready."""
    started = []

    def start(parts, grace):
        command = Command("--grace", grace, "-y", APP, env={"PARTS": parts})
        started.append(command)
        command.number = int(command.wait_for(r" starting on (\d+)")[1])
        command.wait_for("Ready")
        return command

    yield start
    for each in started:
        each.kill()


def steps(command):
    """Return what the parts have said."""
    return re.findall(r"#info\] (\w (?:drains|stops))", command.out)


def wait_for_the_end_of(connection):
    with suppress(ConnectionResetError):  # as the system has it
        assert connection.recv(1) == b""


IN_ORDER = ["c drains", "b drains", "a drains", "c stops", "b stops", "a stops"]


def test_services_drain_and_then_they_stop(ends):
    command = ends("a b c", 60)
    assert command.end() == 0
    assert steps(command) == IN_ORDER
    assert command.err == ""


def test_one_that_cannot_be_drained_is_told_and_the_rest_goes_on(ends):
    command = ends("a b=drain:fails c", 60)
    assert command.end() == 1
    assert steps(command) == IN_ORDER
    assert "The service b (Part) could not be drained" in command.out
    assert "ValueError: the pump is clogged" in command.out


def test_one_that_cannot_be_stopped_is_told_and_the_rest_goes_on(ends):
    command = ends("a b=stop:fails c", 60)
    assert command.end() == 1
    assert steps(command) == IN_ORDER
    assert "The service b (Part) failed to stop" in command.out
    assert command.out.count("ValueError: the pump is clogged") == 1


def test_draining_that_takes_too_long_is_told_and_they_stop(ends):
    command = ends("a b=drain:never c", 0.1)
    assert command.end() == 0  # nothing has failed
    assert steps(command) == [each for each in IN_ORDER if each != "a drains"]
    assert "The time to stop is over, after 0.1 seconds" in command.out
    assert "The service b (Part) has not drained in time" in command.out
    assert "The service a (Part) has not drained: the time was over before its turn" in command.out


def test_one_that_never_stops_is_told(ends):
    command = ends("a b=stop:never c", 0.1)
    assert command.end() == 1
    assert steps(command) == IN_ORDER
    assert "The service b (Part) has not stopped in time" in command.out
    assert "a (Part) has not" not in command.out


def test_listeners_close_first_and_connections_are_aborted_when_the_time_is_over(ends):
    command = ends("a b=drain:never", 0.5)
    with command.connect(command.number) as connection:
        command.send(signal.SIGTERM)
        command.wait_for("b drains")
        with pytest.raises(ConnectionRefusedError):
            command.connect(command.number)
        wait_for_the_end_of(connection)
    assert command.wait() == 0
    assert "Aborted connections that were still open: 1" in command.out


def test_without_time_everything_is_aborted_at_once(ends):
    command = ends("a=drain:never b=stop:never", 0)
    with command.connect(command.number) as connection:
        command.send(signal.SIGTERM)
        wait_for_the_end_of(connection)
    assert command.wait() == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_aborts_at_once(ends, number, status):
    command = ends("a b=drain:never,stop:never c", 60)
    with command.connect(command.number) as connection:
        command.send(signal.SIGTERM)
        command.wait_for("b drains")
        connection.settimeout(0.2)
        for _ in range(100):  # one that comes at once is taken for the first
            command.send(number)
            with suppress(TimeoutError):
                wait_for_the_end_of(connection)
                break
    assert command.wait() == status
    assert steps(command) == [each for each in IN_ORDER if each != "a drains"]
    assert f"Received {number.name} again, aborting." in command.out


def test_one_that_blocks_the_process_is_shown_and_the_process_ended(ends):
    command = ends("a b=stop:stuck c", 60)
    command.send(signal.SIGTERM)
    command.wait_for("b stops")
    command.send(signal.SIGINT)
    assert command.wait() == 70
    assert "The process does not stop, and is ended: it is stuck in" in command.out
    assert '"stuck": lambda: threading.Event().wait()' in command.out


def test_one_that_is_blocked_already_is_ended_too_by_one_signal(ends):
    command = ends("a", 0)
    with command.connect(command.number) as connection:
        connection.sendall(b"!")
        command.wait_for("a connection is stuck")
        command.send(signal.SIGTERM)
        assert command.wait() == 70
    assert '"stuck": lambda: threading.Event().wait()' in command.out


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "1e99"])
def test_a_time_that_is_none_is_refused(value):
    with Command(f"--grace={value}", "echo", "--listen", "tcp:0") as command:
        assert command.wait() == 2
        assert "grace" in command.err
        assert value in command.err
