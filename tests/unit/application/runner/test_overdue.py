"""A process that is stuck is ended, and one that is not is left alone."""

import os
import threading
import time

import pytest

from torsion.application.runner.overdue import STUCK, Overdue
from torsion.logger import formatEvent, globalLogPublisher

PATIENCE = 20


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.fixture
def ended(monkeypatch):
    """Wait for the end of the process, which is only noted; return the exit status."""
    statuses, told = [], threading.Event()

    def note(status):
        statuses.append(status)
        told.set()

    monkeypatch.setattr(os, "_exit", note)

    def wait():
        assert told.wait(PATIENCE)
        return statuses

    return wait


def the_thread(overdue):
    overdue._thread.join(PATIENCE)
    return overdue._thread.is_alive()


def test_it_ends_the_process_and_tells_where_that_was_stuck(ended, logged):
    Overdue().allow(0)
    assert ended() == [STUCK]
    [event] = logged
    assert event["log_level"].name == "critical"
    assert "in test_it_ends_the_process_and_tells_where_that_was_stuck\n" in formatEvent(event)


def test_the_earlier_end_counts(ended, logged):
    overdue = Overdue()
    overdue.allow(3600)
    overdue.allow(0)
    overdue.allow(3600)
    assert ended() == [STUCK]
    assert not the_thread(overdue)
    assert len(logged) == 1


def test_what_is_expected_can_be_later_but_what_is_allowed_stays(ended, logged):
    overdue = Overdue()
    overdue.expect(3600)
    overdue.expect(7200)
    assert overdue._expected > time.monotonic() + 3600
    assert overdue._thread.is_alive()
    overdue.allow(0)
    overdue.expect(3600)
    assert ended() == [STUCK]
    assert len(logged) == 1


def test_what_is_expected_at_once(ended, logged):
    Overdue().expect(0)
    assert ended() == [STUCK]


def test_one_that_is_done_is_left_alone(monkeypatch):
    monkeypatch.setattr(os, "_exit", pytest.fail)
    overdue = Overdue()
    overdue.allow(3600)
    overdue.done()
    assert not the_thread(overdue)
    overdue.allow(0)
    overdue.expect(0)
    assert not the_thread(overdue)


def test_nothing_is_started_for_one_that_nobody_hurries():
    before = threading.active_count()
    Overdue().done()
    assert threading.active_count() == before


def test_a_log_that_fails_keeps_nothing_from_its_end(ended, monkeypatch):
    from torsion.application.runner import overdue

    def fails(*_, **__):
        raise ValueError("the disk is full")

    monkeypatch.setattr(overdue._log, "critical", fails, raising=False)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # it is told there, and nobody cares
    Overdue().allow(0)
    assert ended() == [STUCK]


def test_a_log_that_is_stuck_keeps_nothing_from_its_end(ended, monkeypatch):
    from torsion.application.runner import overdue

    free = threading.Event()
    monkeypatch.setattr(overdue, "TELLING_SECONDS", 0.01)
    monkeypatch.setattr(overdue._log, "critical", lambda *_, **__: free.wait(PATIENCE), raising=False)
    Overdue().allow(0)
    assert ended() == [STUCK]
    free.set()
