"""A function called again and again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet import _current
from torsion.internet.defer import Deferred, fail
from torsion.internet.task import Clock, LoopingCall


@pytest.fixture
def clock():
    return Clock()


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def looping(clock, f, *args, **kw):
    loop = LoopingCall(f, *args, **kw)
    loop.clock = clock
    return loop


def counting(clock, f):
    loop = LoopingCall.withCount(f)
    loop.clock = clock
    return loop


def test_the_life_of_one(clock):
    seen = []
    loop = looping(clock, lambda *args, **kw: seen.append((clock.seconds(), args, kw)), 1, key=2)
    assert (loop.running, loop.interval, loop.starttime, loop.call) == (False, None, None, None)
    clock.advance(5)
    done = results_of(loop.start(2))
    assert (loop.running, loop.interval, loop.starttime) == (True, 2, 5)
    assert loop.call.getTime() == 7
    clock.pump([1] * 4)
    assert seen == [(time, (1,), {"key": 2}) for time in (5, 7, 9)]
    assert done == []
    loop.stop()
    assert done == [loop]
    assert (loop.running, loop.call) == (False, None)
    assert clock.getDelayedCalls() == []


def test_not_at_once(clock):
    seen = []
    loop = looping(clock, lambda: seen.append(clock.seconds()))
    loop.start(2, now=False)
    assert seen == []
    clock.pump([1] * 4)
    assert seen == [2, 4]


def test_stopped_before_it_began(clock):
    loop = looping(clock, pytest.fail)
    done = results_of(loop.start(1, now=False))
    loop.stop()
    clock.advance(5)
    assert done == [loop]


def test_stopped_by_the_function(clock):
    def stops():
        loop.stop()

    loop = looping(clock, stops)
    assert results_of(loop.start(1)) == [loop]
    assert clock.getDelayedCalls() == []


def test_started_again(clock):
    seen = []
    loop = looping(clock, lambda: seen.append(clock.seconds()))
    loop.start(1)
    loop.stop()
    clock.advance(10)
    done = results_of(loop.start(3, now=False))
    clock.pump([1] * 6)
    assert seen == [0, 13, 16]
    assert done == []


@given(st.floats(0.001, 1000), st.lists(st.floats(0, 5000), max_size=20))
def test_the_times_are_multiples_of_the_interval(interval, steps):
    """However late it is called, the next call is at the first of them that is still to come."""
    clock, seen = Clock(), []
    loop = looping(clock, lambda: seen.append(clock.seconds()))
    loop.start(interval)
    for step in steps:
        before = len(seen)
        clock.advance(step)
        assert len(seen) - before <= 1
        wait = loop.call.getTime() - clock.seconds()
        assert 0 < wait <= interval * (1 + 1e-9)
        off = loop.call.getTime() / interval
        assert abs(off - round(off)) < 1e-6 * max(1, off)


def test_a_long_call_makes_it_leave_times_out(clock):
    seen, lasts = [], [2, 1, 0]

    def long():
        seen.append(clock.seconds())
        clock.rightNow += lasts.pop(0)

    looping(clock, long).start(0.5)
    clock.advance(0)
    clock.advance(0.5)
    clock.advance(0)
    clock.advance(0.5)
    assert seen == [0, 2.5, 4]


def test_a_wait_too_small_to_be_told(clock):
    clock.rightNow = 1e17
    seen = []
    loop = looping(clock, lambda: seen.append(1))
    loop.start(0.5)
    assert loop.call.getTime() == clock.seconds()  # half a second is nothing to such a number
    clock.rightNow += 32
    loop.reset()
    assert loop.running


def test_waiting_for_a_deferred(clock):
    seen = []

    def slow():
        seen.append(clock.seconds())
        return Deferred() if len(seen) > 1 else inner

    inner = Deferred()
    loop = looping(clock, slow)
    loop.start(2)
    clock.advance(5)
    assert seen == [0]
    assert loop.call is None
    inner.callback(None)
    assert loop.call.getTime() == 6
    clock.advance(1)
    assert seen == [0, 6]


def test_stopped_while_it_waits_for_a_deferred(clock):
    inner = Deferred()
    loop = looping(clock, lambda: inner)
    done = results_of(loop.start(1))
    loop.stop()
    assert done == []
    inner.callback(None)
    assert done == [loop]
    assert clock.getDelayedCalls() == []


def test_a_function_that_never_comes_to_an_end(clock):
    """Its Deferred does not fire: it is called once, holds up nobody else, and can be stopped."""
    calls = []

    def endless():
        calls.append(clock.seconds())
        return Deferred()

    loop = looping(clock, endless)
    done = results_of(loop.start(1))
    clock.pump([1] * 10)
    assert calls == [0]
    assert clock.getDelayedCalls() == []
    assert loop.running
    loop.reset()
    loop.stop()
    assert not loop.running
    with pytest.raises(RuntimeError):
        loop.stop()
    clock.pump([1] * 10)
    assert (calls, done) == ([0], [])
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("how", ["callback", "errback"])
def test_started_again_while_a_call_of_before_is_waited_for(clock, how):
    inner = []

    def waits():
        inner.append(Deferred())
        return inner[-1]

    loop = looping(clock, waits)
    before = results_of(loop.start(1))
    loop.stop()
    after = results_of(loop.start(1))
    error = ZeroDivisionError()
    getattr(inner[0], how)(error)
    assert before == [loop if how == "callback" else error]
    assert after == []
    assert loop.running
    assert clock.getDelayedCalls() == []  # the call of the new run is waited for, too
    inner[1].callback(None)
    assert [call.getTime() for call in clock.getDelayedCalls()] == [1]
    clock.advance(1)
    loop.stop()
    inner[2].callback(None)
    assert after == [loop]
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("failing", [lambda: 1 / 0, lambda: fail(ZeroDivisionError())])
def test_a_failure_stops_it(clock, failing):
    loop = looping(clock, failing)
    assert isinstance(results_of(loop.start(1))[0], ZeroDivisionError)
    assert not loop.running
    assert clock.getDelayedCalls() == []


def test_a_failure_and_a_stop(clock):
    def stops():
        loop.stop()
        raise KeyError

    loop = looping(clock, stops)
    assert isinstance(results_of(loop.start(1))[0], KeyError)


def test_no_interval(clock):
    seen = []
    loop = looping(clock, lambda: seen.append(1))
    loop.start(0, now=False)
    assert seen == []
    assert loop.call.getTime() == clock.seconds()


def test_reset(clock):
    seen = []
    loop = looping(clock, lambda: seen.append(clock.seconds()))
    loop.start(2, now=False)
    clock.advance(1)
    loop.reset()
    assert loop.starttime == 1
    clock.pump([1] * 4)
    assert seen == [3, 5]


def test_reset_while_it_waits_for_a_deferred(clock):
    loop = looping(clock, Deferred)
    loop.start(2)
    loop.reset()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("interval", [float("nan"), float("inf")])
@pytest.mark.parametrize("now", [True, False])
def test_an_interval_is_finite(clock, interval, now):
    seen = []
    loop = looping(clock, seen.append, 1)
    with pytest.raises(ValueError, match="must be a finite number of seconds"):
        loop.start(interval, now=now)
    assert (loop.running, seen) == (False, [])
    loop.start(1)
    assert (loop.running, seen) == (True, [1])


def test_mistakes(clock):
    loop = looping(clock, Deferred)
    with pytest.raises(ValueError, match="must be >= 0, not -1"):
        loop.start(-1)
    for mistake in (loop.stop, loop.reset):
        with pytest.raises(RuntimeError, match="not running"):
            mistake()
    loop.start(1)
    with pytest.raises(RuntimeError, match="running already"):
        loop.start(1)


def test_the_current_reactor_is_its_clock(clock):
    _current.enter(clock)
    try:
        loop = LoopingCall(print)
        assert loop.clock is clock
    finally:
        _current.leave(clock)
    assert loop.clock is clock


def test_its_deferred(clock):
    loop = looping(clock, Deferred)
    started = loop.start(1)
    with pytest.warns(DeprecationWarning, match="start"):
        assert loop.deferred is started


def test_what_it_says():
    assert repr(LoopingCall(test_mistakes, 1, key=2)) == "LoopingCall<None>(test_mistakes, *(1,), **{'key': 2})"
    assert repr(LoopingCall(Clock.advance)) == "LoopingCall<None>(Clock.advance, *(), **{})"


class TestWithCount:
    def test_skipped_times_are_counted(self, clock):
        seen = []
        loop = counting(clock, lambda count: seen.append((clock.seconds(), count)))
        loop.start(0.5)
        for amount in (0.51, 1.51, 0):
            clock.advance(amount)
        assert seen == [(0, 1), (0.51, 1), (2.02, 3)]
        loop.stop()

    def test_being_a_little_late_is_not_skipping(self, clock):
        seen = []
        loop = counting(clock, seen.append)
        loop.start(1)
        for amount in (1.02, 1.73, 0.25):
            clock.advance(amount)
        assert seen == [1, 1, 1, 1]

    @given(st.integers(1, 50), st.floats(0.01, 10))
    def test_it_is_never_zero_and_adds_up(self, count, interval):
        clock, seen = Clock(), []
        loop = counting(clock, seen.append)
        loop.start(interval, now=False)
        for _ in range(count):
            clock.advance(interval)
        clock.advance(interval / 2)
        # Where multiples of the interval cannot be told exactly, the last one may be made up for with the next.
        assert count - sum(seen) in (0, 1)
        clock.advance(interval * 2)
        assert sum(seen) == count + 2
        assert 0 not in seen

    def test_a_call_that_comes_too_early_is_left_out(self, clock):
        """Where the clock has gone back, or is not exact, no time may have come yet."""
        seen = []
        loop = counting(clock, seen.append)
        loop.start(1, now=False)
        loop()
        assert seen == []
        clock.advance(1)
        assert seen == [1]

    def test_no_interval(self, clock):
        seen = []
        loop = counting(clock, lambda count: seen.append(count) or (loop.stop() if len(seen) == 3 else None))
        done = results_of(loop.start(0))
        clock.advance(0)
        assert (seen, done) == ([1, 1, 1], [loop])

    def test_times_missed_while_it_waited(self, clock):
        seen, inner = [], Deferred()
        loop = counting(clock, lambda count: seen.append(count) or (inner if len(seen) == 1 else None))
        loop.start(0.5, now=False)
        clock.pump([0.5, 1.0])
        inner.callback(None)
        clock.advance(0.5)
        assert seen == [1, 3]

    def test_started_again(self, clock):
        seen = []
        loop = counting(clock, seen.append)
        loop.start(1)
        clock.advance(1)
        loop.stop()
        clock.advance(10)
        loop.start(1)
        assert seen == [1, 1, 1]
