"""Deferreds made from what is there already, and the like that is made often: the twin of ``rust/native/src/deferred/make.rs``."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar, cast

from torsion.python.failure import Failure

from ._deferred import Deferred
from ._driver import Steps, is_steps, start
from ._errors import not_a_coroutine
from ._kinds import DEFERRED_TYPES, PLAIN

__all__ = ["collect_fired", "ensureDeferred", "run_steps", "succeed"]

_T = TypeVar("_T")

_new = object.__new__


def succeed(result: _T) -> Deferred[_T]:
    """Return a Deferred that has fired with *result*.

    :param result: its result; a :class:`Failure` makes it a failed one.
    """
    if (type(result) not in PLAIN and isinstance(result, Failure)) or Deferred.debug:
        deferred: Deferred[_T] = Deferred()
        deferred.callback(result)
    else:
        # What callback() comes to where there are no callbacks.  Nothing else is made as often.
        deferred = _new(Deferred)
        deferred._hold = 0
        deferred.result = result
    return deferred


def ensureDeferred(
    coro: Coroutine[Deferred[Any], Any, _T] | Generator[Deferred[Any], Any, _T] | Deferred[_T],
) -> Deferred[_T]:
    """Return a Deferred of what *coro* returns.

    :param coro: a coroutine or generator, which is started, or a Deferred, which is returned.
    :raises NotACoroutineError: if it is none of these.
    """
    if is_steps(coro):
        return start(Deferred, coro)
    if type(coro) in DEFERRED_TYPES:
        return cast("Deferred[_T]", coro)
    raise not_a_coroutine(coro)


def run_steps(steps: Steps, /) -> Deferred[Any]:
    """Run *steps*, a coroutine or a generator; return a Deferred of what it returns."""
    return start(Deferred, steps)


def collect_fired(deferreds: list[Deferred[Any]], results: list[tuple[bool, Any] | None], /) -> int:
    """Put (True, result) into *results* for each of *deferreds*, up to one that has no result yet or is of another class.

    :returns: how many there are.
    """
    for index, deferred in enumerate(deferreds):
        if type(deferred) is not Deferred or deferred._hold:
            return index
        results[index] = (True, deferred.result)
    return len(deferreds)
