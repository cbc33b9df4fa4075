"""Runs a generator or coroutine: waits for the Deferreds that it yields and sends it their results.

This lies below :class:`Deferred` and knows it only by its fields, so that each can use the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Coroutine, Generator, Iterator
from contextvars import Context, copy_context
from types import CoroutineType, FrameType, GeneratorType, TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from torsion.python.failure import Failure

from ._foreign import taken_in
from ._kinds import DEFERRED_TYPES, INTERRUPTED, OWN_PACKAGE, PLAIN, UNFIRED, failure_here, is_failure

if TYPE_CHECKING:
    from ._deferred import Deferred

__all__ = ["Driver", "Return", "Steps", "check_place", "is_steps", "resume", "start"]

Steps: TypeAlias = "Coroutine[Any, Any, Any] | Generator[Any, Any, Any]"

_STEPS_TYPES = (CoroutineType, GeneratorType)
_new = object.__new__


class Return(BaseException):
    """Carries the value of :func:`returnValue` out of a generator."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


class Driver:
    """A generator or coroutine that is waiting, and the Deferred that its end will fire."""

    __slots__ = ("context", "deferred", "steps", "waiting")

    def __init__(self, deferred: Deferred[Any], steps: Steps, context: Context, waiting: Deferred[Any]) -> None:
        self.deferred = deferred
        self.steps = steps
        self.context = context
        self.waiting: Deferred[Any] | None = waiting


def is_steps(thing: object) -> TypeGuard[Steps]:
    """Tell whether *thing* is a coroutine or a generator."""
    return type(thing) in _STEPS_TYPES or isinstance(thing, Coroutine)


def start(kind: type[Deferred[Any]], steps: Steps) -> Deferred[Any]:
    """Run *steps* until it first has to wait; return a *kind* of what it returns or raises in the end.

    Now and whenever it goes on it runs in the same copy of the context that was current here.
    """
    context = copy_context()
    try:
        waiting = context.run(steps.send, None)
        if type(waiting) not in DEFERRED_TYPES or waiting._hold < UNFIRED:
            waiting = context.run(_advance, kind, steps, waiting)
    except StopIteration as stop:
        result = stop.value
        if type(result) in PLAIN and not kind.debug:  # mostly; as in succeed()
            deferred = _new(kind)
            deferred._hold = 0
            deferred.result = result
            return deferred
    except Return as left:
        result = left.value
        check_place(left)
    except BaseException:  # noqa: BLE001  # it becomes the result
        result = failure_here(kind.debug)
    else:
        deferred = kind()
        deferred._canceller = driver = Driver(deferred, steps, context, waiting)
        waiting._chain.append((driver, driver, resume, None))
        return deferred
    deferred = kind()
    deferred.callback(result)
    return deferred


def resume(driver: Driver, result: Any) -> Deferred[Any] | None:
    """Go on with *result*; return the Deferred that this has fired, its callbacks not run yet, or None."""
    driver.waiting = None
    run_in_context, steps = driver.context.run, driver.steps
    try:
        if is_failure(result):
            waiting = run_in_context(result.throwExceptionIntoGenerator, steps)
        else:
            waiting = run_in_context(steps.send, result)
        if type(waiting) not in DEFERRED_TYPES or waiting._hold < UNFIRED:
            waiting = run_in_context(_advance, type(driver.deferred), steps, waiting)
    except StopIteration as stop:
        result = stop.value
    except Return as left:
        result = left.value
        check_place(left)
    except BaseException:  # noqa: BLE001  # it becomes the result
        result = failure_here(driver.deferred.debug)
    else:
        driver.waiting = waiting
        waiting._chain.append((driver, driver, resume, None))
        return None
    return driver.deferred._accept(result)


def _advance(kind: type[Deferred[Any]], steps: Steps, got: Any) -> Deferred[Any]:
    """Answer *got*, which was yielded and is no Deferred to be waited for, and what follows; return one that is.

    The end of the generator leaves this as StopIteration, and any exception of it as itself.
    """
    send = steps.send
    while True:
        what = type(got)
        if what is CoroutineType:
            got = start(kind, got)
            what = kind
        if what in PLAIN:
            got = send(got)
        elif what in DEFERRED_TYPES:
            hold = got._hold
            if INTERRUPTED <= hold < UNFIRED:
                got = _after_the_rest(kind, got)
                hold = got._hold
            if hold >= UNFIRED:
                waiting: Deferred[Any] = got
                return waiting
            source, got = got, got.result
            source.result = None
            if hold:
                source._hold = 0
                source._absolve()
                got = got.throwExceptionIntoGenerator(steps)
            else:
                got = send(got)
        elif isinstance(got, Failure):
            got = got.throwExceptionIntoGenerator(steps)  # type: ignore[arg-type]  # a coroutine can throw, too
        else:
            other = taken_in(got)
            got = send(got) if other is None else other


def _after_the_rest(kind: type[Deferred[Any]], source: Deferred[Any]) -> Deferred[Any]:
    """Run the callbacks that *source* was interrupted in; return a *kind* of what its result is then."""
    relay: Deferred[Any] = kind(lambda _: source.cancel())
    source.addBoth(relay.callback)
    return relay


def _frames_of(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def check_place(left: Return) -> None:
    """Warn if :func:`returnValue` was not called by the generator itself, but by a function that this called."""
    users = [
        (frame, line)
        for frame, line in _frames_of(left.__traceback__)
        if frame.f_globals.get("__package__") != OWN_PACKAGE
    ]
    if len(users) > 1:
        (generator, _), (frame, line) = users[0], users[-1]
        warnings.warn_explicit(
            f"returnValue() in {frame.f_code.co_name!r} ends {generator.f_code.co_name!r}, which called it: only the"
            " function that is decorated with inlineCallbacks itself should call returnValue",
            DeprecationWarning,
            frame.f_code.co_filename,
            line,
        )
