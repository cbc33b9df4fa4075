"""Listening sockets that several processes serve."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys

import pytest

from torsion.application.workers.sockets import Wanted, balances, listen

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need Unix sockets")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere one socket is shared")


@pytest.fixture
def made():
    all_made = []

    def make(*wanted, slots=3):
        all_made.append(listen(Wanted(*wanted), slots))
        return all_made[-1]

    yield make
    for each in all_made:
        each.close()


@linux
@pytest.mark.parametrize("kind", ["TCP", "UDP"])
@pytest.mark.parametrize("interface", ["127.0.0.1", "::1"])
def test_there_is_one_for_each_slot_where_the_kernel_balances(made, kind, interface):
    shared = made(kind, interface, 0)
    assert len({each.getsockname() for each in shared.sockets}) == 1
    assert len({shared.socket_of(slot).fileno() for slot in range(3)}) == 3
    assert shared.steerable == (kind == "TCP")
    for each in shared.sockets:
        assert not each.getblocking()
        assert not each.get_inheritable()
        assert bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) == (kind == "TCP")


@pytest.mark.parametrize("slots", [1, 3])
def test_elsewhere_there_is_one_for_all(made, monkeypatch, slots):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not balances("TCP")
    shared = made("TCP", "127.0.0.1", 0, slots=slots)
    assert len(shared.sockets) == 1
    assert shared.socket_of(slots - 1) is shared.sockets[0]
    assert not shared.steerable
    socket.create_connection(shared.sockets[0].getsockname()).close()


@pytest.mark.parametrize("kind", ["TCP", "UDP"])
def test_an_address_that_is_taken(made, kind):
    # Also by sockets that would share it: those of another master.
    number = made(kind, "127.0.0.1", 0).sockets[0].getsockname()[1]
    with pytest.raises(OSError) as caught:
        listen(Wanted(kind, "127.0.0.1", number), 3)
    assert caught.value.errno == errno.EADDRINUSE


def test_closing_frees_the_address(made):
    shared = made("TCP", "127.0.0.1", 0)
    number = shared.sockets[0].getsockname()[1]
    shared.close()
    assert shared.sockets == []
    shared.close()
    assert made("TCP", "127.0.0.1", number).sockets[0].getsockname()[1] == number


@pytest.mark.parametrize("kind", ["UNIX", "UNIXDatagram"])
def test_a_unix_socket_is_shared_by_all(made, tmp_path, kind):
    path = tmp_path / "socket"
    umask = os.umask(0o022)
    try:
        shared = made(kind, str(path), 0, 0, 50, 0o620, True)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(umask)
    assert len(shared.sockets) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o620
    with socket.socket(socket.AF_UNIX, shared.sockets[0].type) as client:
        client.connect(str(path))
    assert (tmp_path / "socket.lock").is_symlink()
    shared.close()
    assert list(tmp_path.iterdir()) == []


def test_a_unix_socket_that_a_dead_process_left_is_replaced(made, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    (tmp_path / "socket.lock").symlink_to("999999999")
    made("UNIX", str(path), 0, 0, 50, 0o666, True)


def test_the_file_of_another_is_left_alone(made, tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(OSError, match="Address already in use"):
        made("UNIX", str(path), 0)
    assert path.read_text() == "precious"


@linux
def test_an_abstract_name_has_no_file(made, tmp_path):
    name = f"\0torsion-test-{os.getpid()}"
    made("UNIX", name, 0)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(name)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (("SCTP", "127.0.0.1", 0), ValueError),
        (("TCP", "127.0.0.1", 65536), OverflowError),
        (("TCP", "192.0.2.1", 0), OSError),
        (("UNIX", "", 0), OSError),
        (("UNIX", "/tmp/" + "x" * 200, 0), OSError),
        (("UNIX", "/no/such/folder/socket", 0), OSError),
    ],
)
def test_what_cannot_be_leaves_nothing_open(wanted, problem):
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(problem):
        listen(Wanted(*wanted), 2)
    assert len(os.listdir("/dev/fd")) == before


def test_an_address_is_named_for_people():
    assert str(Wanted("TCP", "::1", 80)) == "TCP [::1]:80"
    assert str(Wanted("UNIX", "/run/x", 0)) == "UNIX /run/x"
