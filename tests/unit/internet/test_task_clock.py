"""The clock for tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall, IReactorTime
from torsion.internet.task import Clock


@pytest.fixture
def clock():
    return Clock()


def test_contracts(clock):
    verifyObject(IReactorTime, clock)
    verifyObject(IDelayedCall, clock.callLater(1, print))


def test_it_stands_still(clock):
    assert clock.seconds() == clock.rightNow == 0
    clock.advance(1.5)
    clock.advance(1)
    assert clock.seconds() == clock.rightNow == 2.5


@pytest.mark.parametrize("amount", [float("nan"), float("inf")])
def test_it_is_not_advanced_out_of_time(clock, amount):
    clock.advance(1)
    with pytest.raises(ValueError, match="a finite number of seconds"):
        clock.advance(amount)
    assert clock.seconds() == 1


def test_a_call_has_a_time(clock):
    with pytest.raises(ValueError, match="not NaN"):
        clock.callLater(float("nan"), print)
    assert clock.calls == []


def test_a_call(clock):
    seen = []
    call = clock.callLater(2, lambda *args, **kw: seen.append((clock.seconds(), args, kw)), 1, key=2)
    assert call.getTime() == 2
    clock.advance(1)
    assert call.active()
    assert seen == []
    clock.advance(1)
    assert seen == [(2, (1,), {"key": 2})]
    assert not call.active()
    clock.advance(10)
    assert len(seen) == 1


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 6))
def test_the_order_is_that_of_the_times_and_then_of_the_asking(delays, amount):
    clock, seen = Clock(), []
    for number, delay in enumerate(delays):
        clock.callLater(delay, seen.append, (delay, number))
    assert [call.getTime() for call in clock.getDelayedCalls()] == sorted(delays)
    clock.advance(amount)
    assert seen == sorted(
        entry for entry in ((delay, number) for number, delay in enumerate(delays)) if entry[0] <= amount
    )


def test_calls_that_calls_ask_for(clock):
    seen = []
    clock.callLater(1, clock.callLater, 1, seen.append, "due")
    clock.callLater(1, clock.callLater, 0, seen.append, "at once")
    clock.callLater(1, clock.callLater, 5, seen.append, "later")
    clock.advance(3)
    assert seen == ["at once"]
    clock.advance(1)
    assert seen == ["at once", "due"]


def test_cancel(clock):
    call = clock.callLater(1, pytest.fail)
    call.cancel()
    assert not call.active()
    assert clock.getDelayedCalls() == clock.calls == []
    clock.advance(2)
    for late in (call.cancel, lambda: call.delay(1), lambda: call.reset(1)):
        with pytest.raises(AlreadyCancelled, match="cancelled"):
            late()


def test_too_late_to_cancel(clock):
    def itself():
        with pytest.raises(AlreadyCalled):
            call.cancel()

    call = clock.callLater(1, itself)
    clock.advance(1)
    for late in (call.cancel, lambda: call.delay(1), lambda: call.reset(1)):
        with pytest.raises(AlreadyCalled, match="made"):
            late()


@pytest.mark.parametrize(
    ("how", "argument", "due"), [("delay", 2, 6), ("delay", -2, 2), ("reset", 3, 4), ("reset", 9, 10)]
)
def test_moved(clock, how, argument, due):
    seen = []
    call = clock.callLater(4, lambda: seen.append(clock.seconds()))
    clock.advance(1)
    getattr(call, how)(argument)
    assert call.getTime() == due
    assert clock.getDelayedCalls() == [call]
    clock.pump([0.5] * 24)
    assert seen == [due]


def test_moved_away_and_back(clock):
    seen = []
    call = clock.callLater(1, seen.append, 1)
    call.reset(5)
    call.reset(1)
    assert clock.getDelayedCalls() == [call]
    clock.advance(10)
    assert seen == [1]


def test_moved_by_another_call(clock):
    seen = []
    moved = clock.callLater(2, lambda: seen.append(("moved", clock.seconds())))
    clock.callLater(1, moved.reset, 3)
    clock.callLater(3, lambda: seen.append(("other", clock.seconds())))
    clock.pump([0.5] * 10)
    assert seen == [("other", 3.0), ("moved", 4.0)]


def test_an_exception_is_the_callers(clock):
    seen = []
    clock.callLater(1, lambda: 1 / 0)
    clock.callLater(1, seen.append, "after")
    with pytest.raises(ZeroDivisionError):
        clock.advance(1)
    assert seen == []
    clock.advance(0)
    assert seen == ["after"]


def test_what_a_call_says(clock):
    call = clock.callLater(1, test_cancel)
    assert repr(call) == "<delayed call of test_cancel, due at 1.0>"
    call.cancel()
    assert repr(call) == "<delayed call of test_cancel, cancelled>"
