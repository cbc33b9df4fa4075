"""Long computations in small steps, so that the reactor gets its turns in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, Generic, TypeVar

from torsion.internet import _current
from torsion.internet.defer import Deferred
from torsion.python.failure import Failure

__all__ = [
    "CooperativeTask",
    "Cooperator",
    "NotPaused",
    "SchedulerError",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
]

_ItemT = TypeVar("_ItemT")

_SLICE = 0.01
"""Seconds that the default termination predicate lets a turn last: unnoticed by people, long beside a step."""


class SchedulerError(Exception):
    """A task cannot do what it was asked to."""


class SchedulerStopped(SchedulerError):
    """The :class:`Cooperator` of the task was stopped."""


class TaskFinished(SchedulerError):
    """The task has come to its end; which one, the subclasses say."""


class TaskDone(TaskFinished):
    """The iterator of the task has no more items."""


class TaskStopped(TaskFinished):
    """The task was stopped by :meth:`CooperativeTask.stop`."""


class TaskFailed(TaskFinished):
    """The iterator of the task, or a Deferred that it gave, has failed."""


class NotPaused(SchedulerError):
    """The task was resumed more often than it was paused."""


class CooperativeTask(Generic[_ItemT]):
    """An iterator that a :class:`Cooperator` goes through; made by :meth:`Cooperator.cooperate`.

    :param iterator: the iterator.
    :param cooperator: who goes through it.
    """

    def __init__(self, iterator: Iterator[_ItemT], cooperator: Cooperator) -> None:
        self._iterator = iterator
        self._cooperator = cooperator
        self._deferreds: list[Deferred[Iterator[_ItemT]]] = []
        self._pauseCount = 0
        self._end: type[SchedulerError] | None = None
        self._result: Any = None
        cooperator._add(self)

    def whenDone(self) -> Deferred[Iterator[_ItemT]]:
        """Return a new Deferred that fires with the iterator when it has no more items.

        It fails with what the iterator raised, with the failure of a Deferred that it gave, with :class:`TaskStopped`,
        or with :class:`SchedulerStopped`.
        """
        deferred: Deferred[Iterator[_ItemT]] = Deferred()
        if self._end is None:
            self._deferreds.append(deferred)
        else:
            deferred.callback(self._result)
        return deferred

    def pause(self) -> None:
        """Take no more items until :meth:`resume` was called as often.

        :raises TaskFinished: if the task has come to its end: the subclass that says how.
        """
        self._check_unfinished()
        self._pauseCount += 1
        if self._pauseCount == 1:
            self._cooperator._remove(self)

    def resume(self) -> None:
        """Take back one :meth:`pause`.

        :raises NotPaused: if it is not paused.
        """
        if not self._pauseCount:
            raise NotPaused("the task is not paused: call pause() once for each resume()")
        self._pauseCount -= 1
        if not self._pauseCount and self._end is None:
            self._cooperator._add(self)

    def stop(self) -> None:
        """Take no more items at all.

        :raises TaskFinished: if the task has come to its end: the subclass that says how.
        """
        self._check_unfinished()
        self._finish(TaskStopped, Failure(TaskStopped()))

    def _check_unfinished(self) -> None:
        if self._end is not None:
            raise self._end

    def _finish(self, end: type[SchedulerError], result: Any) -> None:
        self._end = end
        self._result = result
        if not self._pauseCount:
            self._cooperator._remove(self)
        # Each has its own callbacks; none may see what those of another have made of the result.
        deferreds, self._deferreds = self._deferreds, []
        for deferred in deferreds:
            deferred.callback(result)

    def _step(self) -> None:
        try:
            item = next(self._iterator)
        except StopIteration:
            self._finish(TaskDone, self._iterator)
        except BaseException:  # noqa: BLE001  # it becomes the result
            self._finish(TaskFailed, Failure())
        else:
            if isinstance(item, Deferred):
                self.pause()
                item.addCallbacks(self._item_came, self._item_failed)

    def _item_came(self, _: object) -> None:
        self.resume()

    def _item_failed(self, failure: Failure) -> Failure | None:
        if self._end is not None:
            return failure  # nobody waits for the task any more: it is that Deferred's own, to be handled or reported
        self._finish(TaskFailed, failure)
        return None


def _time_slice() -> Callable[[], bool]:
    end = monotonic() + _SLICE
    return lambda: monotonic() >= end


def _next_turn(call: Callable[[], None]) -> Any:
    return _current.current_reactor().callLater(0, call)


class Cooperator:
    """Goes through several iterators at a time, an item of each in turn, for a short while in each turn of the reactor.

    An iterator that gives a Deferred is left alone until that has fired.

    :param terminationPredicateFactory: called at the begin of each turn; what it returns is called after each item and
        returns true to end the turn.  The default gives a turn a hundredth of a second.
    :param scheduler: called with a function that it shall call in another turn; returns an object with a ``cancel``
        method.  The default asks the current reactor.
    :param started: false to wait for :meth:`start`.
    """

    def __init__(
        self,
        terminationPredicateFactory: Callable[[], Callable[[], bool]] = _time_slice,
        scheduler: Callable[[Callable[[], None]], Any] = _next_turn,
        started: bool = True,
    ) -> None:
        self._terminationPredicateFactory = terminationPredicateFactory
        self._scheduler = scheduler
        self._started = started
        self._stopped = False
        self._tasks: list[CooperativeTask[Any]] = []
        self._round: Iterator[CooperativeTask[Any]] = iter(())  # those of a begun round whose turn is still to come
        self._delayedCall: Any = None

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._started and not self._stopped

    def coiterate(
        self, iterator: Iterator[_ItemT], doneDeferred: Deferred[Iterator[_ItemT]] | None = None
    ) -> Deferred[Iterator[_ItemT]]:
        """Go through *iterator*.

        :param iterator: the iterator.
        :param doneDeferred: a Deferred to use instead of a new one.
        :returns: the Deferred; see :meth:`CooperativeTask.whenDone`.
        """
        if doneDeferred is None:
            doneDeferred = Deferred()
        self.cooperate(iterator).whenDone().chainDeferred(doneDeferred)
        return doneDeferred

    def cooperate(self, iterator: Iterator[_ItemT]) -> CooperativeTask[_ItemT]:
        """Go through *iterator*.

        :param iterator: the iterator.
        :returns: a handle to pause and stop it, and to wait for its end.
        """
        return CooperativeTask(iterator, self)

    def start(self) -> None:
        """Begin, or begin again after :meth:`stop`."""
        self._stopped = False
        self._started = True
        self._schedule()

    def stop(self) -> None:
        """End all tasks, with :class:`SchedulerStopped`; those that are added later end at once."""
        self._stopped = True
        for task in list(self._tasks):
            task._finish(SchedulerStopped, Failure(SchedulerStopped()))
        self._schedule()

    def _add(self, task: CooperativeTask[Any]) -> None:
        self._tasks.append(task)
        if self._stopped:
            task._finish(SchedulerStopped, Failure(SchedulerStopped()))
        else:
            self._schedule()

    def _remove(self, task: CooperativeTask[Any]) -> None:
        self._tasks.remove(task)
        self._schedule()

    def _schedule(self) -> None:
        """Have :meth:`_tick` called if there is something to do, and only then."""
        if self._tasks and self.running:
            if self._delayedCall is None:
                self._delayedCall = self._scheduler(self._tick)
        elif self._delayedCall is not None:
            self._delayedCall.cancel()
            self._delayedCall = None

    def _tick(self) -> None:
        self._delayedCall = None
        over = self._terminationPredicateFactory()
        while self._tasks and self.running:
            for task in self._round:
                if task._end is None and not task._pauseCount:
                    task._step()
                    if over():
                        return self._schedule()
            self._round = iter(list(self._tasks))
        return None


_theCooperator = Cooperator()


def coiterate(iterator: Iterator[_ItemT]) -> Deferred[Iterator[_ItemT]]:
    """Go through *iterator* in the background; see :meth:`Cooperator.coiterate`."""
    return _theCooperator.coiterate(iterator)


def cooperate(iterator: Iterator[_ItemT]) -> CooperativeTask[_ItemT]:
    """Go through *iterator* in the background; see :meth:`Cooperator.cooperate`."""
    return _theCooperator.cooperate(iterator)
