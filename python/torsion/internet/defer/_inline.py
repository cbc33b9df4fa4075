"""Generators as Deferreds: inlineCallbacks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from functools import wraps
from types import GeneratorType
from typing import Any, NoReturn, ParamSpec, TypeVar

from ._driver import Return
from ._twins import Deferred, run_steps

__all__ = ["inlineCallbacks", "returnValue"]

_T = TypeVar("_T")
_P = ParamSpec("_P")


def inlineCallbacks(f: Callable[_P, Generator[Deferred[Any], Any, _T]]) -> Callable[_P, Deferred[_T]]:
    """Make a generator function return a Deferred (decorator).

    ``result = yield deferred`` waits for *deferred*: its result is sent into the generator, or its failure is raised
    there.  The Deferred that the decorated function returns fires with what the generator returns or raises.  Other
    things that are yielded are sent back as they are.  Cancelling the Deferred cancels what is being waited for.

    :param f: a generator function.
    """

    @wraps(f)
    def inline(*args: _P.args, **kwargs: _P.kwargs) -> Deferred[_T]:
        try:
            steps = f(*args, **kwargs)
        except Return as left:
            raise _not_a_generator(f, left.value) from None
        if not isinstance(steps, GeneratorType):
            raise _not_a_generator(f, steps)
        return run_steps(steps)

    return inline


def _not_a_generator(f: object, got: object) -> TypeError:
    return TypeError(
        f"inlineCallbacks requires {f!r} to produce a generator; instead got {got!r}."
        " Let it yield, or use maybeDeferred for functions that need not wait."
    )


def returnValue(val: object) -> NoReturn:
    """Leave an :func:`inlineCallbacks` generator with the result *val*.

    Deprecated: ``return val`` does the same.
    """
    warnings.warn("returnValue is deprecated: write 'return value' instead", DeprecationWarning, stacklevel=2)
    raise Return(val)
