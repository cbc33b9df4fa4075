"""A lock in the file system that is waited for with a Deferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torsion.internet import _current
from torsion.python.lockfile import FilesystemLock

from ._errors import AlreadyTryingToLockError, TimeoutError
from ._make import fail
from ._twins import Deferred

if TYPE_CHECKING:
    from torsion.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["DeferredFilesystemLock"]


class DeferredFilesystemLock(FilesystemLock):
    """A :class:`FilesystemLock` that can be waited for.  It tries once a second.

    :param name: the path of the lock.
    :param scheduler: what calls it again, such as the reactor; None for the current reactor.
    """

    _interval = 1.0  # seconds between attempts
    _waiter: Deferred[None] | None = None
    _tryLockCall: IDelayedCall | None = None
    _timeoutCall: IDelayedCall | None = None

    def __init__(self, name: str, scheduler: IReactorTime | None = None) -> None:
        super().__init__(name)
        self._given_scheduler = scheduler

    @property
    def _scheduler(self) -> IReactorTime:
        if self._given_scheduler is None:
            self._given_scheduler = _current.current_reactor()
        return self._given_scheduler

    def deferUntilLocked(self, timeout: float | None = None) -> Deferred[None]:
        """Return a Deferred that fires with None when the lock was acquired.

        It fails with :class:`TimeoutError` if that took too long, with :class:`AlreadyTryingToLockError` if another
        call of this method is still waiting, and with what :meth:`lock` raises.

        :param timeout: seconds; None for as long as it takes.
        """
        if self._waiter is not None:
            return fail(AlreadyTryingToLockError("deferUntilLocked is already waiting for this lock: await it first"))
        waiter: Deferred[None] = Deferred(self._stop)
        self._waiter = waiter
        if timeout is not None:
            self._timeoutCall = self._scheduler.callLater(timeout, self._timed_out, timeout)
        self._try()
        return waiter

    def _try(self) -> None:
        self._tryLockCall = None
        try:
            locked = self.lock()
        except Exception as error:  # noqa: BLE001  # it becomes the result
            self._stop().errback(error)
            return
        if locked:
            self._stop().callback(None)
        else:
            self._tryLockCall = self._scheduler.callLater(self._interval, self._try)

    def _timed_out(self, timeout: float) -> None:
        self._timeoutCall = None
        self._stop().errback(TimeoutError(f"Timed out acquiring lock: {self.name} after {timeout:f}s"))

    def _stop(self, _: object = None) -> Deferred[None]:
        """Wait no longer; return who did."""
        waiter = self._waiter
        assert waiter is not None
        self._waiter = None
        for call in (self._tryLockCall, self._timeoutCall):
            if call is not None and call.active():
                call.cancel()
        self._tryLockCall = self._timeoutCall = None
        return waiter
