"""What a Deferred remembers for the humans: where it was made and fired, and a failure that nobody has handled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from torsion.logger import Logger

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["DebugInfo", "callers", "enabled", "log", "logError", "passthru", "warn_circular"]

_T = TypeVar("_T")

log = Logger("torsion.internet.defer")

enabled = False
"""Whether every Deferred remembers where it was made.  Changed by :func:`setDebugging`."""

_OWN_PACKAGE = __name__.rpartition(".")[0]


def callers() -> list[str]:
    """Return the call stack of whoever uses Deferreds: text lines, innermost last, without the frames of this package."""
    # Only debugging needs the module, and it is not cheap to load.
    import sys
    import traceback

    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OWN_PACKAGE):
        frame = frame.f_back
    return traceback.format_stack(frame)


def _marked(mark: str, title: str, stack: list[str] | None) -> str:
    if stack is None:
        return ""
    return "".join(f" {mark}:{line}\n" for line in [f" {title}", *"".join(stack).splitlines()])


class DebugInfo:
    """Kept by a Deferred that is being debugged or holds a failure; logs that failure when both are garbage.

    It is an object apart, so that the price of a finalizer is paid by the Deferreds that need one and by no others.

    :ivar creator: text lines, the stack that made the Deferred (debugging only).
    :ivar invoker: text lines, the stack that fired it (debugging only).
    :ivar failResult: the failure that nobody has handled so far, or ``None``.
    """

    creator: list[str] | None = None
    invoker: list[str] | None = None
    failResult: Failure | None = None

    def stacks(self) -> str:
        """Return both stacks as text, lines marked with ``C:`` for the creation and ``I:`` for the invocation."""
        return _marked("C", "Deferred was created:", self.creator) + _marked("I", "First Invoker was:", self.invoker)

    def __del__(self) -> None:
        """Log the failure that is left, if one is."""
        failure = self.failResult
        if failure is not None:
            stacks = self.stacks()
            log.critical("Unhandled error in Deferred:", isError=True)
            log.failure("(debug: {debugInfo})" if stacks else "", failure, debugInfo=stacks)


def logError(err: Failure) -> Failure:
    """Log *err* and return it: an errback that reports a failure and lets it pass.

    :param err: the failure.
    """
    log.failure("", err)
    return err


def passthru(arg: _T) -> _T:
    """Return *arg*: the callback that changes nothing."""
    return arg


def warn_circular(callback: Callable[..., Any]) -> None:
    """Warn, in the place where *callback* is written, that it returned the very Deferred it was called by."""
    message = (
        "Callback returned the Deferred it was attached to; this breaks the callback chain and will raise an exception in"
        " the future."
    )
    code = getattr(callback, "__code__", None)
    if code is None:
        warnings.warn(message, DeprecationWarning, stacklevel=3)
        return
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    namespace = getattr(callback, "__globals__", {})
    warnings.warn_explicit(
        message,
        DeprecationWarning,
        code.co_filename,
        last,
        module=namespace.get("__name__"),
        registry=namespace.setdefault("__warningregistry__", {}),
    )
