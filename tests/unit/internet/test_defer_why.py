"""Cancelling a Deferred, and saying why."""

from torsion.internet.defer import Deferred, DeferredList


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def test_the_error_says_why():
    plain, outer, row = Deferred(), Deferred(), [Deferred(), Deferred()]
    outer.addCallback(lambda _: Deferred())
    outer.callback(None)
    for each in plain, outer, DeferredList(row):
        each.cancel("the client went away")
    for each in plain, outer, *row:
        assert str(results_of(each)[0]) == "the client went away"
    plain = Deferred()
    plain.cancel()
    assert str(results_of(plain)[0]) == ""


def test_why_reaches_what_a_coroutine_waits_for():
    async def waits():
        await inner

    inner = Deferred()
    driven = Deferred.fromCoroutine(waits())
    driven.cancel(why="too late")
    assert str(results_of(driven)[0]) == "too late"


def test_a_subclass_from_before_there_were_reasons_can_be_cancelled():
    class Old(Deferred):
        def cancel(self):
            cancelled.append(self)

    cancelled = []
    outer, inner = Deferred(), Old()
    outer.addCallback(lambda _: inner)
    outer.callback(None)
    outer.cancel()
    assert cancelled == [inner]
