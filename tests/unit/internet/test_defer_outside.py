"""Timeouts and asyncio's futures."""

import asyncio

import pytest

from torsion.internet.defer import CancelledError, Deferred, TimeoutError, fail, succeed
from torsion.internet.task import Clock


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


class TestAddTimeout:
    def test_in_time(self):
        clock, deferred = Clock(), Deferred()
        assert deferred.addTimeout(10, clock) is deferred
        deferred.callback("in time")
        assert clock.getDelayedCalls() == []
        assert results_of(deferred) == ["in time"]

    def test_a_timeout_that_was_called_off(self):
        clock, deferred = Clock(), Deferred()
        deferred.addTimeout(10, clock)
        clock.getDelayedCalls()[0].cancel()
        clock.advance(20)
        deferred.callback("in its own time")
        assert results_of(deferred) == ["in its own time"]

    def test_failed_in_time(self):
        clock, deferred = Clock(), Deferred()
        deferred.addTimeout(10, clock)
        deferred.errback(ValueError())
        assert clock.getDelayedCalls() == []
        assert isinstance(results_of(deferred)[0], ValueError)

    def test_too_late(self):
        clock, deferred = Clock(), Deferred()
        deferred.addTimeout(10, clock)
        result = results_of(deferred)
        clock.advance(9)
        assert result == []
        clock.advance(1)
        assert isinstance(result[0], TimeoutError)
        assert result[0].args == (10, "Deferred")

    def test_what_comes_after_it_has_all_the_time(self):
        clock, deferred, inner = Clock(), Deferred(), Deferred()
        deferred.addTimeout(10, clock).addCallback(lambda _: inner)
        deferred.callback(None)
        clock.advance(20)
        assert not inner.called

    def test_what_comes_before_it_does_not(self):
        clock, inner = Clock(), Deferred()
        deferred = succeed(None).addCallback(lambda _: inner).addTimeout(10, clock)
        clock.advance(10)
        assert isinstance(results_of(deferred)[0], TimeoutError)
        assert results_of(inner) == [None]

    def test_cancelled_by_somebody_else(self):
        clock, deferred = Clock(), Deferred()
        deferred.addTimeout(10, clock)
        deferred.cancel()
        assert isinstance(results_of(deferred)[0], CancelledError)
        assert clock.getDelayedCalls() == []

    def test_a_canceller_with_a_result(self):
        clock, deferred = Clock(), Deferred(lambda deferred: deferred.callback("instead"))
        deferred.addTimeout(10, clock)
        clock.advance(10)
        assert results_of(deferred) == ["instead"]

    def test_a_canceller_with_another_error(self):
        clock, deferred = Clock(), Deferred(lambda deferred: deferred.errback(KeyError()))
        deferred.addTimeout(10, clock)
        clock.advance(10)
        assert isinstance(results_of(deferred)[0], KeyError)

    def test_an_answer_of_ones_own(self):
        clock, deferred = Clock(), Deferred()
        deferred.addTimeout(10, clock, lambda result, seconds: (result.type, seconds))
        clock.advance(10)
        assert results_of(deferred) == [(CancelledError, 10)]

    def test_of_one_that_has_fired(self):
        clock = Clock()
        assert results_of(succeed(1).addTimeout(10, clock)) == [1]
        assert clock.getDelayedCalls() == []


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def turn(loop):
    loop.call_soon(loop.stop)
    loop.run_forever()


class TestAsFuture:
    def test_a_result(self, loop):
        deferred = Deferred()
        future = deferred.asFuture(loop)
        assert not future.done()
        deferred.callback(1)
        turn(loop)
        assert future.result() == 1
        assert results_of(deferred) == [None]

    def test_a_failure(self, loop):
        with pytest.raises(ZeroDivisionError):
            loop.run_until_complete(fail(ZeroDivisionError()).asFuture(loop))

    @pytest.mark.parametrize("answer", [None, lambda deferred: deferred.callback("instead")])
    def test_cancelling_the_future(self, loop, answer):
        deferred = Deferred(answer)
        future = deferred.asFuture(loop)
        future.cancel()
        turn(loop)
        assert future.cancelled()
        assert deferred.called
        assert results_of(deferred) == [None]


class TestFromFuture:
    def test_a_result(self, loop):
        future = loop.create_future()
        result = results_of(Deferred.fromFuture(future))
        future.set_result(1)
        assert result == []
        turn(loop)
        assert result == [1]

    def test_a_failure(self, loop):
        future = loop.create_future()
        result = results_of(Deferred.fromFuture(future))
        future.set_exception(ZeroDivisionError())
        turn(loop)
        assert isinstance(result[0], ZeroDivisionError)

    def test_cancelling_the_future(self, loop):
        future = loop.create_future()
        result = results_of(Deferred.fromFuture(future))
        future.cancel()
        turn(loop)
        assert isinstance(result[0], asyncio.CancelledError)

    def test_cancelling_the_deferred(self, loop):
        future = loop.create_future()
        deferred = Deferred.fromFuture(future)
        result = results_of(deferred)
        deferred.cancel()
        assert future.cancelled()
        assert result == []
        turn(loop)
        assert isinstance(result[0], asyncio.CancelledError)
