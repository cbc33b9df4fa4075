"""Several Deferreds as one."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import (
    FAILURE,
    SUCCESS,
    CancelledError,
    Deferred,
    DeferredList,
    FailureGroup,
    FirstError,
    fail,
    gatherResults,
    race,
    succeed,
)
from torsion.logger import capturedLogs


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def said(items):
    """The items of a list result, with the exceptions instead of the failures."""
    return [(ok, result if ok else result.type) for ok, result in items]


class TestDeferredList:
    @given(st.permutations(range(4)), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 4))
    def test_results_in_the_order_of_the_deferreds(self, order, succeeds, early):
        """Whatever the order of firing, and whether before the list is made or after."""
        members = [Deferred() for _ in range(4)]

        def fire(index):
            members[index].callback(index) if succeeds[index] else members[index].errback(ValueError())

        for index in order[:early]:
            fire(index)
        result = results_of(DeferredList(members, consumeErrors=True))
        for index in order[early:]:
            assert result == []
            fire(index)
        assert said(result[0]) == [
            (SUCCESS, index) if ok else (FAILURE, ValueError) for index, ok in enumerate(succeeds)
        ]

    def test_the_members_keep_their_results(self):
        members = [succeed(1), Deferred(), fail(ValueError())]
        DeferredList(members)
        members[1].callback(2)
        assert results_of(members[0]) == [1]
        assert results_of(members[1]) == [2]
        assert isinstance(results_of(members[2])[0], ValueError)

    def test_errors_consumed(self):
        member = fail(ValueError())
        DeferredList([member], consumeErrors=True)
        assert results_of(member) == [None]

    def test_errors_not_consumed_are_logged(self):
        with capturedLogs() as events:
            DeferredList([fail(ValueError())])
            gc.collect()
        assert [event["log_failure"].type for event in events if "log_failure" in event] == [ValueError]

    def test_the_first_result_is_enough(self):
        members = [Deferred(), Deferred(), Deferred()]
        gathered = DeferredList(members, fireOnOneCallback=True, consumeErrors=True)
        assert gathered.fireOnOneCallback
        members[0].errback(ValueError())
        members[1].callback("second")
        members[2].callback("third")
        assert results_of(gathered) == [("second", 1)]

    def test_no_first_result(self):
        members = [fail(ValueError()), fail(KeyError())]
        gathered = DeferredList(members, fireOnOneCallback=True, consumeErrors=True)
        assert said(results_of(gathered)[0]) == [(FAILURE, ValueError), (FAILURE, KeyError)]

    def test_the_first_failure_is_enough(self):
        members = [Deferred(), Deferred(), Deferred()]
        gathered = DeferredList(members, fireOnOneErrback=True, consumeErrors=True)
        assert gathered.fireOnOneErrback
        members[2].errback(ValueError())
        members[1].errback(KeyError())
        (error,) = results_of(gathered)
        assert (error.index, error.subFailure.type) == (2, ValueError)
        members[0].callback(None)

    def test_none(self):
        assert results_of(DeferredList([])) == [[]]
        assert results_of(DeferredList([], fireOnOneCallback=True)) == []

    def test_any_iterable(self):
        assert results_of(DeferredList(succeed(number) for number in range(2))) == [[(True, 0), (True, 1)]]

    def test_cancelling_cancels_the_members(self):
        members = [Deferred(), Deferred(lambda deferred: deferred.callback("instead"))]
        given = list(members)
        gathered = DeferredList(given, consumeErrors=True)
        given.append(Deferred())
        gathered.cancel()
        assert said(results_of(gathered)[0]) == [(FAILURE, CancelledError), (SUCCESS, "instead")]
        assert not given[-1].called

    def test_cancelling_when_it_has_fired(self):
        member = Deferred()
        gathered = DeferredList([member, succeed(1)], fireOnOneCallback=True)
        gathered.cancel()
        assert not member.called

    def test_cancelling_what_its_callback_returned(self):
        inner = Deferred()
        gathered = DeferredList([])
        gathered.addCallback(lambda _: inner)
        gathered.cancel()
        assert isinstance(results_of(gathered)[0], CancelledError)

    def test_a_canceller_that_raises(self):
        def raises(_):
            raise KeyError

        members = [Deferred(raises), Deferred()]
        with capturedLogs() as events:
            DeferredList(members, consumeErrors=True).cancel()
        assert [event["log_failure"].type for event in events] == [KeyError]
        assert [member.called for member in members] == [False, True]


class TestGatherResults:
    def test_results(self):
        pending = Deferred()
        result = results_of(gatherResults([succeed(1), pending]))
        assert result == []
        pending.callback(2)
        assert result == [[1, 2]]

    def test_none(self):
        assert results_of(gatherResults([])) == [[]]

    @pytest.mark.parametrize("consume", [False, True])
    def test_a_failure(self, consume):
        failed = fail(ValueError())
        (error,) = results_of(gatherResults([Deferred(), failed], consumeErrors=consume))
        assert isinstance(error, FirstError)
        assert error.index == 1
        (left,) = results_of(failed)
        assert (left is None) == consume

    def test_cancelling(self):
        members = [Deferred(), Deferred()]
        gathered = gatherResults(members, consumeErrors=True)
        gathered.cancel()
        (error,) = results_of(gathered)
        assert error.subFailure.check(CancelledError)
        assert all(member.called for member in members)


class TestRace:
    @given(st.integers(1, 4), st.data())
    def test_the_winner(self, count, data):
        cancelled = []
        members = [Deferred(cancelled.append) for _ in range(count)]
        winner = data.draw(st.integers(0, count - 1))
        result = results_of(race(members))
        members[winner].callback("won")
        assert result == [(winner, "won")]
        assert cancelled == [member for member in members if member is not members[winner]]

    def test_failures_before_it(self):
        members = [fail(ValueError()), Deferred(), Deferred()]
        result = results_of(race(members))
        members[1].errback(KeyError())
        assert result == []
        members[2].callback("last")
        assert result == [(2, "last")]

    def test_all_fail(self):
        (error,) = results_of(race([fail(ValueError("one")), fail(KeyError("two"))]))
        assert isinstance(error, FailureGroup)
        assert [failure.type for failure in error.failures] == [ValueError, KeyError]
        assert str(error) == "2 failed: ValueError('one'); KeyError('two')"

    def test_a_loser_that_succeeds_all_the_same(self):
        members = [Deferred(), Deferred(lambda deferred: deferred.callback("too late")), Deferred(), succeed("won")]
        result = results_of(race(members))
        assert result == [(3, "won")]
        members[0].callback("much too late")
        assert result == [(3, "won")]

    def test_cancelling(self):
        cancelled = []
        members = [Deferred(cancelled.append) for _ in range(3)]
        raced = race(members)
        raced.cancel()
        assert cancelled == members
        assert isinstance(results_of(raced)[0], FailureGroup)

    def test_nobody(self):
        assert results_of(race([])) == []
