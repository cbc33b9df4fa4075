"""Running a reactor until something has happened, and no longer."""

from __future__ import annotations

from typing import Any

from torsion.internet.defer import Deferred, ensureDeferred

__all__ = ["DEFAULT_TIMEOUT", "TestTimeoutError", "wait_for"]

DEFAULT_TIMEOUT = 120.0
"""After how many seconds a test has failed that is still running: Twisted's default."""


class TestTimeoutError(AssertionError):
    """A test did not end in its time."""

    __test__ = False  # pytest would take it for a class of tests


def wait_for(reactor: Any, awaited: Any, timeout: float | None = DEFAULT_TIMEOUT, what: str = "the test") -> Any:
    """Run *reactor* until *awaited* has a result, and return or raise that.

    Ports, connections and calls to come stay as they are when the reactor stops; it may be run again.

    :param awaited: a Deferred or a coroutine; anything else is returned as it is.
    :param timeout: after how many of the reactor's seconds to cancel it; None for never.
    :param what: what to call it in errors.
    :raises TestTimeoutError: if it was cancelled.
    :raises KeyboardInterrupt: if SIGINT stopped the reactor.
    """
    if hasattr(awaited, "send") and hasattr(awaited, "throw"):
        awaited = ensureDeferred(awaited)
    if not isinstance(awaited, Deferred):
        return awaited
    outcome: list[Any] = []
    spinning = late = False

    def finish(result: Any) -> None:
        outcome.append(result)
        if spinning:
            # Not stop(), whose event would end the reactor's ports and threads as well.
            reactor.callLater(0, reactor.crash)

    def give_up() -> None:
        nonlocal late
        late = True
        awaited.cancel()
        if not outcome:
            reactor.crash()

    awaited.addBoth(finish)
    if not outcome:
        guard = None if timeout is None else reactor.callLater(timeout, give_up)
        spinning = True
        reactor.run()
        spinning = False
        if guard is not None and guard.active():
            guard.cancel()
    if late:
        raise TestTimeoutError(f"{what} was still running after {timeout:g} seconds: {awaited!r}")
    if not outcome:
        raise KeyboardInterrupt
    result = outcome[0]
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result
