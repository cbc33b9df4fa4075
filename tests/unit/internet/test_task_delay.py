"""A result after some time."""

import pytest

from torsion.internet.defer import CancelledError, Deferred
from torsion.internet.task import Clock, deferLater


@pytest.fixture
def clock():
    return Clock()


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def test_a_call(clock):
    result = results_of(deferLater(clock, 3, lambda *args, **kw: (args, kw), 1, key=2))
    clock.advance(2)
    assert result == []
    clock.advance(1)
    assert result == [((1,), {"key": 2})]


def test_nothing(clock):
    result = results_of(deferLater(clock, 3))
    clock.advance(3)
    assert result == [None]


def test_an_exception(clock):
    result = results_of(deferLater(clock, 0, divmod, 1, 0))
    clock.advance(0)
    assert isinstance(result[0], ZeroDivisionError)


def test_cancelled(clock):
    deferred = deferLater(clock, 1, pytest.fail)
    deferred.cancel()
    assert clock.getDelayedCalls() == []
    assert isinstance(results_of(deferred)[0], CancelledError)


def test_cancelled_while_the_call_waits(clock):
    inner = Deferred()
    deferred = deferLater(clock, 1, lambda: inner)
    clock.advance(1)
    deferred.cancel()
    assert isinstance(results_of(deferred)[0], CancelledError)
    assert results_of(inner) == [None]
