"""Deferreds made from what is there already: values, failures, and functions that may or may not be asynchronous."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar, cast, overload

from torsion.python.failure import Failure

from . import _debug
from ._deferred import Deferred
from ._kinds import DEFERRED_TYPES, PLAIN, failure_here

__all__ = ["execute", "fail", "getDebugging", "maybeDeferred", "setDebugging", "succeed"]

_T = TypeVar("_T")
_P = ParamSpec("_P")

_new = object.__new__


def succeed(result: _T) -> Deferred[_T]:
    """Return a Deferred that has fired with *result*.

    :param result: its result; a :class:`Failure` makes it a failed one.
    """
    if (type(result) not in PLAIN and isinstance(result, Failure)) or _debug.enabled:
        deferred: Deferred[_T] = Deferred()
        deferred.callback(result)
    else:
        # What callback() comes to where there are no callbacks.  Nothing else is made as often.
        deferred = _new(Deferred)
        deferred._hold = 0
        deferred.result = result
    return deferred


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
    if type(result) in DEFERRED_TYPES:
        return cast("Deferred[Any]", result)
    if isinstance(result, CoroutineType):
        return Deferred.fromCoroutine(result)
    return succeed(result)


def setDebugging(on: bool) -> None:
    """Switch debugging on or off, for Deferreds made from now on.

    With it they remember where they were made and first fired, which :class:`AlreadyCalledError` and the log of an
    unhandled failure then tell, and failures of callbacks capture the variables of their frames.  All this is slow.
    """
    _debug.enabled = Deferred.debug = bool(on)


def getDebugging() -> bool:
    """Tell whether debugging is on."""
    return Deferred.debug
