"""A Deferred's dealings with clocks, and with asyncio's futures: by their methods, without importing asyncio."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from torsion.python.failure import Failure

from ._errors import CancelledError, TimeoutError
from ._kinds import GO_ON

if TYPE_CHECKING:
    from torsion.internet.interfaces import IReactorTime

    from ._deferred import Deferred

__all__ = ["Future", "FutureLoop", "add_timeout", "from_future", "to_future"]

_T = TypeVar("_T")


class Future(Protocol[_T]):
    """What is used of an ``asyncio.Future``."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Have *fn* called with the future when it is done."""

    def cancel(self) -> bool:
        """Cancel it."""

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""

    def done(self) -> bool:
        """Tell whether it has a result, an exception, or was cancelled."""

    def result(self) -> _T:
        """Return its result or raise its exception."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Finish it with an exception."""

    def set_result(self, result: _T, /) -> None:
        """Finish it with a result."""

    def __await__(self) -> Generator[Any, None, _T]:
        """Wait for it."""


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


def to_future(deferred: Deferred[_T], loop: FutureLoop) -> Future[_T]:
    """Do what :meth:`Deferred.asFuture` says."""
    future: Future[_T] = loop.create_future()

    def cancelled(_: Future[_T]) -> None:
        if future.cancelled():
            deferred.cancel()

    def succeeded(result: _T) -> None:
        if not future.done():
            future.set_result(result)

    def failed(failure: Failure) -> None:
        if not future.done():
            future.set_exception(failure.value)

    future.add_done_callback(cancelled)
    deferred.addCallbacks(succeeded, failed)
    return future


def from_future(kind: type[Deferred[Any]], future: Future[_T]) -> Deferred[_T]:
    """Do what :meth:`Deferred.fromFuture` says; *kind* is what to make."""

    def cancel(_: Deferred[Any]) -> Any:
        future.cancel()
        return GO_ON

    def done(_: Future[_T]) -> None:
        try:
            result = future.result()
        except BaseException:  # noqa: BLE001  # it becomes the result; asyncio's cancellation is one
            deferred.errback(Failure())
        else:
            deferred.callback(result)

    deferred = kind(cancel)
    future.add_done_callback(done)
    return deferred
