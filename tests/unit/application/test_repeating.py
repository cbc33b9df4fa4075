"""Services that call a function at a pace, and that step through iterators."""

import pickle

import pytest

from torsion.application.internet import CooperatorService, TimerService
from torsion.internet._current import enter, leave
from torsion.internet.defer import Deferred
from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.task import Clock, SchedulerStopped
from torsion.logger import formatEvent, globalLogPublisher


@pytest.fixture
def failures():
    """What is logged as failed."""
    found = []

    def observe(event):
        if "log_failure" in event:
            found.append((event["log_failure"].type, formatEvent(event)))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


def results(deferred):
    found = []
    deferred.addBoth(found.append)
    return found


def timer(step, function, *args, **kwargs):
    service = TimerService(step, function, *args, **kwargs)
    service.clock = clock = Clock()
    return service, clock


def nothing():
    """Is found by pickle."""


class TestTimerService:
    def test_calls_at_once_and_at_a_pace(self):
        calls = []
        service, clock = timer(2, lambda *args, **kwargs: calls.append((args, kwargs)), 1, two=2)
        assert calls == []
        service.startService()
        assert service.running
        assert calls == [((1,), {"two": 2})]
        clock.pump([1.9, 0.1, 2.0])
        assert len(calls) == 3
        assert results(service.stopService()) == [None]
        assert not service.running
        assert clock.getDelayedCalls() == []

    def test_may_start_again(self):
        calls = []
        service, clock = timer(2, calls.append, 1)
        service.startService()
        service.stopService()
        clock.advance(10)
        service.startService()
        assert calls == [1, 1]

    def test_a_second_start_is_nothing(self):
        calls = []
        service, clock = timer(2, calls.append, 1)
        service.startService()
        service.startService()
        assert calls == [1]
        clock.advance(2)
        assert calls == [1, 1]

    def test_waits_for_a_call_that_is_under_way(self):
        under_way = Deferred()
        service, _ = timer(2, lambda: under_way)
        service.startService()
        stopped, again = results(service.stopService()), results(service.stopService())
        assert stopped == again == []
        assert service.running
        under_way.callback("something")
        assert stopped == again == [None]
        assert not service.running

    def test_started_again_while_a_call_is_under_way(self):
        under_way = [Deferred(), Deferred()]
        waiting = list(under_way)
        service, _ = timer(2, lambda: waiting.pop(0))
        service.startService()
        stopped = results(service.stopService())
        service.startService()
        under_way[0].callback(None)
        assert stopped == [None]
        assert service.running

    @pytest.mark.parametrize("later", [False, True])
    def test_one_that_fails_is_told_of_and_called_no_more(self, later, failures):
        calls = []
        problem = Deferred()

        def function():
            calls.append(1)
            if later:
                return problem
            raise ValueError("no")

        service, clock = timer(2, function)
        service.setName("ticker")
        service.startService()
        if later:
            problem.errback(ValueError("no"))
        assert [kind for kind, _ in failures] == [ValueError]
        assert "ticker failed" in failures[0][1]
        clock.advance(10)
        assert calls == [1]
        assert results(service.stopService()) == [None]

    def test_one_that_failed_can_be_started_anew(self, failures):
        problems = [ValueError("no")]

        def function():
            if problems:
                raise problems.pop()

        service, clock = timer(2, function)
        service.startService()
        service.startService()
        assert len(clock.getDelayedCalls()) == 1

    def test_stopped_before_it_was_started(self):
        service, _ = timer(2, nothing)
        assert results(service.stopService()) == [None]

    def test_a_step_that_cannot_be(self):
        service, _ = timer(-1, nothing)
        with pytest.raises(ValueError):
            service.startService()

    def test_a_copy_has_no_timer(self):
        service = TimerService(2, nothing)
        service.clock = None
        reactor = MemoryReactor()
        enter(reactor)
        service.startService()
        leave(reactor)
        assert reactor.getDelayedCalls() != []
        copy = pickle.loads(pickle.dumps(service))
        assert not copy.running
        assert (copy.step, copy.call) == (2, (nothing, (), {}))
        assert results(copy.stopService()) == [None]
        service.stopService()
        assert reactor.getDelayedCalls() == []


class TestCooperatorService:
    def test_steps_while_it_runs(self):
        reactor = MemoryReactor()
        enter(reactor)
        service = CooperatorService()
        steps = []
        done = results(service.coiterate(steps.append(number) for number in range(3)))
        waits = Deferred()
        never = results(service.coiterate(iter([waits])))
        reactor.advance(1)
        assert steps == []
        service.startService()
        for _ in range(10):
            reactor.advance(0.1)
        assert steps == [0, 1, 2]
        assert len(done) == 1
        assert never == []
        service.stopService()
        waits.callback(None)
        leave(reactor)
        assert never[0].check(SchedulerStopped)
        assert not service.running
