"""Deferreds made from what is there already."""

import gc

import pytest

from torsion.internet.defer import Deferred, execute, fail, getDebugging, maybeDeferred, passthru, setDebugging, succeed
from torsion.logger import capturedLogs
from torsion.python.failure import Failure, NoCurrentExceptionError


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def boom(*_):
    raise ValueError("boom")


class TestSucceed:
    def test_a_value(self):
        thing = object()
        for value in (1, None, thing):
            deferred = succeed(value)
            assert deferred.called
            assert results_of(deferred) == [value]

    def test_a_failure(self):
        assert isinstance(results_of(succeed(Failure(ValueError())))[0], ValueError)

    def test_it_is_as_one_fired_by_hand(self):
        by_hand = Deferred()
        by_hand.callback(1)
        assert vars(by_hand) == vars(succeed(1))

    def test_it_may_be_waited_for_like_any(self):
        fired = succeed(1)
        assert results_of(succeed(None).addCallback(lambda _: fired)) == [1]
        fired.pause()
        fired.addCallback(lambda _: "later")
        fired.unpause()
        assert results_of(fired) == ["later"]
        fired.cancel()


class TestFail:
    def test_with_an_exception_or_failure(self):
        error = ValueError()
        assert results_of(fail(error)) == results_of(fail(Failure(error))) == [error]

    def test_with_the_exception_that_is_being_handled(self):
        try:
            boom()
        except ValueError as error:
            deferred, caught = fail(), error
        assert results_of(deferred) == [caught]

    def test_with_nothing(self):
        with pytest.raises(NoCurrentExceptionError):
            fail()

    def test_it_is_logged_if_nobody_handles_it(self):
        with capturedLogs() as events:
            fail(ValueError())
            gc.collect()
        assert events[-1]["log_failure"].type is ValueError


class TestExecute:
    def test_a_result(self):
        assert results_of(execute(divmod, 7, 2)) == [(3, 1)]
        assert results_of(execute(sorted, [1, 2], reverse=True)) == [[2, 1]]

    def test_an_exception(self):
        assert isinstance(results_of(execute(boom))[0], ValueError)


class TestMaybeDeferred:
    def test_a_value(self):
        assert results_of(maybeDeferred(divmod, 7, 2)) == [(3, 1)]

    def test_a_deferred(self):
        inner = Deferred()
        assert maybeDeferred(lambda: inner) is inner

    def test_a_coroutine(self):
        async def main(inner, *, more):
            return await inner + more

        assert results_of(maybeDeferred(main, succeed(1), more=2)) == [3]

    def test_a_failure(self):
        failure = Failure(ValueError())
        assert results_of(maybeDeferred(lambda: failure)) == [failure.value]

    def test_an_exception(self):
        deferred = maybeDeferred(boom)
        assert [frame[0] for frame in deferred.result.frames] == ["boom"]
        assert isinstance(results_of(deferred)[0], ValueError)


def test_passthru():
    thing = object()
    assert passthru(thing) is thing


def test_debugging_is_a_switch():
    before = getDebugging()
    try:
        setDebugging(1)
        assert getDebugging() is Deferred.debug is True
        setDebugging(False)
        assert getDebugging() is Deferred.debug is False
    finally:
        setDebugging(before)
