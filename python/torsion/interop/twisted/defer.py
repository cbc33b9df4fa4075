"""Deferreds of torsion's in Twisted's code, and the reverse.

    from torsion.interop.twisted.defer import fromTwisted, toTwisted

    toTwisted(deferred).addCallback(...)        # where Twisted expects a Deferred
    await fromTwisted(treq.get(url))            # where torsion does

Once this module is imported, ``await`` works on the Deferreds of either library in the coroutines of the other without a conversion,
and so does ``yield`` in generators for torsion's ``inlineCallbacks``.  Twisted's ``inlineCallbacks``, and callbacks that return a Deferred,
know only those of their own library: convert there.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from twisted.internet import defer as twisted_defer
from twisted.internet.defer import Deferred as TwistedDeferred
from twisted.python.failure import Failure as TwistedFailure

from torsion.internet.defer import CancelledError, Deferred, maybeDeferred
from torsion.internet.defer._foreign import register
from torsion.interop.twisted.failures import failureFromTwisted, failureToTwisted
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = [
    "failureFromTwisted",
    "failureToTwisted",
    "fromTwisted",
    "returnsTorsion",
    "returnsTwisted",
    "toTwisted",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")


def toTwisted(deferred: Deferred[_T]) -> TwistedDeferred[_T]:
    """Return a Deferred of Twisted's that fires as one of torsion's does.

    Cancelling it cancels *deferred*.  A failure is Twisted's then, and is Twisted's to report if nobody handles it.

    :param deferred: its result is None afterwards, as that of one that was chained.
    :raises TypeError: if it is no Deferred of torsion's.
    """
    if not isinstance(deferred, Deferred):
        raise _unlike("torsion", deferred, TwistedDeferred)
    made: TwistedDeferred[_T] = TwistedDeferred(lambda _: deferred.cancel())

    def succeeded(result: Any) -> Any:
        if isinstance(result, TwistedDeferred):
            return fromTwisted(result)  # which a callback has returned: torsion took it for a plain result
        return result

    def fired(result: Any) -> Any:
        if isinstance(result, Failure):
            if made.called:
                return (
                    None if result.check(CancelledError) else result
                )  # it was cancelled, and something else went wrong
            made.errback(failureToTwisted(result))
        elif not made.called:
            made.callback(result)
        return None

    deferred.addCallback(succeeded).addBoth(fired)
    return made


def fromTwisted(deferred: TwistedDeferred[_T]) -> Deferred[_T]:
    """Return a Deferred of torsion's that fires as one of Twisted's does.

    Cancelling it cancels *deferred*.  A failure is torsion's then, and is torsion's to report if nobody handles it.

    :param deferred: its result is None afterwards, as that of one that was chained.
    :raises TypeError: if it is no Deferred of Twisted's.
    """
    if not isinstance(deferred, TwistedDeferred):
        raise _unlike("Twisted", deferred, Deferred)
    made: Deferred[_T] = Deferred(lambda _: deferred.cancel())

    def succeeded(result: Any) -> Any:
        if isinstance(result, Deferred):
            return toTwisted(result)  # which a callback has returned: Twisted took it for a plain result
        return result

    def fired(result: Any) -> Any:
        if isinstance(result, TwistedFailure):
            ours = failureFromTwisted(result)
            if made.called:
                return None if ours.check(CancelledError) else result  # it was cancelled, and something else went wrong
            made.errback(ours)
        elif not made.called:
            made.callback(result)
        return None

    deferred.addCallback(succeeded).addBoth(fired)
    return made


def _unlike(library: str, given: object, other: type[object]) -> TypeError:
    """Return the error for what is no Deferred of *library*.

    :param other: the other library's Deferred.
    """
    remedy = (
        "it is the other library's already, so leave the conversion out"
        if isinstance(given, other)
        else f"make one of a coroutine by {library}'s ensureDeferred, and of anything else by its succeed"
    )
    return TypeError(f"{given!r} is no Deferred of {library}'s: {remedy}")


def returnsTwisted(
    function: Callable[_P, Deferred[_T] | Coroutine[Any, Any, _T]],
) -> Callable[_P, TwistedDeferred[_T]]:
    """Let a function that was written for torsion be called by Twisted's code (decorator).

    :param function: it may return a Deferred, be a coroutine function, return anything else, or raise.
    :returns: a function that always returns a Deferred of Twisted's.
    """

    @wraps(function)
    def converting(*args: _P.args, **kwargs: _P.kwargs) -> TwistedDeferred[_T]:
        return toTwisted(maybeDeferred(function, *args, **kwargs))

    return converting


def returnsTorsion(
    function: Callable[_P, TwistedDeferred[_T] | Coroutine[Any, Any, _T]],
) -> Callable[_P, Deferred[_T]]:
    """Let a function that was written for Twisted be called by torsion's code (decorator).

    :param function: it may return a Deferred, be a coroutine function, return anything else, or raise.
    :returns: a function that always returns a Deferred of torsion's.
    """

    @wraps(function)
    def converting(*args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
        return fromTwisted(twisted_defer.maybeDeferred(function, *args, **kwargs))

    return converting


register(TwistedDeferred, fromTwisted, toTwisted)
