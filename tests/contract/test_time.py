"""Calls in the future."""

from __future__ import annotations

import math
import time
import weakref

import pytest
from zope.interface.verify import verifyObject

from contract.flavours import differs, needs
from contract.harness import gone, pause
from torsion.internet import error
from torsion.internet.interfaces import IDelayedCall

pytestmark = needs("IReactorTime")


@differs("Twisted cannot pass an argument called callable on")
def test_calls_with_arguments(reactor, run):
    async def scenario():
        reactor.callLater(0, lambda *args, **kw: called.append((args, kw)), 1, 2, callable=3, delay=4)
        await pause(reactor)
        await pause(reactor)

    called = []
    run(scenario)
    assert called == [((1, 2), {"callable": 3, "delay": 4})]


def test_order_is_by_time_then_by_asking(reactor, run):
    async def scenario():
        now = reactor.seconds()
        for name, delay in (("c", 0.02), ("a", 0.01), ("b", 0.01), ("0", 0), ("1", 0)):
            call = reactor.callLater(delay, called.append, name)
            assert call.getTime() >= now + delay
        await pause(reactor, 0.03)

    called = []
    run(scenario)
    assert "".join(called) == "01abc"


def test_never_early(reactor, run):
    async def scenario():
        call = reactor.callLater(0.02, lambda: None)
        due = call.getTime()
        while call.active():
            await pause(reactor, 0.0005)
        assert reactor.seconds() >= due

    run(scenario)


def test_zero_delay_waits_for_the_next_turn(reactor, run):
    async def scenario():
        def again(left):
            called.append(left)
            if left:
                reactor.callLater(0, again, left - 1)

        again(100)
        assert called == [100]
        others = 0
        while called[-1]:
            others += 1
            await pause(reactor)  # gets its turn though there is always a call due
        assert others > 10

    called = []
    run(scenario)


def test_cancel(reactor, run):
    async def scenario():
        call = reactor.callLater(0, called.append, 1)
        assert call.active()
        call.cancel()
        assert not call.active()
        for method, arguments in ((call.cancel, ()), (call.reset, (1,)), (call.delay, (1,))):
            with pytest.raises(error.AlreadyCancelled):
                method(*arguments)
        await pause(reactor, 0.001)

    called = []
    run(scenario)
    assert called == []


def test_cancel_of_one_that_was_due_in_the_same_turn(reactor, run):
    async def scenario():
        def cancel():
            second.cancel()

        reactor.callLater(0, cancel)
        second = reactor.callLater(0, called.append, 1)
        await pause(reactor, 0.001)

    called = []
    run(scenario)
    assert called == []


def test_too_late(reactor, run):
    async def scenario():
        def while_called():
            with pytest.raises(error.AlreadyCalled):
                call.cancel()
            with pytest.raises(error.AlreadyCalled):
                call.reset(1)
            called.append(call.active())

        call = reactor.callLater(0, while_called)
        await pause(reactor, 0.001)
        with pytest.raises(error.AlreadyCalled):
            call.delay(1)

    called = []
    run(scenario)
    assert called == [False]


def test_reset_and_delay(reactor, run):
    async def scenario():
        sooner = reactor.callLater(60, called.append, "sooner")
        later = reactor.callLater(0, called.append, "later")
        sooner.reset(0.001)
        before = later.getTime()
        later.delay(0.02)
        assert math.isclose(later.getTime(), before + 0.02, abs_tol=1e-6)
        await pause(reactor, 0.01)
        assert called == ["sooner"]
        later.reset(0)
        await pause(reactor, 0.01)

    called = []
    run(scenario)
    assert called == ["sooner", "later"]


@pytest.mark.parametrize("delay", [-1, -0.001, math.inf, math.nan])
@differs("Twisted asserts that delays are not negative, and takes infinite ones")
def test_impossible_delays(reactor, delay):
    with pytest.raises(ValueError, match=r"\w"):
        reactor.callLater(delay, lambda: None)
    assert list(reactor.getDelayedCalls()) == []


def test_a_reset_to_the_past_is_one_to_now(reactor, run):
    async def scenario():
        call = reactor.callLater(1000, called.append, "overdue")
        call.reset(-1.0)
        assert call.getTime() <= reactor.seconds()
        await pause(reactor, 0.01)

    called = []
    run(scenario)
    assert called == ["overdue"]


@differs("Twisted shows its own way")
def test_what_is_to_be_called_is_shown(reactor):
    call = reactor.callLater(1, max, 1, 2, key=abs)
    assert "to come: <built-in function max>(1, 2, key=<built-in function abs>)" in repr(call)
    call.cancel()


@differs("Twisted finds out when the call is due")
def test_not_callable(reactor):
    with pytest.raises(TypeError):
        reactor.callLater(0, None)
    with pytest.raises(TypeError, match=r"a delay is a number of seconds, not 'soon'"):
        reactor.callLater("soon", lambda: None)


def test_delayed_calls(reactor):
    calls = {reactor.callLater(delay, lambda: None) for delay in (3, 1, 2)}
    assert set(reactor.getDelayedCalls()) == calls
    cancelled = calls.pop()
    cancelled.cancel()
    assert set(reactor.getDelayedCalls()) == calls
    assert cancelled not in reactor.getDelayedCalls()


def test_interface(reactor):
    call = reactor.callLater(1, lambda: None)
    assert verifyObject(IDelayedCall, call)
    assert "1." in repr(call) or "0.9" in repr(call) or "lambda" in repr(call)


@pytest.mark.parametrize("exception", [ValueError, SystemExit, KeyboardInterrupt])
def test_raising_is_logged(reactor, run, logged, exception):
    def raises():
        raise exception("from a timer")

    async def scenario():
        reactor.callLater(0, raises)
        reactor.callLater(0, called.append, 1)
        await pause(reactor, 0.001)

    called = []
    run(scenario)
    assert called == [1]
    [problem] = logged.take(exception)
    assert problem.args == ("from a timer",)


def test_the_traceback_is_logged(reactor, run, logged):
    def raises():
        raise ValueError("from a timer")

    async def scenario():
        reactor.callLater(0, raises)
        await pause(reactor, 0.001)

    run(scenario)
    assert "raises" in logged[0].getTraceback()
    logged.take(ValueError)


@needs("IReactorTime", "kernel")
def test_seconds_are_near_the_wall_clock_and_never_go_back(reactor):
    assert abs(reactor.seconds() - time.time()) < 5
    moments = [reactor.seconds() for _ in range(1000)]
    assert moments == sorted(moments)


@differs("Twisted lets go of a call's arguments later")
def test_a_call_that_is_over_holds_nothing(reactor, run):
    class Thing:
        pass

    async def scenario():
        thing = Thing()
        kept.append(reactor.callLater(0, lambda _: None, thing))
        cancelled = reactor.callLater(60, lambda _: None, thing)
        cancelled.cancel()
        kept.append(cancelled)
        reference = weakref.ref(thing)
        await pause(reactor, 0.001)
        del thing
        return reference

    kept = []
    assert gone(run(scenario))


def test_many(reactor, run):
    async def scenario():
        calls = [reactor.callLater(0.001 * (number % 10), called.append, number) for number in range(10000)]
        for call in calls[::2]:
            call.cancel()
        await pause(reactor, 0.1)

    called = []
    run(scenario)
    assert sorted(called) == list(range(1, 10000, 2))


class TestOtherClock:
    """``reactor.seconds`` can be replaced by a test."""

    @differs("Twisted's reactors have no other clock than their own")
    def test_is_reckoned_with(self, reactor, run):
        async def scenario():
            reactor.seconds = lambda: 100.0
            call = reactor.callLater(5, called.append, 1)
            assert call.getTime() == 105
            assert verifyObject(IDelayedCall, call)
            call.delay(2)
            assert call.getTime() == 107
            call.reset(0)
            assert call.getTime() == 100
            cancelled = reactor.callLater(0, called.append, 2)
            cancelled.cancel()
            with pytest.raises(error.AlreadyCancelled):
                cancelled.cancel()
            await pause(reactor, 0.001)
            assert called == [1]
            assert not call.active()
            with pytest.raises(error.AlreadyCalled):
                call.cancel()

        called = []
        run(scenario)

    def test_can_be_put_back(self, reactor):
        own = reactor.seconds
        reactor.seconds = lambda: 100.0
        reactor.seconds = own
        call = reactor.callLater(5, lambda: None)
        assert call.getTime() == pytest.approx(own() + 5, abs=1)
        assert call in reactor.getDelayedCalls()
