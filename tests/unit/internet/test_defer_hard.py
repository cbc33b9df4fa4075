"""Deferreds under rough treatment: long rows, circles, hooks that were replaced, callbacks that do anything at all."""

import gc
import pickle
import sys
import threading
import weakref
from contextlib import suppress
from contextvars import ContextVar, copy_context
from itertools import pairwise

import pytest

from torsion.internet import defer
from torsion.internet.defer import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    DeferredList,
    ensureDeferred,
    fail,
    gatherResults,
    inlineCallbacks,
    succeed,
)
from torsion.logger import capturedLogs
from torsion.python.failure import Failure

VERY_MANY = 100_000


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


def very_many():
    return [Deferred() for _ in range(VERY_MANY)]


def waiting(row):
    for one, following in pairwise(row):
        one.addCallback(lambda _, following=following: following)
    for one in row[:-1]:
        one.callback(None)


def chained(row):
    for one, following in pairwise(row):
        one.chainDeferred(following)


def nested(row):
    for one, following in pairwise(row):
        following.callback(one)


async def awaits(deferred):
    return await deferred


class TestVeryMany:
    """No row of Deferreds is so long that its end, of either kind, takes the stack."""

    def test_that_wait_fire(self):
        row = very_many()
        waiting(row)
        seen = results_of(row[0])
        row[-1].callback("end")
        assert seen == ["end"]

    def test_that_are_chained_fire(self):
        row = very_many()
        chained(row)
        row[0].callback("end")
        assert row[-1].result == "end"

    @pytest.mark.parametrize("arrange", [waiting, chained, nested])
    @pytest.mark.parametrize("end", [0, -1])
    def test_are_forgotten(self, arrange, end):
        row = very_many()
        arrange(row)
        gone = weakref.ref(row[end])
        last = row[end]
        del row
        del last
        gc.collect()
        assert gone() is None

    def test_coroutines_are_forgotten(self):
        first = last = Deferred()
        with suppress(RecursionError):
            for _ in range(VERY_MANY // 4):
                last = ensureDeferred(awaits(last))
        gone = weakref.ref(last)
        del first, last
        gc.collect()
        assert gone() is None

    def test_that_fire_one_another_by_their_methods(self):
        """These do recurse; the interpreter's limit ends it in good order."""
        row = [Deferred() for _ in range(5000)]
        for one, following in pairwise(row):
            one.addCallbacks(following.callback, following.errback)
        row[0].callback("end")
        errors = [one.result for one in row if one.called and isinstance(one.result, Failure)]
        assert {error.type for error in errors} == {RecursionError}
        for one in row:
            one.addErrback(lambda _: None)


class TestCircles:
    def test_of_two_wait_for_ever_and_can_be_cancelled(self):
        one, other = Deferred(), Deferred()
        one.addCallback(lambda _: other)
        other.addCallback(lambda _: one)
        one.callback(None)
        other.callback(None)
        assert (one.paused, other.paused) == (1, 1)
        one.cancel()
        other.cancel()
        assert "waiting on" in repr(one)

    def test_are_collected(self):
        def make():
            one, other = Deferred(), Deferred()
            one.addCallback(lambda _: other)
            other.addCallback(lambda _: one)
            one.callback(None)
            other.callback(None)
            return weakref.ref(one)

        gone = make()
        gc.collect()
        assert gone() is None

    @pytest.mark.parametrize(
        "tie",
        [
            lambda deferred: deferred.addCallback(lambda _: deferred),
            lambda deferred: deferred.addCallback(len, deferred),
            lambda deferred: deferred.addCallback(dict, key=deferred),
            lambda deferred: deferred.addCallbacks(len, repr, (deferred,), None, (1,), {"key": deferred}),
            lambda deferred: deferred.addErrback(deferred.callback),
            lambda deferred: deferred.callback([deferred]),
            lambda deferred: deferred.errback(ValueError(deferred)),
            lambda deferred: setattr(deferred, "mine", deferred),
            lambda deferred: deferred.chainDeferred(deferred),
            lambda deferred: setattr(ensureDeferred(awaits(deferred)), "mine", deferred),
            lambda deferred: DeferredList([deferred]).addCallback(len, deferred),
        ],
    )
    def test_through_anything_are_collected(self, tie):
        def make():
            deferred = Deferred()
            deferred.addErrback(lambda failure: None)
            tie(deferred)
            return weakref.ref(deferred)

        gone = make()
        gc.collect()
        assert gone() is None

    def test_through_a_canceller_are_collected(self):
        class Work:
            def __init__(self):
                self.deferred = Deferred(self.stop)

            def stop(self, _):
                pass

        gone = weakref.ref(Work().deferred)
        gc.collect()
        assert gone() is None


class TestAnyCallback:
    def test_that_drops_the_last_reference(self):
        holder = [Deferred()]
        gone = weakref.ref(holder[0])
        holder[0].addCallback(lambda _: holder.clear()).addCallback(lambda _: seen.append(1))
        seen = []
        fire = holder[0].callback
        fire(None)
        del fire
        assert seen == [1]
        assert gone() is None

    def test_that_cancels_it(self):
        deferred = Deferred()
        deferred.addCallback(lambda result: deferred.cancel() or result)
        deferred.callback(1)
        assert results_of(deferred) == [1]

    def test_that_fires_it_again(self):
        deferred = Deferred()
        deferred.addCallback(deferred.callback)
        deferred.callback(1)
        assert isinstance(results_of(deferred)[0], AlreadyCalledError)

    def test_that_collects_garbage(self):
        deferred = Deferred()
        for _ in range(10):
            deferred.addCallback(lambda result: (gc.collect(), result)[1])
            deferred.addCallback(lambda result, key: 1, key=object())
        deferred.callback(1)
        assert results_of(deferred) == [1]

    def test_that_takes_the_result_away(self):
        deferred = Deferred()

        def callback(result):
            del deferred.result
            return "new"

        deferred.addCallback(callback)
        deferred.callback("old")
        assert results_of(deferred) == ["new"]

    def test_whose_end_uses_the_deferred(self):
        seen = []

        class Callback:
            def __call__(self, result):
                return result

            def __del__(self):
                deferred.addCallback(seen.append)

        deferred = Deferred()
        deferred.addCallback(Callback()).addCallback(lambda _: "second")
        deferred.callback("first")
        gc.collect()
        assert seen == ["second"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration])
    def test_that_raises_what_is_seldom_raised(self, error):
        def raises(*_):
            raise error

        assert type(results_of(succeed(None).addCallback(raises))[0]) is error
        deferred = Deferred(raises)
        with pytest.raises(error):
            deferred.cancel()
        assert not deferred.called

    def test_that_is_none_of_any_kind(self):
        assert isinstance(results_of(succeed(1).addCallback(3))[0], TypeError)

    def test_added_without_one(self):
        for add in (Deferred().addCallback, Deferred().addErrback, Deferred().addBoth):
            with pytest.raises(TypeError, match="required positional argument"):
                add()

    def test_added_by_name(self):
        seen = []
        deferred = Deferred()
        deferred.addCallback(callback=seen.append).addErrback(errback=seen.append).addBoth(callback=len)
        deferred.callback(result="text")
        assert seen == ["text"]
        with pytest.raises(TypeError, match="multiple values"):
            deferred.addCallback(len, callback=len)

    def test_with_many_arguments(self):
        def callback(*args, **kwargs):
            return args, kwargs

        for count in range(12):
            numbers = tuple(range(count))
            expected = [((0, *numbers), {})]
            assert results_of(succeed(0).addCallback(callback, *numbers)) == expected
            assert results_of(succeed(0).addCallback(callback, *numbers, key=1)) == [((0, *numbers), {"key": 1})]
            assert results_of(succeed(0).addCallbacks(callback, len, list(numbers), None, (1,))) == expected

    def test_in_the_context_of_whoever_fires(self):
        variable = ContextVar("variable", default="fires")
        deferred, seen = Deferred(), []
        copy_context().run(lambda: variable.set("adds") and deferred.addCallback(lambda _: seen.append(variable.get())))
        deferred.callback(None)
        assert seen == ["fires"]

    def test_in_another_thread(self):
        deferred = Deferred()
        seen = results_of(deferred)
        thread = threading.Thread(target=deferred.callback, args=[1])
        thread.start()
        thread.join()
        assert seen == [1]


class TestHooks:
    """Documented methods may be replaced, in a subclass, in the class, and in one object."""

    def test_of_a_subclass(self):
        seen = []

        class Noting(Deferred):
            def callback(self, result):
                seen.append(result)
                super().callback(result)

            def errback(self, fail=None):
                seen.append("errback")
                super().errback(fail)

            def cancel(self):
                seen.append("cancel")
                super().cancel()

        deferred = Noting()
        deferred.addErrback(lambda _: None)
        outer = succeed(None).addCallback(lambda _: deferred)
        outer.cancel()
        assert seen[:2] == ["cancel", "errback"]
        assert isinstance(seen[2], Failure)
        source = Deferred()
        source.chainDeferred(Noting())
        source.callback("chained")
        assert seen[3:] == ["chained"]

    def test_of_the_class(self, monkeypatch):
        seen = []
        original = Deferred.callback
        monkeypatch.setattr(Deferred, "callback", lambda self, result: seen.append(result) or original(self, result))
        Deferred().callback(1)
        source = Deferred()
        source.chainDeferred(Deferred())
        source.callback(2)
        failed = Deferred()
        failed.errback(ValueError())
        failed.addErrback(lambda _: None)
        assert seen[:3] == [1, 2, 2]
        assert isinstance(seen[3], Failure)
        monkeypatch.undo()
        Deferred().callback(4)
        assert len(seen) == 4

    def test_of_one_object(self):
        seen = []
        source, target = Deferred(), Deferred()
        target.callback = seen.append
        source.chainDeferred(target)
        source.callback(1)
        assert seen == [1]
        target.errback(ValueError())
        assert isinstance(seen[1], Failure)

    def test_making_one(self, monkeypatch):
        made = []
        original = Deferred.__init__
        monkeypatch.setattr(Deferred, "__init__", lambda self, *args: made.append(args) or original(self, *args))
        Deferred()
        Deferred(len)
        assert made == [(), (len,)]

    def test_a_subclass_with_arguments_of_its_own(self):
        class Named(Deferred):
            def __init__(self, name, *, size):
                super().__init__()
                self.name = name, size

        assert Named("name", size=3).name == ("name", 3)
        assert results_of(Named("name", size=3).addCallback(lambda _: 1)) == []

    def test_a_generic_subclass(self):
        class Mine(Deferred[int]):
            pass

        assert isinstance(Mine(), Deferred)
        assert results_of(Mine().addCallback(len)) == []

    def test_one_that_is_made_without_being_initialized(self):
        deferred = Deferred.__new__(Deferred)
        deferred.__init__()
        seen = results_of(deferred)
        deferred.callback(1)
        assert seen == [1]

    @pytest.mark.parametrize("arguments", [{"canceller": None}, {"canceller": len}])
    def test_making_one_with_names(self, arguments):
        assert not Deferred(**arguments).called
        with pytest.raises(TypeError):
            Deferred(None, None)
        with pytest.raises(TypeError):
            Deferred(other=1)


class TestObjects:
    def test_weak_references(self):
        seen = []
        deferred = Deferred()
        watcher = weakref.ref(deferred, seen.append)
        del deferred
        assert seen == [watcher]

    def test_memory_that_is_used_again_holds_nothing(self):
        for _ in range(300):
            deferred = Deferred(len)
            assert deferred.__dict__ == {}
            assert deferred.callbacks == []
            assert not deferred.called
            deferred.mine = 1
            deferred.addCallback(len)

    @pytest.mark.parametrize("turn", range(3))
    def test_nothing_leaks(self, turn):
        def use():
            thing = [Thing() for _ in range(20)]
            succeed(thing[0]).addCallback(lambda result: result)
            deferred = Deferred(thing[1].stop)
            deferred.addCallbacks(len, thing[2].stop, (thing[3],), None, (), {"key": thing[4]})
            deferred.errback(ValueError(thing[5]))
            ensureDeferred(awaits(succeed(thing[6])))
            pending = Deferred()
            ensureDeferred(awaits(pending))
            pending.callback(thing[7])
            gatherResults([succeed(thing[8]), Deferred()])
            results_of(inlineCallbacks(lambda: (yield fail(KeyError(thing[9]))))())
            results_of(ensureDeferred(awaits(fail(KeyError(thing[10])))))
            cancelled = ensureDeferred(awaits(Deferred(thing[11].stop)))
            results_of(cancelled)
            cancelled.cancel()
            succeed(None).addCallback(lambda _: Deferred()).addCallback(len, thing[12])
            return weakref.WeakSet(thing)

        class Thing:
            def stop(self, *_, **__):
                return None

        left = use()
        gc.collect()
        assert list(left) == []

    def test_the_interpreter_can_end_with_any(self):
        import subprocess

        code = """if True:
            import gc
            from torsion.internet.defer import *
            gc.disable()
            async def awaits(d):
                try:
                    await d
                finally:
                    Deferred().addCallback(print).callback("last words")
            pending = Deferred()
            kept = [ensureDeferred(awaits(pending)), fail(ValueError()), Deferred(print), gatherResults([pending])]
            kept.append(kept)
        """
        run = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert "Fatal" not in run.stderr


class TestFailures:
    """What a callback raises becomes a Failure as if Failure had been called."""

    def test_they_are_as_if_made_by_hand(self):
        def raises(_):
            raise ValueError("raised")

        deferred = succeed(None).addCallback(raises)
        made = deferred.result
        expected = Failure(made.value)
        assert (made.args, list(vars(made))) == (expected.args, list(vars(expected)))
        assert (made.type, made.tb) == (expected.type, expected.tb)
        assert expected.count == made.count + 1
        assert pickle.loads(pickle.dumps(made)).getErrorMessage() == "raised"
        deferred.addErrback(lambda _: None)

    def test_of_an_exception_and_of_a_failure(self):
        error = KeyError()
        failure = Failure(error)
        for given, value in [(error, error), (failure, error)]:
            deferred = Deferred()
            deferred.errback(given)
            assert deferred.result.value is value
            deferred.addErrback(lambda _: None)

    def test_of_another_make(self, monkeypatch):
        made = []
        original = Failure.__init__

        def making(self, *args, **kwargs):
            made.append(self)
            original(self, *args, **kwargs)

        monkeypatch.setattr(Failure, "__init__", making)
        deferred = Deferred()
        deferred.errback(ValueError())
        assert made == [deferred.result]
        deferred.addErrback(lambda _: None)


def test_one_whose_result_is_itself_can_be_shown():
    deferred = Deferred()
    deferred.callback(deferred)
    assert repr(deferred) == f"<Deferred at {id(deferred):#x}>"


class TestRace:
    def test_all_of_it_is_let_go(self):
        members = [Deferred() for _ in range(3)]
        winner = defer.race(members)
        members[1].callback("first")
        assert results_of(winner) == [(1, "first")]
        assert [type(results_of(member)[0]) for member in members] == [type(None)] * 3

    def test_a_loser_whose_canceller_raises(self):
        def raises(_):
            raise KeyError("canceller")

        members = [Deferred(raises), Deferred()]
        winner = defer.race(members)
        with capturedLogs() as events:
            members[1].callback("first")
        assert results_of(winner) == [(1, "first")]
        assert [event["log_failure"].type for event in events] == [KeyError]

    def test_of_none_is_never_over(self):
        assert not defer.race([]).called

    def test_cancelled(self):
        members = [Deferred(), Deferred()]
        winner = defer.race(members)
        seen = results_of(winner)
        winner.cancel()
        assert [failure.type for failure in seen[0].failures] == [CancelledError] * 2
