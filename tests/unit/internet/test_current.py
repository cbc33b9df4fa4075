"""Which reactor is meant when none was given."""

import sys
import threading
import types

import pytest

import torsion.internet
from torsion.internet._current import (
    current_reactor,
    enter,
    forget,
    installed_reactor,
    leave,
    runs_here,
    set_installed,
)

NAME = "torsion.internet.reactor"


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, NAME, None)
    monkeypatch.delitem(sys.modules, NAME)
    monkeypatch.setattr(torsion.internet, "reactor", None, raising=False)
    monkeypatch.delattr(torsion.internet, "reactor")


def test_none_installed():
    assert installed_reactor() is None


def test_installed():
    reactor = object()
    set_installed(reactor)
    assert installed_reactor() is reactor
    assert current_reactor() is reactor
    assert sys.modules[NAME] is reactor
    assert torsion.internet.reactor is reactor


def test_taken_away():
    set_installed(object())
    set_installed(None)
    assert installed_reactor() is None
    assert NAME not in sys.modules
    assert not hasattr(torsion.internet, "reactor")
    set_installed(None)


def test_a_module_that_is_still_loading_is_no_reactor(monkeypatch):
    monkeypatch.setitem(sys.modules, NAME, types.ModuleType(NAME))
    assert installed_reactor() is None


def test_running_goes_before_installed():
    installed, outer, inner = object(), object(), object()
    set_installed(installed)
    enter(outer)
    assert current_reactor() is outer
    enter(inner)
    assert current_reactor() is inner
    assert installed_reactor() is installed
    leave(inner)
    assert current_reactor() is outer
    leave(outer)
    assert current_reactor() is installed


def test_running_in_another_thread_does_not_count():
    installed, running = object(), object()
    set_installed(installed)
    enter(running)
    found = []
    thread = threading.Thread(target=lambda: found.append(current_reactor()))
    thread.start()
    thread.join()
    leave(running)
    assert found == [installed]


def test_leaving_out_of_order():
    outer, inner = object(), object()
    enter(outer)
    enter(inner)
    with pytest.raises(RuntimeError, match="order"):
        leave(outer)
    leave(inner)
    leave(outer)
    with pytest.raises(RuntimeError):
        leave(outer)


def test_the_default_is_loaded_where_there_is_none(monkeypatch):
    default = object()

    def load(name):
        assert name == NAME
        return default

    monkeypatch.setattr("importlib.import_module", load)
    assert current_reactor() is default


def test_one_may_be_forgotten_out_of_turn():
    first, second = object(), object()
    enter(first)
    enter(second)
    assert runs_here(first)
    forget(first)
    assert not runs_here(first)
    assert runs_here(second)
    assert current_reactor() is second
    leave(second)
    forget(first)  # once more does nothing


def test_it_runs_in_its_own_thread_alone():
    reactor = object()
    enter(reactor)
    found = []
    thread = threading.Thread(target=lambda: found.append(runs_here(reactor)))
    thread.start()
    thread.join()
    leave(reactor)
    assert found == [False]
