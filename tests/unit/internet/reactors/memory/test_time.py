"""Time in memory: it passes when it is told to, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall
from torsion.internet.reactors.memory import MemoryReactor, simulation, timers


@pytest.fixture
def reactor():
    return MemoryReactor()


def test_it_stands_until_it_is_advanced(reactor):
    assert reactor.seconds() == 0
    reactor.advance(2.5)
    reactor.iterate()
    assert reactor.seconds() == 2.5


def test_each_call_sees_its_own_time(reactor):
    """Unlike those of a ``task.Clock``, which see the time that was advanced to."""
    seen = []
    for delay in (3, 1, 2, 1):
        reactor.callLater(delay, lambda delay=delay: seen.append((delay, reactor.seconds())))
    reactor.advance(2)
    assert seen == [(1, 1), (1, 1), (2, 2)]
    reactor.pump([0.5, 0.5])
    assert seen[-1] == (3, 3)


def test_tenths_of_a_second_add_up(reactor):
    called = []
    reactor.callLater(1, called.append, 1)
    for _ in range(9):
        reactor.advance(0.1)
    assert not called
    reactor.advance(0.1)
    assert called


def test_calls_that_calls_ask_for_are_made_in_time(reactor):
    seen = []

    def again():
        seen.append(reactor.seconds())
        reactor.callLater(1, again)

    reactor.callLater(1, again)
    reactor.advance(3.5)
    assert seen == [1, 2, 3]


def test_a_call_without_delay_waits_for_the_next_turn(reactor):
    seen = []
    reactor.callLater(0, lambda: (seen.append("first"), reactor.callLater(0, seen.append, "second")))
    reactor.iterate()
    assert seen == ["first"]
    reactor.settle()
    assert seen == ["first", "second"]


def test_what_lets_no_time_pass_is_told_so(reactor, monkeypatch):
    monkeypatch.setattr(simulation, "MOST_TURNS_AT_ONCE", 50)

    def again():
        calls.append(reactor.callLater(0, again))

    calls = []
    again()
    with pytest.raises(RuntimeError, match=r"after 50 turns at 0\.0 s there is still something to do"):
        reactor.advance(1)
    calls[-1].cancel()
    reactor.advance(1)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_passes_forwards_only(reactor, seconds):
    with pytest.raises(ValueError, match="0 or more and finite"):
        reactor.advance(seconds)
    with pytest.raises(ValueError, match="0 or more"):
        reactor.iterate(seconds)
    with pytest.raises(TypeError):
        reactor.advance("soon")


def test_a_run_goes_on_to_what_is_next(reactor):
    reactor.callLater(3600, reactor.stop)
    reactor.run()
    assert 3600 <= reactor.seconds() < 3600.001


def test_a_turn_of_a_run_takes_time(reactor):
    """So that ends that never cease to answer each other cannot keep a timer from its turn."""

    def again():
        reactor.callLater(0, again)

    again()
    reactor.callLater(0.001, reactor.stop)
    reactor.run()
    assert reactor.engine.statistics()["turns"] >= 900


def test_an_iteration_waits_no_longer_than_it_may(reactor):
    called = []
    reactor.callLater(5, called.append, 1)
    reactor.iterate(2)
    assert (reactor.seconds(), called) == (2, [])
    reactor.iterate(10)
    assert reactor.seconds() == 5
    reactor.iterate(0)
    assert called


def test_calls_to_come(reactor):
    call = reactor.callLater(5, print, 1, end="")
    assert verifyObject(IDelayedCall, call)
    assert (call.func, call.args, call.kw) == (print, (1,), {"end": ""})
    assert call.getTime() == call.time == 5
    assert reactor.engine.next_deadline() == 5
    assert reactor.getDelayedCalls() == [call]
    assert "to come" in repr(call)
    call.cancel()
    assert (call.func, call.args, call.kw) == (None, None, None)
    assert not call.active()
    assert reactor.engine.next_deadline() is None
    assert "cancelled" in repr(call)
    for late in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(AlreadyCancelled):
            late()
    other = reactor.callLater(0, int)
    reactor.settle()
    assert "called" in repr(other)
    with pytest.raises(AlreadyCalled):
        other.cancel()


def test_calls_are_moved(reactor):
    seen = []
    first, second = (reactor.callLater(delay, seen.append, delay) for delay in (1, 2))
    first.delay(2)
    second.delay(-1)
    reactor.advance(1)
    assert seen == [2]
    first.reset(0.5)
    reactor.advance(0.5)
    assert seen == [2, 1]
    third = reactor.callLater(5, seen.append, 5)
    third.delay(-100)
    assert third.getTime() == 0
    with pytest.raises(ValueError, match="finite"):
        third.reset(float("nan"))


def test_what_is_put_off_again_and_again_leaves_nothing_behind(reactor):
    call = reactor.callLater(1, int)
    for _ in range(10 * timers.FEW_STALE):
        call.reset(1)
    assert len(reactor.engine.timers._heap) <= timers.FEW_STALE + 2


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["keep", "cancel", "reset", "delay"]), st.integers(0, 5))),
    st.integers(0, 11),
)
def test_order_is_by_time_then_by_asking(plans, until):
    """As a sort says that is stable."""
    reactor = MemoryReactor()
    made, expected = [], []
    calls = [(reactor.callLater(delay, made.append, number)) for number, (delay, _, _) in enumerate(plans)]
    order = len(plans)
    for number, (call, (delay, what, more)) in enumerate(zip(calls, plans, strict=True)):
        if what == "cancel":
            call.cancel()
            continue
        if what == "reset":
            call.reset(more)
        elif what == "delay":
            call.delay(more)
        moved = what in ("reset", "delay")
        order += 1
        due = more if what == "reset" else delay + more if what == "delay" else delay
        expected.append((due, order if moved else number, number))
    reactor.advance(until)
    assert made == [number for due, _, number in sorted(expected) if due <= until]
    assert len(reactor.getDelayedCalls()) == len(expected) - len(made)


def test_the_shortest_time_is_some_time():
    """What asks for its like after a billionth of a nanosecond, as a LoopingCall may by rounding, lets time pass."""
    reactor = MemoryReactor()
    calls = []

    def again():
        calls.append(reactor.seconds())
        if len(calls) < 5:
            reactor.callLater(1e-18, again)

    again()
    reactor.advance(1)
    assert calls == [0.0, 1e-9, 2e-9, 3e-9, 4e-9]
