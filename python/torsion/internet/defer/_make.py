"""Deferreds made from what is there already: values, failures, and functions that may or may not be asynchronous."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from ._kinds import failure_here
from ._twins import Deferred, ensureDeferred, succeed

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["execute", "fail", "getDebugging", "maybeDeferred", "setDebugging"]

_T = TypeVar("_T")
_P = ParamSpec("_P")


def fail(result: Failure | BaseException | None = None) -> Deferred[Any]:
    """Return a Deferred that has failed.

    :param result: what went wrong; None stands for the exception that is being handled.
    :raises NoCurrentExceptionError: if *result* is None and no exception is being handled.
    """
    deferred: Deferred[Any] = Deferred()
    deferred.errback(result)
    return deferred


def execute(callable: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
    """Call *callable* and return a Deferred that has fired with what it returned or raised."""
    try:
        result = callable(*args, **kwargs)
    except BaseException:  # noqa: BLE001  # it becomes the result
        return fail(failure_here())
    return succeed(result)


@overload
def maybeDeferred(f: Callable[_P, Deferred[_T]], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...
@overload
def maybeDeferred(
    f: Callable[_P, Coroutine[Deferred[Any], Any, _T]], *args: _P.args, **kwargs: _P.kwargs
) -> Deferred[_T]: ...
@overload
def maybeDeferred(f: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]: ...
def maybeDeferred(f: Callable[_P, Any], *args: _P.args, **kwargs: _P.kwargs) -> Deferred[Any]:
    """Call *f* and return a Deferred of its result, however it gives it.

    :param f: it may return a Deferred (which is returned), a coroutine (which is started), a :class:`Failure` or any
        other value, or raise.
    """
    try:
        result = f(*args, **kwargs)
    except BaseException:  # noqa: BLE001  # it becomes the result
        return fail(failure_here(Deferred.debug))
    if isinstance(result, Deferred):
        return result
    if isinstance(result, CoroutineType):
        return ensureDeferred(result)
    return succeed(result)


def setDebugging(on: bool) -> None:
    """Switch debugging on or off, for Deferreds made from now on.

    With it they remember where they were made and first fired and who added their callbacks, which
    :class:`AlreadyCalledError` and the log of an unhandled failure then tell, and failures of callbacks capture the
    variables of their frames.  All this is slow.
    """
    Deferred.debug = bool(on)


def getDebugging() -> bool:
    """Tell whether debugging is on."""
    return Deferred.debug
