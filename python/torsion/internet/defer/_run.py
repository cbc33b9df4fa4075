"""Runs callbacks: the loop at the heart of every Deferred.

It does not recurse for Deferreds that wait for one another, however many do: when a result is handed over to another
Deferred, the loop goes on with that one, and comes back when it is done.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

from torsion.python.failure import Failure

from ._debug import warn_circular
from ._kinds import DEFERRED_TYPES, FAILED, INTERRUPTED, PAUSE, PLAIN, RUNNING, UNFIRED, failure_here, is_failure

if TYPE_CHECKING:
    from ._deferred import Deferred

__all__ = ["forward", "ready", "run"]


def run(deferred: Deferred[Any]) -> None:
    """Run the callbacks of *deferred*, which has a result and no pause, and of those that get their results by that."""
    interrupted: list[Deferred[Any]] | None = None
    while True:
        hold = deferred._hold
        failed = blamed = hold & FAILED
        deferred._hold = hold & ~(FAILED | INTERRUPTED) | RUNNING
        chain = deferred._chain
        result = deferred.result
        following = None
        steps = iter(chain)  # which also sees what callbacks add
        for callback, errback, args, keywords in steps:
            if failed:
                callback = errback  # noqa: PLW2901  # a second variable would cost each step its assignment
            if callback is None:
                continue
            try:
                if args is None:
                    deferred.result = result = callback(result)
                elif isinstance(args, tuple):
                    if keywords:
                        deferred.result = result = callback(result, *args, **keywords)
                    else:
                        deferred.result = result = callback(result, *args)
                else:
                    following = args(callback, result)
                    if following is not None:
                        break
                    deferred.result = result = None
                if result is deferred:
                    warn_circular(callback)
            except BaseException:  # noqa: BLE001  # it becomes the result, as Twisted documents
                deferred.result = result = failure_here(deferred.debug)
            kind = type(result)
            if kind in PLAIN:
                failed = 0
            elif kind not in DEFERRED_TYPES:
                failed = FAILED if isinstance(result, Failure) else 0
            elif _take(deferred, result):
                result = deferred.result
                failed = FAILED if is_failure(result) else 0
            else:
                failed = 0
                break
        else:
            deferred._chain = []  # and the old one goes later: what ends with it may add callbacks
        if deferred._chain:
            del chain[: len(chain) - length_hint(steps)]
        if following is not None:
            if interrupted is None:
                interrupted = []
            interrupted.append(deferred)
            if args is _go_on:
                _leave(deferred)
                if chain:
                    deferred._hold += INTERRUPTED
            deferred = following
            continue
        deferred._hold += failed - RUNNING
        if failed:
            deferred._blame(result)
        elif blamed:
            deferred._absolve()
        while interrupted:
            deferred = interrupted.pop()
            if deferred._hold & RUNNING:
                _leave(deferred)  # and go on also where it was paused since, as with any step
            elif deferred._hold >= UNFIRED:
                continue
            if deferred._chain:
                break
        else:
            return


def _leave(deferred: Deferred[Any]) -> None:
    """Take the result, which was handed over, from *deferred*.

    When that is done decides what callbacks of the other Deferred see that use this one; it is as they would see it if
    the loop did recurse: at once for a Deferred that has waited for this one, which is then no part of its callbacks'
    running, and afterwards for those that a callback (such as ``other.callback``) might have fired.
    """
    deferred._hold -= RUNNING
    deferred.result = None
    deferred._absolve()


def _take(waiter: Deferred[Any], source: Deferred[Any]) -> bool:
    """Move the result of *source*, which a callback of *waiter* returned, to *waiter*; if there is none yet, wait for it.

    :returns: whether there was one.
    """
    if not source._hold & ~(RUNNING | FAILED | INTERRUPTED):
        result = source.result
        if type(result) not in DEFERRED_TYPES:
            waiter.result = result
            source.result = None
            if source._hold & FAILED:
                source._hold -= FAILED
                source._absolve()
            return True
        if source._hold < INTERRUPTED:
            # Fired with a Deferred, which callback() should not be given.  It is handed on when callbacks run next.
            source._chain = []
            source._hold += INTERRUPTED
    waiter._hold += PAUSE
    waiter._chainedTo = source
    source._chain.append((waiter, waiter, _go_on, None))
    return False


def _go_on(waiter: Deferred[Any], result: Any) -> Deferred[Any] | None:
    """Give *waiter* the result that it waited for."""
    waiter._hold -= PAUSE
    if is_failure(result):
        waiter._hold += FAILED
    waiter._chainedTo = None
    waiter.result = result
    return ready(waiter)


def ready(deferred: Deferred[Any]) -> Deferred[Any] | None:
    """Return *deferred*, which has just got a result, if it has callbacks to run now."""
    if deferred._hold < UNFIRED:
        if deferred._chain:
            return deferred
        if deferred._hold:
            deferred._blame(deferred.result)
    return None


def forward(target: Deferred[Any], result: Any) -> Deferred[Any] | None:
    """Fire *target* with the result of the Deferred that it is chained to."""
    target._chainedTo = None
    return target._accept(result)
