"""A Deferred's dealings with clocks and with asyncio's futures, which it knows by their methods only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from torsion.python.failure import Failure

from ._errors import CancelledError, TimeoutError

if TYPE_CHECKING:
    from torsion.internet.interfaces import IReactorTime

    from ._deferred import Deferred

__all__ = ["Future", "FutureLoop", "add_timeout", "follow_future", "to_future"]


class Future(Protocol):
    """What is used of an ``asyncio.Future``."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Have *fn* called with the future when it is done."""

    def cancel(self) -> bool:
        """Cancel it."""

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""

    def done(self) -> bool:
        """Tell whether it has a result, an exception, or was cancelled."""

    def result(self) -> Any:
        """Return its result or raise its exception."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Finish it with an exception."""

    def set_result(self, result: Any, /) -> None:
        """Finish it with a result."""


class FutureLoop(Protocol):
    """What is used of an asyncio event loop."""

    def create_future(self) -> Any:
        """Return a new future."""


def add_timeout(
    deferred: Deferred[Any],
    timeout: float,
    clock: IReactorTime,
    on_timeout: Callable[[Any, float], Any] | None,
) -> None:
    """Do what :meth:`Deferred.addTimeout` says."""
    timed_out = False

    def time_out() -> None:
        nonlocal timed_out
        timed_out = True
        deferred.cancel()

    def settle(result: Any) -> Any:
        if timed_out:
            return (on_timeout or _cancelled_to_timed_out)(result, timeout)
        if call.active():
            call.cancel()
        return result

    call = clock.callLater(timeout, time_out)
    deferred.addBoth(settle)


def _cancelled_to_timed_out(result: Any, timeout: float) -> Any:
    if isinstance(result, Failure):
        result.trap(CancelledError)
        raise TimeoutError(timeout, "Deferred")
    return result


def to_future(deferred: Deferred[Any], loop: FutureLoop) -> Future:
    """Do what :meth:`Deferred.asFuture` says."""
    future: Future = loop.create_future()

    def cancelled(_: Future) -> None:
        if future.cancelled():
            deferred.cancel()

    def succeeded(result: Any) -> None:
        if not future.done():
            future.set_result(result)

    def failed(failure: Failure) -> None:
        if not future.done():
            future.set_exception(failure.value)

    future.add_done_callback(cancelled)
    deferred.addCallbacks(succeeded, failed)
    return future


def follow_future(deferred: Deferred[Any], future: Future) -> None:
    """Fire *deferred* with what becomes of *future*."""

    def done(_: Future) -> None:
        try:
            result = future.result()
        except BaseException:  # noqa: BLE001  # it becomes the result; asyncio's cancellation is one
            deferred.errback(Failure())
        else:
            deferred.callback(result)

    future.add_done_callback(done)
