"""Calls in the future by another clock than the engine's."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from torsion.internet.error import AlreadyCalled, AlreadyCancelled
from torsion.internet.interfaces import IDelayedCall
from torsion.internet.reactors.delayed import DelayedCall, call_by_other_clock
from torsion.internet.task import Clock


@pytest.fixture
def told():
    return []


@pytest.fixture
def call(told):
    return DelayedCall(
        5.0,
        print,
        (1,),
        {"sep": ""},
        lambda call: told.append(("cancel", call.time)),
        lambda call: told.append(("reset", call.time)),
        lambda: 2.0,
    )


def test_interface(call):
    assert verifyObject(IDelayedCall, call)
    assert (call.func, call.args, call.kw) == (print, (1,), {"sep": ""})


def test_time(call, told):
    assert call.getTime() == call.time == 5
    call.delay(2)
    assert call.getTime() == 7
    call.reset(1)
    assert call.getTime() == 3
    assert told == [("reset", 7), ("reset", 3)]


def test_cancel(call, told):
    assert call.active()
    call.cancel()
    assert not call.active()
    assert told == [("cancel", 5)]
    assert call.func is call.args is call.kw is None
    for method in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(AlreadyCancelled):
            method()


def test_called(call):
    call.called = 1
    assert not call.active()
    for method in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
        with pytest.raises(AlreadyCalled):
            method()


def test_order(call):
    other = DelayedCall(6, print, (), {}, print, print, float)
    assert call < other
    assert call <= other
    assert not other <= call


def test_representation(call):
    assert "in 3.000 s" in repr(call)
    call.called = 1
    assert ", called" in repr(call)
    call.called = 0
    call.cancel()
    assert "cancelled" in repr(call)


class TestByOtherClock:
    @pytest.fixture
    def engine(self):
        class Engine(Clock):
            call_later = Clock.callLater

        return Engine()

    def test_called_when_the_engine_says(self, engine):
        called = []
        call = call_by_other_clock(
            engine, lambda: 100.0, 5, lambda *args, **kw: called.append((args, kw)), (1,), {"a": 2}
        )
        assert call.getTime() == 105
        assert call.seconds() == 100
        engine.advance(4.9)
        assert called == []
        engine.advance(0.2)
        assert called == [((1,), {"a": 2})]
        assert not call.active()

    def test_moved(self, engine):
        called = []
        call = call_by_other_clock(engine, lambda: 100.0, 5, called.append, (1,), {})
        call.reset(1)
        assert call.getTime() == 101
        engine.advance(1)
        assert called == [1]

    def test_moved_into_the_past(self, engine):
        called = []
        call = call_by_other_clock(engine, lambda: 100.0, 5, called.append, (1,), {})
        call.delay(-10)
        engine.advance(0)
        assert called == [1]

    def test_cancelled(self, engine):
        called = []
        call_by_other_clock(engine, lambda: 100.0, 5, called.append, (1,), {}).cancel()
        engine.advance(10)
        assert called == []
        assert list(engine.getDelayedCalls()) == []
