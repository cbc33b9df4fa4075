"""A lock in the file system that is waited for."""

import pytest

from torsion.internet import _current
from torsion.internet.defer import AlreadyTryingToLockError, CancelledError, DeferredFilesystemLock, TimeoutError
from torsion.internet.task import Clock
from torsion.python.lockfile import FilesystemLock


def results_of(deferred):
    """A list that gets the result, or the exception, that *deferred* comes to."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lock(tmp_path, clock):
    return DeferredFilesystemLock(str(tmp_path / "lock"), scheduler=clock)


@pytest.fixture
def holder(lock):
    holder = FilesystemLock(lock.name)
    assert holder.lock()
    return holder


def test_free(lock, clock):
    assert results_of(lock.deferUntilLocked(timeout=1)) == [None]
    assert lock.locked
    assert clock.getDelayedCalls() == []


def test_held_for_a_while(lock, clock, holder):
    result = results_of(lock.deferUntilLocked(timeout=10))
    clock.advance(1)
    holder.unlock()
    assert result == []
    clock.advance(1)
    assert result == [None]
    assert clock.getDelayedCalls() == []


def test_held_for_too_long(lock, clock, holder):
    result = results_of(lock.deferUntilLocked(timeout=5.5))
    clock.pump([1] * 5)
    assert result == []
    clock.advance(0.5)
    assert isinstance(result[0], TimeoutError)
    assert lock.name in str(result[0])
    assert clock.getDelayedCalls() == []


def test_as_long_as_it_takes(lock, clock, holder):
    result = results_of(lock.deferUntilLocked())
    clock.pump([1] * 1000)
    assert result == []
    holder.unlock()
    clock.advance(1)
    assert result == [None]


def test_one_wait_at_a_time(lock, clock, holder):
    first = results_of(lock.deferUntilLocked())
    assert isinstance(results_of(lock.deferUntilLocked())[0], AlreadyTryingToLockError)
    holder.unlock()
    clock.advance(1)
    assert first == [None]


def test_again(lock, clock, holder):
    deferred = lock.deferUntilLocked()
    deferred.addCallback(lambda _: lock.unlock())
    deferred.addCallback(lambda _: lock.deferUntilLocked())
    holder.unlock()
    clock.advance(1)
    assert results_of(deferred) == [None]
    assert lock.locked


def test_cancelled(lock, clock, holder):
    deferred = lock.deferUntilLocked(timeout=3)
    deferred.cancel()
    assert isinstance(results_of(deferred)[0], CancelledError)
    assert clock.getDelayedCalls() == []
    holder.unlock()
    assert results_of(lock.deferUntilLocked()) == [None]


def test_a_place_where_there_can_be_no_lock(tmp_path, clock):
    lock = DeferredFilesystemLock(str(tmp_path / "nowhere" / "lock"), scheduler=clock)
    assert isinstance(results_of(lock.deferUntilLocked(timeout=1))[0], OSError)
    assert clock.getDelayedCalls() == []


def test_the_current_reactor_unless_one_is_given(tmp_path, clock):
    holder = FilesystemLock(str(tmp_path / "lock"))
    holder.lock()
    lock = DeferredFilesystemLock(holder.name)
    _current.enter(clock)
    try:
        result = results_of(lock.deferUntilLocked())
    finally:
        _current.leave(clock)
    holder.unlock()
    clock.advance(1)
    assert result == [None]
