"""Sockets inherited from systemd."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from torsion.python.systemd import NOTIFY_SECONDS, ListenFDs, notify


def environment(**changes):
    found = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:mail", "HOME": "/"} | changes
    return {name: value for name, value in found.items() if value is not None}


def test_what_was_inherited():
    found = ListenFDs.fromEnvironment(environment())
    assert found.inheritedDescriptors() == [3, 4]
    assert found.inheritedNamedDescriptors() == {"web": 3, "mail": 4}
    assert found == ListenFDs([3, 4], ("web", "mail"))
    assert found != ListenFDs([3, 4])
    assert found != "something else"
    assert repr(found) == "ListenFDs([3, 4], ('web', 'mail'))"


def test_the_process_own_environment(monkeypatch):
    for name, value in environment(HOME=None).items():
        monkeypatch.setenv(name, value)
    assert ListenFDs.fromEnvironment().inheritedDescriptors() == [3, 4]
    assert ListenFDs.fromEnvironment().inheritedDescriptors() == []


def test_it_is_there_once():
    there = environment()
    ListenFDs.fromEnvironment(there)
    assert there == {"HOME": "/"}
    assert ListenFDs.fromEnvironment(there) == ListenFDs([])


def test_another_first():
    assert ListenFDs.fromEnvironment(environment(), start=10).inheritedNamedDescriptors() == {"web": 10, "mail": 11}


@pytest.mark.parametrize(
    "changes",
    [
        {"LISTEN_PID": str(os.getpid() + 1)},
        {"LISTEN_PID": None},
        {"LISTEN_PID": "me"},
        {"LISTEN_FDS": None},
        {"LISTEN_FDS": ""},
        {"LISTEN_FDS": "two"},
        {"LISTEN_FDS": "-1"},
    ],
)
def test_nothing_for_us(changes):
    there = environment(**changes)
    found = ListenFDs.fromEnvironment(there)
    assert found.inheritedDescriptors() == []
    assert found.inheritedNamedDescriptors() == {}
    assert there == {"HOME": "/"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [(None, {}), ("", {"": 3}), ("web", {"web": 3}), ("web:web", {"web": 4}), ("a:b:c", {"a": 3, "b": 4})],
)
def test_names(names, expected):
    found = ListenFDs.fromEnvironment(environment(LISTEN_FDNAMES=names))
    assert found.inheritedDescriptors() == [3, 4]
    assert found.inheritedNamedDescriptors() == expected


def test_the_lists_are_copies():
    found = ListenFDs([5], ["web"])
    found.inheritedDescriptors().append(6)
    found.inheritedNamedDescriptors()["mail"] = 6
    assert found.inheritedDescriptors() == [5]
    assert found.inheritedNamedDescriptors() == {"web": 5}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such manager")
class TestNotify:
    @pytest.fixture
    def manager(self, tmp_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
            made.bind(str(tmp_path / "n"))
            made.settimeout(10)
            yield made

    def test_it_is_told(self, manager):
        assert notify("READY=1", "STATUS=all is wéll = good", environ={"NOTIFY_SOCKET": manager.getsockname()})
        assert manager.recv(1000) == "READY=1\nSTATUS=all is wéll = good".encode()

    def test_the_process_own_environment(self, manager, monkeypatch):
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        assert not notify("READY=1")
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        assert notify("READY=1")
        assert manager.recv(1000) == b"READY=1"

    @pytest.mark.parametrize("wrong", ["READY", "=1", "", "A=1\nB=2"])
    def test_what_is_no_assignment(self, wrong):
        """Whether somebody hears it or not."""
        with pytest.raises(ValueError, match="NAME=VALUE"):
            notify("READY=1", wrong, environ={})

    def test_a_manager_that_is_gone(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            notify("READY=1", environ={"NOTIFY_SOCKET": str(tmp_path / "gone")})

    @pytest.mark.parametrize("address", ["vsock:2:1234", "relative"])
    def test_other_kinds_of_addresses(self, address):
        with pytest.raises(ValueError, match=address):
            notify("READY=1", environ={"NOTIFY_SOCKET": address})

    def test_a_full_queue_holds_nobody_up(self, manager):
        """One who does not listen costs a limited time."""
        told = 0
        with pytest.raises(TimeoutError):
            while told < 100_000:
                notify("WATCHDOG=1", environ={"NOTIFY_SOCKET": manager.getsockname()}, timeout=0.01)
                told += 1
        assert 0 < told < 100_000
        assert NOTIFY_SECONDS <= 1, "a reactor may have to wait as long"
