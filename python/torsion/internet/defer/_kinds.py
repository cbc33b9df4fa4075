"""What the machinery must know of Deferreds and Failures to tell them from other results, quickly.

The files below :class:`Deferred` know it by these names and its fields only; so it can use them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

from torsion.python.failure import Failure

if TYPE_CHECKING:
    from ._deferred import Deferred

__all__ = [
    "DEFERRED_TYPES",
    "FAILED",
    "GO_ON",
    "INTERRUPTED",
    "NO_KEYWORDS",
    "OWN_PACKAGE",
    "PAUSE",
    "PAUSE_SHIFT",
    "PLAIN",
    "RUNNING",
    "UNFIRED",
    "Bound",
    "DeferredCallback",
    "DeferredErrback",
    "Entry",
    "Hop",
    "failure_here",
    "is_failure",
]

# The state of a Deferred is one number, its _hold: these bits.  Where it is less than UNFIRED, callbacks may run; where it
# is less than INTERRUPTED the Deferred is idle: all have run (and it may lack the list of them).
FAILED = 1  # the result is a Failure; not kept up to date while callbacks run
INTERRUPTED = (
    2  # some are left for the loop to come back to, when it has gone on with a Deferred that waited for this one
)
UNFIRED = 4
RUNNING = 8  # its callbacks are being called
PAUSE = 16  # times the number of pauses
PAUSE_SHIFT = 4

PLAIN = frozenset({NoneType, bool, int, float, str, bytes, list, tuple, dict, set})
"""Types whose instances are neither a Failure nor a Deferred: asking this first is quicker than two isinstance()."""

DEFERRED_TYPES: set[type] = set()
"""Deferred and its subclasses; each enters itself."""

NO_KEYWORDS: Mapping[str, Any] = {}

GO_ON = object()
"""What a canceller of ours returns if the Deferred shall stay unfired because its work is not done yet."""

DeferredCallback: TypeAlias = Callable[..., object]
"""Called with a result and perhaps further arguments; returns the next result."""
DeferredErrback: TypeAlias = Callable[..., object]
"""Called with a :class:`Failure` and perhaps further arguments; returns the next result."""

Hop: TypeAlias = "Callable[[Any, Any], Deferred[Any] | None]"
"""Hands a result over to something (both are its arguments); returns the Deferred whose turn it is then, or None."""

Entry: TypeAlias = "tuple[Any, Any, tuple[Any, ...] | Hop | None, Mapping[str, Any] | None]"
"""A step: callback, errback (None lets the result pass), arguments and keyword arguments of either (None for neither).

Or twice what the result is handed over to, and the hop that does it.
"""


class Bound:
    """A function with arguments of its own, for the step whose callback and errback do not have the same ones."""

    __slots__ = ("args", "function", "keywords")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        self.function = function
        self.args = args
        self.keywords = keywords

    def __call__(self, result: Any) -> Any:
        """Call the function."""
        return self.function(result, *self.args, **self.keywords)


OWN_PACKAGE = __name__.rpartition(".")[0]


_throwing_code = Failure.throwExceptionIntoGenerator.__code__


def failure_here(captureVars: bool = False) -> Failure:
    """Return a Failure of the exception that the caller is handling, without our own outermost frames.

    They are the same for every callback and tell users nothing.

    :param captureVars: see :class:`Failure`.
    """
    error = sys.exception()
    assert error is not None
    traceback = error.__traceback__
    while (
        traceback is not None
        and traceback.tb_next is not None
        and (
            traceback.tb_frame.f_globals.get("__package__") == OWN_PACKAGE
            or traceback.tb_frame.f_code is _throwing_code
        )
    ):
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    return Failure(error, captureVars=captureVars)


def is_failure(result: object) -> bool:
    """Tell whether *result* makes errbacks run."""
    return type(result) not in PLAIN and isinstance(result, Failure)
