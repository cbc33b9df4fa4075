"""Locks, semaphores and queues that are waited for with Deferreds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Literal, ParamSpec, Self, TypeVar, overload

from ._errors import QueueOverflow, QueueUnderflow
from ._make import maybeDeferred
from ._twins import Deferred, succeed

__all__ = ["DeferredLock", "DeferredQueue", "DeferredSemaphore"]

_T = TypeVar("_T")
_P = ParamSpec("_P")


class _ConcurrencyPrimitive(ABC):
    """What a lock and a semaphore have in common: those who wait, ``run`` and ``async with``."""

    def __init__(self) -> None:
        self.waiting: deque[Deferred[Any]] = deque()

    @abstractmethod
    def acquire(self) -> Deferred[Self]:
        """Return a Deferred that fires when it is the caller's."""

    @abstractmethod
    def release(self) -> None:
        """Give it back."""

    def _wait(self) -> Deferred[Self]:
        deferred: Deferred[Self] = Deferred(self.waiting.remove)
        self.waiting.append(deferred)
        return deferred

    @overload
    def run(self, f: Callable[_P, Deferred[_T]], /, *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...
    @overload
    def run(
        self, f: Callable[_P, Coroutine[Deferred[Any], Any, _T]], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Deferred[_T]: ...
    @overload
    def run(self, f: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...
    def run(self, f: Callable[_P, Any], /, *args: _P.args, **kwargs: _P.kwargs) -> Deferred[Any]:
        """Acquire, call *f*, and release when its result is there.

        :param f: called with the arguments; it may return a Deferred or a coroutine.
        :returns: a Deferred of its result.
        """

        def release(result: _T) -> _T:
            self.release()
            return result

        def acquired(_: object) -> Deferred[Any]:
            return maybeDeferred(f, *args, **kwargs).addBoth(release)

        return self.acquire().addCallback(acquired)

    async def __aenter__(self) -> Self:
        """Acquire; the value is the primitive itself."""
        return await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        """Release; an exception passes."""
        self.release()
        return False


class DeferredLock(_ConcurrencyPrimitive):
    """A lock that one holder has at a time; the others get it in the order in which they asked.

    :ivar locked: whether somebody holds it.
    """

    locked = False

    def acquire(self) -> Deferred[Self]:
        """Return a Deferred that fires with this lock when it is the caller's.

        Cancelling it before gives up the place in the queue.
        """
        if self.locked:
            return self._wait()
        self.locked = True
        return succeed(self)

    def release(self) -> None:
        """Give the lock to the next who waits, if somebody does.

        :raises RuntimeError: if nobody holds it.
        """
        if not self.locked:
            raise RuntimeError("Tried to release an unlocked lock: call acquire() first and release() once for it")
        if self.waiting:
            self.waiting.popleft().callback(self)
        else:
            self.locked = False


class DeferredSemaphore(_ConcurrencyPrimitive):
    """A lock that a number of holders may have at a time; the others get it in the order in which they asked.

    :param tokens: the number of holders.
    :raises ValueError: if it is less than one.

    :ivar tokens: how many could still acquire it without waiting.
    :ivar limit: the number of holders.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        if tokens < 1:
            raise ValueError(f"DeferredSemaphore requires tokens >= 1, not {tokens!r}")
        self.tokens = tokens
        self.limit = tokens

    def acquire(self) -> Deferred[Self]:
        """Return a Deferred that fires with this semaphore when the caller has a token.

        Cancelling it before gives up the place in the queue.
        """
        if not self.tokens:
            return self._wait()
        self.tokens -= 1
        return succeed(self)

    def release(self) -> None:
        """Give a token to the next who waits, if somebody does.

        :raises RuntimeError: if all tokens are here.
        """
        if self.tokens == self.limit:
            raise RuntimeError("Released more often than acquired: call acquire() first and release() once for it")
        if self.waiting:
            self.waiting.popleft().callback(self)
        else:
            self.tokens += 1


class DeferredQueue(Generic[_T]):
    """Objects that come in one by one, for callers who fetch them one by one; either may wait for the other.

    :param size: how many objects may wait to be fetched; None for any number.
    :param backlog: how many callers may wait for an object; None for any number.
    """

    def __init__(self, size: int | None = None, backlog: int | None = None) -> None:
        self.waiting: deque[Deferred[_T]] = deque()
        self.pending: deque[_T] = deque()
        self.size = size
        self.backlog = backlog

    def put(self, obj: _T) -> None:
        """Hand *obj* to the caller who waits longest, or keep it for the next one.

        :raises QueueOverflow: if nobody waits and as many objects as allowed do.
        """
        if self.waiting:
            self.waiting.popleft().callback(obj)
        elif self.size is None or len(self.pending) < self.size:
            self.pending.append(obj)
        else:
            raise QueueOverflow(f"{len(self.pending)} objects are waiting to be fetched, which is the queue's size")

    def get(self) -> Deferred[_T]:
        """Return a Deferred of the object that waits longest, or of the next one to come.

        Cancelling it before leaves that object to others.

        :raises QueueUnderflow: if there is no object and as many callers as allowed are waiting.
        """
        if self.pending:
            return succeed(self.pending.popleft())
        if self.backlog is not None and len(self.waiting) >= self.backlog:
            raise QueueUnderflow(f"{len(self.waiting)} callers are waiting for an object, which is the queue's backlog")
        deferred: Deferred[_T] = Deferred(self.waiting.remove)
        self.waiting.append(deferred)
        return deferred
