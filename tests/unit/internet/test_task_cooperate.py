"""Long computations in small steps."""

import sys

import pytest

from torsion.internet import _current
from torsion.internet.defer import Deferred, fail
from torsion.internet.task import (
    Clock,
    Cooperator,
    NotPaused,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    coiterate,
    cooperate,
)


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


class Turns:
    """A scheduler whose turns come when they are asked for; each lasts *steps* steps."""

    def __init__(self, steps=1):
        self.steps = steps
        self.call = None

    def schedule(self, function):
        assert self.call is None
        self.call = function
        return self

    def cancel(self):
        self.call = None

    def predicate(self):
        left = [self.steps]

        def over():
            left[0] -= 1
            return not left[0]

        return over

    def take(self):
        call, self.call = self.call, None
        if call:
            call()

    def cooperator(self, **kw):
        return Cooperator(self.predicate, self.schedule, **kw)


@pytest.fixture
def turns():
    return Turns()


class Work:
    """An iterator that notes its steps, and gives, raises or ends as it is told."""

    def __init__(self):
        self.steps = 0
        self.next = None

    def __iter__(self):
        return self

    def __next__(self):
        self.steps += 1
        following, self.next = self.next, None
        if isinstance(following, BaseException):
            raise following
        return following


class TestCooperator:
    def test_one_step_of_each_in_turn(self):
        turns, seen = Turns(steps=4), []

        def work(name, count):
            for number in range(count):
                seen.append(name + str(number))
                yield

        cooperator = turns.cooperator()
        done = [results_of(cooperator.coiterate(work(name, count))) for name, count in (("a", 3), ("b", 1), ("c", 3))]
        assert seen == []
        turns.take()
        assert seen == ["a0", "b0", "c0", "a1"]
        turns.take()
        turns.take()
        turns.take()
        assert seen == ["a0", "b0", "c0", "a1", "c1", "a2", "c2"]
        assert [len(one) for one in done] == [1, 1, 1]
        assert turns.call is None

    def test_the_result_is_the_iterator(self, turns):
        iterator = iter([1])
        result = results_of(turns.cooperator().coiterate(iterator))
        turns.take()
        assert result == []
        turns.take()
        assert result == [iterator]

    def test_a_deferred_of_ones_own(self, turns):
        own = Deferred()
        assert turns.cooperator().coiterate(iter(()), own) is own
        turns.take()
        assert own.called

    def test_an_iterator_that_waits(self, turns):
        inner, seen = Deferred(), []

        def work():
            yield inner
            seen.append("after")

        done = results_of(turns.cooperator().coiterate(work()))
        turns.take()
        assert turns.call is None
        inner.callback("taken")
        assert seen == []
        turns.take()
        assert seen == ["after"]
        assert len(done) == 1
        assert results_of(inner) == [None]

    @pytest.mark.parametrize("late", [False, True])
    def test_an_iterator_that_waits_in_vain(self, turns, late):
        inner = Deferred() if late else fail(KeyError())
        done = results_of(turns.cooperator().coiterate(iter([inner, None])))
        turns.take()
        if late:
            inner.errback(KeyError())
        assert isinstance(done[0], KeyError)
        assert turns.call is None

    def test_an_iterator_that_raises(self, turns):
        work = Work()
        work.next = KeyError()
        done = results_of(turns.cooperator().coiterate(work))
        turns.take()
        assert isinstance(done[0], KeyError)

    def test_not_started(self, turns):
        cooperator = turns.cooperator(started=False)
        assert not cooperator.running
        work = Work()
        cooperator.cooperate(work)
        assert turns.call is None
        cooperator.start()
        assert cooperator.running
        turns.take()
        assert work.steps == 1

    def test_stopped(self, turns):
        cooperator = turns.cooperator()
        work = Work()
        tasks = [results_of(cooperator.coiterate(work)) for _ in range(2)]
        cooperator.stop()
        assert not cooperator.running
        assert turns.call is None
        assert [type(error) for (error,) in tasks] == [SchedulerStopped] * 2
        assert isinstance(results_of(cooperator.coiterate(work))[0], SchedulerStopped)
        assert isinstance(results_of(cooperator.coiterate(work, Deferred()))[0], SchedulerStopped)
        assert work.steps == 0

    def test_started_again(self, turns):
        cooperator = turns.cooperator()
        cooperator.stop()
        cooperator.start()
        done = results_of(cooperator.coiterate(iter(())))
        turns.take()
        assert len(done) == 1

    def test_stopped_while_one_waits(self, turns):
        inner = Deferred()
        cooperator = turns.cooperator()
        task = cooperator.cooperate(iter([inner, None]))
        turns.take()
        cooperator.stop()
        inner.callback(None)
        assert isinstance(results_of(task.whenDone())[0], SchedulerStopped)

    def test_stopped_by_one_of_its_tasks(self):
        turns = Turns(steps=100)
        cooperator = turns.cooperator()

        def stops():
            cooperator.stop()
            yield

        other = Work()
        done = [results_of(cooperator.coiterate(work)) for work in (stops(), other)]
        turns.take()
        assert [type(error) for (error,) in done] == [SchedulerStopped] * 2
        assert other.steps == 0

    def test_no_turn_without_work(self, turns):
        cooperator = turns.cooperator()
        assert turns.call is None
        tasks = [cooperator.cooperate(Work()) for _ in range(2)]
        tasks[0].stop()
        assert turns.call is not None
        tasks[1].stop()
        assert turns.call is None

    def test_one_that_is_added_when_another_ends(self, turns):
        cooperator = turns.cooperator()
        done = []
        cooperator.coiterate(iter(())).addCallback(lambda _: cooperator.coiterate(iter(()))).addCallback(done.append)
        turns.take()
        turns.take()
        assert len(done) == 1


class TestTask:
    @pytest.fixture
    def work(self):
        return Work()

    @pytest.fixture
    def task(self, turns, work):
        return turns.cooperator().cooperate(work)

    def test_pause(self, turns, work, task):
        turns.take()
        task.pause()
        task.pause()
        turns.take()
        task.resume()
        turns.take()
        assert work.steps == 1
        task.resume()
        assert work.steps == 1
        turns.take()
        assert work.steps == 2

    def test_resumed_too_often(self, task):
        with pytest.raises(NotPaused):
            task.resume()

    def test_pause_while_it_waits(self, turns, work, task):
        work.next = inner = Deferred()
        turns.take()
        task.pause()
        inner.callback(None)
        turns.take()
        assert work.steps == 1
        task.resume()
        turns.take()
        assert work.steps == 2

    def test_when_done(self, turns, work, task):
        """Each call gives a Deferred of its own."""
        one, other = task.whenDone(), task.whenDone()
        one.addCallback(lambda _: "changed")
        work.next = StopIteration()
        turns.take()
        assert results_of(one) == ["changed"]
        assert results_of(other) == results_of(task.whenDone()) == [work]

    @pytest.mark.parametrize(("end", "kind"), [(StopIteration(), TaskDone), (KeyError(), TaskFailed)])
    def test_too_late(self, turns, work, task, end, kind):
        work.next = end
        done = results_of(task.whenDone())
        turns.take()
        assert len(done) == 1
        for late in (task.stop, task.pause):
            with pytest.raises(kind):
                late()
        assert issubclass(kind, TaskFinished)

    def test_stop(self, turns, work, task):
        done = results_of(task.whenDone())
        task.stop()
        assert isinstance(done[0], TaskStopped)
        turns.take()
        assert work.steps == 0
        with pytest.raises(TaskStopped):
            task.stop()

    def test_stop_while_paused(self, turns, work, task):
        task.pause()
        done = results_of(task.whenDone())
        task.stop()
        task.resume()
        turns.take()
        assert (len(done), work.steps) == (1, 0)

    @pytest.mark.parametrize("fails", [False, True])
    def test_stop_while_it_waits(self, turns, work, task, fails):
        work.next = inner = Deferred()
        turns.take()
        done = results_of(task.whenDone())
        task.stop()
        inner.errback(KeyError()) if fails else inner.callback(None)
        turns.take()
        assert isinstance(done[0], TaskStopped)
        [result] = results_of(inner)
        assert isinstance(result, KeyError) if fails else result is None  # an error that nobody waits for is not hidden
        assert work.steps == 1

    def test_stop_in_a_turn_of_another(self):
        turns = Turns(steps=2)
        cooperator = turns.cooperator()

        def stops():
            task.stop()
            yield
            yield

        cooperator.cooperate(stops())
        work = Work()
        task = cooperator.cooperate(work)
        results_of(task.whenDone())
        turns.take()
        assert work.steps == 0

    def test_its_callbacks_see_it_finished(self, turns, work):
        cooperator = turns.cooperator()
        task = cooperator.cooperate(work)
        seen = []
        task.whenDone().addCallback(lambda result: (cooperator.stop(), seen.append(result)))
        work.next = StopIteration()
        turns.take()
        assert seen == [work]


class TestOfTheProcess:
    def test_it_uses_the_current_reactor(self):
        clock = Clock()
        _current.enter(clock)
        try:
            done = results_of(coiterate(iter(range(3))))
            work = Work()
            task = cooperate(work)
            (call,) = clock.getDelayedCalls()
            assert call.getTime() == clock.seconds()
            stopped = results_of(task.whenDone())
            task.stop()
            clock.advance(0)
        finally:
            _current.leave(clock)
        assert len(done) == 1
        assert isinstance(stopped[0], TaskStopped)

    def test_a_turn_is_short(self, monkeypatch):
        """It ends by the clock: here after ten steps of a millisecond and a bit."""
        now = [0.0]

        def step():
            while True:
                now[0] += 0.0011
                yield

        monkeypatch.setattr(sys.modules[Cooperator.__module__], "monotonic", lambda: now[0])
        turns = Turns()
        cooperator = Cooperator(scheduler=turns.schedule)
        cooperator.cooperate(step())
        turns.take()
        assert 0.01 <= now[0] < 0.0121
