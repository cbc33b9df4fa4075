"""Sockets inherited from systemd."""

from __future__ import annotations

import os

import pytest

from torsion.python.systemd import ListenFDs


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
