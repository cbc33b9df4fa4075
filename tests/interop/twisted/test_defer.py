"""Deferreds of torsion's in Twisted's code, and the reverse."""

from __future__ import annotations

import gc
import sys
from contextvars import ContextVar

import pytest

pytest.importorskip(
    "twisted.internet.defer", reason="needs Twisted, of the dependency group 'interop'", exc_type=ImportError
)

from twisted.internet import defer as twisted_defer
from twisted.internet import error as twisted_error
from twisted.python.failure import Failure as TwistedFailure

from torsion.internet import defer, error
from torsion.interop.twisted.defer import (
    failureFromTwisted,
    failureToTwisted,
    fromTwisted,
    returnsTorsion,
    returnsTwisted,
    toTwisted,
)
from torsion.logger import globalLogPublisher
from torsion.python.failure import Failure
from twisted import logger as twisted_logger

pytestmark = pytest.mark.interop

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="outside")


class Side:
    """One of the two libraries, with the way to the other."""

    def __init__(self, module, errors, failure, across, failure_across, returning) -> None:
        self.defer = module
        self.error = errors
        self.Failure = failure
        self.across = across
        self.failure_across = failure_across
        self.returning = returning


TORSION = Side(defer, error, Failure, toTwisted, failureToTwisted, returnsTwisted)
TWISTED = Side(twisted_defer, twisted_error, TwistedFailure, fromTwisted, failureFromTwisted, returnsTorsion)


@pytest.fixture(params=[(TORSION, TWISTED), (TWISTED, TORSION)], ids=["to Twisted", "from Twisted"])
def sides(request):
    """Whence and whither."""
    return request.param


@pytest.fixture
def logged():
    """What either library logs, but for the words."""
    events: list[str] = []

    def of_torsion(event):
        if "log_failure" in event:
            events.append("torsion")

    def of_twisted(event):
        if "log_failure" in event:
            events.append("Twisted")

    globalLogPublisher.addObserver(of_torsion)
    twisted_logger.globalLogPublisher.addObserver(of_twisted)
    yield events
    globalLogPublisher.removeObserver(of_torsion)
    twisted_logger.globalLogPublisher.removeObserver(of_twisted)


def results_of(deferred) -> list:
    results: list = []
    deferred.addBoth(results.append)
    return results


def test_a_result_goes_across(sides) -> None:
    here, there = sides
    source = here.defer.Deferred()
    made = here.across(source)
    assert isinstance(made, there.defer.Deferred)
    results = results_of(made)
    assert results == []
    source.callback("result")
    assert results == ["result"]
    assert results_of(source) == [None]


def test_and_back_again(sides) -> None:
    here, there = sides
    source = here.defer.Deferred()
    results = results_of(there.across(here.across(source)))
    source.callback(3)
    assert results == [3]


def test_what_has_fired_already_goes_across(sides) -> None:
    here, _ = sides
    assert results_of(here.across(here.defer.succeed(3))) == [3]


def test_a_failure_goes_across_with_its_exception_and_its_traceback(sides) -> None:
    here, there = sides

    def breaks():
        raise LookupError("broken")

    [failure] = results_of(
        here.across(here.defer.execute(breaks) if here is TORSION else here.defer.maybeDeferred(breaks))
    )
    assert isinstance(failure, there.Failure)
    assert failure.check(LookupError)
    assert "in breaks" in failure.getTraceback()
    assert failure.getTracebackObject() is not None
    with pytest.raises(LookupError, match="broken"):
        failure.raiseException()


def test_a_cleaned_failure_still_tells_where_it_came_from(sides) -> None:
    here, _ = sides
    try:
        raise LookupError("broken")
    except LookupError:
        failure = here.Failure()
    failure.cleanFailure()
    assert "in test_a_cleaned_failure" in here.failure_across(failure).getTraceback()


@pytest.mark.parametrize("name", ["ConnectionDone", "ConnectionLost", "ConnectionRefusedError", "DNSLookupError", "TimeoutError", "AlreadyCalled"])  # fmt: skip
def test_errors_that_both_have_are_the_other_s_and_come_back_as_they_were(sides, name) -> None:
    here, there = sides
    original = getattr(here.error, name)("why")
    across = here.failure_across(here.Failure(original))
    assert type(across.value) is getattr(there.error, name)
    assert across.type is type(across.value)
    assert across.value.args == original.args
    assert across.value.__cause__ is original
    assert there.failure_across(across).value is original


def test_subclasses_of_such_errors_become_the_nearest_that_both_have(sides) -> None:
    here, there = sides

    class Closed(here.error.ConnectionLost):
        """An application's own."""

    original = Closed("why")
    original.detail = 3
    across = here.failure_across(here.Failure(original))
    assert type(across.value) is there.error.ConnectionLost
    assert across.value.detail == 3
    assert there.failure_across(across).value is original


def test_the_failure_within_an_error_goes_across_as_well(sides) -> None:
    here, there = sides
    first = here.defer.FirstError(here.Failure(here.error.ConnectionDone()), 1)
    across = here.failure_across(here.Failure(first)).value
    assert type(across) is there.defer.FirstError
    assert across.index == 1
    across.subFailure.trap(there.error.ConnectionDone)


def test_cancelling_goes_across(sides) -> None:
    here, there = sides
    cancelled: list = []
    source = here.defer.Deferred(cancelled.append)
    made = here.across(source)
    results = results_of(made)
    made.cancel()
    assert cancelled == [source]
    assert results[0].check(there.defer.CancelledError)
    assert results_of(source) == [None]


def test_a_canceller_may_give_a_result(sides) -> None:
    here, _ = sides
    source = here.defer.Deferred(lambda deferred: deferred.callback("at least this"))
    made = here.across(source)
    results = results_of(made)
    made.cancel()
    assert results == ["at least this"]


def test_what_comes_after_cancelling_is_dropped_but_for_other_failures(sides, logged) -> None:
    here, there = sides
    for late in ("late", here.defer.CancelledError(), LookupError()):
        inner = here.defer.Deferred()
        blocker = here.defer.Deferred()
        blocker.addErrback(lambda _, inner=inner: inner)  # goes on although it was cancelled
        source = here.defer.succeed(None).addCallback(lambda _, blocker=blocker: blocker)
        made = here.across(source)
        results = results_of(made)
        made.cancel()
        assert results[0].check(there.defer.CancelledError)
        if isinstance(late, str):
            inner.callback(late)
        else:
            inner.errback(late)
        del source, made, blocker, inner
        gc.collect()
        assert logged == ([] if not isinstance(late, LookupError) else ["torsion" if here is TORSION else "Twisted"])


def test_a_failure_that_nobody_handles_is_reported_once(sides, logged) -> None:
    here, there = sides
    source = here.defer.Deferred()
    made = here.across(source)
    source.errback(LookupError("nobody cares"))
    del source, made
    gc.collect()
    assert logged == ["torsion" if there is TORSION else "Twisted"]


def test_a_callback_may_return_the_other_library_s_if_the_end_is_converted(sides) -> None:
    here, there = sides
    other = there.defer.Deferred()
    results = results_of(here.across(here.defer.succeed(None).addCallback(lambda _: other)))
    assert results == []
    other.callback("deep")
    assert results == ["deep"]


def test_chained_by_hand(sides) -> None:
    here, there = sides
    source = here.defer.Deferred()
    chained = there.defer.succeed(None).addCallback(lambda _: here.across(source))
    results = results_of(chained)
    source.callback("end")
    assert results == ["end"]


@pytest.mark.parametrize("wrong", [None, 3, "text"])
def test_only_deferreds_go_across(sides, wrong) -> None:
    here, there = sides
    with pytest.raises(TypeError, match=f"{wrong!r} is no Deferred of .*'s ensureDeferred"):
        here.across(wrong)
    with pytest.raises(TypeError, match=r"is no Deferred of .*'s: it is the other library's already"):
        here.across(there.defer.succeed(None))


# --- coroutines -------------------------------------------------------------------------------------------------------


def test_await_needs_no_conversion(sides) -> None:
    here, there = sides
    source = here.defer.Deferred()

    async def waits():
        VARIABLE.set("inside")
        got = await source
        return got, VARIABLE.get()

    results = results_of(there.defer.ensureDeferred(waits()))
    assert results == []
    source.callback("result")
    assert results == [("result", "inside")]
    assert VARIABLE.get() == "outside"


def test_a_failure_is_raised_where_it_is_awaited(sides) -> None:
    here, there = sides
    source = here.defer.Deferred()

    async def waits():
        with pytest.raises(there.error.ConnectionDone):
            await source
        return "caught"

    results = results_of(there.defer.ensureDeferred(waits()))
    source.errback(here.error.ConnectionDone())
    assert results == ["caught"]


def test_cancelling_a_coroutine_cancels_what_it_awaits(sides) -> None:
    here, there = sides
    cancelled: list = []
    source = here.defer.Deferred(cancelled.append)

    async def waits():
        await source

    running = there.defer.ensureDeferred(waits())
    results = results_of(running)
    running.cancel()
    assert cancelled == [source]
    assert results[0].check(there.defer.CancelledError)


def test_coroutines_within_coroutines(sides) -> None:
    here, there = sides
    first, second = here.defer.Deferred(), there.defer.Deferred()

    async def inner():
        return await first

    async def outer():
        return await inner(), await second

    results = results_of(here.defer.ensureDeferred(outer()))
    first.callback(1)
    second.callback(2)
    assert results == [(1, 2)]


def test_yield_in_torsion_s_generators() -> None:
    source = twisted_defer.Deferred()

    @defer.inlineCallbacks
    def waits():
        return (yield source)

    results = results_of(waits())
    source.callback("result")
    assert results == ["result"]


def test_in_twisted_s_generators_it_takes_a_conversion_or_yield_from() -> None:
    source, other, plain = defer.Deferred(), defer.Deferred(), defer.Deferred()

    @twisted_defer.inlineCallbacks
    def waits():
        return (yield toTwisted(source)), (yield from other), (yield plain)

    results = results_of(waits())
    source.callback(1)
    other.callback(2)
    assert results == [(1, 2, plain)]  # the last was not waited for: as the documentation says


def test_functions_that_return_the_other_library_s(sides) -> None:
    here, there = sides

    @here.returning
    def gives(number: int, *, plus: int = 0):
        """Add."""
        return here.defer.succeed(number + plus)

    @here.returning
    async def awaits(number: int):
        return await gives(number, plus=1)

    @here.returning
    def fails():
        raise LookupError

    made = gives(3, plus=4)
    assert isinstance(made, there.defer.Deferred)
    assert results_of(made) == [7]
    assert results_of(awaits(1)) == [2]
    assert results_of(fails())[0].check(LookupError)
    assert (gives.__name__, gives.__doc__) == ("gives", "Add.")


def test_importing_it_installs_no_reactor() -> None:
    import subprocess

    script = (
        "import sys, torsion.interop.twisted.defer\nprint([n for n in sys.modules if n.endswith('internet.reactor')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout == "[]\n"
