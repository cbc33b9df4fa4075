"""Runs a generator or coroutine: waits for the Deferreds that it yields and sends it their results.

This lies below :class:`Deferred` and knows it only by its fields, so that each can use the other.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from torsion.python.failure import Failure

from ._kinds import DEFERRED_TYPES, PLAIN, failure_here

if TYPE_CHECKING:
    from ._deferred import Deferred

__all__ = ["Driver", "Return", "Steps", "is_steps", "resume", "start"]

Steps: TypeAlias = "Coroutine[Deferred[Any], Any, Any] | Generator[Any, Any, Any]"


class Return(BaseException):
    """Carries the value of :func:`returnValue` out of a generator."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


def _advance(steps: Steps, result: Any) -> Deferred[Any]:
    """Send *result*, or throw it if it is a Failure, and go on so until *steps* yields a Deferred to be waited for.

    The end of the generator leaves this as StopIteration, and any exception of it as itself.
    """
    send = steps.send
    failed = type(result) not in PLAIN and isinstance(result, Failure)
    while True:
        result = result.throwExceptionIntoGenerator(steps) if failed else send(result)
        kind = type(result)
        if kind in PLAIN:
            failed = False
        elif kind not in DEFERRED_TYPES:
            failed = isinstance(result, Failure)
        elif result._hold:
            waiting: Deferred[Any] = result
            return waiting
        else:
            source = result
            result = source.result
            source.result = None
            failed = type(result) not in PLAIN and isinstance(result, Failure)
            if failed:
                source._absolve()


class Driver:
    """A generator or coroutine that is waiting, and the Deferred that its end will fire."""

    __slots__ = ("context", "deferred", "steps", "waiting")

    def __init__(self, deferred: Deferred[Any], steps: Steps, context: Context, waiting: Deferred[Any]) -> None:
        self.deferred = deferred
        self.steps = steps
        self.context = context
        self.waiting: Deferred[Any] | None = waiting


def resume(driver: Driver, result: Any) -> Deferred[Any] | None:
    """Go on with *result*; return the Deferred that this has fired, its callbacks not run yet, or None."""
    driver.waiting = None
    try:
        waiting = driver.context.run(_advance, driver.steps, result)
    except StopIteration as stop:
        result = stop.value
    except Return as exit:
        result = exit.value
    except BaseException:
        result = failure_here(driver.deferred.debug)
    else:
        driver.waiting = waiting
        waiting._chain.append((driver, driver, resume))
        return None
    return driver.deferred._accept(result)


def start(deferred: Deferred[Any], steps: Steps) -> None:
    """Run *steps* until it first has to wait; *deferred* fires with what it returns or raises in the end.

    Now and whenever it goes on it runs in the same copy of the context that was current here.
    """
    context = copy_context()
    try:
        waiting = context.run(_advance, steps, None)
    except StopIteration as stop:
        deferred.callback(stop.value)
    except Return as exit:
        deferred.callback(exit.value)
    except BaseException:
        deferred.errback(failure_here(deferred.debug))
    else:
        driver = Driver(deferred, steps, context, waiting)
        deferred._canceller = driver
        waiting._chain.append((driver, driver, resume))


def is_steps(thing: object) -> TypeGuard[Steps]:
    """Tell whether *thing* is a coroutine or a generator."""
    return isinstance(thing, (CoroutineType, GeneratorType, Coroutine))
