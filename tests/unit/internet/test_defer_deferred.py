"""The Deferred: callbacks, firing, chaining, pauses, cancellation."""

import sys
import warnings
import weakref
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import AlreadyCalledError, CancelledError, Deferred, DeferredList, fail, succeed
from torsion.python.failure import Failure, NoCurrentExceptionError

MANY = 12_000  # far beyond the interpreter's limit of nested calls


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def boom(_=None):
    raise ValueError("boom")


def waiting_row(length):
    """Deferreds each of which waits for the next one."""
    row = [Deferred() for _ in range(length)]
    for one, following in pairwise(row):
        one.addCallback(lambda _, following=following: following)
    for one in row[:-1]:
        one.callback(None)
    return row


def depth_of_the_stack():
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


class TestCallbacks:
    def test_each_gets_what_the_one_before_returned(self):
        deferred = Deferred()
        deferred.addCallback(lambda result: result + 1).addCallback(lambda result: result * 10)
        deferred.callback(4)
        assert results_of(deferred) == [50]

    def test_with_arguments(self):
        seen = []
        deferred = Deferred()
        deferred.addCallback(lambda *args, **kwargs: seen.append((args, kwargs)), 1, key=2)
        deferred.addBoth(lambda *args, **kwargs: seen.append((args, kwargs)), key=3)
        deferred.addCallback(boom)
        deferred.addErrback(lambda failure, *args: seen.append((failure.type, args)), 4, 5)
        deferred.callback("result")
        assert seen == [(("result", 1), {"key": 2}), ((None,), {"key": 3}), (ValueError, (4, 5))]

    @pytest.mark.parametrize(("fails", "expected"), [(False, ("cb", "c", 1)), (True, ("eb", "e", 2))])
    def test_a_pair_with_arguments_of_their_own(self, fails, expected):
        seen = []
        deferred = Deferred()
        deferred.addCallbacks(
            lambda result, name, *, number: seen.append(("cb", name, number)),
            lambda failure, name, *, number: seen.append(("eb", name, number)),
            callbackArgs=("c",),
            callbackKeywords={"number": 1},
            errbackArgs=("e",),
            errbackKeywords={"number": 2},
        )
        deferred.errback(ValueError()) if fails else deferred.callback(None)
        assert seen == [expected]

    def test_none_for_what_a_pair_does_not_have(self):
        deferred = Deferred()
        deferred.addCallbacks(None, lambda failure: "rescued", None, None, None, None)
        deferred.addCallbacks(lambda result: result, None, None, None)
        deferred.errback(ValueError())
        assert results_of(deferred) == ["rescued"]

    def test_added_after_the_result(self):
        deferred = succeed(1)
        assert results_of(deferred) == [1]
        assert results_of(deferred) == [None]

    def test_an_exception_goes_to_the_next_errback(self):
        seen = []
        deferred = Deferred()
        deferred.addCallback(boom).addCallback(seen.append).addErrback(lambda failure: failure.value.args)
        deferred.addErrback(seen.append)
        deferred.callback(None)
        assert results_of(deferred) == [("boom",)]
        assert seen == []

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
    def test_every_exception_becomes_a_failure(self, kind):
        def callback(_):
            raise kind

        deferred = succeed(None).addCallback(callback)
        assert isinstance(results_of(deferred)[0], kind)

    def test_a_failure_returned_or_given_is_a_failure(self):
        failure = Failure(ValueError())
        assert results_of(succeed(None).addCallback(lambda _: failure)) == [failure.value]
        deferred = Deferred()
        deferred.callback(failure)
        assert results_of(deferred) == [failure.value]

    def test_a_kind_of_failure_is_one(self):
        class Special(Failure):
            pass

        assert isinstance(results_of(succeed(None).addCallback(lambda _: Special(KeyError())))[0], KeyError)

    def test_added_while_they_run_come_last(self):
        seen = []
        deferred = Deferred()

        def first(_):
            deferred.addCallback(lambda _: seen.append("added"))
            seen.append("first")

        deferred.addCallback(first).addCallback(lambda _: seen.append("second"))
        deferred.callback(None)
        assert seen == ["first", "second", "added"]

    def test_they_can_be_looked_at(self):
        deferred = Deferred()

        def callback(result):
            pass

        deferred.addCallback(callback, 1, key=2).addErrback(callback).addCallbacks(callback, boom, (1,), None, (2,))
        (first, passes), (also_passes, second), (third, fourth) = deferred.callbacks
        assert first == (callback, (1,), {"key": 2})
        assert second == (callback, (), {})
        assert third == (callback, (1,), {})
        assert fourth == (boom, (2,), {})
        assert passes[0](7) == also_passes[0](7) == 7

    def test_those_that_hand_over_can_be_looked_at(self):
        source, target = Deferred(), Deferred()
        source.chainDeferred(target)
        assert source.callbacks[0][0][1] == (target,)
        assert succeed(1).callbacks == []

    def test_a_traceback_has_no_frames_of_ours(self):
        deferred = succeed(None).addCallback(boom)
        assert [frame[0] for frame in deferred.result.frames] == ["boom"]
        deferred.addErrback(lambda _: None)


class TestFiring:
    def test_only_once(self):
        deferred = Deferred()
        deferred.callback(1)
        with pytest.raises(AlreadyCalledError):
            deferred.callback(2)
        with pytest.raises(AlreadyCalledError):
            deferred.errback(ValueError())
        assert results_of(deferred) == [1]

    def test_called(self):
        deferred = Deferred()
        assert not deferred.called
        deferred.callback(None)
        assert deferred.called

    def test_with_the_exception_that_is_being_handled(self):
        deferred = Deferred()
        try:
            boom()
        except ValueError as error:
            deferred.errback()
            expected = error
        assert results_of(deferred) == [expected]

    def test_with_an_exception_or_failure(self):
        error = KeyError()
        for what in (error, Failure(error)):
            deferred = Deferred()
            deferred.errback(what)
            assert results_of(deferred) == [error]

    def test_with_no_exception_at_all(self):
        deferred = Deferred()
        with pytest.raises(NoCurrentExceptionError):
            deferred.errback()
        assert not deferred.called

    def test_the_canceller_is_let_go(self):
        def canceller(_):
            pass

        gone = weakref.ref(canceller)
        deferred = Deferred(canceller)
        del canceller
        deferred.callback(None)
        assert gone() is None


class TestRepr:
    def test_it_says_what_is_known(self):
        deferred, other = Deferred(), Deferred()
        here = f"<Deferred at {id(deferred):#x}"
        assert repr(deferred) == here + ">"
        other.chainDeferred(deferred)
        assert repr(deferred) == f"{here} waiting on Deferred at {id(other):#x}>"
        deferred.callback("orange")
        assert repr(deferred) == here + " current result: 'orange'>"

    def test_waiting_for_one_that_was_returned(self):
        other = Deferred()
        deferred = succeed(None).addCallback(lambda _: other)
        assert repr(deferred) == f"<Deferred at {id(deferred):#x} waiting on Deferred at {id(other):#x}>"
        other.callback(3)
        assert "current result: 3" in repr(deferred)

    def test_a_subclass(self):
        assert repr(DeferredList([Deferred()])).startswith("<DeferredList at ")


class TestWaitingForAnother:
    def test_one_that_fires_later(self):
        inner = Deferred()
        outer = succeed(None).addCallback(lambda _: inner)
        seen = results_of(outer)
        assert seen == []
        assert outer.paused == 1
        inner.callback("late")
        assert seen == ["late"]
        assert outer.paused == 0
        assert inner.result is None

    def test_one_that_has_fired(self):
        inner = succeed("early")
        assert results_of(succeed(None).addCallback(lambda _: inner)) == ["early"]
        assert inner.result is None

    def test_one_that_has_failed(self):
        inner = fail(ValueError("inner"))
        seen = results_of(succeed(None).addCallback(lambda _: inner))
        assert [error.args for error in seen] == [("inner",)]
        assert inner.result is None

    def test_its_later_callbacks_see_none(self):
        inner = Deferred()
        outer = succeed(None).addCallback(lambda _: inner)
        inner_seen, outer_seen = results_of(inner), results_of(outer)
        inner.callback(1)
        assert (inner_seen, outer_seen) == ([None], [1])

    def test_a_paused_one(self):
        inner = succeed(1)
        inner.pause()
        seen = results_of(succeed(None).addCallback(lambda _: inner))
        assert seen == []
        inner.unpause()
        assert seen == [1]

    def test_an_errback_may_wait_too(self):
        inner = Deferred()
        seen = results_of(fail(ValueError()).addErrback(lambda _: inner))
        inner.callback("rescued")
        assert seen == ["rescued"]

    def test_one_that_is_running_gives_what_it_has(self):
        seen = []
        first, second = Deferred(), succeed(None)

        def callback(result):
            seen.extend(results_of(second.addCallback(lambda _: first)))
            return "next"

        first.addCallback(callback)
        first.callback("now")
        assert seen == ["now"]
        assert results_of(first) == ["next"]

    def test_a_paused_waiter_does_not_hold_up_the_one_it_waited_for(self):
        source = Deferred()
        waiter = succeed(None).addCallback(lambda _: source)
        waiter.pause()
        source_seen, waiter_seen = results_of(source), results_of(waiter)
        source.callback(1)
        assert (source_seen, waiter_seen) == ([None], [])
        waiter.unpause()
        assert waiter_seen == [1]

    def test_waiters_go_on_before_later_callbacks(self):
        order = []
        source = Deferred()
        for name in "ab":
            succeed(None).addCallback(lambda _: source).addCallback(lambda _, name=name: order.append(name))
        source.addCallback(lambda _: order.append("source"))
        source.callback(None)
        assert order == ["a", "b", "source"]

    def test_adding_to_the_source_while_a_waiter_goes_on(self):
        """The source is not running then, so what is added runs at once, after what was there before."""
        order = []
        source = Deferred()
        waiter = succeed(None).addCallback(lambda _: source)

        def in_the_waiter(_):
            source.addCallback(lambda _: order.append("added"))
            order.append("waiter")

        waiter.addCallback(in_the_waiter)
        source.addCallback(lambda _: order.append("source"))
        source.callback(None)
        assert order == ["source", "added", "waiter"]

    def test_itself(self):
        def returns_it(_):
            return deferred

        deferred = Deferred()
        deferred.addCallback(returns_it)
        with pytest.warns(DeprecationWarning, match="attached to") as caught:
            deferred.callback(None)
        assert caught[0].filename == __file__
        assert deferred.paused == 1
        deferred.cancel()  # and does not look for the end of the circle

    def test_itself_by_something_without_a_place_in_the_source(self):
        deferred = Deferred()
        deferred.addCallback(partial(lambda deferred, _: deferred, deferred))
        with pytest.warns(DeprecationWarning, match="attached to"):
            deferred.callback(None)

    def test_one_whose_result_is_a_deferred(self):
        """Which is a mistake.  It is handed on when the callbacks run that are added next."""
        inner = Deferred()
        odd = succeed(inner)
        seen = results_of(succeed(None).addCallback(lambda _: odd))
        assert seen == []
        odd_seen = results_of(odd)
        assert (seen, odd_seen) == ([inner], [None])

    def test_itself_where_warnings_are_errors(self):
        deferred = Deferred()
        deferred.addCallback(lambda _: deferred)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            deferred.callback(None)
        assert isinstance(results_of(deferred)[0], DeprecationWarning)

    def test_a_long_row(self):
        row = waiting_row(MANY)
        seen = results_of(row[0])
        row[-1].callback("end")
        assert seen == ["end"]

    def test_the_stack_does_not_grow(self):
        depths = []
        for length in (2, 50):
            row = waiting_row(length)
            row[0].addCallback(lambda _: depths.append(depth_of_the_stack()))
            row[-1].callback(None)
        assert depths[0] == depths[1]


class TestChainDeferred:
    def test_the_result_moves(self):
        source, target = Deferred(), Deferred()
        assert source.chainDeferred(target) is source
        seen = results_of(target)
        source.callback(1)
        assert seen == [1]
        assert results_of(source) == [None]

    def test_a_failure_moves(self):
        source, target = fail(ValueError()), Deferred()
        source.chainDeferred(target)
        assert isinstance(results_of(target)[0], ValueError)
        assert results_of(source) == [None]

    def test_one_that_fired_otherwise(self):
        source, target = Deferred(), Deferred()
        source.chainDeferred(target)
        target.callback("mine")
        source.callback("yours")
        assert results_of(target) == ["mine"]
        assert isinstance(results_of(source)[0], AlreadyCalledError)

    def test_one_that_is_paused(self):
        source, target = Deferred(), Deferred()
        source.chainDeferred(target)
        source_seen, target_seen = results_of(source), results_of(target)
        target.pause()
        source.callback(1)
        assert (source_seen, target_seen) == ([None], [])
        target.unpause()
        assert target_seen == [1]

    def test_a_subclass_with_a_callback_of_its_own(self):
        class Shouting(Deferred):
            def callback(self, result):
                super().callback(result.upper())

        source, target = succeed("quiet"), Shouting()
        source.chainDeferred(target)
        assert results_of(target) == ["QUIET"]

    def test_its_callbacks_run_as_part_of_the_source(self):
        """So what they add to the source comes after what was there."""
        order = []
        source, target = Deferred(), Deferred()
        source.chainDeferred(target).addCallback(lambda _: order.append("source"))

        def in_the_target(_):
            source.addCallback(lambda _: order.append("added"))
            order.append("target")

        target.addCallback(in_the_target)
        source.callback(None)
        assert order == ["target", "source", "added"]

    def test_a_long_row(self):
        row = [Deferred() for _ in range(MANY)]
        for one, following in pairwise(row):
            one.chainDeferred(following)
        row[0].callback("end")
        assert results_of(row[-1]) == ["end"]


class TestPause:
    def test_it_holds_the_callbacks(self):
        deferred = Deferred()
        deferred.pause()
        deferred.pause()
        seen = results_of(deferred)
        deferred.callback(1)
        deferred.unpause()
        assert (seen, deferred.paused) == ([], 1)
        deferred.unpause()
        assert (seen, deferred.paused) == ([1], 0)

    def test_of_a_fired_one(self):
        deferred = succeed(1)
        deferred.pause()
        seen = results_of(deferred)
        assert seen == []
        deferred.unpause()
        assert seen == [1]

    def test_of_a_failed_one(self):
        deferred = fail(ValueError())
        deferred.pause()
        seen = results_of(deferred)
        deferred.unpause()
        assert len(seen) == 1

    def test_taken_back_before_it_fires(self):
        deferred = Deferred()
        deferred.pause()
        seen = results_of(deferred)
        deferred.unpause()
        assert seen == []
        deferred.callback(1)
        assert seen == [1]

    def test_by_its_own_callback(self):
        seen = []
        deferred = Deferred()
        deferred.addCallback(lambda _: deferred.pause()).addCallback(seen.append)
        deferred.callback(None)
        assert seen == [None]
        deferred.addCallback(seen.append)
        assert seen == [None]
        deferred.unpause()
        assert seen == [None, None]

    def test_taken_back_once_too_often(self):
        with pytest.raises(RuntimeError, match="not paused"):
            Deferred().unpause()
        with pytest.raises(RuntimeError, match="not paused"):
            succeed(1).unpause()


class TestCancel:
    def test_without_a_canceller(self):
        deferred = Deferred()
        seen = results_of(deferred)
        deferred.cancel()
        assert isinstance(seen[0], CancelledError)
        deferred.callback("late")  # who could know?
        with pytest.raises(AlreadyCalledError):
            deferred.callback("later")
        assert len(seen) == 1

    def test_with_a_canceller(self):
        cancelled = []
        deferred = Deferred(cancelled.append)
        seen = results_of(deferred)
        deferred.cancel()
        deferred.cancel()
        assert cancelled == [deferred]
        assert isinstance(seen[0], CancelledError)
        with pytest.raises(AlreadyCalledError):
            deferred.callback("late")

    def test_the_canceller_decides(self):
        deferred = Deferred(lambda deferred: deferred.callback("instead"))
        deferred.cancel()
        assert results_of(deferred) == ["instead"]
        deferred = Deferred(lambda deferred: deferred.errback(KeyError()))
        deferred.cancel()
        assert isinstance(results_of(deferred)[0], KeyError)

    def test_what_the_canceller_returns_does_not_matter(self):
        deferred = Deferred(lambda _: Deferred())
        deferred.cancel()
        assert isinstance(results_of(deferred)[0], CancelledError)

    def test_a_canceller_that_raises(self):
        deferred = Deferred(boom)
        with pytest.raises(ValueError, match="boom"):
            deferred.cancel()
        assert not deferred.called

    def test_with_a_result_nothing_happens(self):
        deferred = succeed(1)
        deferred.cancel()
        assert results_of(deferred) == [1]

    def test_one_that_waits_cancels_what_it_waits_for(self):
        cancelled = []
        inner = Deferred(cancelled.append)
        outer = succeed(None).addCallback(lambda _: inner)
        outer.cancel()
        assert cancelled == [inner]
        assert isinstance(results_of(outer)[0], CancelledError)

    def test_through_a_subclass(self):
        member = Deferred()
        gathered = DeferredList([member])
        outer = succeed(None).addCallback(lambda _: gathered)
        outer.cancel()
        assert isinstance(results_of(outer)[0][0][1].value, CancelledError)
        assert isinstance(results_of(member)[0], CancelledError)

    def test_a_long_row(self):
        row = waiting_row(MANY)
        row[0].cancel()
        assert isinstance(results_of(row[0])[0], CancelledError)


class TestAsAnObject:
    def test_attributes_of_ones_own(self):
        deferred = Deferred()
        deferred.mine = 1
        assert deferred.mine == 1

    def test_the_type_may_be_named(self):
        assert isinstance(Deferred[int](), Deferred)

    @given(st.lists(st.sampled_from(["ok", "raise"]), max_size=12))
    def test_callbacks_and_errbacks_alternate_by_the_outcome(self, outcomes):
        """Of each pair, the half is called that the outcome of the pair before asks for."""
        called = []

        def half(name, outcome):
            def run(result):
                called.append(name)
                if outcome == "raise":
                    boom()

            return run

        deferred = Deferred()
        for outcome in outcomes:
            deferred.addCallbacks(half("cb", outcome), half("eb", outcome))
        deferred.callback(None)
        deferred.addErrback(lambda _: None)
        assert called == ["eb" if before == "raise" else "cb" for before in ["ok", *outcomes][:-1]]
