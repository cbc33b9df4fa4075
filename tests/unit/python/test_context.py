"""Values that travel down a call."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from torsion.python import context


def test_values_last_as_long_as_the_call() -> None:
    assert context.get("x") is None
    assert context.get("x", 3) == 3
    assert context.call({"x": 1}, context.get, "x") == 1
    assert context.get("x") is None


def test_arguments_and_result_pass() -> None:
    assert context.call({}, divmod, 7, 2) == (3, 1)
    assert context.call({}, dict, a=1) == {"a": 1}


def test_inner_values_hide_outer_ones() -> None:
    def inner() -> tuple[object, object]:
        return context.get("x"), context.get("y")

    assert context.call({"x": 1, "y": 1}, context.call, {"x": 2}, inner) == (2, 1)


def test_values_go_when_the_call_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        context.call({"x": 1}, lambda: 1 / 0)
    assert context.get("x") is None


@pytest.fixture
def default() -> Iterator[None]:
    context.setDefault("d", 1)
    yield
    del context.defaultContextDict["d"]


@pytest.mark.usefixtures("default")
def test_defaults_hold_where_nothing_else_does() -> None:
    assert context.get("d") == 1
    assert context.call({"d": 2}, context.get, "d") == 2


def test_each_thread_has_its_own() -> None:
    seen: list[object] = []

    def start() -> None:
        thread = threading.Thread(target=lambda: seen.append(context.get("x")))
        thread.start()
        thread.join()

    context.call({"x": 1}, start)
    assert seen == [None]


def test_another_tracker_may_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed(context.ThreadedContextTracker):
        def getContext(self, key: object, default: object = None) -> object:
            return "fixed"

    monkeypatch.setattr(context, "theContextTracker", context.theContextTracker)
    context.installContextTracker(Fixed())
    assert context.get("anything") == "fixed"


def test_trackers_can_be_asked_themselves() -> None:
    tracker = context.theContextTracker
    assert tracker.callWithContext({"x": 1}, tracker.getContext, "x") == 1
    assert tracker.currentContext().callWithContext({"x": 1}, lambda: tracker.currentContext().contexts[-1]["x"]) == 1
