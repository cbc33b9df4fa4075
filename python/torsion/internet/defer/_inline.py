"""Generators and coroutines as Deferreds: inlineCallbacks and ensureDeferred."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from types import GeneratorType
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

from ._deferred import Deferred
from ._driver import Return, is_steps, start
from ._errors import NotACoroutineError
from ._kinds import DEFERRED_TYPES

__all__ = ["ensureDeferred", "inlineCallbacks", "returnValue"]

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
        return start(Deferred, steps)

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
    raise NotACoroutineError(f"{coro!r} is not a coroutine or a Deferred; call the async function first")
