"""What one process tells the next: written by the old one, read by the new one."""

from __future__ import annotations

import json
import os
import socket
import sys
from types import SimpleNamespace

import pytest

from torsion.application.runner import inheritance
from torsion.application.runner.errors import StartError
from torsion.application.runner.inheritance import LONGEST_TABLE, VARIABLE, read, write
from torsion.application.runner.sockets import Opened
from torsion.internet.interfaces.handover import ListeningAddress

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no descriptors to hand over")


def opened(kind="TCP", interface="127.0.0.1", port=80, fileno=50):
    return Opened(ListeningAddress(kind, interface, port), SimpleNamespace(fileno=lambda: fileno))


def test_written():
    variables, descriptors = write(
        7, 20, 21, [opened(fileno=30), opened("UNIX", "/s\udcff", 0, 31)], [40, 41], "a:b", {"file": 50}
    )
    assert descriptors == {3: 40, 4: 41, 5: 20, 6: 21, 7: 30, 8: 31, 9: 50}
    assert json.loads(variables.pop(VARIABLE)) == {
        "version": 1,
        "process": 7,
        "activated": 2,
        "sockets": [["TCP", "127.0.0.1", 80], ["UNIX", "/s\udcff", 0]],
        "belongings": ["file"],
    }
    assert variables == {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}


def test_nothing_of_systemd():
    variables, descriptors = write(7, 20, 21, [], [], None, {})
    assert set(variables) == {VARIABLE}
    assert descriptors == {3: 20, 4: 21}


def test_a_thousand_sockets_fit():
    """More than that are refused, rather than by the system when it is too late."""
    many = [opened(interface="255.255.255.255", port=65535)] * 1000
    variables, _ = write(2**22, 20, 21, many, [], None, {})
    assert len(variables[VARIABLE]) < LONGEST_TABLE
    long = [opened("UNIX", "\udcff" * 107, 0)] * 1000
    with pytest.raises(ValueError, match="1000 listening sockets are too many"):
        write(7, 20, 21, long, [], None, {})


def test_the_system_takes_the_longest():
    import subprocess

    environment = {VARIABLE: "x" * LONGEST_TABLE}
    subprocess.run([sys.executable, "-c", ""], env=environment, check=True, timeout=50)


@pytest.fixture
def first(monkeypatch):
    """Where descriptors begin, in this process: at a number that is not in use."""
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    monkeypatch.setattr(inheritance, "FIRST", probe + 100)
    made = []

    def put(descriptor):
        made.append(probe + 100 + len(made))
        os.dup2(descriptor, made[-1])

    yield put
    for each in made:
        try:
            os.close(each)
        except OSError:
            pass


def environment(sockets=(), activated=0, **changes):
    table = {"version": 1, "process": 7, "activated": activated, "sockets": list(sockets), "belongings": [], **changes}
    return {VARIABLE: json.dumps(table), "HOME": "/"}


def test_read(first):
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket() as listening, open(os.devnull) as null:
        listening.bind(("127.0.0.1", 0))
        for each in (null, ours, null, listening, null):
            first(each.fileno())
        there = environment([["TCP", "127.0.0.1", 80]], activated=1, belongings=["file"])
        found = read(there)
        assert there == {"HOME": "/", "LISTEN_PID": str(os.getpid())}
        assert found.process == 7
        assert (found.channel, found.errors) == (inheritance.FIRST + 1, inheritance.FIRST + 2)
        (inherited,) = found.sockets
        assert found.belongings == {"file": inherited.socket.fileno() + 1}
        with inherited.socket:
            assert inherited.number == 0
            assert inherited.address == ListeningAddress("TCP", "127.0.0.1", 80)
            assert inherited.socket.getsockname() == listening.getsockname()
            for each in (found.channel, found.errors, inherited.socket.fileno(), *found.belongings.values()):
                assert not os.get_inheritable(each)


def test_nothing_to_read():
    there = {"HOME": "/", "LISTEN_PID": "1"}
    assert read(there) is None
    assert there == {"HOME": "/", "LISTEN_PID": "1"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        '{"version": 1}',
        '{"version": 1, "process": "x", "activated": 0, "sockets": []}',
        '{"version": 1, "process": 1, "activated": 0, "sockets": 5}',
        '{"version": 1, "process": 1, "activated": 0, "sockets": [["TCP", "", "x"]]}',
        '{"version": 1, "process": 1, "activated": 0, "sockets": [[]]}',
        "[" * 100_000,
    ],
)
def test_nonsense(text):
    with pytest.raises(StartError, match=r"TORSION_HANDOVER .* unset it"):
        read({VARIABLE: text})


def test_another_form():
    with pytest.raises(StartError, match="form 2, and this version of torsion knows form 1: stop it and start anew"):
        read(environment(version=2))


def test_descriptors_that_are_not_there(first):
    with pytest.raises(StartError, match="were not handed over"):
        read(environment())


def test_descriptors_that_are_no_sockets(first):
    with open(os.devnull) as null:
        for _ in range(3):
            first(null.fileno())
        with pytest.raises(StartError, match="is no socket"):
            read(environment([["TCP", "127.0.0.1", 80]]))
