"""Failures and errors of one library in the other's words.

A Failure keeps its exception and its traceback.  Exceptions stay the objects that they are, but for the errors that both libraries have
by the same name, in ``internet.error`` and ``internet.defer``: ``except ConnectionDone`` and ``failure.trap(CancelledError)`` must work
on either side.  Such an error becomes one of the other library's class, with the same arguments and attributes, whose ``__cause__``
is the original; on its way back it becomes the original again.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import defer as twisted_defer
from twisted.internet import error as twisted_error
from twisted.python.failure import Failure as TwistedFailure

from torsion.internet import defer, error
from torsion.python.failure import Failure

__all__ = ["failureFromTwisted", "failureToTwisted"]

_Kinds = dict[type[BaseException], type[BaseException]]


def _pairs() -> tuple[_Kinds, _Kinds]:
    """Return which of Twisted's errors stands for which of ours, and the reverse."""
    theirs: _Kinds = {}
    ours: _Kinds = {}
    for here, there in ((error, twisted_error), (defer, twisted_defer)):
        for name, kind in vars(here).items():
            other = getattr(there, name, None)
            if _is_error(kind) and _is_error(other) and kind is not other:
                theirs.setdefault(kind, cast("type[BaseException]", other))
                ours.setdefault(cast("type[BaseException]", other), kind)
    return theirs, ours


def _is_error(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseException)


_THEIRS, _OURS = _pairs()


def failureToTwisted(failure: Failure) -> TwistedFailure:
    """Return what a Failure of torsion's is for Twisted."""
    value = _translated(failure.value, _THEIRS, _OURS)
    return TwistedFailure(value, _kind(failure, value), failure.getTracebackObject())


def failureFromTwisted(failure: TwistedFailure) -> Failure:
    """Return what a Failure of Twisted's is for torsion."""
    value = _translated(failure.value, _OURS, _THEIRS)
    return Failure(value, _kind(failure, value), failure.getTracebackObject())


def _kind(failure: Any, value: BaseException) -> type[BaseException]:
    return failure.type if value is failure.value else type(value)


def _translated(value: Any, kinds: _Kinds, back: _Kinds) -> Any:
    """Return the error that *value* is on the other side.

    :param kinds: which class becomes which.
    :param back: the reverse.
    """
    found = next((kind for kind in type(value).__mro__ if kind in kinds), None)
    if found is None:
        return value
    cause = value.__cause__
    if cause is not None and any(back.get(kind) is type(value) for kind in type(cause).__mro__):
        return cause  # it has come from there
    made = kinds[found].__new__(kinds[found], *value.args)
    made.args = value.args
    for name, attribute in vars(value).items():
        made.__dict__[name] = _attribute(attribute)
    made.__cause__ = value
    made.__traceback__ = value.__traceback__
    return made


def _attribute(value: Any) -> Any:
    """Return what an error's attribute is on the other side: a ``FirstError`` has a Failure."""
    if isinstance(value, Failure):
        return failureToTwisted(value)
    if isinstance(value, TwistedFailure):
        return failureFromTwisted(value)
    return value
