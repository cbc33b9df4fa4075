"""Locks, semaphores and queues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.defer import (
    CancelledError,
    Deferred,
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    QueueOverflow,
    QueueUnderflow,
    ensureDeferred,
)


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


class TestLock:
    def test_one_at_a_time_in_the_order_of_asking(self):
        lock = DeferredLock()
        assert not lock.locked
        first, second, third = (results_of(lock.acquire()) for _ in range(3))
        assert (first, second, third, lock.locked) == ([lock], [], [], True)
        lock.release()
        assert (second, third, lock.locked) == ([lock], [], True)
        lock.release()
        lock.release()
        assert (third, lock.locked) == ([lock], False)

    def test_released_by_one_who_does_not_hold_it(self):
        with pytest.raises(RuntimeError, match="unlocked"):
            DeferredLock().release()

    def test_giving_up_the_place(self):
        lock = DeferredLock()
        lock.acquire()
        gives_up = lock.acquire()
        stays = results_of(lock.acquire())
        gives_up.cancel()
        assert isinstance(results_of(gives_up)[0], CancelledError)
        lock.release()
        assert stays == [lock]

    def test_cancelling_what_one_has(self):
        lock = DeferredLock()
        acquired = lock.acquire()
        acquired.cancel()
        assert results_of(acquired) == [lock]

    def test_run(self):
        lock, inner = DeferredLock(), Deferred()
        result = results_of(
            lock.run(lambda *args, **kwargs: inner.addCallback(lambda last: (args, kwargs, last)), 1, key=2)
        )
        assert lock.locked
        inner.callback(3)
        assert result == [((1,), {"key": 2}, 3)]
        assert not lock.locked

    def test_run_a_coroutine(self):
        async def main():
            return lock.locked

        lock = DeferredLock()
        assert results_of(lock.run(main)) == [True]
        assert not lock.locked

    def test_run_something_that_fails(self):
        def raises():
            raise KeyError

        lock = DeferredLock()
        assert isinstance(results_of(lock.run(raises))[0], KeyError)
        assert not lock.locked

    def test_run_nothing(self):
        with pytest.raises(TypeError):
            DeferredLock().run()

    def test_async_with(self):
        async def main():
            async with lock as entered:
                seen.append((entered, lock.locked))
                await inner
                raise KeyError

        lock, inner, seen = DeferredLock(), Deferred(), []
        result = results_of(ensureDeferred(main()))
        assert seen == [(lock, True)]
        inner.callback(None)
        assert isinstance(result[0], KeyError)
        assert not lock.locked


class TestSemaphore:
    @given(st.integers(1, 5), st.integers(0, 12))
    def test_as_many_as_there_are_tokens(self, tokens, asking):
        semaphore = DeferredSemaphore(tokens)
        asked = [results_of(semaphore.acquire()) for _ in range(asking)]
        for released in range(asking + 1):
            assert [len(one) for one in asked] == [int(place < tokens + released) for place in range(asking)]
            assert semaphore.tokens == max(0, tokens - (asking - released))
            if released < asking:
                semaphore.release()
        assert semaphore.limit == tokens

    @pytest.mark.parametrize("tokens", [0, -1])
    def test_none(self, tokens):
        with pytest.raises(ValueError, match=f"tokens >= 1, not {tokens}"):
            DeferredSemaphore(tokens)

    def test_released_too_often(self):
        with pytest.raises(RuntimeError, match="more often"):
            DeferredSemaphore(1).release()

    def test_giving_up_the_place(self):
        semaphore = DeferredSemaphore(1)
        semaphore.acquire()
        gives_up = semaphore.acquire()
        gives_up.cancel()
        semaphore.release()
        assert semaphore.tokens == 1
        assert isinstance(results_of(gives_up)[0], CancelledError)

    def test_run(self):
        semaphore, inner = DeferredSemaphore(2), Deferred()
        result = results_of(semaphore.run(lambda: inner))
        assert semaphore.tokens == 1
        inner.callback("done")
        assert (result, semaphore.tokens) == (["done"], 2)


class TestQueue:
    @given(st.lists(st.sampled_from(["put", "get"]), max_size=30))
    def test_each_gets_what_was_put_in_that_order(self, steps):
        queue, put, gets = DeferredQueue(), 0, []
        for step in steps:
            if step == "put":
                queue.put(put)
                put += 1
            else:
                gets.append(results_of(queue.get()))
        got = min(put, len(gets))
        assert gets == [[number] for number in range(got)] + [[]] * (len(gets) - got)

    def test_too_many_objects(self):
        queue = DeferredQueue(size=1)
        queue.put(1)
        with pytest.raises(QueueOverflow, match="1 objects"):
            queue.put(2)
        assert results_of(queue.get()) == [1]
        queue.put(3)

    def test_too_many_callers(self):
        queue = DeferredQueue(backlog=1)
        waiting = results_of(queue.get())
        with pytest.raises(QueueUnderflow, match="1 callers"):
            queue.get()
        queue.put(1)
        assert waiting == [1]

    def test_nothing_may_wait(self):
        queue = DeferredQueue(size=0, backlog=0)
        with pytest.raises(QueueOverflow):
            queue.put(1)
        with pytest.raises(QueueUnderflow):
            queue.get()

    def test_one_who_gave_up(self):
        queue = DeferredQueue()
        gives_up = queue.get()
        gives_up.cancel()
        queue.put(1)
        assert isinstance(results_of(gives_up)[0], CancelledError)
        assert results_of(queue.get()) == [1]
