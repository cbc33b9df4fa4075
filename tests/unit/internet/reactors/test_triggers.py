"""System events."""

from __future__ import annotations

import pytest

from torsion.internet.defer import Deferred, fail, succeed
from torsion.internet.reactors.triggers import SystemEvent, SystemEvents
from torsion.logger import globalLogPublisher


@pytest.fixture
def failures():
    """The exceptions that are logged."""
    found = []

    def observe(event):
        if "log_failure" in event:
            found.append(event["log_failure"].value)

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


@pytest.fixture
def events():
    return SystemEvents()


def add(events, phase, function, *args, **kwargs):
    return events.add(phase, "tea", (function, args, kwargs))


def test_phases_in_order(events):
    called = []
    for phase in ("after", "before", "during"):
        for number in (1, 2):
            add(events, phase, called.append, f"{phase} {number}")
    events.fire("tea")
    assert called == ["before 1", "before 2", "during 1", "during 2", "after 1", "after 2"]


def test_arguments(events):
    called = []
    add(events, "during", lambda *args, **kwargs: called.append((args, kwargs)), 1, b=2)
    events.fire("tea")
    assert called == [((1,), {"b": 2})]


def test_once(events):
    called = []
    for phase in ("before", "during", "after"):
        add(events, phase, called.append, phase)
    events.fire("tea")
    events.fire("tea")
    assert len(called) == 3


def test_added_while_firing(events):
    called = []
    add(events, "before", lambda: add(events, "before", called.append, "same phase"))
    add(events, "during", lambda: add(events, "before", called.append, "past phase"))
    events.fire("tea")
    assert called == ["same phase"]
    events.fire("tea")
    assert called == ["same phase", "past phase"]


def test_unknown_event(events):
    events.fire("nobody asked")


@pytest.mark.parametrize("phase", ["", "Before", "xxx"])
def test_unknown_phase(events, phase):
    with pytest.raises(KeyError, match="before, during and after"):
        add(events, phase, lambda: None)


def test_events_are_apart(events):
    called, held = [], Deferred()
    events.add("before", "one", (lambda: held, (), {}))
    events.add("after", "one", (called.append, ("one",), {}))
    events.add("after", "two", (called.append, ("two",), {}))
    events.fire("one")
    events.fire("two")
    assert called == ["two"]
    held.callback(None)
    assert called == ["two", "one"]


class TestWaiting:
    def test_for_all(self, events):
        called, held = [], [Deferred(), Deferred()]
        for deferred in held:
            add(events, "before", lambda deferred=deferred: deferred)
        add(events, "during", called.append, 1)
        events.fire("tea")
        held[1].callback(None)
        assert called == []
        held[0].callback(None)
        assert called == [1]

    def test_one_that_fired_already(self, events):
        called = []
        add(events, "before", lambda: succeed(None))
        add(events, "during", called.append, 1)
        events.fire("tea")
        assert called == [1]

    def test_one_that_a_later_trigger_fires(self, events):
        called, held = [], Deferred()
        add(events, "before", lambda: held)
        add(events, "before", lambda: held.callback(None))
        add(events, "before", called.append, "before")
        add(events, "during", called.append, "during")
        events.fire("tea")
        assert called == ["before", "during"]

    def test_failures_are_logged_and_do_not_matter(self, events, failures):
        called, held = [], Deferred()
        add(events, "before", lambda: held)
        add(events, "before", lambda: fail(KeyError("at once")))
        add(events, "during", called.append, 1)
        events.fire("tea")
        held.errback(ValueError("later"))
        assert called == [1]
        assert [type(problem) for problem in failures] == [KeyError, ValueError]

    def test_only_the_first_phase_waits(self, events):
        called = []
        add(events, "during", Deferred)
        add(events, "after", called.append, 1)
        events.fire("tea")
        assert called == [1]


@pytest.mark.parametrize("exception", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("phase", ["before", "during", "after"])
def test_raising(events, failures, phase, exception):
    called = []

    def raises():
        raise exception

    add(events, phase, raises)
    add(events, phase, called.append, 1)
    events.fire("tea")
    assert called == [1]
    assert [type(problem) for problem in failures] == [exception]


class TestRemoving:
    @pytest.mark.parametrize("phase", ["before", "during", "after"])
    def test_it_is_not_called(self, events, phase):
        called = []
        handle = add(events, phase, called.append, 1)
        add(events, phase, called.append, 2)
        events.remove(handle)
        events.fire("tea")
        assert called == [2]

    def test_twice(self, events):
        handle = add(events, "during", print)
        events.remove(handle)
        with pytest.raises(ValueError):
            events.remove(handle)

    def test_one_of_two_that_are_alike(self, events):
        called = []
        add(events, "during", called.append, 1)
        events.remove(add(events, "during", called.append, 1))
        events.fire("tea")
        assert called == [1]

    @pytest.mark.parametrize("handle", [None, 7, (), ("tea",), ("tea", None), "tea"])
    def test_what_is_no_handle(self, events, handle):
        with pytest.raises(TypeError):
            events.remove(handle)

    def test_of_an_unknown_event_or_phase(self, events):
        name, (_, *call) = add(events, "during", print)
        with pytest.raises(KeyError):
            events.remove((name, ("xxx", *call)))
        with pytest.raises(KeyError):
            events.remove(("coffee", ("during", *call)))

    @pytest.mark.parametrize("phase", ["before", "during", "after"])
    def test_from_a_trigger(self, events, phase):
        called = []
        add(events, "before", lambda: events.remove(handle))
        handle = add(events, phase, called.append, 1)
        events.fire("tea")
        assert called == []

    def test_while_waiting(self, events):
        called, held = [], Deferred()
        add(events, "before", lambda: held)
        handle = add(events, "during", called.append, 1)
        events.fire("tea")
        events.remove(handle)
        held.callback(None)
        assert called == []

    def test_one_that_was_called_in_this_firing(self, events):
        called = []
        handle = add(events, "before", called.append, 1)
        add(events, "before", lambda: events.remove(handle))
        with pytest.warns(DeprecationWarning, match="after it was called"):
            events.fire("tea")
        with pytest.raises(ValueError):
            events.remove(handle)


def test_what_an_event_begins_with_stays():
    called = []
    event = SystemEvent("tea", lambda: called.append("first"))
    event.add("before", (called.append, ("before",), {}))
    event.add("during", (called.append, ("during",), {}))
    event.fire()
    event.fire()
    assert called == ["before", "first", "during", "first"]
