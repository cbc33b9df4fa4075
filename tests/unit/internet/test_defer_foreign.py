"""Other libraries' Deferreds in our coroutines, and ours in coroutines that others run."""

from __future__ import annotations

import pytest

from torsion.internet.defer import Deferred, ensureDeferred, inlineCallbacks
from torsion.internet.defer import _foreign as foreign
from torsion.python.failure import Failure


class Other:
    """As Twisted's Deferred: yields itself until it has a result, whatever it is sent."""

    def __init__(self) -> None:
        self.ours: Deferred[object] = Deferred()

    def addCallbacks(self, *_: object) -> None: ...

    def __await__(self):
        got = self
        while got is self:
            got = yield self
        return got


class Derived(Other):
    pass


@pytest.fixture(autouse=True)
def unknown(monkeypatch):
    """Nobody is known at first, whatever other tests have imported."""
    monkeypatch.setattr(foreign, "_taking_in", {})
    monkeypatch.setattr(foreign, "_giving_out", [])


async def waits_for(thing):
    return await thing


def result_of(deferred):
    results: list = []
    deferred.addBoth(results.append)
    return results


def test_a_deferred_of_an_unknown_library_is_refused_where_it_is_awaited() -> None:
    [failure] = result_of(ensureDeferred(waits_for(Other())))
    assert isinstance(failure, Failure)
    failure.trap(TypeError)
    assert "a Deferred of another library" in failure.getErrorMessage()
    assert any(frame[0] == "waits_for" for frame in failure.frames)


def test_the_coroutine_may_catch_that() -> None:
    async def careful():
        try:
            await Other()
        except TypeError:
            return "caught"

    assert result_of(ensureDeferred(careful())) == ["caught"]


@pytest.mark.parametrize("kind", [Other, Derived])
def test_one_of_a_known_library_is_waited_for(kind) -> None:
    foreign.register(Other, lambda other: other.ours, lambda ours: ours)
    other = kind()
    results = result_of(ensureDeferred(waits_for(other)))
    assert results == []
    other.ours.callback("there")
    assert results == ["there"]


def test_so_it_is_where_a_generator_yields_it_and_its_failure_is_raised() -> None:
    foreign.register(Other, lambda other: other.ours, lambda ours: ours)
    other = Other()

    @inlineCallbacks
    def waiting():
        with pytest.raises(LookupError):
            yield other
        return "caught"

    results = result_of(waiting())
    other.ours.errback(LookupError())
    assert results == ["caught"]


def test_other_things_are_sent_back_as_ever() -> None:
    thing = object()

    @inlineCallbacks
    def asks():
        return (yield thing)

    assert result_of(asks()) == [thing]


def test_an_unknown_runner_of_a_coroutine_is_told_so() -> None:
    deferred: Deferred[int] = Deferred()
    steps = waits_for(deferred)
    assert steps.send(None) is deferred
    with pytest.raises(TypeError, match="whoever runs this coroutine cannot wait for"):
        steps.send(deferred)


def test_a_known_one_gets_what_it_can_wait_for() -> None:
    foreign.register(Other, lambda other: other.ours, lambda ours: ("theirs", ours))
    deferred: Deferred[int] = Deferred()
    steps = waits_for(deferred)
    assert steps.send(None) is deferred
    assert steps.send(deferred) == ("theirs", deferred)
    with pytest.raises(StopIteration) as stop:
        steps.send(3)
    assert stop.value.value == 3


def test_one_that_is_awaited_within_another_coroutine_as_well() -> None:
    foreign.register(Other, lambda other: other.ours, lambda ours: ("theirs", ours))
    deferred: Deferred[int] = Deferred()
    steps = waits_for(waits_for(deferred))
    assert steps.send(None) is deferred
    assert steps.send(deferred) == ("theirs", deferred)
    with pytest.raises(LookupError):
        steps.throw(LookupError())
