"""Generators and coroutines: inlineCallbacks, ensureDeferred, await."""

import gc
import types
import weakref
from contextvars import ContextVar

import pytest

from torsion.internet.defer import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    NotACoroutineError,
    ensureDeferred,
    fail,
    inlineCallbacks,
    returnValue,
    succeed,
)
from torsion.logger import capturedLogs
from torsion.python.failure import Failure

MANY = 12_000  # far beyond the interpreter's limit of nested calls


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


@inlineCallbacks
def yields(*things):
    got = []
    for thing in things:
        try:
            got.append((yield thing))
        except ValueError as error:
            got.append(error.args)
    return got


async def awaits(*things):
    got = []
    for thing in things:
        try:
            got.append(await thing)
        except ValueError as error:
            got.append(error.args)
    return got


def starts_coroutine(*things):
    return ensureDeferred(awaits(*things))


both = pytest.mark.parametrize("starts", [yields, starts_coroutine])


class TestBoth:
    @both
    def test_results(self, starts):
        pending = Deferred()
        result = results_of(starts(succeed(1), pending, fail(ValueError("two"))))
        assert result == []
        pending.callback("pending")
        assert result == [[1, "pending", ("two",)]]

    @both
    def test_a_pending_one_that_fails(self, starts):
        pending = Deferred()
        result = results_of(starts(pending))
        pending.errback(ValueError("late"))
        assert result == [[("late",)]]
        assert results_of(pending) == [None]

    @both
    def test_a_paused_one(self, starts):
        paused = succeed(1)
        paused.pause()
        result = results_of(starts(paused))
        assert result == []
        paused.unpause()
        assert result == [[1]]

    @both
    def test_an_exception_is_a_failure(self, starts):
        result = results_of(starts(fail(KeyError("none"))))
        assert [error.args for error in result] == [("none",)]

    @both
    def test_a_long_row(self, starts):
        last = first = Deferred()
        for _ in range(MANY):
            last = starts(last)
        seen = results_of(last)
        first.callback(1)
        depth = 0
        value = seen[0]
        while value != 1:
            (value,) = value
            depth += 1
        assert depth == MANY

    @both
    def test_many_that_have_fired(self, starts):
        fired = [succeed(number) for number in range(MANY)]
        assert results_of(starts(*fired)) == [list(range(MANY))]

    @both
    def test_nothing_to_wait_for(self, starts):
        assert results_of(starts()) == [[]]

    @both
    def test_it_is_gone_when_it_is_done(self, starts):
        class Thing:
            pass

        thing = Thing()
        gone = weakref.ref(thing)
        pending = Deferred()
        gc.collect()
        gc.disable()
        try:
            deferred = starts(pending)
            pending.callback(thing)
            assert deferred.result == [thing]
            del deferred, thing
            assert gone() is None
        finally:
            gc.enable()


class TestCancelling:
    @both
    def test_what_it_waits_for_is_cancelled(self, starts):
        cancelled = []
        pending = Deferred(cancelled.append)
        deferred = starts(pending)
        result = results_of(deferred)
        deferred.cancel()
        assert cancelled == [pending]
        assert isinstance(result[0], CancelledError)

    @both
    def test_what_it_waits_for_may_give_a_result(self, starts):
        deferred = starts(Deferred(lambda deferred: deferred.callback("instead")))
        deferred.cancel()
        assert results_of(deferred) == [["instead"]]

    def test_it_may_go_on(self):
        @inlineCallbacks
        def stubborn():
            try:
                yield Deferred()
            except CancelledError:
                yield second
            return "finished"

        second = Deferred()
        deferred = stubborn()
        result = results_of(deferred)
        deferred.cancel()
        assert result == []
        second.callback(None)
        assert result == ["finished"]

    def test_it_may_be_cancelled_again(self):
        async def stubborn():
            try:
                await Deferred()
            except CancelledError:
                await Deferred()

        deferred = ensureDeferred(stubborn())
        result = results_of(deferred)
        deferred.cancel()
        deferred.cancel()
        assert isinstance(result[0], CancelledError)

    @both
    def test_through_many(self, starts):
        last = first = Deferred()
        for _ in range(MANY):
            last = starts(last)
        last.cancel()
        assert isinstance(results_of(last)[0], CancelledError)
        assert results_of(first) == [None]

    @both
    def test_a_canceller_that_raises_ends_it(self, starts):
        def raises(_):
            raise KeyError("canceller")

        pending = Deferred(raises)
        deferred = starts(pending)
        deferred.cancel()
        assert isinstance(results_of(deferred)[0], KeyError)
        pending.callback(None)  # the generator goes on, and its result is dropped
        assert results_of(pending) == [None]

    def test_from_within(self):
        """It cannot be made to stop while it runs; what it returns is dropped."""

        @inlineCallbacks
        def cancels_itself():
            yield started
            deferred.cancel()
            finished.append(True)
            return "unheard"

        started, finished = Deferred(), []
        deferred = cancels_itself()
        started.callback(None)
        assert isinstance(results_of(deferred)[0], CancelledError)
        assert finished == [True]
        assert results_of(started) == [None]

    @both
    def test_fired_by_somebody_else(self, starts):
        pending = Deferred()
        deferred = starts(pending)
        deferred.callback("usurped")
        pending.callback(None)
        assert results_of(deferred) == ["usurped"]
        assert isinstance(results_of(pending)[0], AlreadyCalledError)


class TestInlineCallbacks:
    def test_other_things_come_back(self):
        thing = object()
        assert results_of(yields(1, None, thing, "text")) == [[1, None, thing, "text"]]

    def test_a_failure_is_raised(self):
        assert results_of(yields(Failure(ValueError("given")))) == [[("given",)]]
        pending = Deferred()
        result = results_of(yields(pending, Failure(ValueError("given"))))
        pending.callback(1)
        assert result == [[1, ("given",)]]

    def test_a_coroutine_is_run(self):
        pending = Deferred()
        result = results_of(yields(awaits(), awaits(pending)))
        pending.callback(1)
        assert result == [[[], [1]]]

    def test_the_result_is_taken_from_what_was_yielded(self):
        fired, failed = succeed(1), fail(ValueError("two"))
        yields(fired, failed)
        with capturedLogs() as events:
            assert results_of(fired) == results_of(failed) == [None]
            del failed
            gc.collect()
        assert not events

    def test_a_deferred_returned_is_a_plain_result(self):
        @inlineCallbacks
        def returns():
            yield None
            return inner

        inner = Deferred()
        assert results_of(returns()) == [inner]

    def test_a_failure_returned_is_one(self):
        @inlineCallbacks
        def returns():
            yield None
            return Failure(KeyError())

        assert isinstance(results_of(returns())[0], KeyError)

    def test_arguments_and_name(self):
        @inlineCallbacks
        def documented(first, *, second):
            """What it does."""
            yield None
            return first, second

        assert results_of(documented(1, second=2)) == [(1, 2)]
        assert (documented.__name__, documented.__doc__) == ("documented", "What it does.")

    def test_not_a_generator(self):
        with pytest.raises(TypeError, match="to produce a generator; instead got 3"):
            inlineCallbacks(lambda: 3)()

    def test_an_exception_before_the_first_yield(self):
        @inlineCallbacks
        def raises():
            raise KeyError
            yield

        assert isinstance(results_of(raises())[0], KeyError)

    def test_stop_iteration(self):
        @inlineCallbacks
        def stops():
            yield None
            raise StopIteration

        assert isinstance(results_of(stops())[0], RuntimeError)

    def test_a_context_of_its_own(self):
        variable = ContextVar("variable", default="outside")

        @inlineCallbacks
        def sets():
            variable.set("inside")
            yield pending
            return variable.get()

        pending = Deferred()
        result = results_of(sets())
        assert variable.get() == "outside"
        pending.callback(None)
        assert result == ["inside"]
        assert variable.get() == "outside"

    def test_of_one_that_is_running(self):
        """It is sent what the callback that started it makes of the result, not what that callback was given."""
        result = []
        source = Deferred()

        def starts(_):
            result.append(results_of(yields(source)))
            return "made of it"

        source.addCallback(starts)
        source.callback("given")
        assert result == [[["made of it"]]]

    def test_of_one_that_was_interrupted(self):
        """The callbacks that it has left run first."""
        order = []
        source = Deferred()
        waiter = succeed(None).addCallback(lambda _: source)
        waiter.addCallback(lambda _: yields(source).addCallback(order.append))
        source.addCallback(lambda _: order.append("source") or "left")
        source.callback(None)
        assert order == ["source", ["left"]]

    def test_of_one_that_was_interrupted_and_will_wait(self):
        order, further = [], Deferred()
        source = Deferred()
        waiter = succeed(None).addCallback(lambda _: source)
        waiter.addCallback(lambda _: order.append(yields(source)))
        source.addCallback(lambda _: further)
        source.callback(None)
        result = results_of(order[0])
        assert result == []
        further.callback("further")
        assert result == [["further"]]

    def test_cancelling_the_wait_for_one_that_was_interrupted(self):
        order, further = [], Deferred()
        source = Deferred()
        waiter = succeed(None).addCallback(lambda _: source)
        waiter.addCallback(lambda _: order.append(yields(source)))
        source.addCallback(lambda _: further)
        source.callback(None)
        order[0].cancel()
        assert isinstance(results_of(order[0])[0], CancelledError)
        assert results_of(further) == [None]


class TestReturnValue:
    def test_it_is_the_result_and_deprecated(self):
        @inlineCallbacks
        def returns():
            yield pending
            returnValue("old style")

        pending = Deferred()
        result = results_of(returns())
        with pytest.warns(DeprecationWarning, match="return value") as caught:
            pending.callback(None)
        assert result == ["old style"]
        assert [warning.filename for warning in caught] == [__file__]

    def test_at_the_start(self):
        @inlineCallbacks
        def returns():
            returnValue("at once")
            yield

        with pytest.warns(DeprecationWarning, match="return value"):
            assert results_of(returns()) == ["at once"]

    def test_called_by_another_function(self):
        def helper():
            returnValue("far away")

        @inlineCallbacks
        def generator():
            yield None
            helper()

        with pytest.warns(DeprecationWarning, match="return") as caught:
            assert results_of(generator()) == ["far away"]
        message = str(caught[-1].message)
        assert len(caught) == 2
        assert "'helper'" in message
        assert "'generator'" in message
        assert caught[-1].filename == __file__

    def test_in_a_function_that_is_no_generator(self):
        @inlineCallbacks
        def plain():
            returnValue(3)

        with pytest.warns(DeprecationWarning, match="return"), pytest.raises(TypeError, match="got 3"):
            plain()


class TestEnsureDeferred:
    def test_a_deferred(self):
        deferred = Deferred()
        assert ensureDeferred(deferred) is deferred

    def test_a_generator(self):
        def generator():
            return (yield from succeed("generated"))

        assert results_of(ensureDeferred(generator())) == ["generated"]

    def test_a_coroutine_of_another_make(self):
        class Coroutine:
            """As compiled ones are: with the methods, but not of the type."""

            def __init__(self):
                self.inner = awaits(succeed(1))

            def send(self, value):
                return self.inner.send(value)

            def throw(self, *args):
                return self.inner.throw(*args)

            def close(self):
                self.inner.close()

            def __await__(self):
                return self

        assert results_of(ensureDeferred(Coroutine())) == [[1]]

    @pytest.mark.parametrize("thing", [None, 3, "text", awaits, lambda: None, types])
    def test_something_else(self, thing):
        with pytest.raises(NotACoroutineError):
            ensureDeferred(thing)
        with pytest.raises(NotACoroutineError):
            Deferred.fromCoroutine(thing)

    def test_from_coroutine(self):
        assert results_of(Deferred.fromCoroutine(awaits(succeed(1)))) == [[1]]


class TestAwait:
    def test_the_context_it_was_started_in(self):
        variable = ContextVar("variable", default=0)
        pending, seen = Deferred(), []

        async def looks():
            await pending
            seen.append(variable.get())
            variable.set(10)

        async def main():
            await looks()
            seen.append(variable.get())

        variable.set(1)
        ensureDeferred(main())
        variable.set(2)
        pending.callback(None)
        assert seen == [1, 10]
        assert variable.get() == 2

    def test_the_result_stays(self):
        deferred = succeed(1)
        assert results_of(starts_coroutine(deferred, deferred)) == [[1, 1]]
        assert results_of(deferred) == [1]

    def test_a_failure_stays_but_is_handled(self):
        deferred = fail(ValueError("handled"))
        assert results_of(starts_coroutine(deferred, deferred)) == [[("handled",), ("handled",)]]
        with capturedLogs() as events:
            del deferred
            gc.collect()
        assert not events

    def test_one_whose_callbacks_are_running(self):
        deferred = Deferred()
        result = results_of(starts_coroutine(deferred, deferred))
        deferred.callback("while")
        assert result == [["while", "while"]]

    def test_one_whose_errbacks_are_running(self):
        deferred = Deferred()
        result = results_of(starts_coroutine(deferred, deferred))
        deferred.errback(ValueError("while"))
        assert result == [[("while",), ("while",)]]

    def test_a_generator_of_another_kind_in_between(self):
        @types.coroutine
        def yields_things():
            return ((yield 5), (yield succeed(6)))

        async def main():
            return await yields_things()

        assert results_of(ensureDeferred(main())) == [(5, 6)]

    def test_the_traceback_leads_to_the_origin(self):
        async def origin():
            await pending
            raise KeyError

        async def middle():
            await origin()

        pending = Deferred()
        deferred = ensureDeferred(middle())
        pending.callback(None)
        assert [frame[0] for frame in deferred.result.frames] == ["middle", "origin"]
        deferred.addErrback(lambda _: None)

    @pytest.mark.parametrize("fires", [False, True])
    def test_no_frame_is_lost_between_generators_and_coroutines(self, fires):
        async def origin():
            await pending
            raise KeyError

        @inlineCallbacks
        def generator():
            yield succeed(None).addCallback(lambda _: ensureDeferred(origin()))

        async def coroutine():
            await generator()

        @inlineCallbacks
        def outermost():
            yield ensureDeferred(coroutine())

        pending = succeed(None) if fires else Deferred()
        deferred = outermost()
        if not fires:
            pending.callback(None)
        names = [frame[0] for frame in deferred.result.frames if frame[1] == __file__]
        assert names == ["outermost", "coroutine", "generator", "origin"]
        assert "in origin" in deferred.result.getTraceback()
        deferred.addErrback(lambda _: None)
